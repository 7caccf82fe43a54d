"""Which files of a project import which, read by a regular expression: for questions that come before any parsing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lg_stream_lint.python.project import Project

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|(?:[^\r\n#\\]|\\\r?\n)*)|import[ \t]+([\w., \t]+))",
    re.MULTILINE,
)
_NAME = re.compile(rb"\w+")


class ImportGraph:
    """The imports of a project's files: too many rather than too few (strings are not told from code)."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._direct: dict[str, tuple[str, ...]] = {}
        self._closures: dict[str, frozenset[str]] = {}
        self._importers: dict[str, set[int]] | None = None

    def direct(self, path: str) -> tuple[str, ...]:
        """The files of the project that a file imports itself."""
        known = self._direct.get(path)
        if known is None:
            found: dict[str, None] = {}
            for match in _IMPORT.finditer(self.project.read(path) or b""):
                for dotted, level in _imported(match):
                    located = self.project.locate(dotted, path, level)
                    if located is not None:
                        found[located.path] = None
            known = self._direct[path] = tuple(found)
        return known

    def closure(self, path: str) -> frozenset[str]:
        """Every file of the project that a file imports, directly or not; itself included."""
        known = self._closures.get(path)
        if known is None:
            seen, waiting = {path}, [path]
            while waiting:
                for imported in self.direct(waiting.pop()):
                    if imported not in seen:
                        seen.add(imported)
                        waiting.append(imported)
            known = self._closures[path] = frozenset(seen)
        return known

    def together(self, first: str, second: str) -> bool:
        """Whether two files belong to one program: one imports the other, or a third one imports both."""
        if first == second:
            return True
        if self._importers is None:
            self._importers = {}
            for number, path in enumerate(self.project.files()):
                for imported in self.closure(path):
                    self._importers.setdefault(imported, set()).add(number)
        return not self._importers.get(first, set()).isdisjoint(self._importers.get(second, ()))


def _imported(match: re.Match[bytes]) -> list[tuple[str, int]]:
    base, names, plain = match.groups()
    if plain is not None:
        parts = [part.split(b" as ")[0].strip() for part in plain.split(b",")]
        return [(part.decode("utf-8", "replace"), 0) for part in parts if part]
    text = base.decode("utf-8", "replace")
    level = len(text) - len(text.lstrip("."))
    stem = text[level:]
    found = [(stem, level)] if stem or level else []
    for name in _NAME.findall(names):
        word = name.decode("utf-8", "replace")
        found.append((f"{stem}.{word}" if stem else word, level))
    return found
