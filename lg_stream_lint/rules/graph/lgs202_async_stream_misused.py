"""An asynchronous stream is used like something else.

## What it does
Reports `astream()`, `astream_events()` and the other async generators of graphs, chains and models when they are awaited,
iterated by a plain `for` or `list()`, opened by `async with`, handed to `create_task` or `gather`, or never iterated; and
`async for` over `.stream()` or `.ainvoke()`.

## Why it cuts the stream
The handler fails with a `TypeError` before the first token (`'async_generator' object is not iterable`, `object
async_generator can't be used in 'await' expression`); inside a streamed response that is HTTP 200 with an empty, cut body.
A stream that is never iterated fails in silence: nothing runs.

## Example
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    for chunk in graph.astream({"messages": []}):
        yield chunk
```

## Use instead
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    async for chunk in graph.astream({"messages": []}):
        yield chunk
```

## Fix
None yet: use `async for`, without `await`.

## Limits
`astream_events(version="v3")` (langgraph 1.2 and newer) and `RemoteGraph.astream_events` must be awaited, and are judged so.
Receivers that cannot be resolved are judged by name for `astream`, `astream_events` and `ainvoke` only, with confidence
`medium`, and not when a class of the project defines a method of that name.

## Evidence
`fixtures/LGS202/evidence.yaml`.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming>
- <https://peps.python.org/pep-0525/>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.excuses import sync_consumer
from lg_stream_lint.python.runnables import RunnableCall, method_names, runnable_call
from lg_stream_lint.python.syntax import argument, called_name, code_of, string_value
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule
from lg_stream_lint.versions import told

BY_NAME = frozenset({"astream", "astream_events", "ainvoke"})
_SCHEDULERS = frozenset(
    {"asyncio.create_task", "asyncio.ensure_future", "asyncio.gather", "asyncio.wait_for", "asyncio.run", "asyncio.shield",
     "asyncio.run_coroutine_threadsafe"}
)  # fmt: skip


class AsyncStreamMisused(PythonRule):
    """Looks at how the result of each streaming call is used on the spot, and at names that hold one."""

    severity = Severity.ERROR
    place = ((".astream", ".ainvoke", ".atransform", ".abatch_as_completed", ".stream"),)
    evidence = (("@langchain",),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge a streaming call by what stands around it."""
        call = runnable_call(self.facts, node, self.module, BY_NAME)
        if call is None:
            return
        parent = self.parent_of(node)
        if call.kind == "async-generator":
            self._async_generator(node, call, parent)
        elif isinstance(parent, (cst.For, cst.CompFor)) and parent.iter is node and parent.asynchronous is not None:
            if call.kind == "generator":
                self._say(
                    node, call, f"`async for` cannot iterate {_name(call)}, a plain generator", f"Use a{call.method}()"
                )
            elif call.kind == "awaitable" and call.method.startswith("astream"):
                what = f"{_name(call)} {self._why_awaited(call)}"
                self._say(node, call, what, f"Iterate `await {_name(call)}`")
            elif call.kind == "awaitable":
                self._say(
                    node, call, f"`async for` cannot iterate {_name(call)}, which gives one result", "Use astream()"
                )
        elif call.kind == "awaitable" and isinstance(parent, cst.Await) and not call.method.startswith("astream"):
            loop = self.parent_of(parent)
            if isinstance(loop, (cst.For, cst.CompFor)) and loop.iter is parent and loop.asynchronous is not None:
                self._say(node, call, f"`async for` cannot iterate the result of {_name(call)}", "Use astream()")

    def _why_awaited(self, call: RunnableCall) -> str:
        """Why a method that streams gives a coroutine: an argument that changes it, or a class of its own kind."""
        row = self.tables.method(call.role, call.method)
        keyword = row.unless_keyword if row is not None else ""
        if row is not None and keyword and string_value(argument(call.call, keyword)) == row.unless_value:
            package, _, since = row.unless_since.rpartition(" ")
            fact = self.versions.of(package)
            decided = fact is not None and fact.always(f">={since}") is True
            version = told(fact, package, f"{since} or newer", decided=decided)
            return f'with {keyword}="{row.unless_value}" returns a coroutine ({version})'
        owner = call.receiver.name.rpartition(".")[2] if call.receiver is not None else "this object"
        return f"of {owner} returns a coroutine"

    def _async_generator(self, node: cst.Call, call: RunnableCall, parent: cst.CSTNode | None) -> None:
        name = _name(call)
        if isinstance(parent, cst.Await):
            self._say(
                node, call, f"{name} gives an async generator, which cannot be awaited", "Iterate it with `async for`"
            )
        elif isinstance(parent, cst.WithItem):
            self._say(
                node,
                call,
                f"{name} gives an async generator, which is no context manager",
                "Iterate it with `async for`",
            )
        elif isinstance(parent, cst.Expr):
            self._say(
                node,
                call,
                f"{name} is never iterated, so nothing runs: there is no answer and no error",
                "Iterate it with `async for`",
            )
        elif sync_consumer(self.module, node):
            self._say(
                node, call, f"{name} gives an async generator, which a plain loop cannot iterate", "Use `async for`"
            )
        elif self._is_scheduled(parent):
            self._say(
                node,
                call,
                f"{name} gives an async generator, which is no coroutine to schedule",
                "Wrap an `async for` in a coroutine",
            )

    def _is_scheduled(self, parent: cst.CSTNode | None) -> bool:
        outer = self.parent_of(parent) if isinstance(parent, cst.Arg) and not parent.star else None
        if not isinstance(outer, cst.Call):
            return False
        func = outer.func
        if isinstance(func, cst.Attribute) and func.attr.value in ("create_task", "run_until_complete"):
            return True
        return any(value.name in _SCHEDULERS for value in self.values_of(func))

    # Names that hold a stream

    def visit_For(self, node: cst.For) -> None:
        """A plain loop over a name that holds an async generator, or an async one over a name that does not."""
        self._loop(node.iter, node.asynchronous is not None)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        """The same in a comprehension."""
        self._loop(node.iter, node.asynchronous is not None)

    def visit_Await(self, node: cst.Await) -> None:
        """``await stream`` on a name that holds an async generator."""
        self._held(
            node.expression,
            Kind.ASYNC_GENERATOR,
            "{} is an async generator, which cannot be awaited",
            "Iterate it with `async for`",
        )

    def _loop(self, iterated: cst.BaseExpression, asynchronous: bool) -> None:
        if asynchronous:
            self._held(iterated, Kind.GENERATOR, "`async for` cannot iterate {}, a plain generator", "Use astream()")
        else:
            self._held(
                iterated,
                Kind.ASYNC_GENERATOR,
                "{} is an async generator, which a plain loop cannot iterate",
                "Use `async for`",
            )

    def _held(self, node: cst.BaseExpression, kind: str, what: str, instead: str) -> None:
        if not isinstance(node, cst.Name) or not self._may_hold_stream(node):
            return
        values = self.values_of(node)
        if not values or any(
            v.kind != kind or v.inner is None or not v.inner.is_runnable or v.function for v in values
        ):
            return
        value = values[0]
        message = f"{what.format(code_of(node))}: it fails with a TypeError before the first token. {instead}."
        if value.home is self.module and value.node is not None:
            self.report(value.node, message, related=[Place(self.module, node, "used here")])
        else:
            self.report(node, message)

    def _may_hold_stream(self, name: cst.Name) -> bool:
        """Whether a name is assigned a call of a method that the tables know: the cheap half of the question."""
        holder = self.module.scope_at(name).holder_of(name.value)
        return holder is not None and any(
            b.kind == "assign" and isinstance(b.node, cst.Call) and called_name(b.node) in method_names(self.facts)
            for b in holder.bindings[name.value]
        )

    def _say(self, node: cst.Call, call: RunnableCall, what: str, instead: str) -> None:
        confidence = Confidence.MEDIUM if call.by_name else Confidence.HIGH
        seen = "" if "never iterated" in what else ": it fails with a TypeError before the first token"
        self.report(node, f"{what}{seen}. {instead}.", confidence=confidence)


def _name(call: RunnableCall) -> str:
    return f"{code_of(call.call.func, 40)}()"
