"""The timelines as a picture that stands alone: no script, no font, no address of anything else; light and dark.

Widths of texts are estimated, as nothing here can measure a font: what is longer than its place is shortened, and stands in full
in the row's ``<title>``.
"""

from __future__ import annotations

import textwrap
from html import escape

from lg_stream_lint.cuts import Layer
from lg_stream_lint.report.style import printable, shortened
from lg_stream_lint.report.timeline import KINDS, View, answer, holds, limit, questions, seconds, sends
from lg_stream_lint.timeline import Timeline

_WIDTH = 960
_MARGIN = 24
_BARS, _END = 400, 868  # where the axis begins and ends; the rest is for the values
_ANSWERS = 280  # where they begin, beside their questions
_ROW = 38
_LINE = 19
_CHARS = 122  # of a line of prose from margin to margin
_LABEL_CHARS, _PLACE_CHARS = 46, 58
_MOST_WAYS = 8
_MOST_UNSEEN = 8

_STYLE = """
  svg { color-scheme: light dark; }
  text { font: 13px -apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; stroke: #d1d9e0; }
  .title { font-size: 16px; font-weight: 600; }
  .strong { font-weight: 600; }
  .small { font-size: 11px; fill: #59636e; }
  .grid { stroke: #d1d9e0; }
  .none { stroke: #59636e; stroke-dasharray: 2 4; }
  .end { fill: #cf222e; stroke: #ffffff; }
  .cut { fill: #cf222e; font-weight: 600; }
  .free { fill: #1a7f37; font-weight: 600; }
  .idle { fill: #0969da; }
  .total { fill: #d1570a; }
  .first_byte { fill: #9a6700; }
  .grace { fill: #8250df; }
  .block { fill: #6e7781; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .page { fill: #0d1117; stroke: #3d444d; }
    .small { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .none { stroke: #9198a1; }
    .end { fill: #f85149; stroke: #0d1117; }
    .cut { fill: #f85149; }
    .free { fill: #3fb950; }
    .idle { fill: #4493f8; }
    .total { fill: #f0883e; }
    .first_byte { fill: #d29922; }
    .grace { fill: #ab7df8; }
    .block { fill: #9198a1; }
  }
"""


def render(view: View) -> str:
    """The picture."""
    page = _Page(view)
    for number, line in enumerate(view.timelines[:_MOST_WAYS], 1):
        page.way(number, line)
    left = len(view.timelines) - _MOST_WAYS
    if left > 0:
        page.prose(f"and {left} more ways, which --output-format text and json show", "small")
    return page.text()


