"""Which paths a matcher of Caddy lets through: a path, or ``@name`` and what the site says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.caddy.tree import Directive, Word
from lg_stream_lint.deploy.settings import Route


class Matcher(NamedTuple):
    """The paths that a matcher names; none for one that lets all paths through. ``known``: nothing else decides."""

    routes: tuple[Route, ...] = ()
    known: bool = True


ALL = Matcher()


class Matchers:
    """The named matchers of a site."""

    def __init__(self, site: Directive) -> None:
        self._named: dict[str, Matcher] = {}
        waiting = list(site.block or ())
        while waiting:
            directive = waiting.pop()
            if directive.name.startswith("@"):
                self._named.setdefault(directive.name, _definition(directive))
            elif directive.name in ("handle", "handle_path", "route"):
                waiting += directive.block or ()

    def of(self, directive: Directive) -> tuple[Matcher, tuple[Word, ...]]:
        """A directive's matcher, and its values without it."""
        text = directive.first
        if text == "*":
            return ALL, directive.values[1:]
        if text.startswith("/"):
            return Matcher((route_of(text),) if text != "/*" else ()), directive.values[1:]
        if text.startswith("@"):
            return self._named.get(text, Matcher((), known=False)), directive.values[1:]
        return ALL, directive.values


def route_of(pattern: str) -> Route:
    """``/api/*`` is a prefix, ``*.css`` an ending, ``/chat`` exactly that."""
    if pattern.endswith("*") and pattern.count("*") == 1:
        return Route("prefix", pattern[:-1] or "/")
    if "*" in pattern:
        parts = ".*".join(re.escape(part) for part in pattern.split("*"))
        return Route("regex", (parts[2:] if pattern.startswith("*") else "^" + parts) + "$")
    return Route("exact", pattern)


def _definition(directive: Directive) -> Matcher:
    lines = [[word.text for word in directive.values], *([w.text for w in d.words] for d in directive.block or ())]
    lines = [line for line in lines if line]
    routes = tuple(route for line in lines for route in _routes(line))
    return Matcher(routes, known=bool(routes) and all(line[0] in ("path", "path_regexp") for line in lines))


def _routes(line: list[str]) -> Iterator[Route]:
    kind, *values = line
    if kind == "path":
        yield from (route_of(value) for value in values if value != "*")
    elif kind == "path_regexp" and values:
        yield Route("regex", values[-1])


def covers(outer: Matcher, routes: Iterable[Route]) -> bool:
    """Whether all of these routes lie within a matcher; where that cannot be told, no."""
    if not outer.known:
        return False
    prefixes = tuple(route.path for route in outer.routes if route.how == "prefix")
    own = list(routes)
    return not outer.routes or (
        bool(own) and all(route in outer.routes or (prefixes and route.path.startswith(prefixes)) for route in own)
    )
