"""A server-sent event is not written as one.

## What it does
Reports, for generators that feed a `text/event-stream` response, yields of bare tokens or JSON lines without `data:`, events
without the blank line that ends them, and tokens or dicts that stand in `data:` as they are. Of sse-starlette's response,
which writes the frames itself, dicts and messages in `data` are reported.

## Why it cuts the stream
A client drops what has no field name, waits for ever for the blank line, and ends the `data:` line at the first line break
in a token: the rest of the token is lost, without an error. A dict arrives as `{'token': 'a'}`, which is no JSON.

## Example
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def frames():
    try:
        async for chunk in llm.astream("Tell me a story"):
            yield f"data: {chunk.content}\\n\\n"
    except Exception:
        yield 'event: error\\ndata: {"error": "the model failed"}\\n\\n'


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def frames():
    try:
        async for chunk in llm.astream("Tell me a story"):
            yield f"data: {json.dumps({'token': chunk.content})}\\n\\n"
    except Exception:
        yield 'event: error\\ndata: {"error": "the model failed"}\\n\\n'


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet: write `data: `, one line of JSON, and a blank line.

## Limits
An event may be spread over several yields: yields that can follow one another are read together. Frames that a helper
builds, and values whose origin is not known (another library's function, a queue that several kinds of things are put into),
are not judged; nor are the lines of the AI SDK's data stream (`0:"token"`, or the header `x-vercel-ai-data-stream`), which its
client reads under any media type.

## Evidence
`fixtures/LGS405/evidence.yaml`.

## References
- <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>
"""

from __future__ import annotations

import re

import libcst as cst

from lg_stream_lint.python.items import Item, event_data
from lg_stream_lint.python.responses import passes_on
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.python.templates import Hole, Parts, parts_of
from lg_stream_lint.rules.base import Place, PythonRule

_STARTS = ("data:", "event:", "id:", "retry:", ":")
#: A part of the AI SDK's data stream, `0:"token"` or `d:{…}`: its client reads lines, and asks for no media type.
_DATA_STREAM_PART = re.compile(r"[02389a-k]:")
_RAW = frozenset({Item.TEXT, Item.JSON, Item.INDENTED})
_OBJECTS = frozenset({Item.DICT, Item.LIST, Item.MESSAGE, Item.TUPLE, Item.CHUNK})
_KNOWN_ENDS = frozenset({Item.TEXT, Item.JSON, Item.INDENTED}) | _OBJECTS
_FRAME = 'f"data: {json.dumps(…)}\\n\\n"'


