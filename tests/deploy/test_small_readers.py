"""The short formats that carry commands: Procfiles, scripts, Makefiles, systemd, supervisor, package.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.readers import makefile, package_json, procfile, shell, supervisor, systemd
from lg_stream_lint.deploy.settings import Hop, Reading, Role
from lg_stream_lint.finding import Span
from tests.deploy.repositories import reading

Reader = Callable[[DeployFile, Context], Reading]


def read(reader: Reader, name: str, text: str, folder: Path) -> Reading:
    return reader(DeployFile(str(folder / name), text.encode()), Context(str(folder)))


def hops(reader: Reader, name: str, text: str, folder: Path) -> list[Hop]:
    return [hop for hop in read(reader, name, text, folder).hops if hop.role == Role.SERVER]


def test_procfile(tmp_path: Path) -> None:
    text = "release: alembic upgrade head\r\nweb:  gunicorn -k asgi -t 5 a:b\r\nworker: celery -A x worker\r\n"
    (found,) = hops(procfile.read, "Procfile", text, tmp_path)
    timeout = found.get("timeout")
    assert timeout is not None
    assert (timeout.value, timeout.where.span) == (5, (2, 24, 2, 28))


def test_shell(tmp_path: Path) -> None:
    text = "#!/usr/bin/env bash\n# uvicorn no:no\nexport WEB_CONCURRENCY=2\n"
    text += 'if [ -n "$X" ]; then\n  uvicorn a:b\nelse exec uvicorn c:d; fi\n'
    found = hops(shell.read, "start.sh", text, tmp_path)
    assert [(hop.leads_to[0].value, hop.value("workers"), hop.where.span.row) for hop in found] == [
        ("a:b", 2, 5),
        ("c:d", 2, 6),
    ]
    assert hops(shell.read, "start", "#!/usr/bin/perl\nuvicorn a:b\n", tmp_path) == []


@pytest.mark.parametrize(
    "command",
    [
        "cat > /etc/nginx/sites-available/chat <<'EOF'",
        "cat <<EOF > /etc/nginx/conf.d/chat.conf",
        "sudo tee /etc/nginx/sites-available/chat > /dev/null <<'EOF'",
    ],
)
def test_nginx_that_a_script_writes(tmp_path: Path, command: str) -> None:
    site = "server {\n  location /chat {\n    proxy_pass http://127.0.0.1:8000;\n    proxy_read_timeout 45s;\n  }\n}\n"
    text = f"#!/bin/bash\nset -e\n{command}\n{site}EOF\nsystemctl reload nginx\n"
    (hop,) = reading("shell", tmp_path, {"setup.sh": text}).hops
    assert (hop.layer, hop.value("read_timeout")) == ("nginx", 45)
    assert hop.get("read_timeout").where.span == Span(7, 5, 7, 27)
    other = text.replace("/etc/nginx/", "/tmp/")
    assert reading("shell", tmp_path, {"setup.sh": other}).hops == ()


def test_makefile(tmp_path: Path) -> None:
    text = "PORT ?= 9000\nAPP := a:b\n.PHONY: run\nrun: install\n\t@uvicorn $(APP) \\\n\t  --port $(PORT)\nother:\n\t-echo $$HOME\n"
    (found,) = hops(makefile.read, "Makefile", text, tmp_path)
    port = found.get("port")
    assert port is not None
    assert (port.value, port.overridable, found.leads_to[0].value) == ("9000", True, "a:b")
    assert port.where.span == (6, 4, 6, 18)


def test_justfile(tmp_path: Path) -> None:
    text = 'port := "9000"\n\nrun:\n    uvicorn a:b --port {{port}}\n'
    (found,) = hops(makefile.read, "justfile", text, tmp_path)
    assert found.value("port") == "9000"


def test_systemd(tmp_path: Path) -> None:
    text = """[Unit]
Description=gunicorn
[Service]
Environment="WEB_CONCURRENCY=3" PORT=9000
WorkingDirectory=/srv/chat
ExecStartPre=/bin/true
ExecStart=-/srv/chat/.venv/bin/gunicorn \\
    -k asgi \\
    -b 0.0.0.0:${PORT} a:b
TimeoutStopSec=5min 20s
[Install]
WantedBy=multi-user.target
"""
    reading = read(systemd.read, "chat.service", text, tmp_path)
    server, host = reading.hops
    assert (server.value("workers"), server.value("port"), server.value("worker_class")) == (3, "9000", "asgi")
    worker, grace = server.get("worker_class"), host.get("stop_grace")
    assert worker is not None
    assert worker.where.span == (8, 5, 8, 12)
    assert grace is not None
    assert (grace.value, grace.where.span.row) == (320, 10)
    assert set(host.leads_to) & set(server.known_as)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("1min", 60),
        ("1min 30s", 90),
        ("500ms", 0.5),
        ("2h", 7200),
        ("infinity", None),
        ("0", None),
        ("soon", None),
        ("5 x", None),
    ],
)
def test_systemds_times(text: str, seconds: float | None) -> None:
    assert systemd.time_span(text) == seconds


def test_systemd_units_without_a_server_say_nothing(tmp_path: Path) -> None:
    assert read(systemd.read, "x.service", "[Service]\nExecStart=/usr/bin/redis-server\n", tmp_path).hops == ()
    default = (
        read(systemd.read, "x.service", "[Service]\nExecStart=/usr/bin/uvicorn a:b\n", tmp_path)
        .hops[1]
        .get("stop_grace")
    )
    assert default is not None
    assert (default.value, default.explicit) == (90, False)


def test_supervisor(tmp_path: Path) -> None:
    text = """[supervisord]
nodaemon=true
command=uvicorn no:no
[program:web]
environment=WEB_CONCURRENCY="2",X='y'
command=/usr/local/bin/gunicorn -k asgi
    --timeout 7 a:b ; the chat
[program:worker]
command=celery -A x worker
"""
    (found,) = hops(supervisor.read, "supervisord.conf", text, tmp_path)
    assert (found.value("timeout"), found.value("workers"), found.leads_to[0].value) == (7, 2, "a:b")
    timeout = found.get("timeout")
    assert timeout is not None
    assert timeout.where.span == (7, 5, 7, 16)


def test_package_json(tmp_path: Path) -> None:
    text = (
        '{\n  "name": "uvicorn",\n  "scripts": {\n    "dev": "next dev",\n'
        '    "api": "cd api && uvicorn a:b --port 9000"\n  }\n}\n'
    )
    (found,) = hops(package_json.read, "package.json", text, tmp_path)
    port = found.get("port")
    assert port is not None
    assert port.where.span == (5, 35, 5, 46)
    with pytest.raises(NotRead):
        read(package_json.read, "package.json", "{", tmp_path)
    for odd in ("[]", '{"scripts": []}', '{"scripts": {"a": 1}}', json.dumps({"scripts": {"a": 'x "uvicorn" \n a:b'}})):
        read(package_json.read, "package.json", odd, tmp_path)


@pytest.mark.parametrize("reader", [makefile.read, procfile.read, shell.read, supervisor.read, systemd.read])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r",
        "\r\r\n\n",
        "a",
        "[",
        "[program:x]",
        "=",
        "[Service]\nExecStart=",
        "web:",
        "\t\\",
        "\x00\x01\ufffd",
        "a=\\\n" * 1000,
        "\\" * 5000,
        "[Service]\nExecStart=@\nEnvironment='",
    ],
)
def test_odd_files_are_survived(reader: Reader, text: str, tmp_path: Path) -> None:
    with suppress(NotRead):
        read(reader, "x", text, tmp_path)
