"""What holds a stream back on its way: whether a proxy's buffering bites, and where ``X-Accel-Buffering: no`` releases it.

What was measured of nginx (1.22.1 and 1.31.5): with buffering on it still passes an answer in chunks as it comes; it holds what
ends with the connection, which is what most servers answer to its HTTP/1.0, and what gzip compresses. The header is obeyed by
the first nginx, which takes it away.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.files import Context, NotRead
from lg_stream_lint.roots import names_in

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.deploy.settings import Hop
    from lg_stream_lint.deploy.ways import Way

#: Proxies that obey the header, and take it away.
OBEDIENT = frozenset({"nginx", "ingress-nginx", "nginx-ingress", "kong"})
#: Proxies that speak HTTP/1.1 to the application where nothing else is written.
_SPEAKS_1_1 = frozenset({"ingress-nginx"})
#: Protocols in which nginx's answer from the application ends with the connection or a record of its own.
_NOT_HTTP = frozenset({"uwsgi", "fastcgi", "scgi"})
_EVENT_STREAM = "text/event-stream"

_EXTRAS = re.compile(
    r"""(?i)\bhttptools\b
    | \b(?:uvicorn|fastapi|fastapi-cli) [ \t]* \[ [^\]\r\n]*? \b(?:standard|all)\b
    | \b(?:uvicorn|fastapi|fastapi-cli) ["']? [ \t]* = [ \t]* \{ [^}\r\n]*? \b(?:standard|all)\b""",
    re.VERBOSE,
)
_DEPENDENCIES = re.compile(
    r"(?i)requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|pipfile(?:\.lock)?|(?:uv|poetry|pdm|pylock)\.(?:lock|toml)"
    r"|setup\.(?:py|cfg)|environment\.ya?ml|(?:.*\.)?dockerfile(?:\..*)?"
)


def is_on(hop: Hop, name: str) -> bool:
    """Whether a switch of a hop is known, and on."""
    return bool(hop.value(name, default=False))


def gets_header(hop: Hop, way: Way, code: CodeFacts) -> bool | None:
    """Whether ``X-Accel-Buffering: no`` reaches a hop from inside; None where that is not known."""
    carried = code.sends_accel
    for inner in way.proxies:
        if inner is hop:
            return carried
        forwards = inner.value("forwards_accel", "")
        if forwards == "set":
            carried = True
        elif inner.layer in OBEDIENT and forwards != "passed":
            carried = False  # it is taken away even where it is ignored
    return carried


def is_released(hop: Hop, way: Way, code: CodeFacts) -> bool | None:
    """Whether the header turns a hop's buffering off for the stream; None where that is not known."""
    if hop.layer not in OBEDIENT or is_on(hop, "ignores_accel"):
        return False
    return gets_header(hop, way, code)


def compresses(hop: Hop, code: CodeFacts) -> bool:
    """Whether a hop compresses the stream in a way that holds it back, as long as it is buffered."""
    compression = hop.get("compression")
    if compression is not None:
        return bool(compression.value)
    types = hop.value("compressed_types", ())
    is_sse = not code.streams or any(stream.sse for stream in code.streams)
    return is_on(hop, "buffering") and ("*" in types or (is_sse and _EVENT_STREAM in types))


def is_held(hop: Hop, way: Way, deployment: Deployment, code: CodeFacts) -> bool:
    """Whether a hop whose buffering is on holds the stream until it ends; otherwise only its headers wait."""
    version = hop.value("http_version", "1.1" if hop.layer in _SPEAKS_1_1 else None)
    if version is None or hop.value("protocol") in _NOT_HTTP:
        return True
    return version == "1.0" and not answers_in_chunks(hop, way, deployment, code)


def answers_in_chunks(hop: Hop, way: Way, deployment: Deployment, code: CodeFacts) -> bool:
    """Whether what a hop passes on to is known to answer HTTP/1.0 in chunks: uvicorn with httptools, nothing else."""
    if any(inner.layer in OBEDIENT for inner in _inside(hop, way)):
        return False
    server = way.server
    if server is not None:
        worker = str(server.value("worker_class", ""))
        parser = server.value("http_parser", "auto")
        if parser == "h11" or "H11" in worker or (server.layer != "uvicorn" and "uvicorn" not in worker):
            return False
        if parser == "httptools":
            return True
    return has_httptools(_folders(way, code), deployment.context)


def _inside(hop: Hop, way: Way) -> list[Hop]:
    """The proxies between the application and a hop."""
    proxies = list(way.proxies)
    return proxies[: proxies.index(hop)] if hop in proxies else []


def _folders(way: Way, code: CodeFacts) -> list[str]:
    """The folders of the application, where its dependencies are written."""
    if way.app is not None:
        return [os.path.dirname(way.app.path)]
    found = [os.path.dirname(stream.where.path) for stream in code.streams]
    return list(dict.fromkeys(found or [os.path.dirname(way.hops[0].where.path)]))


def has_httptools(folders: list[str], context: Context) -> bool:
    """Whether the dependencies written in these folders, or above them, bring uvicorn's faster parser."""
    seen: set[str] = set()
    for start in folders:
        folder = start
        while folder not in seen and context.holds(os.path.join(folder, "x")):
            seen.add(folder)
            if any(_brings_httptools(path, context) for path in _dependency_files(folder)):
                return True
            folder = os.path.dirname(folder)
    return False


def _dependency_files(folder: str) -> list[str]:
    below = [os.path.join("requirements", name) for name in names_in(os.path.join(folder, "requirements"))]
    found = [name for name in names_in(folder) if _DEPENDENCIES.fullmatch(name)]
    return [
        os.path.join(folder, name) for name in sorted(found) + sorted(n for n in below if n.endswith((".txt", ".in")))
    ]


def _brings_httptools(path: str, context: Context) -> bool:
    try:
        return _EXTRAS.search(context.open(path).text) is not None
    except NotRead:
        return False
