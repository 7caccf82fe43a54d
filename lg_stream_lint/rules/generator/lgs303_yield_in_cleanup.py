"""A stream generator yields while it is being closed.

## What it does
Reports `yield` in `finally`, or in a handler for `GeneratorExit`, `CancelledError` or `BaseException`, of a generator that
feeds a response.

## Why it cuts the stream
That yield also runs after a failure, so a broken answer is marked complete (`[DONE]`). When the client has left, the
generator is closed, and Python raises `RuntimeError: async generator ignored GeneratorExit`.

## Example
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    try:
        yield 'data: {"token": "a"}\\n\\n'
    finally:
        yield "data: [DONE]\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield 'data: {"token": "a"}\\n\\n'
    yield "data: [DONE]\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet: yield the end marker after the loop, and the error event in `except Exception`.

## Limits
Only generators that feed a response or iterate a model. A yield in `finally` under an `if` that
asks a local flag is taken to be guarded. Context managers, fixtures, lifespans and dependencies are silent.

## Evidence
`fixtures/LGS303/evidence.yaml`.

## References
- <https://docs.python.org/3/reference/expressions.html#agen.aclose>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.guards import exception_names
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.syntax import walk_same_scope
from lg_stream_lint.rules.base import PythonRule

_CLOSING = frozenset(
    {"GeneratorExit", "BaseException", "asyncio.CancelledError", "asyncio.exceptions.CancelledError", "CancelledError"}
)


class YieldInCleanup(PythonRule):
    """Looks at what stands around each yield of a stream generator."""

    independent_of_async = True
    place = (("yield",), ("finally", "except"), ("@feeding", "stream", "aiter"))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one generator function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_generator:
            return
        found = [(item, where) for item in function.yields if (where := self._cleanup_around(item))]
        if found and self._is_stream(function):
            for item, where in found:
                self._report(item, where)

    def _is_stream(self, function: Function) -> bool:
        facts = self.facts
        marks = facts.functions.marks(function)
        if marks & {"dependency", "lifespan", "fixture", "startup"} or facts.functions.is_context_manager(function):
            return False
        return facts.streams.is_fed_by(function) or next(sources(facts, function), None) is not None

    def _cleanup_around(self, node: cst.Yield) -> str:
        """``finally`` or ``except X`` when the yield stands in one that runs on closing; empty otherwise."""
        guarded = False
        child: cst.CSTNode = node
        parent = self.parent_of(node)
        while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda)):
            if isinstance(parent, cst.If) and child is not parent.test:
                guarded = guarded or self._is_flag(parent.test, node)
            if isinstance(parent, cst.Finally):
                return "" if guarded else "finally"
            if isinstance(parent, (cst.ExceptHandler, cst.ExceptStarHandler)):
                names = exception_names(self.facts, self.module, parent)
                closing = next((name for name in names if name in _CLOSING), "")
                if closing:
                    return "except:" if parent.type is None else f"except {closing}"
            child, parent = parent, self.parent_of(parent)
        return ""

    def _is_flag(self, test: cst.BaseExpression, node: cst.Yield) -> bool:
        """Whether a test asks a local variable: a flag that is set when the stream has come to its end."""
        function = self.function_of(node)
        return function is not None and any(
            isinstance(name, cst.Name) and any(b.kind == "assign" for b in function.scope.bindings.get(name.value, ()))
            for name in walk_same_scope(test)
        )

    def _report(self, node: cst.Yield, where: str) -> None:
        raised = 'when the client has left, it raises "async generator ignored GeneratorExit"'
        if where == "finally":
            what = f"This yield in `finally` also runs after a failure, so a broken answer is marked complete; {raised}"
            instead = "Yield the end marker after the loop"
        else:
            what = f"This yield in `{where}` also runs when the stream is closed or cancelled"
            if where.endswith("CancelledError"):
                # A generator that is closed gets GeneratorExit, which this handler does not see.
                what += ": nobody reads what it sends, and the cancellation goes no further"
            else:
                what += f"; {raised}"
            instead = "Catch Exception instead, and let cancellation pass"
        self.report(node, f"{what}. {instead}.")
