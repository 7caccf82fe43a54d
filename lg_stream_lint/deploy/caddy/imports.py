"""A Caddyfile with its snippets and imported files in place."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator

from lg_stream_lint.deploy.caddy.tree import Directive, Word, parse
from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note

#: Imports in imports, files of one pattern, and directives that imports may bring in.
DEEPEST = 8
MOST_FILES = 40
MOST = 20_000


class Loader:
    """Puts snippets (``(name) { … }``), named routes (``&(name) { … }``) and files in the place of what asks for them."""

    def __init__(self, file: DeployFile, context: Context) -> None:
        self.file, self.context = file, context
        self.notes: list[Note] = []
        self.left = MOST
        self.snippets: dict[str, list[Directive]] = {}

    def load(self) -> list[Directive]:
        """The file's top level, with everything in place."""
        top = parse(self.file)
        self._collect(top, 0)
        return list(self._expanded(top, (), 0))

    def _collect(self, top: list[Directive], depth: int) -> None:
        for directive in top:
            name = directive.name
            if directive.block is not None and name.lstrip("&").startswith("(") and name.endswith(")"):
                self.snippets.setdefault(name.lstrip("&")[1:-1], directive.block)
            elif name == "import" and directive.block is None and depth < DEEPEST:
                for file in self.files(directive):
                    self._collect(parse(file), depth + 1)

    def _expanded(self, block: list[Directive], arguments: tuple[Word, ...], depth: int) -> Iterator[Directive]:
        for directive in block:
            self.left -= 1
            if self.left < 0:
                return
            words = tuple(word.with_arguments(arguments) for word in directive.words)
            if directive.name in ("import", "invoke") and len(words) > 1 and directive.block is None:
                yield from self._imported(directive, words, depth)
            elif directive.block is None:
                yield Directive(directive.file, words, None)
            else:
                yield Directive(directive.file, words, list(self._expanded(directive.block, arguments, depth)))

    def _imported(self, directive: Directive, words: tuple[Word, ...], depth: int) -> Iterator[Directive]:
        if depth >= DEEPEST:
            return
        snippet = self.snippets.get(words[1].text)
        if snippet is not None:
            yield from self._expanded(snippet, words[2:], depth + 1)
            return
        files = self.files(directive)
        if not files and not any(sign in words[1].text for sign in "*?["):
            self.notes.append(Note(directive.where, f"import {words[1].text[:80]}: not in the repository"))
        for file in files:
            yield from self._expanded(parse(file), words[2:], depth + 1)

    def files(self, directive: Directive) -> list[DeployFile]:
        """The files that an import names: beside its own file, or at the end of a path of the machine."""
        path = directive.first
        if not path or "{" in path:
            return []
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for number in range(min(len(parts), 4)) if path.startswith("/") else (0,):
            found = self._below(directive.file.folder, parts[number:])
            if found:
                return found
        return []

    def _below(self, folder: str, parts: list[str]) -> list[DeployFile]:
        if not parts or any(sign in part for part in parts[:-1] for sign in "*?["):
            return []
        place = os.path.normpath(os.path.join(folder, *parts[:-1]))
        names = [parts[-1]]
        if any(sign in parts[-1] for sign in "*?["):
            try:
                names = sorted(fnmatch.filter(os.listdir(place), parts[-1])) if self.context.holds(place + "/x") else []
            except (OSError, ValueError):
                return []
        found = []
        for name in names[:MOST_FILES]:
            path = os.path.join(place, name)
            try:
                if path != self.file.path:
                    found.append(self.context.open(path))
            except NotRead:
                continue
        return found


def is_imported(file: DeployFile, context: Context) -> bool:
    """Whether a Caddyfile of the same folder, or of one above, imports this one, so that it is read there."""
    for path in context.listed:
        folder = os.path.dirname(path)
        if path == file.path or "caddyfile" not in os.path.basename(path).lower() or not file.folder.startswith(folder):
            continue
        try:
            other = context.open(path)
        except NotRead:
            continue
        loader = Loader(other, context)
        if any(file.path == found.path for found in _named(loader, parse(other))):
            return True
    return False


def _named(loader: Loader, top: list[Directive]) -> Iterator[DeployFile]:
    waiting = [*top]
    for _ in range(MOST):
        if not waiting:
            return
        directive = waiting.pop()
        waiting += directive.block or ()
        if directive.name == "import" and directive.block is None:
            yield from loader.files(directive)
