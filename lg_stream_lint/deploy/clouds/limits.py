"""A limit of a cloud's resource: written, or its default; and the notes that readers gather on the way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.settings import Hop, Note, Origin, Reading, Setting, Where
from lg_stream_lint.deploy.units import go_duration, number, with_default
from lg_stream_lint.deploy.yaml_marks import TEXT, Node


class Limit(NamedTuple):
    """What a limit is called: in the words of the settings, and by the product.

    ``scale`` turns its unit into seconds; ``when`` picks the row of defaults.
    """

    layer: str
    name: str
    key: str
    kind: str = ""
    scale: float = 1.0
    when: str = ""


class Found:
    """What a reader gathers: hops and notes."""

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.notes: list[Note] = []

    def reading(self) -> Reading:
        """Everything gathered, each note once."""
        return Reading(tuple(self.hops), tuple(dict.fromkeys(self.notes)))

    def add(self, reading: Reading) -> Reading:
        """Add what another reading holds; it is given back."""
        self.hops += reading.hops
        self.notes += reading.notes
        return reading

    def limit(self, limit: Limit, node: Node | None, where: Where) -> list[Setting]:
        """The setting of a limit: as ``node`` says, or its default at ``where``; none where its value cannot be told."""
        if node is None:
            usual = default(limit.layer, limit.name, where, when=limit.when)
            return [usual._replace(key=limit.key)] if usual is not None else []
        seconds = seconds_of(node)
        if seconds is None:
            self.notes.append(Note(node.where, f"the value of {limit.key} is not written here"))
            return []
        return [written(limit.name, limit.key, seconds * limit.scale, node, limit.kind)]


def written(name: str, key: str, value: Any, node: Node, kind: str = "") -> Setting:
    """A setting whose value stands at a node."""
    overridable = node.overridable or with_default(node.text)[1]
    return Setting(name, key, value, Origin.EXPLICIT, node.where, kind, node.text, overridable)


def seconds_of(node: Node) -> float | None:
    """A number, or a duration with units (``300s``, ``5m``); None for anything else."""
    if node.kind != TEXT or node.unknown:
        return None
    text = with_default(node.text)[0]
    plain = number(text)
    return plain if plain is not None else go_duration(text)


def settings(*groups: Iterable[Setting]) -> tuple[Setting, ...]:
    """The settings of all groups, in order."""
    return tuple(setting for group in groups for setting in group)
