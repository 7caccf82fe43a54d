"""A proxy compresses the stream and holds it back for that.

## What it does
Reports compression on the way of a stream that keeps the tokens until enough of them have come together: nginx's `gzip` for the
stream's media type while buffering is on, and the switches of other products that do the same.

## Why it cuts the stream
A compressor works on blocks. Whatever passes it without being flushed stays inside until the response ends: the reader sees
nothing, and then everything. It needs no more than `gzip_types *`, or a list that somebody copied with `text/event-stream` in it.

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
    return StreamingResponse(frames(), media_type="text/event-stream")
```

```nginx title="nginx.conf"
http {
  gzip on;
  gzip_types text/plain application/json text/event-stream;
  server {
    location /chat {
      proxy_pass http://127.0.0.1:8000;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
    }
  }
}
```

## Use instead
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
  gzip on;
  gzip_types text/plain application/json;
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
None: take the type out of the list, switch compression off for this path, or switch buffering off, which makes nginx flush every
token.

## Limits
nginx with buffering off (also by the application's `X-Accel-Buffering: no`), HAProxy, Apache and Envoy flush each token: silent.
`gzip on` alone compresses `text/html` only. Caddy before 2.9 compresses what begins with a piece of 512 bytes (`minimum_length`):
most token streams begin with less, so that is advice. Traefik from 3.0 to 3.3.4 keeps 1024 bytes back. Where nothing tells
the version, these two count as new.

## Evidence
`fixtures/LGS604/evidence.yaml`: real nginx, Caddy, HAProxy and Varnish in front of real uvicorn.

## References
- <https://nginx.org/en/docs/http/ngx_http_gzip_module.html#gzip_types>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.holding import OBEDIENT, compresses, is_released
from lg_stream_lint.finding import Severity
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import ProxyRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way

#: Bytes: the first piece of nearly every event stream is larger.
_SMALL_PIECE = 20


class ProxyCompressesStream(ProxyRule):
    """Looks for compression that covers the stream and is not flushed."""

    about = ("compression", "compressed_types")

    def check_hop(self, hop: Hop, way: Way, code: CodeFacts) -> None:
        """Judge one proxy."""
        setting = hop.get("compression") or hop.get("compressed_types")
        if setting is None or not compresses(hop, code):
            return
        buffering = hop.get("buffering")
        if hop.layer in OBEDIENT:
            released = is_released(hop, way, code)
            if released or (released is None and code.streams):
                return
        related = [Nearby(stream.where, "the stream") for stream in code.streams[:3]]
        if buffering is not None:
            related.append(Nearby(buffering.where, "here the response is buffered"))
        self.report(
            setting.where,
            f"{self._what(hop, setting)} {self._repair(hop)}",
            way=way,
            hop=hop,
            severity=Severity.WARNING if hop.value("compression_from", 0) <= _SMALL_PIECE else Severity.INFO,
            confidence=self.confidence(code),
            related=related,
        )

    def _what(self, hop: Hop, setting: Setting) -> str:
        first, held = hop.get("compression_from"), hop.get("compression_holds")
        if held is not None:
            return (
                f"The first tokens arrive late, and a short answer all at once: {hop.layer} keeps {held.value:g} bytes of the "
                f"stream back before it compresses it ({setting.key})."
            )
        when = f" whose first piece has {first.value:g} bytes or more" if first is not None and first.value > 1 else ""
        return (
            f"Tokens arrive all at once, at the end: {hop.layer} compresses a stream{when} ({setting.key}) and keeps it until "
            "it is over."
        )

    def _repair(self, hop: Hop) -> str:
        buffering = hop.get("buffering")
        if hop.get("compression") is not None or buffering is None:
            return "Leave text/event-stream out of it, or switch it off for this path."
        where = self.place(buffering.where)
        return f"Take text/event-stream out of the types, or set {buffering.key} off for {hop.name} ({where})."
