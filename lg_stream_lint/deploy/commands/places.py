"""Folders and files that a command names, found in the repository: what is ``/app`` in an image is some folder here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.files import Context, DeployFile

if TYPE_CHECKING:
    from lg_stream_lint.deploy.commands.carrier import Carrier


def files_named(path: str, bases: Iterable[str], context: Context) -> DeployFile | None:
    """The repository's file that a command calls ``path``: below the folders that it may run in.

    Of an absolute path, which is one inside an image, folders are left out from the front until a file is found.
    """
    if not path or any(sign in path for sign in "$*`{"):
        return None
    for relative in _suffixes(path):
        found = context.find(relative, *bases)
        if found is not None:
            return found
    return None


def folders_named(path: str, bases: tuple[str, ...]) -> tuple[str, ...]:
    """The folders that ``cd path`` may lead to; those from before where none of them exists."""
    if not path or any(sign in path for sign in "$*`{~"):
        return bases
    for relative in _suffixes(path):
        found = tuple(f for base in bases if os.path.isdir(f := os.path.normpath(os.path.join(base, relative))))
        if found:
            return found
    return bases


_ENTRYPOINT = re.compile(r"""(?m)^\[tool\.fastapi\][^\[]*?^entrypoint[ \t]*=[ \t]*["']([\w.:]+)["']""")
_SCRIPTS = re.compile(r"(?ms)^\[(?:project|tool\.poetry)\.scripts\][^\n]*\n(.*?)(?=^\[|\Z)")


def console_script(name: str, carrier: Carrier) -> str:
    """The module behind a command that the project's own ``pyproject.toml`` declares; empty for any other command."""
    if not re.fullmatch(r"[\w.-]+", name):
        return ""
    file = carrier.context.find("pyproject.toml", *carrier.bases)
    if file is None:
        return ""
    for section in _SCRIPTS.findall(file.text):
        match = re.search(rf"""(?m)^["']?{re.escape(name)}["']?[ \t]*=[ \t]*["']([\w.]+):""", section)
        if match is not None:
            return str(match[1])
    return ""


def fastapi_entrypoint(carrier: Carrier) -> str:
    """The application that the project names for FastAPI's command: ``[tool.fastapi]``, ``entrypoint``."""
    file = carrier.context.find("pyproject.toml", *carrier.bases)
    match = _ENTRYPOINT.search(file.text) if file is not None else None
    return str(match[1]) if match is not None else ""


def upward(folder: str, repository: str) -> tuple[str, ...]:
    """A folder and those above it, up to the repository's top."""
    found = [folder]
    while folder != repository and folder.startswith(repository) and len(found) < 12:
        folder = os.path.dirname(folder)
        found.append(folder)
    return tuple(found)


def module_base(module: str, bases: tuple[str, ...], context: Context) -> str:
    """The folder, of those that a command may run in, that holds a module; the likeliest one where none does."""
    stem = module.removesuffix(".py").replace("/", os.sep) if module.endswith(".py") else module.replace(".", os.sep)
    for base in bases:
        for end in (stem + ".py", os.path.join(stem, "__init__.py")):
            path = os.path.normpath(os.path.join(base, end))
            if path in context.overrides or (context.holds(path) and os.path.isfile(path)):
                return base
    return bases[0] if bases else ""


def _suffixes(path: str) -> list[str]:
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not path.startswith("/"):
        return ["/".join(parts)] if parts else ["."]
    return ["/".join(parts[start:]) for start in range(min(len(parts), 12))] or ["."]
