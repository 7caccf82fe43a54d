"""A handler swallows the cancellation that should end the stream, and the code goes on.

## What it does
Reports `except:`, `except BaseException`, `except CancelledError` and `except GeneratorExit` around an `await` or `yield`, in
stream generators, handlers that stream, async nodes and tools, when they do not raise on and more work can follow.

## Why it cuts the stream
A client that leaves, `asyncio.timeout`, a task group and the server's shutdown all stop code by raising `CancelledError` in
it. Swallowed, the work goes on as if nothing had happened: answers that nobody reads are paid for, a loop turns without
end, `Waiting for connections to close` stays in the log, and a closed generator raises
`RuntimeError: async generator ignored GeneratorExit`.

## Example
```python
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
tokens: asyncio.Queue[str] = asyncio.Queue()


async def frames():
    while True:
        try:
            token = await tokens.get()
        except asyncio.CancelledError:
            continue
        yield f"data: {len(token)}\\n\\n"


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
        try:
            token = await tokens.get()
        except asyncio.CancelledError:
            print("the client has left")
            raise
        yield f"data: {len(token)}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet: end the handler with `raise`, or catch `Exception`, which a cancellation is not.

## Limits
Silent when the handler ends the function, when the `try` only waits for tasks (whose own cancellation arrives there too),
and when the handler raises anything or calls something that does. From langgraph 0.2.61 on, a run that streams `messages`
may go on after a disconnect all the same.

## Evidence
`fixtures/LGS302/evidence.yaml`.

## References
- <https://docs.python.org/3/library/asyncio-task.html#task-cancellation>
- <https://docs.python.org/3/reference/expressions.html#agen.aclose>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence
from lg_stream_lint.python.cancellation import Swallowed, role, swallowed
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.rules.base import PythonRule

_GOES_ON = {
    "turn": "the loop takes another turn",
    "await": "the code after it awaits on",
    "yield": "the generator yields on",
    "return": "the graph takes the return for a result",
}
_WHERE = {
    "node": "this node or tool",
    "step": "this helper of a node or tool",
    "generator": "this generator",
    "handler": "this handler",
    "helper": "this helper of a stream",
}


class CancellationSwallowed(PythonRule):
    """Looks at what can follow the handlers of functions on the way of a stream."""

    independent_of_async = True
    in_tests = False
    place = (("except",), ("except:", "BaseException", "CancelledError", "GeneratorExit"))
    evidence = (("@langchain", "@feeding", "@responses", "yield"),)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not (function.is_async or function.is_generator):
            return
        # Whether there is anything to report is cheaper to ask than what the function is.
        if next(swallowed(self.facts, function, "node"), None) is None:
            return
        as_role = role(self.facts, function)
        if as_role:
            for found in swallowed(self.facts, function, as_role):
                self._report(found, as_role)

    def _report(self, found: Swallowed, as_role: str) -> None:
        if found.closing:
            what = f"`{found.what}` swallows the closing of this generator, and {_GOES_ON[found.why]}"
            seen = 'when the client has left, Python raises "generator ignored GeneratorExit"'
        else:
            on = "its caller goes on" if (found.why, as_role) == ("return", "step") else _GOES_ON[found.why]
            what = f"`{found.what}` swallows the cancellation of {_WHERE[as_role]}, and {on}"
            seen = "when the client leaves, a time limit strikes or the server stops, the work runs on as if nothing had happened"
        self.report(
            found.handler,
            f"{what}: {seen}. End the handler with `raise`, or catch Exception instead.",
            confidence=Confidence.MEDIUM if as_role in ("step", "helper") else Confidence.HIGH,
        )
