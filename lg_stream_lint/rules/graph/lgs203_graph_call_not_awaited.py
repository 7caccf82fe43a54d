"""The coroutine of a graph or model call is dropped, or used as if it were the answer.

## What it does
Reports `ainvoke()`, `abatch()`, `aget_state()` … without `await` when the coroutine is dropped or used as the value
(subscript, attribute, iteration, `json.dumps`, f-string, response content), and `await` of the synchronous `invoke()`.

## Why it cuts the stream
Nothing runs: the log says `coroutine … was never awaited`, and the client gets an empty answer or a `TypeError`
(`'coroutine' object is not subscriptable`, `object dict can't be used in 'await' expression`).

## Example
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def answer():
    result = graph.ainvoke({"messages": []})
    return result["messages"]
```

## Use instead
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def answer():
    result = await graph.ainvoke({"messages": []})
    return result["messages"]
```

## Fix
None yet: put `await` before the call.

## Limits
A coroutine that is handed to another call (`create_task`, `gather` …), stored, appended, yielded or returned is silent:
somebody else may await it. Receivers that cannot be resolved are judged by name for `ainvoke` only.

## Evidence
`fixtures/LGS203/evidence.yaml`.

## References
- <https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.runnables import RunnableCall, runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import code_of, walk_same_scope
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule

_BY_NAME = frozenset({"ainvoke", "astream_events"})
_NEEDS_VALUE = frozenset(
    {"json.dumps", "orjson.dumps", "builtins.str", "builtins.len", "builtins.list", "builtins.dict"}
)


_SEEN = "nothing runs, and the client gets an error or an empty answer"


class GraphCallNotAwaited(PythonRule):
    """Looks at how each coroutine is used on the spot, and at names that hold one."""

    severity = Severity.ERROR
    loses_to = ("LGS403", "LGS202")
    place = (
        (
            ".invoke",
            ".ainvoke",
            ".batch",
            ".abatch",
            ".aget_",
            ".aupdate_",
            ".agenerate",
            ".apredict",
            ".arun",
            ".acall",
            ".stream",
        ),
    )
    evidence = (("@langchain",),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge a call by what stands around it."""
        call = runnable_call(self.facts, node, self.module, _BY_NAME)
        if call is None:
            return
        parent = self.parent_of(node)
        if call.kind == "awaitable":
            use = self._use_as_value(node, parent)
            if use:
                seen = "nothing runs, and nobody is told" if isinstance(parent, cst.Expr) else _SEEN
                self._say(node, call, f"The coroutine of {_name(call)} is {use}: {seen}")
        elif call.kind in ("blocking", "generator") and isinstance(parent, cst.Await) and not call.by_name:
            gives = "a plain generator" if call.kind == "generator" else "its result"
            receiver = code_of(node.func.value, 40) if isinstance(node.func, cst.Attribute) else "graph"
            twin = f"await {receiver}.a{call.method}()"
            if call.kind == "generator":
                twin = f"async for … in {receiver}.a{call.method}()"
            self.report(
                node,
                f"{_name(call)} is synchronous: it blocks the event loop, and `await` on {gives} raises a TypeError. "
                f"Use `{twin}`.",
            )

    def _use_as_value(self, node: cst.BaseExpression, parent: cst.CSTNode | None) -> str:
        """How a coroutine is misused where it stands; empty when somebody may still await it."""
        if isinstance(parent, cst.Expr):
            return "dropped"
        if isinstance(parent, cst.Subscript) and parent.value is node:
            return "subscripted as if it were the answer"
        if (
            isinstance(parent, cst.Attribute)
            and parent.value is node
            and parent.attr.value not in ("send", "close", "throw", "__await__")
        ):
            return f"asked for .{parent.attr.value} as if it were the answer"
        if isinstance(parent, (cst.For, cst.CompFor)) and parent.iter is node and parent.asynchronous is None:
            return "iterated as if it were the answer"
        if isinstance(parent, cst.FormattedStringExpression):
            return "formatted as if it were the answer"
        while isinstance(parent, (cst.DictElement, cst.Element, cst.Dict, cst.List, cst.Tuple)):
            parent = self.parent_of(parent)  # `json.dumps({"answer": graph.ainvoke(…)})`
        if isinstance(parent, cst.Arg) and not parent.star:
            outer = self.parent_of(parent)
            if isinstance(outer, cst.Call) and self._needs_value(outer):
                return "passed on as if it were the answer"
        return ""

    def _needs_value(self, outer: cst.Call) -> bool:
        if any(value.name in _NEEDS_VALUE for value in self.values_of(outer.func)):
            return True
        response = self.facts.streams.response(outer, self.module)
        return response is not None and not response[0].streams  # a streamed coroutine is LGS403's

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Find names that hold a coroutine which nobody awaits, and that are used as the answer."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function):
            return
        candidates = {
            name
            for name, bindings in function.scope.bindings.items()
            if any(b.kind == "assign" and self._is_awaitable_call(b.node) for b in bindings)
        }
        if not candidates:
            return
        awaited: set[str] = set()
        handed: set[str] = set()
        uses: dict[str, tuple[cst.Name, str]] = {}
        for item in walk_same_scope(function.node):
            if isinstance(item, cst.Name) and item.value in candidates and self._holds_coroutine(item):
                parent = self.parent_of(item)
                use = self._use_as_value(item, parent) if not isinstance(parent, cst.Expr) else ""
                if isinstance(parent, cst.Await):
                    awaited.add(item.value)
                elif use:
                    uses.setdefault(item.value, (item, use))
                elif not isinstance(parent, (cst.AssignTarget, cst.AnnAssign)):
                    handed.add(item.value)
        for name, (item, use) in uses.items():
            if name not in awaited and name not in handed:
                self._say_held(item, use)

    def _is_awaitable_call(self, node: cst.CSTNode | None) -> bool:
        if not isinstance(node, cst.Call):
            return False
        call = runnable_call(self.facts, node, self.module)
        return call is not None and call.kind == "awaitable"

    def _holds_coroutine(self, name: cst.Name) -> bool:
        values = self.values_of(name)
        return bool(values) and all(
            v.kind == Kind.COROUTINE
            and v.function is None
            and v.inner is not None
            and v.inner.inner is not None
            and v.inner.inner.is_runnable
            for v in values
        )

    def _say_held(self, item: cst.Name, use: str) -> None:
        value = self.values_of(item)[0]
        node = value.node if value.home is self.module and value.node is not None else item
        method = value.name or "ainvoke"
        self.report(
            node,
            f"The coroutine of {method}() is never awaited, and `{item.value}` is {use}: {_SEEN}. Put `await` before the call.",
            related=[Place(self.module, item, f"`{item.value}` is used here")] if node is not item else [],
        )

    def _say(self, node: cst.Call, call: RunnableCall, what: str) -> None:
        confidence = Confidence.MEDIUM if call.by_name else Confidence.HIGH
        self.report(node, f"{what}. Put `await` before the call.", confidence=confidence)


def _name(call: RunnableCall) -> str:
    return f"{code_of(call.call.func, 40)}()"
