"""Which of a server's locations carry a stream, and what releases it there; the repairs of nginx's directives."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.deploy.carries import carries, through
from lg_stream_lint.deploy.code import CodeFacts, StreamFact
from lg_stream_lint.deploy.files import Context
from lg_stream_lint.deploy.holding import gets_header, has_httptools
from lg_stream_lint.deploy.readers import nginx
from lg_stream_lint.deploy.repairs import with_value
from lg_stream_lint.deploy.settings import Hop, Where
from lg_stream_lint.deploy.ways import Way
from lg_stream_lint.finding import Span

HERE = Where("/app/main.py", Span(1, 1, 1, 2))


def stream(*routes: str, accel: bool | None = False) -> StreamFact:
    """A stream at some paths."""
    return StreamFact(HERE, routes, None, accel, sse=True, late_headers=False, tools=False)


def code(*routes: str) -> CodeFacts:
    """An application with one stream."""
    return CodeFacts(streams=(stream(*routes),), complete=True)


def hops(folder: Path, text: str) -> list[Hop]:
    """The hops of a configuration."""
    (folder / "nginx.conf").write_text(text)
    context = Context(str(folder))
    return list(nginx.read(context.open(str(folder / "nginx.conf")), context).hops)


def carrying(folder: Path, facts: CodeFacts, *locations: str, sure: bool = True) -> set[str]:
    """Which of the locations carry a stream; ``/api>frontend:3000/x`` leads to another address, all others to one."""
    text = ""
    for location in locations:
        path, _, address = location.partition(">")
        text += f"location {path} {{ proxy_pass http://{address or 'api:8000'}; }}\n"
    found = hops(folder, f"server {{ {text} }}")
    return {hop.name.removeprefix("location ") for hop in found if carries(hop, found, facts, sure=sure)}


@pytest.mark.parametrize(
    ("route", "locations", "expected"),
    [
        ("/chat", ["/"], {"/"}),
        ("/chat", ["/", "/chat"], {"/chat"}),
        ("/chat", ["/", "/api/"], {"/api/"}),  # the router's prefix is written elsewhere
        ("/chat", ["/", "/api/chat"], {"/api/chat"}),
        ("/chat", ["/api/", "/api/chat/", "/api/health"], {"/api/chat/"}),
        ("/api/chat", ["/", "/api/", "/api/chat/history"], {"/api/"}),
        ("/chat", ["/myapp/"], {"/myapp/"}),
        ("/chat", ["/myapp/", "/other/"], set()),  # nothing speaks for either
        ("/ask", ["/api/users/", "/api/", "/api/orders/"], {"/api/"}),
        ("/stories", ["/api/", "/api/agent/"], {"/api/agent/"}),
        ("/chat", ["= /chat", "/"], {"= /chat"}),
        ("/chat", ["= /other", "/"], {"/"}),
        ("/chat", ["/static/", "/health", "/docs", "/metrics", "/ws/", "/_next/", "/favicon.ico"], set()),
        ("/docs/ask", ["/docs", "/"], {"/docs"}),
        ("/chat", ["/ws/chat", "/"], {"/ws/chat"}),
        ("/chat/{thread}/stream", ["/", "~ ^/chat/[^/]+/stream$"], {"~ ^/chat/[^/]+/stream$"}),
        ("/chat", [r"~* \.(js|css|png)$", "/"], {"/"}),
        ("/chat", ["/v1/", "/v1/>other:9000"], {"/v1/"}),
    ],
)
def test_known_paths(tmp_path: Path, route: str, locations: list[str], expected: set[str]) -> None:
    assert carrying(tmp_path, code(route), *locations) == expected


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        (["/", "/chat"], {"/chat"}),
        (["/", "/api/", "/api/stream"], {"/api/stream"}),
        (["/", "/api/"], {"/api/"}),
        (["/health", "/"], {"/"}),
    ],
)
def test_paths_that_are_not_literal(tmp_path: Path, locations: list[str], expected: set[str]) -> None:
    assert expected <= carrying(tmp_path, code(), *locations)


def test_without_code_only_words_like_stream_count(tmp_path: Path) -> None:
    assert carrying(tmp_path, CodeFacts(), "/", "/api/", "/chat", "/api/stream") == {"/api/stream"}
    assert carrying(tmp_path, CodeFacts(complete=True), "/api/stream") == set()


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("api.example.com", False), ("api.openai.com:443", False), ("docs.internal", True), ("10.0.0.7:8000", True),
        ("api.default.svc.cluster.local", True), ("localhost:8000", True), ("[::1]:8000", True), ("app", True),
    ],
)  # fmt: skip
def test_addresses_out_of_the_project(tmp_path: Path, address: str, is_ours: bool) -> None:
    assert bool(carrying(tmp_path, code("/chat"), f"/>{address}", sure=False)) is is_ours


def test_a_frontend_beside_the_application(tmp_path: Path) -> None:
    facts = code("/chat")
    assert carrying(tmp_path, facts, "/>frontend:3000", "/api/", sure=False) == {"/api/"}
    assert carrying(tmp_path, facts, "/>web:80", "/chat>api:80/", sure=False) == {"/chat"}


def test_each_location_has_its_own_streams(tmp_path: Path) -> None:
    facts = CodeFacts(streams=(stream("/chat", accel=True), stream("/events", accel=False)), complete=True)
    found = hops(
        tmp_path, "server { location /chat { proxy_pass http://a; } location /events { proxy_pass http://a; } }"
    )
    narrowed = [through(hop, found, facts) for hop in found]
    assert [facts.sends_accel for facts in narrowed if facts is not None] == [True, False]


@pytest.mark.parametrize(
    ("inner", "sends", "expected"),
    [
        ("", True, False), ("proxy_pass_header X-Accel-Buffering;", True, True), ("add_header X-Accel-Buffering no;", False, True),
        ("proxy_pass_header X-Accel-Buffering;", False, False), ("proxy_ignore_headers X-Accel-Buffering;", True, False),
        ("proxy_pass_header X-Accel-Buffering;", None, None),
    ],
)  # fmt: skip
def test_whether_the_header_comes_through(
    tmp_path: Path,
    inner: str,
    sends: bool | None,
    expected: bool | None,
) -> None:
    text = (
        f"server {{ location / {{ proxy_pass http://a; {inner} }} }} server {{ location / {{ proxy_pass http://b; }} }}"
    )
    first, second = hops(tmp_path, text)
    facts = CodeFacts(streams=(stream("/chat", accel=sends),), complete=True)
    way = Way((first, second), None, sure=True)
    assert gets_header(first, way, facts) is sends
    assert gets_header(second, way, facts) is expected


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("requirements.txt", "uvicorn[standard]==0.30\n", True), ("requirements.txt", "fastapi[all]\n", True),
        ("requirements/base.txt", "uvicorn[standard]\n", True), ("pyproject.toml", 'dependencies = ["fastapi[standard]>=1"]', True),
        ("pyproject.toml", 'uvicorn = {extras = ["standard"], version = "^0.30"}', True), ("uv.lock", 'name = "httptools"', True),
        ("Dockerfile", 'RUN pip install "uvicorn[standard]"', True), ("requirements.txt", "uvicorn\nfastapi\n", False),
        ("notes.txt", "uvicorn[standard]\n", False), ("pyproject.toml", 'uvicorn = "^0.30"\nx = {extras = ["standard"]}', False),
    ],
)  # fmt: skip
def test_who_has_httptools(tmp_path: Path, file: str, text: str, expected: bool) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert has_httptools([str(tmp_path / "app")], Context(str(tmp_path))) is expected


# Repairs


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("proxy_pass http://a;", "proxy_pass http://a;\n    proxy_buffering off;"),
        ("proxy_pass http://a; # why", "proxy_pass http://a;\n    proxy_buffering off; # why"),
        ("proxy_buffering on; # why\n    proxy_pass http://a;", "proxy_buffering off; # why\n    proxy_pass http://a;"),
        ("proxy_pass http://a\n    ;", None),
        ("if ($x) {\n    proxy_pass http://a;\n    }", None),
        ('proxy_buffering "${B:-on}";\n    proxy_pass http://a;', None),
    ],
)
def test_repairs(tmp_path: Path, inside: str, expected: str | None, end: str) -> None:
    text = f"server {{\n  location / {{\n    {inside}\n  }}\n}}\n".replace("\n", end)
    (tmp_path / "nginx.conf").write_bytes(text.encode())
    context = Context(str(tmp_path))
    file = context.open(str(tmp_path / "nginx.conf"))
    (hop,) = nginx.read(file, context).hops
    setting = hop.get("buffering")
    assert setting is not None
    fix = with_value(hop, setting, "off", context)
    if expected is None:
        assert fix is None
        return
    assert fix is not None
    (edit,) = fix.edits
    starts = [0]
    for line in file.text.split(end):
        starts.append(starts[-1] + len(line) + len(end))
    begin = starts[edit.span.row - 1] + edit.span.column - 1
    finish = starts[edit.span.end_row - 1] + edit.span.end_column - 1
    assert file.text[:begin] + edit.content + file.text[finish:] == text.replace(
        inside.replace("\n", end), expected.replace("\n", end)
    )
