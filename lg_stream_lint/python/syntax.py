"""Walking LibCST trees without LibCST's own machinery.

``node.visit`` and ``node.children`` rebuild or collect every node, whitespace included, and cost more than the parse; recursion
ends at a few hundred chained calls. Here a tree is walked with an explicit stack over the fields that can hold code, which
each node class is asked for once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import libcst as cst

#: Fields that hold punctuation, white space or comments, never code that a rule asks about.
_PUNCTUATION = frozenset(
    {
        "lpar", "rpar", "lbracket", "rbracket", "lbrace", "rbrace", "comma", "semicolon", "colon", "dot", "asynchronous",
        "leading_lines", "lines_after_decorators", "lines_after_module_docstring", "header", "footer", "indent",
        "trailing_whitespace", "newline", "default_indent", "default_newline", "encoding", "has_trailing_newline",
        "first_line", "last_line", "start", "end", "prefix", "quote", "posonly_ind", "relative", "raw",
    }
)  # fmt: skip

#: For each node class, what gives the values of its fields that can hold code.
_getters: dict[type[cst.CSTNode], Callable[[cst.CSTNode], tuple[Any, ...]]] = {}


def _getter_of(kind: type[cst.CSTNode]) -> Callable[[cst.CSTNode], tuple[Any, ...]]:
    names = [
        field.name
        for field in fields(kind)
        if field.name not in _PUNCTUATION and not field.name.startswith("whitespace") and field.type not in (str, "str")
    ]
    if len(names) > 1:
        getter: Callable[[Any], tuple[Any, ...]] = attrgetter(*names)
    elif names:
        getter = _only(attrgetter(names[0]))
    else:
        getter = _nothing
    _getters[kind] = getter
    return getter


def _only(get: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda node: (get(node),)


def _nothing(_: cst.CSTNode) -> tuple[Any, ...]:
    return ()


#: Whether a type is a node class. `isinstance` against LibCST's abstract base class costs more than the rest of a walk.
_node_types: dict[type, bool] = {}


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The direct children that hold code, in field order (nearly source order)."""
    found: list[cst.CSTNode] = []
    kind = type(node)
    for value in (_getters.get(kind) or _getter_of(kind))(node):
        if value is None:
            continue
        is_node = _node_types.get(type(value))
        if is_node is None:
            is_node = _node_types[type(value)] = isinstance(value, cst.CSTNode)
        if is_node:
            found.append(value)
        elif type(value) in (list, tuple):
            found.extend(value)  # sequences of code fields hold nodes only
    return found


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Every node below and including ``node``, parents first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        below = children(current)
        below.reverse()
        stack.extend(below)


#: What opens a scope that runs at another time than the code around it.
DEFERRED = (cst.FunctionDef, cst.Lambda, cst.ClassDef)


def walk_same_scope(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Like :func:`walk`, without entering nested functions, lambdas and classes (they are yielded, not entered).

    ``node`` itself is entered when it is a function: its body, not its decorators and defaults, which run elsewhere.
    """
    stack: list[cst.CSTNode] = [node.body] if isinstance(node, (cst.FunctionDef, cst.Lambda)) else [node]
    while stack:
        current = stack.pop()
        yield current
        if type(current) in DEFERRED:  # not isinstance: see _node_types
            continue
        below = children(current)
        below.reverse()
        stack.extend(below)


Visit = Callable[[Any], Any]


def drive(
    tree: cst.CSTNode,
    visits: Mapping[type[cst.CSTNode], Sequence[Visit]],
    leaves: Mapping[type[cst.CSTNode], Sequence[Visit]],
) -> None:
    """One walk over ``tree`` that calls every visitor for the node classes it asked for.

    A visitor's return value is not looked at: no rule can hide a part of the tree from another one.
    """
    stack: list[Any] = [tree]  # nodes, and those that are left in a tuple of their own
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is tuple:
            (node,) = node
            for call in leaves[type(node)]:
                call(node)
            continue
        for call in visits.get(kind, ()):
            call(node)
        if kind in leaves:
            stack.append((node,))
        below = children(node)
        below.reverse()
        stack.extend(below)


def dotted_text(node: cst.BaseExpression | None) -> str:
    """``a.b.c`` for names and attributes of names, else an empty string."""
    parts: list[str] = []
    current: cst.CSTNode | None = node
    while isinstance(current, cst.Attribute):
        parts.append(current.attr.value)
        current = current.value
    if not isinstance(current, cst.Name):
        return ""
    parts.append(current.value)
    return ".".join(reversed(parts))


def called_name(call: cst.Call) -> str:
    """The last part of what is called: ``stream`` for ``graph.stream(…)``; empty when it is no name."""
    func = call.func
    if isinstance(func, cst.Attribute):
        return func.attr.value
    return func.value if isinstance(func, cst.Name) else ""


def string_value(node: cst.CSTNode | None) -> str | None:
    """The text of a plain string literal (also concatenated ones), else None; bytes and f-strings are None."""
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    if isinstance(node, cst.ConcatenatedString):
        left, right = string_value(node.left), string_value(node.right)
        return left + right if left is not None and right is not None else None
    return None


def argument(call: cst.Call, keyword: str, position: int | None = None) -> cst.BaseExpression | None:
    """The value given for a parameter by keyword, or by position when no ``*args`` comes before it."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == keyword:
            return arg.value
    if position is None:
        return None
    plain: list[cst.BaseExpression] = []
    for arg in call.args:
        if arg.star or arg.keyword is not None:
            break
        plain.append(arg.value)
    return plain[position] if position < len(plain) else None


def positional(call: cst.Call) -> list[cst.BaseExpression]:
    """The positional arguments before any ``*args``."""
    found: list[cst.BaseExpression] = []
    for arg in call.args:
        if arg.star:
            break
        if arg.keyword is None:
            found.append(arg.value)
    return found


def code_of(node: cst.CSTNode, limit: int = 60) -> str:
    """The source of a small expression on one line, for messages; shortened to ``limit`` characters."""
    try:
        text = " ".join(cst.Module(body=()).code_for_node(node).split())
    except RecursionError:
        return "…"
    return text if len(text) <= limit else text[: limit - 1] + "…"
