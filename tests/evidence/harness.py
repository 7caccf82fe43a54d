"""One run, from a fixture to an observation.

The fixture is copied to a folder of its own, started as a program there, streamed from, and stopped. Everything happens
on loopback, and the process gets a small environment of its own: no key, no proxy, no tracing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.evidence.cases import Case
from tests.evidence.client import HEALTH, Prober, exchange, request_bytes
from tests.evidence.fake_model import FakeModel
from tests.evidence.observation import LEFT, Observation
from tests.evidence.servers import LOADER, SERVERS, Target, free_port

START_WITHIN = 40.0  # seconds for the application's imports, on a slow machine
STOP_WITHIN = 5.0
ATTEMPTS = 3  # for a port that somebody else took first
AFTERMATH = 0.5  # seconds the log may need for its last lines


def python() -> str:
    """The interpreter that has the libraries."""
    return os.environ.get("LGS_EVIDENCE_PYTHON") or sys.executable


def environment(app: str, model_url: str) -> dict[str, str]:
    """The process's environment: what it needs to find the fake model, and nothing that reaches further."""
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", "TEMP", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "LGS_EVIDENCE_APP": app,
        "PYTHONPATH": str(LOADER),
        "PYTHONUNBUFFERED": "1",
        "OPENAI_API_KEY": "test",
        "OPENAI_BASE_URL": model_url,  # the SDK reads this one
        "OPENAI_API_BASE": model_url,  # LangChain reads this one first
        "LANGSMITH_TRACING": "false",
        "LANGGRAPH_STRICT_MSGPACK": "false",
        "NO_PROXY": "*",
    }


def copy_out(fixture: Path, folder: Path) -> None:
    """A project of its own: the fixture's folder, or its one file."""
    if fixture.is_dir():
        shutil.copytree(fixture, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(fixture, folder)


@contextmanager
def running(case: Case, folder: Path, model_url: str, interpreter: str) -> Iterator[tuple[int | None, Path]]:
    """The application as a process: its port once it answers, or ``None`` when it does not start; and its log."""
    server = SERVERS[case.server]
    log = folder / "server.log"
    for _ in range(ATTEMPTS):
        port = free_port()
        command = server.command(Target(interpreter, case.app, folder, port))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, env=environment(case.app, model_url), stdout=output, stderr=subprocess.STDOUT
            )
        ready = wait_until_ready(process, port, server.probed)
        if ready or "address already in use" not in read_log(log):
            break
        stop(process)
    try:
        yield (port if ready else None), log
    finally:
        stop(process)


def wait_until_ready(process: subprocess.Popen[bytes], port: int, probed: bool) -> bool:
    """Whether the application answers before it dies or the time is up."""
    until = time.monotonic() + START_WITHIN
    request = request_bytes("GET", HEALTH if probed else "/", port=port)
    while time.monotonic() < until and process.poll() is None:
        try:
            if exchange(port, request, patience=2).status is not None:
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process we started, gently and then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def read_log(path: Path) -> str:
    """The server's log so far."""
    return path.read_text(encoding="utf-8", errors="replace")


def settle(case: Case, model: FakeModel) -> None:
    """After a client left: give the model the time to be read to its end, or to be closed."""
    rest = case.model.interval * len(case.model.tokens) + case.model.gap
    until = time.monotonic() + rest + AFTERMATH
    while time.monotonic() < until and any(call.ended == "running" for call in model.calls):
        time.sleep(0.05)


def observe(case: Case, interpreter: str | None = None) -> Observation:
    """Run the case once, with that interpreter or the one that has the libraries, and say what was seen."""
    request = {"headers": case.headers, "body": case.json}
    with tempfile.TemporaryDirectory(prefix="evidence-") as name, FakeModel(case.model) as model:
        folder = Path(name)
        copy_out(case.path, folder)
        with running(case, folder, model.url, interpreter or python()) as (port, log):
            if port is None:
                return Observation(started=False, log=read_log(log))
            wire = request_bytes(case.method, case.target, port=port, **request)
            for _ in range(case.turns - 1):
                exchange(port, wire, patience=case.patience, leave_after=case.leave_after)
            prober = Prober(port)
            if SERVERS[case.server].probed:
                with prober:
                    seen = exchange(port, wire, patience=case.patience, leave_after=case.leave_after)
            else:
                seen = exchange(port, wire, patience=case.patience, leave_after=case.leave_after)
            if seen.ending == LEFT:
                settle(case, model)
            calls = model.calls
        return replace(seen, probes=prober.probes, log=read_log(log), model_calls=calls)
