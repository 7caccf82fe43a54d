"""Platforms' own files: what they start, how long they may take to stop, what stands in front."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Kind, Origin, Reading, Role
from lg_stream_lint.deploy.toml_marks import toml_root
from lg_stream_lint.finding import Span
from tests.deploy.repositories import by_name, hosts, linked, proxies, reading, values

RENDER = """
services:
  - type: web
    name: api
    runtime: python
    rootDir: backend
    startCommand: gunicorn -k uvicorn.workers.UvicornWorker app.main:app
    maxShutdownDelaySeconds: 120
    numInstances: 2
    envVars:
      - key: WEB_CONCURRENCY
        value: 4
  - type: web
    name: site
    runtime: static
  - type: web
    name: image
    runtime: docker
    dockerfilePath: ./deploy/Dockerfile
"""


def test_render_services_run_commands_and_images(tmp_path: Path) -> None:
    found = reading(
        "platforms", tmp_path, {"render.yaml": RENDER, "deploy/Dockerfile": "FROM python:3.12\nCMD uvicorn a:b\n"}
    )
    assert set(hosts(found)) == {"api", "image"}
    assert values(hosts(found)["api"]) == {"stop_grace": 120.0, "replicas": 2.0}
    (server,) = by_name(found, Role.SERVER).values()
    assert values(server)["workers"] == 4.0
    assert server.leads_to[0].base == str(tmp_path / "backend")
    assert ("api", server.name) in linked(found)
    image = hosts(found)["image"]
    assert str(tmp_path / "deploy" / "Dockerfile") in [target.value for target in image.leads_to]
    assert [(s.value, s.origin, s.kind) for s in image.settings] == [(30, Origin.DEFAULT, Kind.GRACE)]


def test_render_commands_have_exact_places(tmp_path: Path) -> None:
    found = reading("platforms", tmp_path, {"render.yaml": RENDER})
    (server,) = by_name(found, Role.SERVER).values()
    assert server.get("worker_class").where.span == Span(6, 28, 6, 60)
    assert hosts(found)["api"].get("stop_grace").where.span == Span(7, 30, 7, 33)


def test_a_docker_command_stands_for_the_image_of_its_own(tmp_path: Path) -> None:
    text = """
    services:
      - type: web
        name: api
        runtime: docker
        dockerCommand: uvicorn app.main:app --port 10000
    """
    found = reading("platforms", tmp_path, {"render.yaml": text, "Dockerfile": "FROM python:3.12\nCMD gunicorn x:y\n"})
    (server,) = by_name(found, Role.SERVER).values()
    assert server.layer == "uvicorn"
    assert not any(target.kind == "file" for target in hosts(found)["api"].leads_to)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("railway.json", '{"deploy": {"startCommand": "uvicorn main:app", "drainingSeconds": 30}}'),
        ("railway.toml", '[deploy]\nstartCommand = "uvicorn main:app"\ndrainingSeconds = 30\n'),
    ],
)
def test_railway_drains_and_limits(name: str, text: str, tmp_path: Path) -> None:
    found = reading("platforms", tmp_path, {name: text})
    (host,) = hosts(found).values()
    (proxy,) = proxies(found).values()
    assert values(host) == {"stop_grace": 30.0}
    assert values(proxy) == {"total_timeout": 900, "read_timeout": 300}
    assert ("railway", "uvicorn main:app") in linked(found)


def test_railway_does_not_drain_by_itself(tmp_path: Path) -> None:
    found = reading("platforms", tmp_path, {"railway.json": '{"build": {"builder": "DOCKERFILE"}}'})
    (host,) = hosts(found).values()
    assert values(host) == {"stop_grace": 0}
    assert [target.value for target in host.leads_to if target.kind == "file"] == [str(tmp_path / "Dockerfile")]


FLY = """
app = "chat"
kill_timeout = "2m"

[env]
  UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN = "100"

[processes]
  app = "uvicorn main:app --port 8080"
  worker = "celery -A tasks worker"

