"""What YAML is to the readers: maps, lists and texts, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.deploy.units import number, with_default

MAP, LIST, TEXT = "map", "list", "text"

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "yes", "on", "y"})
_FALSE = frozenset({"false", "no", "off", "n"})


class Node:
    """One node. ``kind`` is ``map``, ``list`` or ``text``; ``where`` is its place.

    ``unknown``: a template, or a tag such as ``!Ref``, makes the value (``text`` is then what is written). ``overridable``:
    the value is a chart's default. ``open``: a template adds to the map or list, and ``inserts`` is what it writes for it.
    ``plain``: a scalar without quotes. ``tag`` is a tag that is written, else empty.
    """

    __slots__ = (
        "inserts",
        "kind",
        "open",
        "overridable",
        "pairs",
        "plain",
        "tag",
        "text",
        "unknown",
        "values",
        "where",
    )

    def __init__(self, kind: str, where: Where, text: str = "", tag: str = "", *, plain: bool = False) -> None:
        self.kind = kind
        self.where = where
        self.text = text
        self.tag = tag
        self.plain = plain
        self.unknown = False
        self.overridable = False
        self.open = False
        self.inserts: tuple[str, ...] = ()
        self.pairs: list[tuple[Node, Node]] = []
        self.values: list[Node] = []

    def __repr__(self) -> str:
        inner = self.text if self.kind == TEXT else self.pairs if self.kind == MAP else self.values
        return f"<{self.kind} {self.where.span.row} {inner!r}>" if self.kind == TEXT else f"<{self.kind} {len(inner)}>"

    @property
    def is_null(self) -> bool:
        """Whether nothing is written as the value."""
        return self.kind == TEXT and self.plain and not self.unknown and self.text in _NULLS

    def get(self, *keys: str | int) -> Node | None:
        """The node below these keys (a number is a place in a list); None where there is none, or where it is null."""
        node: Node | None = self
        for key in keys:
            if node is None:
                return None
            node = node.child(key)
        return None if node is None or node.is_null else node

    def child(self, key: str | int) -> Node | None:
        """The node right below, null or not."""
        if isinstance(key, int):
            return self.values[key] if self.kind == LIST and -len(self.values) <= key < len(self.values) else None
        for known, value in reversed(self.pairs):
            if known.text == key and known.kind == TEXT:
                return value
        return next((value for known, value in self._merged() if known.text == key), None)

    def key(self, name: str) -> Node | None:
        """The node of a key itself."""
        return next((known for known, _ in reversed(self.entries()) if known.text == name), None)

    def has(self, name: str) -> bool:
        """Whether a key is written, even without a value."""
        return self.child(name) is not None

    def entries(self) -> list[tuple[Node, Node]]:
        """Keys and values of a map, those of merge keys (``<<``) last; of duplicate keys the last one. Empty for others."""
        if self.kind != MAP:
            return []
        found: dict[str, tuple[Node, Node]] = {}
        for known, value in self.pairs:
            if known.kind == TEXT and not _is_merge(known):
                found[known.text] = (known, value)
        for known, value in self._merged():
            found.setdefault(known.text, (known, value))
        return list(found.values())

    def _merged(self) -> Iterator[tuple[Node, Node]]:
        """The entries that merge keys bring, nearest first; each map once, whatever refers to what."""
        waiting = [value for known, value in self.pairs if _is_merge(known)]
        seen = {id(self)}
        while waiting:
            node = waiting.pop(0)
            if id(node) in seen or len(seen) > 200:
                continue
            seen.add(id(node))
            waiting = [*node.values, *(value for known, value in node.pairs if _is_merge(known)), *waiting]
            yield from (pair for pair in reversed(node.pairs) if pair[0].kind == TEXT and not _is_merge(pair[0]))

    def elements(self) -> list[Node]:
        """The elements of a list; empty for others."""
        return self.values

    def string(self, *keys: str | int) -> str:
        """The text of a scalar (below these keys) as it is written; empty where there is none."""
        node = self.get(*keys)
        return node.text if node is not None and node.kind == TEXT else ""

    def number(self, *keys: str | int) -> float | None:
        """A scalar's number (below these keys), the default of ``${X:-30}`` included; None for anything else."""
        node = self.get(*keys)
        if node is None or node.kind != TEXT or node.unknown:
            return None
        return number(with_default(node.text)[0])

    def truth(self, *keys: str | int) -> bool | None:
        """A scalar's truth (below these keys), in all of YAML 1.1's spellings, quoted or not; None for anything else."""
        node = self.get(*keys)
        if node is None or node.kind != TEXT or node.unknown:
            return None
        word = with_default(node.text)[0].strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None

    def may_have(self, name: str) -> bool:
        """Whether a key is there, or could be brought in by a template: only where not, its absence is certain."""
        return self.open or self.unknown or self.has(name)


def _is_merge(key: Node) -> bool:
    return key.kind == TEXT and key.plain and key.text == "<<"


def walk(root: Node) -> Iterator[Node]:
    """Every node below and with a root, each once, whatever the aliases; keys are left out."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        waiting += reversed([*(value for _, value in node.pairs), *node.values])
