"""A resource that the stream needs is closed before the stream begins.

## What it does
Reports a response that is returned inside `with`, `async with` or `try … finally: close()`, when its generator uses what that
block closes: an HTTP client or its response, an SDK client, a checkpointer, an MCP session, a file, a database
connection, or a graph that was compiled on one. A factory that returns a graph compiled on what its own block closes is
reported too, and a `yield` dependency where FastAPI closes it before the body is sent.

## Why it cuts the stream
`return` leaves the block, and only then the server asks the generator for its first chunk. The client gets HTTP 200 and an
empty, cut body (`incomplete chunked read`); the log says `Cannot send a request, as the client has been closed`,
`the connection is closed`, `Session is closed`, `threads can only be started once` or `I/O operation on closed file`.

## Example
```python
import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames(client: httpx.AsyncClient):
    async with client.stream("GET", "http://model/answer", timeout=60) as answer:
        async for line in answer.aiter_lines():
            yield f"{line}\\n"


@app.get("/chat")
async def chat():
    async with httpx.AsyncClient() as client:
        return StreamingResponse(frames(client), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    async with httpx.AsyncClient() as client:
        async with client.stream("GET", "http://model/answer", timeout=60) as answer:
            async for line in answer.aiter_lines():
                yield f"{line}\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Fix
None: open the resource inside the generator, or in the application's lifespan.

## Limits
Only resources that are known to be dead once closed. SQLAlchemy sessions, `requests.Session` and Redis clients connect again,
and locks, time-outs and spans hold nothing that the stream could miss. What a class of the project closes in its own
`__aexit__` is not followed. `yield` dependencies are judged for FastAPI 0.106.0 to 0.117.1 and for
`Depends(…, scope="function")`; with an unknown version only the latter.

## Evidence
`fixtures/LGS305/evidence.yaml`: clients, a checkpointer and a file that are closed too early, and their repairs. The order of
`yield` dependencies was run on FastAPI 0.105.0, 0.106.0, 0.110.3, 0.117.1, 0.118.0, 0.121.0, 0.135.0 and 0.165.0.

## References
- <https://fastapi.tiangolo.com/advanced/advanced-dependencies/#dependencies-with-yield-httpexception-except-and-background-tasks>
- <https://www.python-httpx.org/async/#streaming-responses>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.dependencies import closes_early, injected
from lg_stream_lint.python.poisoning import Poison, poison_of_generator
from lg_stream_lint.python.resources import QUIET, Closing, closed_around
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.uses import Uses
from lg_stream_lint.rules.base import Place, PythonRule


class ResourceClosedBeforeStream(PythonRule):
    """Asks what is closed around each streamed response, and whether the stream uses it."""

    severity = Severity.ERROR
    independent_of_async = True
    loses_to = ("LGS401", "LGS403")
    in_tests = False
    place = (("with", "finally", "Depends"), ("return",))
    evidence = (("@responses", "langgraph", "langchain"),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            if stream.call is None or stream.content is None:
                continue
            function = self.function_of(stream.call)
            if function is None or function.is_generator:
                continue
            if not self._closed_by_block(stream, stream.call, function):
                self._closed_by_dependency(stream, stream.call, function)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge factories: functions that return a graph or chain from inside a block."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or function.is_generator or not function.withs:
            return
        for ret in function.returns:
            if ret.value is None or not any(v.is_runnable or v.role == "builder" for v in self.values_of(ret.value)):
                continue
            for closing in closed_around(self.facts, ret, function):
                if Uses(self.facts, function, closing.name).reach(ret.value):
                    self._say_factory(ret, closing, function)
                    break

    # Responses

    def _closed_by_block(self, stream: Stream, call: cst.Call, function: Function) -> bool:
        for closing in closed_around(self.facts, call, function):
            if not Uses(self.facts, function, closing.name).reach(stream.content):
                continue
            spoilt = self._spoilt(stream, closing)
            seen = f'the log says "{closing.error}"' if closing.error else ""
            end = f"every answer fails before its first token, after HTTP 200{f' ({seen})' if seen else ''}"
            if closing.error == QUIET:
                end = f"the client gets HTTP 200 and an empty body, and {QUIET}"
            self.report(
                self._return_of(call),
                f"The {closing.what} that this stream uses is closed when this function returns, before the first chunk is "
                f"read: {end}{spoilt.clause}. Open it inside the generator{self._name_of(stream)}, or in the application's "
                "lifespan.",
                related=[Place(closing.module, closing.node, "it is opened, and closed, here"), *spoilt.places],
            )
            return True
        return False

    def _spoilt(self, stream: Stream, closing: Closing) -> Poison:
        """What the failure does to the graph's thread: only tools fail after a checkpoint; a dead saver or client, before any."""
        links = self.facts.streams.links(stream) if closing.tools else []
        return next(
            (found for link in links if (found := poison_of_generator(self.facts, link.function)).clause), Poison()
        )

    def _closed_by_dependency(self, stream: Stream, call: cst.Call, function: Function) -> None:
        for found in injected(self.facts, function):
            why = closes_early(self.facts, self.module, found.call)
            if not why or not Uses(self.facts, function, found.parameter.name).reach(stream.content):
                continue
            closing = self._held_by(found.function)
            if closing is None:
                continue
            seen = f' (the log says "{closing.error}")' if closing.error else ""
            self.report(
                self._return_of(call),
                f"{why}: the {closing.what} from {found.function.name}() is dead when the stream uses it, and every "
                f"answer fails before its first token, after HTTP 200{seen}. Open it inside the generator{self._name_of(stream)}.",
                related=[Place(found.function.module, found.function.node, "the dependency")],
            )
            return

    def _held_by(self, dependency: Function) -> Closing | None:
        """What a dependency yields, when its own block closes it."""
        for node in dependency.yields:
            if isinstance(node.value, cst.BaseExpression):
                for closing in closed_around(self.facts, node, dependency):
                    if Uses(self.facts, dependency, closing.name).reach(node.value):
                        return closing
        return None

    def _return_of(self, call: cst.Call) -> cst.CSTNode:
        """The `return` that hands the response over: the one it stands in, or that of the name that holds it."""
        for parent in self.module.ancestors(call):
            if isinstance(parent, cst.Return):
                return parent
            if isinstance(parent, cst.Assign) and isinstance(parent.targets[0].target, cst.Name):
                name = parent.targets[0].target.value
                function = self.function_of(call)
                for ret in function.returns if function is not None else ():
                    if isinstance(ret.value, cst.Name) and ret.value.value == name:
                        return ret
            if isinstance(parent, (cst.SimpleStatementLine, cst.FunctionDef)):
                break
        return call

    def _name_of(self, stream: Stream) -> str:
        links = self.facts.streams.links(stream)
        return f" {links[-1].function.name}()" if links else ""

    # Factories

    def _say_factory(self, ret: cst.Return, closing: Closing, function: Function) -> None:
        seen = f' ("{closing.error}")' if closing.error else ""
        self.report(
            ret,
            f"{function.name}() returns something that works through the {closing.what} which its own block closes on the "
            f"way out: every run of it fails at once, a stream after HTTP 200{seen}. "
            "Make this function an async context manager that yields it, or open it in the application's lifespan.",
            related=[Place(closing.module, closing.node, "it is opened, and closed, here")],
        )
