"""Tasks and threads that fill what a generator reads: who feeds whom, who keeps them, and what ends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import iterations
from lg_stream_lint.python.syntax import argument, called_name, dotted_text, positional, walk
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

QUEUES = frozenset(
    {"asyncio.Queue", "asyncio.queues.Queue", "asyncio.PriorityQueue", "asyncio.LifoQueue", "queue.Queue",
     "queue.SimpleQueue", "queue.LifoQueue", "queue.PriorityQueue", "multiprocessing.Queue"}
)  # fmt: skip
CALLBACK = "AsyncIteratorCallbackHandler"
_TASKS = frozenset({"asyncio.create_task", "asyncio.ensure_future", "asyncio.tasks.create_task"})
_LOOPS = ("asyncio.get_event_loop", "asyncio.get_running_loop", "asyncio.new_event_loop", "asyncio.AbstractEventLoop")
_ENDING = frozenset({"put", "put_nowait", "send", "send_nowait", "set", "close", "aclose", "shutdown", "cancel"})
_ANSWERS = frozenset(
    {"agenerate", "ainvoke", "arun", "acall", "apredict", "abatch", "agenerate_prompt", "apredict_messages"}
)
#: What is started to wait for something, and produces nothing.
_WAITING = frozenset({"get", "join", "sleep", "wait", "anext", "__anext__", "receive", "is_disconnected"})
#: Calls that are handed a task and do not become its keeper.
_WATCHERS = frozenset(
    {"wait", "gather", "wait_for", "shield", "as_completed", "print", "len", "isinstance", "debug", "info"}
)
_DEEPEST = 2


TASK, THREAD = "task", "thread"


class Spawn(NamedTuple):
    """Work that is started beside a function: ``call`` in ``function`` starts it, ``targets`` are what runs."""

    call: cst.Call
    function: Function
    kind: str
    work: cst.BaseExpression
    targets: tuple[Function, ...]


class Read(NamedTuple):
    """What a generator reads: ``node`` is the call or loop, ``owner`` the queue or handler; ``bounded`` when it ends by itself."""

    node: cst.CSTNode
    owner: cst.BaseExpression
    callback: bool
    bounded: bool


def spawned(facts: Facts, call: cst.Call, module: Module) -> Spawn | None:
    """What a call starts, if it is ``create_task`` (not a task group's), ``Thread`` or ``run_in_executor``."""
    function = module.function_at(call)
    if function is None or isinstance(module.parents.get(call), cst.Await):
        return None
    name = called_name(call)
    args = positional(call)
    if name in ("create_task", "ensure_future") and args and _is_task(facts, call, module):
        work = args[0]
        if isinstance(work, cst.Call) and called_name(work) in _WAITING:
            return None
        if isinstance(work, cst.Call) and called_name(work) in ("to_thread", "run_in_executor", "run_in_threadpool"):
            inner = positional(work)[1 if called_name(work) == "run_in_executor" else 0 :]
            return Spawn(call, function, THREAD, work, _targets(facts, inner[0], module) if inner else ())
        targets = _targets(facts, work.func, module) if isinstance(work, cst.Call) else ()
        return Spawn(call, function, TASK, work, targets)
    if name == "run_in_executor" and len(args) > 1:
        return Spawn(call, function, THREAD, args[1], _targets(facts, args[1], module))
    if any(v.name in ("threading.Thread", "threading.Timer") for v in facts.infer.of(call.func, module)):
        target = argument(call, "target", 1)
        return Spawn(call, function, THREAD, target, _targets(facts, target, module)) if target is not None else None
    return None


def _is_task(facts: Facts, call: cst.Call, module: Module) -> bool:
    for value in facts.infer.of(call.func, module):
        if value.name in _TASKS:
            return True
        if value.kind == Kind.METHOD and value.inner is not None and value.inner.name.startswith(_LOOPS):
            return True
    return False


def _targets(facts: Facts, node: cst.BaseExpression, module: Module) -> tuple[Function, ...]:
    found = []
    for value in facts.infer.of(node, module):
        target = value
        while target.kind == Kind.PARTIAL and target.inner is not None:
            target = target.inner
        if target.kind == Kind.FUNCTION and target.function is not None:
            found.append(target.function)
    return tuple(found)


def readers(facts: Facts, function: Function) -> Iterator[Function]:
    """The generators that may read what a function starts: itself, those nested in it, and those it calls."""
    if function.is_generator:
        yield function
    for other in function.module.functions:
        if other.is_generator and other.parent is function:
            yield other
    for call in function.calls:
        for value in facts.infer.of(call, function.module):
            if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) and value.function is not None:
                yield value.function


