"""Findings of the server's rules beyond what fixtures show: comments that silence them, and their repairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint import engine
from lg_stream_lint.config import Config
from lg_stream_lint.deploy.deployment import forget_deployments
from lg_stream_lint.finding import Finding

APP = (Path(__file__).parents[2] / "fixtures" / "LGS511" / "bad_shell_form" / "main.py").read_text(encoding="utf-8")


def findings(folder: Path, **files: str) -> list[Finding]:
    for name, text in {"main__py": APP, "pyproject__toml": "", **files}.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    forget_deployments()
    return [f for f in engine.run([str(folder)], Config(jobs=1, pedantic=True)).findings if f.code.startswith("LGS5")]


@pytest.mark.parametrize(
    "dockerfile",
    [
        'FROM x\n# noqa: LGS504\nCMD ["uvicorn", "main:app", "--timeout-graceful-shutdown", "5"]\n',
        'FROM x\n# noqa: LGS504\nCMD ["uvicorn", \\\n  "main:app", \\\n  "--timeout-graceful-shutdown", "5"]\n',
        'FROM x\nCMD ["uvicorn", \\\n  # noqa: LGS504\n  "main:app", \\\n  "--timeout-graceful-shutdown", "5"]\n',
    ],
)
def test_a_comment_above_the_command_silences(dockerfile: str, root: Path) -> None:
    assert findings(root, Dockerfile=dockerfile) == []
    assert [f.code for f in findings(root, Dockerfile=dockerfile.replace("noqa", "yes"))] == ["LGS504"]


def repaired(finding: Finding) -> str:
    """The text of the file with the finding's one edit made."""
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    lines = Path(finding.path).read_text(encoding="utf-8").splitlines(keepends=True)
    line = lines[edit.span.row - 1]
    lines[edit.span.row - 1] = line[: edit.span.column - 1] + edit.content + line[edit.span.end_column - 1 :]
    return "".join(lines)


@pytest.mark.parametrize(
    ("command", "right"),
    [
        ("CMD uvicorn main:app", "CMD exec uvicorn main:app"),
        ("CMD A=1 uvicorn main:app", "CMD A=1 exec uvicorn main:app"),
        ("CMD uv run --no-dev uvicorn main:app", "CMD exec uv run --no-dev uvicorn main:app"),
        ("CMD alembic upgrade head && uvicorn main:app", "CMD alembic upgrade head && exec uvicorn main:app"),
        ('CMD ["sh", "-c", "uvicorn main:app"]', 'CMD ["sh", "-c", "exec uvicorn main:app"]'),
    ],
)
def test_exec_is_put_before_the_server(command: str, right: str, root: Path) -> None:
    (finding,) = findings(root, Dockerfile=f"FROM python:3.12\n{command}\n")
    assert finding.code == "LGS511"
    assert repaired(finding) == f"FROM python:3.12\n{right}\n"
    assert findings(root, Dockerfile=repaired(finding)) == []


def test_no_exec_where_the_place_is_not_known_to_the_letter(root: Path) -> None:
    compose = "services:\n  api:\n    build: .\n    stop_grace_period: 90s\n"
    compose += '    command: >\n      sh -c "alembic upgrade head\n      && uvicorn main:app"\n'
    (finding,) = findings(root, Dockerfile="FROM python:3.12\nWORKDIR /srv\nCOPY . .\n", compose__yaml=compose)
    assert (finding.code, finding.fix) == ("LGS511", None)


def test_no_exec_in_a_pipeline(root: Path) -> None:
    (finding,) = findings(root, Dockerfile="FROM python:3.12\nCMD uvicorn main:app | cat\n")
    assert finding.fix is None


def test_the_right_name_is_written(root: Path) -> None:
    conf = 'wsgi_app = "main:app"\nworker_class = "asgi"\ngraceful_timeout = 90\nkeep_alive = 5\n'
    (finding,) = findings(root, gunicorn__conf__py=conf)
    assert (finding.code, finding.fix and finding.fix.applicability) == ("LGS507", "safe")
    assert repaired(finding) == conf.replace("keep_alive", "keepalive")


def test_a_script_is_judged_with_the_image_that_runs_it(root: Path) -> None:
    script = "exec gunicorn -k asgi --graceful-timeout ${GRACE:-5} main:app\n"
    alone = findings(root, start__sh=script)
    assert [(f.code, f.confidence) for f in alone] == [("LGS504", "medium")]
    image = 'FROM python:3.12\nENV GRACE=90\nWORKDIR /srv\nCOPY . .\nCMD ["./start.sh"]\n'
    assert findings(root, start__sh=script, Dockerfile=image) == []


@pytest.mark.parametrize("seconds", [5, 59, 60, 61])
def test_the_models_time_out_is_the_measure(seconds: int, root: Path) -> None:
    found = findings(root, Procfile=f"web: uvicorn main:app --timeout-graceful-shutdown {seconds}\n")
    assert bool(found) == (seconds < 60)


UNKNOWN = APP.replace(", timeout=60", "")
GUNICORN = "gunicorn -k uvicorn_worker.UvicornWorker"


