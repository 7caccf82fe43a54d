"""A limit of the whole response ends the stream in the middle of an answer.

## What it does
Reports a proxy or platform on the way of a stream that limits how long a whole response may take, to less than 300 s or to less
than the model's own time-out: an Envoy route (15 s by default), Contour, Istio's and the Gateway API's `timeouts.request`, Google's
load balancer (30 s by default), Cloud Run, a Lambda function, API Gateway, Vercel's `maxDuration`. It reads Kubernetes manifests,
proxies' configurations, Terraform, CloudFormation, SAM, `serverless.yml`, the platforms' own files, and `gcloud run deploy` in
scripts, Cloud Build's steps and GitHub's workflows.

## Why it cuts the stream
The clock starts with the request, and no byte resets it. An answer that takes longer ends in the middle, always after the same
number of seconds, with HTTP 200 in the access log: pings do not help, and raising an idle limit does not either.

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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8080"]
```

```terraform title="main.tf"
resource "google_cloud_run_v2_service" "api" {
  name     = "api"
  location = "europe-west1"
  template {
    timeout = "60s"
    containers {
      image = "europe-docker.pkg.dev/project/images/api"
    }
  }
}
```

## Use instead
Allow the longest answer:

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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8080"]
```

```terraform title="main.tf"
resource "google_cloud_run_v2_service" "api" {
  name     = "api"
  location = "europe-west1"
  template {
    timeout = "3600s"
    containers {
      image = "europe-docker.pkg.dev/project/images/api"
    }
  }
}
```

## Fix
None: how long your answers take is for you to say.

## Limits
A limit of 300 s and more is reported only where the model is given more in the code. Servers' own total limits are LGS502's and
LGS512's; a platform that hands on whole responses only is LGS606's. What is set in a console is not seen, nor is a limit of a
product whose default is not documented.

## Evidence
`fixtures/LGS603/evidence.yaml`: a real Envoy with a route's time-out, tokens flowing.

## References
- <https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts>
- <https://docs.cloud.google.com/run/docs/configuring/request-timeout>
- <https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>
- <https://vercel.com/docs/functions/configuring-functions/duration>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of
from lg_stream_lint.deploy.carries import through
from lg_stream_lint.deploy.settings import Kind, Role
from lg_stream_lint.finding import Confidence
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import FUNCTIONS, ProxyRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lg_stream_lint.deploy.code import CodeFacts, ModelFact
    from lg_stream_lint.deploy.settings import Hop, Setting
    from lg_stream_lint.deploy.ways import Way

#: Seconds; an answer that is not known to be shorter.
_ENOUGH = 300.0
#: What to do about the limits that are not simply raised.
_REPAIRS = {
    "envoy": "Set the route's timeout to 0s, and an idle_timeout in its place.",
    "contour": "Set timeoutPolicy.response to infinity and keep timeoutPolicy.idle.",
    "gateway-api": "Set timeouts.request to 0s, and a limit on silence in its place.",
    "istio": "Remove the route's timeout, or set it to 0s.",
    "lambda": "Raise it (900 s at most), or run the application outside Lambda.",
    "cloud-run": "Raise it above your longest answer (3600 s at most).",
    "api-gateway": "Raise it (15 minutes at most, in the mode STREAM).",
    "vercel": "Raise maxDuration (300 s at most on Hobby, 800 s on Pro), or let the client resume.",
    "railway": "Let the client resume the answer, or run longer ones elsewhere: this limit is fixed.",
}


class TotalLimitCutsStream(ProxyRule):
    """Compares each limit of a whole response on the way with the longest answer."""

    about = ("total_timeout",)

    def check_way(self, way: Way) -> None:
        """Judge one way: proxies that carry a stream, and platforms that run the application."""
        if way.app is None and way.server is not None and way.server.layer in FUNCTIONS:
            return  # what it runs is not in this project
        code = self.deployment.code(way)
        for hop in way.hops:
            if hop.get("cannot_stream") is not None:
                continue
            carried: CodeFacts | None = code if code.streams else None
            if hop.role == Role.PROXY:
                carried = through(hop, self.deployment.hops, code, sure=way.sure)
            if carried is None:
                continue
            for limit in _totals(hop):
                if carried.streams or limit.explicit:
                    self._compare(hop, way, carried, limit)

    def _compare(self, hop: Hop, way: Way, code: CodeFacts, limit: Setting) -> None:
        model = _given(code)
        longest = max(_ENOUGH, model.limit or 0.0) if model is not None else _ENOUGH
        if limit.value >= longest:
            return
        related = [Nearby(stream.where, "this stream is cut") for stream in code.streams[:3]]
        reason = ""
        if model is not None and model.limit is not None and model.limit > limit.value:
            related.append(Nearby(model.where, f"the model may take {model.limit:g} s"))
            reason = f", while the model may take {model.limit:g} s ({self.place(model.where)})"
        by_default = "" if limit.explicit or limit.fixed else ", the default"
        repair = _REPAIRS.get(hop.layer, f"Set {limit.key} above {longest:g} s, or above your longest answer.")
        self.report(
            limit.where,
            f"An answer that takes longer than {limit.value:g} s is cut in the middle: {hop.layer} limits the whole response "
            f"({limit.key}{by_default}){reason}, and pings do not reset it. {repair}",
            way=way,
            hop=hop,
            confidence=Confidence.MEDIUM if not code.streams else confidence_of(limit),
            related=related,
        )


def _totals(hop: Hop) -> Iterator[Setting]:
    """The limits of the whole response that are no server's own."""
    for limit in hop.limits(Kind.TOTAL):
        if hop.role == Role.PROXY or limit.name == "total_timeout":
            yield limit


def _given(code: CodeFacts) -> ModelFact | None:
    """The largest time-out that the project itself gives a model; a library's default says nothing of its answers."""
    known = [m for m in code.models if m.explicit and m.limit is not None and m.limit != float("inf")]
    return max(known, key=lambda model: model.limit or 0.0, default=None)
