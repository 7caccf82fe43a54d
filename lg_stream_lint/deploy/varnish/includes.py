"""A VCL file with its includes in it, as far as they lie in the repository, and which files are only pieces."""

from __future__ import annotations

import re
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.included import find_included, possible_owners
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.varnish.tree import Statement, parse

#: Includes in includes, and files that one file takes in.
DEEPEST = 8
MOST_TAKEN_IN = 200
#: Statements that includes may bring into one file.
MOST_STATEMENTS = 100_000

_VCL = re.compile(r".*\.vcl")
_HAS_INCLUDE = re.compile(rb"(?:^|[\s;{}])include\s")


class Loaded(NamedTuple):
    """A file's statements with its includes in place, the files that it took in, and what it could not."""

    top: list[Statement]
    included: frozenset[str]
    notes: tuple[Note, ...]


_loaded: WeakKeyDictionary[Context, dict[str, Loaded]] = WeakKeyDictionary()


def load(file: DeployFile, context: Context) -> Loaded:
    """The file with its includes, read once for a context."""
    known = _loaded.setdefault(context, {})
    if file.path not in known:
        known[file.path] = _Loader(file, context).run()
    return known[file.path]


def is_taken_in(file: DeployFile, context: Context) -> bool:
    """Whether another file of the repository includes this one, so that it is read there, with the routines around it."""
    for path in possible_owners(file, context, _VCL, _HAS_INCLUDE):
        try:
            owner = load(context.open(path), context)
        except NotRead:
            continue
        if file.path in owner.included and path not in load(file, context).included:
            return True
    return False


class _Loader:
    def __init__(self, file: DeployFile, context: Context) -> None:
        self.file, self.context = file, context
        self.included: set[str] = set()
        self.notes: list[Note] = []
        self.left = MOST_STATEMENTS
        self.taken_in = 0

    def run(self) -> Loaded:
        top = self._expanded(parse(self.file), (self.file.path,))
        return Loaded(top, frozenset(self.included), tuple(dict.fromkeys(self.notes)))

    def _expanded(self, statements: list[Statement], stack: tuple[str, ...]) -> list[Statement]:
        found: list[Statement] = []
        for child in statements:
            if child.name == "include" and child.block is None and len(child.words) > 1:
                found += self._taken_in(child, stack)
            elif child.block:
                block = self._expanded(child.block, stack)
                found.append(Statement(child.file, child.words, child.start, child.end, block))
            else:
                found.append(child)
        return found

    def _taken_in(self, include: Statement, stack: tuple[str, ...]) -> list[Statement]:
        """What stands for one ``include``."""
        path = include.words[-1].strip('"')
        files = find_included(path, self.file, self.context, lambda file: _VCL.fullmatch(file.name) is not None)
        if not files:
            self.notes.append(Note(include.where, f"included file {path[:80]} is not in the repository"))
        found: list[Statement] = []
        for file in files:
            if file.path in stack:
                self.notes.append(Note(include.where, f"{path[:80]} includes itself"))
            elif len(stack) > DEEPEST or self.left <= 0 or self.taken_in >= MOST_TAKEN_IN:
                self.notes.append(Note(include.where, "too many includes"))
            elif template_sign(file.text) is None:  # of a template its own reading says so
                self.included.add(file.path)
                self.taken_in += 1
                block = self._expanded(parse(file), (*stack, file.path))
                self.left -= len(block)
                found += block
        return found
