"""Envoy's messages as nodes: their fields may be written ``like_this`` or ``likeThis``."""

from __future__ import annotations

from collections.abc import Iterator

from lg_stream_lint.deploy.settings import Note, Origin, Setting
from lg_stream_lint.deploy.units import go_duration, with_default
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT, Node


def field(node: Node | None, *names: str) -> Node | None:
    """The node below these fields; None where there is none."""
    for name in names:
        if node is None:
            return None
        plain = _plain(name)
        node = next((value for key, value in reversed(node.entries()) if _plain(key.text) == plain), None)
    return None if node is None or node.is_null else node


def key_of(node: Node, name: str) -> Node | None:
    """The node of a field's name itself."""
    plain = _plain(name)
    return next((key for key, _ in reversed(node.entries()) if _plain(key.text) == plain), None)


def text(node: Node | None, *names: str) -> str:
    """A text below these fields, with the defaults of ``${X:-…}`` in it; empty where there is none, or it is not known."""
    found = field(node, *names) if names else node
    return with_default(found.text)[0] if found is not None and found.kind == TEXT and not found.unknown else ""


def elements(node: Node | None, *names: str) -> list[Node]:
    """The elements of a list below these fields."""
    found = field(node, *names) if names else node
    return found.elements() if found is not None else []


def below(root: Node, stops: frozenset[int] = frozenset()) -> Iterator[Node]:
    """The maps below and with a node, in the order of the text; what stands in ``stops`` (by ``id``) is left out."""
    seen: set[int] = set(stops)
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.kind == MAP:
            yield node
        waiting += reversed([*(value for _, value in node.pairs), *node.values])


def duration(name: str, key: str, node: Node | None, kind: str, notes: list[Note]) -> Setting | None:
    """A limit as a setting; ``0s`` is none. None where nothing is written, or where it cannot be read."""
    if node is None:
        return None
    written, overridable = with_default(node.text)
    seconds = go_duration(written) if node.kind == TEXT and not node.unknown else None
    if seconds is None:
        notes.append(Note(node.where, f"{key}: {node.text[:60]}"))
        return None
    return Setting(
        name, key, seconds or None, Origin.EXPLICIT, node.where, kind, node.text, overridable or node.overridable
    )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
