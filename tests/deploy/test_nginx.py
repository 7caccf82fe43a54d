"""The reader of nginx's configurations: places, values, inheritance, includes, variables, notes, and hostile input."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.tree import BadSyntax, parse
from lg_stream_lint.deploy.readers import nginx
from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Route, Target


def reading(folder: Path, files: dict[str, str | bytes], name: str = "nginx.conf") -> Reading:
    """What the reader finds in one file of a repository."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    listed = sorted(str(folder / path) for path in files)
    context = Context(str(folder), listed=listed)
    return nginx.read(context.open(str(folder / name)), context)


def hops(folder: Path, text: str, **more: str) -> dict[str, Hop]:
    """The hops of one configuration by their names."""
    return {hop.name: hop for hop in reading(folder, {"nginx.conf": text, **more}).hops}


def only(folder: Path, inside: str, outside: str = "") -> Hop:
    """The hop of a location that holds some directives."""
    text = f"http {{ {outside} server {{ listen 80; location /chat {{ proxy_pass http://api:8000; {inside} }} }} }}"
    return hops(folder, text)["location /chat"]


def addresses(hop: Hop) -> list[str]:
    """Where a hop leads to."""
    return [target.value for target in hop.leads_to]


# Syntax


def test_words_quotes_comments_and_variables() -> None:
    text = """a "b c" 'd;e' f\\;g ${h}i}j ; # k ;
l{m n;}"""
    top = parse(DeployFile("/nginx.conf", text.encode()))
    first, second = top.block or ()
    assert (first.name, first.texts) == ("a", ("b c", "d;e", "f\\;g", "${h}i}j"))
    assert second.name == "l"
    assert [child.texts for child in second.block or ()] == [("n",)]


@pytest.mark.parametrize("text", ["a {", "a }", "}", "a", "{ b; }", 'a "b;', "a 'b", "a \\", "x_by_lua_block { '", "{"])
def test_what_nginx_refuses_is_said(text: str) -> None:
    with pytest.raises(BadSyntax):
        parse(DeployFile("/nginx.conf", text.encode()))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_do_not_depend_on_line_ends(tmp_path: Path, end: str) -> None:
    text = "# a comment\nserver {\n  location /chat {\n    proxy_pass http://api;\n    proxy_read_timeout\n      90s;\n  }\n}\n"
    hop = hops(tmp_path, text.replace("\n", end))["location /chat"]
    limit = hop.get("read_timeout")
    assert limit is not None
    assert hop.where.span == (4, 5, 4, 26)
    assert limit.where.span == (5, 5, 6, 10)
    assert (limit.value, limit.written, limit.kind, limit.origin) == (90, "90s", Kind.IDLE, Origin.EXPLICIT)


def test_lua_is_skipped(tmp_path: Path) -> None:
    lua = "content_by_lua_block { local a = '}' -- }\n local b = [[ } ]] if a then ngx.say({1, {2}}) end }"
    assert only(tmp_path, lua + " proxy_read_timeout 5s;").value("read_timeout") == 5


# Values and inheritance


def test_defaults_stand_at_the_pass_directive(tmp_path: Path) -> None:
    hop = only(tmp_path, "")
    limit, buffering, version = (hop.get(name) for name in ("read_timeout", "buffering", "http_version"))
    assert limit is not None
    assert buffering is not None
    assert version is not None
    assert (limit.key, limit.value, limit.origin) == ("proxy_read_timeout", 60, Origin.DEFAULT)
    assert (buffering.value, version.value) == (True, "1.0")
    assert limit.where == buffering.where == version.where == hop.where


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("60", 60), ("1m30", 90), ("2000ms", 2), ('"2s"', 2), ("1h", 3600), ("0", 0), ("${LIMIT:-45}s", 45)],
)
def test_times(tmp_path: Path, written: str, seconds: float) -> None:
    limit = only(tmp_path, f"proxy_read_timeout {written};").get("read_timeout")
    assert limit is not None
    assert limit.value == seconds
    assert limit.overridable is written.startswith("$")


@pytest.mark.parametrize("written", ["1.5s", "off", "$limit", "${LIMIT}", "2 s", "1M"])
def test_what_is_no_time_is_a_note(tmp_path: Path, written: str) -> None:
    text = f"server {{ location / {{ proxy_pass http://api; proxy_read_timeout {written}; }} }}"
    found = reading(tmp_path, {"nginx.conf": text})
    assert found.hops[0].get("read_timeout") is None
    assert len(found.notes) == 1


