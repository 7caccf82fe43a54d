"""The reader of compose files: services, what they start, how files go together, Traefik's labels."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Kind, Origin, Reading, Role, Target
from lg_stream_lint.finding import Span
from tests.deploy.repositories import hosts, linked, proxies, reading, values


def read(folder: Path, text: str, name: str = "compose.yaml", **more: str) -> Reading:
    """What a compose file says, beside others."""
    others = {path.replace("__", "/").replace("_dot_", "."): content for path, content in more.items()}
    return reading("compose", folder, {name: text, **others}, name)


def servers(found: Reading) -> list[str]:
    """The servers with their applications."""
    return [f"{h.layer} {h.leads_to[0].value}" for h in found.hops if h.role == Role.SERVER]


def test_the_default_stands_at_the_service(tmp_path: Path) -> None:
    hop = hosts(read(tmp_path, "services:\n  api:\n    image: team/api:1\n"))["api"]
    grace = hop.get("stop_grace")
    assert (grace.value, grace.kind, grace.origin) == (10, Kind.GRACE, Origin.DEFAULT)
    assert grace.where.span == Span(2, 3, 2, 6)
    assert Target("image", "api") in hop.leads_to
    assert Target("host", "api") in hop.known_as


@pytest.mark.parametrize(
    ("text", "seconds", "overridable"),
    [("1m30s", 90, False), ("'45s'", 45, False), ("${G:-2m}", 120, True), ("0.5h", 1800, False)],
)
def test_durations(tmp_path: Path, text: str, seconds: float, overridable: bool) -> None:
    found = read(tmp_path, f"services:\n  api:\n    image: a\n    stop_grace_period: {text}\n")
    grace = hosts(found)["api"].get("stop_grace")
    assert (grace.value, grace.explicit, grace.overridable) == (seconds, True, overridable)
    assert grace.where.span == Span(4, 24, 4, 24 + len(text))


def test_what_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, "services:\n  api:\n    image: a\n    stop_grace_period: ${GRACE}\n")
    assert hosts(found)["api"].get("stop_grace") is None
    assert [note.where.span.row for note in found.notes] == [4]


def test_a_command_as_text_keeps_its_places(tmp_path: Path) -> None:
    text = """
    services:
      api:
        image: python:3.12
        command: >
          gunicorn -k uvicorn.workers.UvicornWorker
          --graceful-timeout 50 main:app
    """
    found = read(tmp_path, text)
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    grace = server.get("graceful_timeout")
    assert grace.value == 50
    assert grace.where.span == Span(6, 7, 6, 28)
    assert ("api", server.name) in linked(found)


def test_a_list_in_one_line_and_over_lines(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        services:
          one:
            image: a
            command: ["uvicorn", "one:app", "--timeout-graceful-shutdown", "${G:-9}"]
          two:
            image: a
            entrypoint: [uvicorn]
            command:
              - two:app
              - --port
              - "9000"
        """,
    )
    assert servers(found) == ["uvicorn one:app", "uvicorn two:app"]
    first, second = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert (first.value("graceful_timeout"), first.get("graceful_timeout").overridable) == (9, True)
    assert Target("port", "9000") in second.known_as


DOCKERFILE = """
FROM python:3.12-slim AS base
ENV PORT=8000
WORKDIR /srv
ENTRYPOINT ["uvicorn"]
CMD ["main:app"]

FROM base AS dev
CMD ["main:app", "--timeout-graceful-shutdown", "7"]

FROM base
"""


def test_the_image_runs_where_nothing_else_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, "services:\n  api:\n    build: ./api\n", api__Dockerfile=DOCKERFILE)
    assert servers(found) == []
    assert Target("file", str(tmp_path / "api" / "Dockerfile")) in hosts(found)["api"].leads_to


def test_arguments_for_the_images_entrypoint(tmp_path: Path) -> None:
    found = read(
        tmp_path, "services:\n  api:\n    build: api\n    command: other:app --workers 2\n", api__Dockerfile=DOCKERFILE
    )
    assert servers(found) == ["uvicorn other:app"]
    assert Target("file", str(tmp_path / "api" / "Dockerfile")) not in hosts(found)["api"].leads_to


def test_another_command_is_no_server(tmp_path: Path) -> None:
    text = "services:\n  worker:\n    build: api\n    entrypoint: celery\n    command: -A tasks worker\n"
    found = read(tmp_path, text, api__Dockerfile=DOCKERFILE)
    assert servers(found) == []
    assert {target.kind for target in hosts(found)["worker"].leads_to} == {"unit"}


