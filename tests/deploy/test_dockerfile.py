"""Dockerfiles: the last stage, its variables and folders, and what it starts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.images.dockerfile import Image, image_of
from lg_stream_lint.deploy.readers import dockerfile
from lg_stream_lint.deploy.settings import Hop, Reading, Target
from lg_stream_lint.finding import Span
from tests.deploy.repositories import reading


def read(text: str, folder: Path, name: str = "Dockerfile") -> Reading:
    return dockerfile.read(DeployFile(str(folder / name), text.encode()), Context(str(folder)))


def image(text: str, folder: Path, name: str = "Dockerfile") -> Image:
    return image_of(DeployFile(str(folder / name), text.encode()), Context(str(folder)))


def hop(text: str, folder: Path) -> Hop:
    (found,) = read(text, folder).hops
    return found


@pytest.mark.parametrize(
    ("text", "app"),
    [
        ('FROM x\nCMD ["uvicorn", "a:b"]', "a:b"),
        ("FROM x\nCMD uvicorn a:b", "a:b"),
        ("from x\ncmd uvicorn a:b", "a:b"),
        ('FROM x\nCMD ["uvicorn", "old:app"]\nCMD ["uvicorn", "a:b"]', "a:b"),
        ('FROM x\nENTRYPOINT ["uvicorn"]\nCMD ["a:b"]', "a:b"),
        ('FROM x\nENTRYPOINT ["uvicorn", "a:b"]\nCMD ["--port", "80"]', "a:b"),
        ("FROM x\nENTRYPOINT uvicorn a:b\nCMD uvicorn c:d", "a:b"),
        ('FROM x\nENTRYPOINT ["tini", "--"]\nCMD uvicorn a:b', "a:b"),
        ('FROM x\nCMD ["uvicorn", \\\n  # why\n\n  "a:b", \\\n  "--port", "80"]', "a:b"),
        ("FROM x\nCMD uvicorn \\\n  # why\n  a:b \\\n\n  --port 80", "a:b"),
        ("# escape=`\nFROM x\nCMD uvicorn `\n  a:b", "a:b"),
        ("FROM x AS build\nCMD uvicorn old:app\nFROM y\nCMD uvicorn a:b", "a:b"),
        ("FROM x AS base\nCMD uvicorn a:b\nFROM base", "a:b"),
        ("FROM x\nRUN <<EOF\nCMD uvicorn no:no\nEOF\nCMD uvicorn a:b", "a:b"),
        ("FROM x\nRUN cat <<-'EOF' > f && cat <<B\n\tEOF\nB\nCMD uvicorn a:b", "a:b"),
        ("FROM x\nHEALTHCHECK CMD uvicorn no:no\nCMD uvicorn a:b", "a:b"),
        ("\ufeffFROM x\r\nCMD uvicorn \\\r\n  a:b\r\n", "a:b"),
        ("FROM x\nCMD [uvicorn, a:b]\nCMD ['uvicorn', 'a:b']\nCMD uvicorn a:b", "a:b"),
    ],
)
def test_what_an_image_starts(text: str, app: str, tmp_path: Path) -> None:
    assert [target.value for target in hop(text, tmp_path).leads_to] == [app]


@pytest.mark.parametrize(
    "text", ["", "FROM x", "FROM x\nCMD", "FROM x\nCMD []", "CMD uvicorn a:b", "FROM x\nCMD npm start"]
)
def test_images_that_start_no_server(text: str, tmp_path: Path) -> None:
    assert read(text, tmp_path).hops == ()


def test_places(tmp_path: Path) -> None:
    text = (
        'FROM x\nENV A=1 \\\n    GUNICORN_CMD_ARGS="--timeout 7"\nCMD ["gunicorn", \\\n  "-k", "asgi", \\\n  "a:b"]\n'
    )
    found = hop(text, tmp_path)
    worker, timeout = found.get("worker_class"), found.get("timeout")
    assert worker is not None
    assert timeout is not None
    assert worker.where.span == (5, 3, 5, 15)
    assert timeout.where.span.row == 3
    assert found.where.span == (4, 6, 6, 8)
    assert Target("file", str(tmp_path / "Dockerfile")) in found.known_as


def test_variables(tmp_path: Path) -> None:
    text = """ARG BASE=python:3.12-slim
