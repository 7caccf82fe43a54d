"""A graph's run goes on after the client has left.

## What it does
Advises at `astream()` of a graph with `messages` or `custom` among its modes, or with `subgraphs=True`, that is iterated by
the response's own generator.

## Why it cuts the stream
It does not cut it: it costs. The server cancels the generator again and again when the client disconnects, which from
langgraph 0.2.61 on interrupts the run's own clean-up: the node that is running goes on to its end, with its tokens and a
slot of the worker, and nobody reads them (`the model keeps generating after disconnect`).

## Example
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def tokens():
    try:
        async for message, _ in graph.astream({"messages": []}, stream_mode="messages"):
            yield message.content
    except Exception:
        yield "(the model failed)"


@app.get("/chat")
async def chat():
    return StreamingResponse(tokens(), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def run(queue: asyncio.Queue):
    try:
        async for message, _ in graph.astream({"messages": []}, stream_mode="messages"):
            await queue.put(message.content)
    except Exception:
        await queue.put("(the model failed)")
    finally:
        queue.put_nowait(None)


async def tokens():
    queue = asyncio.Queue()
    task = asyncio.create_task(run(queue))
    try:
        while (token := await queue.get()) is not None:
            yield token
    finally:
        task.cancel()


@app.get("/chat")
async def chat():
    return StreamingResponse(tokens(), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Fix
None: run the graph in a task of its own and cancel that once, in the generator's `finally`.

## Limits
Modes that are not literal are silent, and so are synchronous graphs and nodes, whose threads nothing can stop. `values`,
`updates` and `astream_events` do stop with the client. An unknown version of langgraph is taken to be new.

## Evidence
`fixtures/LGS314/evidence.yaml`: the client leaves, and the model's answer is read to its end or not. langgraph 0.2.60 stops;
0.2.61, 0.2.62, 0.2.67, 0.2.70, 0.2.76, 0.3.34, 0.4.10, 0.5.4, 0.6.11 and 1.2.22 go on.

## References
- <https://anyio.readthedocs.io/en/stable/cancellation.html>
- <https://www.starlette.io/responses/#streamingresponse>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.runnables import RunnableCall
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.syntax import argument, string_value
from lg_stream_lint.python.uses import is_true
from lg_stream_lint.rules.base import Place, PythonRule
from lg_stream_lint.versions import told

_MODES = frozenset({"messages", "custom"})
_SINCE = ">=0.2.61"


class RunOutlivesClient(PythonRule):
    """Looks at the graphs that each response's generators iterate themselves."""

    severity = Severity.INFO
    in_tests = False
    loses_to = ("LGS202",)
    place = (("astream",), ("messages", "custom", "subgraphs"), ("@feeding",))
    evidence = (("@langchain",),)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one generator function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not (function.is_generator and function.is_async):
            return
        feeding = self.facts.streams.feeding(function)
        if not feeding:
            return
        fact = self.versions.of("langgraph")
        affected = fact.always(_SINCE) if fact is not None else None
        if affected is False:
            return
        stream = feeding[0][0]
        for source in sources(self.facts, function):
            call = source.runnable
            if call is None or call.by_name or call.role != "graph" or call.method != "astream":
                continue
            why = self._why(call)
            if why and call.module is self.module:
                known = told(fact, "langgraph", f"{_SINCE.removeprefix('>=')} or newer", decided=affected is True)
                self.report(
                    call.call,
                    f"With {why} ({known}) the running node goes on to its end after the client has left, unseen and paid for. "
                    f"Run the graph in its own task, and cancel that once in a `finally` of {function.name}().",
                    confidence=Confidence.HIGH if affected else Confidence.MEDIUM,
                    related=[Place(stream.module, stream.call, "the response")] if stream.call is not None else [],
                )

    def _why(self, call: RunnableCall) -> str:
        """The argument because of which the run does not stop; empty when it does, or that cannot be told."""
        mode = argument(call.call, "stream_mode")
        listed = [e.value for e in mode.elements] if isinstance(mode, (cst.List, cst.Tuple)) else [mode]
        for item in listed:
            text = string_value(item)
            if text in _MODES:
                return f'stream_mode="{text}"' if item is mode else f'"{text}" among the modes'
        return "subgraphs=True" if is_true(argument(call.call, "subgraphs")) else ""
