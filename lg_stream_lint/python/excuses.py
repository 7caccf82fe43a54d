"""Why a call that would block does not: it is awaited, told not to wait, never reached, or not what its name says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import called_name, walk

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module

_EXCUSES = ("hasattr", "iscoroutinefunction", "isawaitable", "getattr", "iscoroutine", "isasyncgenfunction", "callable")
_FALLBACKS = ("NotImplementedError", "AttributeError", "RuntimeError", "TypeError")
_SCHEDULERS = frozenset(
    {"create_task", "ensure_future", "gather", "wait_for", "shield", "wait", "as_completed", "run", "run_until_complete",
     "run_coroutine_threadsafe", "start_soon", "iscoroutine", "isawaitable"}
)  # fmt: skip
#: The categories of what waits for something else in this process, and can be told not to.
_WAITS = frozenset({"thread", "queue", "subprocess"})
_CONSUMERS = frozenset(
    {"list", "tuple", "set", "dict", "next", "sum", "sorted", "any", "all", "max", "min", "enumerate", "zip", "join"}
)


def sync_consumer(module: Module, call: cst.Call) -> bool:
    """Whether a call's result is iterated on the spot: by ``for``, a comprehension, ``list()``, ``next()``, ``join`` …"""
    parent = module.parents.get(call)
    if isinstance(parent, (cst.For, cst.CompFor)):
        return parent.iter is call and parent.asynchronous is None
    if isinstance(parent, cst.From):
        return True
    if isinstance(parent, cst.Arg):
        outer = module.parents.get(parent)
        if isinstance(outer, cst.Call):
            name = called_name(outer)
            if name in ("enumerate", "zip"):
                return sync_consumer(module, outer)
            return name in _CONSUMERS
    return isinstance(parent, cst.StarredElement)


def excused(module: Module, call: cst.CSTNode, *, opened: bool = False) -> bool:
    """Whether a call is awaited, or stands in the branch for objects that have no async method.

    ``opened``: whether opening the result by a plain ``with`` excuses it too (no graph's result can be opened).
    """
    parent = module.parents.get(call)
    if isinstance(parent, cst.Await):
        return True
    if isinstance(parent, cst.WithItem):
        statement = module.parents.get(parent)
        return opened or (isinstance(statement, cst.With) and statement.asynchronous is not None)
    if isinstance(parent, (cst.For, cst.CompFor)) and parent.iter is call and parent.asynchronous is not None:
        return True
    child: cst.CSTNode = call
    while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda)):
        if isinstance(parent, (cst.If, cst.While, cst.IfExp)) and child is parent.body and never_true(parent.test):
            return True
        if isinstance(parent, cst.ExceptHandler) and parent.type is not None and _names(parent.type) & set(_FALLBACKS):
            return True
        if isinstance(parent, (cst.If, cst.IfExp)) and child is not parent.test and _asks_for_method(parent.test):
            return True
        child, parent = parent, module.parents.get(parent)
    return False


def returns_at_once(call: cst.Call, category: str) -> bool:
    """Whether a call that waits for a thread, queue or process is told not to: ``shutdown(wait=False)``, ``get(False)``."""
    if category not in _WAITS:
        return False
    told = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    if any(_is_false(told[name]) for name in ("wait", "block", "blocking") if name in told):
        return True
    if called_name(call) in ("get", "shutdown") and call.args and call.args[0].keyword is None:
        return _is_false(call.args[0].value)
    limit = told.get("timeout")
    return isinstance(limit, (cst.Integer, cst.Float)) and limit.evaluated_value == 0


