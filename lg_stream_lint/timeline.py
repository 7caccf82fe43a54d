"""The time budget of a stream's way: every layer's limit, and what a silence, a long answer and a deploy meet first.

What the questions mean and how they are answered stands in :mod:`lg_stream_lint.cuts`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint import cuts
from lg_stream_lint.cuts import APP, MODEL, Cut, Layer, Stream
from lg_stream_lint.deploy import holding
from lg_stream_lint.deploy.carries import through
from lg_stream_lint.deploy.settings import Kind, Origin, Role, Where
from lg_stream_lint.deploy.ways import Way
from lg_stream_lint.deploy.workers import Family, family_of

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts, ModelFact
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.deploy.settings import Hop

#: Seconds; what is asked when nobody asks for something else.
QUESTIONS = (30.0, 60.0, 120.0, 300.0)
#: Servers that send the headers as soon as the application has them; the others wait for the first chunk (measured).
_HEADERS_AT_ONCE = frozenset({"uvicorn", "hypercorn", "granian"})
#: Limits that no silent stream meets (measured of nginx's ``send_timeout`` and haproxy's ``timeout client``).
_NO_LIMIT_OF_A_STREAM = frozenset({"send_timeout"})
#: The position of a way's first hop; the model and the application's code come before.
_FIRST = 2


class Held(NamedTuple):
    """A hop that holds the response back: ``whole`` until its end, otherwise only its headers until the first chunk."""

    layer: str
    name: str
    where: Where
    whole: bool


class Timeline(NamedTuple):
    """One way, from the model to the client. ``title`` names its application and its outermost hop, ``where`` that hop's place.

    ``stream`` is what the application sends. ``sure``: every link of the way was resolved. ``not_visible`` are phrases; those about
    a file start with its absolute path.
    """

    title: str
    layers: tuple[Layer, ...]
    cuts: tuple[Cut, ...]
    not_visible: tuple[str, ...]
    sure: bool
    stream: Stream = Stream()
    held: tuple[Held, ...] = ()
    where: Where | None = None


def timelines(
    deployment: Deployment,
    silences: Sequence[float] = QUESTIONS,
    lengths: Sequence[float] = QUESTIONS,
    path: str = "",
) -> list[Timeline]:
    """The timeline of every way through a repository; one of the code alone where there is no way.

    Ways that ``path`` (a file or folder, absolute) lies on come first, and among those the longest.
    """
    ways = _of_streams(deployment)
    if not ways:
        return [timeline_of(deployment, Way((), None, sure=True), silences, lengths)]
    ways.sort(key=lambda way: (not _touches(deployment, way, path), way.app is None, -len(way.hops)))
    found = [timeline_of(deployment, way, silences, lengths) for way in ways]
    return list({(line.title, line.layers, line.held): line for line in found}.values())


def _of_streams(deployment: Deployment) -> list[Way]:
    """The ways that carry the application's stream; of an application for which none is known to, all of its ways."""
    by_server: dict[object, list[Way]] = {}
    for way in deployment.ways:
        by_server.setdefault(id(way.server) if way.server is not None else way.app, []).append(way)
    found: list[Way] = []
    for ways in by_server.values():
        carrying = [way for way in ways if _carried(deployment, way) is not None]
        found += carrying or ways
    return found


def _carried(deployment: Deployment, way: Way) -> CodeFacts | None:
    """What the code says, with those streams alone that go through every proxy of a way; None when none does."""
    code = deployment.code(way)
    for hop in way.proxies:
        passed = through(hop, deployment.hops, code, sure=way.sure)
        if passed is None:
            return None
        code = passed
    return code


def _touches(deployment: Deployment, way: Way, path: str) -> bool:
    """Whether a way leads through a file, or through something below a folder."""
    if not path or path == deployment.repository:
        return True
    inside = path.rstrip(os.sep) + os.sep
    paths = [hop.where.path for hop in way.hops] + ([way.app.path] if way.app is not None else [])
    if any(other == path or other.startswith(inside) for other in paths):
        return True
    if not path.endswith(".py") or way.app is None:
        return False
    from lg_stream_lint.deploy.code_reader import belongs

    return belongs(deployment, way.app, path)


def timeline_of(deployment: Deployment, way: Way, silences: Sequence[float], lengths: Sequence[float]) -> Timeline:
    """The timeline of one way; a way without hops is the code alone."""
    code = _carried(deployment, way) or deployment.code(way)
    layers = tuple(_layers(way, code))
    held = tuple(_held(deployment, way, code))
    stream = _stream(way, code, held)
    answers = (
        *(cuts.silence(layers, stream, seconds) for seconds in silences),
        *(cuts.length(layers, stream, seconds) for seconds in lengths),
        _deploy(way, code, layers),
    )
    unseen = tuple(dict.fromkeys(_not_visible(deployment, way, code)))
    outermost = way.hops[-1].where if way.hops else None
    return Timeline(_title(way), layers, answers, unseen, way.sure, stream, tuple(hop for _, hop in held), outermost)


def _title(way: Way) -> str:
    if not way.hops:
        return "the code alone: no file says how it is served"
    app = way.app.target if way.app is not None else "an application that is not found"
    outer = way.hops[-1]
    return f"{app} through {outer.layer} {outer.name}".rstrip()


