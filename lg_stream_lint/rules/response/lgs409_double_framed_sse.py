"""Ready-made server-sent events are framed a second time.

## What it does
Reports text that already begins with `data:` (or another field) and is yielded to a response that writes the frames itself:
sse-starlette's `EventSourceResponse`, or a FastAPI handler with `response_class=EventSourceResponse`.

## Why it cuts the stream
The client gets `data: data: {…}`: `JSON.parse` fails on every event, or nothing is shown at all.

## Example
```python
import json

from fastapi import FastAPI
from sse_starlette.sse import AppStatus, EventSourceResponse

AppStatus.disable_automatic_graceful_drain()
app = FastAPI()


async def events():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    return EventSourceResponse(events())
```

## Use instead
```python
import json

from fastapi import FastAPI
from sse_starlette.sse import AppStatus, EventSourceResponse

AppStatus.disable_automatic_graceful_drain()
app = FastAPI()


async def events():
    yield {"data": json.dumps({"token": "a"})}


@app.get("/chat")
async def chat():
    return EventSourceResponse(events())
```

## Fix
None yet: yield what stands behind `data:`, without the blank line.

## Limits
Bytes go through sse-starlette as they are and stay silent. Text whose beginning is not known is not judged.

## Evidence
`fixtures/LGS409/evidence.yaml`.

## References
- <https://github.com/sysid/sse-starlette>
- <https://fastapi.tiangolo.com/tutorial/server-sent-events/>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.items import event_data
from lg_stream_lint.python.responses import passes_on
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import called_name
from lg_stream_lint.python.templates import Hole, parts_of
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule

_FRAMERS = {
    "sse-starlette": "sse-starlette's EventSourceResponse",
    "fastapi-sse-marker": "FastAPI's EventSourceResponse",
}


class DoubleFramedSse(PythonRule):
    """Looks for field names in what is yielded to a response that adds them."""

    independent_of_async = True
    in_tests = False
    place = (("@feeding",),)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge the yields of one generator."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_generator:
            return
        framed = [
            (stream, framing)
            for stream, link in self.facts.streams.feeding(function)
            if passes_on(link) and (framing := self._framing(stream)) in _FRAMERS
        ]
        if not framed:
            return
        stream, framing = framed[0]
        for item in function.yields:
            if isinstance(item.value, cst.BaseExpression) and self._is_framed(item.value):
                self._report(item, stream, framing)

    def _framing(self, stream: Stream) -> str:
        if stream.handler is not None:
            return self.facts.responses.declared_framing(stream.handler)
        framing = stream.row.framing if stream.row is not None else ""
        return framing if framing == "sse-starlette" else ""  # FastAPI's class frames for handlers that yield only

    def _is_framed(self, node: cst.BaseExpression) -> bool:
        """Whether an item is text (or an event whose data is text) that is an event already."""
        if self._is_bytes(node):
            return False
        data = event_data(node)
        if data is not None:
            first = parts_of(data, self.module)[0]
            return not isinstance(first, Hole) and first.startswith("data:")
        return self.facts.frames.frames(node, self.module) and not self._is_prose(node)

    def _is_prose(self, node: cst.BaseExpression) -> bool:
        """Whether text that begins like another field than ``data`` has no line that says ``data:``, nor any line end."""
        parts = parts_of(node, self.module)
        if isinstance(parts[0], Hole) or parts[0].lstrip("\n").startswith("data:"):
            return False
        return not any("\n" in part for part in parts if isinstance(part, str))

    def _is_bytes(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.SimpleString):
            return isinstance(node.evaluated_value, bytes)
        if isinstance(node, cst.BinaryOperation):
            return self._is_bytes(node.left)
        if isinstance(node, cst.IfExp):
            return self._is_bytes(node.body) or self._is_bytes(node.orelse)
        if not isinstance(node, cst.Call):
            return False
        if called_name(node) == "encode":
            return True
        return any(
            ret.value is not None and self._is_bytes(ret.value)
            for value in self.values_of(node.func)
            if value.kind == Kind.FUNCTION and value.function is not None
            for ret in value.function.returns
        )

    def _report(self, item: cst.Yield, stream: Stream, framing: str) -> None:
        related = [Place(stream.module, stream.call, "the response")] if stream.call is not None else []
        self.report(
            item,
            f"{_FRAMERS[framing]} writes `data:` and the blank line itself, and this text has them already: the client gets "
            "`data: data: …` and cannot parse it. Yield what follows `data:` alone.",
            related=related,
        )