class _Page:
    """Grows downward: ``y`` is where the next line of text stands."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.parts: list[str] = []
        self.y = 40

    def text(self) -> str:
        """The whole document."""
        height = self.y + 4
        title = _safe("; ".join(line.title for line in self.view.timelines[:_MOST_WAYS]))
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            f'viewBox="0 0 {_WIDTH} {height}" role="img">\n<title>Time limits of a stream: {title}</title>\n'
            f"<style>{_STYLE}</style>\n"
            f'<rect class="page" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="6"/>\n'
        )
        return head + "\n".join(self.parts) + "\n</svg>\n"

    def way(self, number: int, line: Timeline) -> None:
        """One way: its title, its limits as bars, the answers."""
        title = self.view.title(number)
        self.prose(title[:1].upper() + title[1:] if len(self.view.timelines) > 1 else title, "title")
        self.y += 2
        for sentence in (sends(line), *(holds(self.view, hop) for hop in line.held)):
            self.prose(sentence)
        if line.layers:
            self._bars(line)
        self._answers(line)
        self._unseen(line)
        self.y += 20

    def prose(self, text: str, look: str = "") -> None:
        """A paragraph."""
        for row in textwrap.wrap(printable(text), _CHARS if look != "title" else 96) or [""]:
            self._put(_MARGIN, self.y, row, look)
            self.y += _LINE

    # The bars

    def _bars(self, line: Timeline) -> None:
        self.y += 16
        self._axis(len(line.layers))
        cutting = {id(cut.layer) for cut in line.cuts if cut.layer is not None}
        for layer in line.layers:
            self._row(layer, cuts=id(layer) in cutting)
        self.y += 8
        self._legend(line)

    def _axis(self, rows: int) -> None:
        self._put(_MARGIN, self.y, "limit", "small")
        for part in range(5):
            x = _BARS + (_END - _BARS) * part / 4
            value = self.view.axis * part / 4
            label = f"{value:g} s" if part == 4 else f"{value:g}"
            self._put(x, self.y, label, "small", "middle")
            top = self.y + 6
            self.parts.append(f'<line class="grid" x1="{x:g}" y1="{top}" x2="{x:g}" y2="{top + rows * _ROW + 4}"/>')
        self.y += 10

    def _row(self, layer: Layer, *, cuts: bool) -> None:
        kind, meaning = KINDS[layer.kind]
        place = f"{kind} · {self.view.origin(layer)}"
        whole = f"{layer.product} {layer.name}: {layer.setting}, {seconds(layer.seconds)} {meaning}; {self.view.origin(layer)}"
        self.parts.append(f"<g><title>{_safe(whole)}</title>")
        label = shortened(printable(f"{layer.layer} {limit(layer)}"), _LABEL_CHARS).removeprefix(layer.layer)
        self.parts.append(
            f'<text x="{_MARGIN}" y="{self.y + 15}"><tspan class="strong">{_safe(layer.layer)}</tspan>{_safe(label)}</text>'
        )
        self._put(_MARGIN, self.y + 29, shortened(printable(place), _PLACE_CHARS), "small")
        self._bar(layer, cuts=cuts)
        self.parts.append("</g>")
        self.y += _ROW

    def _bar(self, layer: Layer, *, cuts: bool) -> None:
        top, middle = self.y + 9, self.y + 18
        if layer.seconds is None:
            self.parts.append(f'<line class="none" x1="{_BARS}" y1="{middle}" x2="{_END}" y2="{middle}"/>')
            self._put(_END + 8, middle + 4, "no limit", "small")
            return
        beyond = layer.seconds > self.view.axis
        end = _END if beyond else _BARS + (_END - _BARS) * layer.seconds / self.view.axis
        size = max(2.0, end - _BARS)
        if beyond:  # an arrow: the bar goes on
            shape = f"{_BARS},{top} {_END - 9},{top} {_END},{middle} {_END - 9},{top + 18} {_BARS},{top + 18}"
            self.parts.append(f'<polygon class="{layer.kind}" points="{shape}"/>')
        else:
            self.parts.append(
                f'<rect class="{layer.kind}" x="{_BARS}" y="{top}" width="{size:.4g}" height="18" rx="2"/>'
            )
        if cuts:
            self.parts.append(f'<circle class="end" cx="{end:.4g}" cy="{middle}" r="5.5" stroke-width="1.5"/>')
        self._put(end + (12 if cuts else 8), middle + 4, seconds(layer.seconds), "strong" if cuts else "")

    def _legend(self, line: Timeline) -> None:
        self.y += 12
        x = float(_MARGIN)
        for kind, (name, meaning) in KINDS.items():
            if not any(layer.kind == kind for layer in line.layers):
                continue
            text = f"{name}: seconds {meaning}"
            needed = 22 + 6.0 * len(text)
            if x + needed > _WIDTH - _MARGIN:
                x, self.y = float(_MARGIN), self.y + _LINE
            self.parts.append(f'<rect class="{kind}" x="{x:g}" y="{self.y - 9}" width="10" height="10" rx="2"/>')
            self._put(x + 15, self.y, text, "small")
            x += needed
        self.y += 14

    # The words

    def _answers(self, line: Timeline) -> None:
        self.y += 20
        for asked, cut in questions(line.cuts):
            who, why = answer(self.view, cut)
            look = "free" if cut.at is None else "cut"
            self._put(_MARGIN, self.y, asked.capitalize())
            meets = f'meets <tspan class="{look}">{_safe(who)}</tspan>'
            self._put(_ANSWERS, self.y, meets, raw=True)
            for row in textwrap.wrap(printable(why), 110):
                self.y += 16
                self._put(_ANSWERS, self.y, row, "small")
            self.y += 22

    def _unseen(self, line: Timeline) -> None:
        self.y += 8
        texts = self.view.unseen(line)
        more = len(texts) - _MOST_UNSEEN
        shown = texts[:_MOST_UNSEEN] + ([f"and {more} more"] if more > 0 else [])
        self.prose("Not visible from here", "strong")
        for text in shown:
            for number, row in enumerate(textwrap.wrap(text, 140) or [""]):
                self._put(_MARGIN, self.y, f"{'– ' if not number else ''}{row}", "small")
                self.y += 16

    def _put(self, x: float, y: float, text: str, look: str = "", anchor: str = "", *, raw: bool = False) -> None:
        attributes = (f' class="{look}"' if look else "") + (f' text-anchor="{anchor}"' if anchor else "")
        self.parts.append(f'<text x="{x:g}" y="{y:g}"{attributes}>{text if raw else _safe(text)}</text>')


def _safe(text: str) -> str:
    """A text as XML can hold it."""
    return escape(printable(text), quote=True)
