"""A `stream_mode` that does not exist, or a filter by a node that the graph has not.

## What it does
Reports a literal `stream_mode` that no version of LangGraph knows (`"message"`, `"mesages"`, the server API's
`"messages-tuple"`), and a comparison of `langgraph_node` with a name that is no node of the streamed graph.

## Why it cuts the stream
LangGraph accepts any mode without an error and streams nothing for one that it does not know: the client gets HTTP 200, an
empty stream and a clean end, while the model runs and is paid for. A filter by a node that does not exist does the same.

## Example
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    async for message, metadata in graph.astream({"messages": []}, stream_mode="message"):
        yield message.content
```

## Use instead
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    async for message, metadata in graph.astream({"messages": []}, stream_mode="messages"):
        yield message.content
```

## Fix
None yet: write the name that the message proposes.

## Limits
A mode is reported only when it is close to a known one or in the table of known mistakes; what a later release may bring is
not guessed at. `astream_events()` is silent: its events do not depend on the mode. `RemoteGraph` knows other modes. Filters
are judged where all nodes of the graph are known: added under literal names, or those of an agent factory in the table.

## Evidence
`fixtures/LGS215/evidence.yaml`. The modes were read from langgraph 0.0.69 to 1.2.24.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming>
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.graph_calls import (
    GraphCall,
    closest,
    graph_call,
    iterated_call,
    modes,
    reads_node_name,
    strings,
)
from lg_stream_lint.python.value import Value
from lg_stream_lint.rules.base import Place, PythonRule

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module

_KEY = "langgraph_node"


class UnknownStreamMode(PythonRule):
    """Looks at the modes of each call that runs a graph, and at filters inside the loops over its stream."""

    severity = Severity.ERROR
    independent_of_async = True
    place_in_tests = (("@run", _KEY),)
    evidence = (("@langchain",), ("stream_mode", _KEY))

    def visit_Call(self, node: cst.Call) -> None:
        """Judge the modes that one call is given."""
        called = graph_call(self.facts, node, self.module)
        given = called.given("stream_mode") if called is not None else None
        if called is None or given is None or called.method == "astream_events":
            return
        written = list(dict.fromkeys(strings(self.facts, given.node, given.module)))
        known = self.tables.stream_modes
        for name in written:
            if name in known:
                continue
            mistake = self.tables.stream_mistakes.get(("mode", name))
            instead = mistake.instead if mistake is not None else closest(name, list(known))
            if mistake is None and not instead:
                continue
            self._unknown_mode(called, name, instead, alone=len(written) == 1)
            return

    def _unknown_mode(self, called: GraphCall, name: str, instead: str, *, alone: bool) -> None:
        if called.method.endswith("invoke"):
            seen = f"no error is raised, and {called.method}() returns an empty list" if alone else "no error is raised"
        elif alone:
            seen = "no error is raised, and the client gets HTTP 200 and an empty stream"
        else:
            seen = "no error is raised, and nothing of that mode is streamed"
        advice = f'Write "{instead}"' if instead else "Use astream_events() for events"
        self.report(called.call, f'There is no stream_mode "{name}": {seen}. {advice}.')

    # Filters

    def visit_Comparison(self, node: cst.Comparison) -> None:
        """Judge a comparison with ``metadata["langgraph_node"]`` inside a loop over a graph's stream."""
        if len(node.comparisons) != 1:
            return
        target = node.comparisons[0]
        if isinstance(target.operator, (cst.NotEqual, cst.NotIn)) and not self._skips(node):
            return
        names = self._compared(node.left, target.operator, target.comparator)
        called = self._loop_over(node) if names else None
        if called is None or not names:
            return
        nodes = self._nodes(called)
        if nodes is None or any(name in nodes or ("." in name) for name in names):
            return
        shown = " or ".join(f'"{name}"' for name in names)
        self.report(
            called.call,
            f"The graph has no node {shown}: the filter on {_KEY} lets nothing through, and the client gets HTTP 200 and an "
            f"empty answer. Compare with one of its nodes: {', '.join(sorted(nodes))}.",
            severity=Severity.WARNING,
            related=[Place(self.module, node, "the filter")],
        )

    def _compared(self, left: cst.BaseExpression, operator: cst.BaseCompOp, right: cst.BaseExpression) -> list[str]:
        """The names that the node's name is compared with (``==``, ``in``, or ``!=``, ``not in`` before a ``continue``)."""
        if isinstance(operator, (cst.Equal, cst.NotEqual)):
            for one, other in ((left, right), (right, left)):
                if self._is_node_name(one):
                    return list(strings(self.facts, other, self.module))
        if isinstance(operator, (cst.In, cst.NotIn)) and self._is_node_name(left):
            return list(strings(self.facts, right, self.module))
        return []

    def _skips(self, node: cst.Comparison) -> bool:
        """Whether a comparison alone decides that the loop goes on to its next turn."""
        parent = self.parent_of(node)
        if not isinstance(parent, cst.If) or parent.test is not node:
            return False
        last = parent.body.body[-1] if parent.body.body else None
        if isinstance(last, cst.SimpleStatementLine):
            last = last.body[-1]
        return isinstance(last, cst.Continue)

    def _is_node_name(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Name):
            holder = self.module.scope_at(node).holder_of(node.value)
            bindings = holder.bindings[node.value] if holder is not None and holder.kind == "function" else []
            return bool(bindings) and all(
                b.kind == "assign" and b.node is not None and not b.path and reads_node_name(b.node) for b in bindings
            )
        return reads_node_name(node)

    def _loop_over(self, node: cst.CSTNode) -> GraphCall | None:
        """The graph's stream over which the innermost loop around a node goes."""
        for parent in self.module.ancestors(node):
            if isinstance(parent, cst.FunctionDef):
                return None
            loops: list[cst.For | cst.CompFor] = []
            if isinstance(parent, cst.For):
                loops = [parent]
            elif isinstance(parent, (cst.ListComp, cst.GeneratorExp, cst.SetComp)):
                loops = [parent.for_in]
            for loop in loops:
                called = iterated_call(self.facts, loop.iter, self.module)
                return called if called is not None and called.module is self.module else None
        return None

    def _nodes(self, called: GraphCall) -> frozenset[str] | None:
        """Every name that ``langgraph_node`` can have in a stream; None when others are possible."""
        inner = called.method == "astream_events" or called.flag("subgraphs") is not False
        if not inner:
            fact = self.versions.of("langgraph")
            inner = fact is not None and fact.always(">=0.5") is not True  # older ones stream sub-graphs unasked
        chosen = modes(self.facts, called)
        if not inner and (chosen is None or "messages" not in chosen.names):
            return None
        found: set[str] = set()
        return frozenset(found) if self._collect(called.graph, found, inner, 0) else None

    def _collect(self, graph: Value, found: set[str], inner: bool, depth: int) -> bool:
        made = self.facts.graphs.made(graph)
        if made is None or depth > 4:
            return False
        row = self.tables.graph_factories.get(graph.name)
        if made.builder is None:
            if row is None or not row.nodes or (inner and self.facts.graphs.has_tools(graph) is not False):
                return False
            found.update(row.nodes)
            return True
        nodes = self.facts.graphs.nodes(graph)
        if not nodes.complete:
            return False
        found.update(node.name for node in nodes.items if node.name is not None)
        if not inner:
            return True
        if self.facts.graphs.has_tools(graph) is not False:
            return False  # a tool may run a graph of its own
        return all(
            self._collect(below, found, inner, depth + 1)
            for node in nodes.items
            for below in [
                *([node.graph] if node.graph is not None else []),
                *(
                    value
                    for function in node.functions
                    for value in self._called_graphs(function.calls, function.module)
                ),
            ]
        )

    def _called_graphs(self, calls: list[cst.Call], module: Module) -> Iterator[Value]:
        for call in calls:
            called = graph_call(self.facts, call, module)
            if called is not None:
                yield called.graph
