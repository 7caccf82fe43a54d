"""The checkpointer does not serve the methods through which the graph is used.

## What it does
Reports a synchronous checkpointer (`SqliteSaver`, `PostgresSaver` …) on a graph that is run through `astream`, `ainvoke`,
`aget_state` …, and a synchronous method of a graph with an asynchronous checkpointer called on the event loop.

## Why it cuts the stream
The run ends before its first step: `NotImplementedError: The SqliteSaver does not support async methods`, or
`InvalidStateError: Synchronous calls to AsyncSqliteSaver are only allowed from a different thread`. In a stream the status is
sent by then: the client gets an empty 200.

## Example
```python
import sqlite3

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import StateGraph

saver = SqliteSaver(sqlite3.connect("threads.db", check_same_thread=False))
graph = StateGraph(dict).compile(checkpointer=saver)


async def answer(config):
    async for chunk in graph.astream({"messages": []}, config):
        yield chunk
```

## Use instead
```python
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import StateGraph


async def answer(config):
    async with AsyncSqliteSaver.from_conn_string("threads.db") as saver:
        graph = StateGraph(dict).compile(checkpointer=saver)
        async for chunk in graph.astream({"messages": []}, config):
            yield chunk
```

## Fix
None: the asynchronous checkpointer needs another connection, and is opened in a lifespan.

## Limits
Both ends must be resolved: the checkpointer's class, and the graph that the method is called on. A checkpointer that fits,
as one of several possible ones, makes the rule silent; one in memory beside it is taken for a fallback. Asynchronous
checkpointers may be used by synchronous methods from another thread: plain routes, nodes and tools are silent. Own
subclasses of a checkpointer are silent.

## Evidence
`fixtures/LGS205/evidence.yaml`.

## References
- <https://docs.langchain.com/oss/python/langgraph/persistence#checkpointer-libraries>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.blocking import Reached
from lg_stream_lint.python.graph_uses import Use
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.rules.base import Place, PythonRule
from lg_stream_lint.versions import told

_MOST_PLACES = 5


class CheckpointerModeMismatch(PythonRule):
    """Asks, at each checkpointer, how its graphs are run, and in each async function, which graphs it runs synchronously."""

    severity = Severity.ERROR
    in_tests = False
    evidence = (("Saver",), ("langgraph",))

    def visit_Module(self, node: cst.Module) -> None:
        """Report the synchronous checkpointers of this file whose graphs are used asynchronously."""
        if b"Saver" not in self.module.source and b"checkpointer" not in self.module.source:
            return
        for place, uses in self.facts.graph_uses.by_sync_saver.items():
            if place in self.module.parents:
                self._report_sync_saver(place, uses)

    def _report_sync_saver(self, place: cst.CSTNode, uses: list[Use]) -> None:
        first = next((use for use in uses if self.facts.graph_uses.streams(use.run)), uses[0])
        name = first.saver.name.rpartition(".")[2]
        what = _written(first.run.call)
        seen = "the client gets an empty 200" if self.facts.graph_uses.streams(first.run) else "the request fails"
        message = (
            f"{name} has no async methods{self._version(first)}: {what} fails before the first step (NotImplementedError), "
            f"and {seen}. "
            f"Use {self._twin(first)}."
        )
        related = [
            Place(use.run.module, use.run.call, f"{_written(use.run.call)} needs an async checkpointer")
            for use in uses[:_MOST_PLACES]
        ]
        self.report(place, message, related=related)

    def _twin(self, use: Use) -> str:
        """The asynchronous checkpointer of the same package."""
        savers = self.tables.savers
        row = savers[use.saver.name]
        name = f"Async{row.path.rpartition('.')[2]}"
        for other in savers.values():
            if other.package == row.package and other.mode == "async" and other.path.endswith(f".{name}"):
                return f"{name} from {other.path.rpartition('.')[0]}"
        later = f", or {row.package} {row.both_since} or newer" if row.both_since else ""
        return f"an asynchronous checkpointer{later}"

    def _version(self, use: Use) -> str:
        """The version of the checkpointer's package, where that decides."""
        row = self.tables.savers[use.saver.name]
        return f" ({told(self.versions.of(row.package), row.package, '')})" if row.both_since else ""

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Report synchronous calls on the event loop of graphs whose checkpointer is asynchronous."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_async:
            return
        functions = self.facts.functions
        for reached in self.facts.blocking.reached(function):
            call = reached.site.runnable
            if call is None or call.role != "graph" or call.by_name:
                continue
            only = self.facts.graph_uses.only_saver(call.call, call.module, "async")
            if only is not None and not functions.is_test(function) and not functions.only_run_by_script(function):
                self._report_async_saver(reached, only[0].name.rpartition(".")[2])

    def _report_async_saver(self, reached: Reached, saver: str) -> None:
        call = reached.site.runnable
        assert call is not None
        what = _written(call.call)
        start = what
        if reached.path:
            start = f"{' → '.join(f'{function.name}()' for function in reached.path)} reaches {what}, which"
        message = (
            f"{start} fails here: {saver} refuses synchronous calls on the event loop's thread (InvalidStateError). "
            f"Use the async twin, a{call.method}()."
        )
        related = [Place(call.module, call.call, f"{what} is called here")] if reached.path else []
        self.report(reached.node, message, related=related)


def _written(call: cst.Call) -> str:
    return f"{code_of(call.func, 40)}()"
