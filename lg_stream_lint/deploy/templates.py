"""Helm's (and Jinja's) templates made readable as YAML, without changing any place.

What steers (``{{ if }}``, ``{{ end }}``, ``{% for %}``) and stands alone on its lines becomes blank; a branch that the chart's
own values turn off becomes blank too, with a note. What prints inside a line becomes a placeholder of the same length, whose
value is looked up in the chart's ``values.yaml`` (:mod:`lg_stream_lint.deploy.chart`); what prints on lines of its own adds to
the map or list around it.
"""

from __future__ import annotations

import bisect
import re
from typing import NamedTuple

from lg_stream_lint.deploy.chart import Dot, evaluate, values_for
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Note, Where
from lg_stream_lint.deploy.template_actions import Action, Block, actions_of, opened, turned
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT, Node

_FIRST, _REST = "\ue000", "\ue001"
_HOLE = re.compile(_FIRST + _REST + "*")
_INDENT = re.compile(r"\|\s*n?indent\s+(\d{1,9})")
_NOT_NEWLINE = re.compile(r"[^\r\n]")
#: Nodes of a chart's values that one action brings into a manifest.
_MOST_COPIED = 2_000


class Insert(NamedTuple):
    """Something that a template prints on lines of its own: its row, its indentation, and its value if that is known."""

    row: int
    indent: int
    text: str
    value: Node | None


class Rendered:
    """A template's text as YAML, and what is known of the actions in it."""

    def __init__(self, file: DeployFile, text: str, context: Context | None) -> None:
        self.file = file
        self.values = values_for(file, context)
        self.notes: list[Note] = []
        self.actions = actions_of(text)
        self._starts = [action.start for action in self.actions]
        self._dots: dict[int, Dot] = {}
        dead = self._dead_branches()
        self.text = self._readable(text, dead)
        self.inserts = self._inserts(self._gone(dead))

    def _dead_branches(self) -> list[tuple[int, int]]:
        """The spans that print nothing here: branches that the chart's values turn off, and what is only defined.

        Keeps what ``.`` is at every action on the way.
        """
        stack: list[Block] = []
        dead: list[tuple[int, int]] = []
        defined: list[tuple[int, int]] = []
        for action in self.actions:
            dot = stack[-1].dot if stack else Dot(None, known=True)
            self._dots[action.start] = dot
            word = action.body.split(None, 1)[0] if action.body.strip() else ""
            rest = action.body[len(word) :].strip()
            if not action.control or word.startswith(("/*", "$")):
                continue
            if word in {"if", "with", "range", "define", "block"}:
                stack.append(opened(word, rest, action, dot, self.values))
            elif word == "else" and stack:
                dead += stack[-1].until(action)
                stack[-1] = turned(stack[-1], rest, action, self.values)
            elif word == "end" and stack:
                block = stack.pop()
                dead += block.until(action)
                if block.word == "define":
                    defined.append((block.start, action.start))
        if dead:
            row = self.file.position(dead[0][0])[0]
            branches = "a branch" if len(dead) == 1 else f"{len(dead)} branches"
            self.notes.append(self.file.note(row, f"{branches} that the chart's own values turn off"))
        return sorted(dead + defined)

    def _readable(self, text: str, dead: list[tuple[int, int]]) -> str:
        pieces: list[str] = []
        at = 0
        for action in self.actions:
            if action.start < at:
                continue
            pieces.append(text[at : action.start])
            covered = text[action.start : action.end]
            if action.alone:
                pieces.append(_NOT_NEWLINE.sub(" ", covered))
            else:
                rows = covered.split("\n")
                pieces.append("\n".join([_FIRST + _REST * (len(rows[0]) - 1), *(" " * len(row) for row in rows[1:])]))
            at = action.end
        return _blanked("".join([*pieces, text[at:]]), dead)

    def _gone(self, dead: list[tuple[int, int]]) -> set[int]:
        """Where the actions in dead branches stand."""
        found: set[int] = set()
        at = 0
        for start, end in sorted(dead):
            first = bisect.bisect_left(self._starts, max(at, start))
            found.update(self._starts[first : bisect.bisect_left(self._starts, end)])
            at = max(at, end)
        return found

    def _inserts(self, gone: set[int]) -> list[Insert]:
        found = []
        for action in self.actions:
            if not action.alone or action.control or action.start in gone or not action.body.strip():
                continue
            indent = _INDENT.search(action.body)
            found.append(
                Insert(
                    self.file.position(action.start)[0],
                    int(indent[1]) if indent else action.column,
                    _INDENT.sub("", action.body).strip(),
                    evaluate(action.body, self.values, self._dots.get(action.start, Dot(None, known=False))),
                )
            )
        return found

    def fill(self, node: Node) -> None:
        """Put what is known of a scalar's placeholders into it."""
        if _FIRST not in node.text:
            return
        inside = self._inside(node.where)
        holes = _HOLE.findall(node.text)
        if len(holes) != len(inside) or any(action.control for action in inside):
            node.unknown = True
            node.text = _written(node.text, inside)
            return
        values = [evaluate(a.body, self.values, self._dots.get(a.start, Dot(None, known=False))) for a in inside]
        if len(values) == 1 and values[0] is not None and values[0].kind != TEXT and _HOLE.fullmatch(node.text):
            _become(node, values[0])
            return
        node.unknown = any(value is None or value.kind != TEXT for value in values)
        if node.unknown:
            node.text = _written(node.text, inside)
            return
        texts = iter(value.text for value in values if value is not None)
        node.text = _HOLE.sub(lambda _: next(texts), node.text)
        node.overridable = True

    def _inside(self, where: Where) -> list[Action]:
        """The actions between the ends of a scalar."""
        span = where.span
        first = bisect.bisect_left(self._starts, self.file.offset(span.row, span.column))
        last = bisect.bisect_left(self._starts, self.file.offset(span.end_row, span.end_column))
        return [action for action in self.actions[first:last] if not action.alone]

    def mark_open(self, root: Node, end: int) -> None:
        """Say of every map and list what the template adds to it, and of differing duplicates that they are not known.

        ``end`` is the row behind the document.
        """
        rows = [insert.row for insert in self.inserts]
        seen: set[int] = set()
        waiting = [(root, root.where.span.row - 1, end)]
        while waiting:
            node, above, below = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            first = bisect.bisect_right(rows, above)
            here = self.inserts[first : bisect.bisect_left(rows, min(below, node.where.span.end_row + 1), first)]
            if node.kind == TEXT:
                _filled_from_below(node, self.inserts[first : bisect.bisect_left(rows, below, first)])
                continue
            _add(node, [insert for insert in here if insert.indent == node.where.span.column - 1])
            _doubt_duplicates(node)
            waiting += _with_bounds(node, below)


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with blanks for these spans, which may lie in each other."""
    pieces: list[str] = []
    at = 0
    for start, end in sorted(spans):
        begin = max(at, start)
        if end > begin:
            pieces += [text[at:begin], _NOT_NEWLINE.sub(" ", text[begin:end])]
            at = end
    return "".join([*pieces, text[at:]])


def render(file: DeployFile, text: str, context: Context | None) -> Rendered:
    """A template's text as YAML. ``text`` is the file's, with the same places."""
    return Rendered(file, text, context)


def _written(text: str, inside: list[Action]) -> str:
    """A scalar's text with the actions as they are written, in one spelling, so that equal ones are equal."""
    bodies = iter(inside)

    def body(match: re.Match[str]) -> str:
        action = next(bodies, None)
        return match[0] if action is None else "{{ " + " ".join(action.body.split()) + " }}"

    return _HOLE.sub(body, text)


