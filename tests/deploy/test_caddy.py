"""The reader of Caddyfiles: sites, matchers, snippets and imports, values, notes, and hostile input."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.caddy.limits import caddy_duration
from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Route, Target
from tests.deploy.repositories import proxies, reading, values

OLD = "services:\n  caddy:\n    image: caddy:2.6-alpine\n    volumes: ['./Caddyfile:/etc/caddy/Caddyfile']\n"
NEW = OLD.replace("2.6-alpine", "2")


def read(folder: Path, text: str | bytes, name: str = "Caddyfile", **more: str | bytes) -> Reading:
    """What the reader finds in one file."""
    return reading("caddy", folder, {name: text, **more})


def only(folder: Path, text: str, **more: str | bytes) -> Hop:
    """The only hop of a file."""
    (hop,) = read(folder, text, **more).hops
    return hop


def in_site(folder: Path, text: str, **more: str | bytes) -> Hop:
    """The only hop of a site."""
    return only(folder, f":80 {{\n{text}\n}}\n", **more)


def test_a_site(tmp_path: Path) -> None:
    text = (
        "x.example {\n\treverse_proxy /chat/* api:8000 {\n\t\ttransport http {\n\t\t\tread_timeout 45s\n\t\t}\n\t}\n}\n"
    )
    hop = only(tmp_path, text)
    assert (hop.layer, hop.role, hop.name) == ("caddy", Role.PROXY, "reverse_proxy /chat/*")
    assert hop.where.span == (2, 2, 2, 32)
    assert hop.leads_to == (Target("address", "api:8000"),)
    assert hop.known_as == (Target("file", str(tmp_path / "Caddyfile")), Target("port", "443"))
    assert hop.routes == (Route("prefix", "/chat/"),)
    idle = hop.get("read_timeout")
    assert idle is not None
    assert (idle.value, idle.kind, idle.key, idle.written) == (45, Kind.IDLE, "read_timeout", "45s")
    assert idle.where.span == (4, 4, 4, 20)


def test_what_holds_where_nothing_is_written(tmp_path: Path) -> None:
    hop = in_site(tmp_path, "reverse_proxy api:8000")
    assert values(hop) == {"protocol": "http", "read_timeout": None, "total_timeout": None}
    assert {setting.origin for setting in hop.settings if setting.kind} == {Origin.DEFAULT}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1m30s", 90),
        ("1d", 86_400),
        ("1d12h", 129_600),
        ("500ms", 0.5),
        ("0", 0),
        ("30", None),
        ("1dx", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert caddy_duration(text) == seconds


def test_a_limit_of_nothing_is_none(tmp_path: Path) -> None:
    hop = in_site(tmp_path, "reverse_proxy api {\ntransport http {\nread_timeout 0\nresponse_header_timeout 20s\n}\n}")
    assert hop.value("read_timeout", 1) is None
    first = hop.get("first_byte_timeout")
    assert first is not None
    assert (first.value, first.kind) == (20, Kind.FIRST_BYTE)


def test_a_value_that_is_no_duration_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, ":80 {\nreverse_proxy api {\ntransport http {\nread_timeout {$IDLE}\n}\n}\n}\n")
    assert [(note.where.span.row, note.reason) for note in found.notes] == [(4, "read_timeout {$IDLE}")]


def test_the_environment_and_its_defaults(tmp_path: Path) -> None:
    text = (
        ":80 {\nreverse_proxy {$API:localhost:8000} {$OTHER} {\ntransport http {\nread_timeout {$IDLE:45s}\n}\n}\n}\n"
    )
    found = read(tmp_path, text)
    (hop,) = found.hops
    assert hop.leads_to == (Target("address", "localhost:8000"),)
    idle = hop.get("read_timeout")
    assert idle is not None
    assert (idle.value, idle.overridable) == (45, True)
    assert [note.reason for note in found.notes] == ["the address in {$OTHER} is not known here"]


@pytest.mark.parametrize(
    ("directive", "held"),
    [
        ("buffer_responses", True),
        ("response_buffers 4KiB", True),
        ("response_buffers unlimited", True),
        ("response_buffers 0", None),
        ("request_buffers 4KiB", None),
        ("flush_interval 5s", None),
    ],
)
def test_buffers(tmp_path: Path, directive: str, held: bool | None) -> None:
    assert in_site(tmp_path, f"reverse_proxy api {{\n{directive}\n}}").value("buffering") is held


@pytest.mark.parametrize(
    ("encode", "held"),
    [
        ("encode gzip zstd", True),
        ("encode {\ngzip 6\n}", True),
        ("encode * gzip", True),
        ("encode /chat* gzip", True),
        ("encode /static/* gzip", None),
        ("encode @pages gzip\n@pages not path /chat*", None),
        ("encode @chat gzip\n@chat path /chat/*", True),
        ("encode {\ngzip\nmatch {\nheader Content-Type text/html*\n}\n}", None),
        ("encode {\ngzip\nmatch {\nheader Content-Type text/*\n}\n}", True),
        ("encode {\ngzip\nmatch header Content-Type application/json*\n}", None),
        ("encode {\ngzip\nmatch status 200\n}", None),
        ("handle /other/* {\nencode gzip\n}", None),
        ("", None),
    ],
)
def test_compression_of_an_old_release(tmp_path: Path, encode: str, held: bool | None) -> None:
    text = f"{encode}\nhandle /chat/* {{\nreverse_proxy api:8000\n}}"
    assert in_site(tmp_path, text, **{"compose.yaml": OLD}).value("compression") is held


@pytest.mark.parametrize("compose", [NEW, "services: {}\n", OLD.replace("2.6-alpine", "2.9.1")])
def test_a_newer_release_flushes_what_it_compresses(tmp_path: Path, compose: str) -> None:
    hop = in_site(tmp_path, "encode gzip\nreverse_proxy api:8000", **{"compose.yaml": compose})
    assert hop.get("compression") is None


@pytest.mark.parametrize(("option", "smallest"), [("", 512), ("minimum_length 16", 16), ("minimum_length 0", 512)])
def test_from_which_size_on_it_compresses(tmp_path: Path, option: str, smallest: int) -> None:
    hop = in_site(tmp_path, f"encode {{\ngzip\n{option}\n}}\nreverse_proxy api:8000", **{"compose.yaml": OLD})
    assert hop.value("compression_from") == smallest


def test_compression_inside_the_block(tmp_path: Path) -> None:
    hop = in_site(tmp_path, "route /chat/* {\nencode gzip\nreverse_proxy api\n}", **{"compose.yaml": OLD})
    setting = hop.get("compression")
    assert setting is not None
    assert (hop.version, setting.where.span) == ("2.6-alpine", (3, 1, 3, 12))


def test_options_of_the_server(tmp_path: Path) -> None:
    options = (
        "{\n\tgrace_period 10s\n\tservers {\n\t\ttimeouts {\n\t\t\twrite 2m\n\t\t\tread_body 3s\n\t\t\tidle 3s\n"
        "\t\t}\n\t}\n}\n"
    )
    hop = only(tmp_path, options + ":80 {\nreverse_proxy api\n}\n")
    total, stop = hop.get("total_timeout"), hop.get("stop_timeout")
    assert total is not None
    assert stop is not None
    assert (total.value, total.kind, total.key, total.where.span) == (120, Kind.TOTAL, "timeouts write", (5, 4, 5, 12))
    assert (stop.value, stop.kind, stop.where.span) == (10, Kind.GRACE, (2, 2, 2, 18))


def test_options_of_one_listener(tmp_path: Path) -> None:
    options = "{\nservers :8443 {\ntimeouts {\nwrite 1m\n}\n}\nservers {\ntimeouts {\nwrite 2m\n}\n}\n}\n"
    found = read(tmp_path, options + ":8443 {\nreverse_proxy a\n}\nhttp://x.example {\nreverse_proxy b\n}\n")
    assert [hop.value("total_timeout") for hop in found.hops] == [60, 120]
    assert [hop.known_as[-1].value for hop in found.hops] == ["8443", "80"]


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("reverse_proxy api", []),
        ("reverse_proxy * api", []),
        ("reverse_proxy /* api", []),
        ("reverse_proxy /chat api", [Route("exact", "/chat")]),
        ("reverse_proxy /chat* api", [Route("prefix", "/chat")]),
        ("@js path *.js\nreverse_proxy @js api", [Route("regex", "\\.js$")]),
        ("reverse_proxy /a/*/b api", [Route("regex", "^/a/.*/b$")]),
        ("handle /api/* {\nreverse_proxy api\n}", [Route("prefix", "/api/")]),
        ("handle_path /api/* {\nreverse_proxy api\n}", [Route("prefix", "/api/", "/")]),
        ("handle /api/* {\nuri strip_prefix /api\nreverse_proxy api\n}", [Route("prefix", "/api/", "/")]),
        ("handle /api/* {\nreverse_proxy /api/chat api\n}", [Route("exact", "/api/chat")]),
        ("route /api/* {\nhandle {\nreverse_proxy api\n}\n}", [Route("prefix", "/api/")]),
        ("@api path /a/* /b\nreverse_proxy @api api", [Route("prefix", "/a/"), Route("exact", "/b")]),
        ("@api {\npath /a/*\nheader X y\n}\nreverse_proxy @api api", [Route("prefix", "/a/")]),
        ("@api path_regexp name ^/a\nreverse_proxy @api api", [Route("regex", "^/a")]),
        ("@ws header Connection *Upgrade*\nreverse_proxy @ws api", []),
        ("reverse_proxy @nowhere api", []),
    ],
)
def test_paths(tmp_path: Path, text: str, routes: list[Route]) -> None:
    hop = in_site(tmp_path, text)
    assert list(hop.routes) == routes
    assert hop.leads_to == (Target("address", "api"),)


@pytest.mark.parametrize(
    ("upstream", "addresses"),
    [
        ("http://api:8000", ["api:8000"]),
        (":8000", ["localhost:8000"]),
        ("localhost", ["localhost:80"]),
        ("https://127.0.0.1", ["127.0.0.1:443"]),
        ("h2c://api:9000", ["api:9000"]),
        ("unix//run/app.sock", ["unix:/run/app.sock"]),
        ("a:1 b:2", ["a:1", "b:2"]),
        ("api:8000-8002", ["api:8000", "api:8001", "api:8002"]),
        ("{\nto a:1 b:2\nto c:3\n}", ["a:1", "b:2", "c:3"]),
    ],
)
def test_upstreams(tmp_path: Path, upstream: str, addresses: list[str]) -> None:
    assert [target.value for target in in_site(tmp_path, f"reverse_proxy {upstream}").leads_to] == addresses


@pytest.mark.parametrize("upstream", ["{http.request.host}:80", "{env.API}", "{$API}"])
def test_upstreams_that_are_not_known(tmp_path: Path, upstream: str) -> None:
    found = read(tmp_path, f":80 {{\nreverse_proxy {upstream}\n}}\n")
    assert found.hops[0].leads_to == ()
    assert found.notes[0].where.span.row == 2


def test_a_file_without_braces(tmp_path: Path) -> None:
    hop = only(tmp_path, "localhost:8080\n\n# all of it\nreverse_proxy :8000\n")
    assert hop.known_as[-1] == Target("port", "8080")
    assert hop.where.span == (4, 1, 4, 20)


def test_sites_with_several_addresses(tmp_path: Path) -> None:
    hop = only(tmp_path, "a.example,\nhttp://b.example:8080 {\n\treverse_proxy api\n}\n")
    assert [target.value for target in hop.known_as[1:]] == ["443", "8080"]


def test_the_places_of_a_site_share_its_requests(tmp_path: Path) -> None:
    found = read(tmp_path, "a.example {\nreverse_proxy /a a\nreverse_proxy b\n}\nb.example {\nreverse_proxy c\n}\n")
    groups = [hop.group for hop in found.hops]
    assert groups[0] == groups[1] != groups[2]


def test_snippets_with_arguments(tmp_path: Path) -> None:
    text = (
        "(up) {\n\treverse_proxy {args[0]} {\n\t\ttransport http {\n\t\t\tread_timeout {args.1}\n\t\t}\n\t}\n}\n"
        "a.example {\n\timport up a:1 5s\n}\nb.example {\n\timport up b:1 6s\n}\n"
    )
    hops = proxies(read(tmp_path, text))
    assert [(hop.leads_to[0].value, hop.value("read_timeout")) for hop in hops.values()] == [("a:1", 5), ("b:1", 6)]


@pytest.mark.parametrize("path", ["sites/*.caddy", "./sites/a.caddy", "/etc/caddy/sites/*"])
def test_imported_files(tmp_path: Path, path: str) -> None:
    files = {
        "sites/a.caddy": "a.example {\n\timport ../common/proxy api:8000\n}\n",
        "common/proxy": "reverse_proxy {args[0]}\n",
    }
    (hop,) = read(tmp_path, f"import {path}\n", **files).hops
    assert hop.leads_to == (Target("address", "api:8000"),)
    assert hop.where.path == str(tmp_path / "common" / "proxy")


def test_an_import_of_nothing_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, "import gone\nimport none/*\n:80 {\nreverse_proxy api\n}\n")
    assert [note.reason for note in found.notes] == ["import gone: not in the repository"]


def test_what_is_imported_is_read_where_it_is_imported(tmp_path: Path) -> None:
    files = {
        "Caddyfile": "{\ngrace_period 5s\n}\nimport api.caddyfile\n",
        "api.caddyfile": ":80 {\nreverse_proxy api\n}\n",
    }
    assert reading("caddy", tmp_path, files, "api.caddyfile") == Reading()
    (hop,) = reading("caddy", tmp_path, files, "Caddyfile").hops
    assert hop.value("stop_timeout") == 5


def test_files_that_import_each_other(tmp_path: Path) -> None:
    read(
        tmp_path,
        "import b\n(x) {\nimport x\n}\n:80 {\nimport x\nreverse_proxy api\n}\n",
        b="import Caddyfile\nimport b\n",
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_do_not_depend_on_line_ends(tmp_path: Path, end: str) -> None:
    text = '# "a\n:80 {\n  respond `{\n`\n  reverse_proxy "api:8000" \\\n    b:1\n}\n'.replace("\n", end)
    hop = only(tmp_path, text)
    assert hop.where.span == (5, 3, 6, 8)
    assert [target.value for target in hop.leads_to] == ["api:8000", "b:1"]


def test_a_heredoc_is_a_word(tmp_path: Path) -> None:
    text = ":80 {\n  respond <<HTML\n    <a> {\n    }\n    HTML\n  reverse_proxy api\n}\n"
    assert only(tmp_path, text).where.span.row == 6


def test_a_template_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, ":80 {\n  reverse_proxy {{ host }}:80\n}\n")
    assert (found.hops, found.notes[0].where.span.row) == ((), 2)


@pytest.mark.parametrize(
    "text",
    [
        "}\n}\n:80 {\nreverse_proxy api\n",
        "{\n" * 50_000 + "reverse_proxy api",
        ":80 {\nreverse_proxy api\n}\n" * 10_000,
        b":80 {\n\xff\xfe\nreverse_proxy \xe9\n}\n",
        ':80 {\nreverse_proxy "api\n}\n' + "\\" * 100_000,
        "(a) {\nimport a\nimport a\nimport a\n}\n:80 {\nimport a\nreverse_proxy api\n}\n",
        "".join(f"(s{n}) {{\nimport s{n + 1}\nimport s{n + 1}\nimport s{n + 1}\n}}\n" for n in range(50))
        + ":80 {\nimport s0\n}\n",
        ":80 {\nreverse_proxy " + "<<A\n" * 50_000 + "}\n",
        "reverse_proxy\n",
        "{\nservers\n}\n{\n}\nreverse_proxy {\nto\ntransport\n}\n",
        ":80 {\nencode\nencode {\nmatch\n}\n@\n@a\nreverse_proxy @a\nhandle {\n}\n}\n",
        ":80 {\nreverse_proxy " + "a:1-99999 " * 10_000 + "\n}\n",
    ],
)
def test_odd_files_are_read_in_time(tmp_path: Path, text: str | bytes) -> None:
    began = time.process_time()
    read(tmp_path, text, **{"compose.yaml": OLD})
    assert time.process_time() - began < 10
