"""Throw-away environments: a Python of some version with pinned packages, built once for each set of pins.

They lie outside the checkout, in ``LGS_ENVIRONMENTS`` or the user's folder for caches, each under the digest of its pins.
An interpreter of the wanted version is looked for where they usually are: the one that runs this, ``python3.X`` on the
path, and pyenv's folder of versions.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ASK = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
FROZEN = "frozen.txt"  # written last: an environment without it was not finished
INSTALL = ("--quiet", "--no-compile", "--no-input", "--disable-pip-version-check", "--only-binary=:all:")


class NotBuiltError(RuntimeError):
    """An environment that cannot be built here; the message says why."""


class Pins(NamedTuple):
    """What an environment is made of: a Python (``3.11``) and packages (``fastapi==0.110.3``)."""

    python: str
    packages: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Names the environment's folder, and its place in the record."""
        text = json.dumps([self.python, sorted(self.packages)])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def home() -> Path:
    """The folder that holds the environments."""
    cached = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("LGS_ENVIRONMENTS") or Path(cached) / "lg-stream-lint" / "environments")


def _pyenv_roots() -> Iterator[Path]:
    if root := os.environ.get("PYENV_ROOT"):
        yield Path(root)
    if command := shutil.which("pyenv"):
        asked = subprocess.run([command, "root"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout.strip():
            yield Path(asked.stdout.strip())
    yield Path.home() / ".pyenv"


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    for root in _pyenv_roots():
        folders = sorted((root / "versions").glob(f"{version}.*"), key=lambda folder: _numbers(folder.name))
        yield from (str(folder / "bin" / "python") for folder in reversed(folders))


def _numbers(name: str) -> list[int]:
    return [int(part) for part in name.split(".") if part.isdigit()]


def version_of(python: str) -> str | None:
    """The full version of an interpreter, or ``None`` when it does not run (pyenv's shims may not)."""
    try:
        asked = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


@cache
def interpreter(version: str) -> str:
    """A Python of that version."""
    for candidate in _candidates(version):
        if (version_of(candidate) or "").startswith(f"{version}."):
            return candidate
    raise NotBuiltError(f"no Python {version} on the path or in pyenv's versions")


def python_in(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def build(pins: Pins, known: Iterable[str] = ()) -> Path:
    """The environment of these pins, made if it is not there: its folder.

    ``known`` are the versions that an earlier build of it ended up with: they constrain this one, so that it is the same.
    """
    folder = home() / pins.digest
    if (folder / FROZEN).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run([interpreter(pins.python), "-m", "venv", str(folder)])
    python = str(python_in(folder))
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{line}\n" for line in known), "utf-8")
    _run([python, "-m", "pip", "install", *INSTALL, "-c", str(constraints), *pins.packages])
    frozen = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    (folder / FROZEN).write_text(frozen, "utf-8")
    return folder


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise NotBuiltError(f"{' '.join(command)}: {last}")


def frozen(folder: Path) -> list[str]:
    """Every package of an environment, pinned."""
    return (folder / FROZEN).read_text("utf-8").split()


def remove(pins: Pins) -> None:
    """Throw an environment away."""
    shutil.rmtree(home() / pins.digest, ignore_errors=True)
