"""An image's own command that what builds the image replaces: it is judged as long as somebody may run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint import engine
from lg_stream_lint.config import Config
from lg_stream_lint.deploy.deployment import forget_deployments

APP = (Path(__file__).parents[2] / "fixtures" / "LGS511" / "bad_shell_form" / "main.py").read_text(encoding="utf-8")
DOCKERFILE = "FROM python:3.12\nCMD uvicorn main:app --port 8000\n"
STAGES = "FROM python:3.12 AS base\nCMD uvicorn main:app\nFROM base AS last\nCMD uvicorn main:app --port 8000\n"
GUNICORN = "gunicorn -k uvicorn_worker.UvicornWorker --graceful-timeout 90 main:app"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: chat}
spec:
  terminationGracePeriodSeconds: 310
  containers:
    - name: api
      image: registry.example.com/chat:1
"""
FLY = 'app = "chat"\nkill_timeout = 300\n[build]\n  dockerfile = "Dockerfile"\n[http_service]\n  internal_port = 8000\n'


def service(name: str, command: str = "", build: str = ".") -> str:
    """A compose service that is built here, with a command of its own or the image's."""
    given = f"    command: {command}\n" if command else ""
    return f"  {name}:\n    build: {build}\n    stop_grace_period: 310s\n{given}"


def compose(*services: str) -> str:
    return "services:\n" + "".join(services)


def codes(folder: Path, files: dict[str, str]) -> list[str]:
    """The rules that find something in a project whose image starts its server through a shell, which is LGS511."""
    for name, text in {"main.py": APP, "pyproject.toml": "", "Dockerfile": DOCKERFILE, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    forget_deployments()
    result = engine.run([str(folder)], Config(jobs=1))
    assert result.errors == ()
    return [finding.code for finding in result.findings if finding.code.startswith("LGS5")]


REPLACED = {
    "by a service": {"compose.yaml": compose(service("api", GUNICORN))},
    "by every service": {"compose.yaml": compose(service("api", GUNICORN), service("more", GUNICORN))},
    "in production, and at a desk": {
        "compose.yaml": compose(service("api", "uvicorn main:app --reload")),
        "compose.prod.yaml": compose(service("api", GUNICORN)),
    },
    "by a pod": {"pod.yaml": f"{POD}      command: [{', '.join(GUNICORN.split())}]\n"},
    "by a process of a platform": {"fly.toml": f'{FLY}[processes]\n  app = "{GUNICORN}"\n'},
    "in the last stage": {
        "Dockerfile": STAGES,
        "compose.yaml": compose(service("api", GUNICORN, "{context: ., target: last}")),
    },
}
RUN = {
    "by nobody that is known": {},
    "by a service": {"compose.yaml": compose(service("api"))},
    "by one of two services": {"compose.yaml": compose(service("api", GUNICORN), service("more"))},
    "perhaps, as only a developer replaces it": {"compose.yaml": compose(service("api", "uvicorn main:app --reload"))},
    "perhaps, as a file for development replaces it": {"compose.dev.yaml": compose(service("api", GUNICORN))},
    "perhaps, as a worker is another thing": {"compose.yaml": compose(service("worker", "celery -A tasks worker"))},
    "perhaps, as another application is": {"compose.yaml": compose(service("admin", "uvicorn admin:app"))},
    "by a pod": {"pod.yaml": POD, "compose.yaml": compose(service("api", GUNICORN))},
    "by a platform": {"fly.toml": FLY, "compose.yaml": compose(service("api", GUNICORN))},
    "perhaps, as another stage is replaced": {
        "Dockerfile": STAGES,
        "compose.yaml": compose(service("api", GUNICORN, "{context: ., target: base}")),
    },
}


@pytest.mark.parametrize("files", REPLACED.values(), ids=REPLACED)
def test_a_command_that_is_always_replaced_is_not_judged(files: dict[str, str], root: Path) -> None:
    assert codes(root, files) == []


@pytest.mark.parametrize("files", RUN.values(), ids=RUN)
def test_a_command_that_may_be_run_is_judged(files: dict[str, str], root: Path) -> None:
    assert codes(root, files) == ["LGS511"]
