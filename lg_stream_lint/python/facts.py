"""Facts that span a project: who passes what to a function, what ``app.state`` holds, which functions run where."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python import elements
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import dotted_text
from lg_stream_lint.python.value import Kind, Value, Values, merge
from lg_stream_lint.python.values import Inference

if TYPE_CHECKING:
    from lg_stream_lint.python.blocking import BlockingCalls
    from lg_stream_lint.python.endings import CleanEnd
    from lg_stream_lint.python.functions import Functions
    from lg_stream_lint.python.graph_uses import GraphUses
    from lg_stream_lint.python.graphs import Graphs
    from lg_stream_lint.python.items import Items
    from lg_stream_lint.python.loop_entries import LoopEntries
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.own import Own
    from lg_stream_lint.python.project import Project
    from lg_stream_lint.python.queued import Queued
    from lg_stream_lint.python.responses import Responses
    from lg_stream_lint.python.scopes import Class
    from lg_stream_lint.python.streamed import Streamed
    from lg_stream_lint.python.streams import Frames, Stream, Streams
    from lg_stream_lint.rules.base import Place

#: How many files are read to find a function's callers; a name in more files than that is no name to follow.
_MOST_FILES = 24


class Facts:
    """One per project; each answer is computed on demand and kept."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.infer = Inference(project)
        self._states: dict[str, Values] = {}
        self._callers: dict[Function, list[tuple[Module, cst.Call]]] = {}

    @cached_property
    def own(self) -> Own:
        """Which of the project's classes and functions its configuration adds to the tables."""
        from lg_stream_lint.python.own import Own

        return Own(self.project)

    @cached_property
    def functions(self) -> Functions:
        """What kind each function is, and where it runs."""
        from lg_stream_lint.python.functions import Functions

        return Functions(self)

    @cached_property
    def streams(self) -> Streams:
        """Which generator feeds which response."""
        from lg_stream_lint.python.streams import Streams

        return Streams(self)

    @cached_property
    def blocking(self) -> BlockingCalls:
        """What blocks the thread that a function runs on."""
        from lg_stream_lint.python.blocking import BlockingCalls

        return BlockingCalls(self)

    @cached_property
    def loop_entries(self) -> LoopEntries:
        """Where event loops are entered."""
        from lg_stream_lint.python.loop_entries import LoopEntries

        return LoopEntries(self)

    @cached_property
    def graphs(self) -> Graphs:
        """What compiled graphs were made of: checkpointers, nodes, tools."""
        from lg_stream_lint.python.graphs import Graphs

        return Graphs(self)

    @cached_property
    def graph_uses(self) -> GraphUses:
        """Where graphs are run asynchronously, and with which checkpointers."""
        from lg_stream_lint.python.graph_uses import GraphUses

        return GraphUses(self)

    @cached_property
    def streamed(self) -> Streamed:
        """Which chains, graphs and models are streamed, and what holds them back."""
        from lg_stream_lint.python.streamed import Streamed

        return Streamed(self)

    @cached_property
    def frames(self) -> Frames:
        """Which generators yield ready-made server-sent events."""
        from lg_stream_lint.python.streams import Frames

        return Frames(self)

    @cached_property
    def responses(self) -> Responses:
        """What streaming responses say of themselves: media type, headers."""
        from lg_stream_lint.python.responses import Responses

        return Responses(self)

    @cached_property
    def items(self) -> Items:
        """What the expressions in generators are: a model's text, messages, dicts."""
        from lg_stream_lint.python.items import Items

        return Items(self)

    @cached_property
    def queued(self) -> Queued:
        """What the project puts into its queues."""
        from lg_stream_lint.python.queued import Queued

        return Queued(self)

    @cached_property
    def http_middlewares(self) -> list[Place]:
        """Where the project writes HTTP middlewares, which end failed streams cleanly."""
        from lg_stream_lint.python.endings import find_http_middlewares

        return find_http_middlewares(self)

    def clean_end(self, stream: Stream) -> CleanEnd | None:
        """Why a stream whose generator raises ends cleanly, so that the client cannot tell; None when it is cut."""
        from lg_stream_lint.python.endings import clean_end

        return clean_end(self, stream)

    def app_state(self, name: str) -> Values:
        """What ``app.state.<name>`` or ``request.app.state.<name>`` was assigned anywhere in the project."""
        known = self._states.get(name)
        if known is not None:
            return known
        self._states[name] = ()
        groups: list[Values] = []
        for path in self.project.mentioning(f"state.{name}".encode())[:_MOST_FILES]:
            module = self.project.module(path)
            if module is not None:
                groups.extend(self._assigned_states(module, name))
        if not any(groups):
            groups.extend(self._yielded_states(name))
        self._states[name] = merge(groups)
        return self._states[name]

    def _yielded_states(self, name: str) -> list[Values]:
        """What a lifespan yields under that key: Starlette makes it ``request.state.<name>``."""
        groups = []
        for path in self.project.mentioning(b"lifespan")[:_MOST_FILES]:
            module = self.project.module(path)
            for function in module.functions if module is not None else ():
                if function.is_generator and "lifespan" in self.functions.marks(function):
                    for value in self.infer.yielded(function):
                        groups.append(elements.item(self.infer, value, name) if value.name == "dict" else ())
        return groups

    def _assigned_states(self, module: Module, name: str) -> list[Values]:
        groups = []
        for node in module.parents:
            if not isinstance(node, (cst.Assign, cst.AnnAssign)) or node.value is None:
                continue
            targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
            if any(dotted_text(t).endswith(f"state.{name}") for t in targets if isinstance(t, cst.Attribute)):
                groups.append(self.infer.of(node.value, module))
        return groups

    def callers(self, function: Function) -> list[tuple[Module, cst.Call]]:
        """The calls of a function of the project, as far as they can be resolved."""
        known = self._callers.get(function)
        if known is not None:
            return known
        self._callers[function] = []
        name = function.name
        if name == "<lambda>":
            return []
        if name == "__init__" and function.cls is not None:
            name = function.cls.name
        found = []
        for module, call in self._calls_written(name, function.module):
            values = self.infer.of(call.func, module)
            if any(v.function is function or _is_class(v, function.cls) for v in values):
                found.append((module, call))
        self._callers[function] = found
        return found

    def constructions(self, cls: Class) -> list[tuple[Module, cst.Call]]:
        """The calls that make an object of a class of the project, as far as they can be resolved."""
        calls = self._calls_written(cls.name, cls.module)
        return [(m, call) for m, call in calls if any(_is_class(v, cls) for v in self.infer.of(call.func, m))]

    def _calls_written(self, name: str, home: Module) -> Iterator[tuple[Module, cst.Call]]:
        """The calls of whatever bears that name, or is imported from something of that name."""
        numbers = self.project.naming(name)
        files = self.project.files()
        for path in [files[number] for number in sorted(numbers)] if len(numbers) <= _MOST_FILES else [home.path]:
            module = home if path == home.path else self.project.module(path)
            if module is not None:
                for written in (name, *_aliases(module, name)):
                    yield from ((module, call) for call in module.calls_of(written))

    def passed(self, function: Function, position: int) -> Values:
        """What the function's callers pass for a parameter (position among all parameters, ``self`` counted)."""
        name = function.parameters[position].name
        offset = 1 if function.is_method else 0
        groups: list[Values] = []
        for module, call in self.callers(function):
            given = _given(call, name, position - offset)
            if given is not None:
                groups.append(self.infer.of(given, module))
        return merge(groups)


def _is_class(value: Value, cls: Class | None) -> bool:
    return value.kind == Kind.CLASS and value.cls is not None and value.cls is cls


def _aliases(module: Module, name: str) -> list[str]:
    """The other names under which a module imports something of that name."""
    return [
        local
        for local, bindings in module.scope.bindings.items()
        if local != name and any(b.kind == "import" and b.target.endswith(f".{name}") for b in bindings)
    ]


def _given(call: cst.Call, name: str, position: int) -> cst.BaseExpression | None:
    place = 0
    for arg in call.args:
        if arg.keyword is not None:
            if arg.keyword.value == name:
                return arg.value
        elif arg.star:
            return None
        else:
            if place == position:
                return arg.value
            place += 1
    return None


__all__ = ["Facts", "Value"]
