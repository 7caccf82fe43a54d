"""Gunicorn's `timeout` kills the worker while it streams.

## What it does
Reports gunicorn's `timeout` (30 s where nothing is written) in the two cases in which it cuts: with the `sync`
worker it is a total limit of the response, and with an asynchronous worker it counts the seconds in which the event
loop does not turn, which matters when the project blocks it (LGS201, LGS204). Also an explicit `timeout = 0` with
an asynchronous worker.

## Why it cuts the stream
`[CRITICAL] WORKER TIMEOUT (pid:…)`: the worker is killed with all its streams, and every client sees HTTP 200 and a
connection that closes in the middle (`incomplete chunked read`, `ERR_INCOMPLETE_CHUNKED_ENCODING`). For an
asynchronous worker it is a heartbeat and no limit of a request: a stream of an hour is fine, one blocking call of
half the time-out is not. `0` takes away the only watchdog that a frozen event loop has.

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
CMD ["gunicorn", "-k", "uvicorn_worker.UvicornWorker", "--timeout", "0", "app.main:app"]
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
None: a longer time-out hides a blocking call, and another worker class is a choice.

## Limits
For an asynchronous worker and a project without blocking calls the rule is silent whatever the time-out. How long a
blocking call takes is mostly not known; where it is (`time.sleep(2)`, twice the call's own `timeout=`, as that counts
for the connection and for the answer, or the 10 s after which a name's look-up is given up), it is compared with half the
time-out. In a loop such calls add up, and how long they take is not known.

## Evidence
`fixtures/LGS502/evidence.yaml`: the kill and its log line, with the time-out scaled down to 2 s.

## References
- <https://docs.gunicorn.org/en/stable/settings.html>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, longest_answer, place, written
from lg_stream_lint.deploy.workers import Family, family_of
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way


class WorkerTimeoutCutsStream(DeployRule):
    """Looks at gunicorn's time-out together with the worker class and the code."""

    about = ("timeout",)

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        if server is None or server.layer != "gunicorn":
            return
        timeout = server.get("timeout")
        family = family_of(server.value("worker_class"))
        if timeout is None:
            return
        if family == Family.SYNC and timeout.value is not None:
            self._total(way, server, timeout)
        elif family in Family.ASYNC and timeout.value is None:
            self._off(way, server, timeout)
        elif family in Family.ASYNC:
            self._blocked(way, server, timeout, timeout.value / (2 if family == Family.UVICORN else 1))

    def _total(self, way: Way, server: Hop, timeout: Setting) -> None:
        code = self.deployment.code(way)
        answer = longest_answer(code)
        if code.interface != "wsgi" or not code.streams or timeout.value >= answer.seconds:
            return
        self.report(
            timeout.where,
            f"gunicorn's sync worker is killed {timeout.value:g} s after a request began ({written(timeout)}), whatever flows: "
            f"{answer.said}, and the client sees HTTP 200 and half of it. Use --worker-class gthread with --threads, where the "
            "time-out does not cut streams.",
            way=way,
            hop=server,
            confidence=confidence_of(timeout),
            related=[Nearby(code.streams[0].where, "the stream")],
        )

    def _off(self, way: Way, server: Hop, timeout: Setting) -> None:
        if not timeout.explicit or not self.deployment.code(way).streams:
            return
        self.report(
            timeout.where,
            f"{written(timeout)} removes the only watchdog of a frozen event loop, and it makes no stream longer: for this worker "
            "the time-out is a heartbeat, not a limit of a request. One blocking call that hangs then stops every stream of the "
            "worker for ever; leave it at 30 s.",
            way=way,
            hop=server,
            confidence=confidence_of(timeout),
        )

    def _blocked(self, way: Way, server: Hop, timeout: Setting, fatal: float) -> None:
        code = self.deployment.code(way)
        blocking = [block for block in code.blocking if block.seconds is None or block.seconds > fatal]
        if not blocking or not code.streams:
            return
        first = blocking[0]
        self.report(
            timeout.where,
            f"{first.what} at {place(first.where)} blocks the event loop: when it takes {fatal:g} s or more, gunicorn "
            f"({written(timeout)}) may take the worker for dead and kill it with every stream in it. Take the call off the event "
            "loop; a longer time-out only hides it.",
            way=way,
            hop=server,
            severity="error",
            confidence=confidence_of(timeout),
            related=[Nearby(block.where, f"{block.code}: blocks the event loop") for block in blocking[:5]],
        )
