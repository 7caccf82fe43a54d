"""How long an answer may take, in words that messages of several rules share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.finding import Confidence

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Setting, Where


class Answer(NamedTuple):
    """The longest answer: ``seconds``, ``said`` as a sentence without its full stop, and where the model's limit is written."""

    seconds: float
    said: str
    where: Where | None


def longest_answer(code: CodeFacts) -> Answer:
    """The longest answer of an application: what its model may take, or what is assumed where nobody knows."""
    model = code.model_limit
    seconds = code.longest_answer
    if model is None:
        return Answer(seconds, f"an answer may take {seconds:g} s (assumed, as no model's time-out is known)", None)
    return Answer(seconds, f"the model may take {seconds:g} s ({place(model.where)})", model.where)


def place(where: Where) -> str:
    """``Dockerfile:9``."""
    return f"{os.path.basename(where.path)}:{where.span.row}"


def written(setting: Setting) -> str:
    """``--timeout 30``, ``timeout = 30``, and ``timeout = 30 s by default``."""
    if not setting.explicit:
        return f"{setting.key} = {setting.value:g} s by default"
    value = setting.written or f"{setting.value:g}"
    return f"{setting.key} {value}" if setting.key.startswith("-") else f"{setting.key} = {value}"


def confidence_of(setting: Setting) -> str:
    """Medium where the environment can replace the value."""
    return Confidence.MEDIUM if setting.overridable else Confidence.HIGH
