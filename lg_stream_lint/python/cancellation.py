"""Handlers that keep a cancellation (or the closing of a generator) from ending what it should end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.following import RAISE, RETURN, exits, following
from lg_stream_lint.python.guards import exception_names
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.syntax import called_name, dotted_text, walk_same_scope
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: Marks of functions whose return LangGraph takes for a result: the run goes on from there.
NODES = frozenset({"node", "tool", "task", "entrypoint", "runnable"})
_CANCELLED = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError", "CancelledError",
                        "concurrent.futures.CancelledError"})  # fmt: skip
_NO_STREAM = frozenset({"dependency", "lifespan", "fixture", "startup", "middleware"})
#: Calls that only tidy up: awaiting one after a cancellation is no going on.
CLOSING = frozenset(
    {
        "aclose", "close", "wait_closed", "cancel", "release", "disconnect", "shutdown", "stop", "rollback", "join",
        "put", "put_nowait", "send_nowait", "unsubscribe", "unlock", "__aexit__", "aexit", "cleanup", "clean_up", "remove",
        "discard", "terminate", "kill", "dispose", "quit", "detach",
    }
)  # fmt: skip
_TASK_WAITERS = frozenset({"gather", "wait", "wait_for", "shield", "as_completed"})
_MOST_HOPS = 3

Handler = cst.ExceptHandler | cst.ExceptStarHandler


class Swallowed(NamedTuple):
    """A handler that swallows: ``what`` is written, ``why`` it goes on (``turn``, ``await``, ``yield``, ``return``).

    ``closing``: only the closing of a generator is swallowed.
    """

    handler: Handler
    what: str
    why: str
    closing: bool


def role(facts: Facts, function: Function, hops: int = _MOST_HOPS) -> str:
    """What a function is on the way of a stream: ``node``, ``generator``, ``handler``, ``step`` (awaited by a node), ``helper``."""
    marks = facts.functions.marks(function)
    if function.is_async and not function.is_generator and marks & NODES:
        return "node"
    if function.is_generator:
        if marks & _NO_STREAM or facts.functions.is_context_manager(function):
            return ""
        return "generator" if facts.streams.is_fed_by(function) or _has_source(facts, function) else ""
    if not function.is_async or marks & _NO_STREAM:
        return ""
    if facts.functions.is_handler(function):
        return "handler" if _has_source(facts, function) or _builds_stream(facts, function) else ""
    return _role_of_helper(facts, function, hops) if hops > 0 else ""


def _role_of_helper(facts: Facts, function: Function, hops: int) -> str:
    found = ""
    for module, call in facts.callers(function):
        caller = module.function_at(call)
        if caller is None or caller is function or facts.functions.is_test(caller):
            continue
        around = role(facts, caller, hops - 1)
        if around in ("node", "step") and _is_waited_for(module, call, caller):
            return "step"
        found = found or ("helper" if around else "")
    return found


def _is_waited_for(module: Module, call: cst.Call, caller: Function) -> bool:
    """Whether a coroutine is awaited where it is made, or gathered in the same function: cancelled with its caller."""
    return isinstance(module.parents.get(call), cst.Await) or any(called_name(c) == "gather" for c in caller.calls)


def _has_source(facts: Facts, function: Function) -> bool:
    return next(sources(facts, function), None) is not None


def _builds_stream(facts: Facts, function: Function) -> bool:
    module = function.module
    return any(s.call is not None and module.function_at(s.call) is function for s in facts.streams.of(module))


def swallowed(facts: Facts, function: Function, as_role: str) -> Iterator[Swallowed]:
    """The handlers of a function that swallow a cancellation, or a generator's closing, and go on."""
    for node in walk_same_scope(function.node):
        if isinstance(node, (cst.Try, cst.TryStar)):
            yield from _in_try(facts, function, node, as_role)


def _in_try(facts: Facts, function: Function, node: cst.Try | cst.TryStar, as_role: str) -> Iterator[Swallowed]:
    module = function.module
    pauses = function.is_async and any(is_pause(n) for n in walk_same_scope(node.body))
    yields = function.is_generator and any(isinstance(n, cst.Yield) for n in walk_same_scope(node.body))
    if not pauses and not yields:
        return
    seen_cancelled = seen_exit = False
    for handler in node.handlers:
        names = set(exception_names(facts, module, handler))
        wide = "BaseException" in names
        cancelled = pauses and not seen_cancelled and (wide or bool(names & _CANCELLED))
        closed = yields and not seen_exit and (wide or "GeneratorExit" in names)
        seen_cancelled = seen_cancelled or wide or bool(names & _CANCELLED)
        seen_exit = seen_exit or wide or "GeneratorExit" in names
        if not (cancelled or closed) or _passes_on(facts, function, handler):
            continue
        if cancelled and not closed and _waits_for_own_tasks(node):
            continue
        why = _goes_on(module, node, handler, as_role, cancelled=cancelled)
        if why:
            yield Swallowed(handler, _written(handler, names), why, closing=not cancelled)


