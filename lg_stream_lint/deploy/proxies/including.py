"""A proxy's configuration with its includes in it, as far as they lie in the repository, and which files are only pieces."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.included import find_included, possible_owners
from lg_stream_lint.deploy.settings import Note, Where

#: Includes in includes; the proxies themselves have no limit, or a higher one.
DEEPEST = 8
#: Files that one configuration takes in, those that it takes in twice counted twice.
MOST_TAKEN_IN = 200
#: Statements that includes may bring into one configuration.
MOST_STATEMENTS = 100_000


class BadSyntax(Exception):  # noqa: N818 - it is no error of the tool's
    """What the proxy would refuse; ``offset`` is where."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset


class _Statement(Protocol):
    """A line of a configuration; ``block`` holds what stands in it, and is None where nothing can."""

    @property
    def where(self) -> Where: ...


S = TypeVar("S", bound=_Statement)


class Include(NamedTuple):
    """What a statement includes: a path or a pattern, and whether it is missed where the repository does not have it."""

    path: str
    is_missed: bool


@dataclass(frozen=True)
class Loaded(Generic[S]):
    """A file's statements with its includes in place, the files that it took in, and what it could not."""

    statements: list[S]
    included: frozenset[str]
    notes: tuple[Note, ...]


class Including(ABC, Generic[S]):
    """How the files of one proxy include each other. What it has read is kept for the context.

    ``names`` are those of files that may include one, ``has_include`` is what must be in them.
    """

    names: ClassVar[re.Pattern[str]]
    has_include: ClassVar[re.Pattern[bytes]]

    def __init__(self) -> None:
        self._loaded: WeakKeyDictionary[Context, dict[str, Loaded[S] | BadSyntax]] = WeakKeyDictionary()

    @abstractmethod
    def parse(self, file: DeployFile) -> list[S]:
        """The statements of a file. Raises :class:`BadSyntax`."""

    @abstractmethod
    def include_of(self, statement: S) -> Include | None:
        """What a statement includes; None for any other statement."""

    @abstractmethod
    def block_of(self, statement: S) -> list[S] | None:
        """What stands in a statement."""

    @abstractmethod
    def with_block(self, statement: S, block: list[S]) -> S:
        """The statement with something else in it."""

    @abstractmethod
    def is_piece(self, file: DeployFile) -> bool:
        """Whether a file is written to stand inside another one."""

    def load(self, file: DeployFile, context: Context) -> Loaded[S]:
        """The file with its includes. Raises :class:`BadSyntax` when the file itself (not one that it includes) is bad."""
        known = self._loaded.setdefault(context, {})
        if file.path not in known:
            try:
                known[file.path] = _Loader(self, file, context).run()
            except BadSyntax as error:
                known[file.path] = error
        found = known[file.path]
        if isinstance(found, BadSyntax):
            raise found
        return found

    def is_taken_in(self, file: DeployFile, context: Context) -> bool:
        """Whether another file of the repository includes this one, so that it is read there, with what holds around it."""
        for path in possible_owners(file, context, self.names, self.has_include):
            try:
                owner = self.load(context.open(path), context)
                if file.path in owner.included and path not in self.load(file, context).included:
                    return True
            except (BadSyntax, NotRead):  # noqa: PERF203 - a handful of files
                continue
        return False


class _Loader(Generic[S]):
    def __init__(self, including: Including[S], file: DeployFile, context: Context) -> None:
        self.including, self.file, self.context = including, file, context
        self.included: set[str] = set()
        self.notes: list[Note] = []
        self.left = MOST_STATEMENTS
        self.taken_in = 0

    def run(self) -> Loaded[S]:
        statements = self._expanded(self.including.parse(self.file), (self.file.path,))
        return Loaded(statements, frozenset(self.included), tuple(dict.fromkeys(self.notes)))

    def _expanded(self, statements: list[S], stack: tuple[str, ...]) -> list[S]:
        found: list[S] = []
        for child in statements:
            include = self.including.include_of(child)
            block = self.including.block_of(child)
            if include is not None:
                found += self._taken_in(include, child.where, stack)
            elif block:
                found.append(self.including.with_block(child, self._expanded(block, stack)))
            else:
                found.append(child)
        return found

    def _taken_in(self, include: Include, where: Where, stack: tuple[str, ...]) -> list[S]:
        """What stands for one include."""
        path = include.path[:80]
        files = find_included(include.path, self.file, self.context, self.including.is_piece)
        if not files and include.is_missed:
            self.notes.append(Note(where, f"included file {path} is not in the repository"))
        found: list[S] = []
        for file in files:
            if file.path in stack:
                self.notes.append(Note(where, f"{path} includes itself"))
            elif len(stack) > DEEPEST or self.left <= 0 or self.taken_in >= MOST_TAKEN_IN:
                self.notes.append(Note(where, "too many includes"))
            else:
                found += self._read(file, where, stack)
        return found

    def _read(self, file: DeployFile, where: Where, stack: tuple[str, ...]) -> list[S]:
        self.included.add(file.path)
        self.taken_in += 1
        if template_sign(file.text) is not None:
            return []  # a note when the file itself is read
        try:
            block = self._expanded(self.including.parse(file), (*stack, file.path))
        except BadSyntax as error:
            self.notes.append(Note(where, f"included file {file.name}: {error}"))
            return []
        self.left -= len(block)
        return block


def is_pattern(path: str) -> bool:
    """Whether an include means any number of files, so that none is missed."""
    return any(sign in path for sign in "*?[")
