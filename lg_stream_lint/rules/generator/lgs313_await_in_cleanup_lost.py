"""What a stream generator awaits while it is being cancelled is cancelled again, and never done.

## What it does
Reports `await` in `finally`, or in a handler for `CancelledError` or `BaseException`, of a generator that feeds a response,
when nothing shields it: the answer that is saved there, the usage that is counted.

## Why it cuts the stream
When the client leaves, Starlette cancels the response's task, and goes on cancelling it at every `await` until it has ended.
What the clean-up awaits is cut off at once: after each disconnect the conversation is not saved, without a word in the log.
A stream that is read to its end does save, so it only happens in production.

## Example
```python
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def save(text: str):
    await asyncio.sleep(0.1)
    print("saved", text)


async def frames():
    try:
        yield 'data: {"token": "a"}\\n\\n'
    finally:
        await save("a")


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import anyio
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def save(text: str):
    await anyio.sleep(0.1)
    print("saved", text)


async def frames():
    try:
        yield 'data: {"token": "a"}\\n\\n'
    finally:
        with anyio.CancelScope(shield=True):
            await save("a")


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None: whether the work is shielded, handed to a background task or made synchronous is for the author to say.

## Limits
Only generators of responses that Starlette's way of cancelling reaches (FastAPI, Starlette, sse-starlette, Litestar). Calls
that close, release or wake something are silent, and so are waiting for a task, and coroutines of the project that wait for
nothing but an `asyncio.Lock`.

## Evidence
`fixtures/LGS313/evidence.yaml`.

## References
- <https://anyio.readthedocs.io/en/stable/cancellation.html#finalization>
- <https://docs.python.org/3/library/asyncio-task.html#shielding-from-cancellation>
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lg_stream_lint.python.cancellation import only_tidies_up
from lg_stream_lint.python.guards import exception_names
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import called_name, code_of, walk_same_scope
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule

_CLOSING = frozenset({"BaseException", "asyncio.CancelledError", "asyncio.exceptions.CancelledError", "CancelledError"})
#: The frameworks whose responses run in an anyio task group: its cancellation is repeated until the task has ended.
_REPEATING = frozenset({"starlette", "fastapi", "litestar"})
_PAUSES = frozenset({"sleep", "checkpoint"})
_LOCK = "asyncio.Lock"


class AwaitInCleanupLost(PythonRule):
    """Looks at what stream generators await in their clean-up."""

    in_tests = False
    place = (("@feeding",), ("finally", "except"))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one generator function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not (function.is_async and function.is_generator):
            return
        found = list(self._lost(function))
        if not found:
            return
        stream = next((s for s, _ in self.facts.streams.feeding(function) if self._repeats(s)), None)
        if stream is not None:
            for item, where in found:
                self._report(item, where, stream)

    def _repeats(self, stream: Stream) -> bool:
        if stream.row is not None:
            return stream.row.framework in _REPEATING
        return stream.handler is not None and not _REPEATING.isdisjoint(self.facts.functions.frameworks(stream.handler))

    def _lost(self, function: Function) -> Iterator[tuple[cst.Await, str]]:
        """The first lost `await` of each clean-up block, and which block that is."""
        for node in walk_same_scope(function.node):
            if isinstance(node, cst.Finally):
                where = "finally"
            elif isinstance(node, (cst.ExceptHandler, cst.ExceptStarHandler)):
                names = exception_names(self.facts, self.module, node)
                closing = next((name for name in names if name in _CLOSING), "")
                if not closing:
                    continue
                where = "except:" if node.type is None else f"except {closing.rpartition('.')[2]}"
            else:
                continue
            first = next((n for n in walk_same_scope(node.body) if self._is_lost(n, node)), None)
            if isinstance(first, cst.Await):
                yield first, where

    def _is_lost(self, node: cst.CSTNode, block: cst.CSTNode) -> bool:
        if not isinstance(node, cst.Await) or only_tidies_up(node.expression):
            return False
        call = node.expression
        if isinstance(call, cst.Call) and (
            called_name(call) in _PAUSES or self._shields(call) or self._never_suspends(call)
        ):
            return False
        parent = self.parent_of(node)
        while parent is not None and parent is not block:
            if isinstance(parent, cst.With) and any(self._is_shield(item.item) for item in parent.items):
                return False
            # A clean-up block inside this one speaks for itself.
            if isinstance(parent, (cst.Finally, cst.ExceptHandler, cst.ExceptStarHandler)):
                return False
            parent = self.parent_of(parent)
        return True

    def _never_suspends(self, call: cst.Call) -> bool:
        """Whether a coroutine of the project runs through without giving way: it awaits nothing, or only takes a free lock.

        A cancellation is delivered where a task waits. Taking an ``asyncio.Lock`` that nobody holds is no such place.
        """
        found = self.values_of(call.func)
        return bool(found) and all(
            value.kind == Kind.FUNCTION and value.function is not None and self._runs_through(value.function)
            for value in found
        )

    def _runs_through(self, function: Function) -> bool:
        if not function.is_async or function.is_generator:
            return False
        for node in walk_same_scope(function.node):
            if isinstance(node, cst.Await) or (
                isinstance(node, (cst.For, cst.CompFor)) and node.asynchronous is not None
            ):
                return False
            if isinstance(node, cst.With) and node.asynchronous is not None:
                locks = [self.facts.infer.of(item.item, function.module) for item in node.items]
                if not all(values and all(v.name == _LOCK for v in values) for values in locks):
                    return False
        return True

    def _shields(self, call: cst.Call) -> bool:
        """Whether a call is `shield(…)`, or waits for one."""
        if called_name(call) == "shield":
            return True
        return any(isinstance(arg.value, cst.Call) and self._shields(arg.value) for arg in call.args)

    @staticmethod
    def _is_shield(node: cst.BaseExpression) -> bool:
        """Whether a context manager is a cancel scope with `shield=True` (`CancelScope`, `move_on_after`, `fail_after`)."""
        return isinstance(node, cst.Call) and any(
            arg.keyword is not None
            and arg.keyword.value == "shield"
            and not (isinstance(arg.value, cst.Name) and arg.value.value == "False")
            for arg in node.args
        )

    def _report(self, node: cst.Await, where: str, stream: Stream) -> None:
        related = []
        if stream.call is not None and stream.module is not self.module:
            related.append(Place(stream.module, stream.call, "the response that is fed from here"))
        self.report(
            node,
            f"When the client leaves, `await {code_of(node.expression, 40)}` in `{where}` is cancelled again before it has done "
            "anything: what it saves is lost after every disconnect. "
            "Put it under `with anyio.CancelScope(shield=True):`, or hand it to a task of its own.",
            related=related,
        )
