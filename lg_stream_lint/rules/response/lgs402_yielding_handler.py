"""A route handler yields where the framework does not stream what it yields.

## What it does
Reports `yield` in a FastAPI handler before FastAPI 0.134, in a Starlette endpoint, and, in every version of FastAPI, ready-made
server-sent events (`data: …`) yielded without `response_class=StreamingResponse`.

## Why it cuts the stream
Before 0.134 an async handler that yields gives HTTP 500 (`'async_generator' object is not iterable`), a plain one a list
that is complete before it is sent. From 0.134 on the items are streamed as lines of JSON: an event arrives as the string
`"data: …\\n\\n"`, which no SSE client understands. Starlette answers HTTP 500 in every version.

## Example
```python
import json

from fastapi import FastAPI

app = FastAPI()


@app.get("/chat")
async def chat():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"
```

## Use instead
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None: move the yields into a generator of their own and return `StreamingResponse` around it; or yield dicts under
`response_class=fastapi.sse.EventSourceResponse` (FastAPI 0.135).

## Limits
Where FastAPI's version is not known, or a range allows both, only ready-made events are reported: they are wrong in every
version. Handlers behind a decorator of the project's own, and projects that set a `default_response_class`, are silent.

## Evidence
`fixtures/LGS402/evidence.yaml`.

## References
- <https://fastapi.tiangolo.com/release-notes/>
- <https://fastapi.tiangolo.com/tutorial/server-sent-events/>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule
from lg_stream_lint.versions import told

_OTHERS = frozenset({"flask", "quart", "litestar", "django", "sanic", "aiohttp"})
_INSTEAD = "Return StreamingResponse(…) around a generator"


class YieldingHandler(PythonRule):
    """Looks at the handlers that yield."""

    independent_of_async = True
    severity = Severity.ERROR
    in_tests = False
    place = (("yield",), ("@", "route", "Route", "path("))
    evidence = (("fastapi", "starlette"),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the handlers of this file that yield."""
        for stream in self.facts.streams.of(self.module):
            if stream.handler is not None and "route" in self.facts.functions.marks(stream.handler):
                self._handler(stream, stream.handler)

    def _handler(self, stream: Stream, handler: Function) -> None:
        if self._is_starlette(handler):
            self.report(
                handler.yields[0],
                f"{handler.name}() is a Starlette endpoint that yields: every request fails with HTTP 500. {_INSTEAD}.",
            )
            return
        frameworks = self.facts.functions.frameworks(handler)
        if "fastapi" not in frameworks or frameworks & _OTHERS or self._may_be_wrapped(handler):
            return
        framing = self.facts.responses.declared_framing(handler)
        if framing in ("fastapi-sse-marker", "?"):
            return
        fact = self.versions.of("fastapi")
        if fact is not None and fact.always(">=0.134") is False:
            self._old(stream, handler, told(fact, "fastapi", ""))
        elif not framing and not self.project.mentioning(b"default_response_class"):
            self._events(stream, handler)

    def _old(self, stream: Stream, handler: Function, version: str) -> None:
        if handler.is_async:
            seen = "every request fails with HTTP 500"
        elif self.facts.responses.source(stream) is not None or self.facts.responses.frame(stream) is not None:
            seen = "everything is collected into one JSON list and arrives at once"
        else:
            return
        self.report(
            handler.yields[0],
            f"{handler.name}() yields, which FastAPI does not know before 0.134 ({version}): {seen}. {_INSTEAD}.",
        )

    def _events(self, stream: Stream, handler: Function) -> None:
        found = self.facts.responses.frame(stream)
        if found is None:
            return
        function, item = found
        related = [] if function is handler else [Place(function.module, item, "an event is yielded here")]
        self.report(
            item if function is handler else handler.yields[0],
            f"{handler.name}() yields ready-made events without response_class=StreamingResponse: FastAPI encodes each as a "
            f"JSON string (before 0.134: HTTP 500), and no SSE client understands it. {_INSTEAD}.",
            related=related,
        )

    def _is_starlette(self, handler: Function) -> bool:
        """Whether the handler is given to Starlette's own routing."""
        for module, call in self.facts.functions.registered_by(handler):
            for value in self.facts.infer.of(call.func, module):
                owner = value.inner.name if value.inner is not None else ""
                if value.name == "starlette.routing.Route" or owner.startswith("starlette."):
                    return True
        return False

    def _may_be_wrapped(self, handler: Function) -> bool:
        for decorator in handler.decorators:
            target = decorator.func if isinstance(decorator, cst.Call) else decorator
            if any(value.kind in (Kind.FUNCTION, Kind.CLASS, Kind.CONTEXT) for value in self.values_of(target)):
                return True
        return False
