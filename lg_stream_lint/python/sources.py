"""Where a generator iterates a model: the loops that an error of the provider can end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.runnables import RunnableCall, runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import iterations
from lg_stream_lint.python.syntax import called_name, code_of
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

BY_NAME = frozenset({"astream", "astream_events"})
#: How many async functions of the project lie at most between a generator and the model that it asks.
_MOST_HOPS = 3
#: Awaited methods that ask the model (`aget_state` does not).
_ANSWERS = frozenset({"ainvoke", "abatch", "agenerate", "agenerate_prompt", "apredict", "arun", "acall"})
_CALLBACKS = "AsyncIteratorCallbackHandler"


class Source(NamedTuple):
    """A place where tokens come from: ``node`` is the loop (or ``yield from``), ``label`` what it iterates, for messages."""

    node: cst.CSTNode
    label: str
    runnable: RunnableCall | None
    by_name: bool


def sources(facts: Facts, function: Function) -> Iterator[Source]:
    """Every iteration of a graph, chain, model, SDK stream or token callback in the function's own body."""
    for node, iterated in iterations(function):
        if isinstance(node, cst.Call) and _asks_later(function.module, node):
            continue
        found = _source(facts, function, node, iterated)
        if found is not None:
            yield found
    if function.is_async:
        yield from _awaited_answers(facts, function)


def unguarded(facts: Facts, value: Value, response: cst.Call) -> Source | None:
    """The stream of a model that a response is given as it comes, or through a generator expression: no `try` is around it.

    Its place is the response's construction.
    """
    if isinstance(value.node, cst.GeneratorExp) and value.home is not None:
        for inner in facts.infer.of(value.node.for_in.iter, value.home):
            origin = model_stream(facts, inner)
            if origin:
                return Source(response, origin, _call_of(facts, inner), by_name=False)
        return None
    origin = model_stream(facts, value) if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) else ""
    return Source(response, origin, _call_of(facts, value), by_name=False) if origin else None


def _asks_later(module: Module, call: cst.Call) -> bool:
    """Whether a call only prepares to ask for an item: makes an iterator, or a task whose result is looked at elsewhere."""
    if called_name(call) in ("aiter", "iter"):
        return True
    parent = module.parents.get(call)
    around = module.parents.get(parent) if isinstance(parent, cst.Arg) else None
    return isinstance(around, cst.Call) and called_name(around) in ("create_task", "ensure_future")


def _awaited_answers(facts: Facts, function: Function) -> Iterator[Source]:
    """Whole answers that a generator awaits before it yields: their errors end the stream just the same."""
    module = function.module
    for call in function.calls:
        if not isinstance(module.parents.get(call), cst.Await):
            continue
        asked = _asks(facts, call, module, _MOST_HOPS)
        if asked:
            yield Source(call, asked, None, by_name=False)


def _asks(facts: Facts, call: cst.Call, module: Module, hops: int) -> str:
    """What an awaited call asks a graph or model through, directly or in the project's async functions; empty if nothing."""
    found = runnable_call(facts, call, module)
    if found is not None:
        return (
            f"{code_of(call.func, 40)}()"
            if found.method in _ANSWERS and found.role in ("graph", "model", "chain")
            else ""
        )
    if hops <= 0:
        return ""
    for value in facts.infer.of(call.func, module):
        inner = value.function if value.kind == Kind.FUNCTION else None
        if inner is None or not inner.is_async or inner.is_generator:
            continue
        for below in inner.calls:
            if isinstance(inner.module.parents.get(below), cst.Await) and _asks(facts, below, inner.module, hops - 1):
                return f"{code_of(call.func, 40)}()"
    return ""


def _source(facts: Facts, function: Function, node: cst.CSTNode, iterated: cst.BaseExpression) -> Source | None:
    module = function.module
    for value in facts.infer.of(iterated, module):
        origin = model_stream(facts, value)
        if origin:
            return Source(node, origin, _call_of(facts, value), by_name=False)
    target = iterated
    while (
        isinstance(target, cst.Call)
        and isinstance(target.func, cst.Name)
        and target.args
        and target.func.value in ("aiter", "aclosing")
    ):
        target = target.args[0].value
    if isinstance(target, cst.Name):
        target = _assigned(function, target) or target
    if isinstance(target, cst.Call):
        call = runnable_call(facts, target, module, BY_NAME)
        if call is not None and call.kind in ("async-generator", "generator"):
            return Source(node, f"{code_of(target.func, 40)}()", call, call.by_name)
    return None


def _assigned(function: Function, name: cst.Name) -> cst.BaseExpression | None:
    """The one call that a local name was assigned, when it was assigned once."""
    bindings = function.scope.bindings.get(name.value, [])
    if (
        len(bindings) == 1
        and bindings[0].kind in ("assign", "async-with", "with")
        and isinstance(bindings[0].node, cst.BaseExpression)
    ):
        return bindings[0].node
    return None


def _call_of(facts: Facts, value: Value) -> RunnableCall | None:
    if isinstance(value.node, cst.Call) and value.home is not None:
        return runnable_call(facts, value.node, value.home)
    return None


def model_stream(facts: Facts, value: Value) -> str:
    """What a value streams, when it is the stream of a graph, chain, model, SDK client or token callback; else empty."""
    if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR):
        if value.inner is not None and value.inner.is_runnable and value.function is None:
            return f"{value.inner.role}.{value.name}()"
        return ""
    if value.kind not in (Kind.RESULT, Kind.METHOD):
        return ""
    root: Value | None = value
    while root is not None and root.kind != Kind.INSTANCE:
        if root.name.startswith("langgraph_sdk."):
            return f"{root.name.rpartition('.')[2]}()"
        root = root.inner
    if root is None:
        return _function_stream(facts, value)
    if root.name.endswith(_CALLBACKS):
        return f"{_CALLBACKS}.aiter()"
    row = facts.project.knowledge.models.get(root.name)
    if row is not None and row.kind == "sdk":
        return f"{row.path.rpartition('.')[2]}'s stream"
    return ""


def _function_stream(facts: Facts, value: Value) -> str:
    """The result of a function that asks a model itself: ``litellm.acompletion(stream=True)``."""
    row = facts.project.knowledge.models.get(value.name.removesuffix("()"))
    return f"{row.path}()" if row is not None and row.kind == "function" else ""
