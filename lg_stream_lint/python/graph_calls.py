"""Calls that run a compiled graph: which graph, with which keywords, in which modes, and what an item of the stream is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.keywords import Keyword, Keywords, keywords_of
from lg_stream_lint.python.methods import receiver_of
from lg_stream_lint.python.syntax import argument, string_value
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: The methods that take `stream_mode` and its kin.
METHODS = frozenset({"stream", "astream", "invoke", "ainvoke", "astream_events"})
_REMOTE = ".RemoteGraph"
_NODE = "langgraph_node"


class GraphCall(NamedTuple):
    """A call of one of :data:`METHODS` on a compiled graph of this process (a ``RemoteGraph`` knows other things)."""

    call: cst.Call
    module: Module
    method: str
    graph: Value
    keywords: Keywords

    def given(self, name: str) -> Keyword | None:
        """What is given for a keyword, also through ``**``."""
        return self.keywords.given.get(name)

    def flag(self, name: str) -> bool | None:
        """A keyword's literal truth; false when it is not given, None when it cannot be told."""
        given = self.given(name)
        if given is None:
            return None if self.keywords.unknown or self.keywords.from_caller else False
        if isinstance(given.node, cst.Name) and given.node.value in ("True", "False"):
            return given.node.value == "True"
        return None


class Modes(NamedTuple):
    """A literal ``stream_mode``: its names, and whether it is a list (only lists give pairs of mode and data)."""

    names: tuple[str, ...]
    is_list: bool
    written: bool


def graph_call(facts: Facts, call: cst.Call, module: Module) -> GraphCall | None:
    """What a call is, when everything that its receiver can be is a compiled graph of this process."""
    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value not in METHODS:
        return None
    graph: Value | None = None
    for value in facts.infer.of(func, module):
        receiver = receiver_of(facts.infer, value)
        if receiver is None or receiver.kind != Kind.INSTANCE or receiver.role != "graph":
            return None
        if receiver.name.endswith(_REMOTE):
            return None
        if graph is None or facts.graphs.made(graph) is None:
            graph = receiver
    if graph is None:
        return None
    return GraphCall(call, module, func.attr.value, graph, keywords_of(facts, call, module))


def strings(facts: Facts, node: cst.BaseExpression, module: Module) -> Iterator[str]:
    """The literal strings that an expression is or lists: a string, a list of them, either side of a conditional."""
    if isinstance(node, cst.IfExp):
        yield from strings(facts, node.body, module)
        yield from strings(facts, node.orelse, module)
        return
    text = string_value(node)
    if text is not None:
        yield text
    elif isinstance(node, (cst.List, cst.Tuple, cst.Set)):
        for element in node.elements:
            yield from strings(facts, element.value, module)
    elif isinstance(node, (cst.Name, cst.Attribute)):
        values = facts.infer.of(node, module)
        if len(values) == 1 and values[0].kind == Kind.LITERAL and values[0].home is not None:
            literal = values[0].node
            if isinstance(literal, (cst.SimpleString, cst.ConcatenatedString, cst.List, cst.Tuple)):
                yield from strings(facts, literal, values[0].home)


def modes(facts: Facts, called: GraphCall) -> Modes | None:
    """The modes of a call, when they are written out; None when they are worked out at run time.

    Without ``stream_mode`` a compiled graph streams ``updates``, unless its attribute was set, or it runs inside a node.
    """
    given = called.given("stream_mode")
    if given is None:
        return _default(facts, called)
    node = constant(facts, given.node, given.module)
    if node is None:
        return None
    text = string_value(node)
    if text is not None:
        return Modes((text,), is_list=False, written=True)
    if isinstance(node, (cst.List, cst.Tuple)):
        names = [string_value(element.value) for element in node.elements]
        known = tuple(name for name in names if name is not None)
        if known and len(known) == len(names):
            return Modes(known, isinstance(node, cst.List), written=True)
    return None


def _default(facts: Facts, called: GraphCall) -> Modes | None:
    if called.keywords.unknown or called.keywords.from_caller:
        return None
    function = called.module.function_at(called.call)
    made = facts.graphs.made(called.graph)
    if made is None or any(b".stream_mode = " in module.source for module in (made.module, called.module)):
        return None
    if function is None or facts.functions.marks(function) & {"node", "tool", "task", "entrypoint"}:
        return None
    return Modes(("updates",), is_list=False, written=False)


def constant(facts: Facts, node: cst.BaseExpression, module: Module) -> cst.BaseExpression | None:
    """The literal that an expression is: itself, or the one that its name is assigned once (a parameter's is not known)."""
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString, cst.List, cst.Tuple)):
        return node
    if not isinstance(node, cst.Name):
        return None
    holder = module.scope_at(node).holder_of(node.value)
    bindings = holder.bindings[node.value] if holder is not None else []
    if len(bindings) != 1 or bindings[0].kind not in ("assign", "import") or bindings[0].path:
        return None
    values = facts.infer.of(node, module)
    literal = values[0].node if len(values) == 1 else None
    return literal if isinstance(literal, (cst.SimpleString, cst.ConcatenatedString, cst.List, cst.Tuple)) else None


def iterated_call(facts: Facts, node: cst.BaseExpression, module: Module) -> GraphCall | None:
    """The graph's streaming call that a loop iterates: on the spot, through a name, or inside ``aclosing``."""
    if isinstance(node, cst.Call):
        return graph_call(facts, node, module)
    if not isinstance(node, cst.Name):
        return None
    values = facts.infer.of(node, module)
    if len(values) != 1 or values[0].kind not in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) or values[0].function:
        return None
    value = values[0]
    if not isinstance(value.node, cst.Call) or value.home is None:
        return None
    return graph_call(facts, value.node, value.home)


def closest(written: str, known: Iterator[str] | list[str]) -> str:
    """The known name that a misspelt one is close to; empty when there is none."""
    from difflib import get_close_matches

    found = get_close_matches(written.lower(), list(known), n=1, cutoff=0.8)
    return found[0] if found else ""


def reads_node_name(node: cst.CSTNode) -> bool:
    """``metadata["langgraph_node"]`` or ``metadata.get("langgraph_node")``: the node that an item of the stream comes from."""
    if isinstance(node, cst.Subscript) and len(node.slice) == 1:
        index = node.slice[0].slice
        return isinstance(index, cst.Index) and string_value(index.value) == _NODE
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "get":
        return string_value(argument(node, "key", 0)) == _NODE
    return False
