"""A proxy ends a stream that is silent for too long.

## What it does
Reports a limit on silence (`proxy_read_timeout`, a load balancer's idle time-out …), written or by default, of 60 s or less, or
shorter than the model may take, on the way of a stream that sends no pings.

## Why it cuts the stream
A reasoning model thinks, a tool runs, a retry waits: no byte flows, and the proxy takes the application for dead. The reader has
HTTP 200 and half an answer (or a 504, when nothing had come yet). It happens with the hard questions only, after exactly the
same number of seconds.

## Example
```python title="app/main.py"
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
```

```nginx title="nginx.conf"
http {
  server {
    location /chat {
      proxy_pass http://127.0.0.1:8000;
      proxy_http_version 1.1;
      proxy_buffering off;
    }
  }
}
```

## Use instead
Send a comment (`: ping`) every 15 s, which `sse_starlette.EventSourceResponse` does by itself, or let the proxy wait longer than
the model may think:

```python title="app/main.py"
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
```

```nginx title="nginx.conf"
http {
  server {
    location /chat {
      proxy_pass http://127.0.0.1:8000;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
```

## Fix
None yet: set the limit above the model's time-out, or send pings.

## Limits
Only limits on silence: one of 60 s does not cut a stream whose tokens flow for ten minutes. Pings that come more often than the
limit silence the rule; others count as none. Limits on the way to the reader (`send_timeout`) are not meant.

## Evidence
`fixtures/LGS602/evidence.yaml`: real nginx, with a limit of one second.

## References
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>
- <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.repairs import with_value
from lg_stream_lint.deploy.settings import Kind
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import ProxyRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way

#: Seconds; what most proxies allow by default, and what many models take before their first token.
_SHORT = 60.0
_ENOUGH = 300.0


#: Seconds between the pings of sse-starlette and of FastAPI's own event streams.
_USUAL_PING = 15.0


class IdleTimeoutTooShort(ProxyRule):
    """Compares each limit on silence with the pings and with the model."""

    about = ("read_timeout", "send_timeout")

    def check_hop(self, hop: Hop, way: Way, code: CodeFacts) -> None:
        """Judge one proxy."""
        for limit in hop.limits(Kind.IDLE):
            if limit.name == "send_timeout" or not (code.streams or limit.explicit):
                continue
            if code.heartbeat is not None and code.heartbeat < limit.value:
                continue
            model = code.model_limit
            longest = model.limit if model is not None and model.limit is not None else 0.0
            if limit.value <= _SHORT or limit.value < longest:
                self._report(hop, way, code, limit)

    def _report(self, hop: Hop, way: Way, code: CodeFacts, limit: Setting) -> None:
        model = code.model_limit
        related = [Nearby(stream.where, "this stream sends no pings in time") for stream in code.streams[:3]]
        enough = _ENOUGH
        if model is not None and model.limit is not None:
            enough = max(enough, model.limit)
            related.append(Nearby(model.where, f"the model may take {model.limit:g} s"))
        self.report(
            limit.where,
            f"{self._what(hop, limit, code)} {self._repair(limit, code)}",
            way=way,
            hop=hop,
            confidence=self.confidence(code),
            related=related,
            fix=with_value(hop, limit, f"{math.ceil(enough)}s", self.deployment.context),
        )

    def _what(self, hop: Hop, limit: Setting, code: CodeFacts) -> str:
        if limit.value == 0:
            return f"Every answer ends with 504 at once: {limit.key} 0 is no time at all for {hop.layer}, and not unlimited time."
        by_default = "" if limit.explicit or limit.fixed else ", the default"
        return (
            f"A silence of {limit.value:g} s, while a tool runs or the model thinks, ends the stream: {hop.layer} waits no "
            f"longer for a byte ({limit.key}{_in_milliseconds(limit)}{by_default}), and {self._pings(code)}."
        )

    def _pings(self, code: CodeFacts) -> str:
        if not code.streams:
            return "pings are not known here"
        where = self.place(code.streams[0].where)
        if code.heartbeat is not None:
            return f"{where} pings only every {code.heartbeat:g} s"
        return f"{where} sends no pings"

    def _repair(self, limit: Setting, code: CodeFacts) -> str:
        model = code.model_limit
        above = "above your longest silence"
        if model is not None and model.limit is not None:
            above = f"above the model's {model.limit:g} s ({self.place(model.where)})"
        if limit.value == 0:
            return f"Set {limit.key} {above}."
        if limit.fixed:
            return 'Send ": ping" more often than that (sse-starlette does, every 15 s): nothing else helps here.'
        if limit.value <= _USUAL_PING:
            return f"Set {limit.key} {above}: the usual ping every {_USUAL_PING:g} s comes too late here."
        return f'Send ": ping" more often than that (sse-starlette does, every 15 s), or set {limit.key} {above}.'


def _in_milliseconds(limit: Setting) -> str:
    """A number without a unit that the product does not count in seconds, as somebody may have meant."""
    is_bare = limit.written.isdigit() and float(limit.written) == limit.value * 1000
    return f" {limit.written}, without a unit these are milliseconds" if is_bare else ""
