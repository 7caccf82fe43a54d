"""An HTTP client reads a stream with a limit that cuts it, or with none.

## What it does
Reports a call that reads a stream (`httpx.stream`, `client.stream`, `send(stream=True)`, httpx-sse, `requests` with
`stream=True`, aiohttp's `response.content`) when neither the call nor its client is given a time limit, or `None`.

## Why it cuts the stream
httpx waits 5 s for the next byte unless told otherwise: a model that thinks or a tool that runs ends the stream with
`ReadTimeout` in mid-answer. aiohttp ends the whole response after 300 s (`TimeoutError`), however fast the tokens come.
`requests`, and `None` anywhere, have no limit: when the other side dies without a word, the stream hangs for ever.

## Example
```python
import httpx


async def lines(url: str):
    async with httpx.AsyncClient() as client, client.stream("GET", url) as answer:
        async for line in answer.aiter_lines():
            yield line
```

## Use instead
```python
import httpx


async def lines(url: str):
    limit = httpx.Timeout(60, connect=5)
    async with httpx.AsyncClient(timeout=limit) as client, client.stream("GET", url) as answer:
        async for line in answer.aiter_lines():
            yield line
```

## Fix
None yet: pass a read limit of a minute or so, which limits each silence and not the answer: `httpx.Timeout(60, connect=5)`,
`aiohttp.ClientTimeout(total=None, sock_read=60)`, `timeout=(5, 60)` for `requests`.

## Limits
The client's construction must be found; a limit that is written but too short is not judged. Downloads into a file, clients of
an application in the same process (`ASGITransport`), and clients that are handed to an SDK are silent.

## Evidence
`fixtures/LGS110/evidence.yaml`: the model is silent for 6 s, or for good. aiohttp's default was read from its documentation.

## References
- <https://www.python-httpx.org/advanced/timeouts/>
- <https://docs.aiohttp.org/en/stable/client_quickstart.html#timeouts>
- <https://requests.readthedocs.io/en/latest/user/advanced/#timeouts>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.keywords import Keyword, keywords_of
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, positional, walk
from lg_stream_lint.python.uses import is_true
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import Place, PythonRule

_HTTPX = frozenset({"httpx.Client", "httpx.AsyncClient", "httpx2.Client", "httpx2.AsyncClient"})
_HTTPX_FUNCTIONS = frozenset({"httpx.stream", "httpx2.stream"})
_HTTPX_SSE = frozenset({"httpx_sse.connect_sse", "httpx_sse.aconnect_sse"})
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "request"})
_READING = frozenset({"content", "iter_any", "iter_chunked", "iter_chunks", "readline", "readany", "readchunk"})
_IN_PROCESS = ("ASGITransport", "WSGITransport", "MockTransport")
_SAVING = frozenset({"write", "write_bytes", "writelines", "copyfileobj"})
_DEFAULT, _NONE = "default", "none"

_ADVICE = {
    "httpx": "timeout=httpx.Timeout(60, connect=5)",
    "aiohttp": "timeout=aiohttp.ClientTimeout(total=None, sock_read=60)",
    "requests": "timeout=(5, 60)",
}


class StreamClientTimeout(PythonRule):
    """Looks at each call that reads a stream over HTTP."""

    independent_of_async = True
    in_tests = False
    place = (("stream", "connect_sse", "content", "readline"), ("(",))
    evidence = (("httpx", "aiohttp", "requests"),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one call."""
        name = called_name(node)
        if name not in ("stream", "send", "connect_sse", "aconnect_sse") and name not in _VERBS:
            return
        for value in self.values_of(node.func):
            library, client = self._reads(node, value)
            if library:
                if not self._is_download(node):
                    self._judge(node, library, client)
                return

    def _reads(self, node: cst.Call, value: Value) -> tuple[str, Value | None]:
        """The library whose stream a call reads, and the client whose method it is; empty for anything else."""
        if value.kind == Kind.EXTERNAL:
            if value.name in _HTTPX_FUNCTIONS:
                return "httpx", None
            if value.name in _HTTPX_SSE:
                args = positional(node)
                clients = [v for v in self.values_of(args[0]) if v.name in _HTTPX] if args else []
                return ("httpx", clients[0]) if clients else ("", None)
            owner, _, verb = value.name.rpartition(".")
            if owner in ("requests", "requests.api") and verb in _VERBS and is_true(argument(node, "stream")):
                return "requests", None
            return "", None
        owner_value = value.inner
        if value.kind != Kind.METHOD or owner_value is None or owner_value.kind != Kind.INSTANCE or owner_value.cls:
            return "", None
        if owner_value.name in _HTTPX and (
            value.name == "stream" or (value.name == "send" and is_true(argument(node, "stream")))
        ):
            return "httpx", owner_value
        if owner_value.name == "requests.Session" and is_true(argument(node, "stream")):
            return "requests", None  # a session has no limit of its own
        if owner_value.name == "aiohttp.ClientSession" and value.name in _VERBS and self._is_read_in_pieces(node):
            return "aiohttp", owner_value
        return "", None

    def _judge(self, node: cst.Call, library: str, client: Value | None) -> None:
        given = keywords_of(self.facts, node, self.module)
        if given.unknown or given.from_caller:
            return
        limit = given.given.get("timeout")
        related = []
        where = "this call"
        if limit is None and (client is not None):
            if not isinstance(client.node, cst.Call) or client.home is None:
                return
            built = keywords_of(self.facts, client.node, client.home)
            if built.unknown or built.from_caller or self._is_in_process(built.given):
                return
            limit = built.given.get("timeout")
            related = [Place(client.home, client.node, "the client")]
            where = "the client"
            if called_name(node) == "send" and any(
                a.keyword is not None and a.keyword.value == "timeout"
                for call in self.module.calls_of("build_request")
                for a in call.args
            ):
                return
        verdict = self._verdict(limit, library)
        if verdict:
            self.report(node, self._message(library, verdict, where), related=related)

    def _verdict(self, limit: Keyword | None, library: str) -> str:
        """Whether a limit is the library's default, or none; empty when there is one, or that cannot be told."""
        if limit is None:
            return _NONE if library == "requests" else _DEFAULT
        if _is_none(limit.node):
            return _NONE
        for value in self.facts.infer.of(limit.node, limit.module):
            if not isinstance(value.node, cst.Call) or value.kind != Kind.INSTANCE:
                continue
            if value.name.endswith(".Timeout") and library == "httpx":
                read = argument(value.node, "read") or argument(value.node, "timeout", 0)
                return _NONE if _is_none(read) else ""
            if value.name.endswith(".ClientTimeout") and library == "aiohttp":
                if any(arg.star for arg in value.node.args):
                    return ""
                written = [argument(value.node, "total", 0), argument(value.node, "sock_read", 2)]
                return _NONE if all(item is None or _is_none(item) for item in written) else ""
        return ""

    def _is_in_process(self, given: dict[str, Keyword]) -> bool:
        transport = given.get("transport")
        if "app" in given:
            return True
        values = self.facts.infer.of(transport.node, transport.module) if transport is not None else ()
        return any(value.name.endswith(_IN_PROCESS) for value in values)

    def _is_download(self, node: cst.Call) -> bool:
        """Whether the function that reads saves what it reads: a file is no answer that somebody waits for."""
        function = self.function_of(node)
        return function is not None and any(called_name(call) in _SAVING for call in function.calls)

    def _is_read_in_pieces(self, node: cst.Call) -> bool:
        """Whether aiohttp's response is read from its `content`, piece by piece."""
        function = self.function_of(node)
        name = self._held(node)
        if not name or not isinstance(function, Function):
            return False
        return any(
            isinstance(item, cst.Attribute)
            and item.attr.value == "content"
            and isinstance(item.value, cst.Name)
            and item.value.value == name
            and self._is_iterated(item)
            for item in walk(function.node)
        )

    def _is_iterated(self, content: cst.Attribute) -> bool:
        parent = self.parent_of(content)
        if isinstance(parent, cst.Attribute):
            return parent.attr.value in _READING
        return isinstance(parent, (cst.For, cst.CompFor)) and parent.iter is content

    def _held(self, node: cst.Call) -> str:
        parent = self.parent_of(node)
        if isinstance(parent, cst.Await):
            parent = self.parent_of(parent)
        target: cst.CSTNode | None = None
        if isinstance(parent, cst.WithItem) and parent.asname is not None:
            target = parent.asname.name
        elif isinstance(parent, cst.Assign):
            target = parent.targets[0].target
        return target.value if isinstance(target, cst.Name) else ""

    @staticmethod
    def _message(library: str, verdict: str, where: str) -> str:
        advice = f"Pass {_ADVICE[library]} to {where}: it limits each silence, not the answer."
        if verdict == _NONE:
            why = "requests has no time limit of its own" if library == "requests" else "This stream has no read limit"
            return f"{why}: when the other side dies without a word, it hangs for ever and nobody is told. {advice}"
        if library == "aiohttp":
            return (
                "aiohttp ends the whole response after 300 s, its default, however fast the tokens come: a long answer is cut "
                f"with TimeoutError. {advice}"
            )
        return (
            "httpx gives up after 5 s without a byte, its default: a model that thinks or a tool that runs for longer cuts the "
            f"answer with ReadTimeout. {advice}"
        )


def _is_none(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
