"""Which files are worth parsing: a cheap test of bytes that never drops a file with a finding.

Each rule declares the words without which it has nothing to say (``place`` and ``evidence``, see
:class:`~lg_stream_lint.rules.base.PythonRule`). A file is analysed when some rule's words are all there: those of ``place``
in the file itself, those of ``evidence`` in the file or in any module of the project that it imports, star imports and
re-exports included.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lg_stream_lint.knowledge import Knowledge
    from lg_stream_lint.python.project import Project

#: A file with one of these words is about streaming answers: it is reported when it cannot be analysed.
FRAMEWORK_WORDS = (b"langgraph", b"langchain", b"StreamingResponse", b"EventSourceResponse", b"openai", b"anthropic")

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+([^\r\n#]*)|import[ \t]+([\w., \t]+))", re.MULTILINE
)
_NAME = re.compile(rb"\w+")


class Needs(NamedTuple):
    """A rule's words, as bytes."""

    place: tuple[tuple[bytes, ...], ...]
    evidence: tuple[tuple[bytes, ...], ...]


def needs(place: Sequence[Sequence[str]], evidence: Sequence[Sequence[str]], tables: Knowledge) -> Needs:
    """The words of a rule's declaration as bytes; ``@models`` and ``@responses`` stand for the names in those tables."""

    def expanded(groups: Sequence[Sequence[str]]) -> tuple[tuple[bytes, ...], ...]:
        return tuple(tuple(sorted({w.encode() for word in group for w in _expand(word, tables)})) for group in groups)

    return Needs(expanded(place), expanded(evidence))


def _expand(word: str, tables: Knowledge) -> set[str]:
    if word == "@models":
        return {path.rpartition(".")[2] for path, row in tables.models.items() if row.kind != "function"} | {
            "init_chat_model"
        }
    if word == "@responses":
        return {path.rpartition(".")[2] for path, row in tables.responses.items() if row.streams}
    return {word}


def has_framework_word(source: bytes) -> bool:
    """Whether the file is about streaming answers at all."""
    return any(word in source for word in FRAMEWORK_WORDS)


class Gate:
    """The gate of a project for a set of rules."""

    def __init__(self, project: Project, rules: Sequence[Needs]) -> None:
        self.project = project
        self.rules = rules
        self._imports: dict[str, tuple[str, ...]] = {}
        self._words: dict[tuple[str, bytes], bool] = {}

    def lets_through(self, path: str) -> bool:
        """Whether any rule can have something to say about the file."""
        source = self.project.read(path)
        if source is None:
            return False
        return any(
            _holds(source, rule.place) and all(self._reaches(path, group) for group in rule.evidence)
            for rule in self.rules
        )

    def _reaches(self, path: str, group: tuple[bytes, ...]) -> bool:
        """Whether the file, or anything of the project that it imports, holds one of the words."""
        seen, waiting = {path}, [path]
        while waiting:
            current = waiting.pop()
            if self._any(current, group):
                return True
            for imported in self.imports(current):
                if imported not in seen:
                    seen.add(imported)
                    waiting.append(imported)
        return False

    def _any(self, path: str, group: tuple[bytes, ...]) -> bool:
        for word in group:
            key = (path, word)
            known = self._words.get(key)
            if known is None:
                known = self._words[key] = word in (self.project.read(path) or b"")
            if known:
                return True
        return False

    def imports(self, path: str) -> tuple[str, ...]:
        """The files of the project that a file imports, read by a regular expression (too many rather than too few)."""
        known = self._imports.get(path)
        if known is None:
            found: dict[str, None] = {}
            for match in _IMPORT.finditer(self.project.read(path) or b""):
                for dotted, level in _imported(match):
                    located = self.project.locate(dotted, path, level)
                    if located is not None:
                        found[located.path] = None
            known = self._imports[path] = tuple(found)
        return known


def _holds(source: bytes, groups: tuple[tuple[bytes, ...], ...]) -> bool:
    return all(any(word in source for word in group) for group in groups)


def _imported(match: re.Match[bytes]) -> list[tuple[str, int]]:
    base, names, plain = match.groups()
    if plain is not None:
        return [
            (part.split(b" as ")[0].strip().decode("utf-8", "replace"), 0) for part in plain.split(b",") if part.strip()
        ]
    text = base.decode("utf-8", "replace")
    level = len(text) - len(text.lstrip("."))
    stem = text[level:]
    found = [(stem, level)] if stem or level else []
    for name in _NAME.findall(names):
        word = name.decode("utf-8", "replace")
        found.append((f"{stem}.{word}" if stem else word, level))
    return found
