"""A time limit on the whole answer, where a limit on silence was meant.

## What it does
Reports `asyncio.timeout`, `anyio.fail_after`, `anyio.move_on_after` and `async_timeout` around a loop that yields,
`asyncio.wait_for` around a coroutine that streams or around the application in an ASGI middleware, and LangGraph's
`step_timeout`, `add_node(timeout=)` and `TimeoutPolicy(run_timeout=)` on what asks a model, when they are below 300 s.

## Why it cuts the stream
The limit counts from the first token on, however fast the tokens flow: every answer that takes longer is cut at the same
second (`TimeoutError`, `NodeTimeoutError`, `incomplete chunked read`). Keep-alives do not reset it.

## Example
```python
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
tokens: asyncio.Queue[str] = asyncio.Queue()


async def frames():
    async with asyncio.timeout(30):
        while True:
            yield f"data: {len(await tokens.get())}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
tokens: asyncio.Queue[str] = asyncio.Queue()


async def frames():
    while True:
        async with asyncio.timeout(30):
            token = await tokens.get()
        yield f"data: {len(token)}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None: limit the silence instead, by the model's own `timeout=`, a limit around each item, or `TimeoutPolicy(idle_timeout=)`.

## Limits
Only limits whose length the code tells (numbers, constants, defaults of `os.getenv`) and that are below 300 s. Limits that
the body moves on (`reschedule`, `deadline`) are silent, and so are nodes that are not seen to ask a model.

## Evidence
`fixtures/LGS307/evidence.yaml`.

## References
- <https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout>
- <https://reference.langchain.com/python/langgraph/types>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.answers import answers
from lg_stream_lint.python.deadlines import scopes_of, seconds, shown, wait_for
from lg_stream_lint.python.poisoning import Poison, poison, poison_of_generator
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.syntax import argument, called_name, positional, walk_same_scope
from lg_stream_lint.python.value import Kind, Values
from lg_stream_lint.rules.base import PythonRule

#: Longer limits than this are taken for what they are: the longest answer that anybody waits for.
_LONG = 300.0
_SENDERS = frozenset({"put", "put_nowait", "send", "send_json", "send_text", "send_bytes", "send_nowait", "publish"})
_ASGI = ("scope", "receive", "send")
_UNSPOILT = Poison()
_FUNCTIONAL = frozenset({"langgraph.func.task", "langgraph.func.entrypoint"})


class TotalDeadlineOnStream(PythonRule):
    """Looks at time limits around what streams."""

    independent_of_async = True
    in_tests = False
    place = (("timeout", "wait_for", "fail_after", "move_on_after"),)
    evidence = (("@feeding", "@langchain", "scope"),)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge the limits in one function's own body, and those that its decorators set."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function):
            return
        self._judge_decorators(function)
        if not function.is_async:
            return
        for block in function.withs:
            self._judge_scopes(function, block)
        for call in function.calls:
            limit = wait_for(self.facts, call, self.module)
            given = call.args[0].value if limit is not None and call.args else None
            if limit is None or limit.seconds is None or not isinstance(given, cst.Call):
                continue
            sender = self._sender(given)
            if self._is_application(function, given) or sender is not None:
                spoilt = poison_of_generator(self.facts, sender) if sender is not None else Poison()
                self._report(call, "asyncio.wait_for()", limit.seconds, spoilt=spoilt)

    def _judge_scopes(self, function: Function, block: cst.With) -> None:
        for item, limit in scopes_of(self.facts, block, self.module):
            if limit.seconds is None or _moves_on(item, block):
                continue
            inside = list(walk_same_scope(block.body))
            streams = function.is_generator and any(
                isinstance(n, (cst.For, cst.While)) and any(isinstance(y, cst.Yield) for y in walk_same_scope(n.body))
                for n in inside
            )
            applications = any(isinstance(n, cst.Call) and self._is_application(function, n) for n in inside)
            if applications or (streams and self.facts.streams.is_fed_by(function)):
                spoilt = poison_of_generator(self.facts, function) if streams else Poison()
                self._report(limit.call, f"{limit.name}()", limit.seconds, spoilt=spoilt)

    def _is_application(self, function: Function, call: cst.Call) -> bool:
        """Whether a call runs the whole application, in an ASGI middleware of a project that streams."""
        given = tuple(arg.value.value for arg in call.args if isinstance(arg.value, cst.Name))
        known = {parameter.name for parameter in function.parameters}
        return (
            given[:1] == _ASGI[:1]
            and len(given) == 3
            and set(_ASGI) <= known
            and any(True for _ in self.facts.streams.beside(self.module.path))
        )

    def _sender(self, call: cst.Call) -> Function | None:
        """The function that a call runs, when it iterates a model and sends its tokens on."""
        for value in self.values_of(call.func):
            inner = value.function if value.kind == Kind.FUNCTION else None
            if inner is None or inner.is_generator:
                continue
            for source in sources(self.facts, inner):
                if isinstance(source.node, cst.For) and any(
                    isinstance(n, cst.Call) and called_name(n) in _SENDERS for n in walk_same_scope(source.node.body)
                ):
                    return inner
        return None

    # LangGraph's own limits

    def visit_Call(self, node: cst.Call) -> None:
        """``add_node(…, timeout=…)`` for a node that asks a model."""
        if called_name(node) != "add_node" or argument(node, "timeout") is None:
            return
        if not any(v.kind == Kind.METHOD and v.inner and v.inner.role == "builder" for v in self.values_of(node.func)):
            return
        args = positional(node)
        action = argument(node, "action", 1) or (args[0] if len(args) == 1 else None)
        if action is not None and self._asks(self.values_of(action)):
            self._judge_policy(argument(node, "timeout"), "add_node(timeout=…)")

    def visit_Assign(self, node: cst.Assign) -> None:
        """``graph.step_timeout = …``."""
        target = node.targets[0].target
        if not isinstance(target, cst.Attribute) or target.attr.value != "step_timeout":
            return
        limit = seconds(self.facts, node.value, self.module)
        graphs = [value for value in self.values_of(target.value) if value.role == "graph"]
        if limit is not None and graphs:
            spoilt = poison(self.facts, graphs)
            self._report(node, "step_timeout", limit, idle="the model's own timeout=", spoilt=spoilt)

    def _judge_decorators(self, function: Function) -> None:
        for decorator in function.decorators:
            if not isinstance(decorator, cst.Call) or argument(decorator, "timeout") is None:
                continue
            names = {v.name for v in self.facts.infer.of(decorator.func, self.module, function.outer)}
            if names & _FUNCTIONAL and self._asks_itself(function):
                self._judge_policy(argument(decorator, "timeout"), f"@{called_name(decorator)}(timeout=…)")

    def _judge_policy(self, given: cst.BaseExpression | None, name: str) -> None:
        """A number, a ``timedelta``, or a ``TimeoutPolicy`` whose ``run_timeout`` counts."""
        if given is None:
            return
        for value in self.values_of(given):
            made = value.node
            if value.name.endswith("TimeoutPolicy") and isinstance(made, cst.Call) and value.home is not None:
                limit = seconds(self.facts, argument(made, "run_timeout"), value.home)
                if limit is not None:
                    self._report(given, "TimeoutPolicy(run_timeout=…)", limit, idle="TimeoutPolicy(idle_timeout=…)")
                return
        limit = seconds(self.facts, given, self.module)
        if limit is not None:
            self._report(given, name, limit, idle="TimeoutPolicy(idle_timeout=…)")

    def _asks(self, values: Values) -> bool:
        for value in values:
            if value.role in ("graph", "chain", "model"):
                return True
            if value.kind == Kind.FUNCTION and value.function is not None and self._asks_itself(value.function):
                return True
        return False

    def _asks_itself(self, function: Function) -> bool:
        """Whether an async function asks a graph or model, streaming or not (LangGraph refuses a limit on plain ones)."""
        if not function.is_async:
            return False
        return bool(answers(self.facts, function)) or next(sources(self.facts, function), None) is not None

    def _report(
        self, node: cst.CSTNode, name: str, limit: float, *, idle: str = "", spoilt: Poison = _UNSPOILT
    ) -> None:
        if limit >= _LONG:
            return
        instead = idle or "a time-out around each item, or the model's own timeout="
        self.report(
            node,
            f"{name} of {shown(limit)} limits the whole answer, not its silences: an answer that takes longer is cut there "
            f"while its tokens flow, and keep-alives do not reset it{spoilt.clause}. Limit the silence instead: {instead}.",
            related=spoilt.places,
        )


def _moves_on(item: cst.WithItem, block: cst.With) -> bool:
    """Whether the body moves the limit on: ``scope.reschedule(…)``, ``scope.deadline = …``."""
    if item.asname is None or not isinstance(item.asname.name, cst.Name):
        return False
    name = item.asname.name.value
    return any(
        isinstance(node, cst.Attribute)
        and node.attr.value in ("reschedule", "deadline", "shift", "update")
        and isinstance(node.value, cst.Name)
        and node.value.value == name
        for node in walk_same_scope(block.body)
    )
