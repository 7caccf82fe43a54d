"""A stream generator yields inside a cancel scope, task group or context that belongs to one task.

## What it does
Reports task groups, cancel scopes, time-outs and MCP clients that a generator of a response keeps open across a `yield`, and
`ContextVar.reset` after one.

## Why it cuts the stream
A generator can be closed by another task than the one that began it: when the one around it stops early, or the garbage
collector finds it. Leaving the scope there raises
`RuntimeError: Attempted to exit cancel scope in a different task than it was entered in`. A scope that strikes while the
generator is suspended cancels the response that is sending, not the generator; and a `ContextVar` token
`was created in a different Context`. asyncio's own scopes do not ask which task leaves them: a time-out only strikes the
wrong one, and a `TaskGroup` turns the closing of the generator into `unhandled errors in a TaskGroup`.

## Example
```python
import anyio
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 1)
        yield 'data: {"token": "a"}\\n\\n'


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import asyncio

import anyio
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def work(tokens: asyncio.Queue):
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 1)
            await tokens.put("a")
    finally:
        tokens.put_nowait(None)


async def frames():
    tokens: asyncio.Queue = asyncio.Queue()
    worker = asyncio.create_task(work(tokens))
    try:
        while (token := await tokens.get()) is not None:
            yield f"data: {len(token)}\\n\\n"
    finally:
        worker.cancel()


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None: the work inside the scope moves to a task of its own, which fills a queue that the generator reads.

## Limits
Scopes behind the project's own context managers are not followed. Time-outs below 300 s around a loop are LGS307's.

## Evidence
`fixtures/LGS309/evidence.yaml`.

## References
- <https://anyio.readthedocs.io/en/stable/cancellation.html#avoiding-cancel-scope-stack-corruption>
- <https://peps.python.org/pep-0789/>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import called_name, walk_same_scope
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import PythonRule

_GROUP = "asyncio task group"
_TIME_OUT = "time-out"
#: What happens, by the kind of scope. asyncio's own scopes may be left by another task; anyio's raise.
_HARM = {
    _GROUP: (
        'when the stream is left early, closing the generator raises "unhandled errors in a TaskGroup", and the failure of one '
        "of its tasks cancels whoever is sending"
    ),
    _TIME_OUT: (
        "when it strikes while a chunk is being sent, it cancels the response and not the generator, whose handlers see "
        "no TimeoutError"
    ),
}
_ANY_HARM = (
    'when the stream is left early, another task closes the generator and Python raises "Attempted to exit cancel scope in a '
    'different task", and a cancellation of the scope hits whoever is sending'
)
#: What must be left by the task that entered it, and what it is called in a message.
_SCOPES = {
    "anyio.create_task_group": "task group",
    "anyio.CancelScope": "cancel scope",
    "anyio.move_on_after": "cancel scope",
    "anyio.move_on_at": "cancel scope",
    "anyio.fail_after": "cancel scope",
    "anyio.fail_at": "cancel scope",
    "asyncio.TaskGroup": _GROUP,
    "asyncio.timeout": _TIME_OUT,
    "asyncio.timeout_at": _TIME_OUT,
    "async_timeout.timeout": _TIME_OUT,
    "mcp.ClientSession": "MCP session (a task group inside)",
    "mcp.client.session.ClientSession": "MCP session (a task group inside)",
    "mcp.client.streamable_http.streamablehttp_client": "MCP client (a task group inside)",
    "mcp.client.streamable_http.streamable_http_client": "MCP client (a task group inside)",
    "mcp.client.sse.sse_client": "MCP client (a task group inside)",
    "mcp.client.stdio.stdio_client": "MCP client (a task group inside)",
    "mcp.stdio_client": "MCP client (a task group inside)",
}
_VARIABLE = "contextvars.ContextVar"


class YieldInCancelScope(PythonRule):
    """Looks at what stream generators keep open across a yield."""

    independent_of_async = True
    in_tests = False
    loses_to = ("LGS307",)
    place = (
        ("@feeding",),
        ("TaskGroup", "task_group", "CancelScope", "move_on", "fail_a", "timeout", "_client", "ClientSession", "reset"),
    )

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one generator function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_generator:
            return
        scopes = [
            (item, what)
            for block in function.withs
            if any(isinstance(n, cst.Yield) for n in walk_same_scope(block.body))
            for item in block.items
            if (what := self._scope(item))
        ]
        resets = [call for call in function.calls if self._is_reset(call, function)]
        if not (scopes or resets) or not self.facts.streams.is_fed_by(function):
            return
        for item, what in scopes[:1]:
            self.report(
                item.item,
                f"{function.name}() yields inside this {what}: {_HARM.get(what, _ANY_HARM)}. "
                "Run what is inside in a task of its own that fills a queue, and yield from that.",
            )
        for call in resets[:1]:
            self.report(
                call,
                f'{function.name}() resets a ContextVar after it has yielded: where another context resumes or closes it, "'
                'was created in a different Context" ends the stream. '
                "Set the variable in the handler, or pass the value on as an argument.",
            )

    def _scope(self, item: cst.WithItem) -> str:
        """What kind of scope a context manager is; empty for other ones, and for those that only shield."""
        if not isinstance(item.item, cst.Call):
            return ""
        for value in self.values_of(item.item.func):
            if value.kind == Kind.EXTERNAL and value.name in _SCOPES:
                return _SCOPES[value.name]
        return ""

    def _is_reset(self, call: cst.Call, function: Function) -> bool:
        """Whether a call resets a context variable that the same generator has set."""
        if called_name(call) != "reset" or not self._is_variable(call):
            return False
        return any(called_name(other) == "set" and self._is_variable(other) for other in function.calls)

    def _is_variable(self, call: cst.Call) -> bool:
        func = call.func
        return isinstance(func, cst.Attribute) and any(
            value.kind == Kind.INSTANCE and value.name == _VARIABLE for value in self.values_of(func.value)
        )
