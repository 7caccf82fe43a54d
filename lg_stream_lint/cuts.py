"""Who cuts a stream, and when: the questions that a way's limits are asked.

The model (docs/timeline.md, "How it is reckoned"). A stream is a series of bytes: the response's headers, pings if the
application sends any, tokens, the end. Each layer looks at it with its own clock: ``idle`` counts seconds without a byte,
``first_byte`` seconds until the headers, ``total`` seconds since the request whatever flows, ``grace`` seconds after SIGTERM,
``block`` seconds in which the event loop stands. A layer that holds the response back hides all bytes from the layers outside
it. The smallest cut wins, and of equal ones the outermost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.settings import Kind, Role, Where

#: Positions before the hops of a way, which follow from 2 on.
MODEL, APP = 0, 1
#: What a proxy answers that gives up before the headers (measured for apache; Cloudflare's and Heroku's documentation).
_STATUS = {"apache": "502", "cloudflare": "524", "heroku": "503 (H12)"}
#: Layers that end a cut response as if it were complete (measured: caddy 2.6.2, daphne 4.2.3).
_CLEAN = frozenset({"caddy", "daphne"})

_CUT_OFF = "200, then the connection closes early"
_CLEAN_END = "200, then an end that looks complete"


class Layer(NamedTuple):
    """One limit on the way. ``seconds`` is None for no limit; ``where`` the place at which it is written, or would be.

    ``position`` counts from the model outward, so that limits of one hop share it; ``name`` is the hop's, ``role`` one of
    :class:`~lg_stream_lint.deploy.settings.Role` or empty for what stands in the code. ``attempts``: how often a model is asked.
    """

    layer: str
    product: str
    setting: str
    kind: str
    seconds: float | None
    origin: str
    where: Where
    overridable: bool
    position: int
    name: str = ""
    role: str = ""
    attempts: int = 1


class Cut(NamedTuple):
    """The answer to a question. ``question`` is ``silence``, ``length`` or ``deploy``; ``asked`` its seconds (0 for a deploy).

    ``at`` is the second of the cut and ``by`` the name of the layer that cuts (``app``: the response itself), None when nobody
    does; ``layer`` is that limit, if it is one. ``seen`` is what the client gets then.
    """

    question: str
    asked: float
    at: float | None
    by: str | None
    layer: Layer | None
    why: str
    seen: str = ""


class Stream(NamedTuple):
    """What the application sends, and what its way makes of it.

    ``found``: a response that streams a model's output was; otherwise the rest is what a plain one would do.
    ``heartbeat`` is seconds between pings (None: no pings; 0: pings, but how often could not be read). ``late``: the server sends
    no headers before the first chunk (None: not known). ``waits``: the handler waits for the model before it answers at all.
    ``blocks``: the event loop stands while the model is silent, so that nothing pings. ``hiding`` are the positions of hops
    that give nothing on before they have everything, ``delaying`` of those that give the headers on with the first chunk.
    """

    found: bool = True
    heartbeat: float | None = None
    late: bool | None = False
    waits: bool = False
    blocks: bool = False
    hiding: frozenset[int] = frozenset()
    delaying: frozenset[int] = frozenset()

    def gap(self, silence: float) -> float:
        """The longest time without a byte from the application while the model is silent for so long."""
        if self.heartbeat is None or self.waits or self.blocks:
            return silence
        return min(silence, self.heartbeat)

    def is_hidden(self, position: int) -> bool:
        """Whether a layer at this position sees nothing before the end."""
        return any(hop < position for hop in self.hiding)

    def headers_wait(self, position: int) -> bool | None:
        """Whether a layer at this position sees the headers with the first chunk only; None where it is not known."""
        if self.waits or any(hop < position for hop in self.delaying | self.hiding):
            return True
        return self.late


def silence(layers: Sequence[Layer], stream: Stream, seconds: float) -> Cut:
    """Nothing comes from the model for so long, before its first token."""
    cuts = [layer for layer in layers if layer.seconds is not None and layer.seconds < _meets(layer, stream, seconds)]
    return _first("silence", seconds, cuts, stream, _why_no_silence(stream, seconds))


def _meets(layer: Layer, stream: Stream, seconds: float) -> float:
    """How far a layer's clock comes in a silence."""
    if layer.kind == Kind.BLOCK:
        return seconds if stream.blocks else 0.0
    if layer.kind == Kind.TOTAL or layer.position == MODEL:
        return seconds if layer.kind in (Kind.TOTAL, Kind.IDLE, Kind.FIRST_BYTE) else 0.0
    if layer.kind == Kind.IDLE:
        return seconds if stream.is_hidden(layer.position) else stream.gap(seconds)
    if layer.kind == Kind.FIRST_BYTE:
        return _headers_after(layer, stream, seconds)
    return 0.0


def _headers_after(layer: Layer, stream: Stream, seconds: float) -> float:
    """When a layer sees the response's headers, if the model is silent for so long."""
    if stream.is_hidden(layer.position):
        return seconds
    return stream.gap(seconds) if stream.headers_wait(layer.position) else 0.0


