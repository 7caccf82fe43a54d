"""Files that a Dockerfile writes by itself: ``RUN echo … > /start.sh``, ``RUN cat <<EOF > …``, ``COPY <<EOF …``."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.commands.carrier import Carrier
from lg_stream_lint.deploy.commands.words import Simple, simple_commands
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.finding import Span

_COPY = re.compile(r"""[^<\n]*<<-?[ \t]*(['"]?)(\w+)\1[ \t]+(\S+)""")
_FORMAT = re.compile(r"(?:%s)?(?:\\n)?")


class Piece(NamedTuple):
    """A part of a written file, and the offset in the Dockerfile at which it stands."""

    text: str
    start: int


class WrittenFile(DeployFile):
    """A file inside a Dockerfile: places in it are places in the Dockerfile."""

    def __init__(self, host: DeployFile, pieces: list[Piece]) -> None:
        super().__init__(host.path, "\n".join(piece.text for piece in pieces).encode())
        self.host = host
        self.pieces = pieces
        self.begins = [0]
        for piece in pieces[:-1]:
            self.begins.append(self.begins[-1] + len(piece.text) + 1)

    def at(self, start: int, end: int) -> Where:
        """The place in the Dockerfile, as far as one piece goes."""
        number = bisect.bisect_right(self.begins, start) - 1
        shift = self.pieces[number].start - self.begins[number]
        last = self.begins[number] + len(self.pieces[number].text)
        return self.host.at(start + shift, max(min(end, last), start) + shift)

    def row(self, number: int) -> Where:
        """The place of a line of the written file."""
        start = self._starts[min(number, len(self._starts)) - 1] if number > 0 else 0
        return self.at(start, start + len(self.lines[number - 1]) if 0 < number <= len(self.lines) else start)


def by_run(text: str, start: int, host: DeployFile, context: Context) -> Iterator[tuple[str, bool, list[Piece]]]:
    """The files that a ``RUN`` writes: path, whether it appends, pieces. ``start`` is the text's offset in the Dockerfile."""
    if ">" not in text:
        return

    def at(begin: int, end: int) -> Where:
        return Where(host.path, Span(begin, 0, end, 0))  # offsets in the place of rows

    for simple in simple_commands(text, Carrier(context, host.row(1), at=at)):
        if simple.output and simple.here is not None and simple.words[0].text == "cat":
            begin, end = simple.here
            yield simple.output, simple.appends, [Piece(text[begin:end], start + begin)]
        elif simple.output and simple.words[0].text in ("echo", "printf"):
            yield simple.output, simple.appends, list(_said(simple, text, start))


def by_copy(text: str, start: int) -> Iterator[tuple[str, bool, list[Piece]]]:
    """The file that ``COPY <<EOF /path`` writes."""
    match = _COPY.match(text)
    begin = text.find("\n", match.end()) + 1 if match is not None else 0
    if match is not None and begin:
        yield match[3], False, [Piece(text[begin : text.rstrip().rfind("\n") + 1], start + begin)]


def _said(simple: Simple, text: str, start: int) -> Iterator[Piece]:
    """What ``echo`` and ``printf`` print: each word of ``printf`` behind its format is a line, all words of ``echo`` are one."""
    words = list(simple.words[1:])
    while words and words[0].text in ("-e", "-n", "-en", "-ne", "-E"):
        words = words[1:]
    if simple.words[0].text == "printf" and words and _FORMAT.fullmatch(words[0].text):
        words = words[1:]
    elif len(words) > 1 and simple.words[0].text == "echo":
        said = " ".join(word.text for word in words)
        yield Piece(_lines(said), start + words[0].where.span.row)
        return
    for word in words:
        begin, end = word.where.span.row, word.where.span.end_row
        quoted = text[begin : begin + 1] in ("'", '"') and end - begin == len(word.text) + 2
        yield Piece(_lines(word.text), start + begin + quoted)


def _lines(text: str) -> str:
    """The lines that written line ends make, in as many letters."""
    return text.replace("\\n", " \n")