def test_a_stage_is_a_command_of_its_own(tmp_path: Path) -> None:
    text = "services:\n  api:\n    build:\n      context: api\n      target: dev\n"
    found = read(tmp_path, text, api__Dockerfile=DOCKERFILE)
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert server.value("graceful_timeout") == 7


def test_variables_reach_the_images_command(tmp_path: Path) -> None:
    image = 'FROM python:3.12\nCMD ["gunicorn", "main:app"]\n'
    text = """
    services:
      api:
        build: .
        env_file: [settings.env]
        environment:
          - WEB_CONCURRENCY=${N:-3}
    """
    found = read(tmp_path, text, Dockerfile=image, settings_dot_env="GUNICORN_CMD_ARGS='--timeout 77'  # seconds\n")
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert (server.value("workers"), server.get("workers").overridable) == (3, True)
    assert server.value("timeout") == 77


def test_anchors_merge_keys_and_extends(tmp_path: Path) -> None:
    text = """
    x-base: &base
      stop_grace_period: 1m
    services:
      a:
        <<: *base
        image: a
      b:
        extends: {file: common.yaml, service: shared}
        image: b
      c:
        extends: a
    """
    found = hosts(read(tmp_path, text, common_dot_yaml="services:\n  shared:\n    stop_grace_period: 3m\n"))
    assert [found[name].value("stop_grace") for name in "abc"] == [60, 180, 60]
    assert Target("image", "a") in found["c"].leads_to


def test_circles_of_extends_end(tmp_path: Path) -> None:
    text = "services:\n  a:\n    extends: b\n  b:\n    extends: {file: compose.yaml, service: a}\n"
    assert set(hosts(read(tmp_path, text))) == {"a", "b"}


def test_an_override_stands_on_its_base(tmp_path: Path) -> None:
    base = "services:\n  api:\n    image: team/api\n    command: uvicorn main:app\n"
    over = "services:\n  api:\n    stop_grace_period: 2m\n    deploy: {replicas: 3}\n"
    files = {"compose.prod.yaml": over, "compose.yaml": base}
    prod = reading("compose", tmp_path, files)
    assert values(hosts(prod)["api"]) == {"stop_grace": 120, "replicas": 3}
    assert servers(prod) == ["uvicorn main:app"]
    plain = reading("compose", tmp_path, files, "compose.yaml")
    assert "stop_grace" not in values(hosts(plain)["api"])  # the other file may be used with it


def test_the_override_stands_on_its_base_whatever_is_in_it(tmp_path: Path) -> None:
    base = "services:\n  api:\n    build: .\n    command: uvicorn main:app\n    stop_grace_period: 2m\n"
    files = {"compose.override.yaml": "services:\n  api:\n    image: team/api:dev\n", "compose.yaml": base}
    found = reading("compose", tmp_path, files)
    assert values(hosts(found)["api"]) == {"stop_grace": 120}
    assert servers(found) == ["uvicorn main:app"]


def test_what_is_extended_and_not_found_leaves_nothing_certain(tmp_path: Path) -> None:
    for extends in ("{file: ../infra/common.yaml, service: web}", "{service: web}"):
        found = read(tmp_path, f"services:\n  api:\n    image: a\n    extends: {extends}\n")
        assert values(hosts(found)["api"]) == {}
        assert [note.reason for note in found.notes] == ["the service web that is extended is not in the repository"]


INCLUDED = (
    "services:\n  api:\n    image: team/api\n    command: uvicorn main:app --timeout-graceful-shutdown ${GRACE}\n"
)


def test_included_files_are_read_with_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "compose.yaml": "include:\n  - services/api.yaml\n  - compose.db.yaml\nservices:\n  web:\n    image: nginx\n",
        "services/api.yaml": INCLUDED,
        "services/.env": "GRACE=50\n",
        "compose.db.yaml": "services:\n  db:\n    image: postgres\n",
    }
    found = reading("compose", tmp_path, files)
    assert set(hosts(found)) == {"web", "api"}  # what bears compose's name is read by itself
    assert hosts(found)["api"].where.path == str(tmp_path / "services/api.yaml")
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert server.value("graceful_timeout") == 50
    assert found.notes == ()


def test_the_long_form_of_include(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "compose.yaml": "include:\n  - path: [services/api.yaml, own.yaml]\n    env_file: settings.env\n",
        "services/api.yaml": INCLUDED,
        "own.yaml": "services:\n  api:\n    stop_grace_period: 2m\n",
        "settings.env": "GRACE=70\n",
    }
    found = reading("compose", tmp_path, files)
    grace = hosts(found)["api"].get("stop_grace")
    assert (grace.value, grace.where.path) == (120, str(tmp_path / "own.yaml"))
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert server.value("graceful_timeout") == 70


