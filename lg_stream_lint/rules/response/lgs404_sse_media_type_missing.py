"""Server-sent events are sent without their media type.

## What it does
Reports a `StreamingResponse` whose generator yields server-sent events (`data: …`), but whose media type is missing or
another one than `text/event-stream`.

## Why it cuts the stream
The browser refuses it (`EventSource's response has a MIME type that is not "text/event-stream"`), httpx-sse raises
`SSEError`, and no event ever arrives. What compresses on the way (a proxy, a middleware) may hold the answer back as well: it
lets events through by their media type.

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

from lg_stream_lint.python.responses import EVENT_STREAM
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.rules.base import Place, PythonRule


class SseMediaTypeMissing(PythonRule):
    """Pairs each response with the generator that feeds it."""

    independent_of_async = True
    loses_to = ("LGS401", "LGS402", "LGS408")
    place = (("@responses",),)
    evidence = (("yield",),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            if stream.call is None or stream.row is None or stream.row.framing != "raw":
                continue
            given = self.facts.responses.media_type(stream)
            if given is None or given == EVENT_STREAM or self.facts.responses.never_awaited(stream):
                continue
            frame = self.facts.responses.frame(stream)
            if frame is not None:
                self._report(stream.call, given, frame)

    def _report(self, call: cst.Call, given: str, frame: tuple[Function, cst.Yield]) -> None:
        function, node = frame
        have = f"the media type {given}" if given else "no media type"
        place = Place(function.module, node, "an event is yielded here")
        self.report(
            call,
            f"{function.name}() yields server-sent events, but the response has {have}: EventSource and httpx-sse refuse "
            'it, and compression on the way may hold it back. Pass media_type="text/event-stream".',
            related=[place],
        )
