"""Limits in time around code: the calls that set them, how long they are, and who hears of it when they strike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.syntax import argument, called_name, positional, string_value
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: Context managers that end their body after a time, and the keyword of that time.
_SCOPES = {
    "asyncio.timeout": "delay",
    "asyncio.timeouts.timeout": "delay",
    "async_timeout.timeout": "delay",
    "anyio.fail_after": "delay",
    "anyio.move_on_after": "delay",
}
#: The same with a point in time, which no text tells.
_POINTS = frozenset({"asyncio.timeout_at", "async_timeout.timeout_at"})
_WAIT_FOR = frozenset({"asyncio.wait_for", "asyncio.tasks.wait_for"})
_ENVIRONMENT = frozenset({"os.getenv", "os.environ.get"})
_DEEPEST = 6


class Deadline(NamedTuple):
    """A limit: ``call`` sets it (dotted ``name``), ``seconds`` is None when they are not known; ``silent``: it raises nothing."""

    call: cst.Call
    name: str
    seconds: float | None
    silent: bool


def scopes_of(facts: Facts, node: cst.With, module: Module) -> Iterator[tuple[cst.WithItem, Deadline]]:
    """The limits that a ``with`` statement puts on its body."""
    for item in node.items:
        if not isinstance(item.item, cst.Call):
            continue
        for value in facts.infer.of(item.item.func, module):
            if value.kind == Kind.EXTERNAL and (value.name in _SCOPES or value.name in _POINTS):
                given = argument(item.item, _SCOPES.get(value.name, "when"), 0)
                known = seconds(facts, given, module) if value.name in _SCOPES else None
                yield item, Deadline(item.item, value.name, known, value.name.endswith("move_on_after"))
                break


def wait_for(facts: Facts, call: cst.Call, module: Module) -> Deadline | None:
    """What ``asyncio.wait_for(…)`` sets; None for other calls."""
    if called_name(call) != "wait_for" and not isinstance(call.func, cst.Name):
        return None
    if not any(v.kind == Kind.EXTERNAL and v.name in _WAIT_FOR for v in facts.infer.of(call.func, module)):
        return None
    return Deadline(call, "asyncio.wait_for", seconds(facts, argument(call, "timeout", 1), module), silent=False)


def seconds(facts: Facts, node: cst.CSTNode | None, module: Module, depth: int = 0) -> float | None:
    """A length of time as far as the text tells it: numbers, constants, ``timedelta``, the default of ``os.getenv``."""
    if node is None or depth > _DEEPEST:
        return None
    if isinstance(node, (cst.Integer, cst.Float)):
        return float(node.evaluated_value)
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)):
        return _number(string_value(node))
    if isinstance(node, cst.BinaryOperation):
        left, right = (seconds(facts, side, module, depth + 1) for side in (node.left, node.right))
        if left is None or right is None:
            return None
        return left * right if isinstance(node.operator, cst.Multiply) else None
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
        return seconds(facts, node.right, module, depth + 1)
    if isinstance(node, cst.Call):
        return _of_call(facts, node, module, depth)
    if isinstance(node, cst.Name):
        return _of_name(facts, node, module, depth)
    return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _of_call(facts: Facts, node: cst.Call, module: Module, depth: int) -> float | None:
    names = {value.name for value in facts.infer.of(node.func, module) if value.kind == Kind.EXTERNAL}
    args = positional(node)
    if names & {"builtins.int", "builtins.float"} and args:
        return seconds(facts, args[0], module, depth + 1)
    if names & _ENVIRONMENT:
        return seconds(facts, argument(node, "default", 1), module, depth + 1)
    if "datetime.timedelta" in names and all(arg.keyword is not None for arg in node.args):
        total = 0.0
        for arg in node.args:
            factor = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}.get(arg.keyword.value if arg.keyword else "")
            given = seconds(facts, arg.value, module, depth + 1)
            if factor is None or given is None:
                return None
            total += factor * given
        return total
    return None


def _of_name(facts: Facts, node: cst.Name, module: Module, depth: int) -> float | None:
    """A constant: a name that is bound once, here or in another module of the project."""
    holder = module.scope_at(node).holder_of(node.value)
    bindings = holder.bindings[node.value] if holder is not None else []
    bindings = [b for b in bindings if b.kind != "annotation"]
    if len(bindings) != 1:
        return None
    binding = bindings[0]
    if binding.kind == "assign" and not binding.path:
        return seconds(facts, binding.node, binding.scope.module, depth + 1)
    if binding.kind == "import":
        for value in facts.infer.of(node, module):
            if value.kind == Kind.LITERAL and value.home is not None:
                return seconds(facts, value.node, value.home, depth + 1)
    return None


def shown(value: float) -> str:
    """A number of seconds as one writes it: ``30 s``, ``0.5 s``."""
    return f"{value:g} s"
