"""A deployment file's text with places in it, and the access to other files that readers get."""

from __future__ import annotations

import bisect
import os
import stat
from collections.abc import Sequence
from functools import cached_property

from lg_stream_lint.deploy.settings import Note, Where
from lg_stream_lint.finding import Span
from lg_stream_lint.source import line_starts, split_lines

#: Bytes. The largest deployment file that anybody writes by hand is a hundredth of this.
LARGEST = 5_000_000


class NotRead(Exception):  # noqa: N818 - it is no error of the user's
    """A file, or a part of it, that cannot be read; the text is the reason."""


class DeployFile:
    """A text file: UTF-8 (anything else in it is read as Latin-1), any line ends, no byte order mark."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        if b"\0" in source[:8192]:
            raise NotRead("binary")
        body = source.removeprefix(b"\xef\xbb\xbf")
        try:
            self.text = body.decode("utf-8")
        except UnicodeDecodeError:
            self.text = body.decode("latin-1")

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return os.path.basename(self.path)

    @property
    def folder(self) -> str:
        """The folder that it stands in, absolute."""
        return os.path.dirname(self.path)

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; row 1 is ``lines[0]``."""
        return split_lines(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return line_starts(self.text)

    def position(self, offset: int) -> tuple[int, int]:
        """Row and column, both from 1, of an offset into :attr:`text`."""
        row = bisect.bisect_right(self._starts, offset)
        return row, offset - self._starts[row - 1] + 1

    def at(self, start: int, end: int) -> Where:
        """The place between two offsets into :attr:`text`, the end exclusive."""
        row, column = self.position(start)
        end_row, end_column = self.position(max(end, start))
        return Where(self.path, Span(row, column, end_row, end_column))

    def offset(self, row: int, column: int) -> int:
        """The offset into :attr:`text` of a row and column, both from 1; places beyond the end are the end."""
        return self._starts[row - 1] + column - 1 if 0 < row <= len(self._starts) else len(self.text)

    def row(self, number: int) -> Where:
        """The text of a row (from 1), without the white space around it."""
        line = self.lines[number - 1] if 0 < number <= len(self.lines) else ""
        start = len(line) - len(line.lstrip()) + 1
        return Where(self.path, Span(number, start, number, max(start, len(line.rstrip()) + 1)))

    def between(self, row: int, column: int, end_row: int, end_column: int) -> Where:
        """A place by rows and columns from 1, the end exclusive."""
        return Where(self.path, Span(row, column, end_row, end_column))

    def note(self, row: int, reason: str) -> Note:
        """Something on a row that is not read."""
        return Note(self.row(row), reason)


class Context:
    """What readers may ask beyond their own file: other files of the repository, each read once, never above it.

    ``listed`` are the paths of what may be deployment files, sorted: for readers whose resources name each other.
    """

    def __init__(self, repository: str, overrides: dict[str, bytes] | None = None, listed: Sequence[str] = ()) -> None:
        self.repository = repository
        self.overrides = overrides or {}
        self.listed = listed
        self._files: dict[str, DeployFile | NotRead] = {}

    def open(self, path: str) -> DeployFile:
        """A file by its absolute path. Raises :class:`NotRead` with the reason."""
        path = os.path.normpath(path)
        known = self._files.get(path)
        if known is None:
            known = self._files[path] = self._open(path)
        if isinstance(known, NotRead):
            raise known
        return known

    def has(self, path: str, source: bytes) -> bool:
        """Whether a file holds these bytes."""
        try:
            return self.open(path).source == source
        except NotRead:
            return False

    def find(self, path: str, *folders: str) -> DeployFile | None:
        """A file that another one names, looked for below each folder; None when it is nowhere in the repository."""
        for folder in folders:
            try:
                return self.open(os.path.join(folder, path))
            except NotRead:  # noqa: PERF203 - a handful of folders
                continue
        return None

    def _open(self, path: str) -> DeployFile | NotRead:
        if not self.holds(path):
            return NotRead("outside the repository")
        try:
            source = self.bytes_of(path)
            return NotRead("over 5 MB") if len(source) > LARGEST else DeployFile(path, source)
        except NotRead as reason:
            return reason

    def bytes_of(self, path: str) -> bytes:
        """A file's bytes, not more of them than tell that it is too large. Raises :class:`NotRead`.

        Only regular files are opened: a pipe would wait for somebody to write into it.
        """
        source = self.overrides.get(path)
        if source is not None:
            return source
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise NotRead("no regular file")
            with open(path, "rb") as file:
                return file.read(LARGEST + 1)
        except (OSError, ValueError) as error:
            raise NotRead(str(getattr(error, "strerror", None) or error)) from None

    def holds(self, path: str) -> bool:
        """Whether a path lies in the repository."""
        return path.startswith(self.repository.rstrip(os.sep) + os.sep)
