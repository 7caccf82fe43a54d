"""A keyword that a graph's streaming methods do not know, and swallow.

## What it does
Reports keywords of `stream()`, `astream()`, `invoke()`, `ainvoke()` and `astream_events()` of a compiled graph that no
version of LangGraph knows, when they are close to a known one (`subgraph`) or a known mistake (`stream_subgraphs`,
`streaming`, `modes`, `recursion_limit`).

## Why it cuts the stream
From langgraph 0.6 on nothing is raised: the call looks configured and is not. Tokens of sub-graphs do not arrive, or whole
steps come instead of tokens, in one block at the end. Before 0.6 the call fails with `got an unexpected keyword argument`.

## Example
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    async for message, metadata in graph.astream({}, stream_mode="messages", stream_subgraphs=False):
        yield message.content
```

## Use instead
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    async for message, metadata in graph.astream({}, stream_mode="messages", subgraphs=False):
        yield message.content
```

## Fix
None yet: write the name that the message proposes.

## Limits
A keyword that any version knows is accepted for all. One that is neither close to a known name nor a known mistake is silent:
a later release may have brought it. `RemoteGraph`, chains and models take other keywords and are not judged.

## Evidence
`fixtures/LGS210/evidence.yaml`. The keywords were read from the signatures of langgraph 0.0.69 to 1.2.24; that they are
swallowed was run with 0.6.0 and 1.2.24, that they fail with 0.5.4.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.graph_calls import GraphCall, closest, graph_call
from lg_stream_lint.rules.base import PythonRule
from lg_stream_lint.versions import told


class UnknownStreamArgument(PythonRule):
    """Looks at the keywords of each call that runs a graph."""

    severity = Severity.ERROR
    independent_of_async = True
    place_in_tests = (("@run",),)
    evidence = (("@langchain",), ("stream(", "invoke(", "astream_events("))

    def visit_Call(self, node: cst.Call) -> None:
        """Judge the keywords of one call."""
        called = graph_call(self.facts, node, self.module)
        if called is None:
            return
        known = self.tables.stream_arguments
        for name in called.keywords.given:
            if name in known:
                continue
            mistake = self.tables.stream_mistakes.get(("argument", name))
            # What only some graphs, or older versions, take is accepted, but not proposed: such rows have a note.
            proposed = [
                row.name
                for row in known.values()
                if not row.note and called.method in (row.methods or (called.method,))
            ]
            instead = mistake.instead if mistake is not None else closest(name, proposed)
            if mistake is not None or instead:
                self._report(called, name, instead, mistake.note if mistake is not None else "")
                return

    def _report(self, called: GraphCall, name: str, instead: str, note: str) -> None:
        fact = self.versions.of("langgraph")
        swallowed = fact.always(">=0.6") if fact is not None else None
        method = f"{called.method}()"
        if swallowed is False:
            version = told(fact, "langgraph", "")
            start = f'{method} does not know {name}= and fails with "unexpected keyword argument" ({version})'
        else:
            version = told(fact, "langgraph", "0.6 or newer", decided=swallowed is True)
            start = f"{method} swallows the unknown argument {name}= without an error ({version})"
        end = "" if swallowed is False else ": this looks configured, and is not"
        if instead == "config" and note:
            advice = f"Pass config={note}"
        elif instead:
            advice = f"Write {instead}="
        else:
            advice = f"Remove it: it is {note}"
        confidence = Confidence.HIGH if swallowed is not None else Confidence.MEDIUM
        self.report(called.call, f"{start}{end}. {advice}.", confidence=confidence)
