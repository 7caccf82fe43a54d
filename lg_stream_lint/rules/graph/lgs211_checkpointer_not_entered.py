"""A context manager is used as if it were the checkpointer that entering it gives.

## What it does
Reports `PostgresSaver.from_conn_string(…)` and its kin (and own context managers that yield a checkpointer) handed to a graph,
asked for `setup()`, or returned as a checkpointer, without `with` or `async with`.

## Why it cuts the stream
`compile()` refuses it (`TypeError: Invalid checkpointer provided … Received _AsyncGeneratorContextManager`), or, in older
versions of LangGraph, the first run does (`'_AsyncGeneratorContextManager' object has no attribute 'get_next_version'`): the
stream ends before its first token, an empty 200.

## Example
```python
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import StateGraph

saver = AsyncPostgresSaver.from_conn_string("postgresql://db/threads")
graph = StateGraph(dict).compile(checkpointer=saver)
```

## Use instead
```python
from contextlib import asynccontextmanager

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import StateGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

SETTINGS = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}


@asynccontextmanager
async def lifespan(app):
    async with AsyncConnectionPool(
        "postgresql://db/threads", kwargs=SETTINGS, check=AsyncConnectionPool.check_connection
    ) as pool:
        app.state.graph = StateGraph(dict).compile(checkpointer=AsyncPostgresSaver(pool))
        yield
```

## Fix
None: where the connection is opened and closed is for the application to decide; a lifespan is the usual place.

## Limits
A function that returns the context manager for its caller to enter is silent, unless its annotation promises a checkpointer.
Silent with langgraph before 0.2, where `SqliteSaver.from_conn_string()` gave the checkpointer itself.

## Evidence
`fixtures/LGS211/evidence.yaml`.

## References
- <https://docs.langchain.com/oss/python/langgraph/add-memory#use-in-production>
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python import types
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, code_of, positional, walk_same_scope
from lg_stream_lint.python.value import Kind, Value, is_none
from lg_stream_lint.rules.base import Place, PythonRule

_MOST_PLACES = 4
_ENTERING = frozenset({"__enter__", "__aenter__", "__exit__", "__aexit__"})
_STACKS = frozenset({"enter_context", "enter_async_context", "push", "push_async_exit"})


class CheckpointerNotEntered(PythonRule):
    """Looks at what graphs and the project's functions are given as checkpointers, and at what checkpointers are asked for."""

    severity = Severity.ERROR
    independent_of_async = True
    in_tests = False
    evidence = (("Saver",), ("from_conn_string", "contextmanager", "asynccontextmanager"))

    def visit_Call(self, node: cst.Call) -> None:
        """Judge what a graph, or a function of the project, is given."""
        for given in self._given(node):
            for branch in _branches(given):
                value = self._unentered(branch)
                if value is not None:
                    self._say(value, branch, "is given to the graph")

    def _given(self, call: cst.Call) -> Iterator[cst.BaseExpression]:
        name = called_name(call)
        for value in self.values_of(call):
            if value.kind == Kind.INSTANCE and value.role == "graph" and value.node is call:
                found = argument(call, "checkpointer", 0 if name == "compile" else None)
                if found is not None and not self._is_parameter(found):
                    yield found
                return
        for target in self.values_of(call.func):
            function = target.function if target.kind == Kind.FUNCTION else None
            if function is None or not any("checkpoint" in p.name or "saver" in p.name for p in function.parameters):
                continue
            names = [p.name for p in function.parameters]
            first = 1 if function.is_method else 0
            for place, given in enumerate(positional(call)):
                if place + first < len(names) and not _enters(function, names[place + first]):
                    yield given
            for arg in call.args:
                if arg.keyword is not None and arg.keyword.value in names and not _enters(function, arg.keyword.value):
                    yield arg.value
            return

    def _is_parameter(self, node: cst.BaseExpression) -> bool:
        """Whether it is the callers who hand it in: then they are judged."""
        function = self.function_of(node)
        return (
            isinstance(node, cst.Name)
            and function is not None
            and any(p.name == node.value for p in function.parameters)
        )

    def visit_Attribute(self, node: cst.Attribute) -> None:
        """Judge ``saver.setup()`` and the like."""
        if node.attr.value in _ENTERING or not isinstance(self.parent_of(node), cst.Call):
            return
        value = self._unentered(node.value)
        if value is not None and not (isinstance(node.value, cst.Name) and self._is_parameter(node.value)):
            self._say(value, node, f"is asked for .{node.attr.value}()")

    def visit_Return(self, node: cst.Return) -> None:
        """Judge a factory whose annotation promises a checkpointer."""
        function = self.function_of(node)
        if node.value is None or function is None or function.returned_annotation is None:
            return
        value = self._unentered(node.value)
        if value is not None and self._promises(function):
            users = [Place(m, call, "the graph gets it from here") for m, call in self.facts.callers(function)]
            how = f"is returned by {function.name}(), which promises a checkpointer,"
            self._say(value, node.value, how, users[:_MOST_PLACES])

    def _promises(self, function: Function) -> bool:
        """Whether a function's annotation says that it returns a checkpointer."""
        annotation = function.returned_annotation
        if annotation is None:
            return False
        promised = types.annotated(self.facts.infer, annotation, function.module, function.outer)
        return any(v.kind == Kind.INSTANCE and v.name.endswith("Saver") for v in promised)

    def _is_said_there(self, value: Value) -> bool:
        """Whether the context manager comes from a factory of another module that is reported itself: one cause, one finding."""
        module, made = value.home, value.node
        function = module.function_at(made) if module is not None and made is not None else None
        if module is None or function is None or not self._promises(function):
            return False
        returned = (
            node.value for node in walk_same_scope(function.node) if isinstance(node, cst.Return) and node.value
        )
        return any(v.node is made for node in returned for v in self.facts.infer.of(node, module))

    def visit_Assign(self, node: cst.Assign) -> None:
        """Judge ``graph.checkpointer = …``."""
        target = node.targets[0].target
        if isinstance(target, cst.Attribute) and target.attr.value == "checkpointer":
            value = self._unentered(node.value)
            if value is not None and self.facts.graphs.of(target.value, self.module):
                self._say(value, node.value, "is given to the graph")

    def _unentered(self, node: cst.BaseExpression) -> Value | None:
        """The context manager that an expression is, if entering it would give a checkpointer."""
        values = [v for v in self.values_of(node) if not is_none(v)]
        if not values or not all(
            v.kind == Kind.CONTEXT and v.inner is not None and v.inner.role == "saver" and v.node is not None
            for v in values
        ):
            return None
        version = self.versions.of("langgraph")
        return None if version is not None and version.always("<0.2") else values[0]

    def _say(self, value: Value, used: cst.CSTNode, how: str, more: Sequence[Place] = ()) -> None:
        made = value.node
        assert isinstance(made, cst.Call)
        assert value.inner is not None
        here = value.home is self.module
        if not here and self._is_said_there(value):
            return
        saver = value.inner.name.rpartition(".")[2]
        enter = "async with" if saver.startswith("Async") else "with"
        self.report(
            made if here else used,
            f"{code_of(made.func, 50)}() returns a context manager, and it {how} without being entered: the graph has no "
            "usable checkpointer, and a stream ends before its first token. "
            f"Enter it with `{enter} … as saver` in the lifespan, and compile the graph with `saver`.",
            related=[Place(self.module, used, "used here"), *more]
            if here
            else [Place(value.home, made, "the context manager is made here")]
            if value.home is not None
            else [],
        )


def _branches(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.IfExp):
        yield from _branches(node.body)
        yield from _branches(node.orelse)
    elif isinstance(node, cst.BooleanOperation):
        yield from _branches(node.left)
        yield from _branches(node.right)
    else:
        yield node


def _enters(function: Function, name: str) -> bool:
    """Whether a function enters what it gets for a parameter, or hands it on to be entered."""
    for item in walk_same_scope(function.node):
        if isinstance(item, cst.WithItem):
            candidates = [item.item]
        elif isinstance(item, cst.Call) and called_name(item) in _STACKS:
            candidates = positional(item)
        elif isinstance(item, cst.Attribute) and item.attr.value in _ENTERING:
            candidates = [item.value]
        else:
            continue
        if any(isinstance(c, cst.Name) and c.value == name for c in candidates):
            return True
    return False
