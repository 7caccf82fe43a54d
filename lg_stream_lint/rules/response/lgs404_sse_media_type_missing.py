"""Server-sent events are sent without their media type.

## What it does
Reports a `StreamingResponse` whose generator yields server-sent events (`data: …`), but whose media type is missing or
another one than `text/event-stream`.

## Why it cuts the stream
The browser refuses it (`EventSource's response has a MIME type that is not "text/event-stream"`), httpx-sse raises
`SSEError`, and proxies and compressing middleware hold the answer back: no event ever arrives.

## Example
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield 'data: {"token": "a"}\\n\\n'


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield 'data: {"token": "a"}\\n\\n'


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
```

## Fix
None yet: pass `media_type="text/event-stream"`.

## Limits
A media type in `headers=`, in a subclass, set on the response afterwards, or that cannot be resolved is taken to be right.
Newline-delimited JSON and plain text are no events and stay silent.

## Evidence
`fixtures/LGS404/evidence.yaml`.

## References
- <https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Link, Stream
from lg_stream_lint.python.syntax import string_value
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import Place, PythonRule

_EVENT_STREAM = "text/event-stream"


class SseMediaTypeMissing(PythonRule):
    """Pairs each response with the generator that feeds it."""

    independent_of_async = True
    loses_to = ("LGS401", "LGS402", "LGS408")
    place = (("@responses",),)
    evidence = (("yield",),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            if (
                stream.call is None
                or stream.row is None
                or stream.row.framing != "raw"
                or stream.row.media_type == _EVENT_STREAM
            ):
                continue
            given = self._media_type(stream, stream.call)
            if given is None or given.partition(";")[0].strip().lower() == _EVENT_STREAM:
                continue
            frame = self._frame(stream)
            if frame is not None and not self._changed_afterwards(stream.call):
                self._report(stream.call, given, frame)

    def _media_type(self, stream: Stream, call: cst.Call) -> str | None:
        """The media type that the response is given; empty for none, None when that cannot be told."""
        row = stream.row
        assert row is not None
        if any(arg.star for arg in call.args):
            return None
        for arg in call.args:
            if arg.keyword is not None and arg.keyword.value in row.media_type_keywords:
                return self._text(arg.value)
        headers = next(
            (a.value for a in call.args if a.keyword is not None and a.keyword.value == row.headers_keyword), None
        )
        positions = [a for a in call.args if a.keyword is None]
        if len(positions) > 2:  # content, status, headers, media type: rare, and not worth a table
            return None
        if headers is not None and not self._without_content_type(headers):
            return None
        return self._inherited(stream.class_value)

    def _text(self, node: cst.BaseExpression) -> str | None:
        literal = string_value(node)
        if literal is not None:
            return literal
        values = self.values_of(node)
        texts = [string_value(v.node) if v.kind == Kind.LITERAL and v.name == "str" else None for v in values]
        if isinstance(node, cst.Name) and node.value == "None":
            return ""
        return texts[0] if len(texts) == 1 else None

    def _without_content_type(self, headers: cst.BaseExpression) -> bool:
        """Whether a headers argument is known to set no content type."""
        values = self.values_of(headers)
        if not values:
            return False
        for value in values:
            if not isinstance(value.node, cst.Dict):
                return value.kind == Kind.LITERAL and value.name == "none"
            for element in value.node.elements:
                key = string_value(element.key) if isinstance(element, cst.DictElement) else None
                if key is None or key.lower() == "content-type":
                    return False
        return True

    def _inherited(self, value: Value | None) -> str | None:
        """The media type of a subclass; empty for the library's own class, None when the subclass may set it anywhere."""
        if value is None or value.kind != Kind.CLASS or value.cls is None:
            return ""
        for cls in types.bases(self.facts.infer, value.cls):
            if "media_type" in cls.scope.bindings or "__init__" in cls.methods or "init_headers" in cls.methods:
                return None
        return ""

    def _frame(self, stream: Stream) -> tuple[Function, cst.Yield] | None:
        """The generator that yields events to this response, looking through generators that only pass items on."""
        links = self.facts.streams.links(stream)
        for link in links:
            if not self._passes_on(link):
                continue
            found = self.facts.frames.yields_frames(link.function)
            if found is not None:
                return link.function, found
        return None

    @staticmethod
    def _passes_on(link: Link) -> bool:
        """Whether what a link yields reaches the response unchanged: it is the outermost, or is only passed on."""
        while link.outer is not None:
            loop, outer = link.loop, link.outer.function
            if isinstance(loop, cst.For) and isinstance(loop.target, cst.Name):
                name = loop.target.value
                if not any(isinstance(y.value, cst.Name) and y.value.value == name for y in outer.yields):
                    return False
            elif not isinstance(loop, cst.Yield):
                return False
            link = link.outer
        return True

    def _changed_afterwards(self, call: cst.Call) -> bool:
        """Whether the response is kept or handed on before it is returned, so that its media type may be set later."""
        parent = self.parent_of(call)
        if isinstance(parent, (cst.Return, cst.Await)):
            return False
        if (
            isinstance(parent, cst.Assign)
            and len(parent.targets) == 1
            and isinstance(parent.targets[0].target, cst.Name)
        ):
            return self._touched(parent.targets[0].target.value, call)
        return True

    def _touched(self, name: str, call: cst.Call) -> bool:
        """Whether a name that holds the response is used for more than being returned and given other headers."""
        scope = self.module.scope_at(call)
        for node, parent in self.module.parents.items():
            if (
                not isinstance(node, cst.Name)
                or node.value != name
                or isinstance(parent, (cst.Return, cst.AssignTarget))
            ):
                continue
            if self.module.scope_at(node).holder_of(name) is scope and not self._sets_other_header(parent):
                return True
        return False

    def _sets_other_header(self, attribute: cst.CSTNode) -> bool:
        """``response.headers["X-Accel-Buffering"]``: a literal key that is not the content type."""
        item = self.parent_of(attribute)
        if not isinstance(attribute, cst.Attribute) or attribute.attr.value != "headers":
            return False
        if not isinstance(item, cst.Subscript) or item.value is not attribute:
            return False
        index = item.slice[0].slice
        key = string_value(index.value) if isinstance(index, cst.Index) else None
        return key is not None and key.lower() != "content-type"

    def _report(self, call: cst.Call, given: str, frame: tuple[Function, cst.Yield]) -> None:
        function, node = frame
        have = f"the media type {given}" if given else "no media type"
        place = Place(function.module, node, "an event is yielded here")
        self.report(
            call,
            f"{function.name}() yields server-sent events, but the response has {have}: EventSource and httpx-sse refuse "
            'it, and proxies hold it back. Pass media_type="text/event-stream".',
            related=[place],
        )
