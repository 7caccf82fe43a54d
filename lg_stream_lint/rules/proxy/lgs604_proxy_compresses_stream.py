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
`gzip on` alone compresses `text/html` only.

## Evidence
`fixtures/LGS604/evidence.yaml`: real nginx in front of real uvicorn.

## References
- <https://nginx.org/en/docs/http/ngx_http_gzip_module.html#gzip_types>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.holding import OBEDIENT, compresses, is_released
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import ProxyRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop
    from lg_stream_lint.deploy.ways import Way


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
            f"Tokens arrive all at once, at the end: {hop.layer} compresses the stream ({setting.key}) and keeps it until it is "
            f"over. {self._repair(hop)}",
            way=way,
            hop=hop,
            confidence=self.confidence(code),
            related=related,
        )

    def _repair(self, hop: Hop) -> str:
        buffering = hop.get("buffering")
        if hop.get("compression") is not None or buffering is None:
            return "Leave text/event-stream out of it, or switch it off for this path."
        where = self.place(buffering.where)
        return f"Take text/event-stream out of the types, or set {buffering.key} off for {hop.name} ({where})."
