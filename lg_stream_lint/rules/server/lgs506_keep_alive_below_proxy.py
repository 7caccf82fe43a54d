"""The server closes idle connections before the proxy in front of it does.

## What it does
Reports a server whose keep-alive is shorter than the time for which the load balancer or proxy right in front of it
keeps idle connections open for reuse.

## Why it cuts the stream
It never cuts a stream that runs: keep-alive counts between requests only. But now and then the proxy sends a
request on a connection that the server is just closing, and the client gets a 502 (or an EventSource a failed
connection) at the *start* of the next request.

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

```yaml title="compose.yaml"
services:
  api:
    build: .
    stop_grace_period: 310s
    command: uvicorn app.main:app --host 0.0.0.0 --port 8000 --timeout-keep-alive 5
  web:
    image: nginx:1.31
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf"]
```

```nginx title="nginx.conf"
http {
  upstream api {
    server api:8000;
    keepalive 16;
    keepalive_timeout 60s;
  }
  server {
    location / {
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
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

```yaml title="compose.yaml"
services:
  api:
    build: .
    stop_grace_period: 310s
    command: uvicorn app.main:app --host 0.0.0.0 --port 8000 --timeout-keep-alive 75
  web:
    image: nginx:1.31
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf"]
```

```nginx title="nginx.conf"
http {
  upstream api {
    server api:8000;
    keepalive 16;
    keepalive_timeout 60s;
  }
  server {
    location / {
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
```

## Fix
None: advice; set the server's keep-alive above the proxy's.

## Limits
Only proxies whose time for idle connections is known are compared, and only the one right in front of the server.

## Evidence
`fixtures/LGS506/evidence.yaml`: the documentation of load balancers, cited.

## References
- <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, place, written
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.ways import Way


#: Load balancers whose one idle time-out is also that of connections without a request.
_ONE_TIMEOUT = frozenset({"alb"})


class KeepAliveBelowProxy(DeployRule):
    """Compares the server's keep-alive with that of the proxy in front of it."""

    about = ("keep_alive",)
    severity = "info"

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        keep_alive = server.get("keep_alive") if server is not None else None
        if server is None or keep_alive is None or keep_alive.value is None or not way.proxies:
            return
        proxy = way.proxies[0]
        kept = proxy.get("keep_alive") or (proxy.get("read_timeout") if proxy.layer in _ONE_TIMEOUT else None)
        if kept is None or kept.value is None or keep_alive.value > kept.value:
            return
        if not self.deployment.code(way).streams:
            return
        self.report(
            keep_alive.where,
            f"{server.layer} closes idle connections after {keep_alive.value:g} s ({written(keep_alive)}), while {proxy.layer} "
            f"reuses them for {kept.value:g} s ({place(kept.where)}): now and then the next request starts with a 502. It never "
            f"cuts a stream that runs; set {keep_alive.key} above {kept.value:g}.",
            way=way,
            hop=server,
            confidence=confidence_of(keep_alive),
            related=[Nearby(kept.where, f"{proxy.layer} keeps idle connections {kept.value:g} s")],
        )
