"""The server gives running streams less time at shutdown than an answer takes.

## What it does
Reports a written graceful time-out (gunicorn's `graceful_timeout`, uvicorn's `--timeout-graceful-shutdown`,
hypercorn's `graceful_timeout`, granian's `--workers-kill-timeout`) below the longest answer, hypercorn's 3 s where
nothing is written, and gunicorn's 30 s where the model's time-out is known and longer. Where no model's time-out is known,
a written 30 s and more is advice: it is gunicorn's default, which is not reported then.

## Why it cuts the stream
Every deploy, every scale-down cuts the answers that are being written: after SIGTERM the server waits so many
seconds and then cancels what still streams (`Cancel 1 running task(s), timeout graceful shutdown exceeded`). The
client sees `incomplete chunked read`, at a different place each time, and only on days with a release.

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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--timeout-graceful-shutdown", "10"]
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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--timeout-graceful-shutdown", "310"]
```

## Fix
None: how long a deploy may take is your choice.

## Limits
The longest answer is the largest time-out of a model in the project, 300 s where none is known: an assumption, and the
finding says so and is of medium confidence. What the platform allows the server is LGS505's. uvicorn and granian wait for ever
where nothing is written. A worker that answers every request with HTTP 500 ends no stream (LGS501), and neither does the end of
a `sync` worker that its time-out kills sooner (LGS502): there those findings stand alone.

## Evidence
`fixtures/LGS504/evidence.yaml`: SIGTERM in mid-stream.

## References
- <https://docs.gunicorn.org/en/stable/settings.html>
- <https://www.uvicorn.org/settings/>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, longest_answer, written
from lg_stream_lint.deploy.workers import is_cut_before, serves_nothing
from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.ways import Way


#: Seconds that gunicorn gives by default. Nobody is warned of them, or of more, because of an answer whose length is assumed.
_USUAL = 30.0


class GracefulShutdownTooShort(DeployRule):
    """Compares the server's graceful time-out with the longest answer."""

    about = ("graceful_timeout",)

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        grace = server.get("graceful_timeout") if server is not None else None
        code = self.deployment.code(way)
        if server is None or grace is None or grace.value is None or not code.streams:
            return
        answer = longest_answer(code)
        assumed = answer.where is None
        if grace.value >= answer.seconds or (not grace.explicit and server.layer != "hypercorn" and assumed):
            return
        if serves_nothing(server, code.interface) or is_cut_before(server, grace.value):
            return
        related = [Nearby(answer.where, "the model's time-out")] if answer.where is not None else []
        for host in way.hosts:
            outer = host.get("stop_grace")
            if outer is not None and outer.value is not None and outer.value <= answer.seconds:
                related.append(Nearby(outer.where, f"{host.layer} kills it after {outer.value:g} s ({written(outer)})"))
        self.report(
            grace.where,
            f"On every deploy {server.layer} ends the streams that still run {grace.value:g} s after SIGTERM ({written(grace)}): "
            f"{answer.said}. Set {grace.key} above {answer.seconds:g}, and let what stops the server wait longer than that.",
            way=way,
            hop=server,
            severity=Severity.INFO if assumed and grace.value >= _USUAL else None,
            confidence=Confidence.MEDIUM if assumed else confidence_of(grace),
            related=related,
        )
