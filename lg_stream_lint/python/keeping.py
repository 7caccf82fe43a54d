"""What becomes of a task or thread that fills what a generator reads: who holds it, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.guards import exception_names
from lg_stream_lint.python.producers import THREAD, Spawn
from lg_stream_lint.python.scopes import Function, Scope
from lg_stream_lint.python.syntax import called_name, dotted_text, walk, walk_same_scope
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_ENDING = frozenset({"put", "put_nowait", "send", "send_nowait", "set", "close", "aclose", "shutdown", "cancel"})
#: Calls that are handed a task and do not become its keeper.
_WATCHERS = frozenset(
    {"wait", "gather", "wait_for", "shield", "as_completed", "print", "len", "isinstance", "debug", "info"}
)
_DEEPEST = 2

# Who keeps it


class Keeping(NamedTuple):
    """What becomes of a started task: ``kept`` in a name at all, ``ended`` with the generator (or somebody else's to end)."""

    kept: bool
    ended: bool
    watched: bool


def keeping(spawn: Spawn) -> Keeping:
    """Who holds a task and whether anything ends it when the generator ends. What is handed on is taken to be ended."""
    module = spawn.function.module
    child: cst.CSTNode = spawn.call
    parent = module.parents.get(child)
    while isinstance(parent, (cst.List, cst.Tuple, cst.Element)) or (
        spawn.kind == THREAD and isinstance(parent, (cst.Attribute, cst.Call))  # `Thread(…).start()`
    ):
        child, parent = parent, module.parents.get(parent)
    if isinstance(parent, cst.Expr):
        return Keeping(kept=False, ended=False, watched=False)
    target = (
        parent.targets[0].target
        if isinstance(parent, cst.Assign) and len(parent.targets) == 1
        else parent.target
        if isinstance(parent, (cst.AnnAssign, cst.NamedExpr))
        else None
    )
    if not isinstance(target, cst.Name):
        return Keeping(kept=True, ended=True, watched=True)
    ended = watched = False
    for name in _uses(target.value, spawn.function):
        verdict = _verdict(name, module, spawn.function)
        ended = ended or verdict in ("ended", "handed on")
        watched = watched or verdict in ("watched", "handed on")
    return Keeping(kept=True, ended=ended, watched=watched)


def _uses(name: str, function: Function) -> Iterator[cst.Name]:
    scope: Scope = function.scope
    for node in walk(function.node):
        if isinstance(node, cst.Name) and node.value == name:
            parent = function.module.parents.get(node)
            if not isinstance(parent, (cst.AssignTarget, cst.AnnAssign, cst.NamedExpr)) and (
                function.module.scope_at(node).holder_of(name) is scope
            ):
                yield node


def _verdict(name: cst.Name, module: Module, function: Function) -> str:
    """What one mention of a task does for it: ``ended``, ``watched`` (its end is noticed), ``handed on`` or nothing."""
    parent = module.parents.get(name)
    attribute = parent.attr.value if isinstance(parent, cst.Attribute) and parent.value is name else ""
    if attribute in ("done", "exception", "result", "add_done_callback", "is_alive"):
        return "watched"
    child: cst.CSTNode = name
    for around in module.ancestors(name):
        if around is function.node:
            break
        if isinstance(around, (cst.Finally, cst.ExceptHandler, cst.ExceptStarHandler)):
            return "ended"
        if (
            attribute == "cancel"
            and isinstance(around, (cst.If, cst.Lambda))
            and child is not getattr(around, "test", None)
        ):
            return "ended"
        child = around
    if isinstance(parent, cst.Element):  # `asyncio.wait({task, getter})`
        return "watched"
    outer = module.parents.get(parent) if parent is not None else None
    if attribute == "cancel" and isinstance(outer, cst.Arg):
        return "ended"  # `stack.callback(task.cancel)`, `BackgroundTask(task.cancel)`
    if isinstance(parent, cst.Arg) and isinstance(outer, cst.Call):
        called = called_name(outer)
        return "handed on" if called not in _WATCHERS else "watched" if called == "wait" else ""
    return "handed on" if isinstance(parent, (cst.Assign, cst.Return, cst.DictElement, cst.Yield)) else ""


# How it ends


def always_ends(facts: Facts, function: Function, depth: int = _DEEPEST) -> bool:
    """Whether a producer tells its reader that it ended, however it ends: in ``finally``, or in a handler of all errors."""
    if function.decorators and not function.is_method:
        return True  # a decorator may do it
    module = function.module
    for node in walk_same_scope(function.node):
        if isinstance(node, (cst.Try, cst.TryStar)):
            if node.finalbody is not None and _tells(node.finalbody):
                return True
            for handler in node.handlers:
                wide = {"Exception", "BaseException"} & set(exception_names(facts, module, handler))
                if wide and _tells(handler):
                    return True
    if depth > 0:
        for call in function.calls:
            for value in facts.infer.of(call.func, module):
                inner = value.function if value.kind == Kind.FUNCTION else None
                if inner is not None and inner is not function and always_ends(facts, inner, depth - 1):
                    return True
    return False


def _tells(block: cst.CSTNode) -> bool:
    return any(
        isinstance(node, cst.Call) and (called_name(node) in _ENDING or _puts_soon(node))
        for node in walk_same_scope(block)
    )


def _puts_soon(call: cst.Call) -> bool:
    """``loop.call_soon_threadsafe(queue.put_nowait, None)``, ``run_coroutine_threadsafe(queue.put(None), loop)``."""
    return called_name(call) in ("call_soon_threadsafe", "run_coroutine_threadsafe") and any(
        dotted_text(arg.value).rpartition(".")[2] in _ENDING for arg in call.args
    )
