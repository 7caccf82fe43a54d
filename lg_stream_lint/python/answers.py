"""Whole answers of a graph or model: where a function has one in hand, and which names then hold some of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.excuses import taken_for_async_iterable
from lg_stream_lint.python.indexing import targets
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.syntax import argument, called_name, code_of, walk_same_scope
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_BY_NAME = frozenset({"ainvoke"})
_ROLES = frozenset({"graph", "model", "chain"})
_METHODS = frozenset(
    {"ainvoke", "abatch", "agenerate", "apredict", "arun", "acall", "invoke", "batch", "generate", "predict", "run"}
)
_SDK_METHODS = frozenset({"create", "generate_content", "complete", "complete_async", "parse", "chat"})
_COLLECTORS = frozenset({"join", "list", "tuple", "sorted", "sum", "extend", "deque"})
_SENDERS = frozenset(
    {"put", "put_nowait", "send", "send_json", "send_text", "send_bytes", "send_nowait", "emit", "write", "publish"}
)
_GROWING = frozenset({"append", "extend", "write", "insert", "add", "appendleft"})
_MOST_HOPS = 3


class Answer(NamedTuple):
    """A place where the whole answer is in hand: the call, comprehension or loop (``node``), and what to call it.

    ``names`` are those that a collecting loop fills; for expressions they are read off the assignment.
    """

    node: cst.CSTNode
    label: str
    names: frozenset[str]


def answers(facts: Facts, function: Function, hops: int = _MOST_HOPS) -> list[Answer]:
    """Every place of a function's own body where a whole answer is awaited or collected."""
    return [*_collected(facts, function), *_awaited(facts, function, hops)]


def _awaited(facts: Facts, function: Function, hops: int) -> Iterator[Answer]:
    module = function.module
    for call in function.calls:
        awaited = isinstance(module.parents.get(call), cst.Await)
        label = f"{code_of(call.func, 40)}()"
        found = runnable_call(facts, call, module, _BY_NAME)
        if found is not None:
            whole = found.kind == ("awaitable" if awaited else "blocking") and not taken_for_async_iterable(
                function, call
            )
            if whole and found.method in _METHODS and found.role in _ROLES:
                yield Answer(call, label, frozenset())
        elif _is_sdk_answer(facts, call, module) or (hops > 0 and _gives_answer(facts, call, module, awaited, hops)):
            yield Answer(call, label, frozenset())


def _is_sdk_answer(facts: Facts, call: cst.Call, module: Module) -> bool:
    """``client.chat.completions.create(…)`` without ``stream=``."""
    if called_name(call) not in _SDK_METHODS or argument(call, "stream") is not None or any(a.star for a in call.args):
        return False
    models = facts.project.knowledge.models
    for value in facts.infer.of(call.func, module):
        root: Value | None = value
        while root is not None and root.kind != Kind.INSTANCE:
            root = root.inner
        row = models.get(root.name) if root is not None else None
        if row is not None and row.kind == "sdk":
            return "embedding" not in value.name
    return False


def _gives_answer(facts: Facts, call: cst.Call, module: Module, awaited: bool, hops: int) -> bool:
    """Whether a call of the project's function gives back an answer that it has asked for (or something made of it)."""
    for value in facts.infer.of(call.func, module):
        inner = value.function if value.kind == Kind.FUNCTION else None
        if inner is None or inner.is_generator or inner.is_async != awaited or isinstance(inner.node, cst.Lambda):
            continue
        found = answers(facts, inner, hops - 1)
        if not found:
            continue
        held = holding(inner, found)
        places = {answer.node for answer in found}
        if any(ret.value is not None and mentions(ret.value, held, places) for ret in inner.returns):
            return True
    return False


