"""The reader of VCL: backends, what routines decide for their responses, values, notes, and hostile input."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Route, Target
from lg_stream_lint.deploy.varnish.hops import vcl_time
from tests.deploy.repositories import proxies, reading, values

BACKEND = 'vcl 4.1;\nbackend api { .host = "api"; .port = "8000"; }\n'


def read(folder: Path, text: str | bytes, **more: str | bytes) -> Reading:
    """What the reader finds in one file."""
    return reading("varnish", folder, {"default.vcl": text, **more})


def only(folder: Path, text: str, **more: str | bytes) -> Hop:
    """The only hop of a file."""
    (hop,) = read(folder, text, **more).hops
    return hop


def after(folder: Path, inside: str, before: str = "") -> Hop:
    """The hop of a file with a routine for the backend's response."""
    return only(folder, f"{BACKEND}{before}sub vcl_backend_response {{\n{inside}\n}}\n")


def test_a_backend(tmp_path: Path) -> None:
    text = 'vcl 4.1;\nbackend api {\n  .host = "api";\n  .port = "8000";\n  .between_bytes_timeout = 1.5m;\n}\n'
    hop = only(tmp_path, text)
    assert (hop.layer, hop.role, hop.name) == ("varnish", Role.PROXY, "backend api")
    assert hop.where.span == (2, 1, 2, 12)
    assert hop.leads_to == (Target("address", "api:8000"),)
    idle = hop.get("read_timeout")
    assert idle is not None
    assert (idle.value, idle.kind, idle.key, idle.written) == (90, Kind.IDLE, "between_bytes_timeout", "1.5m")
    assert idle.where.span == (5, 3, 5, 32)


def test_defaults(tmp_path: Path) -> None:
    hop = only(tmp_path, BACKEND)
    assert values(hop) == {"protocol": "http", "read_timeout": 60, "first_byte_timeout": 60}
    assert [(s.origin, s.where.span.row) for s in hop.settings if s.kind] == [(Origin.DEFAULT, 2)] * 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("1.5m", 90), ("500ms", 0.5), ("2h", 7200), ("1d", 86_400), ("60", None), ("s", None), ("1 s", None)],
)
def test_times(text: str, seconds: float | None) -> None:
    assert vcl_time(text) == seconds


@pytest.mark.parametrize(
    ("inside", "held"),
    [
        ("set beresp.do_stream = false;", True),
        ("set beresp.do_stream = true;", None),
        ("set beresp.do_stream = false;\nset beresp.do_stream = true;", None),
        ('if (beresp.http.content-type ~ "text/event-stream") { set beresp.do_stream = false; }', True),
        ('if (beresp.http.Content-Type ~ "^text/") { set beresp.do_stream = false; }', True),
        ('if (beresp.http.content-type == "text/event-stream") { set beresp.do_stream = false; }', True),
        ('if (beresp.http.content-type ~ "^text/(html|css)") { set beresp.do_stream = false; }', None),
        ('if (beresp.http.content-type ~ "json|event-stream") { set beresp.do_stream = false; }', True),
        ('if (beresp.http.content-type !~ "text/event-stream") { set beresp.do_stream = false; }', None),
        ("if (beresp.status == 200) { set beresp.do_stream = false; }", None),
        ("if (beresp.status == 200) { } else { set beresp.do_stream = false; }", None),
        ('if (bereq.url ~ "^/static/") { set beresp.do_stream = false; }', None),
        ("# set beresp.do_stream = false;", None),
        ("/* set beresp.do_stream = false; */", None),
    ],
)
def test_what_is_not_streamed(tmp_path: Path, inside: str, held: bool | None) -> None:
    assert after(tmp_path, inside).value("buffering") is held


def test_what_is_compressed(tmp_path: Path) -> None:
    setting = after(tmp_path, "  set beresp.do_gzip = true;").get("compression")
    assert setting is not None
    assert (setting.value, setting.key, setting.where.span) == (True, "beresp.do_gzip", (4, 3, 4, 28))
    assert (
        after(tmp_path, 'if (beresp.http.content-type ~ "css") { set beresp.do_gzip = true; }').get("compression")
        is None
    )


def test_paths_and_directors(tmp_path: Path) -> None:
    text = (
        'vcl 4.1;\nimport directors;\nbackend web { .host = "web"; .port = "3000"; }\n'
        'backend api { .host = "a"; .port = "8000"; }\nbackend old { .host = "b"; }\n'
        "sub vcl_init {\n  new pool = directors.round_robin();\n  pool.add_backend(api);\n}\n"
        'sub vcl_recv {\n  if (req.url ~ "^/api/") {\n    set req.backend_hint = pool.backend();\n'
        '  } elseif (req.url == "/old") {\n    set req.backend_hint = old;\n  } else {\n    set req.backend_hint = web;\n  }\n}\n'
        'sub vcl_backend_response {\n  if (bereq.url ~ "^/api/") { set beresp.do_stream = false; }\n}\n'
    )
    hops = proxies(read(tmp_path, text))
    assert hops["backend api"].routes == (Route("prefix", "/api/"),)
    assert hops["backend old"].routes == (Route("exact", "/old"),)
    assert hops["backend web"].routes == ()
    assert [name for name, hop in hops.items() if hop.get("buffering")] == ["backend api"]
    assert len({hop.group for hop in hops.values()}) == 1
    assert hops["backend old"].leads_to == (Target("address", "b:80"),)


