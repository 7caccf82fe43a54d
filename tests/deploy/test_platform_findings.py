"""LGS603 and LGS606: how sure they are, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.config import Config
from lg_stream_lint.deploy.deployment import forget_deployments
from lg_stream_lint.engine import run
from lg_stream_lint.finding import Finding
from tests.projects import Project

APP = """\
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


async def frames():
    yield f"data: {json.dumps({'token': 'a'})}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
"""
MANGUM = (
    APP.replace("from fastapi.responses", "from mangum import Mangum\nfrom fastapi.responses")
    + "\n\nhandler = Mangum(app)\n"
)
DOCKERFILE = 'FROM python:3.12\nCMD ["uvicorn", "main:app", "--port", "8000"]\n'
FUNCTION = """\
resource "aws_lambda_function" "chat" {
  RUNS
  timeout = 900
}
resource "aws_lambda_function_url" "chat" {
  function_name = aws_lambda_function.chat.function_name
  invoke_mode   = "RESPONSE_STREAM"
}
"""
HANDLER = FUNCTION.replace("RUNS", 'handler = "main.handler"\n  runtime = "python3.12"')
IMAGE = FUNCTION.replace("RUNS", 'package_type = "Image"\n  image_uri = var.image').replace(
    "RESPONSE_STREAM", "BUFFERED"
)


def findings(root: Path, **files: str) -> list[Finding]:
    content = {name.replace("__", "."): text.encode() for name, text in files.items()}
    forget_deployments()
    found = run([str(Project("platforms", content).write(root))], Config(jobs=1))
    assert not found.errors
    return [finding for finding in found.findings if finding.code in ("LGS603", "LGS606")]


def judged(root: Path, **files: str) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity, finding.confidence) for finding in findings(root, **files)]


def test_an_adapter_alone_is_an_error(root: Path) -> None:
    assert judged(root, main__py=MANGUM) == [("LGS606", "error", "high")]


def test_an_adapter_beside_a_server_may_be_left_over(root: Path) -> None:
    assert judged(root, main__py=MANGUM, Dockerfile=DOCKERFILE) == [("LGS606", "warning", "high")]


def test_an_adapter_beside_a_server_and_a_function_is_an_error(root: Path) -> None:
    assert judged(root, main__py=MANGUM, Dockerfile=DOCKERFILE, main__tf=HANDLER) == [("LGS606", "error", "high")]


def test_a_function_whose_image_is_not_known_makes_a_warning(root: Path) -> None:
    found = judged(root, main__py=APP, Dockerfile=DOCKERFILE, main__tf=IMAGE)
    assert found == [("LGS606", "warning", "medium")]


def test_a_function_whose_code_is_elsewhere_says_nothing(root: Path) -> None:
    elsewhere = (
        HANDLER.replace("main.handler", "other.handler").replace("900", "5").replace("RESPONSE_STREAM", "BUFFERED")
    )
    assert judged(root, main__py=APP, main__tf=elsewhere) == []


@pytest.mark.parametrize(("seconds", "expected"), [("299", 1), ("300", 0), ("900", 0)])
def test_three_hundred_seconds_are_enough(seconds: str, expected: int, root: Path) -> None:
    limit = f'resource "google_cloud_run_v2_service" "api" {{\n  template {{\n    timeout = "{seconds}s"\n  }}\n}}\n'
    found = findings(root, main__py=APP, Dockerfile=DOCKERFILE, main__tf=limit)
    assert len(found) == expected
    for finding in found:
        assert "pings do not reset it" in finding.message
        assert finding.span.row == 3


REPLACEABLE = """\
variable "s" {
  default = 60
}
resource "google_cloud_run_v2_service" "api" {
  template {
    timeout = "${var.s}s"
    containers {
      command = ["uvicorn", "main:app"]
    }
  }
}
"""


def test_what_the_environment_can_replace_is_of_medium_confidence(root: Path) -> None:
    assert judged(root, main__py=APP, main__tf=REPLACEABLE) == [("LGS603", "warning", "medium")]
