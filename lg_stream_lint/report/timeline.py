"""The timelines of a repository and how to show them: what the forms (text, JSON, SVG) have in common."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lg_stream_lint.cuts import Cut, Layer
from lg_stream_lint.deploy.settings import Kind, Where
from lg_stream_lint.patterns import as_posix
from lg_stream_lint.report.style import printable
from lg_stream_lint.timeline import Held, Timeline

FORMATS = ("text", "json", "svg")
#: What each kind of a limit is called, and what it counts.
KINDS = {
    Kind.IDLE: ("idle", "without a byte"),
    Kind.TOTAL: ("total", "in all, whatever flows"),
    Kind.FIRST_BYTE: ("first byte", "until the headers"),
    Kind.GRACE: ("grace", "after the signal to stop"),
    Kind.BLOCK: ("block", "in which the event loop stands"),
}
#: Seconds; the shortest axis.
_AXIS = 300.0


class Terminal(NamedTuple):
    """Where the text goes. ``graphic``: a terminal that can draw, ``columns`` its width."""

    graphic: bool = False
    columns: int = 100


def terminal() -> Terminal:
    """What standard output is; a pipe is plain."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return Terminal()
    graphic = (sys.stdout.encoding or "").lower().startswith("utf")
    return Terminal(graphic, shutil.get_terminal_size((100, 24)).columns)


class View(NamedTuple):
    """The timelines (at least one) and how to show them."""

    timelines: tuple[Timeline, ...]
    directory: str
    color: bool = False
    terminal: Terminal = Terminal()
    verbose: bool = False

    def name(self, path: str) -> str:
        """A path relative to the working directory with ``/``; absolute outside it."""
        return as_posix(path.removeprefix(self._inside))

    def place(self, where: Where) -> str:
        """A place as one writes it: ``nginx.conf:12``."""
        return printable(f"{self.name(where.path)}:{where.span.row}")

    def title(self, number: int) -> str:
        """The title of a way, by its number from 1; of several, with the place that tells them apart."""
        line = self.timelines[number - 1]
        if len(self.timelines) == 1:
            return printable(line.title)
        place = f" ({self.place(line.where)})" if line.where is not None else ""
        return printable(f"way {number} of {len(self.timelines)}: {line.title}{place}")

    def origin(self, layer: Layer) -> str:
        """Where a limit comes from: its place, and whether it is a default there, or can be overridden."""
        place = self.place(layer.where)
        if layer.origin == "default":
            return f"default, {place}"
        return f"{place}, overridable" if layer.overridable else place

    def unseen(self, line: Timeline) -> list[str]:
        """What a timeline says is not visible, with paths as they are shown."""
        return [printable(text.replace(self._inside, "")) for text in line.not_visible]

    @property
    def _inside(self) -> str:
        return self.directory.rstrip(os.sep) + os.sep

    @property
    def axis(self) -> float:
        """Seconds: the end of the one axis for all bars, the longest question."""
        return max((cut.asked for line in self.timelines for cut in line.cuts), default=0.0) or _AXIS


def render(name: str, view: View) -> str:
    """The timelines in a format."""
    if name == "json":
        from lg_stream_lint.report import timeline_json

        return timeline_json.render(view)
    if name == "svg":
        from lg_stream_lint.report import timeline_svg

        return timeline_svg.render(view)
    from lg_stream_lint.report import timeline_text

    return timeline_text.render(view)


def limit(layer: Layer) -> str:
    """What a limit is called: with its client, where a layer can be one of many (``ChatOpenAI timeout``)."""
    known = layer.product.split(" ")[0] == layer.layer
    return printable(layer.setting if known else f"{layer.product} {layer.setting}")


def seconds(value: float | None) -> str:
    """``60 s``, ``none``."""
    return "none" if value is None else f"{value:g} s"


def question(cut: Cut) -> str:
    """What was asked: ``a silence of 60 s``."""
    if cut.question == "deploy":
        return "a deploy"
    return f"{'a silence' if cut.question == 'silence' else 'an answer'} of {cut.asked:g} s"


def questions(cuts: Iterable[Cut]) -> Iterator[tuple[str, Cut]]:
    """The cuts, neighbours with one answer together: ``a silence of 60, 120 and 300 s``."""
    for _, group in itertools.groupby(cuts, lambda cut: cut._replace(asked=0.0)):
        same = list(group)
        *others, last = [f"{cut.asked:g}" for cut in same]
        asked = f"{', '.join(others)} and {last} s" if others else f"{last} s"
        yield question(same[0]).replace(f"{same[0].asked:g} s", asked), same[0]


def answer(view: View, cut: Cut) -> tuple[str, str]:
    """Who cuts, and why: ``nginx after 60 s`` with the reason and what is seen; ``nothing`` with the reason."""
    if cut.at is None:
        return "nothing", f"{cut.why}."
    place = f" ({view.place(cut.layer.where)})" if cut.layer is not None else ""
    seen = f" The client gets {cut.seen}." if cut.seen else ""
    return f"{cut.by} after {cut.at:g} s", printable(f"{cut.why}{place}.{seen}")


def sends(line: Timeline) -> str:
    """What the application sends, in one sentence."""
    stream = line.stream
    if not stream.found:
        return (
            "No response that streams a model's output was found; what is said of silences holds for one without pings."
        )
    if stream.heartbeat is None:
        pings = "sends no pings"
    elif stream.heartbeat == 0:
        pings = "pings"
    else:
        pings = f"pings every {stream.heartbeat:g} s"
    if stream.heartbeat is not None and (stream.waits or stream.blocks):
        pings += ", but not while it waits for the model"
    if stream.waits:
        headers = "its headers wait for the model"
    elif stream.late is None:
        headers = "whether its headers wait for the first chunk is not known"
    else:
        headers = "its headers leave with the first chunk" if stream.late else "its headers leave at once"
    return f"The application {pings}; {headers}."


def holds(view: View, hop: Held) -> str:
    """What a hop holds back, in one sentence."""
    what = "the whole answer until its end" if hop.whole else "the headers until the first chunk"
    return printable(f"{hop.layer} {hop.name}".rstrip()) + f" ({view.place(hop.where)}) holds back {what}."
