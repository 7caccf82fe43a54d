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
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.evidence.cases import Case
from tests.evidence.client import HEALTH, Prober, exchange, request_bytes
from tests.evidence.fake_model import FakeModel
from tests.evidence.observation import LEFT, Observation, Probe
from tests.evidence.proxies import proxied
from tests.evidence.servers import LOADER, Target, free_port, server_of

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


class Running(NamedTuple):
    """The application's port once it answers, ``None`` when it does not start; its log, and its process."""

    port: int | None
    log: Path
    process: subprocess.Popen[bytes]


@contextmanager
def running(case: Case, folder: Path, model_url: str, interpreter: str) -> Iterator[Running]:
    """The application as a process, stopped at the end."""
    server = server_of(case.server, case.command)
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
        yield Running(port if ready else None, log, process)
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
    with tempfile.TemporaryDirectory(prefix="evidence-") as name, FakeModel(case.model) as model:
        folder = Path(name)
        copy_out(case.path, folder)
        with running(case, folder, model.url, interpreter or python()) as (port, log, process):
            if port is None:
                return Observation(started=False, log=read_log(log))
            configs = [folder / config for config in case.proxy]
            with proxied(configs, port, case.scale) as (asked, logs):
                seen, probes = _asked(case, asked, port, process)
            if seen.ending == LEFT:
                settle(case, model)
            calls = model.calls
        said = "".join(read_log(path) for path in (log, *logs))
        return replace(seen, probes=probes, log=said, model_calls=calls)


def _asked(
    case: Case, port: int, health_port: int, process: subprocess.Popen[bytes]
) -> tuple[Observation, tuple[Probe, ...]]:
    """What a client sees at ``port``, while the prober asks the application itself."""
    wire = request_bytes(case.method, case.target, port=port, headers=case.headers, body=case.json)
    for _ in range(case.turns - 1):
        exchange(port, wire, patience=case.patience, leave_after=case.leave_after)
    prober = Prober(health_port)
    with (
        prober if server_of(case.server, case.command).probed else nullcontext(),
        _meanwhile(case, health_port, process),
    ):
        seen = exchange(port, wire, patience=case.patience, leave_after=case.leave_after)
    return seen, prober.probes


@contextmanager
def _meanwhile(case: Case, port: int, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """What happens beside the stream: other requests; a kill, as a memory limit does it; SIGTERM, as a deploy does."""
    events = ((case.kill_after, process.kill), (case.stop_after, process.terminate))
    timers = [threading.Timer(after, event) for after, event in events if after is not None]
    timers += [threading.Timer(0.3, _ask, (port,)) for _ in range(case.beside)]
    for timer in timers:
        timer.start()
    yield
    for timer in timers:
        timer.cancel()


def _ask(port: int) -> None:
    """A short request from somebody else."""
    with suppress(OSError):
        exchange(port, request_bytes("GET", "/", port=port), patience=2)
