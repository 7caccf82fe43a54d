"""What somebody typed about a failing stream, compared with words that are known: symptoms, and lengths of time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from lg_stream_lint.knowledge import Symptom

_NUMBERS = {
    "half a": 0.5, "half an": 0.5, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10,
    "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90,
}  # fmt: skip
#: Units, also as other languages write them in the logs and reports that are pasted.
_UNITS = (
    (r"ms|msecs?|milliseconds?|millis", 0.001),
    (r"s|secs?|seconds?|sek|sekunden?|secondes?|segundos?", 1.0),
    (r"m|mins?|minutes?|minuten|minutos?", 60.0),
    (r"h|hrs?|hours?", 3600.0),
)
_UNIT = "|".join(f"(?P<u{number}>{names})" for number, (names, _) in enumerate(_UNITS))
_LENGTH = (
    rf"(?:(?P<number>\d+(?:[.,]\d+)?)\s*-?|(?P<word>{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})[\s-]+)"
    rf"(?:{_UNIT})(?![^\W\d_])"
)
_FIRST, _FOLLOWING = re.compile(rf"(?<![\w.,]){_LENGTH}", re.IGNORECASE), re.compile(rf"\s?{_LENGTH}", re.IGNORECASE)
#: What comes again and again is no length of a stream: ``reconnects every 3 s``.
_REPEATED = re.compile(r"\b(?:every|each|alle)\s+$", re.IGNORECASE)
#: How alike misspelt words must be, and from how many letters on they are compared.
_ALIKE, _LONG = 0.86, 9


class Match(NamedTuple):
    """A symptom, the known words that name it, and what was typed in their place where that was misspelt."""

    symptom: Symptom
    words: str
    guessed: str


def length_of_time(text: str) -> float | None:
    """The first length of time in a text, in seconds; ``1m30s`` is one length, and what recurs is none."""
    for first in _FIRST.finditer(text):
        if _REPEATED.search(text[: first.start()]):
            continue
        seconds = _seconds_of(first)
        following = _FOLLOWING.match(text, first.end())
        if following is not None and _factor(following) < _factor(first):
            seconds += _seconds_of(following)
        return seconds
    return None


def _factor(match: re.Match[str]) -> float:
    return next(factor for number, (_, factor) in enumerate(_UNITS) if match[f"u{number}"])


def _seconds_of(match: re.Match[str]) -> float:
    number = float(match["number"].replace(",", ".")) if match["number"] else _NUMBERS[match["word"].lower()]
    return number * _factor(match)


def matches(text: str, symptoms: Iterable[Symptom]) -> list[Match]:
    """The symptoms whose words occur in a text, the longest words first.

    Words inside longer known ones do not count. Where nothing is known, misspelt words are taken for those that they
    resemble most.
    """
    typed = plain(text)
    rows = list(symptoms)
    spans = [
        (found.start(), found.end(), row, word) for row in rows for word in row.words for found in _found(word, typed)
    ]
    best: dict[str, Match] = {}
    for start, end, row, word in spans:
        inside = any(
            a <= start and end <= b and ((b - a) > (end - start) or ("*" in word and "*" not in longer))
            for a, b, _, longer in spans
        )
        known = best.get(row.name)
        if not inside and (known is None or len(word) > len(known.words)):
            best[row.name] = Match(row, word, "")
    if not best:
        best = {match.symptom.name: match for match in _guessed(typed, rows)}
    return sorted(best.values(), key=lambda match: -len(match.words))


def plain(text: str) -> str:
    """A text without case, quotes and runs of white space."""
    return " ".join(text.lower().replace("\u2019", "'").replace('"', " ").split())


def _found(word: str, typed: str) -> Iterator[re.Match[str]]:
    """Where words occur as such (``504`` is not meant by ``1504``); ``*`` ends a word, ``...`` is up to four words."""
    parts = plain(word).split()
    pattern = ""
    for number, part in enumerate(parts):
        if part == "...":
            continue
        between = r"\W+(?:\S+\s+){0,4}?" if number and parts[number - 1] == "..." else r"\W+"
        stem = re.escape(part.removesuffix("*")) + (r"\w*" if part.endswith("*") else "")
        pattern += (between if number else "") + stem
    if all(part.strip("*.") in typed for part in parts):  # most words are not there at all: no pattern is made for them
        yield from re.finditer(rf"(?<!\w){pattern}(?!\w)", typed)


def _guessed(typed: str, symptoms: Iterable[Symptom]) -> Iterator[Match]:
    """The symptom that misspelt words resemble most."""
    words = typed.split()
    best: tuple[float, Match] | None = None
    for row in symptoms:
        for known in row.words:
            size = len(known.split())
            if len(known) < _LONG or "*" in known or "..." in known:
                continue
            matcher = SequenceMatcher(b=known)
            for start in range(len(words) - size + 1):
                candidate = " ".join(words[start : start + size])
                matcher.set_seq1(candidate)
                if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
                    continue
                alike = matcher.ratio()
                if alike >= _ALIKE and (best is None or alike > best[0]):
                    best = (alike, Match(row, known, candidate))
    if best is not None:
        yield best[1]
