"""What a compiled graph was made of: its checkpointers, nodes, sub-graphs and tools, as far as the text says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.graph_nodes import GraphNodes, Node, Nodes
from lg_stream_lint.python.keywords import keywords_of
from lg_stream_lint.python.methods import as_compiled
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument
from lg_stream_lint.python.value import Kind, Value, Values, is_none

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: How many files are read to find the checkpointers that are set later.
_MOST_FILES = 60
#: The base class of checkpointers: as an annotation it promises neither kind of methods.
_BASES = frozenset(
    {"langgraph.checkpoint.base.BaseCheckpointSaver", "langgraph.checkpoint.BaseCheckpointSaver",
     "langgraph.types.Checkpointer"}
)  # fmt: skip


class Made(NamedTuple):
    """How a graph was made: ``call`` in ``module`` compiles it, or is the factory's (a decorator's, for entrypoints).

    ``builder`` is what was compiled, ``function`` the function that an entrypoint decorates.
    """

    call: cst.Call | None
    module: Module
    builder: Value | None
    function: Function | None


class Savers(NamedTuple):
    """The checkpointers that a graph may have: ``values`` (``None`` literals among them) given at ``node`` in ``module``.

    ``known`` is false when others are possible: the graph's construction, or what it is given, was not found.
    """

    values: Values
    node: cst.BaseExpression | None
    module: Module | None
    known: bool


class Graphs:
    """Answers about compiled graphs; each is worked out once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self.project = facts.project
        self._nodes = GraphNodes(facts)
        self._assigned: list[tuple[Values, cst.BaseExpression, Module]] | None = None

    # Which graph

    def receivers(self, call: cst.Call, module: Module) -> Values:
        """Every compiled graph whose method a call may be."""
        if not isinstance(call.func, cst.Attribute):
            return ()
        return self.of(call.func.value, module, call.func.attr.value)

    def of(self, node: cst.CSTNode, module: Module, method: str = "invoke") -> Values:
        """Every compiled graph that an expression may be; those whose construction is known, when any is."""
        values = [as_compiled(self.infer, v, method) for v in self.infer.of(node, module)]
        graphs = tuple(v for v in values if v.kind == Kind.INSTANCE and v.role == "graph")
        return tuple(v for v in graphs if self.made(v) is not None) or graphs

    def made(self, graph: Value) -> Made | None:
        """How a graph was made; None when that was not found (a parameter that is only annotated)."""
        value: Value | None = graph
        while value is not None and value.role == "graph":
            if self._is_opaque(value):
                return None
            if value.function is not None and value.home is not None:
                return Made(_entrypoint_call(value.function), value.home, None, value.function)
            if isinstance(value.node, cst.Call) and value.home is not None:
                builder = value.inner if value.inner is not None and value.inner.role == "builder" else None
                return Made(value.node, value.home, builder, None)
            value = value.inner
        return None

    def _is_opaque(self, graph: Value) -> bool:
        """Whether a graph comes from a factory of the configuration of which nothing more is said."""
        tables = self.project.knowledge
        row = tables.graph_factories.get(graph.name) if graph.name in tables.own else None
        return row is not None and not row.checkpointer_keyword

    # Checkpointers

    def savers(self, graph: Value) -> Savers:
        """The checkpointers that a graph may have."""
        made = self.made(graph)
        if made is None:
            return Savers((), None, None, known=False)
        later = [(node, module) for owners, node, module in self._later() if any(self._is(made, o) for o in owners)]
        if made.call is None:
            return Savers((), None, None, known=not later)
        node: cst.BaseExpression | None = None
        module, known = made.module, True
        if made.builder is not None:
            node = argument(made.call, "checkpointer", 0)
        else:
            node = argument(made.call, self._keyword(graph))
            known = not graph.name.endswith(".RemoteGraph")  # its state is a server's
        if node is None and any(arg.star for arg in made.call.args):
            keywords = keywords_of(self.facts, made.call, made.module)
            given = keywords.given.get("checkpointer")
            known = known and not keywords.unknown and not keywords.from_caller
            if given is not None:
                node, module = given.node, given.module
        if node is None and later:
            node, module = later[0]
        if node is None:
            return Savers((), None, None, known)
        values = self._given(node, module)
        return Savers(values, node, module, known and bool(values) and len(later) < 2)

    def _given(self, node: cst.BaseExpression, module: Module) -> Values:
        """What is given as a checkpointer; a parameter that is annotated with the base class says nothing: its callers do."""
        values = self.infer.of(node, module)
        if not isinstance(node, cst.Name) or not any(v.name in _BASES and v.node is None for v in values):
            return values
        function = module.function_at(node)
        names = [p.name for p in function.parameters] if function is not None else []
        if function is None or node.value not in names:
            return values
        return self.facts.passed(function, names.index(node.value)) or values

    def _is(self, made: Made, graph: Value) -> bool:
        other = self.made(graph)
        return other is not None and other.call is made.call and other.function is made.function

    def _keyword(self, graph: Value) -> str:
        row = self.project.knowledge.graph_factories.get(graph.name)
        return (row.checkpointer_keyword if row is not None else "") or "checkpointer"

    def _later(self) -> list[tuple[Values, cst.BaseExpression, Module]]:
        """Every ``graph.checkpointer = saver`` of the project: the graphs it may be, and the saver."""
        if self._assigned is None:
            self._assigned = []
            for path in self.project.mentioning(b".checkpointer =")[:_MOST_FILES]:
                module = self.project.module(path)
                for node in module.parents if module is not None else ():
                    if not isinstance(node, cst.Assign) or module is None:
                        continue
                    target = node.targets[0].target
                    if isinstance(target, cst.Attribute) and target.attr.value == "checkpointer":
                        owners = self.of(target.value, module)
                        if owners:
                            self._assigned.append((owners, node.value, module))
        return self._assigned

    def has_cheap_state(self, graph: Value | None) -> bool:
        """Whether reading the graph's state costs nothing: it has no checkpointer, or one in memory.

        A graph whose construction is not known may have any saver.
        """
        if graph is None:
            return False
        savers = self.savers(graph)
        rows = self.project.knowledge.savers
        return savers.known and all(is_none(v) or (v.name in rows and rows[v.name].in_memory) for v in savers.values)

    # Nodes

    def nodes(self, graph: Value) -> Nodes:
        """The nodes of a graph."""
        made = self.made(graph)
        builder = made.builder if made is not None else None
        return self._nodes.of(builder) if builder is not None else Nodes((), complete=False)

    # Tools

    def has_tools(self, graph: Value) -> bool | None:
        """Whether a graph calls tools; None when that cannot be told."""
        made = self.made(graph)
        if made is None or made.call is None or made.function is not None:
            return None
        if made.builder is None:
            return self._given_tools(made.call, made.module)
        nodes = self.nodes(graph)
        for node in nodes.items:
            inner = node.graph
            if any(v.name == "langgraph.prebuilt.ToolNode" for v in node.values):
                return True
            if inner is not None and inner.node is not graph.node and self.has_tools(inner):
                return True
        return False if nodes.complete else None

    def _given_tools(self, call: cst.Call, module: Module) -> bool | None:
        tools = argument(call, "tools", 1)
        if tools is None:
            return None if any(arg.star for arg in call.args) else False
        values = self.infer.of(tools, module)
        if any(isinstance(v.node, (cst.List, cst.Tuple)) and not v.node.elements for v in values):
            return None if len(values) > 1 else False
        return True if values and not all(is_none(v) for v in values) else None


def _entrypoint_call(function: Function) -> cst.Call | None:
    return next((d for d in function.decorators if isinstance(d, cst.Call)), None)


__all__ = ["Graphs", "Made", "Node", "Nodes", "Savers"]
