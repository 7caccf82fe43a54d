"""Lock files.

They are scanned line by line instead of parsed as TOML: they are written by machines, are often larger than a megabyte, and
the scan gives the row for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lg_stream_lint.manifests.text import Entry, Unreadable, normalise, row_of

_PACKAGE = re.compile(r"^\[\[packages?\]\][ \t]*(?:#.*)?$", re.MULTILINE)
_KEY = re.compile(r"^[ \t]*(name|version)[ \t]*=[ \t]*[\"']([^\"'\n]*)[\"']", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def toml_lock(path: str, text: str) -> Iterator[Entry]:
    """``uv.lock``, ``poetry.lock``, ``pdm.lock``, ``pylock.toml``: tables ``[[package]]`` with a name and a version."""
    starts = [match.end() for match in _PACKAGE.finditer(text)]
    row, counted = 1, 0
    for start in starts:
        following = _TABLE.search(text, start)
        end = following.start() if following else len(text)
        found: dict[str, str] = {}
        where = start
        for key in _KEY.finditer(text, start, end):
            found.setdefault(key[1], key[2])
            if key[1] == "version":
                where = key.start(1)
        if found.get("name") and found.get("version"):
            row += text.count("\n", counted, where)
            counted = where
            version = found["version"]
            yield Entry(normalise(found["name"]), version, f"=={version}", path, row)


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
