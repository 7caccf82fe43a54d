"""From which models a message comes that a loop over a stream gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.items import Item, stream_item
from lg_stream_lint.python.model_asks import Asked, models_behind
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.syntax import string_value
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.scopes import Binding

_DEEPEST = 4
_CHUNK = ("data", "chunk")
_Path = tuple["int | str", ...]


def asked_for(facts: Facts, message: cst.BaseExpression, module: Module) -> Iterator[Asked]:
    """The models that may have written a message (or a chunk of one): ``chunk``, ``item[0]``, ``event["data"]["chunk"]``."""
    for iterated, home, path in _loops(message, module, ()):
        for call, where in _calls(facts, iterated, home):
            run = runnable_call(facts, call, where)
            if run is None or run.receiver is None or not isinstance(call.func, cst.Attribute):
                continue
            if run.method == "astream_events":
                known = path == _CHUNK
            else:
                numbers = tuple(step for step in path if isinstance(step, int))
                known = len(numbers) == len(path) and _is_message(run.receiver, run.method, call, numbers)
            if known:
                yield from models_behind(facts, run.receiver, call.func.value, where)


def _is_message(owner: object, method: str, call: cst.Call, path: tuple[int, ...]) -> bool:
    return stream_item(owner, method, call, path) == Item.MESSAGE  # type: ignore[arg-type]


def _loops(
    node: cst.CSTNode, module: Module, path: _Path, depth: int = 0
) -> Iterator[tuple[cst.BaseExpression, Module, _Path]]:
    """The iterables of the loops that give an expression, each with the part of an item that it is."""
    while isinstance(node, cst.Subscript) and len(node.slice) == 1:
        index = node.slice[0].slice
        step = _step(index.value) if isinstance(index, cst.Index) else None
        if step is None:
            return
        node, path = node.value, (step, *path)
    if not isinstance(node, cst.Name) or depth > _DEEPEST:
        return
    for binding in _in_force(node, module):
        inner, home = binding.node, binding.scope.module
        if not isinstance(inner, cst.BaseExpression):
            continue
        if binding.kind in ("for", "async-for"):
            yield inner, home, (*binding.path, *path)
        elif binding.kind == "assign":
            yield from _loops(inner, home, (*binding.path, *path), depth + 1)


def _in_force(name: cst.Name, module: Module) -> list[Binding]:
    """The bindings of a name in the loops around it; behind its loop, the only one that there is."""
    holder = module.scope_at(name).holder_of(name.value)
    bindings = holder.bindings[name.value] if holder is not None else []
    around = set(module.ancestors(name))
    inside = [b for b in bindings if b.node is not None and _loop_of(b.node, b.scope.module) in around]
    return inside or (bindings if len(bindings) == 1 else [])


def _loop_of(node: cst.CSTNode, module: Module) -> cst.CSTNode | None:
    """The innermost loop or comprehension that a bound value belongs to."""
    loops = (cst.For, cst.BaseComp)
    return next((parent for parent in module.ancestors(node) if isinstance(parent, loops)), None)


def _step(node: cst.BaseExpression) -> int | str | None:
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    return string_value(node)


def _calls(facts: Facts, iterated: cst.BaseExpression, module: Module) -> Iterator[tuple[cst.Call, Module]]:
    """The calls of a runnable's method that give what is iterated."""
    for value in facts.infer.of(iterated, module):
        made = value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) and value.function is None
        if made and isinstance(value.node, cst.Call) and value.home is not None:
            yield value.node, value.home


__all__ = ["asked_for"]
