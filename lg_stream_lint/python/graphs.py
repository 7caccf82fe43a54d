"""What a compiled graph was made of: its checkpointers, nodes, sub-graphs and tools, as far as the text says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.keywords import keywords_of
from lg_stream_lint.python.methods import as_compiled
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, positional, string_value
from lg_stream_lint.python.value import Kind, Value, Values, is_none

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: How many files are read to find the nodes of a project's builders.
_MOST_FILES = 60
_NODE_CALLS = ("add_node", "add_sequence")
#: Factories of builders whose first argument lists agents that become nodes.
_OF_AGENTS = frozenset({"langgraph_supervisor.create_supervisor", "langgraph_swarm.create_swarm"})
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


class Node(NamedTuple):
    """A node of a graph: its name (None when it is computed), where it is added, and what runs there."""

    name: str | None
    call: cst.Call
    module: Module
    action: cst.BaseExpression | None
    values: Values

    @property
    def functions(self) -> tuple[Function, ...]:
        """The project's functions that run there."""
        return tuple(v.function for v in self.values if v.function is not None)

    @property
    def graph(self) -> Value | None:
        """The compiled graph or agent that is the node, if it is one."""
        return next((v for v in self.values if v.kind == Kind.INSTANCE and v.role == "graph"), None)


class Nodes(NamedTuple):
    """The nodes of a graph; ``complete`` when no other can exist."""

    items: tuple[Node, ...]
    complete: bool


class _Added(NamedTuple):
    """The nodes that some files add, by builder, and the files where a builder could not be told apart."""

    nodes: dict[cst.CSTNode, list[Node]]
    doubts: set[str]


class Graphs:
    """Answers about compiled graphs; each is worked out once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self.project = facts.project
        self._added: dict[Module, _Added] = {}
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
        if made is None:
            return Nodes((), complete=False)
        builder = made.builder
        if builder is None or not isinstance(builder.node, cst.Call) or builder.home is None:
            return Nodes((), complete=False)
        if builder.name in _OF_AGENTS:
            return Nodes(tuple(self._agents(builder.node, builder.home)), complete=False)
        known = self._nodes_by_builder(builder.home)
        added = known.nodes.get(builder.node, [])
        complete = not known.doubts and bool(added) and all(node.name is not None for node in added)
        return Nodes(tuple(added), complete)

    def _agents(self, call: cst.Call, module: Module) -> Iterator[Node]:
        listed = argument(call, "agents", 0)
        for value in self.infer.of(listed, module) if listed is not None else ():
            if not isinstance(value.node, (cst.List, cst.Tuple)) or value.home is None:
                continue
            for element in value.node.elements:
                values = self.infer.of(element.value, value.home)
                yield Node(self._agent_name(values), call, module, element.value, values)

    @staticmethod
    def _agent_name(values: Values) -> str | None:
        for value in values:
            if isinstance(value.node, cst.Call):
                return string_value(argument(value.node, "name"))
        return None

    def _nodes_by_builder(self, home: Module) -> _Added:
        """The nodes added in the files that can reach a builder of a module: what it imports, or what imports it too."""
        known = self._added.get(home)
        if known is None:
            known = self._added[home] = _Added({}, set())
            closures = map(self.project.import_graph.closure, self.project.files())
            near = {home.path}.union(*(closure for closure in closures if home.path in closure))
            found = self.project.mentioning(b"add_node") + self.project.mentioning(b"add_sequence")
            paths = [path for path in dict.fromkeys(found) if path in near]
            if len(paths) > _MOST_FILES:
                known.doubts.add(home.path)
            for path in paths[:_MOST_FILES]:
                module = self.project.module(path)
                if module is not None:
                    self._find_nodes(module, known)
        return known

    def _find_nodes(self, module: Module, found: _Added) -> None:
        for call in (call for name in _NODE_CALLS for call in module.calls_of(name)):
            if not isinstance(call.func, cst.Attribute):
                continue
            builders = [v for v in self.infer.of(call.func.value, module) if v.role == "builder"]
            if not builders or any(b.node is None for b in builders) or called_name(call) == "add_sequence":
                found.doubts.add(module.path)  # a builder that cannot be told apart may be any of them
            for node in self._added_by(call, module):
                for builder in builders:
                    if builder.node is not None:
                        found.nodes.setdefault(builder.node, []).append(node)

    def _added_by(self, call: cst.Call, module: Module) -> Iterator[Node]:
        args = positional(call)
        if called_name(call) == "add_sequence":
            for value in self.infer.of(args[0], module) if args else ():
                if isinstance(value.node, (cst.List, cst.Tuple)) and value.home is not None:
                    for element in value.node.elements:
                        values = self.infer.of(element.value, value.home)
                        yield Node(_function_name(values), call, value.home, element.value, values)
            return
        first = argument(call, "node", 0)
        action = argument(call, "action", 1)
        name = self._text(first, module)
        if action is None and first is not None and name is None:
            values = self.infer.of(first, module)
            yield Node(_function_name(values), call, module, first, values)
        else:
            yield Node(name, call, module, action, self.infer.of(action, module) if action is not None else ())

    def _text(self, node: cst.CSTNode | None, module: Module) -> str | None:
        """The text of a string expression: a literal, or a name that is one everywhere."""
        if node is None:
            return None
        text = string_value(node)
        if text is not None:
            return text
        texts = {string_value(value.node) for value in self.infer.of(node, module)}
        return texts.pop() if len(texts) == 1 else None

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


def _function_name(values: Values) -> str | None:
    """The name that LangGraph gives a node which is added without one."""
    names = {v.function.name for v in values if v.kind == Kind.FUNCTION and v.function is not None}
    return names.pop() if len(names) == 1 and "<lambda>" not in names else None


__all__ = ["Graphs", "Made", "Node", "Nodes", "Savers"]
