"""Every stream of sse-starlette is cut as soon as the server is told to stop.

## What it does
Reports sse-starlette's `EventSourceResponse` around the stream of a graph or model, when neither `shutdown_event` with
`shutdown_grace_period` is passed nor `AppStatus.disable_automatic_graceful_drain()` is called anywhere in the project.

## Why it cuts the stream
A server that gets SIGTERM lets running answers end. sse-starlette does not: it ends its streams at once, so every deploy,
scale-down and restart cuts every answer that is being written.

## Example
```python
import json

from fastapi import FastAPI
from langchain_openai import ChatOpenAI
from sse_starlette.sse import EventSourceResponse

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def events():
    try:
        async for chunk in llm.astream("Tell me a story"):
            yield {"data": json.dumps({"token": chunk.content})}
    except Exception:
        yield {"event": "error", "data": "the model failed"}


@app.get("/chat")
async def chat():
    return EventSourceResponse(events())
```

## Use instead
```python
import json

import anyio
from fastapi import FastAPI
from langchain_openai import ChatOpenAI
from sse_starlette.sse import EventSourceResponse

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def events():
    try:
        async for chunk in llm.astream("Tell me a story"):
            yield {"data": json.dumps({"token": chunk.content})}
    except Exception:
        yield {"event": "error", "data": "the model failed"}


@app.get("/chat")
async def chat():
    return EventSourceResponse(events(), shutdown_event=anyio.Event(), shutdown_grace_period=60)
```

## Fix
None: how long an answer may take is for the project to say.

## Limits
Subclasses of the response, and arguments that cannot be followed, are silent; so is a project that sets something on
`AppStatus` itself. The server's own grace, and that of what runs it, must be long enough as well.

## Evidence
`fixtures/LGS410/evidence.yaml`.

## References
- <https://github.com/sysid/sse-starlette>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.keywords import keywords_of
from lg_stream_lint.python.poisoning import poison_of_run
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import PythonRule
from lg_stream_lint.versions import told

_WAYS_OUT = (b"disable_automatic_graceful_drain", b"AppStatus.handle_exit", b"AppStatus.should_exit")


class SseCutAtShutdown(PythonRule):
    """Looks at how each of sse-starlette's responses is to end."""

    independent_of_async = True
    in_tests = False
    place = (("@responses",),)
    evidence = (("sse_starlette",),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            if stream.call is None or stream.row is None or stream.row.framing != "sse-starlette":
                continue
            if stream.class_value is not None and stream.class_value.kind == Kind.CLASS:
                continue
            if self._is_cut(stream, stream.call):
                self._report(stream, stream.call)

    def _is_cut(self, stream: Stream, call: cst.Call) -> bool:
        keywords = keywords_of(self.facts, call, self.module)
        if keywords.unknown or keywords.from_caller:
            return False
        if {"shutdown_event", "shutdown_grace_period"} <= keywords.given.keys():
            return False
        if any(self.project.mentioning(word) for word in _WAYS_OUT):
            return False
        return self.facts.responses.source(stream) is not None

    def _report(self, stream: Stream, call: cst.Call) -> None:
        fact = self.versions.of("sse-starlette")
        old = fact is not None and fact.always(">=3.2.1") is False
        since = "sse-starlette 3.2.1 or newer"
        if old and fact:
            since += f"; here is {told(fact, 'sse-starlette', '')}"
        found = self.facts.responses.source(stream)
        spoilt = poison_of_run(self.facts, found[1].runnable if found is not None else None)
        self.report(
            call,
            "sse-starlette ends this stream the moment the server gets SIGTERM: every deploy cuts every answer"
            f"{spoilt.clause}. Pass shutdown_event, and a shutdown_grace_period above the longest answer ({since}).",
            related=spoilt.places,
        )
