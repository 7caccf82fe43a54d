"""HTTP/1.0 towards the application, or headers of the connection set by hand.

## What it does
Reports two things about the connections around a proxy. As advice: a proxy that asks the application in HTTP/1.0 and does not
buffer. As a warning: `Transfer-Encoding` and, where HTTP/2 is spoken, `Connection`, `Keep-Alive` and `Upgrade` set by hand.

## Why it cuts the stream
An answer to HTTP/1.0 ends when its connection does. When the application is killed in mid-stream, nginx cannot tell that from the
end: it finishes the response properly, and the reader takes half an answer for a whole one. Over HTTP/1.1 the reader sees the
cut. A second `Transfer-Encoding` header makes clients such as httpx refuse the whole response, HTTP/2 clients reset a stream that
bears `Connection`, and a request that announces chunks which never come hangs.

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
      proxy_buffering off;
      proxy_read_timeout 600s;
      add_header Transfer-Encoding chunked;
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
None yet: add `proxy_http_version 1.1;`, take the header out.

## Limits
Where HTTP/1.0 makes the proxy hold the stream back it is LGS601's. Silent where the server is known to answer HTTP/1.0 in chunks
(uvicorn with httptools). `proxy_set_header Connection ""` and the headers of WebSocket are right.

## Evidence
`fixtures/LGS607/evidence.yaml`: real nginx in front of real uvicorn that is killed.

## References
- <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version>
- <https://www.rfc-editor.org/rfc/rfc9113.html#section-8.2.2>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.holding import answers_in_chunks, is_on, is_released
from lg_stream_lint.finding import Severity
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import ProxyRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop
    from lg_stream_lint.deploy.ways import Way


class UpstreamHttp10(ProxyRule):
    """Looks at the version of HTTP and at headers of the connection."""

    name = "upstream-http-1.0"
    about = ("http_version",)
    severity = Severity.INFO
    loses_to = ("LGS601",)

    def check_hop(self, hop: Hop, way: Way, code: CodeFacts) -> None:
        """Judge one proxy."""
        for setting in hop.settings:
            if setting.name == "hop_by_hop":
                self.report(
                    setting.where,
                    f"{setting.key} is set by hand on the way of a stream: {setting.value}. Remove it; {hop.layer} writes the "
                    "headers of its connections itself.",
                    way=way,
                    hop=hop,
                    severity=Severity.WARNING,
                    confidence=self.confidence(code),
                )
        version = hop.get("http_version")
        if version is None or version.value != "1.0" or answers_in_chunks(hop, way, self.deployment, code):
            return
        if is_on(hop, "buffering") and not is_released(hop, way, code):
            return  # the stream is held back, which is worse: LGS601, 604, 605
        by_default = "" if version.explicit else ", the default before nginx 1.29.7"
        self.report(
            version.where,
            f"Half an answer looks like a whole one: over HTTP/1.0 ({version.key}{by_default}) the end of the connection is the "
            f"end of the answer, so {hop.layer} ends the response properly when the application is killed. Add "
            f"{version.key} 1.1;.",
            way=way,
            hop=hop,
            confidence=self.confidence(code),
            related=[Nearby(stream.where, "the stream") for stream in code.streams[:3]],
        )
