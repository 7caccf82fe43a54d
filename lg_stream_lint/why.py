"""``--why``: from what people see to what causes it, each cause checked against the project.

The symptoms, their words and their causes are a table (``knowledge/symptoms.yaml``). A cause is a rule. It is *found* where the
rule has a finding (advice counts), *ruled out* where what it judges is there and it has none, and *not visible* where the
project holds nothing that it could judge. A second at which streams end is compared with every limit on their way.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.deploy.settings import Kind, Setting, Where
from lg_stream_lint.deploy.ways import Way
from lg_stream_lint.finding import RANK, Finding, Severity, is_about_settings
from lg_stream_lint.knowledge import Symptom, knowledge
from lg_stream_lint.rules import registry
from lg_stream_lint.seconds import CUTTING, elsewhere, is_near
from lg_stream_lint.symptoms import Match, length_of_time, matches

if TYPE_CHECKING:
    from lg_stream_lint.config import Config
    from lg_stream_lint.cuts import Layer
    from lg_stream_lint.deploy.code import StreamFact
    from lg_stream_lint.deploy.deployment import Deployment

FOUND, NOT_VISIBLE, RULED_OUT = "found", "not visible", "ruled out"
_ORDER = {FOUND: 0, NOT_VISIBLE: 1, RULED_OUT: 2}
#: Kinds of limits, and the causes that a second which one of them fits speaks for.
_CLOCKED = {
    Kind.IDLE: ("LGS602", "LGS310", "LGS103", "LGS701"),
    Kind.TOTAL: ("LGS603", "LGS512", "LGS307", "LGS502"),
    Kind.FIRST_BYTE: ("LGS306", "LGS310", "LGS204", "LGS201"),
    Kind.BLOCK: ("LGS502", "LGS204", "LGS201", "LGS503"),
    Kind.GRACE: ("LGS505", "LGS504", "LGS503", "LGS511"),
}
#: Causes that the finding of another one contains: what is found there is not ruled out here.
_CONTAINED = {"LGS310": ("LGS602",), "LGS601": ("LGS604", "LGS605"), "LGS502": ("LGS501",)}
#: Limits whose response ends properly, with half an answer (LGS602's and LGS512's evidence); all others break the connection off.
_CLEAN = frozenset({("caddy", Kind.IDLE), ("daphne", Kind.TOTAL)})
#: What is meant where only the end is known: the symptoms that are no more than that.
_ENDINGS = {"reset": "incomplete-chunked-read", "clean": "half-an-answer"}
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
    """What is to be said to a question.

    ``guesses``: misspelt words, and the known ones that they were taken for. ``elsewhere``: limits of products that this
    project does not show.
    """

    asked: Asked
    guesses: tuple[tuple[str, str], ...]
    symptoms: tuple[Symptom, ...]
    causes: tuple[Cause, ...]
    elsewhere: tuple[str, ...]
    unseen: tuple[str, ...]


def ask(words: str, cut_at: float | None, ending: str) -> Asked:
    """A question from what was typed; a length of time in the words counts where none was given."""
    return Asked(words, cut_at if cut_at is not None else length_of_time(words), ending)


def answer(asked: Asked, path: str, config: Config) -> Answer:
    """The causes in order: found here first, then what cannot be seen, then what is ruled out.

    ``path`` is a file or a folder; the whole of it is analysed, advice included. Raises what a run raises.
    """
    from lg_stream_lint.deploy.deployment import deployment_of
    from lg_stream_lint.engine import run

    meant = meant_by(asked)
    symptoms = tuple(match.symptom for match in meant)
    findings = run([path], config._replace(pedantic=True)).findings
    deployment = deployment_of(path, config)
    limits = tuple(_limits(deployment, path))
    near = [layer for layer in limits if asked.cut_at is not None and is_near(layer.seconds, asked.cut_at)]
    near = [layer for layer in near if _may_end(layer, asked.ending)]
    near.sort(key=lambda layer: CUTTING.index(layer.kind))
    scores = _scores(meant, asked, {layer.kind for layer in near})
    causes = [_cause(code, findings, deployment) for code in scores]
    if asked.ending and "LGS301" in scores and not _may_end_so(findings, asked.ending):
        scores["LGS301"] /= 4
    found = {finding.code for finding in findings}
    causes = [cause for cause in causes if cause.verdict != RULED_OUT or not found.intersection(_contained(cause.code))]
    causes.sort(key=lambda cause: (_ORDER[cause.verdict], -scores[cause.code], _worst(cause.code, findings)))
    return Answer(
        asked,
        tuple((match.guessed, match.words) for match in meant if match.guessed),
        symptoms,
        (*(_of_limit(layer) for layer in near), *causes, *_ruled_out_limits(limits, near, asked)),
        tuple(elsewhere(asked.cut_at, limits)) if asked.cut_at is not None else (),
        UNSEEN,
    )


# The symptoms


def meant_by(asked: Asked) -> list[Match]:
    """The symptoms that what was typed names, the most exactly named first; without any, the one of the ending."""
    meant = matches(asked.words, knowledge().symptoms)
    if not meant and (asked.ending or asked.cut_at is not None):
        meant = [Match(row, "", "") for row in knowledge().symptoms if row.name == _ENDINGS[asked.ending or "reset"]]
    return meant


def _scores(meant: Sequence[Match], asked: Asked, kinds: Container[str]) -> dict[str, float]:
    """How likely each code is: by its places in the symptoms' lists, by how the stream ends, and by clocks that fit."""
    scores: dict[str, float] = {}
    for match in meant:
        # A line of a log says more than a word that occurs in many complaints.
        weight = 0.5 + min(len(match.words), 30) / 30
        for position, code in enumerate(match.symptom.causes):
            scores[code] = scores.get(code, 0) + weight / (1 + position)
    if asked.ending:
        fitting = {code for row in knowledge().symptoms if row.ending in (asked.ending, "any") for code in row.causes}
        scores = {code: score * (2 if code in fitting else 0.5) for code, score in scores.items()}
    clocked = {code for kind, codes in _CLOCKED.items() if kind in kinds for code in codes}
    return {code: score + (code in clocked) for code, score in scores.items()}


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
    return Cause(code, info.name, NOT_VISIBLE, (), _nothing_to_judge(code, deployment))


