"""The words for what happened: small pure functions over an observation.

``words`` gives all that hold. Each function below answers one question, and ``None`` when the question makes no sense
(a response of status 500 has no stream whose ending matters).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.evidence.observation import COMPLETE, CUT, LEFT, OPEN, Observation

STREAMS_FROM = 0.25  # seconds between first and last byte; the scenarios take 0.7 s and more
STALL_FROM = 0.4  # seconds another request must wait, and …
STALL_SHARE = 0.5  # … the part of the whole answer's time, for it to count as a stall
ERROR_EVENT = re.compile(r"^event:\s*error\s*$", re.MULTILINE)
DONE_MARK = re.compile(r"^data:\s*\[DONE\]\s*$", re.MULTILINE)

DELIVERY = ("not-started", "no-answer", "empty-200", "collected", "streams")  # … or http-nnn
ENDING = (COMPLETE, CUT, OPEN, LEFT)
MEDIA = ("event-stream", "not-event-stream", "no-media-type")
MARKS = ("error-event", "done-mark")
OTHERS = ("stalls-others", "others-served")
MODEL = ("model-stopped", "model-ran-on")
VOCABULARY = frozenset({*DELIVERY, *ENDING, *MEDIA, *MARKS, *OTHERS, *MODEL})


def is_word(word: str) -> bool:
    """Whether an evidence file may use the word: one of the vocabulary, or ``http-`` and a status of failure."""
    return word in VOCABULARY or re.fullmatch(r"http-[45]\d\d", word) is not None


def delivery(seen: Observation) -> str:
    """How the answer came: exactly one word for every observation."""
    if not seen.started:
        return "not-started"
    if seen.status is None:
        return "no-answer"
    if seen.status >= 400:
        return f"http-{seen.status}"
    if not seen.body:
        return "empty-200"
    return "streams" if seen.spread >= STREAMS_FROM else "collected"


def answered_well(seen: Observation) -> bool:
    """A status line came, and it promised an answer."""
    return seen.started and seen.status is not None and seen.status < 400


def ending(seen: Observation) -> str | None:
    """How the response ended."""
    return seen.ending if answered_well(seen) else None


def media(seen: Observation) -> str | None:
    """What the response says it is."""
    if not answered_well(seen):
        return None
    value = seen.header("content-type")
    if value is None:
        return "no-media-type"
    return "event-stream" if value.partition(";")[0].strip().lower() == "text/event-stream" else "not-event-stream"


def marks(seen: Observation) -> Iterable[str]:
    """What the body tells the client about the answer's end."""
    if ERROR_EVENT.search(seen.text):
        yield "error-event"
    if DONE_MARK.search(seen.text):
        yield "done-mark"


def others(seen: Observation) -> str | None:
    """Whether other requests to the process had to wait; ``None`` when the answer was too short to tell."""
    if not seen.probes or seen.ended_at < STALL_FROM:
        return None
    worst = max(probe.took for probe in seen.probes)
    return "stalls-others" if worst >= max(STALL_FROM, STALL_SHARE * seen.ended_at) else "others-served"


def model(seen: Observation) -> str | None:
    """What became of the model's answer when the client left."""
    if seen.ending != LEFT or not seen.model_calls:
        return None
    return "model-stopped" if seen.model_calls[-1].ended == "left" else "model-ran-on"


def words(seen: Observation) -> frozenset[str]:
    """Every word that holds."""
    single = (delivery(seen), ending(seen), media(seen), others(seen), model(seen))
    return frozenset(word for word in single if word is not None) | frozenset(marks(seen))
