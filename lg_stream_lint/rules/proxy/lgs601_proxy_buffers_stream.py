"""A proxy holds the stream back.

## What it does
Reports a proxy that buffers the response on the way of a stream, where the application does not turn that off by itself with
`X-Accel-Buffering: no`.

## Why it cuts the stream
Nothing is lost, but nothing arrives: the reader waits as long as the whole answer takes, and then gets all of it. Locally,
without the proxy, every token is seen at once. nginx buffers by default, and what it does with it depends on how the application
answers: an answer in chunks passes, one that ends with its connection is held. nginx before 1.29.7 asks in HTTP/1.0, and most
servers answer that without chunks; so do all that speak `uwsgi_pass` or `fastcgi_pass`.

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
  server {
    listen 80;
    location /chat {
      proxy_pass http://127.0.0.1:8000;
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
  server {
    listen 80;
    location /chat {
      proxy_pass http://127.0.0.1:8000;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
```

One of the two measures is enough; the header has the advantage that it goes wherever the application goes.

## Fix
None yet: `proxy_buffering off;` (or the family's own directive) in the same place. It costs nginx's protection against slow
readers.

## Limits
An nginx whose version nothing tells counts as older than 1.29.7, as distributions ship it; the tag of the image that its
configuration is copied or mounted into tells it. Buffering with HTTP/1.1 is advice: the tokens pass and only the response's headers
wait for the first one. A server that is known to answer in chunks (uvicorn with httptools, as `uvicorn[standard]` brings it) makes
it advice, too. Where compression holds the stream back it is LGS604's, where a second nginx does, LGS605's. ingress-nginx does not
buffer by default. Locations that serve other things (files, health, WebSocket) are not looked at.

## Evidence
`fixtures/LGS601/evidence.yaml`: real nginx in front of real uvicorn.

## References
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering>
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.holding import OBEDIENT, compresses, is_held, is_on, is_released
from lg_stream_lint.deploy.repairs import with_value
from lg_stream_lint.finding import Severity
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import ProxyRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way

_AT_ONCE = "Tokens arrive all at once, at the end:"


class ProxyBuffersStream(ProxyRule):
    """Looks for buffering that is on and bites."""

    about = ("buffering",)

    def check_hop(self, hop: Hop, way: Way, code: CodeFacts) -> None:
        """Judge one proxy."""
        buffering = hop.get("buffering")
        if buffering is None or not buffering.value or compresses(hop, code):
            return
        released = is_released(hop, way, code)
        if released or (released is None and code.streams):
            return
        if code.sends_accel and hop.layer in OBEDIENT and not is_on(hop, "ignores_accel"):
            return  # another nginx took the header away: LGS605
        held = is_held(hop, way, self.deployment, code)
        related = [Nearby(stream.where, "the stream") for stream in code.streams[:3]]
        version = hop.get("http_version")
        if version is not None and version.explicit:
            related.append(Nearby(version.where, "the version of HTTP towards the application"))
        if hop.version_where is not None:
            related.append(Nearby(hop.version_where, "the version of nginx"))
        self.report(
            buffering.where,
            f"{self._what(hop, buffering, held=held)} {self._repair(hop, buffering, code)}",
            way=way,
            hop=hop,
            severity=Severity.WARNING if held else Severity.INFO,
            confidence=self.confidence(code),
            related=related,
            fix=with_value(hop, buffering, "off", self.deployment.context),
        )

    def _what(self, hop: Hop, buffering: Setting, *, held: bool) -> str:
        on = f"{buffering.key} is on" + ("" if buffering.explicit else " by default")
        if not held:
            return (
                f"{on}, so {hop.layer} passes the response's headers on only with the first token, and holds everything back "
                "where the application does not answer in chunks."
            )
        protocol, version = hop.value("protocol", ""), hop.get("http_version")
        if protocol in ("uwsgi", "fastcgi", "scgi"):
            return f"{_AT_ONCE} {on}, and {hop.layer} holds back what comes over {protocol}_pass."
        if version is None:
            return f"{_AT_ONCE} {hop.layer} collects the response ({buffering.key})."
        why = "as written" if version.explicit else "nginx's default before 1.29.7"
        return (
            f"{_AT_ONCE} {on}, and over HTTP/{version.value} ({why}) the application's answer has no chunks that {hop.layer} "
            "would pass on."
        )

    def _repair(self, hop: Hop, buffering: Setting, code: CodeFacts) -> str:
        off = f"Set {buffering.key} off here" if hop.layer in OBEDIENT else "Turn that off for this path"
        ignored = hop.get("ignores_accel")
        if ignored is not None:
            return f"{off}; the application's X-Accel-Buffering is ignored ({self.place(ignored.where)})."
        vain = hop.get("sets_accel")
        if vain is not None:
            return f"{off}: {vain.key} ({self.place(vain.where)}) has no effect, only the application's own header has."
        if hop.layer not in OBEDIENT or not code.streams:
            return f"{off}."
        return f"{off}, or send X-Accel-Buffering: no from {self.place(code.streams[0].where)}."
