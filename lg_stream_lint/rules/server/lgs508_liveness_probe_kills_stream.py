"""A liveness probe restarts the container while a call blocks the event loop.

## What it does
Reports an HTTP liveness probe that gives up within a minute, on a container whose application blocks its event loop
(LGS201, LGS204): the probe is answered by the same loop.

## Why it cuts the stream
While a call blocks the loop nobody answers `/health`. After a few probes without an answer (21 s by default: three
failures, 10 s apart, 1 s each) Kubernetes takes the container for dead and restarts it, with every stream in it. It
looks like a crash, comes under load only, and the log says `Liveness probe failed: context deadline exceeded`.

## Example
```python title="app/main.py"
import json

import requests
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    found = requests.get("https://search.example.com").text
    yield f"data: {json.dumps({'token': found})}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
```

```yaml title="deployment.yaml"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
spec:
  selector:
    matchLabels: {app: chat}
  template:
    metadata:
      labels: {app: chat}
    spec:
      containers:
        - name: api
          image: registry.example.com/chat:1
          command: [uvicorn, app.main:app, --host, 0.0.0.0]
          livenessProbe:
            httpGet: {path: /health, port: 8000}
```

## Use instead
Take the call off the event loop; the probe may stay.

```python title="app/main.py"
import json

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    async with httpx.AsyncClient() as client:
        found = (await client.get("https://search.example.com")).text
    yield f"data: {json.dumps({'token': found})}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
```

```yaml title="deployment.yaml"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
spec:
  selector:
    matchLabels: {app: chat}
  template:
    metadata:
      labels: {app: chat}
    spec:
      containers:
        - name: api
          image: registry.example.com/chat:1
          command: [uvicorn, app.main:app, --host, 0.0.0.0]
          livenessProbe:
            httpGet: {path: /health, port: 8000}
```

## Fix
None: the call has to leave the event loop.

## Limits
Probes by TCP or by a command are not meant: the kernel, or another process, answers them. Neither are the probes of other
containers in the pod, and calls known to be shorter than what the probe bears: a sleep, a call with a `timeout=`, a look-up of
a name (`socket.getaddrinfo`), which takes milliseconds and which the resolver gives up after 10 s. In a loop they add up. With
several workers another one may answer: the finding is of medium confidence then.

## Evidence
`fixtures/LGS508/evidence.yaml`: what Kubernetes says of probes; that a blocked loop answers nobody is LGS204's evidence.

## References
- <https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/>
- <https://github.com/kubernetes-client/go/blob/master/kubernetes/docs/V1Probe.md>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, place
from lg_stream_lint.finding import Confidence
from lg_stream_lint.python.around import PATIENT
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way


class LivenessProbeKillsStream(DeployRule):
    """Looks at the probes of what runs an application that blocks its event loop."""

    about = ("liveness",)

    def check_way(self, way: Way) -> None:
        """Judge the probe of each host."""
        for host in way.hosts:
            timeout, period, failures = (host.get(n) for n in ("liveness", "liveness_period", "liveness_failures"))
            if timeout is not None and period is not None and failures is not None:
                self._judge(way, host, timeout, period.value * (failures.value - 1) + timeout.value)

    def _judge(self, way: Way, host: Hop, timeout: Setting, bears: float) -> None:
        code = self.deployment.code(way)
        blocking = [block for block in code.blocking if block.seconds is None or block.seconds >= bears]
        if bears > PATIENT or not code.streams or not blocking:
            return
        first = blocking[0]
        several = way.server is not None and (way.server.value("workers") or 1) > 1
        self.report(
            timeout.where,
            f"{first.what} at {place(first.where)} blocks the event loop, which answers the liveness probe too: when it takes "
            f"longer than {bears:g} s Kubernetes restarts the container with every stream in it. Take the call off the event loop; "
            "a longer timeoutSeconds only hides it.",
            way=way,
            hop=host,
            confidence=Confidence.MEDIUM if several else confidence_of(timeout),
            related=[Nearby(block.where, f"{block.code}: blocks the event loop") for block in blocking[:5]],
        )
