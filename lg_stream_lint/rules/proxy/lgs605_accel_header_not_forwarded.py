"""Of two nginx in a row the outer one buffers: the inner one takes `X-Accel-Buffering` away.

## What it does
Reports an nginx that buffers the stream although the application sends `X-Accel-Buffering: no`, because another nginx between them
obeys the header and does not pass it on.

## Why it cuts the stream
The header speaks to the first nginx it meets, which removes it from the response. The one in front of it (an ingress, a gateway, a
machine's own nginx before the container's) sees a response without it and holds the answer back until it is complete.

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
    listen 8080;
    location / {
      proxy_pass http://127.0.0.1:8000;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
    }
  }
  server {
    listen 80;
    location / {
      proxy_pass http://127.0.0.1:8080;
      proxy_read_timeout 600s;
    }
  }
}
```

```text title="Procfile"
web: uvicorn app.main:app --port 8000
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
  server {
    listen 8080;
    location / {
      proxy_pass http://127.0.0.1:8000;
      proxy_http_version 1.1;
      proxy_pass_header X-Accel-Buffering;
      proxy_read_timeout 600s;
    }
  }
  server {
    listen 80;
    location / {
      proxy_pass http://127.0.0.1:8080;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
    }
  }
}
```

```text title="Procfile"
web: uvicorn app.main:app --port 8000
```

`proxy_buffering off;` in the outer one does it as well.

## Fix
None: which of the two is changed is your choice.

## Limits
Only where both are in the repository, and the outer one asks in HTTP/1.0 (before 1.29.7 the default) or compresses the stream: over
HTTP/1.1 it passes what the inner one sends in chunks.

## Evidence
`fixtures/LGS605/evidence.yaml`: two real nginx in front of real uvicorn.

## References
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass_header>
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_hide_header>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.holding import OBEDIENT, compresses, gets_header, is_held, is_on
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import ProxyRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop
    from lg_stream_lint.deploy.ways import Way


class AccelHeaderNotForwarded(ProxyRule):
    """Looks for an nginx that would have obeyed the header, had it come through."""

    about = ("ignores_accel", "buffering")

    def check_hop(self, hop: Hop, way: Way, code: CodeFacts) -> None:
        """Judge one proxy."""
        buffering = hop.get("buffering")
        if buffering is None or not buffering.value or hop.layer not in OBEDIENT or is_on(hop, "ignores_accel"):
            return
        if not code.sends_accel or gets_header(hop, way, code) is not False:
            return
        if not (compresses(hop, code) or is_held(hop, way, self.deployment, code)):
            return
        proxies = list(way.proxies)
        inner = next(other for other in reversed(proxies[: proxies.index(hop)]) if other.layer in OBEDIENT)
        where = inner.where
        self.report(
            buffering.where,
            f"Tokens arrive all at once, at the end: the nginx before this one ({self.place(where)}) takes the application's "
            f"X-Accel-Buffering: no away, so this one buffers. Add proxy_pass_header X-Accel-Buffering; there, or set "
            f"{buffering.key} off here.",
            way=way,
            hop=hop,
            related=[
                Nearby(where, "the header ends here"),
                *(Nearby(stream.where, "the header is sent here") for stream in code.streams[:3]),
            ],
        )
