"""A finding in Python that the files around it make worse, or needless."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.config import Config
from lg_stream_lint.engine import run
from lg_stream_lint.finding import Finding
from tests.projects import Project

SLEEPS = """\
import time

from fastapi import FastAPI
from langchain_openai import ChatOpenAI

app = FastAPI()
model = ChatOpenAI(model="gpt-4o-mini", timeout=60)


@app.get("/chat")
async def chat():
    time.sleep(SECONDS)
    return {"answer": (await model.ainvoke("hello")).content}
"""
ASKS = SLEEPS.replace("import time", "import requests").replace(
    "time.sleep(SECONDS)", 'requests.get("http://x.example")'
)
AGENT = """\
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

app = FastAPI()


def search(query: str) -> str:
    \"\"\"Search the archive.\"\"\"
    return query


agent = create_agent(ChatOpenAI(model="gpt-4o-mini", timeout=60), tools=[search])


async def frames():
    try:
        async for event in agent.astream_events({"messages": [("user", "hello")]}):
            yield f"data: {json.dumps(event['event'])}\\n\\n"
    except Exception:
        yield 'event: error\\ndata: {"error": "the model failed"}\\n\\n'


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream")
"""
PINGS = AGENT.replace("fastapi.responses import StreamingResponse", "sse_starlette import EventSourceResponse").replace(
    'StreamingResponse(frames(), media_type="text/event-stream")', "EventSourceResponse(frames(), ping=PING)"
)
GUNICORN = 'FROM python:3.12\nCOPY . .\nCMD ["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "app.main:app"]\n'
UVICORN = 'FROM python:3.12\nCOPY . .\nCMD ["uvicorn", "app.main:app", "--port", "8000"]\n'
COMPOSE = """\
services:
  api:
    build: .
  nginx:
    image: nginx:1.25
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf"]
"""
NGINX = """\
http {
  server {
    location / {
      proxy_pass http://api:8000;
      proxy_http_version 1.1;
      SETTINGS
    }
  }
}
"""


def found(root: Path, code: str, **files: str) -> list[Finding]:
    """The findings of one rule in a project of these files; ``_`` in a name stands for the dot, ``main`` for the application."""
    names = {"main": "app/main.py", "dockerfile": "Dockerfile", "compose": "compose.yaml", "nginx": "nginx.conf"}
    written = {names[name]: text.encode() for name, text in files.items()}
    Project("compound", {"app/__init__.py": b"", **written}).write(root)
    result = run([str(root)], Config(pedantic=True, select=(code,)))
    assert result.errors == ()
    return list(result.findings)


class TestBlocking:
    """LGS204: what kills the process that blocks."""

    def test_gunicorn_kills_the_worker(self, root: Path) -> None:
        (finding,) = found(root, "LGS204", main=ASKS, dockerfile=GUNICORN)
        assert finding.severity == "error"
        assert "gunicorn (timeout 30 s, Dockerfile:3) kills the worker with all of them" in finding.message
        assert [Path(place.path).name for place in finding.related] == ["Dockerfile"]

    @pytest.mark.parametrize(("seconds", "severity"), [("1", "warning"), ("16", "error")])
    def test_a_written_length_is_compared_with_half_of_it(self, root: Path, seconds: str, severity: str) -> None:
        (finding,) = found(root, "LGS204", main=SLEEPS.replace("SECONDS", seconds), dockerfile=GUNICORN)
        assert finding.severity == severity

    @pytest.mark.parametrize(
        ("body", "severity"),
        [
            ('socket.getaddrinfo("x.example", 443)', "warning"),
            ('for found in socket.getaddrinfo("x.example", 443):\n        print(found)', "warning"),
            ('[found for found in socket.getaddrinfo("x.example", 443)]', "warning"),
            ('for name in ("x.example", "y.example"):\n        socket.getaddrinfo(name, 443)', "error"),
            ('[socket.getaddrinfo(name, 443) for name in ("x.example", "y.example")]', "error"),
            ('[f for name in ("x.example", "y.example") for f in socket.getaddrinfo(name, 443)]', "error"),
        ],
    )
    def test_a_resolver_gives_up_and_a_loop_asks_again(self, root: Path, body: str, severity: str) -> None:
        main = SLEEPS.replace("import time", "import socket").replace("time.sleep(SECONDS)", body)
        (finding,) = found(root, "LGS204", main=main, dockerfile=GUNICORN)
        assert finding.severity == severity

    @pytest.mark.parametrize(("seconds", "codes"), [("3", []), ("30", ["LGS502"])])
    def test_the_length_of_a_call_in_a_helper_counts(self, root: Path, seconds: str, codes: list[str]) -> None:
        main = "import requests\n" + AGENT.replace("async def chat():", "async def chat():\n    ask()")
        main += f'\n\ndef ask():\n    requests.get("http://x.example", timeout={seconds})\n'
        result = found(root, "LGS502", main=main, dockerfile=GUNICORN)
        assert [finding.code for finding in result] == codes
        assert all("requests.get() in ask() at main.py:" in finding.message for finding in result)

    @pytest.mark.parametrize(("worker", "severity"), [("uvicorn.workers.UvicornWorker", "error"), ("asgi", "warning")])
    def test_gunicorns_own_worker_reports_each_second(self, root: Path, worker: str, severity: str) -> None:
        dockerfile = GUNICORN.replace("uvicorn.workers.UvicornWorker", worker)
        (finding,) = found(root, "LGS204", main=SLEEPS.replace("SECONDS", "20"), dockerfile=dockerfile)
        assert finding.severity == severity

    @pytest.mark.parametrize(("failures", "severity"), [(3, "error"), (10, "warning")])
    def test_a_patient_probe_restarts_nothing(self, root: Path, failures: int, severity: str) -> None:
        probe = f"{{httpGet: {{path: /, port: 8000}}, failureThreshold: {failures}}}"
        pod = (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: chat}\nspec:\n  containers:\n    - name: api\n"
            f"      image: chat\n      command: [uvicorn, 'app.main:app']\n      livenessProbe: {probe}\n"
        )
        (root / "pod.yaml").write_text(pod, encoding="utf-8")
        (finding,) = found(root, "LGS204", main=ASKS)
        assert finding.severity == severity

    def test_uvicorn_has_no_watchdog(self, root: Path) -> None:
        (finding,) = found(root, "LGS204", main=ASKS, dockerfile=UVICORN)
        assert finding.severity == "warning"

    def test_no_watchdog_without_a_limit(self, root: Path) -> None:
        dockerfile = GUNICORN.replace('"app.main', '"--timeout", "0", "app.main')
        (finding,) = found(root, "LGS204", main=ASKS, dockerfile=dockerfile)
        assert finding.severity == "warning"

    def test_another_application_is_none_of_its_business(self, root: Path) -> None:
        (finding,) = found(root, "LGS204", main=ASKS, dockerfile=GUNICORN.replace("app.main", "other.main"))
        assert finding.severity == "warning"


class TestHeartbeat:
    """LGS310: who closes a silent connection, and when."""

    def silent(self, root: Path, main: str, settings: str) -> list[Finding]:
        nginx = NGINX.replace("SETTINGS", settings)
        return found(root, "LGS310", main=main, dockerfile=UVICORN, compose=COMPOSE, nginx=nginx)

    @pytest.mark.parametrize(("seconds", "pings_help"), [(10, False), (15, False), (30, True)])
    def test_no_ping_is_advised_that_comes_too_late(self, root: Path, seconds: int, pings_help: bool) -> None:
        (finding,) = self.silent(root, AGENT, f"proxy_read_timeout {seconds}s;")
        assert ("every 15 s" in finding.message) == pings_help
        assert ("Set proxy_read_timeout above a minute there" in finding.message) != pings_help
        nginx = NGINX.replace("SETTINGS", f"proxy_read_timeout {seconds}s;")
        (limit,) = found(root, "LGS602", main=AGENT, dockerfile=UVICORN, compose=COMPOSE, nginx=nginx)
        assert ("sse-starlette does" in limit.message) == pings_help

    def test_a_short_limit_makes_it_a_warning(self, root: Path) -> None:
        (finding,) = self.silent(root, AGENT, "proxy_read_timeout 30s;")
        assert finding.severity == "warning"
        assert "nginx.conf:6 closes silent connections after 30 s" in finding.message

    def test_the_default_of_a_proxy_in_the_project_is_one(self, root: Path) -> None:
        (finding,) = self.silent(root, AGENT, "")
        assert finding.severity == "warning"
        assert "nginx.conf:4 closes silent connections after 60 s" in finding.message

    def test_a_long_limit_leaves_it_advice(self, root: Path) -> None:
        (finding,) = self.silent(root, AGENT, "proxy_read_timeout 600s;")
        assert finding.severity == "info"

    @pytest.mark.parametrize(("ping", "severities"), [("15", []), ("30", ["error"]), ("45", ["error"])])
    def test_a_heartbeat_must_be_faster_than_the_limit(self, root: Path, ping: str, severities: list[str]) -> None:
        findings = self.silent(root, PINGS.replace("PING", ping), "proxy_read_timeout 30s;")
        assert [finding.severity for finding in findings] == severities


class TestBuffering:
    """LGS406: what the proxies in front of it do."""

    def buffered(self, root: Path, settings: str) -> list[str]:
        nginx = NGINX.replace("SETTINGS", settings)
        findings = found(root, "LGS406", main=AGENT, dockerfile=UVICORN, compose=COMPOSE, nginx=nginx)
        return [finding.severity for finding in findings]

    def test_silent_where_it_is_turned_off(self, root: Path) -> None:
        assert self.buffered(root, "proxy_buffering off;") == []

    def test_a_warning_where_it_is_on(self, root: Path) -> None:
        assert self.buffered(root, "") == ["warning"]

    def test_a_warning_where_no_proxy_is_in_sight(self, root: Path) -> None:
        findings = found(root, "LGS406", main=AGENT, dockerfile=UVICORN)
        assert [finding.severity for finding in findings] == ["warning"]
