"""Resources that are closed when a block ends: which they are, and which ones end around a place in a function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, dotted_text, walk_same_scope
from lg_stream_lint.python.uses import Uses, is_true
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: An SDK's client works through one of httpx.
_CLIENT = "httpx.AsyncClient"
#: A closed body of `requests` ends quietly.
QUIET = "no error is raised"
_CLOSERS = frozenset({"close", "aclose", "disconnect", "__aexit__", "__exit__", "cleanup", "stop"})


class Closed(NamedTuple):
    """What a dead resource is called, what using it then says, and whether it is an agent's tools that work through it."""

    what: str
    error: str
    tools: bool = False


class Closing(NamedTuple):
    """A resource that ends with a block: the name that holds it, what it is (see :class:`Closed`), and where it opens."""

    name: str
    what: str
    error: str
    tools: bool
    node: cst.CSTNode
    module: Module


def closed_around(facts: Facts, node: cst.CSTNode, function: Function) -> Iterator[Closing]:
    """The resources that are closed before anything that is returned (or yielded once) at a node of a function is used."""
    module = function.module
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
        if isinstance(parent, cst.With) and parent.body is child:
            for item in parent.items:
                found = _of_item(facts, item, module)
                if found is not None:
                    yield found
        elif isinstance(parent, (cst.Try, cst.TryStar)) and parent.body is child and parent.finalbody is not None:
            yield from _closed_finally(facts, parent.finalbody, function)
        child, parent = parent, module.parents.get(parent)


def _of_item(facts: Facts, item: cst.WithItem, module: Module) -> Closing | None:
    name = _held(item)
    if not name:
        return None
    for value in facts.infer.of(item.item, module):
        closed = closable(facts, value)
        if closed is not None:
            return Closing(name, *closed, item, module)
    return None


def _held(item: cst.WithItem) -> str:
    """The local name of what a ``with`` opens: its target, or the object itself where there is none."""
    target = item.asname.name if item.asname is not None else item.item
    while isinstance(target, (cst.Tuple, cst.List)) and target.elements:
        target = target.elements[0].value  # `as (read, write, _)`: one of the streams stands for all
    return target.value if isinstance(target, cst.Name) else ""


def _closed_finally(facts: Facts, block: cst.Finally, function: Function) -> Iterator[Closing]:
    """``finally: await client.aclose()`` for a local name that holds something closable."""
    for node in walk_same_scope(block):
        if isinstance(node, cst.Call) and called_name(node) in _CLOSERS and isinstance(node.func, cst.Attribute):
            owner = node.func.value
            if not isinstance(owner, cst.Name) or owner.value not in function.scope.bindings:
                continue
            if all(binding.kind == "param" for binding in function.scope.bindings[owner.value]):
                continue  # somebody else's: said where it is made
            for value in facts.infer.of(owner, function.module):
                closed = closable(facts, value)
                if closed is not None:
                    yield Closing(owner.value, *closed, node, function.module)
                    break


def closable(facts: Facts, value: Value, depth: int = 3) -> Closed | None:
    """What a value is, and what its use says after it was closed; None when it lives on, or nothing is known."""
    tables = facts.project.knowledge
    if value.kind == Kind.COROUTINE and value.inner is not None:
        return closable(facts, value.inner, depth)
    if value.kind == Kind.CONTEXT:
        if value.inner is not None and value.inner.role == "saver":
            saver = tables.resources.get(value.inner.name)
            return Closed(_last(value.inner.name), saver.error if saver is not None else "")
        return _own_context(facts, value.function, depth) if value.function is not None else None
    row = tables.resources.get(value.name.replace("()", ""))
    if row is not None and row.when_true:
        if isinstance(value.node, cst.Call) and is_true(argument(value.node, row.when_true)):
            return Closed(f"{dotted_text(value.node.func)}() response", QUIET if row.quiet else row.error, row.tools)
        return None
    if value.kind == Kind.INSTANCE:
        model = tables.models.get(value.name)
        if model is not None and model.kind == "sdk":
            return Closed(_last(value.name), tables.resources[_CLIENT].error)
        return Closed(_last(value.name), row.error, row.tools) if row is not None and row.form == "class" else None
    if value.kind == Kind.RESULT and row is not None and row.form == "result":
        return Closed(row.label or f"{_short(value.name.removesuffix('()'))}()", row.error, row.tools)
    return None


def _own_context(facts: Facts, function: Function, depth: int) -> Closed | None:
    """A context manager of the project that yields something its own block closes."""
    if depth <= 0:
        return None
    for node in function.yields:
        if not isinstance(node.value, cst.BaseExpression):
            continue
        for closing in closed_around(facts, node, function):
            if Uses(facts, function, closing.name).reach(node.value):
                return Closed(closing.what, closing.error, closing.tools)
    return None


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _short(name: str) -> str:
    return ".".join(name.split(".")[-2:])
