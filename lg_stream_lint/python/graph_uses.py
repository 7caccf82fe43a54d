"""Where the project runs its compiled graphs asynchronously, and with which checkpointers: asked from the checkpointer's side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.graphs import Savers
from lg_stream_lint.python.runnables import RunnableCall, runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import walk
from lg_stream_lint.python.value import Value, is_none

if TYPE_CHECKING:
    from lg_stream_lint.knowledge import Saver
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_ASYNCHRONOUS = ("async-generator", "awaitable")
_MOST_FILES = 100


class Use(NamedTuple):
    """A call that runs a graph through an asynchronous method, and how the graph got its checkpointer."""

    run: RunnableCall
    saver: Value
    given: Savers


class GraphUses:
    """Answers how graphs are used, from the side of what they were made of."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.project = facts.project

    def saver_row(self, value: Value) -> Saver | None:
        """The table's row of a checkpointer; None for classes of the project, which may override anything, unless named."""
        tables = self.project.knowledge
        return tables.savers.get(value.name) if value.cls is None or value.name in tables.own else None

    def mode_of(self, value: Value, module: Module) -> str:
        """``sync``, ``async`` or ``both``; empty when it is not known."""
        row = self.saver_row(value)
        if row is None:
            return ""
        if row.mode == "both" and row.both_since:
            version = self.project.versions(module.path).of(row.package)
            if version is not None and version.always(f"<{row.both_since}"):
                return "sync"
        return row.mode

    def only_saver(self, call: cst.Call, module: Module, mode: str) -> tuple[Value, Savers] | None:
        """The checkpointer behind every graph that a call may run, when they are all of that mode and nothing fits better.

        A checkpointer in memory beside it is taken for a fallback (``PostgresSaver(…) if url else MemorySaver()``), unless
        different callers may have handed in the one and the other.
        """
        graphs = self.facts.graphs
        found: tuple[Value, Savers] | None = None
        for graph in graphs.receivers(call, module):
            given = graphs.savers(graph)
            for value in given.values:
                if is_none(value):
                    continue
                row = self.saver_row(value)
                if row is None:
                    return None
                if row.in_memory:
                    if self._is_handed_in(given):
                        return None
                elif self.mode_of(value, given.module or module) != mode:
                    return None
                else:
                    found = found or (value, given)
        return found

    @staticmethod
    def _is_handed_in(given: Savers) -> bool:
        """Whether the checkpointer comes from a parameter or an attribute: then its values belong to different callers."""
        if given.node is None or given.module is None:
            return True
        for node in walk(given.node):
            if isinstance(node, cst.Attribute):
                return True
            if isinstance(node, cst.Name):
                holder = given.module.scope_at(node).holder_of(node.value)
                if holder is not None and any(b.kind == "param" for b in holder.bindings[node.value]):
                    return True
        return False

    @cached_property
    def asynchronous(self) -> tuple[RunnableCall, ...]:
        """Every call of an asynchronous method of a graph in the project, tests left out."""
        methods = self.project.knowledge.methods.get("graph", {})
        names = [name for name, row in methods.items() if row.kind in _ASYNCHRONOUS]
        numbers = sorted({number for name in names for number in self.project.naming(name)})
        files = self.project.files()
        found: list[RunnableCall] = []
        for number in numbers[:_MOST_FILES]:
            module = self.project.module(files[number])
            if module is not None:
                found.extend(self._runs(module, names))
        return tuple(found)

    def _runs(self, module: Module, names: list[str]) -> Iterator[RunnableCall]:
        for call in (call for name in names for call in module.calls_of(name)):
            function = module.function_at(call)
            if function is not None and self.facts.functions.is_test(function):
                continue
            run = runnable_call(self.facts, call, module)
            if run is not None and run.role == "graph" and run.kind in _ASYNCHRONOUS:
                yield run

    @cached_property
    def by_sync_saver(self) -> dict[cst.CSTNode, list[Use]]:
        """The asynchronous uses of graphs whose checkpointer is for synchronous ones, by where that is constructed.

        Where the construction is not found (an annotated parameter), by the expression that hands it to the graph.
        """
        found: dict[cst.CSTNode, list[Use]] = {}
        for run in self.asynchronous:
            only = self.only_saver(run.call, run.module, "sync")
            if only is not None:
                value, given = only
                place = value.node if value.home is not None else given.node
                if place is not None:
                    found.setdefault(place, []).append(Use(run, value, given))
        return found

    def streams(self, run: RunnableCall) -> bool:
        """Whether a run stands in a generator, whose errors come after the response's start."""
        function: Function | None = run.module.function_at(run.call)
        return function is not None and function.is_generator
