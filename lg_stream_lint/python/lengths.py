"""How long a blocking call takes, where that is written or the system bounds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.knowledge import Blocking
from lg_stream_lint.python.keywords import Keyword
from lg_stream_lint.python.model_builds import number
from lg_stream_lint.python.syntax import called_name, positional

if TYPE_CHECKING:
    from lg_stream_lint.python.blocking import Reached
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: ``timeout=5`` of a client counts for the connection, and again for the answer.
_PHASES = 2
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


def length_of(facts: Facts, reached: Reached, module: Module) -> float | None:
    """Seconds that a call blocks at most, for one that is reached from a function of ``module``; None where that is not known.

    Known are its sleep, its time-out once for each phase, and what the table says of the function. None in a loop, whose turns
    add up.
    """
    site = reached.site
    if _repeats(reached.node, module) or _repeats(site.node, site.module) or not isinstance(site.node, cst.Call):
        return None
    written = _written(facts, site.node, site.module)
    if written is not None:
        return written
    return site.known.longest if isinstance(site.known, Blocking) else None


def _written(facts: Facts, call: cst.Call, module: Module) -> float | None:
    if called_name(call) == "sleep":
        given = positional(call)[:1]
        return number(facts, Keyword(given[0], module)) if given else None
    limit = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "timeout"), None)
    seconds = number(facts, Keyword(limit, module)) if limit is not None else None
    return seconds * _PHASES if seconds else None


def _repeats(node: cst.CSTNode, module: Module) -> bool:
    """Whether a loop evaluates something more than once; what a ``for`` runs through is evaluated once, before its first turn."""
    child = node
    for outer in module.ancestors(node):
        if isinstance(outer, cst.While) or (isinstance(outer, cst.For) and child is not outer.iter):
            return True
        if isinstance(outer, _COMPREHENSIONS) and child is not outer.for_in:
            return True
        if isinstance(outer, cst.CompFor):
            inner = isinstance(module.parents.get(outer), cst.CompFor)
            if inner or child is not outer.iter:
                return True
        child = outer
    return False
