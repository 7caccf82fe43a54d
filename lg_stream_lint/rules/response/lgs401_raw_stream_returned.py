"""A route returns a generator instead of a streaming response.

## What it does
Reports a route handler that returns a generator object, or `graph.astream()` itself: directly, through a variable or a
helper, inside a dict or tuple, or in a plain `Response`.

## Why it cuts the stream
An async generator gives HTTP 500 at once, in every version of FastAPI (`'async_generator' object is not iterable`). A
plain generator is collected into one JSON list on the event loop, even from a `def` route: tokens arrive all at once, at
the end. `response_class=StreamingResponse` on the decorator does not rescue a returned generator.

## Example
```python
from fastapi import FastAPI

app = FastAPI()


@app.get("/chat")
async def chat():
    async def frames():
        yield 'data: {"token": "a"}\\n\\n'

    return frames()
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/chat")
async def chat():
    async def frames():
        yield 'data: {"token": "a"}\\n\\n'

    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet: wrap the generator in `StreamingResponse`.

## Limits
Plain generators that carry no model output and no event text are silent: a JSON list may be what is wanted. So are
handlers behind a decorator of the project's own, which may build the response, and Flask and Quart views where their
framework streams what is returned.

## Evidence
`fixtures/LGS401/evidence.yaml`.

## References
- <https://fastapi.tiangolo.com/advanced/custom-response/#streamingresponse>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.syntax import argument
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import Place, PythonRule

_LISTS = frozenset({"list", "List", "Iterable", "Sequence"})


class RawStreamReturned(PythonRule):
    """Looks at what each route returns."""

    independent_of_async = True
    severity = Severity.ERROR
    place = (("return",), ("@", "route", "path("))
    in_tests = False
    evidence = (("yield", "stream"), ("fastapi", "starlette", "litestar", "flask", "quart", "django"))

    def visit_Return(self, node: cst.Return) -> None:
        """Judge one return of a handler."""
        if node.value is None:
            return
        function = self.function_of(node)
        if function is None or function.is_generator:
            return
        value, inside = self._stream_in(node.value)
        functions = self.facts.functions
        if value is None or functions.is_test(function) or not functions.is_handler(function):
            return
        if (
            "websocket" in self.facts.functions.marks(function)
            or self._is_served(function, value)
            or self._may_be_wrapped(function)
        ):
            return
        if value.kind == Kind.GENERATOR and not self._carries_stream(value, function):
            return
        self._report(node, function, value, inside)

    def _stream_in(self, node: cst.BaseExpression) -> tuple[Value | None, str]:
        """The generator in what is returned, and what it is packed in."""
        found = self._generator(node)
        if found is not None:
            return found, ""
        if isinstance(node, cst.Dict):
            for element in node.elements:
                found = self._generator(element.value)
                if found is not None:
                    return found, "a dict"
        if isinstance(node, cst.Tuple):
            for item in node.elements:
                found = self._generator(item.value)
                if found is not None:
                    return found, "a tuple"
        if isinstance(node, cst.Call):
            response = self.facts.streams.response(node, self.module)
            if response is not None and not response[0].streams:
                row = response[0]
                content = argument(node, row.content, row.position if row.position >= 0 else None)
                found = self._generator(content) if content is not None else None
                if found is not None:
                    return found, row.path.rpartition(".")[2]
        return None, ""

    def _generator(self, node: cst.BaseExpression) -> Value | None:
        values = self.values_of(node)
        if not values or any(v.kind not in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) for v in values):
            return None
        value = values[0]
        known = value.function is not None or (value.inner is not None and value.inner.is_runnable)
        return value if known else None

    def _is_served(self, function: Function, value: Value) -> bool:
        """Whether the framework streams what this handler returns: Flask plain generators, Quart async ones."""
        frameworks = self.facts.functions.frameworks(function)
        if "quart" in frameworks:
            return True
        return "flask" in frameworks and value.kind == Kind.GENERATOR

    def _may_be_wrapped(self, function: Function) -> bool:
        """Whether a decorator of the project may turn the generator into a response."""
        for decorator in function.decorators:
            target = decorator.func if isinstance(decorator, cst.Call) else decorator
            for value in self.values_of(target):
                if value.kind in (Kind.FUNCTION, Kind.CLASS, Kind.CONTEXT):
                    return True
        return False

    def _carries_stream(self, value: Value, handler: Function) -> bool:
        """Whether a plain generator holds model output or event text, and the route does not ask for a list."""
        annotation = handler.returned_annotation
        models = [annotation] if annotation is not None else []
        for decorator in handler.decorators:
            if isinstance(decorator, cst.Call):
                model = argument(decorator, "response_model")
                models += [model] if model is not None else []
        for model in models:
            head = model.value if isinstance(model, cst.Subscript) else model
            if any(value.name.rpartition(".")[2] in _LISTS for value in self.values_of(head)):
                return False
        if value.function is None:
            return True
        return (
            next(sources(self.facts, value.function), None) is not None
            or self.facts.frames.yields_frames(value.function) is not None
        )

    def _report(self, node: cst.Return, function: Function, value: Value, inside: str) -> None:
        what = f"{value.function.name}()" if value.function is not None else f"{value.name}()"
        packed = f" inside {inside}" if inside else ""
        if value.kind == Kind.ASYNC_GENERATOR or inside:
            seen = "the request fails with HTTP 500 at once"
        else:
            seen = "everything is collected into one JSON list on the event loop and arrives all at once at the end"
        related = []
        if value.function is not None and value.function.module is not self.module:
            related.append(Place(value.function.module, value.function.node, "the generator"))
        self.report(
            node,
            f"{function.name}() returns the generator {what}{packed}, not a response: {seen}. "
            "Return StreamingResponse(…) around it.",
            related=related,
        )
