"""A resource as a patch changes it: kustomize's strategic merge, and the operations of a JSON patch (RFC 6902).

Nothing is changed in place: what a patch does not touch stays the base's own node, at its own place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lg_stream_lint.deploy.files import NotRead
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node

#: Lists whose elements are put together by their names; every other list of a patch takes the base's place.
_BY_NAME = frozenset({"containers", "initContainers", "env"})
#: What a piece says of the map that it stands in: ``delete`` or ``replace``.
DIRECTIVE = "$patch"
#: Nodes that patches change, operations of one patch, and steps of a path; aliases can make a short file endless.
MOST = 5_000
MOST_OPERATIONS = 200
_MOST_STEPS = 30


class Change(NamedTuple):
    """What one operation does at the end of its path; ``value`` is None for ``remove``."""

    op: str
    value: Node | None


def merged(base: Node, patch: Node) -> Node:
    """A resource with a strategic merge patch in it. Its kind and name stay the base's. Raises :class:`NotRead`."""
    return _Merger().merge(base, patch, "", top=True)


class _Merger:
    def __init__(self) -> None:
        self.left = MOST

    def merge(self, base: Node, patch: Node, name: str, *, top: bool = False) -> Node:
        self.left -= 1
        if self.left < 0:
            raise NotRead("a patch with more values than can be read")
        if base.kind == patch.kind == LIST and name in _BY_NAME:
            return self._lists(base, patch)
        if base.kind != MAP or patch.kind != MAP or patch.string(DIRECTIVE) == "replace":
            return patch
        pairs = {key.text: (key, value) for key, value in base.entries()}
        for key, value in patch.entries():
            known = pairs.get(key.text)
            if (top and key.text in ("kind", "apiVersion")) or (name == "metadata" and key.text == "name"):
                continue
            if key.text == DIRECTIVE:
                continue
            if value.is_null or value.string(DIRECTIVE) == "delete":
                pairs.pop(key.text, None)
            elif known is None:
                pairs[key.text] = (key, value)
            else:
                pairs[key.text] = (known[0], self.merge(known[1], value, key.text))
        found = _like(base, list(pairs.values()), [])
        found.open |= patch.open
        return found

    def _lists(self, base: Node, patch: Node) -> Node:
        elements = list(base.elements())
        for element in patch.elements():
            wanted = element.string("name")
            place = next((i for i, known in enumerate(elements) if wanted and known.string("name") == wanted), None)
            if element.string(DIRECTIVE) == "delete":
                elements = [known for known in elements if known.string("name") != wanted]
            elif place is None:
                elements.append(element)
            else:
                elements[place] = self.merge(elements[place], element, "")
        found = _like(base, [], elements)
        found.open |= patch.open
        return found


def operated(base: Node, operations: Iterable[Node]) -> tuple[Node, list[tuple[Node, str]]]:
    """A resource after a JSON patch, and the operations that could not be done, with the reasons."""
    refused: list[tuple[Node, str]] = []
    for operation in list(operations)[:MOST_OPERATIONS]:
        after = _operated(base, operation)
        if after is None:
            path = operation.string("path")
            refused.append((operation, f"a JSON patch whose path {path[:80]} is not in what it changes"))
        else:
            base = after
    return base, refused


def _operated(base: Node, operation: Node) -> Node | None:
    op, value = operation.string("op"), operation.child("value")
    steps = _steps(operation.string("path"))
    if op == "test":
        return base
    if op in ("move", "copy"):
        origin = _steps(operation.string("from"))
        value = base.child(origin[0]) if origin else None
        for step in origin[1:]:
            value = _child(value, step) if value is not None else None
        if value is None:
            return None
        without = base if op == "copy" else _changed(base, origin, Change("remove", None))
        return _changed(without, steps, Change("add", value)) if without is not None else None
    if op == "remove" or (op in ("add", "replace") and value is not None):
        return _changed(base, steps, Change(op, value))
    return None


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]][:_MOST_STEPS]


def _child(node: Node, step: str) -> Node | None:
    if node.kind == LIST:
        return node.child(int(step)) if step.isascii() and step.isdigit() else None
    return node.child(step)


def _changed(node: Node, steps: list[str], change: Change) -> Node | None:
    """A node with a change below it; None where the path leads nowhere."""
    if not steps:
        return None
    step, *rest = steps
    if rest:
        inner = _child(node, step)
        below = _changed(inner, rest, change) if inner is not None else None
        if below is None:
            return None
        change = Change("replace", below)
    return _in_list(node, step, change) if node.kind == LIST else _in_map(node, step, change)


def _in_map(node: Node, step: str, change: Change) -> Node | None:
    if node.kind != MAP:
        return None
    pairs = node.entries()
    place = next((i for i, (key, _) in enumerate(pairs) if key.text == step), None)
    if change.value is None:
        return None if place is None else _like(node, [*pairs[:place], *pairs[place + 1 :]], [])
    if place is not None:
        pairs[place] = (pairs[place][0], change.value)
    elif change.op == "add":
        pairs.append((Node(TEXT, change.value.where, step, plain=True), change.value))
    else:
        return None
    return _like(node, pairs, [])


def _in_list(node: Node, step: str, change: Change) -> Node | None:
    values = list(node.elements())
    if step == "-" and change.op == "add" and change.value is not None:
        return _like(node, [], [*values, change.value])
    place = int(step) if step.isascii() and step.isdigit() and len(step) < 6 else len(values) + 1
    if place > len(values) or (place == len(values) and change.op != "add"):
        return None
    after = values[place if change.op == "add" else place + 1 :]
    return _like(node, [], [*values[:place], *([change.value] if change.value is not None else []), *after])


def _like(node: Node, pairs: list[tuple[Node, Node]], values: list[Node]) -> Node:
    found = Node(node.kind, node.where, tag=node.tag)
    found.unknown, found.overridable, found.open, found.inserts = (
        node.unknown,
        node.overridable,
        node.open,
        node.inserts,
    )
    found.pairs, found.values = pairs, values
    return found
