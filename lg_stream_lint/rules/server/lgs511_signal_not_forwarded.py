"""A shell between the container and the server keeps SIGTERM for itself.

## What it does
Reports a shell-form `CMD` or `ENTRYPOINT`, or `sh -c`, without `exec` in an image whose `/bin/sh` is dash (Debian,
Ubuntu and what is made from them: `python:3.12-slim`); and in any image a server in a pipeline, or one that the image's start
script runs without `exec`.

## Why it cuts the stream
`docker stop`, and every deploy, sends SIGTERM to process 1. That is the shell, which does not pass it on: the
server never hears of the shutdown, drains nothing, and is killed with all its streams when the grace time is over.
`Waiting for connections to close` never appears in the log, and each deploy takes the full 10 or 30 s. With an init process
before the shell (`tini`, `dumb-init`, compose's `init: true`) it is worse: the shell, no longer process 1, dies of the signal,
the container ends with it, and every stream is cut at once.

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
CMD uvicorn app.main:app --host 0.0.0.0 --port ${PORT:-8000}
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
CMD exec uvicorn app.main:app --host 0.0.0.0 --port ${PORT:-8000}
```

## Fix
Unsafe: `exec` before the server. Not offered in a pipeline, where it does not help.

## Limits
bash replaces itself by the last command of `-c`, so images whose `sh` is bash are fine there; Alpine's is not judged. Of scripts
only those of the repository are followed, and one that sets a `trap` is taken to pass signals on.

## Evidence
Docker's own words, cited in `fixtures/LGS511/evidence.yaml`. Measured apart, in a PID namespace with dash 0.5.12 and bash as
process 1: the server behind them never hears SIGTERM; with `exec` it does, and so it does behind bash's `-c`. With tini 0.19.0
(with and without `-g`) or dumb-init 1.2.5 before `sh -c` or a script, the container ended 0.1 s after the signal with the server
in it.

## References
- <https://docs.docker.com/reference/dockerfile/#shell-form-entrypoint-example>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.finding import Edit, Fix
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.files import Context
    from lg_stream_lint.deploy.settings import Setting
    from lg_stream_lint.deploy.ways import Way


class SignalNotForwarded(DeployRule):
    """Reports shells between the host and the server."""

    about = ("shell", "stop_grace")
    fix = "unsafe"

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        shell = server.get("shell") if server is not None else None
        if server is None or shell is None or shell.value is False or not self.deployment.code(way).streams:
            return
        init = next((found for hop in (server, *way.hosts) if (found := hop.get("init")) and found.value), None)
        piped = shell.value == "pipeline"
        keeps = {"pipeline": "the pipeline's shell", "script": "the script's shell"}.get(shell.value, "/bin/sh")
        todo = "Start it without the pipeline, in exec form." if piped else "Write exec before it."
        seen = (
            f"SIGTERM never reaches {server.layer} here, as {keeps} stands before it and does not pass signals on: on every "
            "deploy nothing drains, and running streams are cut when the container's grace time ends."
        )
        if init is not None:
            seen = (
                f"On every deploy the init process ({init.key}) hands SIGTERM to {keeps}, which stands before {server.layer} and "
                "dies of it: the container ends with it, and running streams are cut at once."
            )
        self.report(
            shell.where,
            f"{seen} {todo}",
            way=way,
            hop=server,
            related=[Nearby(init.where, "the init process")] if init is not None else [],
            fix=None if piped else _fix(shell, self.deployment.context),
        )


def _fix(shell: Setting, context: Context) -> Fix | None:
    """``exec`` before the program, where its place is known to the letter."""
    row, column = shell.where.span.row, shell.where.span.column
    line = context.open(shell.where.path).lines[row - 1]
    if not shell.written or not line.startswith(shell.written, column - 1):
        return None
    at = shell.where.span._replace(end_row=row, end_column=column)
    return Fix("unsafe", "exec before the server", (Edit(at, "exec "),))
