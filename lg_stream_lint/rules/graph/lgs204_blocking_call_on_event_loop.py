"""A blocking call runs on the event loop of a streaming path.

## What it does
Reports a call that makes its thread wait (`time.sleep`, `requests`, a synchronous SDK or database client, `subprocess` …)
and that runs on the event loop: in an async handler, stream generator, node, tool or middleware, in an async function
that one of them calls, or in a plain function on the way.

## Why it cuts the stream
While the call waits, nothing else runs: every open stream freezes, pings are not sent, `/health` is not answered, and a
liveness probe or gunicorn (`WORKER TIMEOUT`) kills the worker with all its streams.

## Example
```python
import time

from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    time.sleep(2)
    return await graph.ainvoke({"messages": []})
```

## Use instead
```python
import asyncio

from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    await asyncio.sleep(2)
    return await graph.ainvoke({"messages": []})
```

## Fix
None yet. Await an asynchronous client, hand the call to `asyncio.to_thread`, or make a node or tool a plain `def`:
LangGraph runs it in a thread.

## Limits
Known calls only; users add their own with `extend.blocking`. Plain functions are followed four calls deep. An async
function counts when it is marked itself (handler, node, tool, middleware, dependency), feeds a response, or is called by
one that does; a function whose callers are not found stays silent. The database calls of one function are one
finding, at the first.

## Evidence
`fixtures/LGS204/evidence.yaml`: while the broken application streams, `/health` of the same server is not answered.

## References
- <https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code>
"""

from __future__ import annotations

import re

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.around import Limit, killed_by, watchdogs
from lg_stream_lint.python.blocking import Reached, Site
from lg_stream_lint.python.lengths import length_of
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.rules.base import Elsewhere, Place, PythonRule

#: One connection, many statements, one repair: a function's database calls are one finding.
_QUERIES = "database"
_MOST_PLACES = 5
#: Methods of LangChain's ``VectorStore`` that it also has as coroutines.
_HAS_TWIN = re.compile(r"similarity_search|max_marginal_relevance_search|search$|add_|delete$|from_(documents|texts)$")


class BlockingCallOnEventLoop(PythonRule):
    """Asks, for each async function that serves, what blocks while it runs."""

    loses_to = ("LGS201",)
    place = (("async def",),)
    in_tests = False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one async function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_async:
            return
        found = [reached for reached in self.facts.blocking.reached(function) if reached.site.known is not None]
        functions = self.facts.functions
        if found and not functions.is_test(function) and functions.is_serving(function):
            queries = [reached for reached in found if self._category(reached) == _QUERIES]
            for reached in found:
                if reached not in queries[1:]:
                    self._report(reached, queries[1:] if reached in queries else [])

    @staticmethod
    def _category(reached: Reached) -> str:
        return reached.site.known.category if reached.site.known is not None else ""

    def _report(self, reached: Reached, more: list[Reached]) -> None:
        site = reached.site
        assert site.known is not None
        label = f"{site.label}()"
        if reached.path:
            names = " → ".join(f"{function.name}()" for function in reached.path)
            start = f"{names} reaches {label}, which blocks the event loop"
        else:
            start = f"{label} blocks the event loop"
        instead = _instead(site)
        related: list[Place | Elsewhere] = []
        if reached.path:
            related.append(Place(site.module, site.node, f"{label} blocks here"))
        related += [Place(self.module, other.node, "and here") for other in more[:_MOST_PLACES]]
        watchdog = self._watchdog(reached)
        if watchdog is None:
            seen, severity = "every open stream and health check freezes until it returns", None
        else:
            seen, severity = f"every open stream freezes, and {killed_by(watchdog)}", Severity.ERROR
            related.append(Elsewhere(watchdog.setting.where, "this ends the process that is blocked"))
        self.report(reached.node, f"{start}: {seen}. Use {instead}.", severity=severity, related=related)

    def _watchdog(self, reached: Reached) -> Limit | None:
        """What would kill the process for this call: it may take as long as it likes, unless its length is written."""
        length = length_of(self.facts, reached, self.module)
        for limit in watchdogs(self.project, self.module.path):
            if length is None or length > limit.fatal_from:
                return limit
        return None


def _instead(site: Site) -> str:
    """What to write: of a vector store the asynchronous twin of the method, where the base class has one."""
    assert site.known is not None
    if site.known.category != "vector-store" or not site.known.instead.startswith("the a… twin"):
        return site.known.instead or "an asynchronous client"
    method = site.label.rpartition(".")[2]
    return f"await store.a{method}(...)" if _HAS_TWIN.match(method) else "await asyncio.to_thread(...)"
