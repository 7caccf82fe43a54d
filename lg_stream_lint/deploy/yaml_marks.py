"""YAML (and JSON) as nodes with places, for the readers: nothing is loaded, and nothing can blow up.

Scalars keep their text (``off`` stays ``off``, ``1:30`` stays ``1:30``), aliases are shared and never copied, duplicate keys
and unknown tags are tolerated, and a document that cannot be read does not lose its neighbours. Helm and Jinja templates are
read as far as possible (:mod:`lg_stream_lint.deploy.templates`): what they insert is ``unknown``, a map that they add keys to
is ``open``.

Use::

    found = documents(file, context)
    for root in found.roots:
        seconds = root.get("spec", "template", "spec", "terminationGracePeriodSeconds")
        if seconds is not None and seconds.number() is not None:
            ... seconds.where, seconds.overridable
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note, Where
from lg_stream_lint.deploy.yaml_nodes import LIST, MAP, TEXT, Node, walk
from lg_stream_lint.finding import Span

if TYPE_CHECKING:
    from lg_stream_lint.deploy.templates import Rendered

__all__ = ["LIST", "MAP", "TEXT", "Documents", "Node", "documents", "walk"]

#: Characters, nodes, levels and documents of a file; nothing that people write comes near.
MOST_CHARACTERS = 5_000_000
MOST_NODES = 150_000
MOST_LEVELS = 100
MOST_DOCUMENTS = 5_000


#: What YAML refuses or counts as the end of a line although nobody else does: each becomes one blank, so that columns stay.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LEADING_TABS = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_MARKER = re.compile(r"^(?:---(?=[ \t\r\n]|\Z)|\.\.\.(?=[ \t]*(?:\r\n|\r|\n|\Z)))", re.MULTILINE)
_STREAM_TAGS = frozenset(
    {"!reset", "!override"}
)  # compose's own: they say how files are merged, the value is what it is


class Documents(NamedTuple):
    """The readable documents of a file, in order, and what could not be read."""

    roots: tuple[Node, ...] = ()
    notes: tuple[Note, ...] = ()


def documents(
    file: DeployFile, context: Context | None = None, wanted: Callable[[str], bool] | None = None
) -> Documents:
    """The documents of a file. Those whose text is not ``wanted`` are skipped unread: they cost nothing.

    Raises :class:`NotRead` for files beyond every measure. With a ``context``, a Helm template's values are looked up.
    """
    text = file.text
    if len(text) > _most_characters():
        raise NotRead("more YAML than can be read in reasonable time")
    text = _ODD.sub(" ", text)
    rendered: Rendered | None = None
    notes: list[Note] = []
    if "{{" in text or "{%" in text:
        from lg_stream_lint.deploy.templates import render

        rendered = render(file, text, context)
        text = rendered.text
        notes += rendered.notes
    roots: list[Node] = []
    budget = _Budget()
    for offset, part in _parts(text):
        if not part.strip().removeprefix("---") or (wanted is not None and not wanted(part)):
            continue
        try:
            root = _document(part, file, file.position(offset)[0] - 1, rendered, budget)
        except NotRead as reason:
            notes.append(file.note(file.position(offset + _first_text(part))[0], str(reason)))
            if budget.spent:
                break
            continue
        if root is not None:
            roots.append(root)
    return Documents(tuple(roots), tuple(notes))


def _most_characters() -> int:
    """A fifth where PyYAML has come without its parser in C, which is a hundred times faster."""
    import yaml

    return MOST_CHARACTERS if hasattr(yaml, "CSafeLoader") else MOST_CHARACTERS // 5


def _first_text(part: str) -> int:
    """Where a document's text begins, behind its marker."""
    return re.match(r"\s*(?:---)?\s*", part).end()  # type: ignore[union-attr]  # it matches anything


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """The documents' texts with their offsets: a line that begins with a marker ends whatever stood before it.

    Directives (``%YAML``) go with the document before them, whose text is then only they: they say nothing of use.
    """
    start = 0
    for count, match in enumerate(_MARKER.finditer(text)):
        if count >= MOST_DOCUMENTS:
            return
        yield start, _without_directives(text[start : match.start()])
        start = match.start() if match[0] == "---" else match.end()
    yield start, text[start:]


