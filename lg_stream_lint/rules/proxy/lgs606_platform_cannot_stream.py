"""What stands between the application and its readers hands on whole responses only.

## What it does
Reports a streaming application behind something that cannot stream, or is not told to: Mangum and the WSGI adapters for Lambda
(`apig_wsgi`, `awsgi`, `serverless_wsgi`), a Lambda function URL in the mode `BUFFERED`, a REST API of API Gateway in that mode, an
HTTP API of API Gateway, a function as the target of a load balancer, Lambda Web Adapter that is not told to stream. It reads
CloudFormation, SAM, `serverless.yml`, Terraform and the CDK in Python; an adapter is found without any of them.

## Why it cuts the stream
The answer is collected until it is complete and then sent at once: no token arrives before the last one. What takes longer than
the platform's limit (29 s in API Gateway) is no answer at all but an error, as not a byte has been sent.

## Example
```python title="app/main.py"
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from mangum import Mangum

app = FastAPI()


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


handler = Mangum(app)
```

```yaml title="template.yaml"
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.main.handler
      Runtime: python3.12
      Timeout: 900
      FunctionUrlConfig:
        AuthType: NONE
        InvokeMode: RESPONSE_STREAM
```

## Use instead
Run the server itself, with Lambda Web Adapter between it and Lambda, and tell both to stream:

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

```bash title="run.sh"
#!/bin/bash
exec python -m uvicorn --port=8000 app.main:app
```

```yaml title="template.yaml"
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::Serverless::Function
    Properties:
      Handler: run.sh
      Runtime: python3.12
      Timeout: 900
      Environment:
        Variables:
          AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap
          AWS_LWA_INVOKE_MODE: response_stream
          PORT: 8000
      FunctionUrlConfig:
        AuthType: NONE
        InvokeMode: RESPONSE_STREAM
```

## Fix
None: what to run the application on is a decision.

## Limits
Only for applications that stream a model's answer. An adapter in a project whose application a server runs as well, with no
function in sight, is a warning: it may be left over. Where a function runs an image whose Dockerfile is not known, the way is not
sure, and the finding is a warning of medium confidence. App Engine is not judged: what it does today is not documented.

## Evidence
`fixtures/LGS606/evidence.yaml`: the fixtures' handlers, asked as Lambda asks them.

## References
- <https://docs.aws.amazon.com/lambda/latest/dg/config-rs-invoke-furls.html>
- <https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html>
- <https://aws.github.io/aws-lambda-web-adapter/>
- <https://mangum.fastapiexpert.com/>
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.carries import through
from lg_stream_lint.deploy.files import NotRead
from lg_stream_lint.deploy.settings import Kind, Role
from lg_stream_lint.deploy.ways import App, Way
from lg_stream_lint.finding import Severity
from lg_stream_lint.rules.deployment import Nearby
from lg_stream_lint.rules.proxy.base import FUNCTIONS, ProxyRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop, Setting, Where

_ADAPTERS = (b"Mangum", b"apig_wsgi", b"awsgi", b"serverless_wsgi")
_ADAPTER = (
    "Run the application as a server behind Lambda Web Adapter, with AWS_LWA_INVOKE_MODE=response_stream and a function URL in "
    "the mode RESPONSE_STREAM, or outside Lambda."
)
_REPAIRS = {
    "HTTP API": "Use a REST API with the response transfer mode STREAM, or a function URL in the mode RESPONSE_STREAM.",
    "TargetType": "Use a function URL in the mode RESPONSE_STREAM, or run the application in a container.",
    "AWS_LWA_INVOKE_MODE": "Set AWS_LWA_INVOKE_MODE to response_stream.",
}


class PlatformCannotStream(ProxyRule):
    """Looks for what collects an answer: on each way, and in the code."""

    about = ("cannot_stream",)
    severity = Severity.ERROR

    def check(self) -> None:
        """The ways, then the adapters in Python files, whether or not a file says what runs them."""
        super().check()
        for path in self.deployment.readings:
            if path.endswith(".py") and self._holds_adapter(path):
                self._check_adapters(path)

    def check_way(self, way: Way) -> None:
        """Judge one way."""
        if way.app is None and way.server is not None and way.server.layer in FUNCTIONS:
            return  # what it runs is not in this project
        code = self.deployment.code(way)
        for hop in way.hops:
            whole = hop.get("cannot_stream")
            if whole is None:
                continue
            carried: CodeFacts | None = code if code.streams else None
            if hop.role == Role.PROXY:
                carried = through(hop, self.deployment.hops, code, sure=way.sure)
            if carried is not None and carried.streams:
                self._report(hop, way, carried, whole)

    def _report(self, hop: Hop, way: Way, code: CodeFacts, whole: Setting) -> None:
        limit = min(hop.limits(Kind.TOTAL), key=lambda setting: float(setting.value), default=None)
        late = f", or gets an error after {limit.value:g} s" if limit is not None else ""
        reason = str(whole.value)
        repair = _REPAIRS.get(whole.key)
        if repair is None:
            wanted = "RESPONSE_STREAM" if hop.layer == "lambda" else "STREAM"
            behind = ", and run the application behind Lambda Web Adapter" if _has_function(way) else ""
            repair = f"Set {whole.key} to {wanted}{behind}."
        self.report(
            whole.where,
            f"{reason[0].upper()}{reason[1:]}: the reader of the stream at {self.place(code.streams[0].where)} sees all of it at "
            f"once{late}. {repair}",
            way=way,
            hop=hop,
            related=[Nearby(stream.where, "this stream is collected") for stream in code.streams[:3]],
        )

    # Adapters

    def _holds_adapter(self, path: str) -> bool:
        try:
            source = self.deployment.context.open(path).source
        except NotRead:
            return False
        return any(word in source for word in _ADAPTERS)

    def _check_adapters(self, path: str) -> None:
        """The adapters of one file, with the application that it imports."""
        code = self.deployment.code(Way((), App(path, path, ""), sure=True))
        if not code.streams:
            return
        severity = Severity.WARNING if self._is_served_otherwise(code) else Severity.ERROR
        for where in code.mangum:
            if where.path == path:
                self._report_adapter(where, code, severity)

    def _report_adapter(self, where: Where, code: CodeFacts, severity: str) -> None:
        self.report(
            where,
            f"{self._name(where)} collects the whole answer before it hands it to Lambda: no token of the stream at "
            f"{self.place(code.streams[0].where)} arrives before the last one, whatever the function URL or API Gateway is told. "
            f"{_ADAPTER}",
            severity=severity,
            related=[Nearby(stream.where, "this stream is collected") for stream in code.streams[:3]],
        )

    def _name(self, where: Where) -> str:
        file = self.deployment.context.open(where.path)
        text = file.text[file.offset(where.span.row, where.span.column) :]
        match = re.match(r"[\w.]+", text)
        return match[0] if match is not None else "This adapter"

    def _is_served_otherwise(self, code: CodeFacts) -> bool:
        """Whether a server runs the same streams, and no function is in sight."""
        if any(hop.layer == "lambda" for hop in self.deployment.hops):
            return False
        streams = set(code.streams)
        return any(
            way.server is not None and way.app is not None and streams & set(self.deployment.code(way).streams)
            for way in self.deployment.ways
        )


def _has_function(way: Way) -> bool:
    return any(hop.layer == "lambda" for hop in way.hops)
