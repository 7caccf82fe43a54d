"""What the readers share: one entry, one way to read a file, one way to find a row."""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import Any, NamedTuple

LARGEST = 16 * 1024 * 1024
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),  # what PowerShell's `pip freeze > requirements.txt` writes
    (b"\xfe\xff", "utf-16"),
)


class Entry(NamedTuple):
    """One dependency as it is written: ``specifier`` is PEP 440, alternatives are separated by ``||``."""

    name: str
    exact: str | None
    specifier: str
    path: str
    row: int


class Unreadable(Exception):  # noqa: N818 - not an error of ours: it becomes a note
    """A file that could not be read; the message is for the user."""


def normalise(name: str) -> str:
    """A distribution's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_text(path: str) -> str:
    """The text of a regular file, whatever byte order mark it begins with; :class:`Unreadable` otherwise."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{path}: not a regular file")
        if status.st_size > LARGEST:
            raise Unreadable(f"{path}: larger than {LARGEST // 1024 // 1024} MB")
        with open(path, "rb") as file:
            content = file.read()
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    encoding = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in content[:4096]:
        raise Unreadable(f"{path}: not a text")
    try:
        return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeError:
        raise Unreadable(f"{path}: not decodable as {encoding}") from None


def pinned(name: str, specifier: str, path: str, row: int) -> Entry:
    """An entry whose ``exact`` version is read from its specifier, if that allows one version only."""
    exact = None
    if "||" not in specifier:
        for part in specifier.split(","):
            match = re.fullmatch(r"\s*={2,3}\s*([^\s*]+)\s*", part)
            if match:
                exact = match[1]
    return Entry(name, exact, specifier, path, row)


def parse_toml(path: str, text: str) -> dict[str, Any]:
    """A TOML document; :class:`Unreadable` with the place of the mistake."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:  # pragma: no cover (the tests run on one Python)
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: not TOML ({error})") from None
    return document


def table(document: Any, *keys: str) -> dict[str, Any]:
    """The table under ``keys``, empty when it is missing or something else."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def row_of(text: str, pattern: str, after: int = 1) -> int:
    """The first row at or below ``after`` on which ``pattern`` is found, or ``after``."""
    offset = 0
    for _ in range(after - 1):
        offset = text.find("\n", offset) + 1
        if offset == 0:
            return after
    match = re.compile(pattern, re.MULTILINE).search(text, offset)
    if match is None:
        return after
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    return text.count("\n", 0, start) + 1
