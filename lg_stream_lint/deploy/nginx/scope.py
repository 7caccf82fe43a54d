"""What holds at a place in the tree: the innermost block that says something, and the values that a variable can have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lg_stream_lint.deploy.nginx.tree import Directive
from lg_stream_lint.deploy.units import with_default

#: Values of one text with variables; more are no longer one application.
MOST_VALUES = 8
_DEEPEST = 8
_MOST_STEPS = 500
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_TABLES = ("map", "geo", "split_clients")


class Scope(NamedTuple):
    """The blocks around a place, the innermost first; the last is the whole file."""

    blocks: tuple[Directive, ...]

    def into(self, block: Directive) -> Scope:
        """The scope inside a block that stands in this one."""
        return Scope((block, *self.blocks))

    def find(self, name: str) -> Directive | None:
        """The directive of that name that holds here: nginx refuses a second one on the same level."""
        return next((found for block in self.blocks for found in block.named(name)), None)

    def all(self, name: str) -> list[Directive]:
        """The directives of a name that add up (``proxy_set_header``): of the innermost level that has any."""
        for block in self.blocks:
            found = list(block.named(name))
            if found:
                return found
        return []


class Text(NamedTuple):
    """What a text with variables becomes: ``values`` is empty when that is not known."""

    values: tuple[str, ...]
    overridable: bool = False


class Variables:
    """The variables that the configuration itself gives values (by ``set``, ``map``, ``geo`` and ``split_clients``), and those
    that ``envsubst`` takes from the container's environment.
    """

    def __init__(self, top: Directive, env: Mapping[str, str]) -> None:
        self._env = env
        self._tables: dict[str, list[str]] = {}
        self._steps = 0  # of the text that is resolved now: values in values multiply
        for block in _http_blocks(top):
            for table in block.named(*_TABLES):
                if table.values and table.block is not None:
                    name = table.values[-1].text.lstrip("$")
                    self._tables.setdefault(name, []).extend(_table_values(table))

    def resolve(self, text: str, scope: Scope) -> Text:
        """The texts that one with variables can become; ``${X:-45}`` is 45, and can be replaced from outside."""
        text, overridable = with_default(text)
        self._steps = 0
        return Text(tuple(self._resolve(text, scope, 0)), overridable)

    def _resolve(self, text: str, scope: Scope, depth: int) -> list[str]:
        match = _VARIABLE.search(text)
        if match is None:
            return [text]
        self._steps += 1
        if depth > _DEEPEST or self._steps > _MOST_STEPS:
            return []
        found: list[str] = []
        for value in self._values(match[1] or match[2], scope):
            for resolved in self._resolve(value, scope, depth + 1):
                found += self._resolve(text[: match.start()] + resolved + text[match.end() :], scope, depth + 1)
                if len(found) > MOST_VALUES:
                    return []
        return list(dict.fromkeys(found))

    def _values(self, name: str, scope: Scope) -> list[str]:
        assigned = [value for block in scope.blocks for value in _assigned(block, name)]
        found = assigned or self._tables.get(name) or ([self._env[name]] if name in self._env else [])
        return found[: MOST_VALUES + 1]


def _http_blocks(top: Directive) -> Iterator[Directive]:
    yield top
    yield from top.named("http")


def _table_values(table: Directive) -> Iterator[str]:
    for row in table.block or ():
        if row.values and row.name not in ("include", "ranges", "proxy", "delete"):
            yield row.values[0].text
        elif not row.values and row.name not in ("hostnames", "volatile"):
            return


def _assigned(block: Directive, name: str) -> Iterator[str]:
    """What ``set`` gives a variable in a block, and in an ``if`` in it."""
    for part in (block, *block.named("if")):
        for child in part.named("set"):
            if len(child.values) == 2 and child.first == f"${name}":
                yield child.values[1].text