def _collected(facts: Facts, function: Function) -> Iterator[Answer]:
    """Streams that are run to their end before anything is done with them."""
    module = function.module
    for source in sources(facts, function):
        node = source.node
        if isinstance(node, cst.CompFor):
            whole = _comprehension(module, node)
            if whole is not None:
                yield Answer(whole, source.label, frozenset())
        elif isinstance(node, cst.Call):
            if called_name(node) in ("list", "tuple"):
                yield Answer(node, source.label, frozenset())
        elif isinstance(node, cst.For):
            names = _filled(node)
            if names:
                yield Answer(node, source.label, names)


def _comprehension(module: Module, node: cst.CompFor) -> cst.CSTNode | None:
    """The comprehension around a ``for``, when it collects; a generator expression only inside ``join``, ``list`` …"""
    parent = module.parents.get(node)
    while isinstance(parent, cst.CompFor):
        parent = module.parents.get(parent)
    if not isinstance(parent, cst.GeneratorExp):
        return parent
    arg = module.parents.get(parent)
    call = module.parents.get(arg) if isinstance(arg, cst.Arg) else None
    return call if isinstance(call, cst.Call) and called_name(call) in _COLLECTORS else None


def streams_itself(facts: Facts, generator: Function) -> bool:
    """Whether a generator yields while a model is at work."""
    module = generator.module
    for source in sources(facts, generator):
        node = source.node
        if isinstance(node, cst.Yield):
            return True
        if isinstance(node, cst.Call) and called_name(node) in ("anext", "next", "__anext__", "__next__"):
            return True
        if isinstance(node, cst.CompFor) and _comprehension(module, node) is None:
            return True
        if isinstance(node, cst.For) and any(isinstance(n, cst.Yield) for n in walk_same_scope(node.body)):
            return True
    return False


def _filled(loop: cst.For) -> frozenset[str]:
    """The names that a loop only fills; none when it sends anything on its way."""
    found: set[str] = set()
    for node in walk_same_scope(loop.body):
        if isinstance(node, (cst.Yield, cst.Return, cst.Raise)):
            return frozenset()
        if isinstance(node, cst.AugAssign) and isinstance(node.target, cst.Name):
            found.add(node.target.value)
        if isinstance(node, cst.Call):
            name = called_name(node)
            owner = node.func.value if isinstance(node.func, cst.Attribute) else None
            if name in _GROWING and isinstance(owner, cst.Name):
                found.add(owner.value)
            elif name in _SENDERS:
                return frozenset()
    return frozenset(found)


def mentions(node: cst.CSTNode, names: Iterable[str], places: Iterable[cst.CSTNode] = ()) -> bool:
    """Whether an expression reads one of the names, or holds one of the places."""
    names, places = set(names), set(places)
    return any(n in places or (isinstance(n, cst.Name) and n.value in names) for n in walk_same_scope(node))


def holding(function: Function, found: Iterable[Answer], given: Iterable[str] = ()) -> frozenset[str]:
    """The names of a function that hold an answer or anything made of one. ``given`` are such names from outside."""
    found = list(found)
    places = {answer.node for answer in found}
    held = {name for answer in found for name in answer.names} | set(given)
    flows = list(_flows(function))
    grown = True
    while grown:
        grown = False
        for into, value in flows:
            if not into <= held and mentions(value, held, places):
                held |= into
                grown = True
    return frozenset(held)


def _flows(function: Function) -> Iterator[tuple[set[str], cst.CSTNode]]:
    """Every assignment, loop and ``append`` of a function: the names on the left, and what flows into them."""
    for node in walk_same_scope(function.node):
        if isinstance(node, cst.Assign):
            yield {n for t in node.targets for n in _names(t.target)}, node.value
        elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr)):
            given = node.value
            if given is not None:
                yield set(_names(node.target)), given
        elif isinstance(node, (cst.For, cst.CompFor)):
            yield set(_names(node.target)), node.iter
        elif isinstance(node, cst.Call) and called_name(node) in _GROWING and isinstance(node.func, cst.Attribute):
            for arg in node.args:
                yield set(_names(node.func.value)), arg.value


def _names(target: cst.CSTNode) -> Iterator[str]:
    for leaf, _ in targets(target):
        if isinstance(leaf, cst.Name):
            yield leaf.value