def _become(node: Node, value: Node) -> None:
    """Turn a placeholder into the map or list of the chart's values, all of it at the placeholder's place."""
    copy = _copied(value, node.where, [_MOST_COPIED])
    if copy is None:
        node.unknown = True
        return
    node.kind, node.pairs, node.values = copy.kind, copy.pairs, copy.values
    node.text, node.plain, node.overridable = copy.text, copy.plain, True


def _copied(node: Node, where: Where, left: list[int], depth: int = 0) -> Node | None:
    left[0] -= 1
    if left[0] < 0 or depth > 40:
        return None
    copy = Node(node.kind, where, node.text, node.tag, plain=node.plain)
    copy.unknown, copy.overridable = node.unknown, True
    for key, value in node.entries():
        inner = _copied(value, where, left, depth + 1)
        if inner is None:
            return None
        copy.pairs.append((Node(TEXT, where, key.text, plain=key.plain), inner))
    for value in node.values:
        inner = _copied(value, where, left, depth + 1)
        if inner is None:
            return None
        copy.values.append(inner)
    return copy


def _filled_from_below(node: Node, inserts: list[Insert]) -> None:
    """A key without a value, and lines below it that only print: they are its value."""
    if not inserts:
        return
    if node.text and not node.plain:
        node.unknown = True  # a block of text with actions in it
        return
    if not node.is_null:
        return
    if len(inserts) == 1 and inserts[0].value is not None:
        _become(node, inserts[0].value)
    else:
        node.unknown = node.open = True
        node.inserts = tuple(insert.text for insert in inserts)


def _add(node: Node, inserts: list[Insert]) -> None:
    for insert in inserts:
        place = Node(node.kind, node.where)
        place.where = node.where
        if insert.value is not None and insert.value.kind == node.kind:
            place.where = node.where._replace(
                span=node.where.span._replace(
                    row=insert.row, column=insert.indent + 1, end_row=insert.row, end_column=insert.indent + 2
                )
            )
            _become(place, insert.value)
        if place.overridable and not place.unknown:
            node.pairs = [*place.pairs, *node.pairs]
            node.values = [*node.values, *place.values]
        else:
            node.open = True
            node.inserts = (*node.inserts, insert.text)
    if node.kind == MAP and any(key.unknown for key, _ in node.pairs):
        node.open = True


def _doubt_duplicates(node: Node) -> None:
    """Two branches write one key: which one holds is not known."""
    last: dict[str, Node] = {}
    for key, value in node.pairs:
        known = last.get(key.text)
        if known is not None and not known.overridable and (known.kind, known.text) != (value.kind, value.text):
            value.unknown = True
        last[key.text] = value


def _with_bounds(node: Node, below: int) -> list[tuple[Node, int, int]]:
    """The values below a node with the rows between which a template may add to each."""
    if node.kind == MAP:
        starts = [(key.where.span.row, value) for key, value in node.pairs]
    else:
        starts = [(value.where.span.row - 1, value) for value in node.values]
    rows = [row for row, _ in starts]
    found = []
    for row, value in starts:
        following = bisect.bisect_right(rows, row)
        found.append((value, row, rows[following] if following < len(rows) else below))
    return found
