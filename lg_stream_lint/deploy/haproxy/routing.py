"""Which paths a condition of HAProxy lets through: ``acl`` lines, and ``{ path_beg /api }`` in place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lg_stream_lint.deploy.haproxy.sections import Section
from lg_stream_lint.deploy.settings import Route

_FETCHES = re.compile(
    r"(?:path|url|pathq|capture\.req\.uri|base)(?:_(?P<how>beg|end|reg|sub|dir|str))?(?:,(?:lower|url_dec|url))*"
)
_HOW = {"beg": "prefix", "str": "exact", "reg": "regex", "end": "regex", "sub": "regex", "dir": "regex"}
_MOST = 200


def routes_of(condition: tuple[str, ...], section: Section) -> list[Route]:
    """The paths that an ``if`` names; empty where it names none, so that it is about something else."""
    if condition[:1] != ("if",):
        return []
    acls = _acls(section)
    found: list[Route] = []
    position = 1
    while position < len(condition) and len(found) < _MOST:
        word = condition[position]
        if word == "{":
            end = condition.index("}", position) if "}" in condition[position:] else len(condition)
            if condition[position - 1] != "!":
                found += _test(condition[position + 1 : end])
            position = end
        elif not word.startswith("!") and condition[position - 1] != "!":
            found += acls.get(word, [])
        position += 1
    return list(dict.fromkeys(found))


def inside_of(section: Section) -> str | None:
    r"""What a backend puts in place of the front of a path: ``replace-path /api/(.*) /\1``; None where nothing is replaced."""
    for line in section.own("http-request"):
        if line.at(1) == "replace-path" and re.match(r"/?(?:\\\d|$)", line.at(3)):
            return "/"
        if line.at(1) == "set-path" and re.match(r"%\[path,regsub\(\^?/[\w/-]+", line.at(2)):
            return "/"
    return None


def _acls(section: Section) -> dict[str, list[Route]]:
    found: dict[str, list[Route]] = {}
    for line in section.own("acl"):
        found.setdefault(line.at(1), []).extend(_test(line.texts[2:]))
    return found


def _test(words: Iterable[str]) -> Iterator[Route]:
    """The routes of ``path_beg -i /a /b``."""
    fetch, *values = [*words] or [""]
    match = _FETCHES.fullmatch(fetch)
    if match is None or "-f" in values or "-M" in values:
        return
    how = match["how"] or "str"
    takes = False
    for value in values:
        if takes:
            how, takes = value, False
        elif value == "-m":
            takes = True
        elif not value.startswith("-") and how in _HOW:
            yield Route(_HOW[how], _as_route(how, value))


def _as_route(how: str, value: str) -> str:
    if how == "end":
        return re.escape(value) + "$"
    if how == "dir":
        return "/" + re.escape(value.strip("/")) + "(/|$)"
    return re.escape(value) if how == "sub" else value
