"""Requirements files as pip reads them, with the files that they include."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from lg_stream_lint.manifests.text import Entry, Unreadable, normalise, pinned, read_text

_DEEPEST = 20
_REQUIREMENT = re.compile(
    r"""(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?) \s* (?:\[[^\]]*\])? \s*
        (?: @ \s* (?P<url>\S+) | \(? (?P<specifier> [<>=!~] [^;#()]*? )? \)? ) \s* (?:;.*)? $""",
    re.VERBOSE,
)
_OPTION = re.compile(r"\s--?[A-Za-z]")
_COMMENT = re.compile(r"(^|\s)#.*$")
_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s+|=|(?=[^\s=-]))(?P<path>.+)$")
_WHEEL = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>\d[^-/]*)(?:-[^-/]+)?-[^-/]+-[^-/]+-[^-/]+\.whl")


def requirement(path: str, row: int, text: str) -> Entry | None:
    """A PEP 508 requirement; ``None`` when it is none. A URL says a version only if it names a wheel."""
    match = _REQUIREMENT.match(text.strip())
    if match is None:
        return None
    name = normalise(match["name"])
    if match["url"] is not None:
        wheel = _WHEEL.search(match["url"])
        return pinned(name, f"=={wheel['version']}" if wheel else "", path, row)
    return pinned(name, (match["specifier"] or "").strip(" ,"), path, row)


def requirements(path: str, text: str, inside: str, note: Callable[[str], None]) -> Iterator[Entry]:
    """A requirements file and the files that it includes with ``-r`` and ``-c``, as long as they lie ``inside``."""
    yield from _requirements(path, text, inside, note, set(), 0)


def _requirements(
    path: str, text: str, inside: str, note: Callable[[str], None], seen: set[str], depth: int
) -> Iterator[Entry]:
    seen.add(os.path.realpath(path))
    for row, line in _logical_lines(text):
        include = _INCLUDE.match(line)
        if include:
            yield from _included(path, include["path"].strip(" '\""), inside, note, seen, depth)
        elif not line.startswith("-"):
            entry = requirement(path, row, _OPTION.split(line, maxsplit=1)[0]) or _bare_wheel(path, row, line)
            if entry is not None:
                yield entry


def _included(
    path: str, target: str, inside: str, note: Callable[[str], None], seen: set[str], depth: int
) -> Iterator[Entry]:
    if "://" in target or "$" in target:
        note(f"{path}: {target} is not read")
        return
    included = os.path.normpath(os.path.join(os.path.dirname(path), target))
    real = os.path.realpath(included)
    if real in seen or depth >= _DEEPEST:
        return
    if os.path.relpath(real, os.path.realpath(inside)).startswith(os.pardir):
        note(f"{path}: {target} lies outside the repository")
        return
    try:
        text = read_text(included)
    except Unreadable as error:
        note(str(error))
        return
    yield from _requirements(included, text, inside, note, seen, depth + 1)


def _bare_wheel(path: str, row: int, line: str) -> Entry | None:
    wheel = _WHEEL.search(line)
    return pinned(normalise(wheel["name"]), f"=={wheel['version']}", path, row) if wheel else None


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Row and text of each line that says something; a backslash at the end joins lines."""
    started, parts = 0, ""
    for row, physical in enumerate(text.split("\n"), 1):
        line = _COMMENT.sub("", physical).strip()
        if line.endswith("\\"):
            started, parts = started or row, f"{parts}{line[:-1]} "
            continue
        joined = (parts + line).strip()
        if joined:
            yield started or row, joined
        started, parts = 0, ""
    if parts.strip():
        yield started, parts.strip()
