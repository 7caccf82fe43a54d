"""How a stream ends when its generator raises: cut, or cleanly, so that the client cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.gate import is_test_module
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.rules.base import Place
from lg_stream_lint.versions import told

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts

_HTTP_MIDDLEWARE = "starlette.middleware.base.BaseHTTPMiddleware"


class CleanEnd(NamedTuple):
    """Why a failed stream ends cleanly; ``assumed`` when the version that decides it is not known."""

    why: str
    place: Place | None
    assumed: bool


def clean_end(facts: Facts, stream: Stream) -> CleanEnd | None:
    """The reason for a clean end, if there is one: an HTTP middleware on Starlette >= 0.46.0, or FastAPI's SSE class >= 0.135.1.

    Measured: starlette 0.45.3 cuts, 0.46.0 to 1.10.0 end cleanly; fastapi 0.135.0 cuts, 0.135.1 and 0.165.0 end cleanly.
    """
    versions = facts.project.versions(stream.module.path)
    if stream.handler is not None and _is_fastapi_sse(facts, stream):
        fact = versions.of("fastapi")
        always = fact.always(">=0.135.1") if fact is not None else None
        if always is not False:
            version = told(fact, "fastapi", "0.135.1 or newer", decided=always is True)
            return CleanEnd(f"FastAPI's EventSourceResponse, {version}", None, always is None)
    place = next((p for p in facts.http_middlewares if _together(facts, p, stream)), None)
    if place is None:
        return None
    fact = versions.of("starlette")
    always = fact.always(">=0.46.0") if fact is not None else None
    if always is False:
        return None
    version = told(fact, "starlette", "0.46 or newer", decided=always is True)
    name = _name_of(place)
    place = place._replace(message=f"{name} is an HTTP middleware, which ends a failed stream cleanly ({version})")
    return CleanEnd(f"the HTTP middleware {name}, {version}", place, always is None)


def _name_of(place: Place) -> str:
    owner = place.module.owners.get(place.node)
    return f"{owner.qualname.replace('.<locals>', '')}()" if owner is not None else "here"


def _is_fastapi_sse(facts: Facts, stream: Stream) -> bool:
    if stream.handler is None:
        return False
    for decorator in stream.handler.decorators:
        if isinstance(decorator, cst.Call):
            for arg in decorator.args:
                if arg.keyword is not None and arg.keyword.value == "response_class":
                    for value in facts.infer.of(arg.value, stream.module):
                        row = facts.streams.response_class(value)
                        if row is not None and row.framing == "fastapi-sse-marker":
                            return True
    return False


def _together(facts: Facts, place: Place, stream: Stream) -> bool:
    """Whether a middleware and a response belong to one application, as far as imports tell."""
    return facts.project.import_graph.together(place.module.path, stream.module.path)


def find_http_middlewares(facts: Facts) -> list[Place]:
    """Where the project writes a ``BaseHTTPMiddleware`` or an ``@app.middleware("http")``."""
    project = facts.project
    paths = [*project.mentioning(b"BaseHTTPMiddleware"), *project.mentioning(b".middleware(")]
    found = []
    for path in dict.fromkeys(paths):
        module = project.module(path) if not is_test_module(path) else None
        for function in module.functions if module is not None else ():
            if "middleware" in facts.functions.marks(function) and function.name != "__call__":
                found.append(Place(function.module, function.node, "the HTTP middleware that hides the failure"))
    return found
