"""Seconds at which streams end, compared with the clocks that are known: those of products that a project does not show."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.settings import Kind
from lg_stream_lint.knowledge import knowledge

if TYPE_CHECKING:
    from lg_stream_lint.cuts import Layer

#: How far a second that somebody measured may lie from a limit: clocks, delayed closes, the time before the first byte.
_TOLERANCE, _SHARE = 1.5, 0.04
#: Kinds of limits that end a stream. A standing loop and a grace, the last two, need a cause of their own.
CUTTING = (Kind.IDLE, Kind.TOTAL, Kind.FIRST_BYTE, Kind.BLOCK, Kind.GRACE)
_MOST_NAMES = 4


def is_near(limit: float | None, second: float) -> bool:
    """Whether a limit may be what ended a stream at that second."""
    return limit is not None and abs(limit - second) <= max(_TOLERANCE, _SHARE * second)


def elsewhere(second: float, limits: Sequence[Layer]) -> Iterator[str]:
    """Products whose default is that second, and which this project does not show."""
    here = {layer.layer for layer in limits}
    for row in knowledge().layers:
        if row.layer in here or row.kind not in CUTTING or isinstance(row.value, str):
            continue
        if is_near(float(row.value), second):
            key, fixed, _ = row.key.partition(", which is fixed")
            origin = "and fixed" if fixed else "by default"
            yield f"{row.layer}: {key} is {row.value:g} s {origin} ({row.kind.replace('_', ' ')})"
    yield from _models_elsewhere(second, {layer.product for layer in limits if layer.layer == "model"})


def _models_elsewhere(second: float, here: Container[str]) -> Iterator[str]:
    """The models' clients that give up at that second by themselves."""
    for what, field in (("without a byte", "default_timeout"), ("between two chunks", "chunk_timeout")):
        waiting: dict[float, list[str]] = {}
        for row in knowledge().models.values():
            seconds, name = getattr(row, field), row.path.rpartition(".")[2]
            if not isinstance(seconds, (int, float)) or not is_near(seconds, second) or name in here:
                continue
            shown = row.path if name.removeprefix("Async").startswith("Client") else name
            names = waiting.setdefault(seconds, [])
            names += [shown] if shown not in names else []
        for seconds, names in sorted(waiting.items()):
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            yield f"model: {', '.join(names[:_MOST_NAMES])}{more}: {seconds:g} s {what} by default"