def _contained(code: str) -> tuple[str, ...]:
    """The causes whose finding says what this one's would."""
    info = registry.rules()[code]
    cls = registry.load_deployment(info) if is_about_settings(code) else registry.load(info)
    return (*(cls.loses_to if cls is not None else ()), *_CONTAINED.get(code, ()))


def _judged(code: str, deployment: Deployment) -> Iterator[Place]:
    """What a rule looked at and found nothing wrong with: the settings that it is about, or the project's streams."""
    if not is_about_settings(code):
        for stream in _streams(deployment):
            # A stream without pings is not reported where nothing tells that it falls silent: that rules nothing out.
            if code != "LGS310" or stream.heartbeat is not None:
                yield Place(stream.where, "this stream was looked at" if code != "LGS310" else "this stream pings")
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


def _streams(deployment: Deployment) -> Iterator[StreamFact]:
    """The streaming responses of the project, on whatever way."""
    for way in deployment.ways or (Way((), None, sure=False),):
        yield from deployment.code(way).streams


def _nothing_to_judge(code: str, deployment: Deployment) -> str:
    if code == "LGS310" and any(_streams(deployment)):
        return "the streams here send no pings, and how long they are silent is not known"
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
            if layer.seconds is not None and layer.kind in CUTTING and key not in seen:
                seen.add(key)
                yield layer


def _may_end(layer: Layer, ending: str) -> bool:
    """Whether a response may end in that way where the limit strikes; of the code's own limits nobody knows."""
    return not ending or layer.layer in ("model", "app") or ((layer.layer, layer.kind) in _CLEAN) == (ending == "clean")


def _may_end_so(findings: Iterable[Finding], ending: str) -> bool:
    """Whether an error that nobody is told may end a stream in that way: LGS301 is an error where the end is a clean one."""
    severities = {finding.severity for finding in findings if finding.code == "LGS301"}
    return not severities or (Severity.ERROR in severities if ending == "clean" else Severity.WARNING in severities)


def _of_limit(layer: Layer) -> Cause:
    what = {
        Kind.IDLE: "a silence as long as that ends the stream",
        Kind.TOTAL: "an answer as long as that is cut, and pings do not reset it",
        Kind.FIRST_BYTE: "a request whose headers take as long as that is given up",
        Kind.BLOCK: "an event loop that stands for as long as that ends the process, with every stream in it",
        Kind.GRACE: "as long after the signal to stop, what still streams is cut",
    }[layer.kind]
    origin = "by default" if layer.origin == "default" else "as written"
    text = f"{layer.seconds:g} s {origin}: {what}"
    return Cause("", _title(layer), FOUND, (Place(layer.where, text),), "")


def _title(layer: Layer) -> str:
    return f"{'model ' if layer.layer == 'model' else ''}{layer.product} {layer.setting}"


def _ruled_out_limits(limits: Iterable[Layer], near: Sequence[Layer], asked: Asked) -> Iterator[Cause]:
    """The written limits that do not fit the second; defaults are too many to list."""
    if asked.cut_at is None:
        return
    for layer in limits:
        if layer not in near and layer.origin == "explicit":
            other = (
                "does not end a stream in that way"
                if is_near(layer.seconds, asked.cut_at)
                else f"not {asked.cut_at:g} s"
            )
            place = Place(layer.where, f"{layer.seconds:g} s, {other}")
            yield Cause("", _title(layer), RULED_OUT, (place,), "")
