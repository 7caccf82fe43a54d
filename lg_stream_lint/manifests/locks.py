"""Lock files.

The TOML ones are scanned instead of parsed: they are written by machines, name and version stand right below the header
of each package, the files are often larger than a megabyte, and the scan gives the row for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lg_stream_lint.manifests.text import Entry, Unreadable, normalise, row_of

_HEADER = re.compile(r"\[\[packages?\]\][^\n]*\n")
_KEY = re.compile(r"[ \t]*([\w-]+)[ \t]*=[ \t]*(?:[\"']([^\"'\n]*)[\"'])?[^\n]*(?:\n|$)")


def toml_lock(path: str, text: str) -> Iterator[Entry]:
    """``uv.lock``, ``poetry.lock``, ``pdm.lock``, ``pylock.toml``: tables ``[[package]]`` with a name and a version."""
    row, counted = 1, 0
    start = 0 if text.startswith("[[package") else _next(text, 0)
    while start >= 0:
        name, version, where = _name_and_version(text, start)
        if name and version:
            row += text.count("\n", counted, where)
            counted = where
            yield Entry(normalise(name), version, f"=={version}", path, row)
        start = _next(text, start)


def _next(text: str, after: int) -> int:
    found = text.find("\n[[package", after)
    return found + 1 if found >= 0 else -1


def _name_and_version(text: str, start: int) -> tuple[str, str, int]:
    """What the keys below a header say, and where the version stands; the keys end at the first line that is none."""
    found: dict[str, str] = {}
    where = start
    header = _HEADER.match(text, start)
    key = _KEY.match(text, header.end()) if header else None
    while key is not None and len(found) < 2:
        if key[1] in ("name", "version") and key[2]:
            found[key[1]] = key[2]
            where = key.start(1)
        key = _KEY.match(text, key.end())
    return found.get("name", ""), found.get("version", ""), where


def pipfile_lock(path: str, text: str) -> Iterator[Entry]:
    """``Pipfile.lock``: JSON with the sections ``default`` and ``develop``."""
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: not JSON ({error})") from None
    for section in ("default", "develop"):
        packages = document.get(section) if isinstance(document, dict) else None
        for name, details in packages.items() if isinstance(packages, dict) else ():
            version = details.get("version") if isinstance(details, dict) else None
            if isinstance(version, str) and version.startswith("=="):
                row = row_of(text, rf'^\s*"{re.escape(name)}"\s*:')
                yield Entry(normalise(name), version.lstrip("="), version, path, row)
