"""What blocks the thread it runs on, directly or through plain functions that are called on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.excuses import (
    excused,
    returns_at_once,
    runs_once,
    sync_consumer,
    taken_for_async_iterable,
    taken_for_awaitable,
)
from lg_stream_lint.python.runnables import RunnableCall, runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import iterations
from lg_stream_lint.python.value import Kind, Value, Values

if TYPE_CHECKING:
    from lg_stream_lint.knowledge import Blocking, BlockingClass
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: How many plain functions lie at most between an async function and what blocks in it.
DEEPEST = 4
BY_NAME = frozenset({"stream", "invoke", "batch"})
_KEEPERS = frozenset({"functools.lru_cache", "functools.cache"})


class Site(NamedTuple):
    """A blocking call: of a graph or model (``runnable``), or one that the table of blocking calls knows (``known``)."""

    node: cst.CSTNode
    module: Module
    runnable: RunnableCall | None
    known: Blocking | BlockingClass | None
    label: str


class Reached(NamedTuple):
    """A blocking call and the way to it: ``node`` stands in the function that was asked about, ``path`` names what is called."""

    node: cst.CSTNode
    site: Site
    path: tuple[Function, ...]


class BlockingCalls:
    """Answers, for a function, what blocks while its own body runs."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._direct: dict[Function, tuple[Site, ...]] = {}
        self._into: dict[Function, tuple[tuple[cst.CSTNode, Function], ...]] = {}
        self._reached: dict[Function, tuple[tuple[Reached, ...], bool]] = {}
        self._within: dict[tuple[Function, int], tuple[tuple[Reached, ...], bool]] = {}

    def direct(self, function: Function) -> tuple[Site, ...]:
        """The blocking calls in the function's own body."""
        known = self._direct.get(function)
        if known is None:
            known = self._direct[function] = tuple(self._find(function))
        return known

    def _find(self, function: Function) -> Iterator[Site]:
        module = function.module
        seen: set[cst.CSTNode] = set()
        for call in function.calls:
            site = self.site(call, module)
            if site is None or excused(module, call, opened=site.runnable is not None):
                continue
            if site.runnable is not None and site.runnable.by_name and taken_for_awaitable(function, call):
                continue
            if (
                site.runnable is not None
                and site.runnable.kind == "blocking"
                and taken_for_async_iterable(function, call)
            ):
                continue
            generator = site.runnable is not None and site.runnable.kind == "generator"
            if (generator and not self._iterated_here(call, function)) or runs_once(function, call):
                continue
            if call not in seen:
                seen.add(call)
                yield site

    def site(self, call: cst.Call, module: Module) -> Site | None:
        """What a call is, if it blocks (or, for a generator, if iterating it does)."""
        found = runnable_call(self.facts, call, module, BY_NAME)
        if found is not None:
            if found.kind not in ("blocking", "generator"):
                return None
            return Site(call, module, found, None, f"{found.method}()")
        for value in self.facts.infer.of(call.func, module):
            known, label = self._known(value)
            if known is not None:
                return None if returns_at_once(call, known.category) else Site(call, module, None, known, label)
        return None

    def _known(self, value: Value) -> tuple[Blocking | BlockingClass | None, str]:
        tables = self.facts.project.knowledge
        if value.kind == Kind.EXTERNAL:
            return tables.blocking_functions.get(value.name), value.name
        if value.kind == Kind.FUNCTION and value.function is not None:
            return self._own(value, value.function)
        if value.kind == Kind.METHOD and value.inner is not None and value.inner.kind == Kind.INSTANCE:
            row = tables.blocking_classes.get(value.inner.name)
            label = f"{value.inner.name.rpartition('.')[2]}.{value.name}"
            parts = value.name.split(".")
            for place, part in enumerate(parts):
                if row is None or row.blocks(".".join(parts[place:])):
                    return row, label if row is not None else ""
                row = tables.leads_to(row, part)  # `client.shop.products.find_one()`: attributes that lead on
        return None, ""

    def _own(self, value: Value, function: Function) -> tuple[Blocking | BlockingClass | None, str]:
        """A function of the project, or a method of one of its classes, that the configuration says to block."""
        tables = self.facts.project.knowledge
        known = tables.blocking_functions.get(self.facts.own.path_of(function))
        if known is not None:
            return known, function.qualname
        owner = value.inner
        row = tables.blocking_classes.get(owner.name) if owner is not None and owner.name in tables.own else None
        if row is not None and row.blocks(function.name) and not function.is_async:
            return row, f"{row.path.rpartition('.')[2]}.{function.name}"
        return None, ""

    def _iterated_here(self, call: cst.Call, function: Function) -> bool:
        """Whether a synchronous generator is iterated by this function itself (and not handed to a response or a thread)."""
        if sync_consumer(function.module, call):
            return True
        for node, iterated in iterations(function):
            if _is_async(node) or iterated is call:
                continue
            if any(v.kind == Kind.GENERATOR and v.node is call for v in self.facts.infer.of(iterated, function.module)):
                return True
        return False

    def reached(self, function: Function, depth: int = DEEPEST) -> tuple[Reached, ...]:
        """Every blocking call that runs when the function's body runs: its own, and those of plain functions it calls."""
        return self._reach(function, depth)[0]

    def _reach(self, function: Function, depth: int) -> tuple[tuple[Reached, ...], bool]:
        """What is reached within so many calls, and whether there are calls beyond that nobody has followed."""
        known = self._reached.get(function) or self._within.get((function, depth))
        if known is not None:
            return known
        self._within[function, depth] = ((), False)
        found = [Reached(site.node, site, ()) for site in self.direct(function)]
        cut = depth == 0 and bool(function.calls)
        if depth > 0:
            for node, callee in self._followed(function):
                inner, missing = self._reach(callee, depth - 1)
                cut = cut or missing
                if inner:  # one reason is enough for a call
                    found.append(Reached(node, inner[0].site, (callee, *inner[0].path)))
        result = tuple(found), cut
        if depth == DEEPEST or not (found or cut):
            self._reached[function] = result
        else:
            self._within[function, depth] = result
        return result

    def _followed(self, function: Function) -> tuple[tuple[cst.CSTNode, Function], ...]:
        """The plain functions that run inside this one more than once in the life of a process, each with its call."""
        known = self._into.get(function)
        if known is None:
            # An object that is known in two ways has its methods twice; what they run is one thing.
            known = self._into[function] = tuple(
                (node, callee)
                for node, callee in dict.fromkeys(self._entered(function))
                if not self._is_kept(callee) and not runs_once(function, node)
            )
        return known

    def _is_kept(self, function: Function) -> bool:
        """Whether a function's result is made once and kept: ``@lru_cache`` on one that takes nothing."""
        if function.parameters or isinstance(function.node, cst.Lambda):
            return False
        for decorator in function.node.decorators:
            node = decorator.decorator
            called = node.func if isinstance(node, cst.Call) else node
            for value in self.facts.infer.of(called, function.module):
                if value.kind == Kind.EXTERNAL and value.name in _KEEPERS:
                    return True
        return False

    def _entered(self, function: Function) -> Iterator[tuple[cst.CSTNode, Function]]:
        """The plain functions whose bodies run inside this one's: called, or sync generators iterated here."""
        module = function.module
        for call in function.calls:
            if excused(module, call):
                continue
            for value in self.facts.infer.of(call.func, module):
                callee = _callee(value)
                if callee is not None and not callee.is_async and not callee.is_generator and callee is not function:
                    yield call, callee
        for node, iterated in iterations(function):
            if _is_async(node):
                continue
            for value in self.facts.infer.of(iterated, module):
                if value.kind == Kind.GENERATOR and value.function is not None and value.function is not function:
                    yield iterated, value.function


def _callee(value: Value) -> Function | None:
    if value.kind == Kind.FUNCTION:
        return value.function
    if value.kind == Kind.CLASS and value.cls is not None:
        return value.cls.methods.get("__init__")
    if value.kind == Kind.INSTANCE and value.cls is not None:
        return value.cls.methods.get("__call__")
    if value.kind == Kind.PARTIAL and value.inner is not None:
        return _callee(value.inner)
    return None


def _is_async(node: cst.CSTNode) -> bool:
    return isinstance(node, (cst.For, cst.CompFor)) and node.asynchronous is not None


__all__ = ["BlockingCalls", "Reached", "Site", "Values"]
