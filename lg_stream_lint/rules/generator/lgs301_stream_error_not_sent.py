"""An error of the model ends the stream, and the client is not told.

## What it does
Reports the loop in which a generator that feeds a response iterates a graph, chain or model, when no `try` inside that
generator (or inside one around it) catches the error and sends an event. Reports the response that is given the stream
itself, or a generator expression over it, where no `try` can stand.

## Why it cuts the stream
The status 200 is already sent. When the provider fails, the client gets half an answer and a cut connection
(`peer closed connection without sending complete message body (incomplete chunked read)`), or even a clean end; SDK
retries stop at the first byte, and a `try` around `return StreamingResponse(…)` catches nothing. Where a checkpointer keeps
a tool call whose result never came, the thread rejects every later turn (`INVALID_CHAT_HISTORY`).

## Example
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def frames():
    async for chunk in graph.astream({"messages": []}):
        yield f"data: {json.dumps(list(chunk))}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def frames():
    try:
        async for chunk in graph.astream({"messages": []}):
            yield f"data: {json.dumps(list(chunk))}\\n\\n"
    except Exception:
        yield 'event: error\\ndata: {"error": "the model failed"}\\n\\n'


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet. Catch `Exception` inside the generator, log it, yield an error event, and return.

## Limits
A handler counts as telling the client when it yields, puts something on a queue, or keeps the error for a later yield.
Queues filled by another task are not followed. Catching a provider's own errors is taken as enough, though
`openai.APIError` misses transport errors before openai 3.14.

## Evidence
`fixtures/LGS301/evidence.yaml`: the fake provider dies in mid-stream.

## References
- <https://www.starlette.io/responses/#streamingresponse>
- <https://github.com/Kludex/starlette/blob/main/docs/release-notes.md>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.guards import chain_sends_error, narrow_handler
from lg_stream_lint.python.poisoning import poison_of_run
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import Source, sources, unguarded
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.rules.base import Place, PythonRule


class StreamErrorNotSent(PythonRule):
    """Asks, for each generator that feeds a response, whether an error in its model loop reaches the client."""

    independent_of_async = True
    loses_to = ("LGS403",)
    place = (("@feeding", "@responses"),)
    evidence = (("langgraph", "langchain", "openai", "anthropic", "astream", "litellm", "groq", "mistralai", "genai"),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses of this file that are given a stream as it comes."""
        for stream in self.facts.streams.of(self.module):
            if stream.call is None or stream.content is None:
                continue
            for value in self.values_of(stream.content):
                source = unguarded(self.facts, value, stream.call)
                if source is not None:
                    self._report(None, source, stream)
                    break

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one generator function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_generator:
            return
        found = list(sources(self.facts, function))
        if not found:
            return
        feeding = self.facts.streams.feeding(function)
        for source in found:
            for stream, link in feeding:
                if not chain_sends_error(self.facts, link, source.node):
                    self._report(function, source, stream)
                    break

    def _report(self, function: Function | None, source: Source, stream: Stream) -> None:
        clean = self.facts.clean_end(stream)
        related = []
        if stream.call is not None and stream.module is not self.module:
            related.append(Place(stream.module, stream.call, "the response that is fed from here"))
        end = "half an answer, then a cut connection"
        severity = self.severity
        confidence = Confidence.MEDIUM if source.by_name else Confidence.HIGH
        if clean is not None:
            severity = Severity.ERROR
            end = f"half an answer with a clean end ({clean.why})"
            if clean.place is not None:
                related.append(clean.place)
            if clean.assumed:
                confidence = Confidence.MEDIUM
        retries = (
            " Retries stop at the first byte." if source.runnable is None or source.runnable.role == "model" else ""
        )
        spoilt = poison_of_run(self.facts, source.runnable)
        related.extend(spoilt.places)
        start = f"If {source.label} raises here"
        narrow = narrow_handler(self.facts, function, source.node) if function is not None else None
        if narrow is not None:
            handler, missed = narrow
            caught = code_of(handler.type, 40) if handler.type is not None else ""
            start = f"`except {caught}` misses {missed}: if {source.label} raises one"
            related.append(Place(self.module, handler, "this handler tells the client, of too few errors"))
        inside = "Iterate it in a generator function and catch Exception there"
        if function is not None:
            inside = f"Catch Exception inside {function.name}()"
        self.report(
            source.node,
            f"{start}, the client gets HTTP 200 and {end}{spoilt.clause}.{retries} "
            f"{inside}, yield an error event, then return.",
            severity=severity,
            confidence=confidence,
            related=related,
        )
