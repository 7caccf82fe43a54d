"""What production runs starts the server in development mode.

## What it does
Reports `--reload`, `fastapi dev`, `langgraph dev`, `debug` in the command of an image, a unit, a Procfile or a
manifest.

## Why it cuts the stream
A development server is one process for everybody, and it watches files: when one changes (a log, an upload, a mounted volume) it
takes no new requests until the streams that run have ended, or until a graceful time-out cuts them. One blocking call
stops them all. `langgraph dev` keeps every thread in memory only, so that a restart forgets the conversations.

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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--reload"]
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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
```

## Fix
None: the flag goes, or the file is one for development and its name says so.

## Limits
Plain compose files, shell scripts, Makefiles, and files whose path says `dev`, `local`, `test`, `example` or
`override` are somebody's desk and are not judged. A value that the environment decides is not known. An image's own command
is not judged either (by no rule) where every file that builds the image starts the same application by another command.

## Evidence
`fixtures/LGS510/evidence.yaml`: the documentation of FastAPI's command, cited.

## References
- <https://www.uvicorn.org/settings/>
- <https://fastapi.tiangolo.com/fastapi-cli/>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import place
from lg_stream_lint.rules.deployment import DeployRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.ways import Way


class DevelopmentServerInProduction(DeployRule):
    """Reports the development mode of what production runs."""

    about = ("development", "timeout", "keep_alive")

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        mode = server.get("development") if server is not None else None
        if server is None or mode is None or mode.value is not True or mode.overridable:
            return
        if server.layer != "langgraph" and not self.deployment.code(way).streams:
            return
        self.report(
            mode.where,
            f"{place(mode.where)} starts {server.layer} in development mode ({mode.key}) in what production runs: "
            "one process for everybody, which takes no new requests while it restarts for a changed file. Leave the mode out here, "
            "and keep it in a file for development.",
            way=way,
            hop=server,
        )
