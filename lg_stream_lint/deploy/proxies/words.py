"""Lines of words with their places, as HAProxy and Apache split them: quotes, comments, lines that go on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Where

#: Lines with words in them; generated files with more are cut off.
MOST_LINES = 100_000
#: Words of a line; what stands further behind is not looked at.
MOST_WORDS = 500

_BLANK = re.compile(r"(?:[ \t\f\v]|\\(?:\r\n|\r|\n))+")
_WORD = re.compile(
    r"""(?: "(?:[^"\\\r\n]|\\.)*" | '[^'\r\n]*' | \\[^\r\n] | [^\s\\"'] | ["'] )+""",
    re.VERBOSE,
)
_QUOTED = re.compile(r""""((?:[^"\\]|\\.)*)"|'([^']*)'|\\([ "'#\\])""", re.DOTALL)
_END = re.compile(r"\r\n|\r|\n")


class Word(NamedTuple):
    """A word without its quotes; ``start`` and ``end`` are offsets in the file's text."""

    text: str
    start: int
    end: int


class Line(NamedTuple):
    """The words of a line that has any."""

    file: DeployFile
    words: tuple[Word, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The words as texts."""
        return tuple(word.text for word in self.words)

    @property
    def where(self) -> Where:
        """From the first to the last word."""
        return self.file.at(self.words[0].start, self.words[-1].end)

    def at(self, number: int) -> str:
        """The text of a word, empty where there is none."""
        return self.words[number].text if number < len(self.words) else ""


def lines_of(file: DeployFile, comment: str) -> Iterator[Line]:
    """The lines of a file. ``comment``: ``any`` where ``#`` begins a comment anywhere, ``first`` at a line's start only."""
    text, position, count = file.text, 0, 0
    words: list[Word] = []
    while position < len(text):
        blank = _BLANK.match(text, position)
        if blank is not None:
            position = blank.end()
            continue
        end = _END.match(text, position)
        if end is not None:
            if words:
                yield Line(file, tuple(words))
                count += 1
                words = []
            if count >= MOST_LINES:
                return
            position = end.end()
            continue
        if text[position] == "#" and (comment == "any" or not words):
            position = _end_of_line(text, position)
            continue
        position = _word(text, position, words, stop_at_hash=comment == "any")
    if words:
        yield Line(file, tuple(words))


def _word(text: str, position: int, words: list[Word], *, stop_at_hash: bool) -> int:
    match = _WORD.match(text, position)
    if match is None:
        return position + 1
    end = match.end()
    raw = match[0]
    if stop_at_hash and "#" in raw:
        cut = _outside_quotes(raw)
        raw, end = raw[:cut], position + cut
    if len(words) < MOST_WORDS and raw:
        words.append(Word(_unquoted(raw), position, end))
    return end


def _outside_quotes(raw: str) -> int:
    """The offset of the first ``#`` that stands in no quotes."""
    position = 0
    while position < len(raw):
        quoted = _QUOTED.match(raw, position)
        if quoted is not None:
            position = quoted.end()
        elif raw[position] == "#":
            return position
        else:
            position += 1
    return position


def _unquoted(raw: str) -> str:
    if not any(sign in raw for sign in "\"'\\"):
        return raw
    return _QUOTED.sub(_inner, raw)


def _inner(match: re.Match[str]) -> str:
    if match[1] is not None:
        return re.sub(r'\\(["\\$# ])', r"\1", match[1])
    return match[2] if match[2] is not None else match[3]


def _end_of_line(text: str, position: int) -> int:
    match = _END.search(text, position)
    return match.start() if match is not None else len(text)