def _is_false(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "False"


def never_true(test: cst.BaseExpression) -> bool:
    """Whether a condition is false whatever its names hold: ``False``, ``0``, ``… and False``, ``TYPE_CHECKING``."""
    if isinstance(test, cst.BooleanOperation):
        sides = (never_true(test.left), never_true(test.right))
        return any(sides) if isinstance(test.operator, cst.And) else all(sides)
    if isinstance(test, cst.Integer):
        return test.evaluated_value == 0
    if isinstance(test, cst.Attribute):
        return test.attr.value == "TYPE_CHECKING"
    return isinstance(test, cst.Name) and test.value in ("False", "None", "TYPE_CHECKING")


def _names(node: cst.CSTNode) -> set[str]:
    return {n.value for n in walk(node) if isinstance(n, cst.Name)}


def taken_for_awaitable(function: Function, call: cst.Call) -> bool:
    """Whether the code treats a call's result as a coroutine: then the object, known by its name only, is no graph."""
    module = function.module
    child: cst.CSTNode = call
    parent = module.parents.get(call)
    while isinstance(
        parent, (cst.Arg, cst.Call, cst.ListComp, cst.GeneratorExp, cst.Element, cst.List, cst.StarredElement)
    ):
        if isinstance(parent, cst.Call) and child is not parent.func and called_name(parent) in _SCHEDULERS:
            return True
        child, parent = parent, module.parents.get(parent)
    if not isinstance(parent, cst.Assign) or not isinstance(parent.targets[0].target, cst.Name):
        return False
    name = parent.targets[0].target.value
    return any(
        isinstance(node, cst.Name) and node.value == name and _is_awaited(module, node) for node in walk(function.node)
    )


def taken_for_async_iterable(function: Function, call: cst.Call) -> bool:
    """Whether the code iterates the result of an ``.invoke()`` by ``async for``, as no answer can be.

    Then the object that is called, or the last step of the chain, makes an asynchronous iterator, and the work is done there.
    """
    module = function.module
    parent = module.parents.get(call)
    if isinstance(parent, (cst.For, cst.CompFor)):
        return parent.iter is call and parent.asynchronous is not None
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        target: cst.CSTNode = parent.targets[0].target
    elif isinstance(parent, cst.AnnAssign):
        target = parent.target
    else:
        return False
    return isinstance(target, cst.Name) and any(
        isinstance(node, (cst.For, cst.CompFor))
        and node.asynchronous is not None
        and isinstance(node.iter, cst.Name)
        and node.iter.value == target.value
        for node in walk(function.node)
    )


def runs_once(function: Function, call: cst.CSTNode) -> bool:
    """Whether a call fills a global that is still empty: ``if client is None: client = connect()``, with ``global client``.

    It holds up the first request of a process and no other.
    """
    child, parent = call, function.module.parents.get(call)
    while parent is not None and parent is not function.node:
        if isinstance(parent, cst.If) and child is parent.body:
            empty = _asked_to_be_empty(parent.test)
            if empty and _is_assigned(empty, parent.body) and _is_global(empty, function):
                return True
        child, parent = parent, function.module.parents.get(parent)
    return False


def _is_assigned(name: str, body: cst.CSTNode) -> bool:
    targets = (n.target for n in walk(body) if isinstance(n, cst.AssignTarget))
    return any(isinstance(target, cst.Name) and target.value == name for target in targets)


def _is_global(name: str, function: Function) -> bool:
    said = (item.name.value for n in walk(function.node) if isinstance(n, cst.Global) for item in n.names)
    return name in said


def _asked_to_be_empty(test: cst.BaseExpression) -> str:
    """The name of which a condition asks whether it holds nothing; empty for any other condition."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression.value if isinstance(test.expression, cst.Name) else ""
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 and isinstance(test.left, cst.Name):
        other = test.comparisons[0]
        if isinstance(other.operator, cst.Is) and isinstance(other.comparator, cst.Name):
            return test.left.value if other.comparator.value == "None" else ""
    return ""


def _is_awaited(module: Module, node: cst.Name) -> bool:
    child: cst.CSTNode = node
    parent = module.parents.get(node)
    while isinstance(parent, (cst.Arg, cst.Call, cst.Element, cst.List, cst.StarredElement)):
        if isinstance(parent, cst.Call) and child is not parent.func and called_name(parent) in _SCHEDULERS:
            return True
        child, parent = parent, module.parents.get(parent)
    return isinstance(parent, cst.Await) and child is node


def _asks_for_method(test: cst.CSTNode) -> bool:
    for node in walk(test):
        if isinstance(node, cst.Call):
            name = called_name(node)
            if name in _EXCUSES:
                return True
    return False