def test_the_innermost_level_holds_and_siblings_do_not(tmp_path: Path) -> None:
    text = """http { proxy_read_timeout 1s; proxy_buffering off;
      server { proxy_read_timeout 2s;
        location /a { proxy_pass http://x; location /a/b { proxy_pass http://x; proxy_read_timeout 3s; } }
        location /c { proxy_pass http://x; proxy_buffering on; } }
      server { location /d { proxy_pass http://x; } } }"""
    found = hops(tmp_path, text)
    limits = {name.removeprefix("location "): hop.value("read_timeout") for name, hop in found.items()}
    assert limits == {"/a": 2, "/a/b": 3, "/c": 2, "/d": 1}
    assert {name for name, hop in found.items() if hop.value("buffering")} == {"location /c"}


def test_directives_of_another_family_mean_nothing(tmp_path: Path) -> None:
    text = """server { proxy_buffering off; proxy_read_timeout 5s;
      location /u { uwsgi_pass api:3031; uwsgi_read_timeout 7s; } location /g { grpc_pass grpc://api:50051; } }"""
    found = hops(tmp_path, text)
    uwsgi, grpc = found["location /u"], found["location /g"]
    assert (uwsgi.value("protocol"), uwsgi.value("read_timeout"), uwsgi.value("buffering")) == ("uwsgi", 7, True)
    assert (grpc.value("read_timeout"), grpc.get("buffering"), uwsgi.get("http_version")) == (60, None, None)
    assert addresses(grpc) == ["api:50051"]


def test_headers_of_an_inner_level_replace_those_around_it(tmp_path: Path) -> None:
    around = "add_header X-Accel-Buffering no;"
    assert only(tmp_path, "", around).get("sets_accel") is not None
    assert only(tmp_path, "add_header X-Frame-Options DENY;", around).get("sets_accel") is None
    assert only(tmp_path, "proxy_ignore_headers Expires x-accel-buffering;").value("ignores_accel") is True
    assert only(tmp_path, "proxy_pass_header X-Accel-Buffering;").value("forwards_accel") == "passed"
    assert only(tmp_path, "add_header X-Accel-Buffering no always;").value("forwards_accel") == "set"


def test_compression(tmp_path: Path) -> None:
    assert only(tmp_path, "gzip_types *;").get("compressed_types") is None
    assert only(tmp_path, "", "gzip on;").value("compressed_types") == ("text/html",)
    assert only(tmp_path, "gzip off;", "gzip on; gzip_types *;").get("compressed_types") is None
    assert only(tmp_path, "gzip_types text/a;", "gzip on; gzip_types *;").value("compressed_types")[1:] == ("text/a",)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("nginx:1.25-alpine", "1.0"), ("nginx:1.29.6", "1.0"), ("nginx:1.29.7", "1.1"), ("nginx:1.29", "1.1"), ("nginx", "1.1"),
        ("nginx:latest", "1.1"), ("nginx:alpine", "1.1"), ("nginx:stable", "1.1"), ("nginx:1", "1.1"),
        ("registry:5000/nginx:1.18", "1.0"),
        ("nginxinc/nginx-unprivileged:1.31@sha256:ab", "1.1"), ("openresty/openresty:1.25.3.2-alpine", "1.0"), ("caddy:2", "1.0"),
    ],
)  # fmt: skip
def test_the_version_of_the_image_decides_the_default(tmp_path: Path, image: str, version: str) -> None:
    text = "server { location / { proxy_pass http://api; } }"
    for carrier in (
        {"Dockerfile": f"FROM node AS build\nFROM {image}\nCOPY nginx.conf /etc/nginx/conf.d/default.conf\n"},
        {
            "compose.yaml": f"services:\n  web:\n    image: {image}\n    volumes: ['./nginx.conf:/etc/nginx/nginx.conf']\n"
        },
    ):
        found = reading(tmp_path / next(iter(carrier)), {"nginx.conf": text, **carrier})
        assert found.hops[0].value("http_version") == version


def test_a_container_gives_nginx_its_names(tmp_path: Path) -> None:
    files = {
        "proxy/nginx.conf": "server { listen 8080 default_server; listen [::]:8080; location / { proxy_pass http://api; } }",
        "proxy/Dockerfile": "FROM nginx\nCOPY proxy/nginx.conf /etc/nginx/conf.d/\n",
        "compose.yaml": "services:\n  web:\n    image: nginx\n    volumes:\n      - ./proxy:/etc/nginx/conf.d:ro\n",
    }
    known = reading(tmp_path, files, "proxy/nginx.conf").hops[0].known_as
    assert Target("file", str(tmp_path / "proxy/Dockerfile")) in known
    assert Target("unit", f"{tmp_path / 'compose.yaml'}#web") in known
    assert Target("port", "8080") in known


