"""When a cut spoils more than one answer: a checkpointer keeps the tool call whose result never came.

Measured with langgraph 1.2.24 and an ``InMemorySaver``: a run that is cancelled, or whose tool raises, between the model's tool
call and the tool's message leaves the call alone at the end of the thread. The next turn then fails: ``create_react_agent``
(langgraph-prebuilt 1.1.3) raises ``INVALID_CHAT_HISTORY`` itself, ``create_agent`` (langchain 1.5.2) and graphs made by hand send
the open call to the provider, which answers HTTP 400.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.streams import iterations
from lg_stream_lint.python.syntax import walk
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import Place

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.runnables import RunnableCall
    from lg_stream_lint.python.scopes import Function

#: Generators around generators around …: see :mod:`.streams`.
_DEEPEST = 4
_REACT_AGENT = ".create_react_agent"


class Poison(NamedTuple):
    """What a message adds: a clause for the sentence that says what the user sees, and the checkpointer that keeps the call."""

    clause: str = ""
    places: tuple[Place, ...] = ()


def poison(facts: Facts, graphs: Iterable[Value]) -> Poison:
    """What a cut does to the threads of graphs; empty unless each is known to have a checkpointer, and may call tools."""
    kept: list[Place] = []
    rejected = ""
    for graph in graphs:
        place = _keeper(facts, graph)
        if place is None or facts.graphs.has_tools(graph) is False:
            return Poison()
        kept.append(place)
        itself = graph.name.endswith(_REACT_AGENT)
        rejected = rejected or (
            "INVALID_CHAT_HISTORY" if itself else "INVALID_CHAT_HISTORY, or the provider's HTTP 400"
        )
    if not kept:
        return Poison()
    clause = f"; if a tool call was still unanswered, the thread will reject later turns ({rejected})"
    return Poison(clause, tuple(dict.fromkeys(kept)))


def poison_of_run(facts: Facts, run: RunnableCall | None) -> Poison:
    """The same for the call that runs a graph."""
    if run is None or run.receiver is None or run.role != "graph":
        return Poison()
    return poison(facts, facts.graphs.receivers(run.call, run.module))


def poison_of_generator(facts: Facts, function: Function) -> Poison:
    """The same for the first graph that a generator, or one that it iterates, runs."""
    return next(
        (found for run in _runs(facts, function, _DEEPEST) if (found := poison_of_run(facts, run)).clause), Poison()
    )


def _runs(facts: Facts, function: Function, depth: int) -> Iterator[RunnableCall]:
    for source in sources(facts, function):
        if source.runnable is not None:
            yield source.runnable
    if depth > 0:
        for _, iterated in iterations(function):
            for value in facts.infer.of(iterated, function.module):
                inner = value.function
                if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) and inner is not None and inner is not function:
                    yield from _runs(facts, inner, depth - 1)


def _keeper(facts: Facts, graph: Value) -> Place | None:
    """Where a graph is given the checkpointer that it is known to have."""
    savers = facts.graphs.savers(graph)
    if savers.node is None or savers.module is None or not savers.values:
        return None
    if not all(value.role == "saver" for value in savers.values) or _may_be_none(savers.node):
        return None
    told = (
        "this checkpointer keeps the open tool call: answer it with a ToolMessage, or remove it, before the next turn"
    )
    return Place(savers.module, savers.node, told)


def _may_be_none(node: cst.BaseExpression) -> bool:
    """Whether ``None`` is one side of what is given: values that are merged no longer tell."""
    return any(isinstance(item, cst.Name) and item.value == "None" for item in walk(node))
