"""An event loop is started inside the running one.

## What it does
Reports `asyncio.run()`, `run_until_complete()` and kin in an async function, or in a plain function that it calls. In plain
request code it says (as advice) when `asyncio.run()` runs a model or graph that all requests share.

## Why it cuts the stream
The call raises at once: `RuntimeError: asyncio.run() cannot be called from a running event loop`, or `This event loop is
already running`. A route answers HTTP 500; a stream that has begun is cut. A client that is shared by several loops keeps
connections of a loop that is gone: `Event loop is closed`.

## Example
```python
import asyncio

from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


def ask(question):
    return asyncio.run(graph.ainvoke({"messages": [question]}))


@app.get("/chat")
async def chat(question: str):
    return ask(question)
```

## Use instead
```python
from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def ask(question):
    return await graph.ainvoke({"messages": [question]})


@app.get("/chat")
async def chat(question: str):
    return await ask(question)
```

## Fix
None: the functions on the way must become asynchronous.

## Limits
Plain functions are followed four calls deep. Plain routes, and synchronous nodes and tools, are run in a thread that has no
loop: silent. So is code that looks first whether a loop runs (`get_running_loop`, `is_running`), and a project that applies
`nest_asyncio`.

## Evidence
`fixtures/LGS206/evidence.yaml`.

## References
- <https://docs.python.org/3/library/asyncio-runner.html#asyncio.run>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.blocking import Reached
from lg_stream_lint.python.runnables import RunnableCall, runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import code_of, positional
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule

_REQUEST_CODE = frozenset({"route", "websocket", "node", "tool", "task", "background", "dependency"})
_FRAMEWORKS = (b"langgraph", b"langchain")


class EventLoopReentered(PythonRule):
    """Asks, for each async function, which loops are entered while it runs."""

    severity = Severity.ERROR
    in_tests = False
    evidence = (("run", "run_until_complete", "run_forever", "async_to_sync"),)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function):
            return
        if not function.is_async:
            self._judge_plain(function)
            return
        found = self.facts.loop_entries.reached(function)
        if found and self._counts(function) and not self.project.naming("nest_asyncio"):
            for reached in found:
                self._report(reached)

    def _counts(self, function: Function) -> bool:
        functions = self.facts.functions
        if functions.is_test(function):
            return False
        if functions.is_serving(function):
            return True
        named = any(word in self.module.source for word in _FRAMEWORKS)
        return named and not functions.only_run_by_script(function)

    def _report(self, reached: Reached) -> None:
        label = reached.site.label
        if reached.path:
            names = " → ".join(f"{function.name}()" for function in reached.path)
            start = f"{names} reaches {label}, which raises RuntimeError here"
        else:
            start = f"{label} raises RuntimeError here"
        message = (
            f"{start}: an event loop is already running. The request fails, or its stream is cut. "
            "Await the coroutine, or hand the plain function to asyncio.to_thread."
        )
        related = [Place(reached.site.module, reached.site.node, f"{label} is called here")] if reached.path else []
        self.report(reached.node, message, related=related)

    # Plain request code

    def _judge_plain(self, function: Function) -> None:
        entries = [call for call in function.calls if self.facts.loop_entries.label(call, self.module)]
        if not entries or not self.facts.functions.marks(function) & _REQUEST_CODE:
            return
        for call in entries:
            run = self._shared_run(call)
            if run is None:
                continue
            what = f"{code_of(run.call.func, 40)}()"
            self.report(
                call,
                f"Each request runs {what} in an event loop of its own, but the client is shared: its kept connections "
                'belong to loops that are gone ("Event loop is closed"). Make the function async and await it.',
                severity=Severity.INFO,
                related=[Place(run.module, run.call, f"{what} uses the shared client")] if run.call is not call else [],
            )

    def _shared_run(self, call: cst.Call) -> RunnableCall | None:
        """The asynchronous call of a shared model or graph that a loop is entered for, directly or in one async helper."""
        for given in positional(call)[:1]:
            if isinstance(given, cst.Call):
                run = runnable_call(self.facts, given, self.module)
                if run is not None:
                    return run if self._is_shared(run) else None
            for value in self.values_of(given):
                helper = value.function
                if value.kind != Kind.COROUTINE or helper is None:
                    continue
                for inner in helper.calls:
                    run = runnable_call(self.facts, inner, helper.module)
                    if run is not None and self._is_shared(run):
                        return run
        return None

    @staticmethod
    def _is_shared(run: RunnableCall) -> bool:
        """Whether a model or graph was made at the top of a module: once for all requests."""
        made = run.receiver
        if made is None or made.node is None or made.home is None or run.kind not in ("awaitable", "async-generator"):
            return False
        return made.home.function_at(made.node) is None
