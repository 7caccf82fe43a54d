"""A time limit around a generator's next item, meant for keep-alives, ends the generator.

## What it does
Reports `asyncio.wait_for(agen.__anext__(), t)` (also `anext(agen)`, a task made of it, or `asyncio.timeout` and
`anyio.move_on_after` around it) in a loop that goes on after the time-out.

## Why it cuts the stream
The first time-out cancels the generator; the next call finds it ended. The client gets one keep-alive and then a clean end:
HTTP 200, half an answer or none, and nothing in the log. It happens only when the model is slow.

## Example
```python
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def answer():
    for word in ("Once", "upon", "a", "time"):
        await asyncio.sleep(20)
        yield word


async def frames():
    words = answer()
    while True:
        try:
            word = await asyncio.wait_for(words.__anext__(), timeout=15)
        except asyncio.TimeoutError:
            yield ": keep-alive\\n\\n"
            continue
        except StopAsyncIteration:
            break
        yield f"data: {len(word)}\\n\\n"


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


async def answer():
    for word in ("Once", "upon", "a", "time"):
        await asyncio.sleep(20)
        yield word


async def frames():
    words = answer()
    upcoming = asyncio.ensure_future(anext(words))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=15)
            if not done:
                yield ": keep-alive\\n\\n"
                continue
            try:
                word = upcoming.result()
            except StopAsyncIteration:
                break
            yield f"data: {len(word)}\\n\\n"
            upcoming = asyncio.ensure_future(anext(words))
    finally:
        upcoming.cancel()


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None: the loop has to be written another way. `asyncio.wait` does not cancel what it waits for; a queue filled by a task of
its own, or sse-starlette's built-in ping, will do as well.

## Limits
Only async generators that feed a response or ask a model, and the streams of graphs, models and SDK clients. Silent when the
time-out ends the loop (a limit on silence, which is right), and with `asyncio.shield`.

## Evidence
`fixtures/LGS312/evidence.yaml`.

## References
- <https://docs.python.org/3/library/asyncio-task.html#asyncio.wait_for>
- <https://peps.python.org/pep-0525/>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.deadlines import scopes_of, wait_for
from lg_stream_lint.python.following import CONTINUE, END, exits, following
from lg_stream_lint.python.guards import exception_names
from lg_stream_lint.python.poisoning import Poison, poison_of_generator, poison_of_run
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import BY_NAME, model_stream, sources
from lg_stream_lint.python.syntax import called_name, code_of, positional, walk_same_scope
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import PythonRule

_TASKS = frozenset({"create_task", "ensure_future"})
_FLAGS = frozenset({"cancelled_caught", "cancel_called"})


class KeepaliveKillsGenerator(PythonRule):
    """Looks at every request for a generator's next item that stands under a time limit in a loop."""

    severity = Severity.ERROR
    place = (("anext",), ("wait_for", "timeout", "fail_after", "move_on_after"))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one function's own body."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_async:
            return
        for call in function.calls:
            limit = wait_for(self.facts, call, self.module)
            if limit is not None:
                asked = self._asked(function, call.args[0].value if call.args else None)
                if asked is not None and self._goes_on(call):
                    self._report(call, "asyncio.wait_for()", asked)
        for block in function.withs:
            for item, scope in scopes_of(self.facts, block, self.module):
                asked = self._asked_in(block)
                if asked is not None and (self._flows_on(block, item) if scope.silent else self._goes_on(block)):
                    self._report(scope.call, f"{scope.name}()", asked)

    def _asked_in(self, block: cst.With) -> cst.BaseExpression | None:
        """The generator that is asked for one item inside a block, outside any loop of its own."""
        for node in walk_same_scope(block.body):
            if isinstance(node, (cst.For, cst.While)):
                return None
            if isinstance(node, cst.Await):
                asked = _next_of(node.expression)
                if asked is not None:
                    return asked
        return None

    @staticmethod
    def _asked(function: Function, node: cst.BaseExpression | None) -> cst.BaseExpression | None:
        """The generator whose next item an expression stands for: ``anext(g)``, ``g.__anext__()``, or a task made of one."""
        if isinstance(node, cst.Call) and called_name(node) in _TASKS and positional(node):
            return _next_of(positional(node)[0])
        if isinstance(node, cst.Name):
            for binding in function.scope.bindings.get(node.value, ()):
                made = binding.node
                if binding.kind == "assign" and isinstance(made, cst.Call) and called_name(made) in _TASKS:
                    found = _next_of(positional(made)[0]) if positional(made) else None
                    if found is not None:
                        return found
            return None
        return _next_of(node)

    def _goes_on(self, node: cst.CSTNode) -> bool:
        """Whether a time-out raised at a node is caught inside the loop around it, and the loop then takes another turn."""
        child, parent = node, self.parent_of(node)
        while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda, cst.For, cst.While)):
            if isinstance(parent, (cst.Try, cst.TryStar)) and parent.body is child:
                handler = next((h for h in parent.handlers if self._catches_timeout(h)), None)
                if handler is not None:
                    return following(self.module, parent, exits(handler.body)).loop is not None
            child, parent = parent, self.parent_of(parent)
        return False

    def _catches_timeout(self, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
        return any(
            name.rpartition(".")[2] in ("TimeoutError", "Exception", "BaseException")
            for name in exception_names(self.facts, self.module, handler)
        )

    def _flows_on(self, block: cst.With, item: cst.WithItem) -> bool:
        """Whether a loop goes on after a block that was left silently: no test of the scope's flag leaves the loop."""
        after = following(self.module, block, {END})
        if after.loop is None:
            return False
        for statement in after.statements:
            for node in walk_same_scope(statement):
                if isinstance(node, cst.If) and any(
                    isinstance(n, cst.Attribute) and n.attr.value in _FLAGS for n in walk_same_scope(node.test)
                ):
                    return bool(exits(node.body) & {END, CONTINUE})
        return item.asname is None

    def _report(self, node: cst.Call, limit: str, asked: cst.BaseExpression) -> None:
        certain = self._is_generator(asked, self.function_of(node))
        if not certain:
            return
        spoilt = self._spoilt(asked)
        self.report(
            node,
            f"The first time-out of {limit} cancels {code_of(asked, 40)} itself: the next item is asked of an ended generator, "
            f"so the rest of the answer is lost with a clean end and nothing in the log{spoilt.clause}. "
            "Keep one task for the next item and poll it with asyncio.wait({task}, timeout=…), or read from a queue.",
            confidence=certain,
            related=spoilt.places,
        )

    def _spoilt(self, asked: cst.BaseExpression) -> Poison:
        """What the cut does to the thread of the graph behind the generator."""
        for value in self.values_of(asked):
            if value.function is not None:
                return poison_of_generator(self.facts, value.function)
        made = self._made(asked)
        return poison_of_run(self.facts, runnable_call(self.facts, made, self.module)) if made is not None else Poison()

    def _is_generator(self, node: cst.BaseExpression, function: Function | None) -> str:
        """How sure it is that an expression is an async generator on the way of a stream; empty when nothing says so."""
        fed = function is not None and self.facts.streams.is_fed_by(function)
        for value in self.values_of(node):
            inner = value.function
            streams = fed or (inner is not None and next(sources(self.facts, inner), None) is not None)
            if value.kind == Kind.ASYNC_GENERATOR and streams:
                return Confidence.HIGH if value.function or value.inner else Confidence.MEDIUM
            if model_stream(self.facts, value):
                return Confidence.HIGH
        made = self._made(node)
        call = runnable_call(self.facts, made, self.module, BY_NAME) if made is not None else None
        return Confidence.MEDIUM if call is not None and call.kind == "async-generator" else ""

    def _made(self, node: cst.BaseExpression) -> cst.Call | None:
        """The call behind ``x.__aiter__()``, ``aiter(x)`` and names assigned once."""
        current: cst.CSTNode | None = node
        for _ in range(4):
            if isinstance(current, cst.Name):
                holder = self.module.scope_at(current).holder_of(current.value)
                bindings = holder.bindings[current.value] if holder is not None else []
                current = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "assign" else None
            elif isinstance(current, cst.Call) and called_name(current) == "__aiter__":
                current = current.func.value if isinstance(current.func, cst.Attribute) else None
            elif isinstance(current, cst.Call) and called_name(current) == "aiter" and current.args:
                current = current.args[0].value
            else:
                break
        return current if isinstance(current, cst.Call) else None


def _next_of(node: cst.CSTNode | None) -> cst.BaseExpression | None:
    """``g`` in ``g.__anext__()``, ``g.asend(None)`` and ``anext(g)``."""
    if not isinstance(node, cst.Call):
        return None
    if isinstance(node.func, cst.Attribute) and node.func.attr.value in ("__anext__", "asend"):
        return node.func.value
    return (
        node.args[0].value if isinstance(node.func, cst.Name) and called_name(node) == "anext" and node.args else None
    )
