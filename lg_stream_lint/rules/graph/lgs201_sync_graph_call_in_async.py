"""A synchronous graph or model call runs on the event loop.

## What it does
Reports `.stream()`, `.invoke()` and `.batch()` (and `.get_state()`, `.update_state()`) of a compiled graph, chain, agent or
chat model that run on the event loop: directly in an `async def`, or in a plain function that it calls.

## Why it cuts the stream
The call holds the event loop until the model has answered. Every other open stream freezes, health checks go
unanswered, tokens arrive all at once at the end, and gunicorn kills the worker (`WORKER TIMEOUT`) with all its streams.

## Example
```python
from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    return graph.invoke({"messages": []})
```

## Use instead
```python
from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    return await graph.ainvoke({"messages": []})
```

## Fix
None yet. Await the asynchronous twin (`ainvoke`, `astream`, `abatch`, `aget_state`), hand the call to
`asyncio.to_thread`, or make the handler a plain `def`, which the framework runs in a thread. `stream()` makes its items
while it is iterated, so there the loop itself goes to a thread: `async for … in iterate_in_threadpool(graph.stream(…))`,
from `starlette.concurrency`.

## Limits
A receiver that cannot be resolved is judged by its name (`graph`, `agent`, `chain`, `workflow`, `runnable`, `llm`,
`model`), with confidence `medium`. Plain functions are followed four calls deep. Synchronous nodes and tools are silent:
LangGraph runs them in a thread. So is code that only a script runs through `asyncio.run`.

## Evidence
`fixtures/LGS201/evidence.yaml`: while the broken handler runs, `/health` of the same server is not answered.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming>
- <https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.blocking import Reached
from lg_stream_lint.python.runnables import RunnableCall
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.rules.base import Place, PythonRule

_STATE = ("get_state", "update_state", "get_state_history", "bulk_update_state")
_TWINS = {
    "stream": "async for … in {}.astream()",
    "get_state_history": "async for … in {}.aget_state_history()",
    "batch": "await {}.abatch()",
}
_ITERATED = frozenset({"stream", "get_state_history"})


class SyncGraphCallInAsync(PythonRule):
    """Asks, for each async function, what blocks while it runs."""

    severity = Severity.ERROR
    loses_to = ("LGS202", "LGS205")
    place = (("async def",),)
    evidence = (("@langchain",), ("stream", "invoke", "batch", "_state", "generate", "predict", "run"))
    in_tests = False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one async function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_async:
            return
        found = [reached for reached in self.facts.blocking.reached(function) if reached.site.runnable is not None]
        if found and not self._is_elsewhere(function):
            for reached in found:
                self._report(reached)

    def _is_elsewhere(self, function: Function) -> bool:
        functions = self.facts.functions
        return functions.is_test(function) or functions.only_run_by_script(function)

    def _report(self, reached: Reached) -> None:
        call = reached.site.runnable
        assert call is not None
        severity = self.severity
        if call.method in _STATE:
            if self.facts.graphs.has_cheap_state(call.receiver):
                return
            severity = Severity.WARNING
        func = call.call.func
        receiver = code_of(func.value, 40) if isinstance(func, cst.Attribute) else "graph"
        twin = _TWINS.get(call.method, "await {}.a" + call.method + "()").format(receiver)
        what = f"{receiver}.{call.method}()"
        if reached.path:
            names = " → ".join(f"{function.name}()" for function in reached.path)
            start = f"{names} reaches {what}, which blocks the event loop"
        else:
            start = f"{what} blocks the event loop"
        message = (
            f"{start}: every open stream and health check waits until it returns. {self._instead(call, f'`{twin}`')}."
        )
        related = [Place(call.module, call.call, f"{what} blocks here")] if reached.path else []
        confidence = Confidence.MEDIUM if call.by_name else Confidence.HIGH
        self.report(reached.node, message, severity=severity, confidence=confidence, related=related)

    def _instead(self, call: RunnableCall, twin: str) -> str:
        """What to write: the asynchronous twin, unless the graph's checkpointer would refuse it."""
        sync = self.facts.graph_uses.only_saver(call.call, call.module, "sync") if call.role == "graph" else None
        # Iterators make their items where they are iterated: a thread that only calls for one takes nothing off the loop.
        thread = "Starlette's iterate_in_threadpool()" if call.method in _ITERATED else "asyncio.to_thread"
        if sync is None:
            return f"Use {twin}, or {thread}"
        saver = sync[0].name.rpartition(".")[2]
        return f"Use {thread}, or {twin} with an asynchronous checkpointer ({saver} has no async methods)"
