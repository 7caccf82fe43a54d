"""A token stream does not ask proxies not to buffer it.

## What it does
Reports a streaming response with events or a model's output whose headers hold no `X-Accel-Buffering: no`.

## Why it cuts the stream
nginx, and much that is built on it, buffers what it proxies unless the response says otherwise. Locally every token is
seen at once; behind the proxy nothing comes for a long time, and then everything together.

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
    return StreamingResponse(frames(), media_type="text/event-stream")
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
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet: add the header.

## Limits
Headers are followed into constants, helpers, other modules, `response.headers[…]`, response classes and middleware of the
project; where they cannot be followed the rule is silent. It is silent, too, where a proxy on every resolved way to this
application turns buffering off, and advice where those in sight do not buffer by themselves (ingress-nginx, HAProxy). Of two
nginx in a row the inner one takes the header away (LGS605).
Handlers that yield themselves are not judged.

## Evidence
`fixtures/LGS406/evidence.yaml`.

## References
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.around import proxies_buffer
from lg_stream_lint.python.responses import EVENT_STREAM
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.summary import routes_of
from lg_stream_lint.python.unbuffered import asks_for_no_buffering
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import PythonRule

_FRAMINGS = frozenset({"raw", "fastapi-sse-marker"})


class BufferingHeaderMissing(PythonRule):
    """Looks for the header of each token stream."""

    independent_of_async = True
    in_tests = False
    loses_to = ("LGS401", "LGS402", "LGS408")
    place = (("@responses",),)
    evidence = (("yield", "stream"),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            row = stream.row
            if stream.call is None or row is None or row.unbuffered or row.framing not in _FRAMINGS:
                continue
            if self._is_buffered(stream):
                self._report(stream, stream.call)

    def _is_buffered(self, stream: Stream) -> bool:
        responses = self.facts.responses
        if stream.content is None or self._is_finished(stream.content):
            return False
        if asks_for_no_buffering(self.facts, stream) is not False or not responses.is_token_stream(stream):
            return False
        return not responses.never_awaited(stream)

    def _is_finished(self, content: cst.BaseExpression) -> bool:
        """Whether the content is a text or another thing that is there already: nothing to hold back."""
        values = self.values_of(content)
        return bool(values) and all(value.kind == Kind.LITERAL for value in values)

    def _report(self, stream: Stream, call: cst.Call) -> None:
        handler = stream.handler or self.module.function_at(call)
        routes = tuple(routes_of(handler)) if handler is not None else ()
        proxies = proxies_buffer(self.project, self.module.path, routes)
        if proxies == "off":
            return
        what = "events" if self.facts.responses.media_type(stream) == EVENT_STREAM else "tokens"
        self.report(
            call,
            f"This stream of {what} is sent without X-Accel-Buffering: no, so an nginx on the way may buffer it: everything "
            'then arrives at once, at the end. Add headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}.',
            severity=Severity.INFO if proxies == "never" else None,
        )
