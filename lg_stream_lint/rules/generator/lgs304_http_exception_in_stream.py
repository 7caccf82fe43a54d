"""An `HTTPException` is raised inside the stream, where it can no longer become a response.

## What it does
Reports `raise HTTPException(…)`, or the call of a helper that raises it, inside a generator that feeds a response; before its
first `yield` too.

## Why it cuts the stream
The status 200 is sent before the generator runs. The client gets an empty or cut body
(`peer closed connection without sending complete message body (incomplete chunked read)`) and never the 401 or 404; the
exception handlers do not run, and the log says `Caught handled exception, but response already started`.

## Example
```python
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames(question: str):
    if not question:
        raise HTTPException(status_code=422, detail="no question")
    yield f"data: {len(question)}\\n\\n"


@app.get("/chat")
async def chat(question: str = ""):
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(question), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames(question: str):
    yield f"data: {len(question)}\\n\\n"


@app.get("/chat")
async def chat(question: str = ""):
    if not question:
        raise HTTPException(status_code=422, detail="no question")
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(question), media_type="text/event-stream", headers=headers)
```

## Fix
None: whether the check moves into the handler or becomes an error event is for the author to say.

## Limits
Helpers are followed three calls deep. Silent when the handler asks the generator for its first item before it builds the
response, and when a generator on the way catches the exception. FastAPI's handlers that themselves yield are judged as
FastAPI 0.134 and newer stream them.

## Evidence
`fixtures/LGS304/evidence.yaml`.

## References
- <https://www.starlette.io/exceptions/>
- <https://fastapi.tiangolo.com/tutorial/handling-errors/>
"""

from __future__ import annotations

import re

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.escapes import Escape, escaping, http_exception, is_primed, reaches_response
from lg_stream_lint.python.poisoning import Poison, poison_of_run
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import argument, code_of
from lg_stream_lint.python.value import Value
from lg_stream_lint.rules.base import Place, PythonRule

_STATUS = re.compile(r"[45]\d\d")


class HttpExceptionInStream(PythonRule):
    """Asks, for each generator that feeds a response, which `HTTPException` can leave it."""

    severity = Severity.ERROR
    independent_of_async = True
    place = (("@feeding",),)
    evidence = (("HTTPException", "litestar.exceptions"),)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one generator function."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_generator:
            return
        feeding = [pair for pair in self.facts.streams.feeding(function) if self._has_begun(pair[0])]
        if not feeding:
            return
        for escape in escaping(self.facts, function):
            raised = http_exception(self.facts, escape.origin, escape.module)
            if raised is None:
                continue
            for stream, link in feeding:
                if reaches_response(self.facts, link, escape.node, raised) and not is_primed(self.facts, stream):
                    self._report(escape, raised, stream, self._spoilt(escape, function))
                    break

    def _spoilt(self, escape: Escape, function: Function) -> Poison:
        """What the cut does to the thread of a graph whose run it breaks off: one that is iterated around the place."""
        around = self.module.ancestors(escape.node)
        runs = (source.runnable for source in sources(self.facts, function) if source.node in around)
        return next((found for run in runs if (found := poison_of_run(self.facts, run)).clause), Poison())

    def _has_begun(self, stream: Stream) -> bool:
        """Whether the status is sent before the generator runs: not where an old FastAPI refuses a handler that yields."""
        if stream.handler is None:
            return True
        if "fastapi" not in self.facts.functions.frameworks(stream.handler):
            return False
        fact = self.versions.of("fastapi")
        return fact is None or fact.always(">=0.134.0") is not False

    def _report(self, escape: Escape, raised: Value, stream: Stream, spoilt: Poison) -> None:
        status = _status(escape.origin)
        never = f"never the {status}" if status else "never the error response"
        related = []
        if escape.path:
            what = f"{escape.path[0].name}() raises HTTPException inside the stream"
            related.append(Place(escape.module, escape.origin, "raised here"))
        else:
            name = raised.cls.name if raised.cls is not None else raised.name.rpartition(".")[2]
            what = f"{name} is raised inside the stream"
        if stream.call is not None and stream.module is not self.module:
            related.append(Place(stream.module, stream.call, "the response that is fed from here"))
        self.report(
            escape.node,
            f"{what}, when HTTP 200 is already sent: the client gets an empty or cut body and {never}{spoilt.clause}. "
            "Check before the response is built (in the handler's body or a dependency), or yield an error event and return.",
            related=[*related, *spoilt.places],
        )


def _status(node: cst.Raise) -> str:
    """The status code that a `raise` names, when it is written there."""
    if not isinstance(node.exc, cst.Call):
        return ""
    given = argument(node.exc, "status_code", 0)
    found = _STATUS.search(code_of(given)) if isinstance(given, (cst.Integer, cst.Attribute, cst.Name)) else None
    return found.group() if found else ""
