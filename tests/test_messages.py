"""What messages have in common, whatever the rule: short sentences that a tired developer can act upon."""

from __future__ import annotations

import re

import pytest

from lg_stream_lint.versions import VersionFact, told
from tests.findings import Located, everywhere

pytestmark = pytest.mark.xdist_group("findings")

#: Code in a message may look like anything.
CODE = re.compile(r'`[^`]*`|f?"[^"]*"|\{"[^}]*\}')
SENTENCE_END = re.compile(r'[.!?]["”)`]?\s+(?=[A-Z`"“(:])')
REPR = re.compile(r"<[\w.]+ [^>]*>|object at 0x|\bKind\.|[\[({]'|\bNone\)|Values?\(|\(None")
MOST_SENTENCES = 3


def sentences(message: str) -> int:
    """How many sentences a message has."""
    return len(SENTENCE_END.split(CODE.sub("Code", message)))


def with_text(judge: re.Pattern[str]) -> list[str]:
    """The findings in whose message, or in that of a related place, a pattern is found."""
    return [str(located) for located in everywhere() if any(judge.search(text) for text in texts(located))]


def texts(located: Located) -> list[str]:
    """A finding's own message and those of its related places, code left out."""
    return [CODE.sub("Code", text) for text in (located.finding.message, *(r.message for r in located.finding.related))]


def test_there_is_something_to_look_at() -> None:
    assert len({located.finding.code for located in everywhere()}) > 40


def test_three_sentences_at_most() -> None:
    assert [str(located) for located in everywhere() if sentences(located.finding.message) > MOST_SENTENCES] == []


def test_a_message_says_what_is_wrong_and_what_to_do() -> None:
    assert [str(located) for located in everywhere() if sentences(located.finding.message) < 2] == []


def test_a_message_ends_with_a_full_stop() -> None:
    ends = re.compile(r"[^.…]\.$|…\)\.$")
    assert [str(located) for located in everywhere() if not ends.search(located.finding.message)] == []


def test_a_message_begins_like_a_sentence() -> None:
    # Names of functions, arguments and files stand as they are written; a word of ours has a capital letter.
    plain = re.compile(r"^(the|a|an|this|these|when|if|on|at|in|with)\b")
    assert [str(located) for located in everywhere() if plain.search(located.finding.message)] == []


def test_no_double_spaces_and_line_breaks() -> None:
    assert with_text(re.compile(r"\s\s|\n|^\s|\s$|\s[.,;:](?![\w.])|\(\)\(\)|::")) == []


def test_no_python_in_disguise() -> None:
    assert with_text(REPR) == []


def test_versions_say_where_they_were_read() -> None:
    lock = VersionFact("fastapi", "0.110.3", None, "/p/uv.lock", 12, "lock")
    allowed = VersionFact("langgraph", None, ">=0.6", "/p/pyproject.toml", 7, "range")
    assert told(lock, "fastapi", "0.118 or newer") == "FastAPI 0.110.3 in uv.lock:12"
    assert told(allowed, "langgraph", "0.5 or newer") == "langgraph >=0.6 in pyproject.toml:7"
    assert told(allowed, "langgraph", "1.0 or newer", decided=False) == "langgraph 1.0 or newer assumed"
    assert told(None, "starlette", "0.46 or newer") == "Starlette 0.46 or newer assumed"


def test_a_limit_is_proposed_in_the_unit_that_its_keyword_counts() -> None:
    proposed = [located.finding.message for located in everywhere() if "http_options=" in located.finding.message]
    assert proposed
    assert [text for text in proposed if '"timeout": 300000}' not in text or "milliseconds" not in text] == []


def test_a_limit_of_the_whole_answer_is_not_proposed_short() -> None:
    short = re.compile(r"=60 \(seconds; it limits the whole answer")
    assert with_text(short) == []


def test_only_scopes_that_ask_for_their_task_are_said_to_raise() -> None:
    told_of_time_outs = [
        text for located in everywhere() if "yields inside this time-out" in (text := located.finding.message)
    ]
    assert told_of_time_outs
    assert [text for text in told_of_time_outs if "different task" in text] == []


def test_a_handler_of_cancellation_is_not_said_to_see_the_closing() -> None:
    told_of_cancellation = [
        located.finding.message
        for located in everywhere()
        if located.finding.code == "LGS303" and "CancelledError" in located.finding.message
    ]
    assert told_of_cancellation
    assert [text for text in told_of_cancellation if "GeneratorExit" in text] == []
