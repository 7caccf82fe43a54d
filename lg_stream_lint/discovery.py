"""Which files a run reads: named ones always, folders walked for Python and deployment files less what is left out.

Left out is what the configuration excludes and what git ignores.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.deploy.kinds import NOT_PYTHON, is_candidate
from lg_stream_lint.patterns import Patterns

if TYPE_CHECKING:
    from lg_stream_lint.config import Config, Scoped
    from lg_stream_lint.deploy.deployment import Inventory


class Discovery(NamedTuple):
    """What was found below the given paths; every path is absolute.

    ``files`` are Python, ``deployment`` files that may say how it is run, by their names. ``explicit`` are the files that were
    named rather than found: they are analysed whatever their name, and when one cannot be read that is a finding.
    ``unreadable`` are files and folders that the walk met and could not enter.
    """

    files: tuple[str, ...]
    deployment: tuple[str, ...]
    explicit: frozenset[str]
    warnings: tuple[str, ...]
    unreadable: tuple[str, ...]


class MissingPathError(Exception):
    """A path that was named is not there."""


def missing(paths: Iterable[str]) -> list[str]:
    """The paths that are not there; a dangling link is there, though nothing can be read through it."""
    return [path for path in paths if _kind(path) == "missing"]


def discover(paths: Sequence[str], config: Config) -> Discovery:
    """Finds the files of a run, sorted and each of them once; raises :class:`MissingPathError`."""
    excludes = compile_scoped(config.excluded)
    files: set[str] = set()
    deployment: set[str] = set()
    explicit: set[str] = set()
    warnings: list[str] = []
    unreadable: set[str] = set()
    for path in paths:
        kind, absolute = _kind(path), os.path.abspath(path)
        if kind == "missing":
            raise MissingPathError(path)
        if config.force_exclude and any(patterns.covers(absolute) for patterns in excludes):
            continue
        if kind == "file":
            (files if is_python(absolute) else deployment).add(absolute)
            explicit.add(absolute)
            continue
        before = len(files), len(deployment), len(unreadable)
        for found in _walk(absolute, excludes, config.respect_gitignore, unreadable):
            (files if found.endswith(".py") else deployment).add(found)
        if before == (len(files), len(deployment), len(unreadable)):
            warnings.append(f"no Python or deployment files under {path}")
    return Discovery(
        tuple(sorted(files)),
        tuple(sorted(deployment)),
        frozenset(explicit),
        tuple(warnings),
        tuple(sorted(unreadable)),
    )


def inventory(top: str, config: Config) -> Inventory:
    """All files of a repository that may say something about how it is run, and its Python files."""
    from lg_stream_lint.deploy.deployment import Inventory

    excludes = compile_scoped(config.excluded)
    found = sorted(_walk(top, excludes, config.respect_gitignore, set()))
    return Inventory(
        tuple(path for path in found if not path.endswith(".py")), tuple(path for path in found if path.endswith(".py"))
    )


def is_python(path: str) -> bool:
    """Whether a file that was named is Python: by its name, or because no other format has such a name."""
    name = os.path.basename(path)
    return name.endswith(".py") or not (is_candidate(path) or os.path.splitext(name)[1].lower() in NOT_PYTHON)


def is_excluded(path: str, config: Config) -> bool:
    """Whether ``exclude`` covers a file, or a folder above it, that was named rather than found."""
    absolute = os.path.abspath(path)
    return any(patterns.covers(absolute) for patterns in compile_scoped(config.excluded))


def compile_scoped(scoped: Iterable[Scoped]) -> list[Patterns]:
    """Patterns of the configuration, one set per folder that they are relative to."""
    by_base: dict[str, list[str]] = {}
    for pattern in scoped:
        by_base.setdefault(pattern.base, []).append(pattern.text)
    return [Patterns(base, texts) for base, texts in by_base.items()]


def _kind(path: str) -> str:
    """``folder``, ``file`` (anything else that can be opened, or that exists and cannot) or ``missing``."""
    try:
        return "folder" if stat.S_ISDIR(os.stat(path).st_mode) else "file"
    except PermissionError:
        return "file"
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return "file" if "\0" not in path and os.path.lexists(path) else "missing"


def _walk(top: str, excludes: list[Patterns], respect_gitignore: bool, unreadable: set[str]) -> Iterator[str]:
    """The Python and deployment files below a folder. Links to folders are not followed: no loops, and nothing is read twice."""
    stack = [(top, _ignores_above(top) if respect_gitignore else ())]
    while stack:
        folder, ignores = stack.pop()
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError:
            unreadable.add(folder)
            continue
        if respect_gitignore and any(entry.name == ".gitignore" for entry in entries):
            ignores = (*ignores, *_ignore_file(folder, os.path.join(folder, ".gitignore")))
        for entry in entries:
            python = entry.name.endswith(".py")
            wanted = python or is_candidate(entry.path)
            try:
                directory = entry.is_dir(follow_symlinks=False)
                regular = wanted and not directory and entry.is_file()
                broken = python and not directory and not regular and entry.is_symlink() and not entry.is_dir()
            except OSError:  # a link that leads to itself
                directory, regular, broken = False, False, python
            if not (directory or regular or broken) or _left_out(entry.path, directory, excludes, ignores):
                continue
            if directory:
                stack.append((entry.path, ignores))
            elif regular:
                yield entry.path
            else:
                unreadable.add(entry.path)


def _left_out(path: str, directory: bool, excludes: list[Patterns], ignores: tuple[Patterns, ...]) -> bool:
    """Whether the configuration excludes an entry of a folder, or else the nearest ignore file that speaks of it."""
    if any(patterns.match(path, directory=directory) for patterns in excludes):
        return True
    for patterns in reversed(ignores):
        verdict = patterns.match(path, directory=directory)
        if verdict is not None:
            return verdict
    return False


def _ignores_above(top: str) -> tuple[Patterns, ...]:
    """The ignore files between a folder and its repository, outermost first; none outside a repository."""
    above: tuple[Patterns, ...] = ()
    folder = top
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return ()
        folder = parent
        above = (*_ignore_file(folder, os.path.join(folder, ".gitignore")), *above)
    return (*_ignore_file(folder, os.path.join(folder, ".git", "info", "exclude")), *above)


def _ignore_file(base: str, path: str) -> tuple[Patterns, ...]:
    """The patterns of one ignore file; none when it cannot be read or says nothing."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            patterns = Patterns(base, file)
    except OSError:
        return ()
    return (patterns,) if patterns else ()
