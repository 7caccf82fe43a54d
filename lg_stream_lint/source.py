r"""Bytes of a Python file as text and lines, the way Python itself reads them, and never with an error.

Reports show lines and suppression looks for comments in them; both must agree on rows and columns with the analysis:
columns count code points, a byte order mark is no column, and only ``\n``, ``\r\n`` and ``\r`` end a line.
"""

from __future__ import annotations

import re

_COOKIE = re.compile(rb"^[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#[^\r\n]*)?$")
_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(r"\r\n|\r|\n")


def declared_encoding(source: bytes) -> str:
    """The encoding that a file declares (PEP 263), UTF-8 without a declaration; the name is not checked."""
    if source.startswith(_BOM):
        return "utf-8"
    for line in source[:1000].splitlines()[:2]:
        match = _COOKIE.match(line)
        if match:
            return match.group(1).decode("ascii")
        if not _BLANK.match(line):
            break
    return "utf-8"


def decode(source: bytes) -> str:
    """The text of a file; bytes that its encoding does not know are read as Latin-1, as flake8 does."""
    text = source.removeprefix(_BOM)
    try:
        return text.decode(declared_encoding(source))
    except (UnicodeError, LookupError):
        return text.decode("latin-1")


def line_starts(text: str) -> list[int]:
    """The offset at which every line of a text begins."""
    return [0, *(match.end() for match in _NEWLINE.finditer(text))]


def split_lines(text: str) -> list[str]:
    """The lines of a text without their ends; ``str.splitlines`` would also split at form feeds and the like."""
    return _NEWLINE.split(text)
