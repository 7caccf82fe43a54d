"""A Helm chart's own values, and the few expressions over them that can be answered without Helm."""

from __future__ import annotations

import os
import re
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT, Node, documents
from lg_stream_lint.finding import Span

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|[()|,]|[^\s()|,]+')
#: Functions that leave a value as it is, as far as a manifest's reader can tell.
_SAME = frozenset({"quote", "squote", "toString", "int", "int64", "float64", "trim", "toYaml", "toJson"})
_OTHER_VALUES = re.compile(r"values[-_.].+\.ya?ml")
_DEEPEST = 8
_MOST_FILES = 20
_HERE = Where("", Span(1, 1, 1, 1))


class Dot(NamedTuple):
    """What ``.`` is: the top (no node, known), a node of the values, or something that is not known."""

    node: Node | None
    known: bool


class Values(NamedTuple):
    """The map of a chart's ``values.yaml``; None where there is no chart.

    ``others`` are those of the files beside it (``values-prod.yaml``): what one of them says otherwise is not known.
    """

    root: Node | None
    others: tuple[Node, ...] = ()


_NIL = Node(TEXT, _HERE, "", plain=True)
_known: WeakKeyDictionary[DeployFile, Values] = WeakKeyDictionary()


def values_for(file: DeployFile, context: Context | None) -> Values:
    """The values of the chart that a template belongs to: those beside the nearest ``Chart.yaml`` above it."""
    folder = file.folder
    for _ in range(_DEEPEST):
        if context is None or not (context.holds(os.path.join(folder, "Chart.yaml"))):
            break
        if context.find("Chart.yaml", folder) is not None:
            return _values(folder, file, context)
        folder = os.path.dirname(folder)
    return Values(None)


def _values(folder: str, template: DeployFile, context: Context) -> Values:
    file = context.find("values.yaml", folder) or context.find("values.yml", folder)
    if file is None or file is template:
        return Values(None)
    known = _known.get(file)
    if known is None:
        others = [root for other in _beside(folder, context) for root in [_root(other)] if root is not None]
        known = _known[file] = Values(_root(file), tuple(others))
    return known


def _root(file: DeployFile) -> Node | None:
    try:
        roots = documents(file).roots
    except NotRead:
        return None
    return roots[0] if roots and roots[0].kind == MAP else None


def _beside(folder: str, context: Context) -> list[DeployFile]:
    """Other values files of a chart."""
    try:
        names = sorted(name for name in os.listdir(folder) if _OTHER_VALUES.fullmatch(name))
    except (OSError, ValueError):
        return []
    found = [context.find(name, folder) for name in names[:_MOST_FILES]]
    return [file for file in found if file is not None]


def evaluate(body: str, values: Values, dot: Dot) -> Node | None:
    """What an action prints, as a node of the values or a literal; None where that cannot be told."""
    found = _pipeline(_TOKEN.findall(body), values, dot, 0)
    return None if found is None or found is _NIL else found


def is_true(body: str, values: Values, dot: Dot) -> bool | None:
    """Whether a condition holds with the chart's own values; None where that cannot be told."""
    return _truth(_pipeline(_TOKEN.findall(body), values, dot, 0))


def _truth(node: Node | None) -> bool | None:
    if node is None or node.unknown:
        return None
    if node.kind != TEXT:
        return bool(node.pairs or node.values)
    if node.plain and (node.is_null or node.text in {"false", "False", "FALSE", "0", "no", "off"}):
        return False
    return bool(node.text)


def _pipeline(tokens: list[str], values: Values, dot: Dot, depth: int) -> Node | None:
    if depth > _DEEPEST or len(tokens) > 200:
        return None
    piped: list[Node | None] = []
    for command in _split(tokens):
        if not command:
            return None
        piped = [_command(command, piped, values, dot, depth)]
    return piped[0] if piped else None


