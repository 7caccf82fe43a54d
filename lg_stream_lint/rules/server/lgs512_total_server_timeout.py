"""A server option that limits the whole response.

## What it does
Reports hypercorn's `--read-timeout` and daphne's `-t`/`--http-timeout` when they are shorter than the longest
answer.

## Why it cuts the stream
The names promise something else, but both count from the request to the end of the response, and tokens do not
reset them: hypercorn cancels the stream, and daphne even ends it properly, so that half an answer looks like a
whole one.

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

```text title="Procfile"
web: hypercorn app.main:app --graceful-timeout 310 --read-timeout 60
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

```text title="Procfile"
web: hypercorn app.main:app --graceful-timeout 310
```

## Fix
None: leave the option out, which means no limit.

## Limits
The longest answer is the largest time-out of a model in the project, 300 s where none is known.

## Evidence
`fixtures/LGS512/evidence.yaml`: hypercorn's read time-out and daphne's, scaled down to 2 s.

## References
- <https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html>
- <https://github.com/django/daphne>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, longest_answer, written
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.ways import Way


class TotalServerTimeout(DeployRule):
    """Compares a server's limit of a response with the longest answer."""

    about = ("response_limit",)

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        server = way.server
        limit = server.get("response_limit") if server is not None else None
        code = self.deployment.code(way)
        if server is None or limit is None or not limit.value or not limit.explicit or not code.streams:
            return
        answer = longest_answer(code)
        if limit.value >= answer.seconds:
            return
        seen = ", and ends it as if it were complete" if server.layer == "daphne" else ""
        self.report(
            limit.where,
            f"{server.layer} ends the whole response {limit.value:g} s after the request ({written(limit)}){seen}: it is a total "
            f"limit, pings do not reset it, and {answer.said}. Remove {limit.key}.",
            way=way,
            hop=server,
            confidence=confidence_of(limit),
            related=[Nearby(answer.where, "the model's time-out")] if answer.where is not None else [],
        )
