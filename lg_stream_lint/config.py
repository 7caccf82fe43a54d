"""The settings of a run: ``[tool.lg-stream-lint]``, the files of our own, and what the command line lays over them.

Reading and checking stand in :mod:`lg_stream_lint.config_file`, :func:`load` being the way in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lg_stream_lint.finding import Finding, Severity
from lg_stream_lint.patterns import Patterns

DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


class ConfigError(Exception):
    """A configuration that cannot be used: one sentence with the file, the line and a next step."""


class Scoped(NamedTuple):
    """A pattern and the folder that it is relative to."""

    base: str
    text: str


class Entries(list[Any]):
    """What the project adds to one of our tables; never changed once read, so that configurations can be compared."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(repr(self))


_NAMES_ONLY = tuple(Scoped("", text) for text in DEFAULT_EXCLUDE)


class Config(NamedTuple):
    """The settings in force. Immutable; :meth:`digest` names everything in it that can change a finding."""

    select: tuple[str, ...] = ("LGS",)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    extend_ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[Scoped, tuple[str, ...]], ...] = ()
    per_resource_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    pedantic: bool = False
    exclude: tuple[Scoped, ...] = _NAMES_ONLY
    extend_exclude: tuple[Scoped, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    jobs: int = 0
    extend: tuple[tuple[str, Entries], ...] = ()
    root: str = ""
    source: str | None = None
    origins: tuple[tuple[str, str], ...] = ()

    @property
    def excluded(self) -> tuple[Scoped, ...]:
        """Every pattern of paths that are left out."""
        return (*self.exclude, *self.extend_exclude)

    def is_selected(self, code: str) -> bool:
        """Whether a code is asked for: the longest prefix that names it decides, and ``ignore`` wins a tie."""
        wanted = max((len(p) for p in (*self.select, *self.extend_select) if code.startswith(p)), default=-1)
        refused = max((len(p) for p in (*self.ignore, *self.extend_ignore) if code.startswith(p)), default=-1)
        return wanted > refused

    def ignored_for(self, path: str, code: str) -> bool:
        """Whether ``per-file-ignores`` silences a code in a file (an absolute path)."""
        return any(
            code.startswith(codes) and _covers(pattern, path) for pattern, codes in self.per_file_ignores if codes
        )

    def ignored_in(self, resource: str, code: str) -> bool:
        """Whether ``per-resource-ignores`` silences a code in a resource: a Kubernetes object, a service, a location."""
        return any(
            code.startswith(codes) and _is_named(pattern, resource)
            for pattern, codes in self.per_resource_ignores
            if codes
        )

    def shows(self, finding: Finding) -> bool:
        """Whether a finding is reported: selected, not ignored for its file, and not advice unless asked for."""
        if finding.severity == Severity.INFO and not self.pedantic:
            return False
        return self.is_selected(finding.code) and not self.ignored_for(finding.path, finding.code)

    def digest(self) -> str:
        """A short text that differs when findings may differ: everything but the number of processes and origins."""
        import hashlib

        same = self._replace(jobs=0, origins=(), source=None)
        return hashlib.sha256(repr(tuple(same)).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def load(start: str, *, isolated: bool = False, explicit: str | None = None) -> Config:
    """The configuration for a folder: ``explicit``, else the nearest file up the tree, else (or isolated) the defaults.

    Raises :class:`ConfigError`.
    """
    from lg_stream_lint import config_file  # it imports this module

    return config_file.load(start, isolated=isolated, explicit=explicit)


def _covers(pattern: Scoped, path: str) -> bool:
    """Whether one pattern of ``per-file-ignores`` covers a file; a leading ``!`` means every other file."""
    if pattern.text.startswith("!"):
        return not Patterns(pattern.base, [pattern.text[1:]]).covers(path)
    return Patterns(pattern.base, [pattern.text]).covers(path)


def _is_named(pattern: str, resource: str) -> bool:
    """Whether a pattern (``*`` and ``?`` as in a shell) names a resource; case counts, as in the resources' own names."""
    from fnmatch import fnmatchcase

    return fnmatchcase(resource, pattern)
