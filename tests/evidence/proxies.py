"""nginx (or what :mod:`.envoys` and :mod:`.other_proxies` know) between the client and the application.

What the files of a fixture say stays as it is. Only what belongs to the machine is replaced: the addresses (each ``…_pass`` leads
to the application, or to the nginx before), the ports, the paths, and, by ``scale``, the seconds of read time-outs: the default of
60 s too, so that a second stands for a minute.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.evidence import envoys
from tests.evidence.envoys import Envoy
from tests.evidence.other_proxies import Proxy, product_of
from tests.evidence.servers import HOST, free_port

PROGRAM = "nginx"
LOG = "nginx.log"
START_WITHIN = 5.0
STOP_WITHIN = 3.0

_LISTEN = re.compile(r"\blisten\s+[^;]*;")
_PASS = re.compile(r"\b(?P<family>proxy|uwsgi|fastcgi|grpc|scgi)_pass\s+(?:https?://)?[^\s/;]+(?P<path>[^;]*);")
_SERVER = re.compile(r"\bserver\s+[\w.-]+(?::\d+)?(?P<rest>(?:\s[^;{]*)?);")
_READ = re.compile(r"\b(?P<name>\w+_read_timeout)\s+(?P<number>\d+)(?P<unit>s|m|h)?\s*;")
_MACHINE = re.compile(r"(?m)^\s*(?:user|pid|daemon|error_log|access_log|include\s+\S*mime\.types)\b[^;{]*;")
_EVENTS = re.compile(r"\bevents\s*\{[^}]*\}")
_HTTP = re.compile(r"\bhttp\s*\{")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_DEFAULT = 60.0  # seconds of every read time-out that is not written


class Nginx:
    """One nginx: its configuration in the fixture's copy, and the folder in which it may write."""

    def __init__(self, config: Path, port: int, upstream: int, scale: float) -> None:
        self.config, self.port, self.upstream, self.scale = config, port, upstream, scale
        self.folder = config.parent / f".nginx-{port}"

    def command(self) -> list[str]:
        """Write the configuration that it is started with, all pieces beside it, and give the command line."""
        beside = self.config.parent
        pieces = [path.relative_to(beside) for path in beside.rglob("*.conf") if ".nginx-" not in str(path)]
        for piece in pieces:
            text = (beside / piece).read_text(encoding="utf-8")
            here = self.folder / piece
            here.parent.mkdir(parents=True, exist_ok=True)
            is_main = beside / piece == self.config
            here.write_text(self.whole(text) if is_main else self.rewritten(text), encoding="utf-8")
        return [
            PROGRAM,
            "-p",
            str(self.folder),
            "-e",
            str(self.folder / LOG),
            "-c",
            str(self.folder / self.config.name),
        ]

    def rewritten(self, text: str) -> str:
        """The text with this machine's addresses and scaled seconds."""
        text = _MACHINE.sub("", text)
        text = _LISTEN.sub(lambda match: f"listen {HOST}:{self.port}{' http2' if 'http2' in match[0] else ''};", text)
        text = _PASS.sub(self._pass, text)
        text = _SERVER.sub(lambda match: f"server {HOST}:{self.upstream}{match['rest']};", text)
        text = text.replace("/etc/nginx/", f"{self.folder}/")
        return _READ.sub(self._read, text)

    def _pass(self, match: re.Match[str]) -> str:
        scheme = "http://" if match["family"] == "proxy" else ""
        return f"{match['family']}_pass {scheme}{HOST}:{self.upstream}{match['path']};"

    def _read(self, match: re.Match[str]) -> str:
        seconds = int(match["number"]) * _SECONDS[match["unit"] or ""] / self.scale
        return f"{match['name']} {max(1, round(seconds * 1000))}ms;"

    def whole(self, text: str) -> str:
        """The configuration as a whole: a piece gets the ``http`` block around it, and what nginx may write stays here."""
        text = _EVENTS.sub("", self.rewritten(text))
        if not _HTTP.search(text):
            text = f"http {{\n{text}\n}}\n"
        here = "".join(f" {name}_temp_path {self.folder / name};" for name in _FOLDERS)
        short = f"{round(_DEFAULT / self.scale * 1000)}ms"
        names = [f"{family}_read_timeout" for family in ("proxy", "uwsgi") if self.scale != 1]
        defaults = "".join(f" {name} {short};" for name in names if not _at_http(text, name))
        text = _HTTP.sub(lambda match: f"{match[0]} access_log off;{here}{defaults}", text, count=1)
        return f"daemon off; pid {self.folder / 'pid'}; worker_processes 1; events {{ worker_connections 64; }}\n{text}"


def _at_http(text: str, name: str) -> bool:
    """Whether the file itself gives the time-out directly in its ``http`` block, where a second one is refused."""
    depths = (
        text.count("{", 0, found.start()) - text.count("}", 0, found.start())
        for found in re.finditer(rf"\b{name}\b", text)
    )
    return 1 in depths


@contextmanager
def proxied(configs: Sequence[Path], upstream: int, scale: float) -> Iterator[tuple[int, list[Path]]]:
    """The proxies in a row, the one next to the application first; gives the outermost one's port, and their logs."""
    logs: list[Path] = []
    with ExitStack() as running:
        for config in configs:
            proxy = _proxy(config, free_port(), upstream, scale)
            log = proxy.folder / LOG
            running.enter_context(_started(proxy, Path(os.devnull) if isinstance(proxy, Nginx) else log))
            logs.append(log)
            upstream = proxy.port
        yield upstream, logs


def _proxy(config: Path, port: int, upstream: int, scale: float) -> Nginx | Envoy | Proxy:
    """The proxy that a configuration is for, by the file's name."""
    other = product_of(config.name)
    kind = other[0] if other is not None else Envoy if config.suffix in {".yaml", ".yml"} else Nginx
    return kind(config, port, upstream, scale)


@contextmanager
def _started(proxy: Nginx | Envoy | Proxy, output: Path) -> Iterator[None]:
    command = proxy.command()
    with output.open("ab") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + START_WITHIN
        while not _answers(proxy.port):
            if process.poll() is not None or time.monotonic() > until:
                said = (
                    process.stderr.read().decode(errors="replace")
                    if process.poll() is not None and process.stderr
                    else ""
                )
                raise RuntimeError(f"{command[0]} does not start with {proxy.config.name}: {said.strip()}")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def programs_of(configs: Sequence[str]) -> list[str]:
    """The programs that the configurations are for."""
    return sorted({_program(config) for config in configs})


def _program(config: str) -> str:
    other = product_of(config)
    return other[1] if other is not None else "envoy" if config.endswith((".yaml", ".yml")) else PROGRAM


def is_there(name: str) -> bool:
    """Whether a program is installed."""
    return envoys.program() is not None if name == "envoy" else shutil.which(name) is not None
