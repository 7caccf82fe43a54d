"""``--why``: from what people see to what causes it, each cause checked against the project.

The symptoms, their words and their causes are a table (``knowledge/symptoms.yaml``). A cause is a rule. It is *found* where the
rule has a finding (advice counts), *ruled out* where what it judges is there and it has none, and *not visible* where the
project holds nothing that it could judge. A second at which streams end is compared with every limit on their way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.deploy.settings import Kind, Setting, Where
from lg_stream_lint.deploy.ways import Way
from lg_stream_lint.finding import RANK, Finding, is_about_settings
from lg_stream_lint.knowledge import Symptom, knowledge
from lg_stream_lint.rules import registry

if TYPE_CHECKING:
    from lg_stream_lint.config import Config
    from lg_stream_lint.cuts import Layer
    from lg_stream_lint.deploy.deployment import Deployment

FOUND, NOT_VISIBLE, RULED_OUT = "found", "not visible", "ruled out"
_ORDER = {FOUND: 0, NOT_VISIBLE: 1, RULED_OUT: 2}
#: How far a second that somebody measured may lie from a limit: clocks, delayed closes, the time before the first byte.
_TOLERANCE, _SHARE = 1.5, 0.04
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|secs|seconds?|m|min|mins|minutes?)\b", re.IGNORECASE)
#: Kinds of limits that end a stream which nobody stops; a grace and a standing loop need a cause of their own.
_CUTTING = (Kind.IDLE, Kind.TOTAL, Kind.FIRST_BYTE, Kind.BLOCK, Kind.GRACE)
_MOST_PLACES = 3

#: What a reader of files cannot know, whatever the project.
UNSEEN = (
    "the provider: incidents, rate limits, gateways that strip stream=true, how long the model thinks",
    "settings that are made in a console: load balancers, CDNs, API gateways; corporate proxies, VPNs, antivirus, mobile networks",
    "which hops a request really crosses, and values that come from secrets or other repositories",
    "the client: its own time-outs, how it reads half a chunk, whether it reconnects",
    "memory and CPU at run time: OOM kills (137), throttling, exhausted thread and connection pools, evictions",
    "C code that holds the interpreter's lock, and blocking calls inside other people's packages",
    "the content: filters, stop sequences, the token budget for this prompt, this input's number of steps",
)


class Asked(NamedTuple):
    """The question: words, the second at which streams end (None: not said), and ``reset``, ``clean`` or empty for the end."""

    words: str
    cut_at: float | None
    ending: str


class Place(NamedTuple):
    """Where something stands, and what is to be said of it."""

    where: Where
    message: str


class Cause(NamedTuple):
    """A possible cause: a rule's code (empty for a limit of the way), its verdict and the places that speak for it."""

    code: str
    title: str
    verdict: str
    places: tuple[Place, ...]
    why: str


class Answer(NamedTuple):
    """What is to be said to a question. ``elsewhere``: limits of products that this project does not show."""

    asked: Asked
    symptoms: tuple[Symptom, ...]
    causes: tuple[Cause, ...]
    elsewhere: tuple[str, ...]
    unseen: tuple[str, ...]


def ask(words: str, cut_at: float | None, ending: str) -> Asked:
    """A question from what was typed; a length of time in the words counts where none was given."""
    if cut_at is None:
        match = _SECONDS.search(words)
        if match is not None:
            unit = match[2].lower()
            factor = 0.001 if unit == "ms" else 60 if unit.startswith("m") else 1
            cut_at = float(match[1]) * factor
    return Asked(words, cut_at, ending)


def answer(asked: Asked, path: str, config: Config) -> Answer:
    """The causes in order: found here first, then what cannot be seen, then what is ruled out.

    ``path`` is a file or a folder; the whole of it is analysed, advice included. Raises what a run raises.
    """
    from lg_stream_lint.deploy.deployment import deployment_of
    from lg_stream_lint.engine import run

    symptoms = tuple(_symptoms(asked))
    findings = run([path], config._replace(pedantic=True)).findings
    deployment = deployment_of(path, config)
    limits = tuple(_limits(deployment, path))
    scores = _scores(symptoms, asked)
    causes = [_cause(code, findings, deployment) for code in scores]
    causes.sort(key=lambda cause: (_ORDER[cause.verdict], -scores[cause.code], _worst(cause.code, findings)))
    near = [layer for layer in limits if asked.cut_at is not None and _is_near(layer.seconds, asked.cut_at)]
    return Answer(
        asked,
        symptoms,
        (*(_of_limit(layer) for layer in near), *causes, *_ruled_out_limits(limits, near, asked)),
        tuple(_elsewhere(asked, limits)),
        UNSEEN,
    )


# The symptoms


def _symptoms(asked: Asked) -> Iterator[Symptom]:
    """The rows whose words occur in what was typed; without any, those of the ending that was given."""
    typed = _plain(asked.words)
    meant = [row for row in knowledge().symptoms if any(_occurs(_plain(word), typed) for word in row.words)]
    if meant or not (asked.ending or asked.cut_at is not None):
        yield from meant
        return
    ending = asked.ending or "reset"
    yield next(row for row in knowledge().symptoms if row.ending == ending)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").replace('"', " ").split())


