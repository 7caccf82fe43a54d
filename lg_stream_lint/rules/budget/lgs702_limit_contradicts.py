"""One limit is written twice with different values.

## What it does
Advises where two places of the project set the same limit of one server or proxy to different values, and says which of them
counts: a command line wins over the environment, and that over a configuration file; of a flag given twice the last one
counts.

## Why it cuts the stream
The value that was raised after the last incident is not the one in force: `timeout = 120` in `gunicorn.conf.py` does nothing
while the Dockerfile says `--timeout 30`, and `WORKER TIMEOUT` comes after 30 s all the same.

## Example
```python title="app/main.py"
from fastapi import FastAPI

app = FastAPI()
```

```python title="gunicorn.conf.py"
worker_class = "uvicorn.workers.UvicornWorker"
graceful_timeout = 300
```

```dockerfile title="Dockerfile"
FROM python:3.12-slim
WORKDIR /srv
COPY . .
CMD ["gunicorn", "app.main:app", "--graceful-timeout", "400"]
```

## Use instead
```python title="app/main.py"
from fastapi import FastAPI

app = FastAPI()
```

```python title="gunicorn.conf.py"
worker_class = "uvicorn.workers.UvicornWorker"
graceful_timeout = 400
```

```dockerfile title="Dockerfile"
FROM python:3.12-slim
WORKDIR /srv
COPY . .
CMD ["gunicorn", "app.main:app"]
```

## Fix
None: which of the two was meant is yours to say.

## Limits
Values that cannot be read are not compared. A value that a deeper level of one file replaces (nginx' locations) is no
contradiction.

## Evidence
`fixtures/LGS702/evidence.yaml`: the order in which gunicorn reads its three sources.

## References
- <https://docs.gunicorn.org/en/stable/configure.html>
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lg_stream_lint.finding import Severity
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Hop, Setting


class LimitContradicts(DeployRule):
    """Looks at each hop for settings of one name that are overruled by another value."""

    about = ("timeout", "graceful_timeout")
    severity = Severity.INFO

    def check(self) -> None:
        """Judge every hop of the repository."""
        for hop in self.deployment.hops:
            for setting in hop.settings:
                winner = hop.get(setting.name) if setting.overruled else None
                if winner is not None and winner.explicit and winner.value != setting.value and setting.kind:
                    self._report(hop, setting, winner)

    def _report(self, hop: Hop, setting: Setting, winner: Setting) -> None:
        where = f"{os.path.basename(winner.where.path)}:{winner.where.span.row}"
        self.report(
            setting.where,
            f"{setting.key} = {_text(setting)} here has no effect: {where} sets {_text(winner)}, and that is what "
            f"{hop.layer} does. Keep one of the two.",
            hop=hop,
            related=[Nearby(winner.where, f"this counts: {_text(winner)}")],
        )


def _text(setting: Setting) -> str:
    return setting.written or ("no limit" if setting.value is None else f"{setting.value:g}")
