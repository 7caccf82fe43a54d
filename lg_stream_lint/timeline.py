"""The time budget of a stream's way: every layer's limit, and what a silence, a long answer and a deploy meet first.

The model of the origin (see docs/timeline.md). A stream is a series of bytes: the response's headers, pings if the application
sends any, tokens, the end. Each layer looks at it with its own clock: ``idle`` counts seconds without a byte, ``first_byte``
seconds until the headers, ``total`` seconds since the request whatever flows, ``grace`` seconds after SIGTERM. A layer that
holds the response back hides all bytes from the layers outside it. The smallest cut wins, and of equal ones the outermost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Role, Setting, Where

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.deploy.ways import Way

#: Seconds; what is asked when nobody asks for something else.
QUESTIONS = (30.0, 60.0, 120.0, 300.0)
#: Servers that send the headers as soon as the application has them; the others wait for the first chunk (measured).
_HEADERS_AT_ONCE = frozenset({"uvicorn", "hypercorn", "granian"})
#: gunicorn's worker classes of which the same is true.
_UVICORN_WORKERS = ("uvicorn.workers.", "uvicorn_worker.")


class Layer(NamedTuple):
    """One limit on the way. ``seconds`` is None for no limit; ``where`` the place at which it is written, or would be.

    ``position`` counts the hops from the model outward, so that limits of one hop share it.
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


class Cut(NamedTuple):
    """The answer to a question. ``question`` is ``silence``, ``length`` or ``deploy``; ``asked`` its seconds (0 for a deploy).

    ``at`` is the second of the cut and ``by`` the name of the layer that cuts (``app``: the response itself), None when nobody
    does; ``layer`` is that limit, if it is one.
    """

    question: str
    asked: float
    at: float | None
    by: str | None
    layer: Layer | None
    why: str


class Timeline(NamedTuple):
    """One way, from the model to the client. ``title`` names its application and its outermost hop."""

    title: str
    layers: tuple[Layer, ...]
    cuts: tuple[Cut, ...]
    not_visible: tuple[str, ...]
    sure: bool


class _Origin(NamedTuple):
    """What the application sends: ``heartbeat`` seconds between pings (None: none), ``late``: no headers before the first chunk."""

    heartbeat: float | None
    late: bool


def timelines(deployment: Deployment, silences: Sequence[float], lengths: Sequence[float]) -> list[Timeline]:
    """The timeline of every way through a repository, the longest first; one of the code alone where there is no way."""
    found = [_timeline(deployment, way, silences, lengths) for way in deployment.ways]
    return sorted(found, key=lambda line: -len(line.layers))


def _timeline(deployment: Deployment, way: Way, silences: Sequence[float], lengths: Sequence[float]) -> Timeline:
    code = deployment.code(way)
    layers = tuple(_layers(way, code))
    origin = _origin(way, code)
    hiding = [position for position, hop in enumerate(way.hops, 2) if _holds_back(hop, code)]
    cuts = [
        *(_silence(layers, origin, hiding, seconds) for seconds in silences),
        *(_length(layers, hiding, seconds) for seconds in lengths),
        _deploy(way, code, layers),
    ]
    return Timeline(_title(way), layers, tuple(cuts), tuple(_not_visible(deployment, way, code)), way.sure)


def _title(way: Way) -> str:
    app = way.app.target if way.app is not None else "an application that is not found"
    outer = way.hops[-1]
    return f"{app} through {outer.layer} {outer.name}".rstrip()


# Layers


def _layers(way: Way, code: CodeFacts) -> Iterator[Layer]:
    yield from _model_layers(code)
    for position, hop in enumerate(way.hops, 2):
        product = f"{hop.layer} {hop.version}".strip()
        for setting in hop.settings:
            if setting.kind and not setting.overruled:
                yield Layer(
                    hop.layer,
                    product,
                    setting.key,
                    setting.kind,
                    setting.value,
                    setting.origin,
                    setting.where,
                    setting.overridable,
                    position,
                    hop.name,
                )


def _model_layers(code: CodeFacts) -> Iterator[Layer]:
    """The limits of the models; of several clients with the same limit, the first."""
    seen: set[tuple[object, ...]] = set()
    for model in code.models:
        limits: list[tuple[str, str, float, str]] = []
        if model.limit is not None:
            kind = Kind.TOTAL if model.total else Kind.IDLE
            origin = Origin.EXPLICIT if model.explicit else Origin.DEFAULT
            limits.append(("timeout", kind, model.limit, origin))
        if model.chunk is not None:
            limits.append(("stream_chunk_timeout", Kind.IDLE, model.chunk, Origin.DEFAULT))
        for setting, kind, seconds, origin in limits:
            key = (model.name, setting, seconds)
            if key not in seen:
                seen.add(key)
                value = None if math.isinf(seconds) else seconds
                yield Layer("model", model.name, setting, kind, value, origin, model.where, False, 0)  # noqa: FBT003


# The questions


def _origin(way: Way, code: CodeFacts) -> _Origin:
    server = way.server
    late = any(stream.late_headers for stream in code.streams) or (server is not None and not _at_once(server))
    return _Origin(code.heartbeat or None, late)


def _at_once(server: Hop) -> bool:
    worker = str(server.value("worker_class", ""))
    return server.layer in _HEADERS_AT_ONCE or (server.layer == "gunicorn" and worker.startswith(_UVICORN_WORKERS))