@pytest.mark.parametrize(
    ("command", "severity"),
    [
        ("uvicorn main:app --timeout-graceful-shutdown 5", "warning"),
        ("uvicorn main:app --timeout-graceful-shutdown 29", "warning"),
        ("uvicorn main:app --timeout-graceful-shutdown 30", "info"),
        (f"{GUNICORN} --graceful-timeout 120 main:app", "info"),
        (f"{GUNICORN} main:app", ""),
        ("hypercorn main:app", "warning"),
    ],
)
def test_an_answer_of_assumed_length_is_no_reason_to_warn_of_what_is_usual(
    command: str, severity: str, root: Path
) -> None:
    found = [f for f in findings(root, main__py=UNKNOWN, Procfile=f"web: {command}\n") if f.code == "LGS504"]
    assert [f.severity for f in found] == ([severity] if severity else [])
    assert all(f.confidence == "medium" and "assumed" in f.message for f in found)


@pytest.mark.parametrize("command", ["gunicorn main:app", "gunicorn --graceful-timeout 5 --max-requests 9 main:app"])
def test_a_worker_that_serves_nothing_ends_no_stream(command: str, root: Path) -> None:
    compose = f"services:\n  api:\n    build: .\n    command: {command}\n"
    assert [f.code for f in findings(root, compose__yaml=compose)] == ["LGS501"]


def test_two_defaults_that_are_too_short_are_one_finding(root: Path) -> None:
    compose = f"services:\n  api:\n    build: .\n    command: {GUNICORN} main:app\n"
    (finding,) = findings(root, compose__yaml=compose)
    assert finding.code == "LGS504"
    assert "compose kills it after 10 s (stop_grace_period = 10 s by default)" in [p.message for p in finding.related]


TINI = 'ENTRYPOINT ["tini", "--"]\n'
HANDED = "On every deploy the init process ({}) hands SIGTERM to {}, which stands before uvicorn and dies of it"


@pytest.mark.parametrize(
    ("dockerfile", "compose", "says"),
    [
        ("CMD uvicorn main:app", "", "SIGTERM never reaches uvicorn here, as /bin/sh stands before it"),
        (TINI + "CMD uvicorn main:app", "", HANDED.format("tini", "/bin/sh")),
        (TINI + 'CMD ["sh", "-c", "uvicorn main:app"]', "", HANDED.format("tini", "/bin/sh")),
        ('CMD ["sh", "-c", "tini -- uvicorn main:app"]', "", "SIGTERM never reaches uvicorn here"),
        ("RUN printf 'uvicorn main:app' > /start.sh\nCMD [\"dumb-init\", \"/start.sh\"]", "",
         HANDED.format("dumb-init", "the script's shell")),
        ("CMD uvicorn main:app", "init: true", HANDED.format("init", "/bin/sh")),
        ("CMD uvicorn main:app", "init: false", "SIGTERM never reaches uvicorn here"),
        (TINI + "CMD exec uvicorn main:app", "", ""),
        (TINI + 'CMD ["uvicorn", "main:app"]', "init: true", ""),
    ],
)  # fmt: skip
def test_an_init_process_before_the_shell_makes_the_end_sudden(
    dockerfile: str, compose: str, says: str, root: Path
) -> None:
    services = f"services:\n  api:\n    build: .\n    {compose}\n"
    found = findings(root, Dockerfile=f"FROM python:3.12\n{dockerfile}\n", compose__yaml=services)
    found = [f for f in found if f.code == "LGS511"]
    assert len(found) == bool(says)
    assert all(f.message.startswith(says) for f in found)


def test_the_configuration_is_looked_for_before_the_folder_changes(root: Path) -> None:
    """Run with gunicorn 27.0.1: ``--chdir`` moves the application, and the configuration stands where gunicorn was started."""
    (root / "src").mkdir()
    (root / "src" / "gunicorn.conf.py").write_text("graceful_timeout = 300\n", encoding="utf-8")
    (root / "src" / "web.py").write_text(APP, encoding="utf-8")
    command = f"{GUNICORN} -c gunicorn.conf.py --chdir src web:app"
    found = findings(root, gunicorn__conf__py="graceful_timeout = 7\n", Procfile=f"web: {command}\n")
    assert [(f.code, Path(f.path).parent.name) for f in found] == [("LGS504", root.name)]


def test_workers_and_replicas_are_one_cause(root: Path) -> None:
    saver = "from langgraph.checkpoint.memory import InMemorySaver\n\nsaver = InMemorySaver()\n"
    compose = (
        "services:\n  api:\n    build: .\n    stop_grace_period: 310s\n    deploy: {replicas: 2}\n"
        "    command: uvicorn main:app --workers 4\n"
    )
    (finding,) = findings(root, main__py=APP + "\n\n" + saver, compose__yaml=compose)
    assert (finding.code, "4 workers" in finding.message) == ("LGS509", True)
    assert "2 replicas (replicas), too" in [place.message for place in finding.related]


@pytest.mark.parametrize("line", ['"$@"', 'env A=1 "$@"'])
def test_exec_is_put_before_what_a_script_is_given(line: str, root: Path) -> None:
    (root / "run.sh").write_text(f"#!/bin/sh\necho hello\n{line}\n", encoding="utf-8")
    dockerfile = 'FROM python:3.12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\nCMD ["uvicorn", "main:app"]\n'
    (finding,) = findings(root, Dockerfile=dockerfile)
    assert (finding.code, Path(finding.path).name) == ("LGS511", "run.sh")
    assert repaired(finding) == f"#!/bin/sh\necho hello\nexec {line}\n"
