"""Which of a name's assignments reaches a use, in straight-line code, and which statements never follow each other."""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.scopes import Binding, Scope

_LOOPS = (cst.For, cst.While)


def live_binding(bindings: list[Binding], at: cst.CSTNode, scope: Scope) -> Binding | None:
    """The binding that alone reaches a use: an assignment earlier in the very block of the use, or a block around it.

    Only straight-line code is judged: no loop may lie between the two, and no nested function.
    """
    parents = scope.module.parents
    assigned: dict[cst.CSTNode, Binding] = {}
    for binding in bindings:
        if binding.kind == "assign" and binding.node is not None:
            statement = _statement(binding.node, parents)
            if statement is not None:
                assigned[statement] = binding
    if not assigned:
        return None
    current: cst.CSTNode | None = _statement(at, parents)
    while current is not None:
        block = parents.get(current)
        if block is None:
            return None
        body = getattr(block, "body", ())
        if not isinstance(body, (list, tuple)):
            return None
        for statement in reversed(body[: _index(body, current)]):
            if statement in assigned:
                return assigned[statement]
            if _binds(statement, bindings, parents):
                return None
        around = parents.get(block) if isinstance(block, cst.IndentedBlock) else None
        if around is None or isinstance(around, (cst.For, cst.While, cst.FunctionDef, cst.ClassDef, cst.Try)):
            return None
        current = around if not isinstance(around, (cst.Else, cst.Finally)) else _compound(around, parents)
    return None


def apart(first: cst.CSTNode, second: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> bool:
    """Whether two nodes stand in different branches of one ``if`` or ``match``: what one does, the other never sees.

    In a loop it may see it, a turn later.
    """
    branches: dict[cst.CSTNode, cst.CSTNode] = {}
    child, parent = first, parents.get(first)
    while parent is not None:
        if isinstance(parent, (cst.If, cst.IfExp, cst.Match)):
            branches[parent] = child
        child, parent = parent, parents.get(parent)
    child, parent = second, parents.get(second)
    while parent is not None and not isinstance(parent, cst.FunctionDef):
        other = branches.get(parent)
        if other is not None and other is not child:
            asked = parent.subject if isinstance(parent, cst.Match) else getattr(parent, "test", None)
            return asked not in (child, other) and not _repeated(parent, parents)
        child, parent = parent, parents.get(parent)
    return False


def _repeated(node: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> bool:
    """Whether a loop of the same function holds the node."""
    parent = parents.get(node)
    while parent is not None and not isinstance(parent, cst.FunctionDef):
        if isinstance(parent, _LOOPS):
            return True
        parent = parents.get(parent)
    return False


def _compound(node: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> cst.CSTNode | None:
    current: cst.CSTNode | None = node
    while current is not None and not isinstance(current, cst.BaseCompoundStatement):
        current = parents.get(current)
    return None if isinstance(current, (cst.For, cst.While, cst.Try)) else current


def _statement(node: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> cst.CSTNode | None:
    current: cst.CSTNode | None = node
    while current is not None and not isinstance(current, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
        current = parents.get(current)
    return current


def _index(body: list[cst.CSTNode] | tuple[cst.CSTNode, ...], node: cst.CSTNode) -> int:
    return next((position for position, item in enumerate(body) if item is node), 0)


def _binds(statement: cst.CSTNode, bindings: list[Binding], parents: dict[cst.CSTNode, cst.CSTNode]) -> bool:
    """Whether a binding stands anywhere inside a compound statement."""
    if isinstance(statement, cst.SimpleStatementLine):
        return False
    for binding in bindings:
        current = binding.node
        while current is not None:
            if current is statement:
                return True
            current = parents.get(current)
    return False
