"""A model call inside a node does not know which run it belongs to, so its tokens are not streamed.

## What it does
Reports a model, chain or graph that a node or tool runs through `run_in_executor` or a thread pool without its `config`. Where
the project runs on Python older than 3.11: any call of one in a node that does not pass `config` on, and
`get_stream_writer()`.

## Why it cuts the stream
LangGraph hands the run's callbacks to inner calls by context variables. An executor's thread has none, and before Python 3.11
asyncio does not carry them into nodes: `stream_mode="messages"` and `astream_events` see no tokens, the answer comes as one
piece at the end; `get_stream_writer()` raises `RuntimeError: Called get_config outside of a runnable context`.

## Example
```python
import asyncio

from langchain_openai import ChatOpenAI
from langgraph.graph import MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def answer(state: MessagesState):
    loop = asyncio.get_running_loop()
    return {"messages": [await loop.run_in_executor(None, llm.invoke, state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
```

## Use instead
```python
from langchain_openai import ChatOpenAI
from langgraph.graph import MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def answer(state: MessagesState):
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
```

## Fix
None yet: take `config: RunnableConfig` as the node's second parameter and pass it on; `asyncio.to_thread` instead of
`run_in_executor` keeps the context.

## Limits
The node's own body is looked at, not the functions that it calls. The Python that runs is read from a Dockerfile,
`.python-version` or `runtime.txt`; one that `requires-python` merely allows makes it advice. Tools are judged for executors
only: the tool node of current versions passes their configuration on.

## Evidence
`fixtures/LGS207/evidence.yaml`.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming#async-with-python-3-11>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, code_of, positional, walk
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import PythonRule
from lg_stream_lint.versions import PIN, told

_EXECUTORS = {"run_in_executor": 1, "submit": 0, "map": 0}
_RUNS = frozenset({"invoke", "stream", "batch"})
_ASYNC_RUNS = frozenset({"ainvoke", "astream", "abatch"})
_WRITER = "langgraph.config.get_stream_writer"


class ConfigNotPropagated(PythonRule):
    """Looks at what nodes and tools run, and how."""

    severity = Severity.ERROR
    independent_of_async = True
    in_tests = False
    evidence = (
        ("langgraph", "langchain"),
        ("run_in_executor", "submit", "map", "invoke", "stream", "get_stream_writer"),
    )

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one node or tool."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function):
            return
        marks = self.facts.functions.marks(function)
        if not marks & {"node", "tool"}:
            return
        for call in function.calls:
            if called_name(call) in _EXECUTORS:
                self._judge_executor(call)
        if "node" in marks:
            severity = self._old_python()
            if severity and (function.is_async or self.facts.graph_uses.asynchronous):
                self._judge_old_python(function, severity)

    # Executors, on every Python

    def _judge_executor(self, call: cst.Call) -> None:
        place = _EXECUTORS[called_name(call)]
        args = positional(call)
        if len(args) <= place or _mentions_config(call) or not self._is_executor(call):
            return
        what = self._run_by(args[place])
        if what:
            self.report(
                call,
                f"{what}() runs in a thread that does not know the node's run: none of its tokens is streamed, the answer "
                "comes as one piece at the end. Await the async method, use asyncio.to_thread, or pass config on.",
                severity=Severity.WARNING,
            )

    def _is_executor(self, call: cst.Call) -> bool:
        if called_name(call) == "run_in_executor":
            return True
        return any(
            v.kind == Kind.METHOD and v.inner is not None and v.inner.name.startswith("concurrent.futures")
            for v in self.values_of(call.func)
        ) and not any("Process" in (v.inner.name if v.inner is not None else "") for v in self.values_of(call.func))

    def _run_by(self, given: cst.BaseExpression) -> str:
        """What a model's method is called that an executor is given: itself, in a lambda, or in a partial."""
        for value in self.values_of(given):
            target: Value | None = value.inner if value.kind == Kind.PARTIAL else value
            if target is None:
                continue
            if target.kind == Kind.METHOD and target.name in _RUNS and target.inner is not None:
                return f"{target.inner.role}.{target.name}" if target.inner.is_runnable else ""
            function = target.function if target.kind == Kind.FUNCTION else None
            for inner in function.calls if function is not None else ():
                run = runnable_call(self.facts, inner, function.module) if function is not None else None
                if run is not None and run.method in _RUNS and not _mentions_config(inner):
                    return f"{run.role}.{run.method}"
        return ""

    # Python before 3.11

    def _old_python(self) -> str:
        """How bad a lost context is: an error where an old Python runs, advice where one is allowed, else nothing."""
        python = self.versions.python()
        if python is None or python.always(">=3.11") is True:
            return ""
        return Severity.ERROR if python.kind == PIN and python.always("<3.11") is True else Severity.INFO

    def _judge_old_python(self, function: Function, severity: str) -> None:
        python = self.versions.python()
        where = "Python before 3.11, which this project allows"
        if python is not None and severity == Severity.ERROR:
            where = told(python, "python", "")
        wanted = _ASYNC_RUNS if function.is_async else _RUNS
        for call in function.calls:
            if any(v.name == _WRITER for v in self.values_of(call.func)):
                self.report(
                    call,
                    f'On {where}, get_stream_writer() raises "Called get_config outside of a runnable context" under '
                    "astream(): the stream is cut. Run on Python 3.11 or newer.",
                    severity=severity,
                )
                continue
            run = runnable_call(self.facts, call, self.module)
            if run is None or run.method not in wanted or self._passes_config(call) or _is_structured(run.receiver):
                continue
            self.report(
                call,
                f"On {where}, {code_of(call.func, 40)}() does not know the node's run: none of its tokens is streamed, the "
                "answer comes as one piece at the end. Take `config: RunnableConfig` in the node, and pass it on.",
                severity=severity,
            )

    @staticmethod
    def _passes_config(call: cst.Call) -> bool:
        return (
            len(positional(call)) > 1
            or argument(call, "config") is not None
            or any(arg.star for arg in call.args)
            or _mentions_config(call)
        )


def _is_structured(receiver: Value | None) -> bool:
    """Whether a model gives an object: nobody reads its tokens."""
    node = receiver.node if receiver is not None else None
    return isinstance(node, cst.Call) and called_name(node) == "with_structured_output"


def _mentions_config(node: cst.CSTNode) -> bool:
    """Whether a call has to do with a config or a copied context."""
    return any(
        isinstance(item, cst.Name) and any(word in item.value for word in ("config", "context", "ctx"))
        for item in walk(node)
    )