def test_a_container_gives_nginx_its_variables(tmp_path: Path) -> None:
    text = "server { location / { proxy_pass http://$API_HOST:${API_PORT}; proxy_read_timeout ${LIMIT}; } }"
    compose = "services:\n  web:\n    image: nginx\n    volumes: ['./templates:/etc/nginx/templates']\n"
    compose += "    environment:\n      API_HOST: api\n      API_PORT: '8000'\n      LIMIT: 5m\n"
    docker = 'FROM nginx\nENV API_HOST=api\nENV API_PORT=8000 \nENV LIMIT="5m"\nCOPY web.conf /etc/nginx/conf.d/\n'
    for files in (
        {"templates/web.conf.template": text, "compose.yaml": compose},
        {"web.conf": text, "Dockerfile": docker},
    ):
        (hop,) = reading(tmp_path / list(files)[1], files, next(iter(files))).hops
        assert (addresses(hop), hop.value("read_timeout")) == (["api:8000"], 300)


# Where it leads to, and which paths it serves


@pytest.mark.parametrize(
    ("around", "passed", "expected"),
    [
        ("", "proxy_pass http://api:8000", ["api:8000"]),
        ("", "proxy_pass http://localhost", ["localhost:80"]),
        ("upstream u { server a:1; server b:2 backup; server c:3 weight=2; }", "proxy_pass http://u/x", ["a:1", "c:3"]),
        ("upstream u { server unix:/run/app.sock fail_timeout=0; }", "proxy_pass http://u", ["unix:/run/app.sock"]),
        ("", "set $up api:8000; proxy_pass http://$up", ["api:8000"]),
        ("", "set $up http://api; proxy_pass $up:8000$request_uri", ["api:8000"]),
        ("map $host $up { default api:8000; }", "proxy_pass http://$up$request_uri", ["api:8000"]),
        ("map $host $up { hostnames; a a:1; default b:2; }", "proxy_pass http://$up", ["a:1", "b:2"]),
        (
            "split_clients $request_id $up { 5% v2; * v1; } upstream v1 { server a:1; }",
            "proxy_pass http://$up",
            ["v2", "a:1"],
        ),
        ("", "proxy_pass http://${API_HOST:-api}:8000", ["api:8000"]),
        ("", "proxy_pass http://${API_HOST}:8000", []),
        ("map $a $b { default $b; }", "proxy_pass http://$b", []),
    ],
)
def test_addresses(tmp_path: Path, around: str, passed: str, expected: list[str]) -> None:
    text = f"http {{ {around} server {{ location / {{ {passed}; }} }} }}"
    found = reading(tmp_path, {"nginx.conf": text})
    assert addresses(found.hops[0]) == expected
    assert bool(found.notes) is not bool(expected)


@pytest.mark.parametrize(
    ("location", "passed", "expected"),
    [
        ("/chat", "http://api", Route("prefix", "/chat")),
        ("^~ /chat", "http://api", Route("prefix", "/chat")),
        ("= /chat", "http://api", Route("exact", "/chat")),
        ("=/chat", "http://api", Route("exact", "/chat")),
        ("~* ^/chat$", "http://api", Route("regex", "^/chat$")),
        ("/api/", "http://api/", Route("prefix", "/api/", "/")),
        ("/api/", "http://api/v1/", Route("prefix", "/api/", "/v1/")),
        ("/api/", "http://api; rewrite ^/api/(.*)$ /$1 break", Route("prefix", "/api/", "/")),
    ],
)
def test_routes(tmp_path: Path, location: str, passed: str, expected: Route) -> None:
    found = hops(tmp_path, f"server {{ location {location} {{ proxy_pass {passed}; }} }}")
    assert next(iter(found.values())).routes == (expected,)


def test_a_named_location_serves_the_paths_of_those_that_use_it(tmp_path: Path) -> None:
    text = "server { location / { try_files $uri @app; } "
    text += "location /x { error_page 404 = @app; } location @app { proxy_pass http://a; } }"
    assert hops(tmp_path, text)["location @app"].routes == (Route("prefix", "/"), Route("prefix", "/x"))


def test_an_if_is_a_hop_of_its_own(tmp_path: Path) -> None:
    text = "server { location / { proxy_read_timeout 5s; if ($http_x) { proxy_pass http://a; } proxy_pass http://b; } }"
    found = hops(tmp_path, text)
    assert set(found) == {"location / (if)", "location /"}
    assert found["location / (if)"].value("read_timeout") == 5


# Files


def test_includes_bring_what_holds_around_them(tmp_path: Path) -> None:
    files = {
        "nginx/nginx.conf": "http { proxy_read_timeout 5m; include mime.types; include /etc/nginx/conf.d/*.conf; }",
        "nginx/conf.d/api.conf": "server { location / { include snippets/off.conf; proxy_pass http://api; } }",
        "nginx/snippets/off.conf": "proxy_buffering off;",
    }
    main = reading(tmp_path, files, "nginx/nginx.conf")
    (hop,) = main.hops
    assert (hop.value("read_timeout"), hop.value("buffering"), main.notes) == (300, False, ())
    assert hop.where.path.endswith("conf.d/api.conf")
    assert hop.get("buffering").where.path.endswith("snippets/off.conf")  # type: ignore[union-attr]
    assert reading(tmp_path, files, "nginx/conf.d/api.conf") == Reading()


