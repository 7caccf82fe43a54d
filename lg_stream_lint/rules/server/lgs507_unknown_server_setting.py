"""A setting that the server does not know, and ignores without a word.

## What it does
Reports a name in a `gunicorn.conf.py`, or a `UVICORN_…` variable, that the server does not know and that means one
of the settings a stream depends on: `keep_alive` for `keepalive`, `gracefull_timeout`, `UVICORN_TIMEOUT_KEEPALIVE`.

## Why it cuts the stream
A configuration file is a Python module, and gunicorn reads the names that it knows; every other name is just a
variable. The setting looks raised and is not: workers are still killed after 30 s, streams are still cut on every deploy.

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

```python title="gunicorn.conf.py"
worker_class = "uvicorn_worker.UvicornWorker"
wsgi_app = "app.main:app"
gracefull_timeout = 310
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

```python title="gunicorn.conf.py"
worker_class = "uvicorn_worker.UvicornWorker"
wsgi_app = "app.main:app"
graceful_timeout = 310
```

## Fix
Safe: the name that was meant.

## Limits
Names that are used elsewhere in the file are helpers of the file's own. The rule is silent where the name that was
meant is set as well, and about names that resemble none. Flags on a command line that a server does
not know stop it at once, and need no rule.

## Evidence
`fixtures/LGS507/evidence.yaml`: gunicorn starts, and does not follow the name.

## References
- <https://docs.gunicorn.org/en/stable/settings.html>
- <https://www.uvicorn.org/settings/>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.finding import Edit, Fix
from lg_stream_lint.rules.deployment import DeployRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Setting


class UnknownServerSetting(DeployRule):
    """Reports the names that readers found unknown."""

    about = ("unknown",)
    severity = "error"
    fix = "safe"

    def check(self) -> None:
        """Look at every server."""
        for hop in self.deployment.hops:
            for setting in hop.settings:
                if setting.name == "unknown" and setting.value:
                    self.report(
                        setting.where,
                        f"{hop.layer} does not know {setting.key} and ignores it without a word: it looks configured, and is not. "
                        f"The name is {setting.value}.",
                        hop=hop,
                        fix=_fix(setting),
                    )


def _fix(setting: Setting) -> Fix | None:
    """The right name in the place of the wrong one, where the place holds nothing else."""
    span = setting.where.span
    if span.row != span.end_row or span.end_column - span.column != len(setting.key):
        return None
    return Fix("safe", f"write {setting.value}", (Edit(span, str(setting.value)),))
