"""How long a blocking call takes, where that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.keywords import Keyword
from lg_stream_lint.python.model_builds import number
from lg_stream_lint.python.syntax import called_name, positional

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: ``timeout=5`` of a client counts for the connection, and again for the answer.
_PHASES = 2
_TURNS = (cst.For, cst.While, cst.CompFor)


def length_of(facts: Facts, call: cst.CSTNode, module: Module) -> float | None:
    """Seconds that a call blocks at most: its sleep, or its time-out once for each phase; None where that is not written.

    None in a loop too, whose turns add up.
    """
    if not isinstance(call, cst.Call) or any(isinstance(outer, _TURNS) for outer in module.ancestors(call)):
        return None
    if called_name(call) == "sleep":
        given = positional(call)[:1]
        return number(facts, Keyword(given[0], module)) if given else None
    limit = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "timeout"), None)
    seconds = number(facts, Keyword(limit, module)) if limit is not None else None
    return seconds * _PHASES if seconds else None