def _occurs(word: str, typed: str) -> bool:
    """Whether a word (or several) occurs as such: ``504`` is not meant by ``1504``."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", typed) is not None


def _scores(symptoms: Sequence[Symptom], asked: Asked) -> dict[str, float]:
    """How likely each code is, by its places in the symptoms' lists and by how the stream ends."""
    scores: dict[str, float] = {}
    for row in symptoms:
        for position, code in enumerate(row.causes):
            scores[code] = scores.get(code, 0) + 1 / (1 + position)
    if asked.ending:
        fitting = {code for row in knowledge().symptoms if row.ending in (asked.ending, "any") for code in row.causes}
        scores = {code: score * (2 if code in fitting else 0.5) for code, score in scores.items()}
    return scores


# The causes


def _cause(code: str, findings: Iterable[Finding], deployment: Deployment) -> Cause:
    info = registry.rules()[code]
    found = [finding for finding in findings if finding.code == code]
    if found:
        places = tuple(Place(Where(f.path, f.span), f.message) for f in found[:_MOST_PLACES])
        more = len(found) - len(places)
        return Cause(code, info.name, FOUND, places, f"and {more} more" if more > 0 else "")
    judged = list(_judged(code, deployment))
    if judged:
        return Cause(code, info.name, RULED_OUT, tuple(judged[:1]), "")
    return Cause(code, info.name, NOT_VISIBLE, (), _nothing_to_judge(code))


def _judged(code: str, deployment: Deployment) -> Iterator[Place]:
    """What a rule looked at and found nothing wrong with: the settings that it is about, or the project's streams."""
    if not is_about_settings(code):
        for way in deployment.ways:
            for stream in deployment.code(way).streams:
                yield Place(stream.where, "this stream was looked at")
        if not deployment.ways:
            for stream in deployment.code(Way((), None, sure=False)).streams:
                yield Place(stream.where, "this stream was looked at")
        return
    cls = registry.load_deployment(registry.rules()[code])
    about = cls.about if cls is not None else ()
    settings = [setting for way in deployment.ways for hop in way.hops for setting in hop.settings]
    for setting in sorted(settings, key=lambda setting: not setting.explicit):
        if setting.name in about:
            yield Place(setting.where, f"{setting.key}: {_value(setting)}")


def _value(setting: Setting) -> str:
    if setting.written:
        return setting.written
    if setting.value is None:
        return "no limit"
    if isinstance(setting.value, bool):
        return "on" if setting.value else "off"
    return f"{setting.value:g} s by default" if setting.kind else str(setting.value)


def _nothing_to_judge(code: str) -> str:
    if not is_about_settings(code):
        return "no streaming response is known here"
    return "no file here says anything about it"


def _worst(code: str, findings: Iterable[Finding]) -> int:
    return min((RANK[f.severity] for f in findings if f.code == code), default=len(RANK))


# The second


def _limits(deployment: Deployment, path: str) -> Iterator[Layer]:
    from lg_stream_lint.timeline import timelines

    seen: set[tuple[object, ...]] = set()
    for timeline in timelines(deployment, (), (), path):
        for layer in timeline.layers:
            key = (layer.where, layer.setting, layer.seconds)
            if layer.seconds is not None and layer.kind in _CUTTING and key not in seen:
                seen.add(key)
                yield layer


def _is_near(limit: float | None, second: float) -> bool:
    return limit is not None and abs(limit - second) <= max(_TOLERANCE, _SHARE * second)


def _of_limit(layer: Layer) -> Cause:
    what = {
        Kind.IDLE: "without a byte end the stream",
        Kind.TOTAL: "in all end it, and pings do not reset that",
        Kind.FIRST_BYTE: "until the headers end it",
        Kind.BLOCK: "of a standing event loop end the process",
        Kind.GRACE: "after the signal to stop end it",
    }[layer.kind]
    origin = "by default" if layer.origin == "default" else "as written"
    text = f"{layer.seconds:g} s {origin}: so many seconds {what}"
    return Cause("", _title(layer), FOUND, (Place(layer.where, text),), "")


def _title(layer: Layer) -> str:
    return f"{'model ' if layer.layer == 'model' else ''}{layer.product} {layer.setting}"


def _ruled_out_limits(limits: Iterable[Layer], near: Sequence[Layer], asked: Asked) -> Iterator[Cause]:
    """The written limits that do not fit the second; defaults are too many to list."""
    if asked.cut_at is None:
        return
    for layer in limits:
        if layer not in near and layer.origin == "explicit":
            place = Place(layer.where, f"{layer.seconds:g} s, not {asked.cut_at:g} s")
            yield Cause("", _title(layer), RULED_OUT, (place,), "")


def _elsewhere(asked: Asked, limits: Iterable[Layer]) -> Iterator[str]:
    """Products whose default is that second, and which this project does not show."""
    if asked.cut_at is None:
        return
    here = {layer.layer for layer in limits}
    for row in knowledge().layers:
        if row.layer in here or row.kind not in _CUTTING or isinstance(row.value, str):
            continue
        if _is_near(float(row.value), asked.cut_at):
            yield f"{row.layer}: {row.key} is {row.value:g} s by default ({row.kind.replace('_', ' ')})"
