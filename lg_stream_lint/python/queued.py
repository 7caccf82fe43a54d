"""What a queue gives: the one kind of all that is put into it, by callbacks, tasks and threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.producers import QUEUES
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, positional, string_value
from lg_stream_lint.python.value import Kind, Values, is_none

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_MOST_FILES = 60
_PUTS = ("put", "put_nowait")
_GETS = ("get", "get_nowait")
#: Calls that wait for another one and give what it gives.
_WAITING = frozenset({"wait_for", "shield"})


class Put(NamedTuple):
    """An item that is put into a queue."""

    item: cst.BaseExpression
    module: Module


class Queued:
    """Answers what is put into a queue; every file is read once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self._written: list[tuple[frozenset[int], Put]] | None = None

    def puts(self, node: cst.CSTNode, module: Module) -> list[Put]:
        """What an expression that takes an item from a queue can give; empty when it is no such thing, or not known.

        What only marks the end is left out: ``None``, a constant string, a bare ``object()``.
        """
        queue = _asked(node)
        if queue is None:
            return []
        made = self._made(queue, module)
        return [put for owners, put in self._all() if made & owners] if made else []

    def _made(self, node: cst.BaseExpression, module: Module, *, handed: bool = True) -> frozenset[int]:
        """The constructions of the queues that an expression may be; an annotated parameter's are its callers'."""
        values = [v for v in self.infer.of(node, module) if v.kind == Kind.INSTANCE and v.name in QUEUES]
        found = {id(v.node) for v in values if v.node is not None}
        if handed and any(v.node is None for v in values):
            for value in self._handed_in(node, module):
                if value.kind == Kind.INSTANCE and value.name in QUEUES and value.node is not None:
                    found.add(id(value.node))
        return frozenset(found)

    def _handed_in(self, node: cst.BaseExpression, module: Module) -> Values:
        """What callers pass for the parameter that an expression is, or that its attribute was assigned."""
        if isinstance(node, cst.Name):
            function = module.function_at(node)
            while function is not None:
                names = [parameter.name for parameter in function.parameters]
                if node.value in names:
                    return self.facts.passed(function, names.index(node.value))
                function = function.parent
            return ()
        if not isinstance(node, cst.Attribute):
            return ()
        for owner in self.infer.of(node.value, module):
            for cls in types.bases(self.infer, owner.cls) if owner.cls is not None else ():
                for binding in cls.attributes.get(node.attr.value, ()):
                    if isinstance(binding.node, cst.Name):
                        return self._handed_in(binding.node, binding.scope.module)
        return ()

    def _all(self) -> list[tuple[frozenset[int], Put]]:
        if self._written is None:
            self._written = []
            for path in self.facts.project.mentioning(b".put")[:_MOST_FILES]:
                module = self.facts.project.module(path)
                if module is not None:
                    self._written += self._in(module)
        return self._written

    def _in(self, module: Module) -> Iterator[tuple[frozenset[int], Put]]:
        for call in (call for name in _PUTS for call in module.calls_of(name)):
            item = argument(call, "item", 0)
            if item is not None and isinstance(call.func, cst.Attribute) and not self._is_mark(item, module):
                yield self._made(call.func.value, module), Put(item, module)
        for call in module.calls_of("call_soon_threadsafe"):
            args = positional(call)
            put = args[0] if len(args) == 2 else None
            if isinstance(put, cst.Attribute) and put.attr.value in _PUTS and not self._is_mark(args[1], module):
                yield self._made(put.value, module), Put(args[1], module)

    def _is_mark(self, item: cst.BaseExpression, module: Module) -> bool:
        if string_value(item) is not None:
            return True
        values = self.infer.of(item, module)
        return bool(values) and all(is_none(v) or v.name == "builtins.object" for v in values)


def _asked(node: cst.CSTNode) -> cst.BaseExpression | None:
    """The queue of ``queue.get()``, awaited or not, with a time-out around it or not."""
    if isinstance(node, cst.Await):
        node = node.expression
    if isinstance(node, cst.Call) and called_name(node) in _WAITING and positional(node):
        node = positional(node)[0]
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _GETS:
        return node.func.value
    return None


def is_new_token(name: str, function: Function, facts: Facts) -> bool:
    """Whether a parameter is the token that LangChain hands to a callback: ``on_llm_new_token(self, token, …)``."""
    if function.name != "on_llm_new_token" or function.cls is None or len(function.parameters) < 2:
        return False
    return function.parameters[1].name == name and any(
        base.endswith("CallbackHandler") for base in types.external_bases(facts.infer, function.cls)
    )


__all__ = ["Put", "Queued", "is_new_token"]
