"""FastAPI's class for handlers that yield is used as a response.

## What it does
Reports `fastapi.sse.EventSourceResponse(…)` around anything but ready-made `data: …` text, and
`response_class=fastapi.sse.EventSourceResponse` on a handler that returns instead of yielding.

## Why it cuts the stream
The class only marks handlers that yield: FastAPI then encodes the items, adds the headers and sends pings. Built by hand it
encodes nothing: a dict ends the stream before its first byte (HTTP 200 and an empty body), plain text goes out without
`data:`. On a handler that returns, every request ends with an empty, cut body (`'coroutine' object is not iterable`).
sse-starlette's class of the same name is another one, and takes dicts.

## Example
```python
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse

app = FastAPI()


async def events():
    yield {"token": "a"}


@app.get("/chat")
async def chat():
    return EventSourceResponse(events())
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse

app = FastAPI()


@app.get("/chat", response_class=EventSourceResponse)
async def chat():
    yield {"token": "a"}
```

## Fix
None: yield in the handler, or build sse-starlette's `EventSourceResponse`.

## Limits
Items whose type is not known are not judged. A plain `def` handler that returns a generator works by accident and is silent.

## Evidence
`fixtures/LGS408/evidence.yaml`.

## References
- <https://fastapi.tiangolo.com/tutorial/server-sent-events/>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python import types
from lg_stream_lint.python.items import Item
from lg_stream_lint.python.responses import passes_on
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream, is_frame_text
from lg_stream_lint.python.templates import Hole, parts_of
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule

_MARKER = "fastapi-sse-marker"
_OBJECTS = frozenset({Item.DICT, Item.LIST, Item.MESSAGE, Item.TUPLE, Item.CHUNK})
_GENERATORS = (Kind.ASYNC_GENERATOR, Kind.GENERATOR)
_INSTEAD = "Use response_class=EventSourceResponse and yield in the handler, or sse_starlette.EventSourceResponse"


class SseClassMisused(PythonRule):
    """Looks at each use of the class, as a response and as a mark."""

    independent_of_async = True
    severity = Severity.ERROR
    place = (("@responses",),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses of the class that this file builds."""
        for stream in self.facts.streams.of(self.module):
            if stream.call is None or stream.row is None or stream.row.framing != _MARKER:
                continue
            if stream.class_value is not None and stream.class_value.kind == Kind.CLASS:
                continue
            if self.facts.responses.never_awaited(stream):
                continue  # said at the handler's response_class
            self._built(stream, stream.call)

    def _built(self, stream: Stream, call: cst.Call) -> None:
        for link in self.facts.streams.links(stream):
            if not passes_on(link):
                continue
            for item in link.function.yields:
                wrong, seen = self._wrong(item, link.function)
                if wrong:
                    self._report(call, wrong, seen, [Place(link.function.module, item, "yielded here")])
                    return
        if stream.content is not None:
            for value in self.values_of(stream.content):
                owner = value.inner
                if value.kind in _GENERATORS and owner is not None and owner.role in ("graph", "model"):
                    self._report(call, f"what {value.name}() yields", "an empty HTTP 200", [])
                    return

    def _wrong(self, item: cst.Yield, function: Function) -> tuple[str, str]:
        """What a yield gives that the class cannot send as an event, and what the client then gets."""
        node, module = item.value, function.module
        if not isinstance(node, cst.BaseExpression):
            return "", ""
        kind = self.facts.items.kind(node, module)
        broken = "HTTP 200 and a body that is cut here"
        if kind in _OBJECTS:
            return {Item.DICT: "dicts", Item.LIST: "lists", Item.TUPLE: "tuples"}.get(kind, "message objects"), broken
        if isinstance(node, (cst.Integer, cst.Float)) or (isinstance(node, cst.Name) and node.value == "None"):
            return "numbers and None", broken
        for value in self.facts.infer.of(node, module):
            if value.name.startswith("fastapi.sse.ServerSentEvent"):
                return "ServerSentEvent objects", broken
            cls = value.cls if value.kind == Kind.INSTANCE else None
            if cls is not None and "pydantic.BaseModel" in types.external_bases(self.facts.infer, cls):
                return f"{cls.name} objects", broken
        first = parts_of(node, module)[0]
        bare = kind in (Item.TEXT, Item.JSON, Item.INDENTED)
        if not isinstance(first, Hole) and first.strip() and len(function.yields) == 1:
            bare = not is_frame_text(first) and not first.lstrip().startswith(":")
        return ("text without data:", "text that it drops") if bare else ("", "")

    def _report(self, call: cst.Call, what: str, seen: str, related: list[Place]) -> None:
        self.report(
            call,
            f"fastapi.sse.EventSourceResponse only marks handlers that yield; built by hand it does not encode {what}, and the "
            f"client gets {seen}. {_INSTEAD}.",
            related=related,
        )

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge a handler that carries the mark and returns."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or function.is_generator:
            return
        responses = self.facts.responses
        if not function.decorators and not self.facts.functions.registered_by(function):
            return
        if responses.declared_framing(function) != _MARKER or not self.facts.functions.is_handler(function):
            return
        if not function.is_async and not self._returns_response(function):
            return
        found = responses.response_class(function)
        place: cst.CSTNode = found[1] if found is not None and found[0] is self.module else node.name
        self.report(
            place,
            f"{function.name}() returns, but FastAPI's EventSourceResponse as response_class is for handlers that yield: the "
            "client gets HTTP 200 and an empty, cut body. Yield in the handler, or drop the response_class.",
        )

    def _returns_response(self, function: Function) -> bool:
        """Whether a plain handler returns a response object (a generator works, by accident)."""
        return any(
            isinstance(ret.value, cst.Call) and self.facts.streams.response(ret.value, function.module) is not None
            for ret in function.returns
        )
