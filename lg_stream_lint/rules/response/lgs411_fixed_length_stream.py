"""A streamed response promises a length, or no body at all.

## What it does
Reports a `Content-Length` header or the status 204 on a streaming response with events or a model's output, and a middleware
that changes a body and copies all headers of the old response to the new one.

## Why it cuts the stream
Nobody knows how long an answer will be. The server ends the connection when the length does not hold (`Response content
longer than Content-Length`): the client gets a part of the answer. With the status 204 it gets none.

## Example
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no", "Content-Length": "1024"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet: take the header, or the status, away.

## Limits
Files and other downloads may know their length and are silent. A middleware that passes each chunk on as it is keeps the
length right, and is silent too.

## Evidence
`fixtures/LGS411/evidence.yaml`.

## References
- <https://www.rfc-editor.org/rfc/rfc9110#name-content-length>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.keywords import Keyword
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import called_name, walk_same_scope
from lg_stream_lint.rules.base import PythonRule

_LENGTH = "content-length"


class FixedLengthStream(PythonRule):
    """Looks at the length and status of each streaming response."""

    independent_of_async = True
    severity = Severity.ERROR
    in_tests = False
    place = (("@responses",),)
    evidence = (("ontent-", "204", ".headers"),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            if stream.call is None or stream.content is None:
                continue
            headers = self.facts.responses.headers(stream)
            if self._copies_length(stream):
                self.report(
                    stream.call,
                    "This passes on every header of the old response, Content-Length among them, for a body of another length: "
                    "the server cuts the answer. Leave Content-Length out.",
                    confidence=Confidence.MEDIUM,
                )
            elif headers.has(_LENGTH) and self.facts.responses.is_token_stream(stream):
                self.report(
                    stream.call,
                    "This stream promises a Content-Length that it cannot know: the server cuts the answer where the length "
                    "ends, or the client waits for the rest. Remove the header.",
                )
            elif self._is_without_body(stream) and self.facts.responses.is_token_stream(stream):
                self.report(
                    stream.call,
                    "The status 204 says that there is no body: nothing of this stream reaches the client. Use 200.",
                )

    def _is_without_body(self, stream: Stream) -> bool:
        for name in ("status_code", "status"):
            given = self.facts.responses.argument(stream, name)
            if given is not None and self._is_204(given):
                return True
        return False

    def _is_204(self, given: Keyword) -> bool:
        if isinstance(given.node, cst.Integer):
            return given.node.value == "204"
        values = self.facts.infer.of(given.node, given.module)
        return bool(values) and all(
            v.name.endswith((".HTTP_204_NO_CONTENT", ".NO_CONTENT"))
            or (isinstance(v.node, cst.Integer) and v.node.value == "204")
            for v in values
        )

    def _copies_length(self, stream: Stream) -> bool:
        """Whether a middleware gives a body that it changes all headers of the response that it got."""
        call = stream.call
        function = self.function_of(call) if call is not None else None
        if function is None or "middleware" not in self.facts.functions.marks(function):
            return False
        given = self.facts.responses.argument(stream, "headers")
        if given is None or not _is_all_headers(given.node) or self._removes_length(function):
            return False
        links = self.facts.streams.links(stream)
        return bool(links) and not all(_passes_unchanged(link.function) for link in links)

    def _removes_length(self, function: Function) -> bool:
        return any(
            isinstance(node, cst.SimpleString) and _LENGTH in node.value.lower()
            for node in walk_same_scope(function.node)
        )


def _is_all_headers(node: cst.BaseExpression) -> bool:
    """``response.headers``, or a copy of it as a dict."""
    if (
        isinstance(node, cst.Call)
        and called_name(node) in ("dict", "MutableHeaders", "Headers")
        and len(node.args) == 1
    ):
        return _is_all_headers(node.args[0].value)
    return isinstance(node, cst.Attribute) and node.attr.value == "headers"


def _passes_unchanged(function: Function) -> bool:
    """Whether a generator yields only what its loops give."""
    names = {loop.target.value for loop in function.loops if isinstance(loop.target, cst.Name)}
    return all(isinstance(y.value, cst.Name) and y.value.value in names for y in function.yields)