@pytest.mark.parametrize(
    "entry",
    ["absent.yaml", "oci://example.com/chat", "{path: a.yaml, project_directory: ..}", "{path: a.yaml, env_file: b}"],
)
def test_what_is_not_included_is_a_note(tmp_path: Path, entry: str) -> None:
    found = read(tmp_path, f"include:\n  - {entry}\nservices:\n  web:\n    image: nginx\n", a_dot_yaml=INCLUDED)
    assert set(hosts(found)) == {"web"}
    assert [note.where.span.row for note in found.notes] == [2]


def test_circles_of_includes_end(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "include: [a.yaml]\n",
        a_dot_yaml=INCLUDED + "include: [a.yaml, b.yaml]\n",
        b_dot_yaml="include: [a.yaml]\n",
    )
    assert set(hosts(found)) == {"api"}


def test_names_ports_and_init(tmp_path: Path) -> None:
    text = """
    services:
      api:
        image: a
        container_name: chat-api
        init: true
        networks: {back: {aliases: [inner]}}
        ports: ["127.0.0.1:8080:8000", "9000", {target: 80, published: "81"}, "${P:-7000}:7000/tcp"]
    """
    hop = hosts(read(tmp_path, text))["api"]
    known = {(target.kind, target.value) for target in hop.known_as if target.kind != "unit"}
    assert known == {
        *(("host", name) for name in ("api", "chat-api", "inner")),
        *(("port", port) for port in ("8080", "81", "7000")),
    }
    assert hop.value("init") is True


def test_dotenv_gives_defaults(tmp_path: Path) -> None:
    text = "services:\n  api:\n    image: a\n    stop_grace_period: ${GRACE}\n"
    found = reading("compose", tmp_path, {"compose.yaml": text, ".env": "export GRACE=50s\n"})
    grace = hosts(found)["api"].get("stop_grace")
    assert (grace.value, grace.overridable) == (50, True)


def test_traefiks_labels(tmp_path: Path) -> None:
    text = """
    services:
      traefik:
        image: traefik:v3.1
        command:
          - --entryPoints.web.address=:80
          - --entryPoints.web.transport.respondingTimeouts.writeTimeout=90s
      api:
        image: a
        labels:
          - traefik.enable=true
          - traefik.http.routers.chat.rule=Host(`x.example`) && PathPrefix(`/chat`)
          - traefik.http.routers.chat.middlewares=zip@docker
          - traefik.http.middlewares.zip.compress=true
      other:
        image: a
        labels:
          traefik.http.routers.other.rule: Path(`/x`)
          traefik.http.routers.other.middlewares: spare
          traefik.http.middlewares.spare.compress.excludedcontenttypes: text/event-stream
      hidden:
        image: a
        labels: [traefik.enable=false, "traefik.http.routers.h.rule=Path(`/`)"]
    """
    found = read(tmp_path, text)
    chat, other = proxies(found)["router chat"], proxies(found)["router other"]
    assert values(chat) == {"compression": True, "compression_holds": 1024, "total_timeout": 90}
    assert [(route.how, route.path) for route in chat.routes] == [("prefix", "/chat")]
    assert values(other) == {"total_timeout": 90}
    assert ("router chat", "api") in linked(found)
    assert ("router chat", "other") not in linked(found)
    assert set(proxies(found)) == {"router chat", "router other"}


@pytest.mark.parametrize(
    "text",
    [
        "services: [a, b]\n",
        "services:\n  a: 1\n  b: null\n  c: []\n",
        "services:\n  a:\n    build: {context: '../../../../etc'}\n    env_file: ../../../etc/passwd\n    command: ''\n",
        "services:\n  a:\n    build: [1]\n    command: {x: 1}\n    ports: {a: 1}\n    environment: 7\n    labels: [1, {a: b}]\n",
        'services:\n  a:\n    command: "uvicorn \'main:app"\n    image: a\n',
        "services:\n" + "".join(f"  s{n}:\n    image: a\n    extends: s{n + 1}\n" for n in range(3000)),
        "services:\n  a: &a\n    <<: *a\n    image: x\n",
        b"services:\r\n  a:\r\n    image: \xff\xfe\r\n",
        "services:\n\ta:\n\t\timage: x\n",
    ],
)
def test_odd_files_give_no_errors(tmp_path: Path, text: str | bytes) -> None:
    started = time.process_time()
    reading("compose", tmp_path, {"compose.yaml": text})
    assert time.process_time() - started < 20
