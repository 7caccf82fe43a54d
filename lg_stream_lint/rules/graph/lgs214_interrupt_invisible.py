"""The graph stops to ask somebody, and the stream that the user sees does not say so.

## What it does
Reports a graph that can `interrupt()` (in a node, or by `interrupt_before`/`interrupt_after`) and is streamed with
`stream_mode="messages"` alone, in a module that never looks at the graph's state.

## Why it cuts the stream
An interrupt sends no message. The stream simply ends at the approval step, without an error: the answer looks complete and
is half of one, and the graph waits for a `Command(resume=…)` that nobody knows to send.

## Example
```python
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.types import interrupt


def approve(state: MessagesState):
    return {"messages": [interrupt("Send it?")]}


builder = StateGraph(MessagesState)
builder.add_node("approve", approve)
graph = builder.compile(checkpointer=InMemorySaver())


async def answer(config):
    async for message, _ in graph.astream({"messages": []}, config, stream_mode="messages"):
        yield message.content
```

## Use instead
```python
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.types import interrupt


def approve(state: MessagesState):
    return {"messages": [interrupt("Send it?")]}


builder = StateGraph(MessagesState)
builder.add_node("approve", approve)
graph = builder.compile(checkpointer=InMemorySaver())


async def answer(config):
    async for mode, chunk in graph.astream({"messages": []}, config, stream_mode=["messages", "updates"]):
        if mode == "messages":
            yield chunk[0].content
        elif "__interrupt__" in chunk:
            yield f"waiting: {chunk['__interrupt__'][0].value}"
```

## Fix
None: how an approval is shown is for the application to decide.

## Limits
Nodes are followed into their own body, not into tools or sub-graphs. A module that reads `get_state`/`aget_state` or
`__interrupt__` anywhere is silent.

## Evidence
`fixtures/LGS214/evidence.yaml`.

## References
- <https://docs.langchain.com/oss/python/langgraph/interrupts>
"""

from __future__ import annotations

import re

import libcst as cst

from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.syntax import argument, called_name, code_of, string_value
from lg_stream_lint.python.value import Value
from lg_stream_lint.rules.base import Place, PythonRule

_LOOKS = re.compile(rb"get_state|__interrupt__|\.interrupts\b|tasks\b.*interrupt")
_INTERRUPT = frozenset({"langgraph.types.interrupt", "langgraph.prebuilt.interrupt.interrupt"})
_AT_NODES = ("interrupt_before", "interrupt_after")


class InterruptInvisible(PythonRule):
    """Looks at calls that stream messages alone."""

    independent_of_async = True
    in_tests = False
    evidence = (("langgraph",), ("astream", "stream"), ("interrupt", "interrupt_before", "interrupt_after"))

    def visit_Call(self, node: cst.Call) -> None:
        """Judge a streaming call."""
        if called_name(node) not in ("astream", "stream") or _modes(node) != ["messages"]:
            return
        function = self.function_of(node)
        if function is None or not function.is_generator or _LOOKS.search(self.module.source):
            return
        run = runnable_call(self.facts, node, self.module)
        if run is None or run.role != "graph":
            return
        for graph in self.facts.graphs.receivers(node, self.module):
            place = self._interrupt(graph)
            if place is not None:
                self.report(
                    node,
                    f"The graph can stop to ask somebody, and {code_of(node.func, 40)}() streams only messages: the stream "
                    "just ends there, and the answer looks complete. "
                    'Add "updates" to stream_mode and show "__interrupt__", or read the state after the loop.',
                    related=[place],
                )
                return

    def _interrupt(self, graph: Value) -> Place | None:
        """Where a graph interrupts its run."""
        graphs = self.facts.graphs
        made = graphs.made(graph)
        if made is None or made.call is None:
            return None
        for keyword in _AT_NODES:
            given = argument(made.call, keyword)
            if given is not None and (string_value(given) or (isinstance(given, cst.List) and given.elements)):
                return Place(made.module, given, "the graph stops here")
        functions = [f for item in graphs.nodes(graph).items for f in item.functions]
        for function in [*functions, *([made.function] if made.function is not None else [])]:
            for call in function.calls:
                if called_name(call) and any(
                    v.name in _INTERRUPT for v in self.facts.infer.of(call.func, function.module)
                ):
                    return Place(function.module, call, "the graph stops here")
        return None


def _modes(call: cst.Call) -> list[str]:
    """The literal stream modes of a call; empty when they are not written, or not literally."""
    given = argument(call, "stream_mode")
    text = string_value(given)
    if text is not None:
        return [text]
    if isinstance(given, (cst.List, cst.Tuple)):
        found = [string_value(element.value) for element in given.elements]
        return [mode for mode in found if mode is not None] if None not in found else []
    return []
