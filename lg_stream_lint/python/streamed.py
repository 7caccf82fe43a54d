"""Which graphs, chains and models the project streams to somebody, and which models are to answer there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.answering import Answering
from lg_stream_lint.python.chains import Chains, Step, collapse, last_model
from lg_stream_lint.python.graph_calls import graph_call, modes
from lg_stream_lint.python.methods import receiver_of
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.switches import switched_off
from lg_stream_lint.python.value import Values

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_PIECES = ("stream", "astream", "transform", "atransform")
_EVENTS = ("astream_events", "stream_events")
_MOST_FILES = 100
#: How many calls lie at most between a node and the function that streams.
_MOST_HOPS = 3
#: Functions whose own streams LangGraph and LangChain take over: what they iterate is no client's.
_INSIDE = frozenset({"node", "tool", "task", "entrypoint", "runnable"})
_TOKEN_EVENTS = (b"on_chat_model_stream", b"on_llm_stream")


class Run(NamedTuple):
    """A call that streams a runnable: ``pieces`` of a chain or model, ``tokens`` of a graph, or ``events``."""

    way: str
    call: cst.Call
    module: Module
    receivers: Values
    custom: bool = False


class Held(NamedTuple):
    """A step that holds a streamed chain back, and the call that streams it."""

    step: Step
    run: Run


class Streamed:
    """Answers what is streamed; everything is found on first use."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.project = facts.project
        self.chains = Chains(facts)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every call of the project that streams something to somebody: tests, nodes and tools left out."""
        names = (*_PIECES, *_EVENTS)
        files = self.project.files()
        numbers = sorted({number for name in names for number in self.project.naming(name)})
        found: list[Run] = []
        for number in numbers[:_MOST_FILES]:
            module = self.project.module(files[number])
            for call in (c for name in names for c in module.calls_of(name)) if module is not None else ():
                if module is not None:
                    found.extend(self._runs(call, module))
        return tuple(found)

    def _runs(self, call: cst.Call, module: Module) -> Iterator[Run]:
        if not isinstance(call.func, cst.Attribute):
            return
        owners = [receiver_of(self.facts.infer, value) for value in self.facts.infer.of(call.func, module)]
        receivers = tuple(owner for owner in owners if owner is not None and owner.is_runnable)
        if not receivers or len(receivers) < len(owners):
            return
        function = module.function_at(call)
        if function is not None and (self.facts.functions.is_test(function) or self._is_inside(function, _MOST_HOPS)):
            return
        events = call.func.attr.value in _EVENTS
        if events and not any(word in module.source for word in _TOKEN_EVENTS):
            return
        called = graph_call(self.facts, call, module)
        if called is None:
            if not any(receiver.role == "graph" for receiver in receivers):
                yield Run("events" if events else "pieces", call, module, receivers)
            return
        if events:
            yield Run("events", call, module, (called.graph,))
            return
        chosen = modes(self.facts, called)
        if chosen is not None and "messages" in chosen.names:
            yield Run("tokens", call, module, (called.graph,), "custom" in chosen.names)

    def _is_inside(self, function: Function, hops: int) -> bool:
        """Whether a function runs in a node, tool or task: there a chain's tokens take another way to the client."""
        current: Function | None = function
        while current is not None:
            if self.facts.functions.marks(current) & _INSIDE:
                return True
            current = current.parent
        if hops == 0:
            return False
        callers = (module.function_at(call) for module, call in self.facts.callers(function))
        return any(
            caller is not None and caller is not function and self._is_inside(caller, hops - 1) for caller in callers
        )

    # Chains

    @cached_property
    def held(self) -> tuple[Held, ...]:
        """The steps that make one piece of a streamed chain's answer, each once. Events tell of the model all the same."""
        found: dict[cst.CSTNode, Held] = {}
        for run in self.runs:
            for receiver in run.receivers if run.way == "pieces" else ():
                if receiver.role == "chain":
                    step = collapse(self.chains.steps(receiver, run.call, run.module))
                    if step is not None:
                        found.setdefault(step.node, Held(step, run))
        return tuple(found.values())

    # Models

    @cached_property
    def silent(self) -> dict[cst.CSTNode, Run]:
        """The constructions of models that are told not to stream where nothing else of the stream gives tokens."""
        found: dict[cst.CSTNode, Run] = {}
        for run in self.runs:
            models = self._answering(run)
            if models and all(self._is_off(run, group) for group in models):
                for value in (value for group in models for value in group):
                    if value.node is not None:
                        found.setdefault(value.node, run)
        return found

    def _answering(self, run: Run) -> list[Values]:
        """The models whose answer a run streams, each with its alternatives; empty when they are not known."""
        if any(receiver.role == "graph" for receiver in run.receivers):
            return [group for graph in run.receivers for group in Answering(self.facts, self.chains).of(run, graph)]
        found: list[Values] = []
        for receiver in run.receivers:
            steps = self.chains.steps(receiver, run.call, run.module)
            place = last_model(steps)
            if place < 0 or steps[place].kind != "model" or any(step.kind == "unknown" for step in steps[place + 1 :]):
                return []
            found.append(steps[place].values)
        return found

    def _is_off(self, run: Run, models: Values) -> bool:
        """Whether a model is told not to stream, whichever of its alternatives it is, in a way that matters to the run."""
        for value in models:
            off = (
                switched_off(self.facts, value.node, value.home)
                if isinstance(value.node, cst.Call) and value.home is not None
                else None
            )
            if off is None or (off.hidden and (run.way != "tokens" or run.custom)):
                return False
        return bool(models)