# Layers


def _layers(way: Way, code: CodeFacts) -> Iterator[Layer]:
    yield from _model_layers(code)
    for limit in code.deadlines:
        yield Layer(
            layer="app",
            product="app",
            setting=f"{limit.name}()",
            kind=Kind.TOTAL,
            seconds=limit.seconds,
            origin=Origin.EXPLICIT,
            where=limit.where,
            overridable=False,
            position=APP,
        )
    for position, hop in enumerate(way.hops, _FIRST):
        for setting in hop.settings:
            if setting.kind and setting.name not in _NO_LIMIT_OF_A_STREAM:
                yield Layer(
                    layer=hop.layer,
                    product=f"{hop.layer} {hop.version}".strip(),
                    setting=setting.key,
                    kind=setting.kind,
                    seconds=setting.value,
                    origin=setting.origin,
                    where=setting.where,
                    overridable=setting.overridable,
                    position=position,
                    name=hop.name,
                    role=hop.role,
                )


def _model_layers(code: CodeFacts) -> Iterator[Layer]:
    """The limits of the models; of several clients with the same limit, the first."""
    seen: set[tuple[object, ...]] = set()
    for model in code.models:
        for layer in _limits_of(model):
            key = (layer.product, layer.setting, layer.seconds)
            if key not in seen:
                seen.add(key)
                yield layer


def _limits_of(model: ModelFact) -> Iterator[Layer]:
    limits: list[tuple[str, str, float, str]] = []
    if model.limit is not None:
        kind = Kind.TOTAL if model.total else Kind.IDLE
        limits.append(("timeout", kind, model.limit, Origin.EXPLICIT if model.explicit else Origin.DEFAULT))
    if model.chunk is not None:
        limits.append(("stream_chunk_timeout", Kind.IDLE, model.chunk, Origin.DEFAULT))
    for setting, kind, limit, origin in limits:
        seconds = None if math.isinf(limit) else limit
        attempts = model.attempts if setting == "timeout" else 1
        yield Layer(
            layer="model",
            product=model.name,
            setting=setting,
            kind=kind,
            seconds=seconds,
            origin=origin,
            where=model.where,
            overridable=False,
            position=MODEL,
            attempts=attempts,
        )


# The stream


def _stream(way: Way, code: CodeFacts, held: Sequence[tuple[int, Held]]) -> Stream:
    return Stream(
        found=bool(code.streams),
        heartbeat=code.heartbeat,
        late=_is_late(way.server),
        waits=any(stream.late_headers for stream in code.streams),
        blocks=any(block.code == "LGS201" and block.in_stream for block in code.blocking),
        hiding=frozenset(position for position, hop in held if hop.whole),
        delaying=frozenset(position for position, hop in held if not hop.whole),
    )


def _is_late(server: Hop | None) -> bool | None:
    """Whether a server sends no headers before the first chunk; None where it is not known."""
    if server is None:
        return None
    if server.layer != "gunicorn":
        return server.layer not in _HEADERS_AT_ONCE
    family = family_of(server.value("worker_class", ""))
    return None if family == Family.UNKNOWN else family != Family.UVICORN


def _held(deployment: Deployment, way: Way, code: CodeFacts) -> Iterator[tuple[int, Held]]:
    """The hops that hold the response back, with their positions."""
    for position, hop in enumerate(way.hops, _FIRST):
        if hop.role != Role.PROXY:
            continue
        setting = next(
            (hop.get(name) for name in ("cannot_stream", "buffering", "compression") if hop.value(name)), None
        )
        if setting is None or (setting.name == "buffering" and holding.is_released(hop, way, code)):
            continue
        whole = setting.name != "buffering" or holding.compresses(hop, code)
        whole = whole or holding.is_held(hop, way, deployment, code)
        yield position, Held(hop.layer, hop.name, setting.where, whole)


def _deploy(way: Way, code: CodeFacts, layers: Sequence[Layer]) -> Cut:
    server = [way.server] if way.server is not None else []
    return cuts.deploy(
        layers,
        pause=max((float(host.value("pre_stop") or 0) for host in way.hosts), default=0.0),
        deaf=any(hop.value("shell") for hop in (*way.hosts, *server)),
        ends_itself=bool(code.at_shutdown),
    )


# What cannot be seen


def _not_visible(deployment: Deployment, way: Way, code: CodeFacts) -> Iterator[str]:
    if way.app is None and way.hops:
        yield "which application the server runs"
    if not code.streams:
        yield "a response that streams a model's output"
    if code.heartbeat == 0:
        yield "how often the application pings"
    if not any(model.limit is not None for model in code.models):
        yield "the model client's limits"
    if way.server is None:
        yield "the command that starts the server"
    if not way.hosts:
        yield "what stops the server at a deploy"
    if not way.proxies:
        yield "what stands in front of the server: proxies, load balancers, CDNs"
    if not way.sure:
        yield "whether all of these hops belong to one way: a target could not be read"
    for note in deployment.notes:
        yield f"{note.where.path}:{note.where.span.row}: {note.reason}"
    yield "settings that are changed in a console or by environment variables at run time"
    yield "the client's own time-outs"
