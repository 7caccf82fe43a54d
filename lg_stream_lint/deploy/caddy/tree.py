"""The Caddyfile's syntax as a tree of directives with places.

Words end at white space; ``"`` and backquotes hold words together; a line is a directive, and a ``{`` at its end opens its block.
Placeholders (``{path}``, ``{$API:localhost:8000}``) are parts of words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Where

#: Blocks in blocks, and directives of a file; real files have five and a hundred.
DEEPEST = 40
MOST = 50_000

_TOKEN = re.compile(
    r"""
    (?P<end> \r\n | \r | \n ) | [ \t\f\v]+ | \\(?:\r\n|\r|\n) | \#[^\r\n]*
    | (?P<quoted> "(?:[^"\\]|\\.)*" | `[^`]*` )
    | <<(?P<marker>\w+)[ \t]*(?:\r\n|\r|\n)
    | (?P<word> [^\s]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_ENVIRONMENT = re.compile(r"\{\$(?P<name>[A-Za-z_]\w*)(?::(?P<default>[^{}]*))?\}")
_ARGUMENT = re.compile(r"\{args(?:\[(\d+)\]|\.(\d+))\}")


class Word(NamedTuple):
    """A word without its quotes; ``start`` and ``end`` are offsets in the file's text.

    ``overridable``: a default of the file's own stands in it, which the environment can replace.
    """

    text: str
    start: int
    end: int
    overridable: bool = False

    def with_arguments(self, arguments: tuple[Word, ...]) -> Word:
        """The word with what an ``import`` gives a snippet in it; it stays where it is written."""
        if "{args" not in self.text:
            return self
        return self._replace(text=_ARGUMENT.sub(lambda match: _argument(match, arguments), self.text))


class Directive:
    """``name value …`` and, where ``block`` is not None, ``{ … }``; the words of a site are its addresses."""

    __slots__ = ("block", "file", "words")

    def __init__(self, file: DeployFile, words: tuple[Word, ...], block: list[Directive] | None) -> None:
        self.file = file
        self.words = words
        self.block = block

    @property
    def name(self) -> str:
        """The first word, empty for a bare block."""
        return self.words[0].text if self.words else ""

    @property
    def values(self) -> tuple[Word, ...]:
        """The words behind the name."""
        return self.words[1:]

    @property
    def first(self) -> str:
        """The first value, empty where there is none."""
        return self.words[1].text if len(self.words) > 1 else ""

    @property
    def where(self) -> Where:
        """From the name to the last value."""
        return self.file.at(self.words[0].start, self.words[-1].end) if self.words else self.file.row(1)

    def named(self, *names: str) -> Iterator[Directive]:
        """The directives of these names that stand directly in the block."""
        return (child for child in self.block or () if child.name in names)


def parse(file: DeployFile) -> list[Directive]:
    """The directives and blocks of a file. What is not closed ends with the file; a ``}`` too many is passed over."""
    top: list[Directive] = []
    stack: list[list[Directive]] = [top]
    for count, words in enumerate(_lines(file)):
        if count >= MOST:
            break
        if [word.text for word in words] == ["}"]:
            if len(stack) > 1:
                stack.pop()
            continue
        opens = words[-1].text == "{"
        directive = Directive(file, tuple(words[:-1] if opens else words), [] if opens else None)
        stack[-1].append(directive)
        if opens and directive.block is not None:
            stack.append(directive.block if len(stack) < DEEPEST else [])
    return top


def _lines(file: DeployFile) -> Iterator[list[Word]]:
    """The words of each line that has any; a ``}`` that closes is a line of its own."""
    text, position = file.text, 0
    words: list[Word] = []
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:  # an open quote: the rest of it is words
            position += 1
            continue
        position = match.end()
        if match["marker"]:
            word, position = _heredoc(text, match)
            words.append(word)
        elif match["quoted"]:
            words.append(_word(match[0][1:-1].replace('\\"', '"'), *match.span()))
        elif match["word"]:
            words.append(_word(match[0], *match.span()))
        elif match["end"] and words and not words[-1].text.endswith(","):
            yield from _closed(words)
            words = []
    if words:
        yield from _closed(words)


def _closed(words: list[Word]) -> Iterator[list[Word]]:
    if len(words) > 1 and words[-1].text == "}":
        yield words[:-1]
        yield words[-1:]
    else:
        yield words


def _heredoc(text: str, match: re.Match[str]) -> tuple[Word, int]:
    end = re.compile(rf"^[ \t]*{re.escape(match['marker'])}\b", re.MULTILINE).search(text, match.end())
    stop = end.start() if end is not None else len(text)
    return Word(text[match.end() : stop], match.start(), stop), end.end() if end is not None else len(text)


def _word(text: str, start: int, end: int) -> Word:
    if "{$" not in text:
        return Word(text, start, end)
    filled = _ENVIRONMENT.sub(lambda found: found["default"] or found[0], text)
    return Word(filled, start, end, filled != text)


def _argument(match: re.Match[str], arguments: tuple[Word, ...]) -> str:
    number = int((match[1] or match[2])[:6])
    return arguments[number].text if number < len(arguments) else match[0]
