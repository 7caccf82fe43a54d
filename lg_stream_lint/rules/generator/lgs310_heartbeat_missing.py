"""A stream of events can be silent for long, and sends no heartbeat meanwhile.

## What it does
Speaks at the response of a server-sent event stream that can fall silent (its graph calls tools, its model thinks before it
answers, its mode sends nothing before a whole node is done) and whose generators have no branch that sends a ping.

## Why it cuts the stream
Proxies and load balancers close connections on which nothing moves: nginx and AWS' load balancer after 60 s, Heroku after
55 s (`upstream timed out`, `504 Gateway Time-out`, `H15`). A slow tool or a long thought is enough, and only then it shows.

## Example
```python
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

app = FastAPI()


def search(query: str) -> str:
    \"\"\"Search the archive.\"\"\"
    return query


agent = create_agent(ChatOpenAI(model="gpt-4o-mini", timeout=60), tools=[search])


async def frames():
    try:
        async for event in agent.astream_events({"messages": [("user", "hello")]}):
            yield f"data: {json.dumps(event['event'])}\\n\\n"
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

import anyio
from fastapi import FastAPI
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from sse_starlette import EventSourceResponse

app = FastAPI()


def search(query: str) -> str:
    \"\"\"Search the archive.\"\"\"
    return query


agent = create_agent(ChatOpenAI(model="gpt-4o-mini", timeout=60), tools=[search])


async def frames():
    try:
        async for event in agent.astream_events({"messages": [("user", "hello")]}):
            yield {"data": json.dumps(event["event"])}
    except Exception:
        yield {"event": "error", "data": '{"error": "the model failed"}'}


@app.get("/chat")
async def chat():
    return EventSourceResponse(frames(), shutdown_event=anyio.Event(), shutdown_grace_period=60)
```

## Fix
None: sse-starlette's `EventSourceResponse`, and a handler that yields under FastAPI's own, ping every 15 s by themselves. By
hand, run the graph in its own task and wait for its queue with a limit; `asyncio.wait_for` around the generator's own
`__anext__()` ends the generator (LGS312).

## Limits
It is a warning when a proxy in the project, on a way to this application that is resolved, closes silent connections within
60 s, and the graph has tools; an error when a written `ping=` is not shorter than such a limit. Graphs whose tools cannot be
found are silent unless their mode sends no tokens; what only names say to be a graph is taken to have tools. Any mention of a
ping or heartbeat in the generators is taken to be one.

## Evidence
`fixtures/LGS310/evidence.yaml`: what arrives during a silence of the model. sse-starlette 3.7.0 and FastAPI 0.165.0 ping every
15 s.

## References
- <https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes>
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.python.around import Limit, shortest_idle_limit
from lg_stream_lint.python.model_builds import number
from lg_stream_lint.python.silence import may_be_silent, pings, pings_by_itself
from lg_stream_lint.python.sources import Source, sources
from lg_stream_lint.python.streams import Link, Stream
from lg_stream_lint.python.summary import routes_of
from lg_stream_lint.python.syntax import string_value
from lg_stream_lint.rules.base import Elsewhere, Place, PythonRule

#: Seconds; idle limits up to this one meet a slow tool.
_SHORT = 60
#: Seconds between the pings that are usual.
_USUAL = 15


class HeartbeatMissing(PythonRule):
    """Looks at every stream of events whose graph or model can be silent."""

    severity = Severity.INFO
    independent_of_async = True
    in_tests = False
    loses_to = ("LGS401", "LGS402", "LGS403")
    place = (("@responses",),)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the streams whose response is built in this file."""
        for stream in self.facts.streams.of(self.module):
            if pings_by_itself(self.facts, stream):
                self._judge_interval(stream)
                continue
            if stream.row is not None and stream.row.framing != "raw":
                continue
            if self._never_streams(stream):
                continue
            links = self.facts.streams.links(stream)
            if not links or any(pings(self.facts, link.function) for link in links) or not self._is_sse(stream, links):
                continue
            self._judge(stream, links)

    def _judge_interval(self, stream: Stream) -> None:
        """A written interval that is not shorter than an idle limit on the way: every silence is cut all the same."""
        given = self.facts.responses.argument(stream, "ping") if stream.call is not None else None
        written = number(self.facts, given) if given is not None else None
        limit = self._limit(stream, stream.call) if written is not None and stream.call is not None else None
        if stream.call is None or written is None or limit is None or written < limit.seconds:
            return
        self.report(
            stream.call,
            f"The heartbeat every {written:g} s comes too late: {limit.place} closes silent connections after "
            f"{limit.seconds:g} s, so a slow tool or a long thought ends the stream. Set ping= to less than half of that.",
            severity=Severity.ERROR,
            related=[Elsewhere(limit.setting.where, f"{limit.setting.key}: {limit.seconds:g} s of silence")],
        )

    def _judge(self, stream: Stream, links: list[Link]) -> None:
        for link in links:
            for source in sources(self.facts, link.function):
                when = may_be_silent(self.facts, source)
                if when:
                    self._report(stream, link, source, when)
                    return

    def _never_streams(self, stream: Stream) -> bool:
        """Whether the answer is broken anyway, and reported as such: events without a response class, or under the wrong one."""
        responses = self.facts.responses
        if stream.handler is not None:
            return not responses.declared_framing(stream.handler)
        return responses.never_awaited(stream)

    def _is_sse(self, stream: Stream, links: list[Link]) -> bool:
        for arg in stream.call.args if stream.call is not None else ():
            texts = {string_value(arg.value), *(string_value(v.node) for v in self.values_of(arg.value))}
            if any(text is not None and text.startswith("text/event-stream") for text in texts):
                return True
        return any(self.facts.frames.yields_frames(link.function) for link in links)

    def _limit(self, stream: Stream, node: cst.CSTNode) -> Limit | None:
        """The shortest limit on silence on the way of a stream."""
        handler = stream.handler or self.module.function_at(node)
        routes = tuple(routes_of(handler)) if handler is not None else ()
        return shortest_idle_limit(self.project, self.module.path, routes)

    def _report(self, stream: Stream, link: Link, source: Source, when: str) -> None:
        module = link.function.module
        node = stream.call if stream.call is not None else source.node
        related: list[Place | Elsewhere] = []
        if node is not source.node:
            related.append(Place(module, source.node, "nothing is sent while this waits"))
        who, severity = "proxies close silent connections, nginx and AWS' load balancer after 60 s", Severity.INFO
        limit = self._limit(stream, node)
        if limit is not None and limit.seconds <= _SHORT:
            who = f"{limit.place} closes silent connections after {limit.seconds:g} s"
            related.append(Elsewhere(limit.setting.where, f"{limit.setting.key}: {limit.seconds:g} s of silence"))
            severity = Severity.WARNING if "tool" in when else Severity.INFO
        repair = 'Send ": ping" every 15 s from a branch of its own, or use sse-starlette, which does it by itself'
        if limit is not None and limit.seconds <= _USUAL:
            repair = f"Set {limit.setting.key} above a minute there, and then send pings more often than that"
        self.report(
            node,
            f"This event stream sends nothing {when}: {who}. {repair}.",
            severity=severity,
            confidence=Confidence.MEDIUM if source.by_name else Confidence.HIGH,
            related=related,
        )