def _without_directives(part: str) -> str:
    if part.lstrip().startswith("%"):
        return re.sub(r"^%.*", lambda match: " " * len(match[0]), part, flags=re.MULTILINE)
    return part


class _Budget:
    """How many nodes a file may still have."""

    def __init__(self) -> None:
        self.left = MOST_NODES

    @property
    def spent(self) -> bool:
        return self.left <= 0


def _document(part: str, file: DeployFile, rows: int, rendered: Rendered | None, budget: _Budget) -> Node | None:
    """One document's root; tabs as indentation are forgiven. Raises :class:`NotRead`."""
    import yaml

    try:
        return _Builder(file, rows, rendered, budget).build(part)
    except yaml.YAMLError as error:
        reason = _reason(error, rows)
    if "\t" in part:
        spaced = _LEADING_TABS.sub(lambda match: " " * len(match[0]), part)
        try:
            return _Builder(file, rows, rendered, budget).build(spaced)
        except yaml.YAMLError:
            pass
    raise NotRead(reason)


def _reason(error: Any, rows: int) -> str:
    problem = getattr(error, "problem", None) or "cannot be read"
    mark = getattr(error, "problem_mark", None)
    return f"YAML: {problem}" + (f" (line {mark.line + rows + 1})" if mark is not None else "")


class _Builder:
    """Builds nodes from the parser's events, without recursion."""

    def __init__(self, file: DeployFile, rows: int, rendered: Rendered | None, budget: _Budget) -> None:
        self.path = file.path
        self.rows = rows
        self.rendered = rendered
        self.budget = budget
        self.anchors: dict[str, Node] = {}
        self.stack: list[tuple[Node, list[Node]]] = []
        self.root: Node | None = None

    def build(self, text: str) -> Node | None:
        """The root of a document's text; None when it is empty."""
        import yaml

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for event in yaml.parse(text, Loader=loader):
            name = type(event).__name__
            if name == "ScalarEvent":
                self._add(self._scalar(event), getattr(event, "anchor", None))
            elif name == "AliasEvent":
                self._alias(event)
            elif name in {"MappingStartEvent", "SequenceStartEvent"}:
                self._open(event, MAP if name == "MappingStartEvent" else LIST)
            elif name in {"MappingEndEvent", "SequenceEndEvent"}:
                self._close(event)
            elif name == "DocumentEndEvent":
                break
        if self.root is not None and self.rendered is not None:
            self.rendered.mark_open(self.root, self.rows + text.count("\n") + 2)
        return self.root

    def _where(self, start: Any, end: Any) -> Where:
        return Where(
            self.path,
            Span(start.line + self.rows + 1, start.column + 1, end.line + self.rows + 1, end.column + 1),
        )

    def _scalar(self, event: Any) -> Node:
        where = self._where(event.start_mark, event.end_mark)
        plain = event.style in {None, ""}
        node = Node(TEXT, where, event.value, event.tag or "", plain=plain)
        if node.tag.startswith("!") and node.tag not in _STREAM_TAGS and len(node.tag) > 1:
            node.unknown = node.tag != "!Sub" or "${" in node.text
        if self.rendered is not None:
            self.rendered.fill(node)
        return node

    def _alias(self, event: Any) -> None:
        target = self.anchors.get(event.anchor)
        if target is None:
            target = Node(TEXT, self._where(event.start_mark, event.end_mark), f"*{event.anchor}")
            target.unknown = True
        self._add(target, None)

    def _open(self, event: Any, kind: str) -> None:
        if len(self.stack) >= MOST_LEVELS:
            raise NotRead("YAML: nested too deeply")
        node = Node(kind, self._where(event.start_mark, event.end_mark), tag=event.tag or "")
        if event.anchor:
            self.anchors[event.anchor] = node
        self.stack.append((node, []))

    def _close(self, event: Any) -> None:
        node, children = self.stack.pop()
        span = node.where.span
        node.where = Where(
            self.path, span._replace(end_row=event.end_mark.line + self.rows + 1, end_column=event.end_mark.column + 1)
        )
        if node.kind == LIST:
            node.values = children
        else:
            node.pairs = list(zip(children[::2], children[1::2], strict=False))
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        self.budget.left -= 1
        if self.budget.spent:
            raise NotRead("YAML: too many values")
        if anchor:
            self.anchors[anchor] = node
        if self.stack:
            self.stack[-1][1].append(node)
        elif self.root is None:
            self.root = node