[http_service]
  internal_port = 8080
  processes = ["app"]
  [http_service.http_options]
    idle_timeout = 600
"""


def test_fly_has_processes_and_a_proxy_in_front_of_one(tmp_path: Path) -> None:
    found = reading("platforms", tmp_path, {"fly.toml": FLY})
    assert {name: values(hop) for name, hop in hosts(found).items()} == {
        "app": {"stop_grace": 120.0},
        "worker": {"stop_grace": 120.0},
    }
    assert {name: values(hop) for name, hop in proxies(found).items()} == {"app": {"read_timeout": 600.0}}
    (server,) = by_name(found, Role.SERVER).values()
    assert values(server)["graceful_timeout"] == 100.0
    assert proxies(found)["app"].get("read_timeout").where.span == Span(15, 20, 15, 23)


def test_fly_by_default_kills_after_five_seconds_and_says_nothing_of_silence(tmp_path: Path) -> None:
    files = {"fly.toml": 'app = "chat"\n[http_service]\n  internal_port = 8000\n', "Dockerfile": "FROM python\n"}
    found = reading("platforms", tmp_path, files)
    assert values(hosts(found)["app"]) == {"stop_grace": 5}
    assert values(proxies(found)["app"]) == {}
    assert str(tmp_path / "Dockerfile") in [target.value for target in proxies(found)["app"].leads_to]


def test_app_engine_has_an_entrypoint_and_no_verdict(tmp_path: Path) -> None:
    text = "runtime: python312\nentrypoint: gunicorn -k uvicorn.workers.UvicornWorker main:app\n"
    found = reading("platforms", tmp_path, {"app.yaml": text})
    (host,) = hosts(found).values()
    assert (host.layer, host.settings) == ("app-engine", ())
    assert [hop.layer for hop in found.hops if hop.role == Role.SERVER] == ["gunicorn"]


def test_other_files_of_that_name(tmp_path: Path) -> None:
    text = "services:\n  - name: api\n    source_dir: backend\n    run_command: uvicorn main:app\n"
    found = reading("platforms", tmp_path, {".do/app.yaml": text})
    (server,) = by_name(found, Role.SERVER).values()
    assert server.leads_to[0].base == str(tmp_path / "backend")
    found = reading("platforms", tmp_path / "b", {"app.yaml": 'command: ["uvicorn", "main:app"]\nenv: []\n'})
    assert [hop.layer for hop in found.hops] == ["uvicorn", "databricks"]
    assert reading("platforms", tmp_path / "c", {"app.yaml": "title: something else\n"}).hops == ()


def test_vercel_functions_in_python_only(tmp_path: Path) -> None:
    text = '{\n"functions": {\n"api/chat.py": {"maxDuration": 60},\n"app/**/*.ts": {"maxDuration": 10}\n}}'
    found = reading("platforms", tmp_path, {"vercel.json": text, "api/chat.py": "app = None\n"})
    (hop,) = found.hops
    assert (hop.role, hop.layer, values(hop)) == (Role.SERVER, "vercel", {"total_timeout": 60.0})
    assert hop.leads_to[0].value == "api/chat.py:app"
    assert hop.get("total_timeout").where.span == Span(3, 32, 3, 34)


def test_vercel_builds_have_the_platforms_limit(tmp_path: Path) -> None:
    text = '{"builds": [{"src": "api/index.py", "use": "@vercel/python"}]}'
    found = reading("platforms", tmp_path, {"vercel.json": text, "api/index.py": "app = None\n"})
    assert [(s.value, s.origin) for hop in found.hops for s in hop.settings] == [(300, Origin.DEFAULT)]


def test_langgraph_names_an_application(tmp_path: Path) -> None:
    text = '{"graphs": {"agent": "./a.py:graph"}, "http": {"app": "./src/web.py:app"}, "env": {"BG_JOB_TIMEOUT_SECS": "60"}}'
    (hop,) = reading("platforms", tmp_path, {"langgraph.json": text}).hops
    assert (hop.role, hop.leads_to[0].value) == (Role.SERVER, "src/web.py:app")
    assert values(hop) == {"total_timeout": 60.0, "graceful_timeout": 180}
    (hop,) = reading("platforms", tmp_path, {"langgraph.json": '{"graphs": {"agent": "./a.py:graph"}}'}).hops
    assert (hop.role, hop.leads_to) == (Role.HOST, ())


def test_heroku_says_so_itself(tmp_path: Path) -> None:
    files = {"heroku.yml": "build:\n  docker:\n    web: Dockerfile\nrun:\n  web: uvicorn main:app --port $PORT\n"}
    found = reading("platforms", tmp_path, files)
    (proxy,) = proxies(found).values()
    assert values(proxy) == {"first_byte_timeout": 30, "read_timeout": 55}
    assert [hop.layer for hop in found.hops if hop.role == Role.SERVER] == ["uvicorn"]


def test_an_app_json_is_herokus_only_by_its_keys(tmp_path: Path) -> None:
    files = {"app.json": '{"buildpacks": [{"url": "heroku/python"}]}', "Procfile": "web: uvicorn main:app\n"}
    found = reading("platforms", tmp_path, files)
    assert str(tmp_path / "Procfile") in [target.value for target in next(iter(proxies(found).values())).leads_to]
    assert reading("platforms", tmp_path, {"app.json": '{"expo": {"name": "formation"}}'}).hops == ()


def test_nixpacks_is_only_a_command(tmp_path: Path) -> None:
    found = reading("platforms", tmp_path, {"nixpacks.toml": '[start]\ncmd = "uvicorn main:app"\n'})
    assert [(hop.role, hop.layer) for hop in found.hops] == [(Role.SERVER, "uvicorn")]


# TOML


def read_toml(text: str | bytes) -> DeployFile:
    return DeployFile("/project/file.toml", text if isinstance(text, bytes) else text.encode())


def test_toml_is_read_with_places() -> None:
    root = toml_root(
        read_toml(
            'a = 1_000 # c\n"b c".d = \'x\'\n[t.u]\nv = [1, "two", {w = 3}]\n[[l]]\nm = """\nn\n"""\n[[l]]\nm = 2\n'
        )
    )
    assert root.number("a") == 1000
    assert root.string("b c", "d") == "x"
    assert root.number("t", "u", "v", 2, "w") == 3
    assert root.get("t", "u", "v", 1).where.span == Span(4, 9, 4, 14)
    assert [each.string("m") for each in root.get("l").elements()] == ["n\n", "2"]


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_toml_with_any_line_ends(ends: str) -> None:
    root = toml_root(read_toml(ends.join(("[a]", "b = 1 # x", "c = [1,", " 2]", ""))))
    assert root.get("a", "c", 1).where.span == Span(4, 2, 4, 3)
    assert root.number("a", "b") == 1


def test_lines_that_are_no_toml_are_passed_over() -> None:
    root = toml_root(read_toml("[a]\nb = \n= c\n[d\ne = 'x\nf = 2\n[g]\nh = 3\n"))
    assert root.number("a", "f") == 2
    assert root.number("g", "h") == 3


@pytest.mark.parametrize(
    "text",
    [
        b"a = " + b"[" * 50_000,
        b"[[a]]\n" * 20_000,
        b'a = """' * 10_000,
        b"a." * 50_000,
        b"\xff\xfe = 1\n",
        b"{=" * 9_000,
    ],
)
def test_hostile_toml_ends_soon(text: bytes) -> None:
    toml_root(read_toml(text))


@pytest.mark.parametrize(
    "name", ["render.yaml", "railway.json", "fly.toml", "app.yaml", "vercel.json", "langgraph.json", "heroku.yml"]
)
@pytest.mark.parametrize(
    "text", ["[]", "1", "services: 3\nfunctions: [1]\nrun: []\ndeploy: x\ngraphs: 1\n", "{{ .x }}: [", ""]
)
def test_files_that_hold_something_else(name: str, text: str, tmp_path: Path) -> None:
    found = reading("platforms", tmp_path, {name: text})
    assert isinstance(found, Reading)