def _split(tokens: list[str]) -> list[list[str]]:
    """The commands of a pipeline; bars in parentheses are not its own."""
    commands: list[list[str]] = [[]]
    level = 0
    for token in tokens:
        level += (token == "(") - (token == ")")  # noqa: S105 - no password
        if token == "|" and level == 0:  # noqa: S105
            commands.append([])
        else:
            commands[-1].append(token)
    return commands


def _command(command: list[str], piped: list[Node | None], values: Values, dot: Dot, depth: int) -> Node | None:
    word = command[0]
    rest = _arguments(command[1:], values, dot, depth) + piped
    if word in _SAME or word in {"indent", "nindent", "required", "tpl"}:
        return _passed_on(word, rest)
    if word == "default" and len(rest) == 2:
        holds = _truth(rest[1])
        return None if holds is None else rest[1] if holds else rest[0]
    if word in {"not", "and", "or", "eq", "ne"}:
        return _logic(word, rest)
    if piped:
        return None
    alone = _arguments(command, values, dot, depth)
    return alone[0] if len(alone) == 1 else None


def _passed_on(word: str, rest: list[Node | None]) -> Node | None:
    if word == "tpl":
        found = rest[0] if rest else None
        return None if found is not None and "{{" in found.text else found
    return rest[-1] if rest else None


def _logic(word: str, rest: list[Node | None]) -> Node | None:
    if word in {"eq", "ne"}:
        first, second = rest if len(rest) == 2 else (None, None)
        if first is None or second is None or first.kind != TEXT or second.kind != TEXT or first.unknown:
            return None
        return _literal("true" if (first.text == second.text) == (word == "eq") else "false")
    truths = [_truth(node) for node in rest]
    if word == "not":
        return None if len(truths) != 1 or truths[0] is None else _literal("false" if truths[0] else "true")
    decisive = word == "or"
    if decisive in truths:
        return _literal("true" if decisive else "false")
    return None if None in truths or not truths else _literal("false" if decisive else "true")


def _literal(text: str, *, plain: bool = True) -> Node:
    return Node(TEXT, _HERE, text, plain=plain)


def _arguments(tokens: list[str], values: Values, dot: Dot, depth: int) -> list[Node | None]:
    found: list[Node | None] = []
    at = 0
    while at < len(tokens):
        if tokens[at] == "(":
            end = _closing(tokens, at)
            found.append(_pipeline(tokens[at + 1 : end], values, dot, depth + 1))
            at = end + 1
            if at < len(tokens) and tokens[at].startswith("."):
                found[-1] = None  # a field of what is in parentheses
                at += 1
            continue
        found.append(_term(tokens[at], values, dot))
        at += 1
    return found


def _closing(tokens: list[str], at: int) -> int:
    level = 0
    for index in range(at, len(tokens)):
        level += (tokens[index] == "(") - (tokens[index] == ")")
        if level == 0:
            return index
    return len(tokens)


def _term(token: str, values: Values, dot: Dot) -> Node | None:
    if token[0] in '"`':
        return _literal(token[1:-1], plain=False)
    if re.fullmatch(r"-?\d+(?:\.\d+)?|true|false", token):
        return _literal(token)
    if token.startswith("$.Values.") and values.root is not None:
        return _value(values, token[len("$.Values.") :])
    if not token.startswith(".") or not dot.known:
        return None
    if dot.node is None:
        return _value(values, token[len(".Values.") :]) if token.startswith(".Values.") else None
    return dot.node if token == "." else _field(dot.node, token[1:])  # noqa: S105


def _value(values: Values, path: str) -> Node | None:
    """A value of the chart; one that another of its files sets otherwise is not known."""
    if values.root is None:
        return None
    found = _field(values.root, path)
    for other in values.others:
        set_there = other.get(*path.split("."))
        if set_there is not None and (set_there.kind != TEXT or set_there.text != found.text):
            return None
    return found


def _field(node: Node, path: str) -> Node:
    """A field of the values; what is not there is nil, which is known."""
    found = node.get(*path.split("."))
    return _NIL if found is None else found
