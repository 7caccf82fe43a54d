"""The nodes that a project adds to its graphs' builders, in the files that can reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, positional, string_value
from lg_stream_lint.python.value import Kind, Value, Values

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: How many files are read to find the nodes of a project's builders.
_MOST_FILES = 60
_NODE_CALLS = ("add_node", "add_sequence")
#: Factories of builders whose first argument lists agents that become nodes.
_OF_AGENTS = frozenset({"langgraph_supervisor.create_supervisor", "langgraph_swarm.create_swarm"})


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


class GraphNodes:
    """Answers for builders; what the files around one add is read once."""

    def __init__(self, facts: Facts) -> None:
        self.infer = facts.infer
        self.project = facts.project
        self._added: dict[Module, _Added] = {}

    def of(self, builder: Value) -> Nodes:
        """The nodes that are added to a builder."""
        if not isinstance(builder.node, cst.Call) or builder.home is None:
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


def _function_name(values: Values) -> str | None:
    """The name that LangGraph gives a node which is added without one."""
    names = {v.function.name for v in values if v.kind == Kind.FUNCTION and v.function is not None}
    return names.pop() if len(names) == 1 and "<lambda>" not in names else None
