"""What can still run after a block has been left: the statements behind it, and further turns of the loops around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module

END, RETURN, RAISE, BREAK, CONTINUE = "end", "return", "raise", "break", "continue"
_SIMPLE: dict[type[cst.CSTNode], str] = {
    cst.Return: RETURN,
    cst.Raise: RAISE,
    cst.Break: BREAK,
    cst.Continue: CONTINUE,
}


class Following(NamedTuple):
    """What can run after a statement, in its function: ``statements``, and the ``loop`` that may take another turn."""

    statements: tuple[cst.CSTNode, ...]
    loop: cst.For | cst.While | None


def exits(block: cst.CSTNode) -> frozenset[str]:
    """The ways in which a block can be left: ``end`` (control falls off it), ``return``, ``raise``, ``break``, ``continue``."""
    found: set[str] = set()
    for statement in _statements(block):
        ways = _ways(statement)
        found |= ways - {END}
        if END not in ways:
            return frozenset(found)
    return frozenset({*found, END})


def _statements(block: cst.CSTNode) -> Sequence[cst.CSTNode]:
    body = getattr(block, "body", ())
    return body if isinstance(body, (list, tuple)) else ()


def _ways(statement: cst.CSTNode) -> frozenset[str]:
    """The ways in which control can leave one statement."""
    simple = _SIMPLE.get(type(statement))
    if simple is not None:
        return frozenset({simple})
    if isinstance(statement, cst.SimpleStatementLine):
        return exits(statement)
    if isinstance(statement, cst.If):
        other = _ways(statement.orelse) if statement.orelse is not None else frozenset({END})
        return exits(statement.body) | other
    if isinstance(statement, (cst.Else, cst.Finally, cst.With)):
        return exits(statement.body)
    if isinstance(statement, (cst.For, cst.While)):
        inner = exits(statement.body)
        endless = isinstance(statement, cst.While) and isinstance(statement.test, cst.Name) and BREAK not in inner
        endless = endless and statement.test.value == "True"  # type: ignore[union-attr]
        return (inner - {BREAK, CONTINUE, END}) | (frozenset() if endless else {END})
    if isinstance(statement, (cst.Try, cst.TryStar)):
        return _ways_of_try(statement)
    if isinstance(statement, cst.Match):
        return frozenset({END}).union(*(exits(case.body) for case in statement.cases))
    return frozenset({END})


def _ways_of_try(statement: cst.Try | cst.TryStar) -> frozenset[str]:
    body = exits(statement.body)
    if END in body and statement.orelse is not None:
        body = (body - {END}) | exits(statement.orelse.body)
    found = body.union(*(exits(handler.body) for handler in statement.handlers))
    if statement.finalbody is not None:
        last = exits(statement.finalbody.body)
        if END not in last:
            return last
        found |= last - {END}
    return found


def following(module: Module, node: cst.CSTNode, ways: Iterable[str]) -> Following:
    """What can run after a compound statement that is left in the given ways. ``finally`` blocks do not count."""
    statements: list[cst.CSTNode] = []
    turns: list[cst.For | cst.While] = []
    for way in sorted(set(ways)):
        _follow(module, node, way, statements, turns)
    return Following(tuple(statements), turns[0] if turns else None)


def _follow(
    module: Module, node: cst.CSTNode, way: str, statements: list[cst.CSTNode], turns: list[cst.For | cst.While]
) -> None:
    """Collect what one way leads to: up from ``node``, block by block, to the end of the function."""
    if way in (RETURN, RAISE):
        return
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
        if isinstance(parent, (cst.For, cst.While)) and child is parent.body:
            if way in (CONTINUE, END):
                turns.append(parent)
            way = END
        elif way == END and isinstance(parent, (cst.IndentedBlock, cst.Module)):
            ways = _take(parent, child, statements)
            for other in ways - {END}:
                _follow(module, parent, other, statements, turns)
            if END not in ways:
                return
        child, parent = parent, module.parents.get(parent)


def _take(block: cst.CSTNode, after: cst.CSTNode, statements: list[cst.CSTNode]) -> frozenset[str]:
    """Take the statements of a block behind one of them; the ways in which they leave the block."""
    body = list(_statements(block))
    place = next((number for number, item in enumerate(body) if item is after), len(body))
    found: set[str] = set()
    for statement in body[place + 1 :]:
        statements.append(statement)
        ways = _ways(statement)
        found |= ways - {END}
        if END not in ways:
            return frozenset(found)
    return frozenset({*found, END})
