"""Readers of the files in which a project writes the versions of its dependencies, and of Python.

Each reader takes the text of a file and yields :class:`Entry` rows. None of them executes or downloads anything; on
broken input they raise :class:`Unreadable`, whose message becomes a note to the user, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lg_stream_lint.manifests.declared import pipfile, pyproject
from lg_stream_lint.manifests.locks import pipfile_lock, toml_lock
from lg_stream_lint.manifests.requirement_files import requirements
from lg_stream_lint.manifests.text import Entry, Unreadable, normalise, read_text

__all__ = ["LOCKS", "READERS", "Entry", "Unreadable", "normalise", "read_text", "requirements"]

READERS: dict[str, Callable[[str, str], Iterable[Entry]]] = {
    "uv.lock": toml_lock,
    "pylock.toml": toml_lock,
    "poetry.lock": toml_lock,
    "pdm.lock": toml_lock,
    "Pipfile.lock": pipfile_lock,
    "pyproject.toml": pyproject,
    "Pipfile": pipfile,
}
LOCKS = ("uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "Pipfile.lock")