FROM ${BASE}
ARG PORT=9000
ENV WORKERS 3
ENV A="x y" B=${PORT} C=$UNKNOWN
CMD gunicorn -k asgi -w $WORKERS -b :$B a:b
"""
    found = image(text, tmp_path)
    assert found.base == "python:3.12-slim"
    assert {name: variable.value for name, variable in found.env.items()} == {
        "PORT": "9000", "WORKERS": "3", "A": "x y", "B": "9000", "C": "$UNKNOWN"}  # fmt: skip
    port = hop(text, tmp_path).get("port")
    assert port is not None
    assert (port.value, port.overridable) == ("9000", True)


@pytest.mark.parametrize(
    ("text", "shell"),
    [
        ("FROM python:3.12-slim\nCMD uvicorn a:b", True),
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm\nCMD uvicorn a:b", True),
        ('FROM python:3.12\nCMD ["sh", "-c", "uvicorn a:b"]', True),
        ('FROM python:3.12\nENTRYPOINT ["/bin/sh", "-c"]\nCMD ["x && uvicorn a:b"]', True),
        ("FROM python:3.12\nCMD exec uvicorn a:b | cat", "pipeline"),
        ("FROM python:3.12\nCMD exec uvicorn a:b", None),
        ("FROM python:3.12\nCMD a && exec uvicorn a:b", None),
        ('FROM python:3.12\nCMD ["uvicorn", "a:b"]', None),
        ('FROM python:3.12\nCMD ["bash", "-c", "uvicorn a:b"]', None),
        ('FROM python:3.12\nSHELL ["/bin/bash", "-c"]\nCMD uvicorn a:b', None),
        ("FROM python:3.12-alpine\nCMD uvicorn a:b", None),
        ("FROM registry.access.redhat.com/ubi9/python-312\nCMD uvicorn a:b", None),
        ("FROM company/base\nCMD uvicorn a:b", None),
        ("ARG X\nFROM $X\nCMD uvicorn a:b", None),
    ],
)
def test_the_shell_between(text: str, shell: object, tmp_path: Path) -> None:
    assert hop(text, tmp_path).value("shell") == shell


@pytest.mark.parametrize(
    ("name", "copy", "base"),
    [
        ("Dockerfile", "WORKDIR /srv\nCOPY . .", "."),
        ("Dockerfile", "WORKDIR /srv\nCOPY backend .", "backend"),
        ("Dockerfile", "COPY ./backend/ /srv/\nWORKDIR /srv", "backend"),
        ("Dockerfile", "WORKDIR /srv\nCOPY backend/app /srv/app", "backend"),
        ("Dockerfile", "WORKDIR /srv/backend\nCOPY . /srv", "backend"),
        ("backend/Dockerfile", "WORKDIR /srv\nCOPY . .", "backend"),
        ("docker/Dockerfile", "WORKDIR /srv\nCOPY backend/ .", "backend"),
        ("docker/Dockerfile", 'WORKDIR /srv\nCOPY --chown=a:b ["backend/app", "./app"]', "backend"),
    ],
)
def test_the_working_folder_in_the_repository(name: str, copy: str, base: str, tmp_path: Path) -> None:
    (tmp_path / "backend" / "app").mkdir(parents=True)
    (tmp_path / "backend" / "app" / "main.py").write_text("")
    (tmp_path / "docker").mkdir()
    text = f"FROM x\n{copy}\nCMD uvicorn app.main:app"
    (target,) = read(text, tmp_path, name).hops[0].leads_to
    assert target.base == str((tmp_path / base).resolve()) or base == "."


def test_a_script_in_the_image(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "start.sh").write_text("exec gunicorn -k asgi --timeout ${T:-5} a:b\n")
    text = (
        "FROM x\nENV T=50\nWORKDIR /srv\nCOPY scripts/start.sh /start.sh\n"
        'COPY scripts /srv/scripts\nCMD ["/srv/scripts/start.sh"]'
    )
    found = hop(text, tmp_path)
    assert found.value("timeout") == 50
    assert {t.value for t in found.known_as if t.kind == "file"} == {
        str(tmp_path / "Dockerfile"), str(tmp_path / "scripts" / "start.sh")}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "RUN echo '#!/bin/sh' > /start.sh && \\\n  echo 'exec gunicorn -k asgi -t 5 a:b' >> /start.sh\nCMD [\"/start.sh\"]",
            (3, 31),
        ),
        ('RUN printf "#!/bin/sh\\nexec gunicorn -k asgi -t 5 a:b\\n" > start.sh\nCMD ./start.sh', (2, 46)),
        ("RUN printf '%s\\n' '#!/bin/sh' 'gunicorn -k asgi -t 5 a:b' > /start.sh\nCMD /start.sh", (2, 49)),
        ("RUN cat <<EOF > /start.sh\nexec gunicorn -k asgi -t 5 a:b\nEOF\nCMD /start.sh", (3, 23)),
        ("COPY <<-'EOF' /start.sh\nexec gunicorn -k asgi -t 5 a:b\nEOF\nCMD bash /start.sh", (3, 23)),
        (
            "RUN echo '[program:x]' > /etc/s.conf \\\n && echo 'command=gunicorn -k asgi -t 5 a:b' >> /etc/s.conf\n"
            'CMD ["supervisord", "-c", "/etc/s.conf"]',
            (3, 36),
        ),
    ],
)
def test_files_that_the_build_writes(text: str, place: tuple[int, int], tmp_path: Path) -> None:
    timeout = hop("FROM x\n" + text, tmp_path).get("timeout")
    assert timeout is not None
    assert (timeout.value, timeout.where.span[:2]) == (5, place)
    assert timeout.where.path == str(tmp_path / "Dockerfile")


@pytest.mark.parametrize(
    "text",
    [
        "RUN echo > /x",
        "RUN echo '' > /x",
        "RUN cat <<A > /x",
        "COPY <<A /x",
        "COPY <<A /x\nA",
        "RUN > /x",
        "RUN printf > /x",
    ],
)
def test_nothing_written_is_survived(text: str, tmp_path: Path) -> None:
    assert read(f"FROM x\n{text}\nCMD /x", tmp_path).hops == ()


def test_hostile_files_take_bounded_time(tmp_path: Path) -> None:
    began = time.monotonic()
    texts = (
        "FROM x\n" + "RUN a \\\n" * 100_000,
        "FROM x\nRUN " + "<<A " * 50_000 + "\n",
        "FROM x\n" + "RUN <<A\n" * 3_000,
        "FROM a AS a\n" * 3_000 + "CMD uvicorn a:b",
        "FROM x\nCMD " + "[" * 100_000,
        "FROM x\n" + "ENV A=$A$A\n" * 3_000 + "CMD $A",
        "FROM x\nENV " + "A=1 " * 50_000,
        "FROM x\n" + "COPY a b\n" * 4_000 + "CMD uvicorn a:b",
        "\\\n" * 100_000,
        "#" * 100_000 + "\r" * 100_000,
    )
    for text in texts:
        read(text, tmp_path)
    assert time.monotonic() - began < 15


SITE = (
    "server {\n  listen 80;\n  location /chat {\n    proxy_pass http://api:8000;\n    proxy_read_timeout 45s;\n  }\n}\n"
)


@pytest.mark.parametrize(
    "written",
    [
        f"COPY <<'EOF' /etc/nginx/conf.d/default.conf\n{SITE}EOF\n",
        f"RUN cat <<'EOF' > /etc/nginx/conf.d/default.conf\n{SITE}EOF\n",
    ],
)
def test_nginx_in_a_here_document_keeps_its_places(written: str, tmp_path: Path) -> None:
    text = f'FROM nginx:1.27-alpine\n{written}CMD ["nginx", "-g", "daemon off;"]\n'
    found = reading("dockerfile", tmp_path, {"Dockerfile": text})
    (hop,) = (hop for hop in found.hops if hop.layer == "nginx")
    assert (hop.value("read_timeout"), hop.get("read_timeout").where.span) == (45, Span(7, 5, 7, 27))
    assert (hop.version, hop.known_as[0]) == ("1.27-alpine", Target("file", str(tmp_path / "Dockerfile")))
    copied = text.replace("CMD", "COPY nginx.conf /etc/nginx/nginx.conf\nCMD")
    found = reading("dockerfile", tmp_path, {"Dockerfile": copied})
    assert (found.hops, [note.where.span.row for note in found.notes]) == ((), [3])  # what holds around it is not known
