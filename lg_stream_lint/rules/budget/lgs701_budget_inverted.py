"""An inner hop may wait longer than an outer one allows.

## What it does
Reports two hops on the way of one stream whose limits are of the same kind (silence with silence, whole answers with whole
answers) where the inner one is written, and longer than what the outer one allows.

## Why it cuts the stream
The limit that was raised is not the one that cuts: nginx waits 600 s for the next byte, the load balancer in front of it closes
the connection after 120 s. The reader sees a stream that "stops after two minutes", whatever is done to nginx.

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
    command: uvicorn app.main:app --host 0.0.0.0 --port 8000
  inner:
    image: nginx:1.31
    volumes: ["./inner.nginx.conf:/etc/nginx/nginx.conf"]
  outer:
    image: nginx:1.31
    volumes: ["./outer.nginx.conf:/etc/nginx/nginx.conf"]
```

```nginx title="inner.nginx.conf"
http {
  server {
    listen 8080;
    location / {
      proxy_pass http://api:8000;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
```

```nginx title="outer.nginx.conf"
http {
  server {
    location / {
      proxy_pass http://inner:8080;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 120s;
    }
  }
}
```

## Use instead
Let the limits grow outward, or at least not shrink:

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
    command: uvicorn app.main:app --host 0.0.0.0 --port 8000
  inner:
    image: nginx:1.31
    volumes: ["./inner.nginx.conf:/etc/nginx/nginx.conf"]
  outer:
    image: nginx:1.31
    volumes: ["./outer.nginx.conf:/etc/nginx/nginx.conf"]
```

```nginx title="inner.nginx.conf"
http {
  server {
    listen 8080;
    location / {
      proxy_pass http://api:8000;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
```

```nginx title="outer.nginx.conf"
http {
  server {
    location / {
      proxy_pass http://inner:8080;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 660s;
    }
  }
}
```

## Fix
None: which of the two is right depends on how long your answers may be silent.

## Limits
Limits of different kinds are never compared: an idle limit of 60 s does not cut a stream whose tokens flow for ten minutes. A
heartbeat that is shorter than the outer idle limit silences the rule, and so do LGS602 and LGS603 at the same place. Limits
after SIGTERM are LGS505's.

## Evidence
`fixtures/LGS701/evidence.yaml`: two nginx in a row, and who cuts.

## References
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.carries import through
from lg_stream_lint.deploy.settings import Kind, Role
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way

_COMPARED = (Kind.IDLE, Kind.TOTAL, Kind.FIRST_BYTE)
_WORDS = {
    Kind.IDLE: "of silence",
    Kind.TOTAL: "in all, and pings do not reset it",
    Kind.FIRST_BYTE: "until the headers",
}


class BudgetInverted(DeployRule):
    """Compares the limits of one kind along each way, from the server outward."""

    about = ("read_timeout", "total_timeout", "first_byte_timeout")
    loses_to = ("LGS602", "LGS603")

    def check_way(self, way: Way) -> None:
        """Judge one way, as far as it carries a stream."""
        code = self.deployment.code(way)
        passing = [hop for hop in way.hops if hop.role == Role.SERVER or self._carries(hop, way, code)]
        heartbeat = code.heartbeat
        for position, outer in enumerate(passing):
            for kind in _COMPARED:
                limit = min(outer.limits(kind), key=lambda setting: float(setting.value), default=None)
                if limit is None or (kind == Kind.IDLE and heartbeat is not None and heartbeat < limit.value):
                    continue
                self._compare(way, passing[:position], outer, limit)

    def _carries(self, hop: Hop, way: Way, code: CodeFacts) -> bool:
        return hop.role == Role.PROXY and through(hop, self.deployment.hops, code, sure=way.sure) is not None

    def _compare(self, way: Way, inner_hops: list[Hop], outer: Hop, limit: Setting) -> None:
        longer = [
            (hop, setting)
            for hop in inner_hops
            for setting in hop.limits(limit.kind)
            if setting.explicit and setting.value > limit.value
        ]
        if longer:
            hop, setting = max(longer, key=lambda pair: float(pair[1].value))
            self._report(way, outer, limit, hop, setting)

    def _report(self, way: Way, outer: Hop, limit: Setting, hop: Hop, setting: Setting) -> None:
        inner = f"{os.path.basename(setting.where.path)}:{setting.where.span.row}"
        raised = f"Set {limit.key} above {setting.value:g} s, or lower the inner one to what you mean."
        repair = "Lower the inner one to what there is." if limit.fixed else raised
        self.report(
            limit.where,
            f"{outer.layer} cuts the stream after {limit.value:g} s {_WORDS[limit.kind]} ({limit.key}), so the "
            f"{setting.value:g} s that {hop.layer} may wait ({setting.key}, {inner}) are never reached. {repair}",
            way=way,
            hop=outer,
            related=[Nearby(setting.where, f"{hop.layer} may wait {setting.value:g} s")],
        )
