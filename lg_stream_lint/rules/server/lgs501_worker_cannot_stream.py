"""Gunicorn runs the application with a worker that cannot stream it.

## What it does
Reports an ASGI application (FastAPI, Starlette, Litestar …) under one of gunicorn's WSGI workers: `sync`, which is
the default, `gthread`, which threads make of it, `gevent`. Also a WSGI application that streams a model's answer
with the `sync` worker.

## Why it cuts the stream
gunicorn starts without a word, and then every request is answered with HTTP 500: `TypeError: FastAPI.__call__()
missing 1 required positional argument: 'send'`. A `sync` worker serves one request at a time: while one answer
streams, everybody else waits, and after `timeout` seconds the worker is killed in mid-stream.

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
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app.main:app"]
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
CMD ["gunicorn", "--worker-class", "uvicorn_worker.UvicornWorker", "--bind", "0.0.0.0:8000", "app.main:app"]
```

## Fix
None: the worker class is another package (`uvicorn-worker`), or `gthread` with a number of threads that you choose.

## Limits
The application has to be found in the repository. A worker class of the project's own, or one that comes from a
variable, is not judged; neither is what a configuration file that is not in the repository may say.

## Evidence
`fixtures/LGS501/evidence.yaml`: both, and their repairs, with real gunicorn.

## References
- <https://docs.gunicorn.org/en/stable/settings.html>
- <https://github.com/Kludex/uvicorn-worker>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of
from lg_stream_lint.deploy.workers import Family, family_of
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.ways import Way


class WorkerCannotStream(DeployRule):
    """Compares the worker class with the application's interface."""

    about = ("worker_class",)
    severity = "error"

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        worker = server.get("worker_class") if server is not None and server.layer == "gunicorn" else None
        if server is None or worker is None or way.app is None:
            return
        family = family_of(worker.value)
        code = self.deployment.code(way)
        named = f"{worker.value}, its default" if not worker.explicit else str(worker.value)
        if family in Family.WSGI and code.interface == "asgi":
            self.report(
                worker.where,
                f"gunicorn runs {way.app.target}, an ASGI application, with a WSGI worker ({named}): it starts, and then answers "
                "every request with HTTP 500 (\"missing 1 required positional argument: 'send'\"). "
                "Set --worker-class uvicorn_worker.UvicornWorker (package uvicorn-worker).",
                way=way,
                hop=server,
                confidence=confidence_of(worker),
            )
        elif family == Family.SYNC and code.interface == "wsgi" and code.streams:
            self.report(
                worker.where,
                f"gunicorn's worker here ({named}) serves one request at a time: while one answer streams, everybody else waits, "
                "and a stream longer than the time-out is killed. Set --worker-class gthread and --threads to the number of "
                "streams that may run at once.",
                way=way,
                hop=server,
                confidence=confidence_of(worker),
                related=[Nearby(code.streams[0].where, "the stream")],
            )
