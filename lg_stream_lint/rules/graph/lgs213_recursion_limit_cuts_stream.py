"""A low recursion limit ends the stream after a few tool calls.

## What it does
Gives advice on a literal `recursion_limit` under 15 for a graph with tools, where nothing catches `GraphRecursionError`.

## Why it cuts the stream
Each tool call takes two steps, and each step counts. A question that needs one call more than usual ends with
`GraphRecursionError: Recursion limit of 8 reached without hitting a stop condition`, in mid-stream, after the tools have run.

## Example
```python
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI


def search(question: str) -> str:
    return "nothing"


agent = create_agent(ChatOpenAI(model="gpt-4o-mini", timeout=60), [search])


async def answer(question):
    return await agent.ainvoke({"messages": [question]}, {"recursion_limit": 5})
```

## Use instead
```python
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI


def search(question: str) -> str:
    return "nothing"


agent = create_agent(ChatOpenAI(model="gpt-4o-mini", timeout=60), [search])


async def answer(question):
    return await agent.ainvoke({"messages": [question]}, {"recursion_limit": 50})
```

## Fix
None: how many steps a question may take is for the application to decide.

## Limits
The limit must be a number in a config that can be read, and the graph must be known to have tools. A handler around the call
that catches `GraphRecursionError`, or everything, is silent.

## Evidence
`fixtures/LGS213/evidence.yaml`.

## References
- <https://docs.langchain.com/oss/python/langgraph/errors/GRAPH_RECURSION_LIMIT>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.guards import exception_names, handlers_around
from lg_stream_lint.python.keywords import items_of
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.syntax import argument
from lg_stream_lint.rules.base import Place, PythonRule

_ENOUGH = 15
_CATCHING = frozenset({"Exception", "BaseException", "RecursionError", "langgraph.errors.GraphRecursionError"})
#: Unknown versions are judged as the newest releases behave.
_HIGH_DEFAULT_SINCE = "1.0.6"


class RecursionLimitCutsStream(PythonRule):
    """Looks at the config that a graph with tools is run with."""

    severity = Severity.INFO
    independent_of_async = True
    in_tests = False
    evidence = (("langgraph", "langchain"), ("recursion_limit",))

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one run of a graph."""
        config = argument(node, "config", 1)
        if config is None:
            return
        run = runnable_call(self.facts, node, self.module)
        if run is None or run.role != "graph" or run.kind == "value":
            return
        given = items_of(self.facts, config, self.module).given.get("recursion_limit")
        if given is None or not isinstance(given.node, cst.Integer) or given.node.evaluated_value >= _ENOUGH:
            return
        graphs = self.facts.graphs.receivers(node, self.module)
        if not any(self.facts.graphs.has_tools(graph) for graph in graphs) or self._is_caught(node):
            return
        version = self.versions.of("langgraph")
        old = version is not None and version.always(f"<{_HIGH_DEFAULT_SINCE}") is True
        default = "The default of this langgraph is 25" if old else "The default of current langgraph is 10007"
        limit = given.node.evaluated_value
        here = given.module is self.module
        calls = f"{limit // 2} tool call{'' if limit // 2 == 1 else 's'}"
        self.report(
            given.node if here else node,
            f"recursion_limit={limit} ends the run after about {calls} with GraphRecursionError, in the middle "
            f"of the stream. {default}; raise the limit, or catch the error and tell the client.",
            related=[] if here else [Place(given.module, given.node, "the limit is set here")],
        )

    def _is_caught(self, node: cst.Call) -> bool:
        return any(
            _CATCHING.intersection(exception_names(self.facts, self.module, handler))
            for handler in handlers_around(self.module, node)
        )
