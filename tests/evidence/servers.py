"""How an application is started as a program of its own: one small function a server.

A function takes the :class:`Target` and gives the command line. The harness adds the environment, waits and cleans up,
so a new server (gunicorn, or nginx before one) is a new function here.
"""

from __future__ import annotations

import shlex
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
LOADER = Path(__file__).parent / "loader"


class Target(NamedTuple):
    """What to start: ``app`` is ``module:attribute`` inside ``folder``, the working directory of the process."""

    python: str
    app: str
    folder: Path
    port: int


class Server(NamedTuple):
    """A way to serve. ``probed`` says that the loader's ``/__health`` is there, on the loop that serves the stream."""

    command: Callable[[Target], list[str]]
    probed: bool
    distribution: str


def free_port() -> int:
    """A port that nobody listens on now; the harness tries again when somebody was faster."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def uvicorn(target: Target) -> list[str]:
    """Uvicorn as a deployment starts it, with the loader in front of the application."""
    port = ["--host", HOST, "--port", str(target.port)]
    return [target.python, "-m", "uvicorn", "evidence_loader:app", *port, "--log-level", "info"]


def uvicorn_h11(target: Target) -> list[str]:
    """Uvicorn with the parser that a plain ``pip install uvicorn`` brings, whatever else is installed here."""
    return [*uvicorn(target), "--http", "h11"]


def lambda_front(target: Target) -> list[str]:
    """A handler, asked as Lambda asks it: each request an event, each answer what the handler returns."""
    return [target.python, str(LOADER / "lambda_front.py"), target.app, str(target.port)]


def flask(target: Target) -> list[str]:
    """Flask's own threaded server: enough to see what a view's return value becomes."""
    return [target.python, "-m", "flask", "--app", target.app, "run", "--host", HOST, "--port", str(target.port)]


def written(command: str) -> Server:
    """The command line that an evidence file gives, ``{port}`` filled in; its program is a module of the interpreter."""
    program, *words = shlex.split(command)
    return Server(
        lambda target: [target.python, "-m", program, *(word.replace("{port}", str(target.port)) for word in words)],
        probed=False,
        distribution=program,
    )


SERVERS = {
    "uvicorn": Server(uvicorn, probed=True, distribution="uvicorn"),
    "uvicorn-h11": Server(uvicorn_h11, probed=True, distribution="uvicorn"),
    "lambda": Server(lambda_front, probed=False, distribution="mangum"),
    "flask": Server(flask, probed=False, distribution="flask"),
}


def server_of(name: str, command: str) -> Server:
    """How a case is served: by its own command, or by one of the known servers."""
    return written(command) if command else SERVERS[name]
