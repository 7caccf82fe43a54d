"""A string expression as its text with holes: what can be said of ``f"data: {x}"`` without knowing ``x``."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.scopes import Scope
from lg_stream_lint.python.syntax import called_name, string_value

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module

_DEEPEST = 6
_PERCENT = re.compile(r"%(?:\((?P<key>\w+)\))?[-#0 +]*\d*(?:\.\d+)?(?P<kind>[srdfiax%])")


class Hole(NamedTuple):
    """A value in a text. ``escaped``: it is written by ``repr`` or a format that no line break survives."""

    node: cst.CSTNode
    module: Module
    escaped: bool = False


Parts = list["str | Hole"]


def parts_of(node: cst.CSTNode, module: Module, depth: int = 0) -> Parts:
    """The text of an expression: literal parts, and a hole for everything that is not known."""
    return _joined(_parts(node, module, depth))


def _parts(node: cst.CSTNode, module: Module, depth: int) -> Parts:
    if depth > _DEEPEST:
        return [Hole(node, module)]
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return [value if isinstance(value, str) else value.decode("latin-1")]
    if isinstance(node, cst.ConcatenatedString):
        return [*_parts(node.left, module, depth + 1), *_parts(node.right, module, depth + 1)]
    if isinstance(node, cst.FormattedString):
        return _formatted(node, module, depth)
    if isinstance(node, cst.BinaryOperation):
        return _operation(node, module, depth)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if called_name(node) == "encode":
            return _parts(node.func.value, module, depth + 1)
        text = string_value(node.func.value)
        if called_name(node) == "format" and text is not None:
            return _format(text, node, module)
    if isinstance(node, cst.Name):
        return _named(node, module, depth)
    return [Hole(node, module)]


def _formatted(node: cst.FormattedString, module: Module, depth: int) -> Parts:
    found: Parts = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            found.append(_unescaped(part.value, raw="r" in node.prefix.lower()))
        elif isinstance(part, cst.FormattedStringExpression):
            if part.conversion in ("r", "a"):
                found.append(Hole(part.expression, module, escaped=True))
            elif isinstance(part.expression, cst.Name):
                found += _parts(part.expression, module, depth + 1)
            else:
                found.append(Hole(part.expression, module))
    return found


def _unescaped(text: str, *, raw: bool) -> str:
    """The text of an f-string's literal part as it is at run time."""
    text = text.replace("{{", "{").replace("}}", "}")
    if raw or "\\" not in text:
        return text
    simple = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\\\": "\\", '\\"': '"', "\\'": "'"}
    return re.sub(r"\\.", lambda match: simple.get(match.group(), match.group()), text)


def _operation(node: cst.BinaryOperation, module: Module, depth: int) -> Parts:
    if isinstance(node.operator, cst.Add):
        return [*_parts(node.left, module, depth + 1), *_parts(node.right, module, depth + 1)]
    text = string_value(node.left)
    if not isinstance(node.operator, cst.Modulo) or text is None:
        return [Hole(node, module)]
    values = [e.value for e in node.right.elements] if isinstance(node.right, cst.Tuple) else [node.right]
    found: Parts = []
    start = 0
    for match in _PERCENT.finditer(text):
        found.append(text[start : match.start()])
        start = match.end()
        if match["kind"] == "%":
            found.append("%")
        elif match["key"] or not values:
            found.append(Hole(node.right, module, escaped=match["kind"] == "r"))
        else:
            found.append(Hole(values.pop(0), module, escaped=match["kind"] != "s"))
    return [*found, text[start:]]


def _format(text: str, call: cst.Call, module: Module) -> Parts:
    plain = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    named = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    found: Parts = []
    position = 0
    try:
        for literal, field, _, conversion in Formatter().parse(text):
            found.append(literal)
            if field is None:
                continue
            key = re.split(r"[.\[]", field)[0]
            given = named.get(key)
            if key in ("", *map(str, range(len(plain)))):
                index = int(key) if key else position
                given = plain[index] if index < len(plain) else None
                position += 1
            whole = given if given is not None and key == field else call
            found.append(Hole(whole, module, escaped=conversion in ("r", "a")))
    except ValueError:
        return [Hole(call, module)]
    return found


def _named(node: cst.Name, module: Module, depth: int) -> Parts:
    """A name's text, when each of its values has the same beginning and end."""
    holder: Scope | None = module.scope_at(node).holder_of(node.value)
    bindings = [b for b in holder.bindings[node.value] if b.kind != "annotation"] if holder is not None else []
    if not bindings or any(b.kind != "assign" or b.path or b.node is None for b in bindings):
        return [Hole(node, module)]
    found = [_joined(_parts(b.node, b.scope.module, depth + 1)) for b in bindings if b.node is not None]
    if any(isinstance(parts[0], Hole) for parts in found):
        return [Hole(node, module)]
    shapes = {(str(parts[0]).partition(":")[0], _newlines(parts)) for parts in found}
    return found[0] if len(shapes) == 1 else [Hole(node, module)]


def _newlines(parts: Parts) -> int:
    last = parts[-1]
    return len(last) - len(last.rstrip("\n")) if isinstance(last, str) else -1


def _joined(parts: Parts) -> Parts:
    """Neighbouring literal parts as one, all line ends alike; never empty."""
    found: Parts = []
    for part in parts:
        text = part.replace("\r\n", "\n").replace("\r", "\n") if isinstance(part, str) else part
        if isinstance(text, str) and found and isinstance(found[-1], str):
            found[-1] += text
        elif text:
            found.append(text)
    return found or [""]


__all__ = ["Hole", "Parts", "parts_of"]
