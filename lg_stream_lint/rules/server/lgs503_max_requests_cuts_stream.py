"""`max_requests` replaces a worker while it streams.

## What it does
Reports `max_requests` (uvicorn: `limit_max_requests`) where the worker that drains is stopped before the longest
answer ends: gunicorn's uvicorn workers after `timeout` seconds, its `asgi` and `gevent` workers, hypercorn and
uvicorn after their graceful time-out.

## Why it cuts the stream
Streams are cut at random, hours apart, with no deploy near: whoever streams when the worker has served its last
request loses the answer. With uvicorn workers the log says `WORKER TIMEOUT`: a draining worker sends no heartbeat
any more, so it is killed `timeout` seconds later, and `graceful_timeout` does not apply. Jitter only spreads the
moments.

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

```dockerfile title="Dockerfile"
FROM python:3.12-slim
WORKDIR /srv
COPY app app
CMD ["gunicorn", "-k", "uvicorn_worker.UvicornWorker", "--max-requests", "1000", "--timeout", "30", "app.main:app"]
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

```dockerfile title="Dockerfile"
FROM python:3.12-slim
WORKDIR /srv
COPY app app
CMD ["gunicorn", "-k", "uvicorn_worker.UvicornWorker", "--timeout", "30", "app.main:app"]
```

## Fix
None: remove `max_requests` when it is there against a leak that is mended, or set the time-out above the longest
answer.

## Limits
gthread and sync workers finish what they serve, and are not judged. The longest answer is the largest time-out of a
model in the project, 300 s where none is known.

## Evidence
`fixtures/LGS503/evidence.yaml`: a worker that is replaced in mid-stream, scaled down to seconds.

## References
- <https://docs.gunicorn.org/en/stable/settings.html>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, longest_answer, written
from lg_stream_lint.deploy.workers import Family, family_of, serves_nothing
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way


class MaxRequestsCutsStream(DeployRule):
    """Compares what a draining worker is given with the longest answer."""

    about = ("max_requests",)

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        maximum = server.get("max_requests") if server is not None else None
        code = self.deployment.code(way)
        if server is None or maximum is None or not maximum.value or not code.streams:
            return
        if serves_nothing(server, code.interface):
            return
        limit = self._limit(server)
        answer = longest_answer(code)
        if limit is None or limit.value is None or limit.value >= answer.seconds:
            return
        which = "no heartbeat comes from a draining worker, so " if limit.name == "timeout" else ""
        self.report(
            maximum.where,
            f"After {maximum.value:g} requests {server.layer} replaces the worker, and {which}running streams are killed "
            f"{limit.value:g} s later ({written(limit)}): {answer.said}, so answers are cut at random. "
            f"Remove {maximum.key}, or set {limit.key} above {answer.seconds:g}.",
            way=way,
            hop=server,
            confidence=confidence_of(maximum),
            related=[Nearby(limit.where, f"{written(limit)}")] if limit.where != maximum.where else [],
        )

    def _limit(self, server: Hop) -> Setting | None:
        """What ends a draining worker."""
        if server.layer in ("hypercorn", "uvicorn"):
            return server.get("graceful_timeout")
        if server.layer != "gunicorn":
            return None
        family = family_of(server.value("worker_class"))
        name = {Family.UVICORN: "timeout", Family.ASGI: "graceful_timeout", Family.GREEN: "graceful_timeout"}.get(
            family, ""
        )
        return server.get(name)