def _why_no_silence(stream: Stream, seconds: float) -> str:
    if stream.gap(seconds) == seconds:
        return "no limit in sight is shorter"
    if not stream.heartbeat:
        return "no limit in sight counts through pings; how often they come could not be read"
    return f"no limit in sight is shorter than the {stream.heartbeat:g} s between two pings"


def length(layers: Sequence[Layer], stream: Stream, seconds: float) -> Cut:
    """An answer takes so long, and its tokens keep flowing."""
    cuts = []
    for layer in layers:
        if layer.seconds is None or layer.seconds >= seconds:
            continue
        hidden = stream.is_hidden(layer.position) and layer.kind in (Kind.IDLE, Kind.FIRST_BYTE)
        if layer.kind == Kind.TOTAL or hidden:
            cuts.append(layer)
    return _first("length", seconds, cuts, stream, "no limit in sight counts the whole answer and is shorter")


def deploy(layers: Sequence[Layer], *, pause: float = 0.0, deaf: bool = False, ends_itself: bool = False) -> Cut:
    """A new version is rolled out while an answer is on its way.

    ``pause``: seconds that pass before the server gets the signal; ``deaf``: a shell keeps it from the server;
    ``ends_itself``: the response ends its streams when the signal comes.
    """
    if ends_itself and not deaf:
        return Cut(
            "deploy", 0, pause, "app", None, "the response itself ends its streams at SIGTERM (LGS410)", _CUT_OFF
        )
    cuts: list[tuple[float, Layer]] = []
    for layer in layers:
        if layer.kind != Kind.GRACE or layer.seconds is None:
            continue
        if layer.role == Role.HOST:
            cuts.append((layer.seconds, layer))
        elif layer.role == Role.SERVER and not deaf:
            cuts.append((pause + layer.seconds, layer))
    if not cuts:
        return Cut("deploy", 0, None, None, None, "nothing in sight ends a stream at a deploy")
    at, layer = min(cuts, key=lambda cut: (cut[0], -cut[1].position))
    why = _because(layer)
    if layer.role == Role.SERVER and pause:
        why += f", which comes {pause:g} s later"
    elif layer.role == Role.HOST and deaf:
        why += ", and a shell keeps the signal from the server, so that nothing drains"
    return Cut("deploy", 0, at, layer.layer, layer, why, _CUT_OFF)


def _first(question: str, asked: float, cuts: Sequence[Layer], stream: Stream, nobody: str) -> Cut:
    """The smallest cut; of equal ones the outermost."""
    if not cuts:
        return Cut(question, asked, None, None, None, nobody)
    layer = min(cuts, key=lambda layer: (layer.seconds or 0.0, -layer.position))
    hidden = stream.is_hidden(layer.position) and layer.kind in (Kind.IDLE, Kind.FIRST_BYTE)
    why = _because(layer) + ("; a layer inside holds all of them back" if hidden else "")
    return Cut(question, asked, layer.seconds, layer.layer, layer, why, _seen(question, asked, layer, stream))


def _because(layer: Layer) -> str:
    seconds = f"{layer.seconds:g} s"
    if layer.position == MODEL:
        again = f"; without an answer it asks up to {layer.attempts} times" if layer.attempts > 1 else ""
        meant = "in all" if layer.kind == Kind.TOTAL else "without a byte from the model"
        return f"{layer.setting} allows {seconds} {meant}; pings do not reset it{again}"
    meant = {
        Kind.IDLE: "without a byte",
        Kind.FIRST_BYTE: "until the headers",
        Kind.TOTAL: "in all; pings do not reset it",
        Kind.GRACE: "after the signal to stop",
        Kind.BLOCK: "of a standing event loop, and the code blocks it (LGS201)",
    }[layer.kind]
    return f"{layer.setting} allows {seconds} {meant}"


# What the client sees


def _seen(question: str, asked: float, layer: Layer, stream: Stream) -> str:
    """What the client gets at the cut: an error status before the headers, a connection that closes after them."""
    if layer.role not in (Role.SERVER, Role.PROXY):
        return "500" if stream.waits and question == "silence" else "200, then what the application makes of the error"
    after = _CLEAN_END if layer.layer in _CLEAN else _CUT_OFF
    before = _STATUS.get(layer.layer, "504") if layer.role == Role.PROXY else "502 from a proxy, or no answer"
    out = _headers_are_out(question, asked, layer, stream)
    return f"{before}, or {after}" if out is None else after if out else before


def _headers_are_out(question: str, asked: float, layer: Layer, stream: Stream) -> bool | None:
    """Whether the layer that cuts has given the headers on by then; None where it is not known."""
    if stream.is_hidden(layer.position) or layer.kind == Kind.FIRST_BYTE:
        return False
    if question == "length":
        return True
    wait = stream.headers_wait(layer.position)
    if wait is None:
        return None
    return not wait or stream.gap(asked) < (layer.seconds or 0.0)
