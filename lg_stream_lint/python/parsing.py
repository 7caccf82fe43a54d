"""Bytes in, LibCST module out, or one reason why not."""

from __future__ import annotations

import re

import libcst as cst

#: CPython's own limit for nested brackets. LibCST's native parser overflows its stack (and kills the process) at about 3,000.
DEEPEST_BRACKETS = 200
#: A chain of calls this long takes seconds to parse (the cost grows with the square), and no hand writes one.
LONGEST_CHAIN = 1_000


class NotAnalysed(Exception):  # noqa: N818 - says what became of the file
    """Why a file cannot be analysed, in words for its user; ``row`` is the line it is about (1 when unknown)."""

    def __init__(self, reason: str, row: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row


_INTERESTING = re.compile(rb"[()\[\]{}]|#[^\r\n]*|(?:\"\"\"|''')|[\"']|\r\n?|\n")
_STRING_END = {
    b'"': re.compile(rb'(?:[^"\\\r\n]|\\[\s\S])*"'),
    b"'": re.compile(rb"(?:[^'\\\r\n]|\\[\s\S])*'"),
    b'"""': re.compile(rb'(?:[^"\\]|\\[\s\S]|"(?!""))*"""'),
    b"'''": re.compile(rb"(?:[^'\\]|\\[\s\S]|'(?!''))*'''"),
}


def parse(source: bytes) -> cst.Module:
    """Parse a file's bytes. Raises :class:`NotAnalysed`, and nothing else."""
    _guard(source)
    try:
        return cst.parse_module(source)
    except cst.ParserSyntaxError as error:
        message = str(error.message).split("\n", 1)[0]
        raise NotAnalysed(f"not valid Python: {message}", max(1, error.raw_line)) from None
    except (UnicodeDecodeError, LookupError, SyntaxError) as error:
        raise NotAnalysed(f"cannot be decoded by its declared encoding ({error})") from None
    except RecursionError:
        raise NotAnalysed("nested deeper than the parser can bear") from None
    except Exception as error:  # noqa: BLE001 - the native parser's own failures have no common class
        raise NotAnalysed(f"the parser gave up: {type(error).__name__}: {error}") from None


def _guard(source: bytes) -> None:
    """Refuse, by a cheap scan, what would kill or stall the native parser."""
    if b"\0" in source:
        raise NotAnalysed("holds NUL bytes: not a text file")
    if source.count(b"(") + source.count(b"[") + source.count(b"{") > DEEPEST_BRACKETS:
        row = too_deep(source)
        if row:
            raise NotAnalysed(f"brackets nested deeper than {DEEPEST_BRACKETS}: the parser cannot bear it", row)
    if source.count(b")") > LONGEST_CHAIN:
        row = too_long_chain(source)
        if row:
            raise NotAnalysed(f"a chain of more than {LONGEST_CHAIN} calls: it would take minutes to parse", row)


def too_deep(source: bytes) -> int:
    """The row (from 1) at which brackets nest deeper than the limit, or 0. Strings and comments are passed over."""
    depth, row, position = 0, 1, 0
    search = _INTERESTING.search
    while True:
        match = search(source, position)
        if match is None:
            return 0
        text = match.group()
        position = match.end()
        first = text[:1]
        if first in b"([{":
            depth += 1
            if depth > DEEPEST_BRACKETS:
                return row
        elif first in b")]}":
            depth = max(0, depth - 1)
        elif first in b"\"'":
            end = _STRING_END[text].match(source, position)
            if end is not None:
                row += source.count(b"\n", position, end.end())
                position = end.end()
        elif first in b"\r\n":
            row += 1


_CHAIN_LINK = re.compile(rb"\)\s*\.\s*\w+\s*\(")


def too_long_chain(source: bytes) -> int:
    """The row of a statement with more calls chained to each other than the limit, or 0 (an over-estimate by design)."""
    links = [match.start() for match in _CHAIN_LINK.finditer(source)]
    run, previous = 0, -1
    for start in links:
        between = source[previous:start] if previous >= 0 else b""
        # Links of one chain stand close to each other; a blank line or an assignment between them ends it.
        run = run + 1 if previous >= 0 and len(between) < 400 and b"\n\n" not in between and b"=" not in between else 1
        if run > LONGEST_CHAIN:
            return source.count(b"\n", 0, start) + 1
        previous = start
    return 0
