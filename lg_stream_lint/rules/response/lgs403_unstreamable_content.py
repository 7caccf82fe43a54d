"""A streaming response is given something that it cannot stream.

## What it does
Reports a `StreamingResponse` (or kin) around a generator function that was not called, a coroutine, a finished dict or
string, or items that are neither `str` nor `bytes`: `graph.astream()` itself, or a generator that yields dicts, lists,
numbers, `None` or message objects. sse-starlette's response is reported for dicts with keys other than its own.

## Why it cuts the stream
The status 200 is already sent when the first item fails (`'dict' object has no attribute 'encode'`, `'coroutine' object is
not iterable`): the client gets an empty or half answer and a cut connection. A plain string goes out as one chunk for
each character, a dict as its keys.

## Example
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield {"token": "a"}


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield json.dumps({"token": "a"}) + "\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"})
```

## Fix
None yet: call the generator function, await the coroutine, or encode each item.

## Limits
Only what is literally wrong: the type of a variable that cannot be resolved is not guessed. Chains that end in
`StrOutputParser`, streams of the mode `custom`, and subclasses of the response class are silent.

## Evidence
`fixtures/LGS403/evidence.yaml`.

## References
- <https://www.starlette.io/responses/#streamingresponse>
- <https://github.com/sysid/sse-starlette>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.knowledge import Response
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import argument, code_of, string_value
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import Place, PythonRule

_ASGI = frozenset({"starlette", "fastapi", "sse-starlette", "sse_starlette"})
_EVENT_KEYS = frozenset({"data", "event", "id", "retry", "comment", "sep"})
#: What to yield to sse-starlette.
_EVENT = '{"data": json.dumps(…)}'
_FOREIGN_DICTS = "dicts with other keys than data, event, id and retry"
_WRONG_ITEMS: dict[type[cst.CSTNode], str] = {
    cst.Dict: "a dict",
    cst.DictComp: "a dict",
    cst.List: "a list",
    cst.ListComp: "a list",
    cst.Tuple: "a tuple",
    cst.Set: "a set",
    cst.Integer: "a number",
    cst.Float: "a number",
}


class UnstreamableContent(PythonRule):
    """Looks at the content of each streaming response, and at the items of the generators that feed one."""

    independent_of_async = True
    severity = Severity.ERROR
    loses_to = ("LGS209", "LGS408")
    place = (("@responses", "@feeding"),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            if stream.call is not None and stream.content is not None and stream.row is not None:
                self._content(stream, stream.call, stream.content, stream.row)

    # The content

    def _content(self, stream: Stream, call: cst.Call, content: cst.BaseExpression, row: Response) -> None:
        if row.framework not in _ASGI or (stream.class_value is not None and stream.class_value.kind == Kind.CLASS):
            return
        problems = [self._problem(value, content, row) for value in self.values_of(content)]
        if problems and problems[0] is not None and None not in problems:
            what, instead = problems[0]
            self.report(call, f"{row.path.rpartition('.')[2]} gets {what}. {instead}.")

    def _problem(self, value: Value, content: cst.BaseExpression, row: Response) -> tuple[str, str] | None:
        """What is wrong with a content, and what to do; None when it can be streamed (or nobody knows)."""
        text = code_of(content, 40)
        cut = "the client gets HTTP 200 and an empty, cut body"
        if value.kind == Kind.FUNCTION and value.function is not None:
            if row.takes_function:
                return None
            return f"the function {value.function.name}, not what it yields: {cut}", f"Call it: {text}()"
        if value.kind == Kind.COROUTINE:
            return f"a coroutine: {cut}", "Await it, or pass an async generator"
        if value.kind == Kind.LITERAL and value.name in ("str", "dict"):
            return _finished(value.name)
        if value.kind == Kind.INSTANCE and value.name == "builtins.str":
            return _finished("str")
        if (
            value.kind == Kind.RESULT
            and value.inner is not None
            and value.inner.role == "graph"
            and value.name.endswith("invoke")
        ):
            return _finished("dict")
        if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR):
            return self._runnable_stream(value, row)
        return None

    def _runnable_stream(self, value: Value, row: Response) -> tuple[str, str] | None:
        owner = value.inner
        if value.function is not None or owner is None or not owner.is_runnable or not isinstance(value.node, cst.Call):
            return None
        item = self._item(owner, value)
        # sse-starlette takes any object: what has no encoding of its own goes out as its repr. Only foreign dicts cut it.
        if not item or (row.framing == "sse-starlette" and item != _FOREIGN_DICTS):
            return None
        seen = "the first one ends the stream, after HTTP 200"
        if row.framing == "sse-starlette":
            return f"{value.name}() itself, which yields {item}: {seen}", f"Pass a generator that yields {_EVENT}"
        shown = "dicts" if item == _FOREIGN_DICTS else item
        return (
            f"{value.name}() itself, which yields {shown}, not str or bytes: {seen}",
            "Pass a generator that encodes each chunk",
        )

    def _item(self, owner: Value, value: Value) -> str:
        """What a runnable's stream yields, when that is known not to be text."""
        if value.name == "astream_events":
            return "event dicts"
        if owner.role == "model":
            return "message chunks"
        if owner.role == "chain":
            last = owner.inner
            return "message chunks" if last is not None and last.role == "model" else ""
        if owner.role != "graph" or not isinstance(value.node, cst.Call):
            return ""
        mode = argument(value.node, "stream_mode")
        literal = string_value(mode)
        if mode is None or literal in ("updates", "values", "debug", "tasks", "checkpoints"):
            return _FOREIGN_DICTS
        return "tuples" if literal == "messages" or isinstance(mode, cst.List) else ""

    # The items

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge the yields of a generator that a response iterates itself."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_generator:
            return
        rows = [
            stream
            for stream, link in self.facts.streams.feeding(function)
            if link.outer is None and stream.row is not None and stream.row.framework in _ASGI and not _own(stream)
        ]
        if not rows:
            return
        for item in function.yields:
            if isinstance(item.value, cst.From):
                continue
            wrong = [self._wrong_item(item.value, stream.row, function) for stream in rows if stream.row is not None]
            if all(wrong):
                self._say_item(item, wrong[0], rows[0])

    def _wrong_item(self, node: cst.BaseExpression | None, row: Response, function: Function) -> str:
        sse = row.framing == "sse-starlette"
        if row.framing not in ("raw", "sse-starlette"):
            return ""
        if node is None or (isinstance(node, cst.Name) and node.value == "None"):
            return "" if sse else "None"
        if sse:
            return self._wrong_event(node)
        kind = _WRONG_ITEMS.get(type(node))
        if kind:
            return kind
        if isinstance(node, cst.Call):
            func = node.func
            if isinstance(func, cst.Attribute) and func.attr.value in ("model_dump", "dict") and not node.args:
                return f"the dict of .{func.attr.value}()"
            return "a bytearray" if any(v.name == "builtins.bytearray" for v in self.values_of(func)) else ""
        if isinstance(node, (cst.Name, cst.Attribute)):
            values = self.values_of(node)
            if values and all(
                v.kind == Kind.LITERAL and v.name in ("dict", "list", "tuple", "int", "float") for v in values
            ):
                return f"a {values[0].name}"
            return self._loop_item(node, function)
        return ""

    def _wrong_event(self, node: cst.BaseExpression) -> str:
        if not isinstance(node, cst.Dict):
            return ""
        keys = [string_value(element.key) for element in node.elements if isinstance(element, cst.DictElement)]
        if len(keys) != len(node.elements) or any(key is None for key in keys):
            return ""
        other = [str(key) for key in keys if key not in _EVENT_KEYS]
        return f'a dict with the key "{other[0]}"' if other else ""

    def _loop_item(self, node: cst.BaseExpression, function: Function) -> str:
        """A loop variable over a runnable's stream, yielded as it came."""
        if not isinstance(node, cst.Name):
            return ""
        bindings = function.scope.bindings.get(node.value, [])
        if len(bindings) != 1 or bindings[0].kind not in ("for", "async-for") or bindings[0].node is None:
            return ""
        binding = bindings[0]
        for value in self.values_of(binding.node):  # type: ignore[arg-type]
            owner = value.inner
            if (
                value.kind not in (Kind.ASYNC_GENERATOR, Kind.GENERATOR)
                or value.function
                or owner is None
                or not owner.is_runnable
            ):
                continue
            if binding.path:
                mode = string_value(argument(value.node, "stream_mode")) if isinstance(value.node, cst.Call) else None
                return "a message chunk" if mode == "messages" and binding.path == (0,) else ""
            item = self._item(owner, value)
            shown = "dicts" if item == _FOREIGN_DICTS else item
            return f"a chunk of {value.name}() as it came ({shown})" if item else ""
        return ""

    def _say_item(self, item: cst.Yield, wrong: str, stream: Stream) -> None:
        name = stream.row.path.rpartition(".")[2] if stream.row is not None else "The response"
        related = [Place(stream.module, stream.call, "the response")] if stream.call is not None else []
        if stream.row is not None and stream.row.framing == "sse-starlette":
            takes, instead = "knows only the keys data, event, id and retry", f"Yield {_EVENT}"
        elif wrong == "None":
            takes, instead = "sends only str and bytes", "Leave it out"
        else:
            takes, instead = "sends only str and bytes", "Encode the item, for example with json.dumps()"
        self.report(
            item,
            f"This yields {wrong}, but {name} {takes}: the stream is cut here, after HTTP 200. {instead}.",
            related=related,
        )


def _own(stream: Stream) -> bool:
    return stream.class_value is not None and stream.class_value.kind == Kind.CLASS


def _finished(kind: str) -> tuple[str, str]:
    if kind == "str":
        what = "a finished string: it goes out as one chunk for each character"
        return what, "Pass a generator, or use PlainTextResponse"
    return "a finished dict: only its keys go out", "Pass a generator of str or bytes, or use JSONResponse"
