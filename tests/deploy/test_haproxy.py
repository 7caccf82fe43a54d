"""The reader of HAProxy's configurations: ways, what they inherit, values, notes, and hostile input."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Route, Target
from tests.deploy.repositories import proxies, reading, values

DEFAULTS = "defaults\n  mode http\n  timeout client 10s\n  timeout server 30s\n"
FRONT = "frontend web\n  bind *:80\n  default_backend api\n"
BACK = "backend api\n  server a api:8000 check\n"


def read(folder: Path, text: str | bytes, **more: str | bytes) -> Reading:
    """What the reader finds in one configuration."""
    return reading("haproxy", folder, {"haproxy.cfg": text, **more})


def only(folder: Path, text: str) -> Hop:
    """The only hop of a configuration."""
    (hop,) = read(folder, text).hops
    return hop


def limit(folder: Path, text: str) -> object:
    """What a ``timeout server`` counts, in seconds."""
    return only(folder, f"{BACK}  timeout server {text}\n").value("read_timeout")


def test_a_way_from_a_frontend_to_a_backend(tmp_path: Path) -> None:
    hop = only(tmp_path, DEFAULTS + FRONT + BACK)
    assert (hop.layer, hop.role, hop.name) == ("haproxy", Role.PROXY, "backend api")
    assert hop.where.span == (8, 1, 8, 12)
    assert hop.leads_to == (Target("address", "api:8000"),)
    assert hop.known_as == (Target("file", str(tmp_path / "haproxy.cfg")), Target("port", "80"))
    assert values(hop) == {"protocol": "http", "read_timeout": 30}
    idle = hop.get("read_timeout")
    assert idle is not None
    assert (idle.kind, idle.key, idle.origin, idle.written) == (Kind.IDLE, "timeout server", Origin.EXPLICIT, "30s")
    assert idle.where.span == (4, 3, 4, 21)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 0.06),
        ("3000", 3),
        ("30s", 30),
        ("5m", 300),
        ("1h", 3600),
        ("500ms", 0.5),
        ("250us", 0.00025),
        ("1d", 86_400),
    ],
)
def test_a_bare_number_counts_milliseconds(tmp_path: Path, text: str, seconds: float) -> None:
    assert limit(tmp_path, text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "abc", "-1", "1.5s", "${TIMEOUT}"])
def test_what_is_no_time_is_a_note(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, f"{BACK}  timeout server {text}\n")
    assert found.hops[0].get("read_timeout") is None
    assert [note.where.span.row for note in found.notes] == [3]


def test_a_default_in_the_text_is_overridable(tmp_path: Path) -> None:
    setting = only(tmp_path, BACK + '  timeout server "${IDLE:-45s}"\n').get("read_timeout")
    assert setting is not None
    assert (setting.value, setting.overridable, setting.written) == (45, True, "${IDLE:-45s}")


def test_without_any_limit_there_is_none(tmp_path: Path) -> None:
    setting = only(tmp_path, BACK).get("read_timeout")
    assert setting is not None
    assert (setting.value, setting.origin) == (None, Origin.DEFAULT)
    assert setting.where.span == (1, 1, 1, 12)


def test_a_limit_of_nothing_is_none(tmp_path: Path) -> None:
    setting = only(tmp_path, BACK + "  timeout server 0\n").get("read_timeout")
    assert setting is not None
    assert (setting.value, setting.origin) == (None, Origin.EXPLICIT)


def test_the_last_line_and_the_innermost_section_hold(tmp_path: Path) -> None:
    text = DEFAULTS + FRONT + BACK + "  timeout server 1m\n  timeout server 2m\n"
    assert only(tmp_path, text).value("read_timeout") == 120


def test_named_defaults(tmp_path: Path) -> None:
    text = (
        "defaults base\n  timeout server 10s\ndefaults slow from base\n  option httplog\n"
        "defaults other\n  timeout server 20s\nbackend api from slow\n  server a api:8000\n"
        "backend late\n  server a late:8000\n"
    )
    hops = proxies(read(tmp_path, text))
    assert values(hops["backend api"]) == {"protocol": "http", "read_timeout": 10}
    assert hops["backend late"].value("read_timeout") == 20


def test_defaults_come_before_what_they_are_for(tmp_path: Path) -> None:
    assert only(tmp_path, BACK + DEFAULTS).value("read_timeout") is None


def test_hard_stop(tmp_path: Path) -> None:
    stop = only(tmp_path, "global\n  hard-stop-after 30s\n" + BACK).get("stop_timeout")
    assert stop is not None
    assert (stop.value, stop.kind, stop.where.span) == (30, Kind.GRACE, (2, 3, 2, 22))


def test_harmless_limits_and_compression_are_not_read(tmp_path: Path) -> None:
    harmless = "  timeout client 1s\n  timeout tunnel 1s\n  timeout http-keep-alive 1s\n  compression algo gzip\n"
    assert values(only(tmp_path, BACK + harmless)) == {"protocol": "http", "read_timeout": None}


def test_listen(tmp_path: Path) -> None:
    hop = only(tmp_path, "listen web\n  bind 127.0.0.1:8080,:8443\n  mode tcp\n  server a 127.0.0.1:8000\n")
    assert hop.name == "listen web"
    assert hop.known_as[1:] == (Target("port", "8080"), Target("port", "8443"))
    assert hop.value("protocol") == "tcp"


@pytest.mark.parametrize(
    ("condition", "routes"),
    [
        ("if { path_beg /api }", [Route("prefix", "/api")]),
        ("if { path_beg -i /api /v1 }", [Route("prefix", "/api"), Route("prefix", "/v1")]),
        ("if { path /chat }", [Route("exact", "/chat")]),
        ("if { path -m beg /api }", [Route("prefix", "/api")]),
        ("if { path,lower -m str /api }", [Route("exact", "/api")]),
        ("if { path_reg ^/api/.* }", [Route("regex", "^/api/.*")]),
        ("if { path_end .css }", [Route("regex", "\\.css$")]),
        ("if { path_dir static }", [Route("regex", "/static(/|$)")]),
        ("if is_api is_host", [Route("prefix", "/api")]),
        ("if is_api or is_chat", [Route("prefix", "/api"), Route("exact", "/chat")]),
        ("if is_api !is_chat", [Route("prefix", "/api")]),
        ("if is_host", []),
        ("unless is_chat", []),
        ("", []),
    ],
)
def test_paths(tmp_path: Path, condition: str, routes: list[Route]) -> None:
    front = (
        "frontend web\n  acl is_api path_beg /api\n  acl is_chat path /chat\n  acl is_host hdr(host) -i x.example\n"
        f"  use_backend api {condition}\n"
    )
    assert list(only(tmp_path, front + BACK).routes) == routes


def test_backends_of_one_frontend_share_its_requests(tmp_path: Path) -> None:
    front = "frontend web\n  use_backend api if { path_beg /api }\n  default_backend pages\n"
    pages = "backend pages\n  server p pages:3000\n"
    first, second = read(tmp_path, front + BACK + pages).hops
    assert (first.name, second.name) == ("backend api", "backend pages")
    assert first.group
    assert first.group == second.group
    assert second.routes == ()


def test_a_backend_without_a_frontend_is_a_hop_of_its_own(tmp_path: Path) -> None:
    hop = only(tmp_path, BACK)
    assert (hop.group, hop.routes) == ("", ())


def test_a_path_that_is_replaced(tmp_path: Path) -> None:
    front = "frontend web\n  use_backend api if { path_beg /api }\n"
    hop = only(tmp_path, front + BACK + "  http-request replace-path /api(/)?(.*) /\\2\n")
    assert hop.routes == (Route("prefix", "/api", "/"),)
    hop = only(tmp_path, front + BACK + "  http-request set-path %[path,regsub(^/api/,/)]\n")
    assert hop.routes == (Route("prefix", "/api", "/"),)


@pytest.mark.parametrize(
    ("server", "addresses"),
    [
        ("server a api:8000 check inter 2s", ["api:8000"]),
        ("server a ipv4@10.0.0.1:80", ["10.0.0.1:80"]),
        ("server a 127.0.0.1", ["127.0.0.1:80"]),
        ("server a :8000", ["localhost:8000"]),
        ("server a unix@/run/app.sock", ["unix:/run/app.sock"]),
        ("server a /run/app.sock", ["unix:/run/app.sock"]),
        ('server a "${API:-api:8000}"', ["api:8000"]),
        ("server-template api 1-3 api.local:8000 check", ["api.local:8000"]),
        ("server a a:1\n  server b b:1 backup\n  server c c:1 disabled", ["a:1"]),
    ],
)
def test_addresses(tmp_path: Path, server: str, addresses: list[str]) -> None:
    assert [target.value for target in only(tmp_path, f"backend api\n  {server}\n").leads_to] == addresses


def test_an_address_that_is_not_known_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, "backend api\n  server a ${API_HOST}:8000\n")
    assert found.hops[0].leads_to == ()
    assert [(note.where.span.row, note.reason) for note in found.notes] == [
        (2, "the address in server a ${API_HOST}:8000 is not known here")
    ]


def test_comments_quotes_and_backslashes(tmp_path: Path) -> None:
    text = "# backend no\nbackend api # the one\n  server a \"api\":8000#check\n  timeout server '30s' # ms\n"
    hop = only(tmp_path, text)
    assert hop.leads_to == (Target("address", "api:8000"),)
    assert hop.value("read_timeout") == 30
    assert hop.where.span == (2, 1, 2, 12)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_do_not_depend_on_line_ends(tmp_path: Path, end: str) -> None:
    setting = only(tmp_path, (BACK + "  timeout server 30s\n").replace("\n", end)).get("read_timeout")
    assert setting is not None
    assert setting.where.span == (3, 3, 3, 21)


def test_the_container_that_carries_it(tmp_path: Path) -> None:
    compose = "services:\n  lb:\n    image: haproxy:2.9-alpine\n    volumes: ['./haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg']\n"
    (hop,) = read(tmp_path, BACK, **{"compose.yaml": compose}).hops
    assert hop.version == "2.9-alpine"
    assert Target("unit", f"{tmp_path / 'compose.yaml'}#lb") in hop.known_as


@pytest.mark.parametrize(
    "text",
    [
        "[options]\nbackend = api\nserver = a b\n",
        "[build-system]\nrequires = ['x']\nbackend = 'y'\n",
        "backend api\n",
        "listen web\n  bind :80\n",
    ],
)
def test_other_files_of_that_ending_hold_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == Reading()


def test_a_template_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, "backend api\n{% for s in servers %}\n  server {{ s.name }} {{ s.host }}:80\n{% endfor %}\n")
    assert found.hops == ()
    assert found.notes[0].where.span.row == 2


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe backend api\n  server a api:8000\n  timeout server \xe9\n",
        b"backend api\n  server a " + b'"' * 100_001 + b"\n",
        b"backend api\n  server a api:8000\n" + b"  acl x path_beg " + b"/a " * 50_000 + b"\n",
        b"backend api\n  server a api:8000\n" * 20_000,
        b"defaults a from a\n  mode http\nbackend b from a\n  server a api:8000\n",
        b"defaults a from b\ndefaults b from a\nbackend b from b\n  server a api:8000\n",
        b"frontend f\n  use_backend b if { path_beg\nbackend b\n  server a api:8000",
        b"backend api\n  server a api:8000\n" + b"\\\n" * 100_000,
    ],
)
def test_odd_files_are_read_in_time(tmp_path: Path, text: bytes) -> None:
    began = time.process_time()
    read(tmp_path, text)
    assert time.process_time() - began < 10
