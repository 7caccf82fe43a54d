"""VCL as a tree of statements with places. Conditions are kept as texts; inline C is passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Where

#: Blocks in blocks, and statements of a file.
DEEPEST = 60
MOST = 50_000

_TOKEN = re.compile(
    r"""
    \s+ | \#[^\r\n]* | //[^\r\n]*
    | (?P<quoted> "[^"\r\n]*" )
    | (?P<sign> [;{}] )
    | (?P<word> [()] | [^\s;{}()"\#/]+ | / )
    """,
    re.VERBOSE | re.DOTALL,
)

#: What goes on over lines: how it begins and ends, and whether it is a text (the others are comments, and another language).
_LONG = (("/*", "*/", False), ("C{", "}C", False), ('"""', '"""', True), ('{"', '"}', True))


class Statement:
    """Words up to ``;`` or, where ``block`` is not None, up to ``{ … }``; texts in quotes keep their quotes."""

    __slots__ = ("block", "end", "file", "start", "words")

    def __init__(self, file: DeployFile, words: list[str], start: int, end: int, block: list[Statement] | None) -> None:
        self.file = file
        self.words = words
        self.start = start
        self.end = end
        self.block = block

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0] if self.words else ""

    @property
    def where(self) -> Where:
        """From the first to the last word."""
        return self.file.at(self.start, self.end)

    def named(self, name: str) -> Iterator[Statement]:
        """The statements that begin with a word, directly in the block."""
        return (child for child in self.block or () if child.name == name)


def parse(file: DeployFile) -> list[Statement]:
    """The statements of a file. What is not closed ends with the file."""
    text, position, count = file.text, 0, 0
    top: list[Statement] = []
    stack: list[list[Statement]] = [top]
    words: list[str] = []
    start = end = 0
    while position < len(text) and count < MOST:
        first = position
        long = next((pair for pair in _LONG if text.startswith(pair[0], position)), None)
        if long is not None:
            position = text.find(long[1], position + len(long[0])) + len(long[1])
            if position < first + len(long[0]):  # it is not closed: nothing behind it can be told
                break
            if not long[2]:
                continue
            word, sign = '"' + text[first + len(long[0]) : position - len(long[1])] + '"', None
        else:
            match = _TOKEN.match(text, position)
            position = match.end() if match is not None else position + 1
            if match is None or match.lastgroup is None:
                continue
            word, sign = match[0], match["sign"]
        if sign is None:
            start = start if words else first
            end = position
            words.append(word)
        elif sign == "}":
            words = []
            if len(stack) > 1:
                stack.pop()
        elif words:
            statement = Statement(file, words, start, end, [] if sign == "{" else None)
            count += 1
            stack[-1].append(statement)
            words = []
            if statement.block is not None:
                stack.append(statement.block if len(stack) < DEEPEST else [])
        elif sign == "{":
            stack.append([])
    return top
