"""Commands: from words or a shell's text to servers, with every value at its place."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, Word, server_hops
from lg_stream_lint.deploy.commands.carrier import shifted
from lg_stream_lint.deploy.commands.images import has_dash
from lg_stream_lint.deploy.commands.words import simple_commands
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Reading, Target
from lg_stream_lint.deploy.workers import Family, family_of

WORKER = "uvicorn.workers.UvicornWorker"


def carrier(folder: Path, env: Mapping[str, str] | None = None, **more: Any) -> Carrier:
    file = DeployFile(str(folder / "file"), b"x")
    variables = {name: Variable(value, file.row(1)) for name, value in (env or {}).items()}
    return Carrier(Context(str(folder)), file.row(1), env=variables, bases=(str(folder),), **more)


def run(command: str, folder: Path, env: Mapping[str, str] | None = None, **more: Any) -> Reading:
    return server_hops(command, carrier(folder, env, **more))


def hop(command: str, folder: Path, env: Mapping[str, str] | None = None, **more: Any) -> Hop:
    (found,) = run(command, folder, env, **more).hops
    return found


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ("gunicorn -t 9 app:app", 9),
        ("gunicorn -t9 app:app", 9),
        ("gunicorn -t=9 app:app", 9),
        ("gunicorn --timeout=9 app:app", 9),
        ("gunicorn --time 9 app:app", 9),
        ("gunicorn --timeout 5 app:app --timeout 9", 9),
        ("gunicorn app:app -t \\\n 9", 9),
        ("gunicorn --timeout ${T:-9} app:app", 9),
        ("gunicorn app:app", 30),
        ("gunicorn --timeout 0 app:app", None),
        ("gunicorn --timeout $T app:app", "unknown"),
        ("gunicorn --timeout 1.5s app:app", "unknown"),
        ("gunicorn $OPTIONS app:app", "unknown"),
        ('gunicorn "$@"', "unknown"),
    ],
)
def test_gunicorn_reads_its_command_line_as_argparse_does(command: str, seconds: object, tmp_path: Path) -> None:
    assert hop(command, tmp_path).value("timeout", "unknown") == seconds


@pytest.mark.parametrize(
    ("wrapped", "app"),
    [
        ("exec uvicorn app.main:app", "app.main:app"),
        ("PORT=1 A='b c' uvicorn app.main:app", "app.main:app"),
        ("env -i A=1 uvicorn app.main:app", "app.main:app"),
        ("/opt/venv/bin/uvicorn app.main:app", "app.main:app"),
        ("python -m uvicorn app.main:app", "app.main:app"),
        ("python3.12 -u -X dev -m uvicorn app.main:app", "app.main:app"),
        ("uv run uvicorn app.main:app", "app.main:app"),
        ("uv run --with x --no-dev -- uvicorn app.main:app", "app.main:app"),
        ("uv run -m uvicorn app.main:app", "app.main:app"),
        ("poetry run uvicorn app.main:app", "app.main:app"),
        ("pipenv run uvicorn app.main:app", "app.main:app"),
        ("conda run -n chat --no-capture-output uvicorn app.main:app", "app.main:app"),
        ("tini -g -- uvicorn app.main:app", "app.main:app"),
        ("dumb-init uvicorn app.main:app", "app.main:app"),
        ("sudo -u www uvicorn app.main:app", "app.main:app"),
        ("gosu www uvicorn app.main:app", "app.main:app"),
        ("timeout -k 5 60 uvicorn app.main:app", "app.main:app"),
        ("wait-for-it.sh db:5432 -t 30 -- uvicorn app.main:app", "app.main:app"),
        ("opentelemetry-instrument --traces_exporter otlp uvicorn app.main:app", "app.main:app"),
        ("sh -c 'alembic upgrade head && uvicorn app.main:app'", "app.main:app"),
        ('bash -lc "exec uvicorn app.main:app"', "app.main:app"),
        ("set -e; mkdir x && uvicorn app.main:app | tee log", "app.main:app"),
        ("if [ $A = 1 ]; then\n uvicorn app.main:app\nfi", "app.main:app"),
        ("( cd x && uvicorn app.main:app ) &", "app.main:app"),
        ("hypercorn -w 2 app.main:app", "app.main:app"),
        ("granian --interface asgi app.main:app", "app.main:app"),
        ("daphne -p 80 app.main:app", "app.main:app"),
        ("gunicorn 'app.main:create()'", "app.main:create()"),
        ("UVICORN_APP=app.main:app uvicorn", "app.main:app"),
    ],
)
def test_wrappers_are_seen_through(wrapped: str, app: str, tmp_path: Path) -> None:
    assert [target.value for target in hop(wrapped, tmp_path).leads_to] == [app]


@pytest.mark.parametrize(
    "command",
    [
        "echo uvicorn app:app",
        "# uvicorn app:app",
        "pip install uvicorn",
        "npm start",
        "",
        "cat <<X\nuvicorn a:b\nX",
        "which uvicorn",
    ],
)
def test_what_starts_no_server_gives_no_hop(command: str, tmp_path: Path) -> None:
    assert run(command, tmp_path) == Reading()


def test_precedence_of_gunicorn(tmp_path: Path) -> None:
    write(tmp_path, gunicorn__conf__py="timeout = 1\ngraceful_timeout = 2\nkeepalive = 3\nworkers = 4\n")
    env = {"GUNICORN_CMD_ARGS": "--timeout 10 --graceful-timeout 20", "WEB_CONCURRENCY": "7"}
    found = hop(f"gunicorn -k {WORKER} --timeout 100 app:app", tmp_path, env)
    assert [found.value(name) for name in ("timeout", "graceful_timeout", "keep_alive", "workers")] == [100, 20, 3, 4]
    overruled = sorted((s.name, s.value) for s in found.settings if s.overruled)
    assert overruled == [("graceful_timeout", 2), ("timeout", 1), ("timeout", 10)]
    assert Target("file", str(tmp_path / "gunicorn.conf.py")) in found.known_as


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn --graceful-timeout 100 app:app --graceful-timeout=350",
        "uvicorn --timeout-graceful-shutdown 100 app:app --timeout-graceful-shutdown 350",
    ],
)
def test_an_option_given_twice(command: str, tmp_path: Path) -> None:
    found = [s for s in hop(command, tmp_path).settings if s.name == "graceful_timeout"]
    assert [(s.value, s.overruled) for s in found] == [(350, False), (100, True)]


def test_a_named_configuration_replaces_the_automatic_one(tmp_path: Path) -> None:
    write(tmp_path, gunicorn__conf__py="timeout = 1\n", other__py="keepalive = 3\n")
    found = hop(f"gunicorn -k {WORKER} -c other.py app:app", tmp_path)
    assert (found.value("timeout"), found.value("keep_alive")) == (30, 3)
    found = hop(f"gunicorn -k {WORKER} -c python:other app:app", tmp_path)
    assert found.value("keep_alive") == 3


def test_a_configuration_that_is_not_here_leaves_everything_open(tmp_path: Path) -> None:
    reading = run("gunicorn -c /etc/chat/gunicorn.py app:app", tmp_path)
    assert reading.hops[0].settings == ()
    assert [note.reason for note in reading.notes] == ["/etc/chat/gunicorn.py is not in this repository"]


@pytest.mark.parametrize(
    ("command", "worker"),
    [
        ("gunicorn app:app", "sync"),
        ("gunicorn --threads 4 app:app", "gthread"),
        ("gunicorn -k sync --threads 4 app:app", "gthread"),
        (f"gunicorn -k {WORKER} --threads 4 app:app", WORKER),
        ("gunicorn --threads $T app:app", None),
        ("gunicorn -k $K app:app", None),
    ],
)
def test_the_worker_class_that_holds(command: str, worker: str | None, tmp_path: Path) -> None:
    assert hop(command, tmp_path).value("worker_class") == worker


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("uvicorn.workers.UvicornH11Worker", Family.UVICORN),
        ("uvicorn_worker.UvicornWorker", Family.UVICORN),
        ("app.workers.MyUvicornWorker", Family.UVICORN),
        ("gevent", Family.GREEN),
        ("gthread", Family.THREADS),
        ("asgi", Family.ASGI),
        ("app.workers.Own", Family.UNKNOWN),
    ],
)
def test_families_of_workers(text: str, family: str) -> None:
    assert family_of(text) == family


@pytest.mark.parametrize(
    ("command", "known"),
    [
        ("uvicorn a:b", [Target("port", "8000")]),
        ("uvicorn a:b --port 80", [Target("port", "80")]),
        ("uvicorn a:b --port $PORT", []),
        ("gunicorn -b 0.0.0.0:9000 a:b", [Target("port", "9000")]),
        ("gunicorn -b :${PORT:-7000} a:b", [Target("port", "7000")]),
        ("gunicorn --bind unix:/run/chat.sock a:b", [Target("address", "unix:/run/chat.sock")]),
        ("langgraph dev", [Target("port", "2024")]),
    ],
)
def test_ports(command: str, known: list[Target], tmp_path: Path) -> None:
    assert list(hop(command, tmp_path).known_as) == known


def test_uvicorn_reads_its_environment(tmp_path: Path) -> None:
    env = {"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": "7", "WEB_CONCURRENCY": "3", "UVICORN_TIMEOUT_KEEPALIVE": "9"}
    found = hop("uvicorn a:b", tmp_path, env)
    assert (found.value("graceful_timeout"), found.value("workers")) == (7, 3)
    unknown = found.get("unknown")
    assert unknown is not None
    assert (unknown.key, unknown.value) == ("UVICORN_TIMEOUT_KEEPALIVE", "UVICORN_TIMEOUT_KEEP_ALIVE")


def test_places_are_those_in_the_text(tmp_path: Path) -> None:
    text = 'RUN="x"\nexec gunicorn \\\n  --timeout 5 app:app'
    file = DeployFile(str(tmp_path / "start.sh"), text.encode())
    found = server_hops(text, Carrier(Context(str(tmp_path)), file.row(1), at=shifted(file, 0))).hops[0]
    timeout = found.get("timeout")
    assert timeout is not None
    assert timeout.where.span == (3, 3, 3, 14)
    assert found.where.span == (2, 6, 3, 22)


def test_places_inside_one_word(tmp_path: Path) -> None:
    file = DeployFile(str(tmp_path / "Dockerfile"), b'CMD ["sh", "-c", "uvicorn a:b --port 80"]')
    words = [Word("sh", file.at(5, 9)), Word("-c", file.at(11, 15)), Word("uvicorn a:b --port 80", file.at(17, 40))]
    found = server_hops(words, Carrier(Context(str(tmp_path)), file.row(1), image="python:3.12"))
    port, shell = found.hops[0].get("port"), found.hops[0].get("shell")
    assert port is not None
    assert port.where.span == (1, 31, 1, 40)
    assert shell is not None
    assert shell.where.span == (1, 19, 1, 40)


def test_development_only_where_production_runs_it(tmp_path: Path) -> None:
    assert hop("uvicorn a:b --reload", tmp_path, stands=Stands.IMAGE).value("development") is True
    assert hop("fastapi dev", tmp_path, stands=Stands.UNIT).value("development") is True
    assert hop("langgraph dev", tmp_path, stands=Stands.MANIFEST).value("development") is True
    assert hop("uvicorn a:b --reload", tmp_path, stands=Stands.COMPOSE).get("development") is None
    where = DeployFile(str(tmp_path / "docker" / "Dockerfile.dev"), b"x").row(1)
    assert (
        server_hops("uvicorn a:b --reload", carrier(tmp_path, stands=Stands.IMAGE)._replace(where=where))
        .hops[0]
        .get("development")
        is None
    )


def test_scripts_and_their_arguments(tmp_path: Path) -> None:
    write(tmp_path, entry__sh='#!/bin/sh\nset -e\nexec "$@"\n', start__sh="exec gunicorn -t 5 app:app\n")
    assert hop("./entry.sh uvicorn a:b", tmp_path).leads_to[0].value == "a:b"
    found = hop("bash /srv/start.sh", tmp_path)
    assert found.value("timeout") == 5
    assert found.where.path == str(tmp_path / "start.sh")
    assert hop("./not-here.sh uvicorn a:b", tmp_path).leads_to[0].value == "a:b"


def test_a_development_server_on_a_desk_has_no_limits(tmp_path: Path) -> None:
    command = "uvicorn a:b --reload --timeout-graceful-shutdown 1 --port 80"
    assert [s.name for s in hop(command, tmp_path).settings] == ["port"]
    assert hop(command, tmp_path, stands=Stands.IMAGE).value("graceful_timeout") == 1


def test_console_scripts_of_the_project(tmp_path: Path) -> None:
    write(
        tmp_path,
        pyproject__toml='[project]\nname = "x"\n\n[project.scripts]\nchat-api = "server:main"\n\n[tool.x]\nother = "no:no"\n',
        server__py="import uvicorn\ndef main():\n    uvicorn.run('a:b', timeout_graceful_shutdown=3)\n",
    )
    assert hop("uv run chat-api", tmp_path).value("graceful_timeout") == 3
    assert run("uv run other", tmp_path).hops == ()


def test_what_fastapis_command_finds(tmp_path: Path) -> None:
    write(tmp_path, api__py="")
    assert hop("fastapi run", tmp_path).leads_to[0].value == "api.py:app"
    assert hop("fastapi dev ./api.py --app web", tmp_path).leads_to[0].value == "api.py:web"
    write(tmp_path, pyproject__toml='[tool.fastapi]\nentrypoint = "chat.web:api"\n')
    assert hop("fastapi run", tmp_path).leads_to[0].value == "chat.web:api"
    assert hop("fastapi run -e a.b:c", tmp_path).leads_to[0].value == "a.b:c"
    assert run("fastapi --version", tmp_path).hops == ()


@pytest.mark.parametrize(
    ("image", "dash"),
    [
        ("python:3.12-slim", True),
        ("docker.io/library/python@sha256:0", True),
        ("tiangolo/uvicorn-gunicorn-fastapi:python3.11", True),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", True),
        ("ghcr.io/astral-sh/uv:python3.12-trixie-slim", True),
        ("python:3.12-alpine", False),
        ("public.ecr.aws/lambda/python:3.12", False),
        ("cgr.dev/chainguard/python:latest", False),
        ("ghcr.io/astral-sh/uv:latest", False),
        ("company/service:1", False),
        ("", False),
    ],
)
def test_images_with_dash(image: str, dash: bool) -> None:
    assert has_dash(image) is dash


def test_commands_side_by_side(tmp_path: Path) -> None:
    found = hop('npx concurrently -k "next dev" "cd api && uvicorn a:b --port 9000"', tmp_path)
    assert found.value("port") == "9000"


def test_scripts_that_call_each_other_end(tmp_path: Path) -> None:
    write(tmp_path, a__sh="./b.sh\nuvicorn a:b\n", b__sh="./a.sh\n./b.sh\n")
    assert len(run("./a.sh", tmp_path).hops) == 1
    write(tmp_path, main__py="import subprocess\nsubprocess.run(['python', 'main.py'])\n")
    assert run("python main.py", tmp_path).hops == ()


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "backend" / "app").mkdir(parents=True)
    (tmp_path / "backend" / "app" / "main.py").write_text("")
    for command in ("cd backend && uvicorn app.main:app", "uv run --directory backend uvicorn app.main:app",
                    "uvicorn --app-dir backend app.main:app", "gunicorn --chdir /srv/backend app.main:app"):  # fmt: skip
        assert hop(command, tmp_path).leads_to == (Target("app", "app.main:app", str(tmp_path / "backend")),)


@pytest.mark.parametrize(
    "text",
    ["'", '"', "$(", "`", "${", "<<X", "\\", "a=$(b", "case x in", ")))(((", "sh -c", "env", "exec", "-m", "\x00\xff"],
)
def test_broken_text_is_survived(text: str, tmp_path: Path) -> None:
    for command in (text, f"uvicorn {text} a:b", f"{text} uvicorn a:b", text * 50):
        run(command, tmp_path)


def test_large_text_takes_bounded_time(tmp_path: Path) -> None:
    began = time.monotonic()
    for text in (
        "$(" * 90_000,
        "A=$A$A;" * 20_000,
        "sh -c " * 30_000,
        "'\"" * 90_000,
        "<<A " * 40_000,
        "exec " * 40_000,
        "(" * 190_000,
    ):
        run(text, tmp_path)
    nested = "uvicorn a:b"
    for _ in range(12):
        nested = "sh -c " + "'" + nested.replace("'", "'\\''") + "'" if len(nested) < 50_000 else nested
    run(nested, tmp_path)
    assert time.monotonic() - began < 10


def test_variables_hold_from_their_assignment_on(tmp_path: Path) -> None:
    text = 'W=${W:-2}\nexport O="-w $W --timeout 8"\ngunicorn $O app:app\nW=3 gunicorn -w $W app:app'
    first, second = run(text, tmp_path).hops
    workers = first.get("workers")
    assert workers is not None
    assert (workers.value, workers.overridable, first.value("timeout")) == (2, True, 8)
    assert second.value("workers") == 2  # a shell replaces $W before the assignment


def test_pipelines_are_known(tmp_path: Path) -> None:
    found = simple_commands("a | b\nc || d && e |& f; g", carrier(tmp_path))
    assert [(simple.words[0].text, simple.piped) for simple in found] == [
        ("a", True), ("b", True), ("c", False), ("d", False), ("e", True), ("f", True), ("g", False)]  # fmt: skip
