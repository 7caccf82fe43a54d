"""What an item of a graph's stream is, as its literal ``stream_mode``, ``subgraphs`` and ``version`` say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.graph_calls import GraphCall, Modes, modes
from lg_stream_lint.python.syntax import argument, string_value
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts

_EVENT_KEYS = frozenset({"event", "name", "run_id", "tags", "metadata", "data", "parent_ids"})
_PART_KEYS = frozenset({"type", "ns", "data", "interrupts"})
_MESSAGES_STATES = ("MessagesState", "AgentState", "AgentStateWithStructuredResponse")


class Shape(NamedTuple):
    """What a value is: ``kind`` is ``tuple``, ``dict``, ``message``, ``str``, ``choice`` (by mode) or ``any``.

    ``items`` are a tuple's elements (empty: of unknown length) or a choice's alternatives, whose modes are ``names``.
    ``keys`` are all the keys that a dict can have; empty when others are possible. ``holds_messages``: message objects
    are somewhere in it, so that ``json.dumps`` fails.
    """

    kind: str
    label: str = ""
    items: tuple[Shape, ...] = ()
    names: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset()
    holds_messages: bool = False


ANY = Shape("any")
MESSAGE = Shape("message", "a message object", holds_messages=True)
PAIR = Shape(
    "tuple", "(message, metadata) tuples", (MESSAGE, Shape("dict", "the metadata, a dict")), holds_messages=True
)
NAMESPACE = Shape("tuple", "the sub-graph's namespace, a tuple,")
MODE = Shape("str", "the mode's name, a string,")


def item_shape(facts: Facts, called: GraphCall) -> Shape | None:
    """What each item of a streaming call is; None when that is decided at run time."""
    version = called.given("version")
    literal = string_value(version.node) if version is not None else None
    if version is not None and literal not in ("v1", "v2"):
        return None
    if called.method == "astream_events":
        return Shape("dict", "event dicts", keys=_EVENT_KEYS)
    if called.method not in ("stream", "astream"):
        return None
    chosen = modes(facts, called)
    inner = called.flag("subgraphs")
    if chosen is None or inner is None:
        return None
    if literal == "v2":
        return Shape("dict", "dicts with the keys type, ns and data", keys=_PART_KEYS)
    payload = _payload(facts, called, chosen)
    if chosen.is_list:
        parts = (NAMESPACE, MODE, payload) if inner else (MODE, payload)
        label = "(namespace, mode, data) tuples" if inner else "(mode, data) tuples"
        return Shape("tuple", label, parts, holds_messages=payload.holds_messages)
    if inner:
        return Shape("tuple", "(namespace, data) tuples", (NAMESPACE, payload), holds_messages=payload.holds_messages)
    return payload


def _payload(facts: Facts, called: GraphCall, chosen: Modes) -> Shape:
    shapes = tuple(_of_mode(facts, called, name) for name in chosen.names)
    if len(shapes) == 1:
        return shapes[0]
    return Shape(
        "choice",
        "items of several modes",
        shapes,
        chosen.names,
        holds_messages=all(shape.holds_messages for shape in shapes),
    )


def _of_mode(facts: Facts, called: GraphCall, name: str) -> Shape:
    row = facts.project.knowledge.stream_modes.get(name)
    item = row.item if row is not None else "any"
    if item == "message":
        return PAIR
    if item == "event":
        return Shape("dict", "dicts")
    if item == "any" or called.given("output_keys") is not None:
        return ANY
    state = _state(facts, called)
    if item == "update":
        return Shape("dict", "dicts of node and update", keys=_nodes(facts, called), holds_messages=state == "messages")
    if state == "":
        return ANY
    return Shape("dict", "the whole state, a dict", holds_messages=state != "dict")


def _state(facts: Facts, called: GraphCall) -> str:
    """``messages`` for a state of messages alone, ``more`` for one with other keys too, ``dict``, empty for any other."""
    made = facts.graphs.made(called.graph)
    if made is None or made.function is not None:
        return ""
    if made.builder is None:
        row = facts.project.knowledge.graph_factories.get(called.graph.name)
        return "messages" if row is not None and row.nodes else "dict"
    builder = made.builder
    if not isinstance(builder.node, cst.Call) or builder.home is None or not builder.name.endswith("StateGraph"):
        return ""
    schema = argument(builder.node, "state_schema", 0)
    values = facts.infer.of(schema, builder.home) if schema is not None else ()
    if len(values) != 1:
        return ""
    value = values[0]
    if value.kind == Kind.EXTERNAL:
        last = value.name.rpartition(".")[2]
        return "messages" if last in _MESSAGES_STATES else "dict" if last == "dict" else ""
    if value.kind == Kind.CLASS and value.cls is not None:
        bases = types.external_bases(facts.infer, value.cls)
        return "more" if any(base.rpartition(".")[2] in _MESSAGES_STATES for base in bases) else "dict"
    return ""


def _nodes(facts: Facts, called: GraphCall) -> frozenset[str]:
    """The keys of an update, where all nodes are known; LangGraph's own keys begin with underscores."""
    nodes = facts.graphs.nodes(called.graph)
    return frozenset(node.name or "" for node in nodes.items) if nodes.complete else frozenset()
