"""The tokens of a sub-graph are not streamed.

## What it does
Reports `stream()` and `astream()` with `stream_mode="messages"` and without `subgraphs=True` on a graph one of whose nodes is
a compiled graph or an agent that asks a model, or invokes one.

## Why it cuts the stream
From langgraph 0.5 on, `messages` shows the tokens of the outer graph's own nodes only. The sub-graph's answer arrives as one
block at the end ("only final message"), and nothing is sent while it works: an idle limit on the way may cut the stream.

## Example
```python
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent

builder = StateGraph(MessagesState)
builder.add_node("agent", create_react_agent("openai:gpt-4o-mini", tools=[]))
builder.add_edge(START, "agent")
graph = builder.compile()


async def tokens(inputs):
    async for message, metadata in graph.astream(inputs, stream_mode="messages"):
        yield message.content
```

## Use instead
```python
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent

builder = StateGraph(MessagesState)
builder.add_node("agent", create_react_agent("openai:gpt-4o-mini", tools=[]))
builder.add_edge(START, "agent")
graph = builder.compile()


async def tokens(inputs):
    async for namespace, (message, metadata) in graph.astream(inputs, stream_mode="messages", subgraphs=True):
        yield message.content
```

## Fix
None: with `subgraphs=True` each item begins with a namespace, and the loop must unpack it.

## Limits
Only sub-graphs that are known to ask a model: agents of the table's factories, and graphs whose nodes call a model or chain,
directly or in a function that they call. Graphs that a tool invokes are not looked at. `astream_events()` is not affected.
A project that pins langgraph below 0.5 is silent.

## Evidence
`fixtures/LGS208/evidence.yaml`. The boundary was seen between langgraph 0.4.10 and 0.5.0.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming>
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.finding import Confidence
from lg_stream_lint.python.graph_calls import GraphCall, Modes, graph_call, modes
from lg_stream_lint.python.graphs import Node
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import Place, PythonRule
from lg_stream_lint.versions import told

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module

#: How many functions of the project lie at most between a node and the model that it asks.
_MOST_HOPS = 2
_DEEPEST = 4
_ANSWERS = frozenset({"invoke", "ainvoke", "stream", "astream", "batch", "abatch"})


class SubgraphTokensLost(PythonRule):
    """Looks at each call that streams a graph's tokens, and at what the graph's nodes are."""

    independent_of_async = True
    loses_to = ("LGS210",)
    place_in_tests = (("@run",),)
    evidence = (("@langchain",), ("messages",), ("stream(",))

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one streaming call."""
        called = graph_call(self.facts, node, self.module)
        if called is None or called.method not in ("stream", "astream") or called.flag("subgraphs") is not False:
            return
        chosen = modes(self.facts, called)
        if chosen is None or "messages" not in chosen.names:
            return
        fact = self.versions.of("langgraph")
        affected = fact.always(">=0.5") if fact is not None else None
        if affected is False:
            return
        for inner, place, how in self._below(called.graph):
            if self._asks_model(inner, 0):
                self._report(called, chosen, place, how, certain=affected is True)
                return

    def _below(self, graph: Value) -> Iterator[tuple[Value, Place, str]]:
        """The sub-graphs of a graph: what it is, where it comes in, and how that is said."""
        for node in self.facts.graphs.nodes(graph).items:
            name = f'"{node.name}"' if node.name is not None else "a node"
            if node.graph is not None:
                yield (
                    node.graph,
                    Place(node.module, node.call, "the sub-graph becomes a node here"),
                    f"{name} is a sub-graph",
                )
            for function in node.functions:
                for inner, call, module in self._invoked(function, 1):
                    yield inner, Place(module, call, "the sub-graph is invoked here"), f"{name} invokes a sub-graph"

    def _invoked(self, function: Function, hops: int) -> Iterator[tuple[Value, cst.Call, Module]]:
        """The graphs that a function invokes as a whole; one that it streams may be forwarded by its own means."""
        for call in function.calls:
            called = graph_call(self.facts, call, function.module)
            if called is not None:
                if called.method in ("invoke", "ainvoke"):
                    yield called.graph, call, function.module
            elif hops > 0:
                for inner in self._functions(call, function.module):
                    yield from self._invoked(inner, hops - 1)

    def _functions(self, call: cst.Call, module: Module) -> Iterator[Function]:
        for value in self.facts.infer.of(call.func, module):
            if value.kind == Kind.FUNCTION and value.function is not None and not value.function.is_generator:
                yield value.function

    # Whether there are tokens to lose

    def _asks_model(self, graph: Value, depth: int) -> bool:
        made = self.facts.graphs.made(graph)
        if made is None or depth > _DEEPEST:
            return False
        if made.function is not None:
            return self._function_asks(made.function, _MOST_HOPS)
        if made.builder is None:
            return True  # an agent of a factory
        return any(self._node_asks(node, depth) for node in self.facts.graphs.nodes(graph).items)

    def _node_asks(self, node: Node, depth: int) -> bool:
        if node.graph is not None and self._asks_model(node.graph, depth + 1):
            return True
        if any(value.is_runnable and value.role in ("model", "chain") for value in node.values):
            return True
        return any(self._function_asks(function, _MOST_HOPS) for function in node.functions)

    def _function_asks(self, function: Function, hops: int) -> bool:
        for call in function.calls:
            found = runnable_call(self.facts, call, function.module)
            if found is not None and found.role in ("model", "chain") and found.method in _ANSWERS:
                return True
            if hops > 0 and any(
                inner is not function and self._function_asks(inner, hops - 1)
                for inner in self._functions(call, function.module)
            ):
                return True
        return False

    # The message

    def _report(self, called: GraphCall, chosen: Modes, place: Place, how: str, *, certain: bool) -> None:
        fact = self.versions.of("langgraph")
        version = told(fact, "langgraph", "0.5 or newer", decided=certain)
        if called.given("version") is not None:
            unpack = "the parts' ns then says whose they are"
        elif chosen.is_list:
            unpack = "unpack (namespace, mode, data)"
        else:
            unpack = "unpack (namespace, (message, metadata))"
        self.report(
            called.call,
            f'{how}, and stream_mode="messages" without subgraphs=True shows none of its tokens ({version}): the reader sees '
            f"one block at the end. Pass subgraphs=True; {unpack}.",
            confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
            related=[place],
        )
