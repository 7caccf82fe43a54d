"""The timelines for people: a table whose last column is a picture, and the answers to the questions.

layer  limit               kind  value  where          0          150         300 s
nginx  proxy_read_timeout  idle  60 s   nginx.conf:12  =====

a silence of 30 s   meets nothing: …
a silence of 120 s  meets nginx after 60 s: …
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from lg_stream_lint.cuts import Cut, Layer
from lg_stream_lint.deploy.settings import Kind
from lg_stream_lint.report.style import Style, printable, shortened, width
from lg_stream_lint.report.timeline import KINDS, View, answer, holds, limit, question, seconds, sends
from lg_stream_lint.timeline import Timeline

_HEAD = ("layer", "limit", "kind", "value", "where")
_PLAIN = {Kind.IDLE: "=", Kind.TOTAL: "#", Kind.FIRST_BYTE: "-", Kind.GRACE: "~", Kind.BLOCK: ":"}
_GRAPHIC = {Kind.IDLE: "█", Kind.TOTAL: "▓", Kind.FIRST_BYTE: "▒", Kind.GRACE: "░", Kind.BLOCK: "┄"}
_COLORS = {Kind.IDLE: "36", Kind.TOTAL: "31", Kind.FIRST_BYTE: "33", Kind.GRACE: "35", Kind.BLOCK: "34"}
_NARROWEST, _WIDEST = 24, 60  # cells of a picture
_SHORTEST = 20  # cells of a shortened place
_MOST_UNSEEN = 12


def render(view: View) -> str:
    """The report."""
    style = Style(view.color)
    common = _in_all([view.unseen(line) for line in view.timelines])
    blocks = [_way(view, style, number, line, common) for number, line in enumerate(view.timelines, 1)]
    blocks.append(_unseen(view, "Not visible from here:", common))
    return "\n".join("".join(f"{row}\n" for row in block) for block in blocks if block)


def _way(view: View, style: Style, number: int, line: Timeline, common: Sequence[str]) -> list[str]:
    rows = [style.bold(view.title(number)), sends(line), *(holds(view, hop) for hop in line.held), ""]
    if line.layers:
        rows += [*_table(view, style, line.layers), "", *_legend(view, style, line.layers), ""]
    rows += _answers(view, style, line.cuts)
    own = [text for text in view.unseen(line) if text not in common]
    return [*rows, *([""] if own else []), *_unseen(view, "Not visible from here, on this way:", own)]


# The table


def _table(view: View, style: Style, layers: Sequence[Layer]) -> list[str]:
    cells = [
        tuple(
            printable(text)
            for text in (layer.layer, limit(layer), KINDS[layer.kind][0], seconds(layer.seconds), view.origin(layer))
        )
        for layer in layers
    ]
    room = (
        view.terminal.columns
        - sum(max(width(row[n]) for row in (_HEAD, *cells)) + 2 for n in range(4))
        - _NARROWEST
        - 2
    )
    if view.terminal.graphic:  # a file keeps whole paths
        cells = [(*row[:4], shortened(row[4], max(room, _SHORTEST))) for row in cells]
    widths = [max(width(row[column]) for row in (_HEAD, *cells)) for column in range(len(_HEAD))]
    size = max(_NARROWEST, min(_WIDEST, view.terminal.columns - sum(widths) - 2 * len(widths)))
    rows = [style.bold(f"{_padded(_HEAD, widths)}  {_axis(view.axis, size)}")]
    for layer, row in zip(layers, cells, strict=True):
        rows.append(f"{_padded(row, widths)}  {_bar(view, style, layer, size)}".rstrip())
    return rows


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    """A row's cells below each other; values stand at the right."""
    padded = []
    for column, (text, cells) in enumerate(zip(row, widths, strict=True)):
        space = " " * (cells - width(text))
        padded.append(space + text if _HEAD[column] == "value" else text + space)
    return "  ".join(padded)


def _axis(end: float, size: int) -> str:
    """``0``, the middle and the end of the axis, each over its place."""
    middle, last = f"{end / 2:g}", f"{end:g} s"
    line = "0".ljust(size // 2 - len(middle) // 2) + middle
    return line.ljust(size - len(last)) + last


def _bar(view: View, style: Style, layer: Layer, size: int) -> str:
    if layer.seconds is None:
        return ""
    mark = (_GRAPHIC if view.terminal.graphic else _PLAIN)[layer.kind]
    if layer.seconds > view.axis:
        bar = mark * (size - 1) + ("▶" if view.terminal.graphic else ">")
    else:
        bar = mark * round(layer.seconds / view.axis * size) or "|"
    return style.colored(_COLORS[layer.kind], bar)


def _legend(view: View, style: Style, layers: Sequence[Layer]) -> list[str]:
    """What the bars count, for the kinds that are there."""
    marks = _GRAPHIC if view.terminal.graphic else _PLAIN
    present = [kind for kind in KINDS if any(layer.kind == kind for layer in layers)]
    return [
        f"{style.colored(_COLORS[kind], marks[kind])} {KINDS[kind][0]}: seconds {KINDS[kind][1]}" for kind in present
    ]


# The answers


def _answers(view: View, style: Style, cuts: Iterable[Cut]) -> list[str]:
    asked = [(question(cut), cut) for cut in cuts]
    cells = max((len(text) for text, _ in asked), default=0)
    rows = []
    for text, cut in asked:
        who, why = answer(view, cut)
        row = f"{text.ljust(cells)}  meets {who}: {why}"
        first, *more = _wrapped(row, cells + 2, view.terminal.columns) if view.terminal.graphic else [row]
        rows += [first.replace(f" {who}:", f" {style.colored('1;32' if cut.at is None else '1;31', who)}:", 1), *more]
    return rows


def _wrapped(text: str, indent: int, columns: int) -> list[str]:
    return textwrap.wrap(text, max(columns, 2 * indent), subsequent_indent=" " * indent, break_on_hyphens=False)


def _in_all(lists: Sequence[Sequence[str]]) -> list[str]:
    """What stands in every list, in the order of the first."""
    return [text for text in lists[0] if all(text in other for other in lists)]


def _unseen(view: View, title: str, texts: Sequence[str]) -> list[str]:
    if not texts:
        return []
    shown = texts if view.verbose else texts[:_MOST_UNSEEN]
    more = len(texts) - len(shown)
    return [title, *(f"- {text}" for text in shown), *([f"- and {more} more (--verbose lists them)"] if more else [])]
