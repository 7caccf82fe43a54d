"""Which models answer in a graph's stream: not its routers and judges, nor those of nodes that the reader is not shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.chains import Chains, last_model
from lg_stream_lint.python.graph_calls import graph_call, reads_node_name, strings
from lg_stream_lint.python.graphs import Node
from lg_stream_lint.python.methods import receiver_of
from lg_stream_lint.python.runnables import reads_like_runnable
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, string_value, walk
from lg_stream_lint.python.value import Kind, Value, Values

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.streamed import Run

_DEEPEST = 4
#: How many functions of the project lie at most between a node and the model that it asks.
_MOST_HOPS = 2
_ANSWERS = frozenset({"invoke", "ainvoke", "stream", "astream", "batch", "abatch", "generate", "agenerate"})
#: Factories of agents whose first argument is the model.
_AGENTS = frozenset({"langchain.agents.create_agent", "langgraph.prebuilt.create_react_agent"})


class Asked(NamedTuple):
    """The models that a node asks, each with its alternatives; ``speaks`` when the node's result is messages."""

    models: list[Values]
    speaks: bool


class Unknown(Exception):  # noqa: N818 - not an error: an answer
    """Something may be asked that cannot be told."""


class Answering:
    """Looks into the nodes of a graph that is streamed."""

    def __init__(self, facts: Facts, chains: Chains) -> None:
        self.facts = facts
        self.infer = facts.infer
        self.chains = chains

    def of(self, run: Run, graph: Value) -> list[Values]:
        """The models that answer, each with its alternatives; empty when any of them is not known.

        Where some nodes give messages and others give something else (a route, a grade), the former answer.
        """
        try:
            shown = self._filter(run)
            asked = list(self._graph(graph, shown, 0))
        except Unknown:
            return []
        speaking = [node for node in asked if node.speaks and node.models]
        return [models for node in speaking or asked for models in node.models]

    # Which nodes

    def _filter(self, run: Run) -> frozenset[str] | None:
        """The nodes that the reader is shown, when the stream is filtered by them; None when it is not."""
        function = run.module.function_at(run.call)
        body: cst.CSTNode = function.node if function is not None else run.module.tree
        held = {
            target.target.value
            for node in walk(body)
            if isinstance(node, cst.Assign) and reads_node_name(node.value)
            for target in node.targets
            if isinstance(target.target, cst.Name)
        }
        names: set[str] = set()
        filtered = False
        for node in walk(body):
            if string_value(node) == "tags":
                raise Unknown  # by tag
            if isinstance(node, cst.Comparison) and any(_is_node_name(item, held) for item in walk(node)):
                filtered = True
                target = node.comparisons[0]
                if isinstance(target.operator, (cst.Equal, cst.In)) and _is_node_name(node.left, held):
                    names.update(strings(self.facts, target.comparator, run.module))
        if filtered and not names:
            raise Unknown
        return frozenset(names) if filtered else None

    def _graph(self, graph: Value, shown: frozenset[str] | None, depth: int) -> Iterator[Asked]:
        made = self.facts.graphs.made(graph)
        if made is None or depth > _DEEPEST:
            raise Unknown
        if made.function is not None:
            yield Asked(list(self._function(made.function, _MOST_HOPS, depth)), speaks=False)
            return
        if made.builder is None:
            yield self._agent(graph, made.call, made.module)
            return
        nodes = self.facts.graphs.nodes(graph)
        if not nodes.complete:
            raise Unknown
        for node in nodes.items:
            if shown is None or node.name in shown:
                yield from self._node(node, depth)

    def _agent(self, graph: Value, call: cst.Call | None, module: Module) -> Asked:
        model = argument(call, "model", 0) if call is not None and graph.name in _AGENTS else None
        values = self.infer.of(model, module) if model is not None else ()
        if not values or any(v.kind != Kind.INSTANCE or v.role != "model" for v in values):
            raise Unknown
        return Asked([values], speaks=True)

    def _node(self, node: Node, depth: int) -> Iterator[Asked]:
        if node.graph is not None:
            yield from self._graph(node.graph, None, depth + 1)
            return
        models = [
            group for value in node.values if value.is_runnable for group in self._asked(value, node.module, node.call)
        ]
        for function in node.functions:
            models.extend(self._function(function, _MOST_HOPS, depth))
        speaks = any(self._gives_messages(function) for function in node.functions)
        yield Asked(models, speaks or (not node.functions and bool(models)))

    @staticmethod
    def _gives_messages(function: Function) -> bool:
        """Whether a node's function returns ``{"messages": …}``, also inside a ``Command``."""
        return any(
            isinstance(item, cst.DictElement) and string_value(item.key) == "messages"
            for given in function.returns
            if given.value is not None
            for item in walk(given.value)
        )

    # Which models

    def _function(self, function: Function, hops: int, depth: int) -> Iterator[Values]:
        """The models that a function asks, itself or through the functions that it calls."""
        for call in function.calls:
            func = call.func
            if isinstance(func, cst.Attribute) and func.attr.value in _ANSWERS:
                yield from self._call(call, func, function.module, depth)
            if hops > 0:
                for value in self.infer.of(func, function.module):
                    inner = value.function if value.kind == Kind.FUNCTION else None
                    if inner is not None and inner is not function:
                        yield from self._function(inner, hops - 1, depth)

    def _call(self, call: cst.Call, func: cst.Attribute, module: Module, depth: int) -> Iterator[Values]:
        values = self.infer.of(func, module)
        owners = [owner for value in values if (owner := receiver_of(self.infer, value)) is not None]
        runnable = [owner for owner in owners if owner.is_runnable]
        if not runnable:
            if not any(value.kind == Kind.FUNCTION for value in values) and reads_like_runnable(func.value):
                raise Unknown
            return
        called = graph_call(self.facts, call, module)
        if called is not None:
            for asked in self._graph(called.graph, None, depth + 1):
                yield from asked.models
            return
        if all(owner.role == "model" for owner in runnable):
            yield tuple(runnable)
            return
        for owner in runnable:
            yield from self._asked(owner, module, call)

    def _asked(self, value: Value, module: Module, node: cst.CSTNode) -> Iterator[Values]:
        """The model that a model or chain asks for its answer; none when that is an object."""
        if value.role not in ("model", "chain"):
            return
        steps = self.chains.steps(value, node, module)
        place = last_model(steps)
        if place < 0 or any(step.kind == "unknown" for step in steps[place + 1 :]):
            raise Unknown
        if steps[place].kind == "model":
            yield steps[place].values


def _is_node_name(node: cst.CSTNode, held: set[str]) -> bool:
    """Whether an expression reads the name of the node that an item comes from, or is a name that was given it."""
    return reads_node_name(node) or (isinstance(node, cst.Name) and node.value in held)