def test_a_routine_beats_the_backend(tmp_path: Path) -> None:
    text = BACKEND.replace('"8000";', '"8000"; .first_byte_timeout = 5s;')
    text += "sub vcl_backend_fetch {\n  set bereq.first_byte_timeout = 300s;\n}\n"
    first = only(tmp_path, text).get("first_byte_timeout")
    assert first is not None
    assert (first.value, first.kind, first.where.span.row) == (300, Kind.FIRST_BYTE, 4)


def test_a_limit_of_nothing_is_the_default(tmp_path: Path) -> None:
    idle = only(tmp_path, BACKEND.replace("; }", "; .between_bytes_timeout = 0s; }")).get("read_timeout")
    assert idle is not None
    assert (idle.value, idle.origin) == (60, Origin.DEFAULT)


def test_included_files_are_read_with_the_routines(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "default.vcl": 'vcl 4.1;\ninclude "/etc/varnish/backends.vcl";\nsub vcl_backend_fetch {\n  include "limits.vcl";\n}\n',
        "backends.vcl": 'backend api { .host = "api"; .port = "8000"; }\n',
        "limits.vcl": "set bereq.between_bytes_timeout = 600s;\n",
    }
    found = reading("varnish", tmp_path, files)
    (hop,) = found.hops
    assert (hop.value("read_timeout"), hop.get("read_timeout").where.path) == (600, str(tmp_path / "limits.vcl"))
    assert (hop.where.path, found.notes) == (str(tmp_path / "backends.vcl"), ())
    assert reading("varnish", tmp_path, files, "backends.vcl") == Reading()


def test_what_is_not_included_is_a_note_and_leaves_no_default_certain(tmp_path: Path) -> None:
    found = read(tmp_path, BACKEND + 'include "more.vcl";\ninclude "default.vcl";\n')
    assert [note.where.span.row for note in found.notes] == [3, 4]
    assert values(found.hops[0]) == {"protocol": "http"}


def test_what_is_not_known_is_a_note(tmp_path: Path) -> None:
    text = 'backend api { .host = "${API_HOST}"; .port = "${PORT:-8000}"; .between_bytes_timeout = 60; }\n'
    found = read(tmp_path, text)
    assert found.hops[0].leads_to == ()
    assert found.hops[0].get("read_timeout") is None
    assert sorted(note.reason for note in found.notes) == [
        "between_bytes_timeout 60",
        "the address in backend api is not known here",
    ]


def test_a_default_for_envsubst_is_overridable(tmp_path: Path) -> None:
    text = 'backend api { .host = "${HOST:-api}"; .between_bytes_timeout = ${IDLE:-45s}; }\n'
    hop = only(tmp_path, text)
    assert hop.leads_to == (Target("address", "api:80"),)


def test_long_texts_and_inline_c(tmp_path: Path) -> None:
    text = 'C{ } backend no { }C\nsub vcl_synth { synthetic({"<b>" } "}); set x.y = """a"b"""; }\n' + BACKEND
    assert only(tmp_path, text).name == "backend api"


def test_the_container_that_carries_it(tmp_path: Path) -> None:
    compose = "services:\n  cache:\n    image: varnish:7.4\n    volumes: ['./default.vcl:/etc/varnish/default.vcl']\n"
    hop = only(tmp_path, BACKEND, **{"compose.yaml": compose})
    assert hop.version == "7.4"
    assert Target("unit", f"{tmp_path / 'compose.yaml'}#cache") in hop.known_as


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_do_not_depend_on_line_ends(tmp_path: Path, end: str) -> None:
    text = f"# x\n// y\n{BACKEND}sub vcl_backend_response {{\n  set beresp.do_stream\n    = false;\n}}\n"
    setting = only(tmp_path, text.replace("\n", end)).get("buffering")
    assert setting is not None
    assert setting.where.span == (6, 3, 7, 12)


@pytest.mark.parametrize(
    "text",
    [
        "backend",
        "backend api {",
        'backend api { .host = "a',
        "backend { .host = }",
        "}" * 1000 + BACKEND,
        "{" * 100_000 + BACKEND,
        BACKEND + "sub x {" + "if (a) {" * 5_000 + "set beresp.do_stream = false;",
        BACKEND + "/*" * 100_000,
        BACKEND + '{"' * 100_000,
        BACKEND + '"' * 100_001,
        BACKEND * 20_000,
        b'backend \xff { .host = "\xe9"; }',
        BACKEND + "sub x { set ; set = ; set a = ; p.add_backend(); p.add_backend(,); }",
        BACKEND + "sub x { if (" + 'req.url ~ "a" && ' * 20_000 + ") { set beresp.do_stream = false; } }",
    ],
)
def test_odd_files_are_read_in_time(tmp_path: Path, text: str | bytes) -> None:
    began = time.process_time()
    read(tmp_path, text)
    assert time.process_time() - began < 10