def _holds_back(hop: Hop, code: CodeFacts) -> bool:
    """Whether a hop gives nothing on before it has everything."""
    if hop.role != Role.PROXY:
        return False
    if hop.value("cannot_stream"):
        return True
    if hop.value("compression") is True and hop.value("buffering") is not False:
        return True
    released = code.sends_accel is True and not hop.value("ignores_accel")
    return bool(hop.value("buffering")) and hop.value("http_version") == "1.0" and not released


def _silence(layers: Sequence[Layer], origin: _Origin, hiding: Sequence[int], silence: float) -> Cut:
    """Nothing from the model for that long, before its first token."""
    beat = origin.heartbeat
    gap = min(silence, beat) if beat is not None else silence
    head = gap if origin.late else 0.0
    cuts = []
    for layer in layers:
        if layer.seconds is None or layer.kind not in (Kind.IDLE, Kind.FIRST_BYTE, Kind.TOTAL):
            continue
        hidden = any(position < layer.position for position in hiding)
        meets = {Kind.IDLE: gap, Kind.FIRST_BYTE: head, Kind.TOTAL: silence}[layer.kind]
        if layer.layer == "model" or hidden:
            meets = silence
        if layer.seconds < meets:
            cuts.append((layer.seconds, layer))
    return _cut("silence", silence, cuts, _nobody_cuts_silence(beat, silence))


def _nobody_cuts_silence(beat: float | None, silence: float) -> str:
    if beat is not None and beat < silence:
        return f"no limit is shorter than the {beat:g} s between two pings"
    return "no limit is shorter"


def _length(layers: Sequence[Layer], hiding: Sequence[int], length: float) -> Cut:
    """An answer of that length whose tokens keep flowing."""
    cuts = []
    for layer in layers:
        if layer.seconds is None:
            continue
        hidden = any(position < layer.position for position in hiding)
        counts = layer.kind == Kind.TOTAL or (hidden and layer.kind in (Kind.IDLE, Kind.FIRST_BYTE))
        if counts and layer.seconds < length:
            cuts.append((layer.seconds, layer))
    return _cut("length", length, cuts, "no limit counts the whole answer, or none is shorter")


def _cut(question: str, asked: float, cuts: Iterable[tuple[float, Layer]], nobody: str) -> Cut:
    """The smallest cut; of equal ones the outermost."""
    found = sorted(cuts, key=lambda cut: (cut[0], -cut[1].position))
    if not found:
        return Cut(question, asked, None, None, None, nobody)
    at, layer = found[0]
    return Cut(question, asked, at, layer.layer, layer, _because(layer))


def _because(layer: Layer) -> str:
    seconds = f"{layer.seconds:g} s"
    return {
        Kind.IDLE: f"{layer.setting} allows {seconds} without a byte",
        Kind.FIRST_BYTE: f"{layer.setting} allows {seconds} until the headers",
        Kind.TOTAL: f"{layer.setting} allows {seconds} in all; pings do not reset it",
        Kind.GRACE: f"{layer.setting} allows {seconds} after the signal to stop",
        Kind.BLOCK: f"{layer.setting} allows {seconds} of a standing event loop",
    }[layer.kind]


def _deploy(way: Way, code: CodeFacts, layers: Sequence[Layer]) -> Cut:
    """A new version is rolled out while an answer is on its way."""
    if code.at_shutdown:
        return Cut("deploy", 0, 0.0, "app", None, "the response itself cancels its streams at SIGTERM (LGS410)")
    pauses = [float(host.value("pre_stop") or 0) for host in way.hosts]
    pause = max(pauses, default=0.0)
    deaf = any(host.value("shell") for host in (*way.hosts, *([way.server] if way.server is not None else [])))
    cuts = []
    for layer in layers:
        if layer.kind != Kind.GRACE or layer.seconds is None:
            continue
        role = way.hops[layer.position - 2].role
        if role == Role.SERVER and not deaf:
            cuts.append((pause + layer.seconds, layer))
        elif role == Role.HOST:
            cuts.append((layer.seconds, layer))
    return _cut("deploy", 0, cuts, "nothing in sight ends a stream at a deploy")


# What cannot be seen


def _not_visible(deployment: Deployment, way: Way, code: CodeFacts) -> Iterator[str]:
    if way.app is None:
        yield "which application the server runs"
    if not code.streams:
        yield "a response that streams a model's output"
    if not any(model.limit is not None for model in code.models):
        yield "the model client's limits"
    if way.server is None:
        yield "the command that starts the server"
    if not way.proxies:
        yield "what stands in front of the server: proxies, load balancers, CDNs"
    if not way.sure:
        yield "whether all of these hops belong to one way: a target could not be read"
    for note in deployment.notes:
        yield f"{note.where.path}:{note.where.span.row}: {note.reason}"
    yield "settings that are changed in a console or by environment variables at run time"
    yield "the client's own time-outs"


def setting_of(layer: Layer, way: Way) -> Setting | None:
    """The setting that a layer shows, for rules that look at the timeline."""
    if layer.position < 2:
        return None
    hop = way.hops[layer.position - 2]
    return next((s for s in hop.settings if s.key == layer.setting and s.kind == layer.kind), None)
