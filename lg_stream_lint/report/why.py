"""The answer to ``--why``, for people and for programs."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lg_stream_lint.patterns import as_posix
from lg_stream_lint.why import FOUND, NOT_VISIBLE, RULED_OUT, Answer, Cause, Place

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Where

FORMATS = ("text", "json")
_WIDTH = 100
_UNKNOWN = (
    'No symptom that is known was named. Most failures are one of three: "cut off", "all at once" or "half an answer"; a line of '
    "a log or of the browser's console says more, and --cut-at SECONDS does. All findings: lg-stream-lint PATH."
)


def render(name: str, answer: Answer, directory: str) -> str:
    """The answer in a format; paths are relative to ``directory``."""
    if name == "json":
        return json.dumps(_document(answer, directory), indent=2, ensure_ascii=False) + "\n"
    return "\n".join(_lines(answer, directory)) + "\n"


def _name(path: str, directory: str) -> str:
    return as_posix(path.removeprefix(directory.rstrip(os.sep) + os.sep))


# Text


def _lines(answer: Answer, directory: str) -> Iterator[str]:
    for typed, known in answer.guesses:
        yield f'Taken for "{known}": "{typed}".'
    for symptom in answer.symptoms:
        yield from _wrapped(f"{symptom.name}: {symptom.says}")
    if not answer.symptoms:
        yield from _wrapped(_UNKNOWN)
    if answer.asked.cut_at is not None:
        yield f"Streams end after {answer.asked.cut_at:g} s."
    if answer.symptoms:
        yield from _found(answer, directory)
    hidden = [cause for cause in answer.causes if cause.verdict == NOT_VISIBLE]
    if hidden or answer.elsewhere:
        yield ""
        yield "Not visible here:"
        for text in answer.elsewhere:
            yield from _wrapped(f"- {text}", "  ", "    ")
        for why in dict.fromkeys(cause.why for cause in hidden):
            names = ", ".join(f"{cause.code} {cause.title}" for cause in hidden if cause.why == why)
            yield from _wrapped(f"- {names}: {why}", "  ", "    ")
    yield from _ruled_out(answer, directory)
    yield ""
    yield "What no reader of files can see:"
    for text in answer.unseen:
        yield from _wrapped(f"- {text}", "  ", "    ")


def _found(answer: Answer, directory: str) -> Iterator[str]:
    causes = [cause for cause in answer.causes if cause.verdict == FOUND]
    yield ""
    yield "Found here:" if causes else "Found here: nothing that causes it."
    for number, cause in enumerate(causes, 1):
        yield f"  {number}. {_titled(cause)}"
        for place in cause.places:
            yield from _wrapped(f"{_at(place.where, directory)}: {place.message}", "     ", "     ")
        if cause.why:
            yield f"     {cause.why}"


def _ruled_out(answer: Answer, directory: str) -> Iterator[str]:
    """The causes of one place in one item: most are about the same stream."""
    places: dict[str, list[str]] = {}
    for cause in answer.causes:
        if cause.verdict == RULED_OUT:
            for place in cause.places:
                places.setdefault(f"{_at(place.where, directory)} ({place.message})", []).append(_titled(cause))
    if places:
        yield ""
        yield "Ruled out:"
    for place_and_why, titles in places.items():
        yield from _wrapped(f"- {', '.join(titles)}: {place_and_why}", "  ", "    ")


def _titled(cause: Cause) -> str:
    return f"{cause.code} {cause.title}".strip()


def _at(where: Where, directory: str) -> str:
    return f"{_name(where.path, directory)}:{where.span.row}"


def _wrapped(text: str, first: str = "", following: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=following, break_long_words=False, break_on_hyphens=False
    )


# JSON


def _document(answer: Answer, directory: str) -> dict[str, Any]:
    return {
        "symptoms": [{"name": row.name, "says": row.says, "source": row.source} for row in answer.symptoms],
        "guesses": [{"typed": typed, "taken_for": known} for typed, known in answer.guesses],
        "cut_at": answer.asked.cut_at,
        "ending": answer.asked.ending or None,
        "causes": [
            {
                "code": cause.code or None,
                "title": cause.title,
                "verdict": cause.verdict,
                "places": [_place(place, directory) for place in cause.places],
                "why": cause.why,
            }
            for cause in answer.causes
        ],
        "elsewhere": list(answer.elsewhere),
        "not_visible": list(answer.unseen),
    }


def _place(place: Place, directory: str) -> dict[str, Any]:
    return {
        "filename": _name(place.where.path, directory),
        "location": {"row": place.where.span.row, "column": place.where.span.column},
        "message": place.message,
    }