class MalformedSseFrame(PythonRule):
    """Reads the yields of the generators that feed an event stream."""

    independent_of_async = True
    in_tests = False
    loses_to = ("LGS403", "LGS409")
    place = (("@feeding",),)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge the yields of one generator."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function) or not function.is_generator:
            return
        streams = [stream for stream, link in self.facts.streams.feeding(function) if passes_on(link)]
        streams = [stream for stream in streams if stream.call is not None and stream.row is not None]
        raw = next((s for s in streams if s.row is not None and s.row.framing == "raw" and self._is_events(s)), None)
        if raw is not None:
            texts = [self._parts(item) for item in function.yields]
            for position, item in enumerate(function.yields):
                if _is_plain(item) and item.value is not None:
                    self._judge(function, texts, position, raw)
            return
        framing = next((s for s in streams if s.row is not None and s.row.framing == "sse-starlette"), None)
        if framing is not None:
            for item in function.yields:
                self._judge_framed(item, framing)

    def _parts(self, item: cst.Yield) -> Parts:
        return parts_of(item.value, self.module) if _is_plain(item) and item.value is not None else [""]

    def _is_events(self, stream: Stream) -> bool:
        return self.facts.responses.is_event_stream(stream) and not self.facts.responses.never_awaited(stream)

    # Frames written by hand

    def _judge(self, function: Function, texts: list[Parts], position: int, stream: Stream) -> None:
        item, parts = function.yields[position], texts[position]
        before, after = self._around(function, position)
        if before is not None and _is_open(texts[before]):
            return  # the rest of a line that an earlier yield began
        first = parts[0]
        if isinstance(first, Hole):
            kind = self.facts.items.kind(first.node, first.module)
            if kind in _RAW:
                what = "a bare token" if kind == Item.TEXT else "a line of JSON"
                self._say(item, f"This yields {what} without `data:`", "the client drops it", f"Yield {_FRAME}", stream)
            return
        begun = first.lstrip("\n")
        if not begun.strip():
            return  # an empty item, or the end of a frame begun elsewhere
        if _DATA_STREAM_PART.match(begun):
            return
        if not begun.startswith(_STARTS):
            what = code_of(item.value, 30) if item.value is not None else ""
            self._say(item, f"This yields `{what}` without `data:`", "the client drops it", f"Yield {_FRAME}", stream)
            return
        if not any(line.startswith("data:") for line in begun.split("\n")):
            return
        if not self._is_ended(parts, texts[after] if after is not None else None):
            self._say(
                item,
                "No blank line ends this event",
                "the client waits for more and never dispatches it",
                "End it with \\n\\n",
                stream,
            )
            return
        self._data(item, parts, stream)

    def _is_ended(self, parts: Parts, following: Parts | None) -> bool:
        last = parts[-1]
        if isinstance(last, Hole):
            kind = self.facts.items.kind(last.node, last.module)
            return kind not in _KNOWN_ENDS or (following is not None and _goes_on(following, 0))
        newlines = len(last) - len(last.rstrip("\n"))
        return newlines >= 2 or (following is not None and _goes_on(following, newlines))

    def _data(self, item: cst.Yield, parts: Parts, stream: Stream) -> None:
        """What stands in a ``data:`` line."""
        line = ""
        for part in parts:
            if isinstance(part, str):
                line = part if "\n" in part or not line else line + part
                line = line.rpartition("\n")[2]
                continue
            if not line.startswith("data:") or part.escaped:
                continue
            kind = self.facts.items.kind(part.node, part.module)
            what = code_of(part.node, 40)
            if kind in (Item.TEXT, Item.INDENTED):
                wrong = f"A line break in `{what}` ends this `data:` line"
                self._say(item, wrong, "the rest of it is lost", f"Yield {_FRAME}", stream)
                return
            if kind in _OBJECTS:
                wrong = f"`{what}` goes out as Python's repr, `{_sample(kind)}`"
                self._say(item, wrong, "the client cannot parse it as JSON", f"Yield {_FRAME}", stream)
                return

    def _around(self, function: Function, position: int) -> tuple[int | None, int | None]:
        """The yields that come just before and after one, where both can run in the same turn of its loop."""
        item = function.yields[position]
        own = self.module.ancestors(item)
        loop = next((node for node in own if isinstance(node, (cst.For, cst.While, cst.FunctionDef))), None)
        found: list[int | None] = []
        for others in (range(position - 1, -1, -1), range(position + 1, len(function.yields))):
            found.append(None)
            for other in others:
                above = self.module.ancestors(function.yields[other])
                if _exclude_each_other(own, above):
                    continue
                if loop in above or self._closes(function.yields[other]):
                    found[-1] = other
                break
        return found[0], found[1]

    def _closes(self, item: cst.Yield) -> bool:
        """Whether a yield is the blank line that ends an event, as it may follow a loop over the event's lines."""
        first = self._parts(item)[0]
        return isinstance(first, str) and first.startswith("\n")

    # sse-starlette

    def _judge_framed(self, item: cst.Yield, stream: Stream) -> None:
        node = item.value
        if isinstance(node, cst.From) or node is None:
            return
        data = event_data(node)
        kind = self.facts.items.kind(data if data is not None else node, self.module)
        if data is None and kind not in (Item.MESSAGE, Item.TUPLE):
            return
        if kind in _OBJECTS:
            what = code_of(data if data is not None else node, 40)
            wrong = f"`{what}` goes out as Python's repr, `{_sample(kind)}`"
            instead = 'Yield {"data": json.dumps(…)}'
            self._say(item, wrong, "the client cannot parse it as JSON", instead, stream)

    def _say(self, item: cst.Yield, wrong: str, seen: str, instead: str, stream: Stream) -> None:
        related = [Place(stream.module, stream.call, "the response")] if stream.call is not None else []
        self.report(item, f"{wrong}: {seen}. {instead}.", related=related)


def _is_plain(item: cst.Yield) -> bool:
    return item.value is not None and not isinstance(item.value, cst.From)


def _is_open(parts: Parts) -> bool:
    """Whether a yield ends in the middle of a line, or in something that is not known."""
    last = parts[-1]
    return isinstance(last, Hole) or (bool(last) and not last.endswith("\n"))


def _goes_on(parts: Parts, newlines: int) -> bool:
    """Whether the next yield ends, or goes on with, an event whose text so far ends with so many line breaks."""
    first = parts[0]
    if isinstance(first, Hole) or first.startswith("\n"):
        return True
    return newlines == 1 and first.startswith(_STARTS[:4])


def _exclude_each_other(own: list[cst.CSTNode], above: list[cst.CSTNode]) -> bool:
    """Whether two places are branches of one ``if``, or a ``try`` and its handler."""
    shared = next((node for node in own if node in above), None)
    if not isinstance(shared, (cst.If, cst.Try, cst.TryStar)):
        return False
    mine, other = own[own.index(shared) - 1], above[above.index(shared) - 1]
    if isinstance(shared, cst.If):
        return mine is not other
    handlers = (cst.ExceptHandler, cst.ExceptStarHandler)
    return isinstance(mine, handlers) is not isinstance(other, handlers) or (
        isinstance(mine, handlers) and mine is not other
    )


def _sample(kind: str) -> str:
    return {
        Item.DICT: "{'token': …}",
        Item.LIST: "['…']",
        Item.TUPLE: "('…', …)",
        Item.MESSAGE: "content='…'",
        Item.CHUNK: "Chunk(…)",
    }[kind]