def reads(facts: Facts, generator: Function) -> Iterator[Read]:
    """The queues and token callbacks that a generator takes its items from."""
    module = generator.module
    for call in generator.calls:
        if called_name(call) in ("get", "get_nowait") and isinstance(call.func, cst.Attribute):
            owner = call.func.value
            if any(v.kind == Kind.INSTANCE and v.name in QUEUES for v in facts.infer.of(owner, module)):
                yield Read(call, owner, callback=False, bounded=_is_bounded(module, call))
    for node, iterated in iterations(generator):
        if (
            isinstance(iterated, cst.Call)
            and called_name(iterated) == "aiter"
            and isinstance(iterated.func, cst.Attribute)
        ):
            owner = iterated.func.value
            if any(is_callback(facts, v) for v in facts.infer.of(owner, module)):
                yield Read(node, owner, callback=True, bounded=False)


def is_callback(facts: Facts, value: Value) -> bool:
    """Whether a value is LangChain's token callback, or an object of a class of the project that derives from it."""
    if value.kind != Kind.INSTANCE:
        return False
    if value.cls is not None:
        return any(name.endswith(f".{CALLBACK}") for name in types.external_bases(facts.infer, value.cls))
    return value.name.endswith(f".{CALLBACK}")


def _is_bounded(module: Module, call: cst.Call) -> bool:
    """Whether reading ends by itself: with a time-out, without waiting, or as one of several things that are waited for."""
    if called_name(call) == "get_nowait" or call.args:
        return True
    parent = module.parents.get(call)
    if isinstance(parent, cst.Await):
        return any(isinstance(a, cst.With) and _has_limit(a) for a in module.ancestors(call))
    return isinstance(parent, cst.Arg)


def _has_limit(node: cst.With) -> bool:
    return any(
        isinstance(item.item, cst.Call)
        and called_name(item.item) in ("timeout", "timeout_at", "fail_after", "move_on_after")
        for item in node.items
    )


# Who feeds whom


def feeds(facts: Facts, spawn: Spawn, generator: Function, read: Read) -> bool:
    """Whether what was started fills what the generator reads: it is given it, closes over it, or works through what holds it."""
    made = {id(v.node) for v in facts.infer.of(read.owner, generator.module) if v.node is not None}
    if spawn.function is generator and _is_given(spawn.call, dotted_text(read.owner)):
        return True
    if not made:
        return False
    if read.callback and isinstance(spawn.work, cst.Call) and called_name(spawn.work) in _ANSWERS:
        return True
    if _mentions(facts, spawn.call, spawn.function.module, made):
        return True
    return any(_mentions(facts, target.node, target.module, made) for target in spawn.targets)


def _is_given(call: cst.Call, name: str) -> bool:
    """Whether what is started is given what its own function reads, under the name that it has there."""
    return bool(name) and any(
        dotted_text(node) == name for node in walk(call) if isinstance(node, (cst.Name, cst.Attribute))
    )


def _mentions(facts: Facts, node: cst.CSTNode, module: Module, made: set[int], depth: int = 1) -> bool:
    for item in walk(node):
        if not isinstance(item, (cst.Name, cst.Attribute)):
            continue
        for value in facts.infer.of(item, module):
            if id(value.node) in made:
                return True
            built = value.node if value.kind == Kind.INSTANCE and depth > 0 else None
            home = value.home
            given = built.args if isinstance(built, cst.Call) and home is not None else ()
            if home is not None and any(_mentions(facts, arg.value, home, made, depth - 1) for arg in given):
                return True
    return False
