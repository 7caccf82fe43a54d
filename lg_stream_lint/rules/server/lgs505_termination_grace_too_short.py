"""What stops the server kills it before the server's own graceful time-out is over.

## What it does
Reports an outer grace (Kubernetes' `terminationGracePeriodSeconds`, compose's `stop_grace_period`, ECS' `stopTimeout`,
systemd's `TimeoutStopSec`), written or by default, that does not exceed the server's written graceful time-out, the
sleep of a `preStop` hook added. Where the server's is only a default it is advice.

## Why it cuts the stream
SIGTERM starts two clocks. The server's says how long running streams may go on; the outer one ends in SIGKILL, which no
program can answer. When the outer one is shorter the server's setting is void: every deploy cuts the answers that
are being written (`incomplete chunked read`), without a word in the log. In Kubernetes the hook's time counts too.

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
      terminationGracePeriodSeconds: 60
      containers:
        - name: api
          image: registry.example.com/chat:1
          command: [gunicorn, -k, uvicorn_worker.UvicornWorker, --graceful-timeout, "310", app.main:app]
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
      terminationGracePeriodSeconds: 330
      containers:
        - name: api
          image: registry.example.com/chat:1
          command: [gunicorn, -k, uvicorn_worker.UvicornWorker, --graceful-timeout, "310", app.main:app]
```

## Fix
None: how long a deploy may take is your choice.

## Limits
Whether the server's own time is enough for an answer is LGS504's question; where both are defaults and LGS504 reports the
server's, it speaks for both. A chart's value is its default: what an
installation sets is not seen, so the finding is a warning then. `kubectl delete --grace-period` is not seen.

## Evidence
`fixtures/LGS505/evidence.yaml`: SIGTERM in mid-stream, SIGKILL after the outer grace.

## References
- <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination>
- <https://github.com/compose-spec/compose-spec/blob/main/05-services.md>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, longest_answer, place, written
from lg_stream_lint.deploy.workers import serves_nothing
from lg_stream_lint.finding import Severity
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way


class TerminationGraceTooShort(DeployRule):
    """Compares what stops a server with what the server wants to wait."""

    about = ("stop_grace",)
    severity = "error"

    def check_way(self, way: Way) -> None:
        """Judge each thing that can stop the server."""
        server = way.server
        code = self.deployment.code(way)
        if server is None or not code.streams or serves_nothing(server, code.interface):
            return
        own = server.get("graceful_timeout")
        for host in way.hosts:
            outer = host.get("stop_grace")
            if own is not None and outer is not None and outer.value is not None:
                self._compare(way, server, own, host, outer)

    def _compare(self, way: Way, server: Hop, own: Setting, host: Hop, outer: Setting) -> None:
        hook = host.get("pre_stop")
        before = hook.value if hook is not None else 0.0
        if own.explicit and own.value is not None:
            if outer.value <= own.value + before:
                self._too_short(way, server, own, host, outer)
        elif not own.explicit and not outer.explicit:
            self._both_default(way, server, own, outer, host)

    def _too_short(self, way: Way, server: Hop, own: Setting, host: Hop, outer: Setting) -> None:
        hook = host.get("pre_stop")
        before = hook.value if hook is not None else 0.0
        related = [Nearby(own.where, f"{server.layer} would wait {own.value:g} s")]
        after = ""
        if hook is not None and before:
            related.append(Nearby(hook.where, f"the hook takes {before:g} s of it"))
            after = f" after the {before:g} s of the preStop hook"
        sure = not outer.overridable and not own.overridable
        self.report(
            outer.where,
            f"On every deploy {host.layer} kills the server {outer.value:g} s after it began to stop ({written(outer)}), while "
            f"{server.layer} lets running streams go on for {own.value:g} s{after} ({place(own.where)}): what still streams "
            f"then is cut. Set {outer.key} above {own.value + before:g} s.",
            way=way,
            hop=host,
            severity=Severity.ERROR if sure else Severity.WARNING,
            confidence=confidence_of(own if own.overridable else outer),
            related=related,
        )

    def _both_default(self, way: Way, server: Hop, own: Setting, outer: Setting, host: Hop) -> None:
        """Nobody has thought of it: the outer default decides. Where LGS504 warns of the server's, that says it for both."""
        answer = longest_answer(self.deployment.code(way))
        if (own.value is not None and own.value < outer.value) or outer.value >= answer.seconds:
            return
        if own.value is not None and own.value < answer.seconds and answer.where is not None:
            return
        self.report(
            outer.where,
            f"On every deploy the streams that still run after {outer.value:g} s are cut: {host.layer} waits no longer before it "
            f"kills {server.layer} (its default), and {answer.said}. Set {outer.key} above {answer.seconds:g} s.",
            way=way,
            hop=host,
            severity=Severity.INFO,
            related=[Nearby(answer.where, "the model's time-out")] if answer.where is not None else [],
        )
