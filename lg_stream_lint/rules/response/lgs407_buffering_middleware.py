"""A middleware collects, compresses or cuts streamed answers.

## What it does
Reports a middleware that reads the whole body of a response before it sends it on, slowapi's `SlowAPIASGIMiddleware`, and
`GZipMiddleware` in versions of Starlette that hold a stream back in the compressor.

## Why it cuts the stream
The tokens leave the generator one by one, and wait in the middleware: the client gets everything at once, at the end.
`SlowAPIASGIMiddleware` sends the start of the response a second time, and the server cuts it after the first chunk. A
middleware that only passes the response on buffers nothing.

## Example
```python
import json

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.middleware("http")
async def log_body(request: Request, call_next):
    response = await call_next(request)
    body = b""
    async for chunk in response.body_iterator:
        body += chunk
    return Response(body, response.status_code, dict(response.headers))


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import json

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

app = FastAPI()


async def logged(body):
    async for chunk in body:
        print(len(chunk))
        yield chunk


@app.middleware("http")
async def log_body(request: Request, call_next):
    response = await call_next(request)
    response.body_iterator = logged(response.body_iterator)
    return response


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None: wrap the iterator, or let streams through.

## Limits
Only applications that stream tokens are judged. A middleware that looks at the path, the status, the content type or at
anything it asks another function for is taken to let streams through. Compression counts only where the version of
Starlette is known: it spares events from 0.46.0 on, and flushes every chunk of other streams from 1.5.0 on. A middleware
written against ASGI itself is not read.

## Evidence
`fixtures/LGS407/evidence.yaml`.

## References
- <https://www.starlette.io/middleware/#gzipmiddleware>
- <https://www.starlette.io/release-notes/>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python import types
from lg_stream_lint.python.responses import EVENT_STREAM
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import argument, called_name, walk_same_scope
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule
from lg_stream_lint.versions import told

_GZIP = frozenset({"starlette.middleware.gzip.GZipMiddleware", "fastapi.middleware.gzip.GZipMiddleware"})
_LISTED = "starlette.middleware.Middleware"
_CUTTING = "slowapi.middleware.SlowAPIASGIMiddleware"
#: What a test must look at for a middleware to tell one response from another.
_TELLING = frozenset({"headers", "path", "url", "media_type", "status_code", "scope", "raw_headers"})
_HOPS = 2


class BufferingMiddleware(PythonRule):
    """Looks at the middleware that a file installs or writes."""

    independent_of_async = True
    in_tests = False
    place = (("GZipMiddleware", "SlowAPIASGIMiddleware", "body_iterator", "add_middleware", "Middleware("),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge what the file installs, and the bodies that its functions read."""
        for call in self.module.calls:
            name = self._installed(call)
            if name in _GZIP:
                self._compression(call)
            elif name == _CUTTING:
                self._cutting(call)
        for function in self.module.functions:
            self._reading(function)

    def _streams(self) -> list[Stream]:
        """The token streams of the application that this file belongs to."""
        found = self.facts.streams.beside(self.module.path)
        return [s for s in found if s.call is not None and self.facts.responses.is_token_stream(s)]

    # What is installed

    def _installed(self, call: cst.Call) -> str:
        """The path of the middleware class that a call installs, if it is one of another library's."""
        node: cst.BaseExpression | None = call.func
        if called_name(call) == "add_middleware":
            node = argument(call, "middleware_class", 0)
        elif any(value.name == _LISTED for value in self.values_of(call.func)):
            node = argument(call, "cls", 0)
        for value in self.values_of(node) if node is not None else ():
            if value.kind == Kind.EXTERNAL:
                return value.name
            if value.kind == Kind.CLASS and value.cls is not None:
                return next((base for base in types.external_bases(self.facts.infer, value.cls) if base in _GZIP), "")
        return ""

    def _compression(self, call: cst.Call) -> None:
        starlette, fastapi = self.versions.of("starlette"), self.versions.of("fastapi")
        fact = starlette or fastapi
        if fact is None:
            return
        # FastAPI 0.115.9 and older ask for Starlette < 0.46.
        events = fact.always(">=0.46.0" if starlette is not None else ">=0.115.10") is False
        others = starlette is not None and starlette.always(">=1.5.0") is False
        for stream in self._streams():
            is_events = self.facts.responses.media_type(stream) == EVENT_STREAM
            if self.facts.responses.headers(stream).has("content-encoding") is not False:
                continue
            if (events and is_events) or ((others or events) and not is_events):
                what = "events" if is_events else "tokens"
                since = "0.46" if is_events else "1.5"
                self.report(
                    call,
                    f"Before Starlette {since} ({told(fact, fact.name, '')}) GZipMiddleware holds a stream of "
                    f"{what} back until it ends: they arrive all at once. Upgrade, or leave the compression to the proxy.",
                    related=[_place(stream)],
                )
                return

    def _cutting(self, call: cst.Call) -> None:
        streams = self._streams()
        if streams:
            self.report(
                call,
                "SlowAPIASGIMiddleware sends the start of a streamed response twice, and the server cuts it after the first "
                "chunk. Use slowapi's SlowAPIMiddleware.",
                severity=Severity.ERROR,
                related=[_place(streams[0])],
            )

    # What is written

    def _reading(self, function: Function) -> None:
        """A function that reads a body to its end, for a middleware."""
        if function.is_generator:
            return
        loop = next((loop for loop in function.loops if _is_body(loop.iter)), None)
        if loop is None or not self._serves_middleware(function, _HOPS):
            return
        streams = self._streams()
        if streams:
            self.report(
                loop.iter,
                f"{function.name}() reads the whole body before it is sent on: tokens arrive all at once, at the end. Wrap the "
                "iterator instead (response.body_iterator = wrap(response.body_iterator)), or let text/event-stream through.",
                severity=Severity.ERROR,
                related=[_place(streams[0])],
            )

    def _serves_middleware(self, function: Function, hops: int) -> bool:
        """Whether the function is a middleware that tells no response from another, or is called by one."""
        if _tells_apart(function):
            return False
        if "middleware" in self.facts.functions.marks(function):
            return True
        if hops <= 0:
            return False
        callers = [module.function_at(call) for module, call in self.facts.callers(function)]
        return any(caller is not None and self._serves_middleware(caller, hops - 1) for caller in callers)


def _is_body(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call) and node.args:
        return _is_body(node.args[0].value)
    return isinstance(node, cst.Attribute) and node.attr.value == "body_iterator"


def _tells_apart(function: Function) -> bool:
    """Whether a test in the function looks at what could be a stream's mark."""
    for node in walk_same_scope(function.node):
        if isinstance(node, (cst.If, cst.IfExp)):
            for part in walk_same_scope(node.test):
                if isinstance(part, cst.Call) and called_name(part) not in ("len", "bool"):
                    return True
                if isinstance(part, cst.Attribute) and part.attr.value in _TELLING:
                    return True
                if isinstance(part, cst.SimpleString) and "event-stream" in part.value:
                    return True
                if isinstance(part, cst.Name) and part.value in ("content_type", "media_type", "path"):
                    return True
    return False


def _place(stream: Stream) -> Place:
    assert stream.call is not None
    return Place(stream.module, stream.call, "a stream that goes through it")
