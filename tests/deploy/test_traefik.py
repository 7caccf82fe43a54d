"""The reader of Traefik's files, and what its keys mean wherever they are written."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Route, Target, Where
from lg_stream_lint.deploy.traefik.keys import buffering, compression, routes_of_rule, traefik_duration
from lg_stream_lint.finding import Span
from tests.deploy.repositories import reading

HERE = Where("/x", Span(1, 1, 1, 2))
STATIC = "entryPoints:\n  web:\n    address: ':80'\n    transport:\n      respondingTimeouts: {writeTimeout: 120s}\n"
ROUTER = "http:\n  routers:\n    chat: {rule: 'PathPrefix(`/chat`)', service: api}\n"
SERVICE = "  services:\n    api: {loadBalancer: {servers: [{url: 'http://api:8000'}]}}\n"


def read(folder: Path, text: str | bytes, name: str = "dynamic.yml", **more: str | bytes) -> Reading:
    """What the reader finds in one file."""
    return reading("traefik", folder, {name: text, **more})


def only(folder: Path, text: str, name: str = "dynamic.yml", **more: str | bytes) -> Hop:
    """The only hop of a file."""
    (hop,) = read(folder, text, name, **more).hops
    return hop


def test_a_router(tmp_path: Path) -> None:
    hop = only(tmp_path, ROUTER + SERVICE)
    assert (hop.layer, hop.role, hop.name) == ("traefik", Role.PROXY, "router chat")
    assert hop.where.span == (3, 5, 3, 9)
    assert hop.leads_to == (Target("address", "api:8000"),)
    assert hop.routes == (Route("prefix", "/chat"),)
    assert [(s.name, s.value, s.origin) for s in hop.settings] == [
        ("first_byte_timeout", None, Origin.DEFAULT),
        ("total_timeout", None, Origin.DEFAULT),
        ("stop_timeout", 10, Origin.DEFAULT),
    ]


def test_entry_points_of_the_static_file_beside_it(tmp_path: Path) -> None:
    hop = only(tmp_path, ROUTER + SERVICE, **{"traefik.yml": STATIC})
    total = hop.get("total_timeout")
    assert total is not None
    assert (total.value, total.kind, total.key) == (120, Kind.TOTAL, "respondingTimeouts.writeTimeout")
    assert (total.where.path, total.where.span) == (str(tmp_path / "traefik.yml"), (5, 42, 5, 46))
    assert Target("port", "80") in hop.known_as


def test_entry_points_of_a_folder_above(tmp_path: Path) -> None:
    hop = only(tmp_path, ROUTER + SERVICE, "conf/dynamic.yml", **{"traefik.yml": STATIC})
    assert hop.value("total_timeout") == 120


def test_two_static_files_are_no_answer(tmp_path: Path) -> None:
    files = {"traefik.yml": STATIC, "traefik.dev.yml": STATIC.replace("120s", "5s")}
    assert only(tmp_path, ROUTER + SERVICE, **files).value("total_timeout") is None


def test_only_the_entry_points_of_the_router(tmp_path: Path) -> None:
    static = STATIC + "  other: {address: ':8443/tcp'}\n"
    router = ROUTER.replace("service: api", "service: api, entryPoints: [other]")
    hop = only(tmp_path, router + SERVICE, **{"traefik.yml": static})
    assert hop.value("total_timeout") is None
    assert [target.value for target in hop.known_as if target.kind == "port"] == ["8443"]


def test_one_file_with_both_halves(tmp_path: Path) -> None:
    assert only(tmp_path, STATIC + ROUTER + SERVICE, "traefik.yml").value("total_timeout") == 120


def test_read_timeouts_are_of_uploads(tmp_path: Path) -> None:
    static = STATIC.replace("writeTimeout: 120s", "readTimeout: 5s, idleTimeout: 5s")
    hop = only(tmp_path, ROUTER + SERVICE, **{"traefik.yml": static})
    assert [s.name for s in hop.settings if s.value == 5] == []


def test_grace(tmp_path: Path) -> None:
    static = STATIC.replace("respondingTimeouts: {writeTimeout: 120s}", "lifeCycle: {graceTimeOut: 42}")
    stop = only(tmp_path, ROUTER + SERVICE, **{"traefik.yml": static}).get("stop_timeout")
    assert stop is not None
    assert (stop.value, stop.kind, stop.written) == (42, Kind.GRACE, "42")


def test_limits_until_the_headers(tmp_path: Path) -> None:
    static = "serversTransport: {forwardingTimeouts: {responseHeaderTimeout: 20s}}\n" + STATIC
    assert only(tmp_path, ROUTER + SERVICE, **{"traefik.yml": static}).value("first_byte_timeout") == 20
    own = SERVICE.replace("servers:", "serversTransport: slow, servers:")
    own += "  serversTransports: {slow: {forwardingTimeouts: {responseHeaderTimeout: 5m}}}\n"
    first = only(tmp_path, ROUTER + own, **{"traefik.yml": static}).get("first_byte_timeout")
    assert first is not None
    assert (first.value, first.kind) == (300, Kind.FIRST_BYTE)


def test_toml(tmp_path: Path) -> None:
    text = (
        '[http.routers.chat]\n  rule = "Path(`/chat`)"\n  service = "api"\n  middlewares = ["buffered", "strip@file"]\n'
        "[http.middlewares.buffered.buffering]\n  maxRequestBodyBytes = 10\n"
        '[http.middlewares.strip.stripPrefix]\n  prefixes = ["/x"]\n'
        '[[http.services.api.loadBalancer.servers]]\n  url = "http://a:8000"\n'
        '[[http.services.api.loadBalancer.servers]]\n  url = "http://b"\n'
    )
    hop = only(tmp_path, text, "dynamic.toml")
    assert [target.value for target in hop.leads_to] == ["a:8000", "b"]
    held = hop.get("buffering")
    assert held is not None
    assert held.where.span == (5, 28, 5, 37)


@pytest.mark.parametrize(
    ("middleware", "name", "value"),
    [
        ("{compress: {}}", "compression", True),
        ("{compress: true}", "compression", True),
        ("{compress: false}", "compression", None),
        ("{compress: {excludedContentTypes: [text/event-stream]}}", "compression", None),
        ("{compress: {includedContentTypes: [text/html]}}", "compression", None),
        ("{buffering: {maxRequestBodyBytes: 10}}", "buffering", True),
        ("{buffering: {disableResponseBuffer: true}}", "buffering", None),
        ("{headers: {customResponseHeaders: {a: b}}}", "compression", None),
    ],
)
def test_middlewares_of_an_older_release(tmp_path: Path, middleware: str, name: str, value: bool | None) -> None:
    compose = "services:\n  t:\n    image: traefik:v3.1\n    volumes: ['./dynamic.yml:/etc/traefik/dynamic.yml']\n"
    router = ROUTER.replace("service: api", "service: api, middlewares: [m]")
    text = f"{router}  middlewares: {{m: {middleware}}}\n{SERVICE}"
    assert only(tmp_path, text, **{"compose.yaml": compose}).value(name) is value


@pytest.mark.parametrize(
    ("release", "held"),
    [
        ("", False),
        ("2.11.9", False),
        ("3.0.0", True),
        ("3.1.9999", True),
        ("3.3.4", True),
        ("3.3.5", False),
        ("9999", False),
    ],
)
def test_which_releases_hold_back_what_they_compress(release: str, held: bool) -> None:
    assert bool(compression(HERE, release)) is held


def test_how_much_is_held_back() -> None:
    assert [(s.name, s.value) for s in compression(HERE, "3.1")] == [("compression", True), ("compression_holds", 1024)]
    assert compression(HERE, "3.1", least="10")[1].value == 10


def test_buffering_holds_the_response_unless_it_is_told_not_to() -> None:
    assert buffering(HERE) is not None
    assert buffering(HERE, "true") is None


@pytest.mark.parametrize(
    ("rule", "routes"),
    [
        ("Host(`x`)", []),
        ("PathPrefix(`/a`) || Path(`/b`)", [("prefix", "/a"), ("exact", "/b")]),
        ("PathPrefix(`/a`, `/b`)", [("prefix", "/a"), ("prefix", "/b")]),
        ('PathPrefix("/a") && !PathPrefix(`/a/b`)', [("prefix", "/a")]),
        ("PathRegexp(`^/a(b|c)$`)", [("regex", "^/a(b|c)$")]),
        ("HostRegexp(`Path`)", []),
    ],
)
def test_rules(rule: str, routes: list[tuple[str, str]]) -> None:
    assert [(route.how, route.path) for route in routes_of_rule(rule)] == routes


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), ("2m", 120), ("0", 0), ("1h30m", 5400), ("x", None), ("", None)]
)
def test_durations(text: str, seconds: float | None) -> None:
    assert traefik_duration(text) == seconds


def test_services_of_services(tmp_path: Path) -> None:
    service = "  services:\n    api: {weighted: {services: [{name: a}, {name: b@docker}]}}\n"
    service += "    a: {mirroring: {service: c}}\n    c: {loadBalancer: {servers: [{url: 'http://c:1'}]}}\n"
    found = read(tmp_path, ROUTER + service)
    assert found.hops[0].leads_to == (Target("address", "c:1"),)
    assert [note.reason for note in found.notes] == ["the service b@docker is not known here"]


def test_services_in_a_circle(tmp_path: Path) -> None:
    service = "  services:\n    api: {failover: {service: api}}\n"
    assert read(tmp_path, ROUTER + service).hops[0].leads_to == ()


def test_the_dashboard_is_no_way(tmp_path: Path) -> None:
    assert read(tmp_path, ROUTER.replace("service: api", "service: api@internal")).hops == ()


def test_keys_without_their_case(tmp_path: Path) -> None:
    static = STATIC.replace("entryPoints", "entrypoints").replace("writeTimeout", "WriteTimeout")
    assert only(tmp_path, ROUTER + SERVICE, **{"traefik.yml": static}).value("total_timeout") == 120


def test_what_a_template_gives_is_a_note(tmp_path: Path) -> None:
    static = STATIC.replace("120s", '{{ env "LIMIT" }}')
    found = read(tmp_path, static + ROUTER + SERVICE.replace("http://api:8000", '{{ env "API" }}'), "traefik.yml")
    assert found.hops[0].value("total_timeout") is None
    assert found.hops[0].leads_to == ()
    assert len(found.notes) >= 2


def test_a_toml_template_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, '[http.routers.a]\nservice = "{{ x }}"\n', "dynamic.toml")
    assert (found.hops, len(found.notes)) == ((), 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dynamic.yml", "http: 1"),
        ("dynamic.yml", "http: {routers: [1], services: 2}"),
        (
            "dynamic.yml",
            "http: {routers: {a: 1, b: {service: [x]}, c: {service: {y: z}, rule: [1], middlewares: {a: b}}}}",
        ),
        ("dynamic.yml", "http: &h {routers: {a: {service: *h}}}\nentryPoints: *h\n"),
        ("dynamic.yml", "http:\n  routers:\n" + "".join(f"    r{n}: {{service: s}}\n" for n in range(5_000))),
        ("dynamic.toml", "[http.routers.a]\nservice = \n[[http]]\n[http.routers\n= = =\n" + "[" * 10_000),
        ("dynamic.yml", b"http: {routers: {\xff: {service: \xe9}}}"),
        ("traefik.yml", "entryPoints: [1]\nhttp: {routers: {a: {service: s, rule: 'Path(" + "(" * 50_000 + "'}}}\n"),
        (
            "traefik.yml",
            "entryPoints: {a: 1, b: {transport: 1, address: [2]}, c: {transport: {respondingTimeouts: 5}}}\n",
        ),
    ],
)
def test_odd_files_are_read_in_time(tmp_path: Path, name: str, text: str | bytes) -> None:
    began = time.process_time()
    read(tmp_path, text, name, **{"traefik.toml": "[entryPoints]\nx = 1\n"})
    assert time.process_time() - began < 10