def test_a_piece_beside_the_main_file_is_taken_in(tmp_path: Path) -> None:
    files = {
        "nginx.conf": "http { proxy_buffering off; include /etc/nginx/conf.d/*.conf; }",
        "default.conf": "server { location / { proxy_pass http://api; } }",
    }
    assert reading(tmp_path, files, "default.conf") == Reading()
    assert reading(tmp_path, files).hops[0].value("buffering") is False


def test_pieces_alone_are_read_as_they_are(tmp_path: Path) -> None:
    locations = reading(tmp_path, {"api.conf": "location /api { proxy_pass http://api; }"}, "api.conf")
    directives = reading(tmp_path, {"pass.conf": "proxy_pass http://api;"}, "pass.conf")
    assert [hop.name for hop in (*locations.hops, *directives.hops)] == ["location /api", "proxy_pass http://api"]


def test_circles_of_includes_end(tmp_path: Path) -> None:
    files = {
        "a.conf": "include b.conf; server { location / { proxy_pass http://a; } }",
        "b.conf": "include a.conf; include b.conf; server { location / { proxy_pass http://b; } }",
    }
    for name in files:
        assert reading(tmp_path, files, name).hops


@pytest.mark.parametrize(
    "text",
    [
        "server { location / { proxy_pass http://{{ host }}; } }",
        "{% if tls %}server { location / { proxy_pass http://a; } }{% endif %}",
        "server { location / { proxy_pass <%= @host %>; } }",
        "{{- range .Servers }} server { location / { proxy_pass http://a; } } {{ end }}",
    ],
)
def test_templates_are_a_note(tmp_path: Path, text: str) -> None:
    found = reading(tmp_path, {"nginx.conf": text})
    assert not found.hops
    assert [note.reason.split()[:2] for note in found.notes] == [["a", "template"]]


@pytest.mark.parametrize(
    "text",
    [
        "# {{ no template }}\nserver { location / { proxy_pass http://a; } }",
        'log_format j escape=json \'{"a": {"b": "$host"}}\'; server { location / { proxy_pass http://a; } }',
        'server { location ~ "^/[a-z]{2}/{{2}}" { proxy_pass http://a; } }',
    ],
)
def test_braces_are_not_yet_a_template(tmp_path: Path, text: str) -> None:
    assert len(reading(tmp_path, {"nginx.conf": text}).hops) == (0 if "{{2}}" in text else 1)


@pytest.mark.parametrize(
    "text", ["[program:x]\ncommand=nginx\n", "# upstream\nkey = value\n", "ProxyPass / http://a/\n", ""]
)
def test_other_programs_files_say_nothing(tmp_path: Path, text: str) -> None:
    assert reading(tmp_path, {"other.conf": text}, "other.conf") == Reading()


def test_bad_syntax_is_a_note_at_its_place(tmp_path: Path) -> None:
    found = reading(tmp_path, {"nginx.conf": "server {\n  location / {\n    proxy_pass http://a;\n  }}\n}\n"})
    assert not found.hops
    (note,) = found.notes
    assert (note.where.span.row, note.reason) == (5, 'not nginx\'s syntax: unexpected "}"')


# Hostile input


@pytest.mark.parametrize(
    "text",
    [
        "a {" * 100_000,
        "server { location / { proxy_pass http://a; " + "location / { proxy_pass http://a; " * 55 + "}" * 57,
        "server { location / { proxy_pass http://a; } " * 50_000,
        "proxy_pass " + "a" * 2_000_000 + ";",
        "proxy_pass $a; " + "set $a $a$a;" * 20_000,
        "".join(f"map $x $v{n} {{ a $v{n + 1}; b $v{n + 1}; c $v{n + 1}; }}" for n in range(30))
        + "proxy_pass http://$v0$v0$v0;",
        "x_by_lua_block { " + "--[[" * 300_000,
        "proxy_pass http://a; " + '"' * 999_999,
        "proxy_pass http://a;" + "\\" * 999_999,
        "server{location /{proxy_pass http://a;}}" * 30_000,
        "include *.conf; include nginx.conf; " * 2_000 + "proxy_pass http://a;",
    ],
    ids=range(11),
)
def test_hostile_text_takes_little_time(tmp_path: Path, text: str) -> None:
    start = time.monotonic()
    reading(tmp_path, {"nginx.conf": text})
    assert time.monotonic() - start < 10


def test_odd_bytes(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf# \xff\xfe\nserver { location /\xe4 { proxy_pass http://a; } }\n"
    assert [hop.name for hop in reading(tmp_path, {"nginx.conf": text}).hops] == ["location /ä"]