def _written(handler: Handler, names: set[str]) -> str:
    if handler.type is None:
        return "except:"
    name = next((n for n in sorted(names) if n in _CANCELLED or n in ("BaseException", "GeneratorExit")), "")
    return f"except {name.rpartition('.')[2]}"


def is_pause(node: cst.CSTNode) -> bool:
    """Whether a node is a place where a coroutine waits, and can be cancelled."""
    if isinstance(node, (cst.Await, cst.Yield)):
        return True
    return isinstance(node, (cst.For, cst.With, cst.CompFor)) and node.asynchronous is not None


def _passes_on(facts: Facts, function: Function, handler: Handler) -> bool:
    """Whether a handler raises anything, yields (which is another rule's matter), ends the process, or calls what raises.

    An exception that is kept for a later `raise`, or set on a future, counts as raised.
    """
    module = function.module
    if _is_kept(function, handler):
        return True
    for node in walk_same_scope(handler.body):
        if isinstance(node, (cst.Raise, cst.Yield)):
            return True
        if isinstance(node, cst.Call):
            name = called_name(node)
            if (
                name in ("exit", "_exit", "abort")
                or "raise" in name
                or name in ("uncancel", "cancelling", "set_exception")
            ):
                return True
            for value in facts.infer.of(node.func, module):
                if value.kind == Kind.FUNCTION and value.function is not None and value.function.raises:
                    return True
    return False


def _is_kept(function: Function, handler: Handler) -> bool:
    """Whether a handler assigns what it caught to a name that the function raises somewhere."""
    if handler.name is None or not isinstance(handler.name.name, cst.Name):
        return False
    caught = handler.name.name.value
    kept = {
        target.target.value
        for node in walk_same_scope(handler.body)
        if isinstance(node, cst.Assign) and isinstance(node.value, cst.Name) and node.value.value == caught
        for target in node.targets
        if isinstance(target.target, cst.Name)
    }
    return any(isinstance(node.exc, cst.Name) and node.exc.value in kept for node in function.raises)


def _waits_for_own_tasks(node: cst.Try | cst.TryStar) -> bool:
    """Whether a ``try`` does nothing but wait for tasks: their cancellation arrives there too, and is what is caught."""
    waits = [n for n in walk_same_scope(node.body) if is_pause(n)]
    return all(isinstance(n, cst.Await) and _is_task(n.expression) for n in waits)


def _is_task(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call):
        plain = called_name(node) in _TASK_WAITERS and not dotted_text(node.func).startswith("self.")
        return plain and all(_is_task(arg.value) for arg in node.args if arg.keyword is None and arg.star != "**")
    if isinstance(node, (cst.Integer, cst.Float)):
        return True
    return isinstance(node, (cst.Name, cst.Attribute, cst.Subscript, cst.List, cst.Set, cst.Tuple))


def _goes_on(module: Module, node: cst.CSTNode, handler: Handler, as_role: str, *, cancelled: bool) -> str:
    """What follows a handler; empty when it ends the function."""
    ways = exits(handler.body)
    after = following(module, node, ways)
    if after.loop is not None and _can_turn(after.loop, cancelled=cancelled):
        return "turn"
    for statement in after.statements:
        found = _pause_in(statement, cancelled=cancelled)
        if found:
            return found
    if cancelled and as_role in ("node", "step") and ways - {RAISE}:
        return RETURN
    return ""


def _can_turn(loop: cst.For | cst.While, *, cancelled: bool) -> bool:
    nodes = list(walk_same_scope(loop))
    return any(is_pause(n) for n in nodes) if cancelled else any(isinstance(n, cst.Yield) for n in nodes)


def _pause_in(statement: cst.CSTNode, *, cancelled: bool) -> str:
    for node in walk_same_scope(statement):
        if isinstance(node, cst.Yield):
            return "yield"
        if cancelled and is_pause(node) and not (isinstance(node, cst.Await) and only_tidies_up(node.expression)):
            return "await"
    return ""


def only_tidies_up(node: cst.BaseExpression) -> bool:
    """Whether an awaited expression closes, releases or wakes something: clean-up, no further work."""
    if isinstance(node, cst.Call):
        name = called_name(node)
        if name in _TASK_WAITERS or name == "suppress":
            return all(only_tidies_up(a.value) for a in node.args if a.keyword is None and not _is_number(a.value))
        return name in CLOSING or name.startswith(
            ("close", "aclose", "release", "cancel", "cleanup", "shutdown", "stop")
        )
    return isinstance(node, (cst.Name, cst.Attribute, cst.Subscript, cst.StarredElement))


def _is_number(node: cst.CSTNode) -> bool:
    return isinstance(node, (cst.Integer, cst.Float))
