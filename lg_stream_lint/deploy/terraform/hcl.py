"""HCL as nodes with places: blocks, attributes, literals, lists, objects, heredocs, comments; every other expression is unknown.

A complete parser costs two seconds at its first use (python-hcl2 8.1), so it is left for what this one does not get through; the
settings that cut a stream are literals, variables with a literal default, and names of other resources, which is what is read here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Note, Where
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_HEREDOC = re.compile(r"<<(-?)([A-Za-z_][\w.-]*)[ \t]*(?:\r\n|\r|\n)")
_FOR = re.compile(r"for\s+[A-Za-z_]")
_BLANK = re.compile(r"(?:[\s]|#[^\r\n]*|//[^\r\n]*|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_SPACES = re.compile(r"(?:[ \t]|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_LABEL = re.compile(r'"((?:[^"\\\r\n$]|\\.|\$(?!\{))*)"|([A-Za-z_][\w-]*)')
_CALL = re.compile(r"(jsonencode|tonumber|tostring)\([ \t]*")
_RAW = re.compile(r'"|[(\[{]|[)\]}]|,|\r\n|\r|\n|#|//|/\*|<<-?[A-Za-z_]|[^"()\[\]{},\r\n#/<]+|.', re.DOTALL)
_BLOCK = re.compile(r'^[a-z]+[ \t]+"[^"\n]*"[^{\n]*\{', re.MULTILINE)  # where reading can begin again
_ENDS = ("", "\r", "\n", ",", "}", "]", ")", "#")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "r": "\r"}
_DEEPEST = 40
_MOST = 100_000
_MOST_GAPS = 20


class _Stop(Exception):  # noqa: N818 - where HCL ends
    pass


class Block(NamedTuple):
    """A block of a file's top level: ``resource "aws_lb" "main" { … }``; ``where`` is its first line up to the brace."""

    kind: str
    labels: tuple[str, ...]
    body: Node
    where: Where


class Hcl(NamedTuple):
    """A file's blocks, its top-level attributes (of a ``tfvars`` file), and what was not read."""

    blocks: tuple[Block, ...]
    attributes: Node
    notes: tuple[Note, ...]


def parse(file: DeployFile) -> Hcl:
    """The blocks of a file, as far as it can be read; by python-hcl2, too, where it is installed and something is left."""
    found = _Parser(file).parse()
    if not found.notes:
        return found
    from lg_stream_lint.deploy.terraform.complete import parse_completely

    return parse_completely(file) or found


def blocks_in(node: Node, name: str) -> list[Node]:
    """The nested blocks (or an attribute's objects) of one name, in order."""
    found: list[Node] = []
    for key, value in node.pairs:
        if key.text == name:
            found += value.elements() if value.kind == LIST else [value]
    return [value for value in found if value.kind == MAP]


def nested(body: Node, name: Node, labels: tuple[str, ...], inner: Node) -> None:
    """Put a block into the one around it; a ``dynamic`` one stands for blocks of its label, as many as nobody knows."""
    if name.text != "dynamic" or not labels:
        body.pairs.append((name, inner))
        return
    body.open = True
    for content in blocks_in(inner, "content"):
        content.open = True
        body.pairs.append((Node(TEXT, name.where, labels[0], plain=True), content))


def unescaped(text: str) -> str:
    """What a quoted string stands for."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text)


class _Parser:
    def __init__(self, file: DeployFile) -> None:
        self.file = file
        self.text = file.text
        self.lines = file.text.replace("\r", "\n") if "\r" in file.text else file.text
        self.count = 0
        self.notes: list[Note] = []

    def parse(self) -> Hcl:
        root = Node(MAP, self.file.row(1))
        blocks: list[Block] = []
        position = self._blank(0)
        while position < len(self.text):
            try:
                position = self._top(position, root, blocks)
            except _Stop:
                self.notes.append(Note(self.file.at(position, position), "HCL that cannot be read"))
                again = _BLOCK.search(self.lines, position + 1) if len(self.notes) < _MOST_GAPS else None
                if again is None:
                    break
                position = again.start()
            position = self._blank(position)
        return Hcl(tuple(blocks), root, tuple(self.notes))

    def _top(self, position: int, root: Node, blocks: list[Block]) -> int:
        header = self._header(position)
        if header is None:
            return self._attribute(position, root, 0)
        kind, labels, brace = header
        body = Node(MAP, self.file.at(position, self._header_end(position, brace)))
        end = self._body(brace + 1, body, 1)
        blocks.append(Block(kind.text, labels, body, body.where))
        return end

    def _header_end(self, start: int, brace: int) -> int:
        return start + len(self.text[start:brace].rstrip())

    def _header(self, position: int) -> tuple[Node, tuple[str, ...], int] | None:
        """The name, the labels and the brace of a block; None for an attribute."""
        name = _NAME.match(self.text, position)
        if name is None:
            raise _Stop
        labels: list[str] = []
        at = self._spaces(name.end())
        while (label := _LABEL.match(self.text, at)) is not None and len(labels) < 5:
            labels.append(label[1] if label[1] is not None else label[2])
            at = self._spaces(label.end())
        if self.text.startswith("{", at):
            return self._node(name[0], *name.span()), tuple(labels), at
        return None

    def _body(self, position: int, body: Node, depth: int) -> int:
        """The inside of a block, up to behind its closing brace."""
        self._budget(depth)
        position = self._blank(position)
        while not self.text.startswith("}", position):
            header = self._header(position)
            end = (
                self._attribute(position, body, depth)
                if header is None
                else self._nested(position, header, body, depth)
            )
            position = self._blank(end)
            if position >= len(self.text):
                raise _Stop
        return position + 1

    def _nested(self, position: int, header: tuple[Node, tuple[str, ...], int], body: Node, depth: int) -> int:
        name, labels, brace = header
        inner = Node(MAP, self.file.at(position, self._header_end(position, brace)))
        end = self._body(brace + 1, inner, depth + 1)
        nested(body, name, labels, inner)
        return end

    def _attribute(self, position: int, body: Node, depth: int) -> int:
        name = _NAME.match(self.text, position)
        if name is None:
            raise _Stop
        at = self._spaces(name.end())
        if not self.text.startswith("=", at) or self.text.startswith("==", at):
            raise _Stop
        value, end = self.expression(self._spaces(at + 1), depth)
        body.pairs.append((self._node(name[0], *name.span()), value))
        return end

    def expression(self, position: int, depth: int) -> tuple[Node, int]:
        """An expression; one that is more than a literal is unknown, its text kept."""
        self._budget(depth)
        start = position
        node, end = self._primary(position, depth)
        if node is not None:
            after = self._spaces(end)
            if self.text[after : after + 1] in _ENDS or self.text.startswith("//", after):
                return node, end
        end = self._raw_end(start)
        node = self._node(self.text[start:end].strip(), start, start + len(self.text[start:end].rstrip()))
        node.unknown = True
        return node, end

    def _primary(self, position: int, depth: int) -> tuple[Node | None, int]:
        first = self.text[position : position + 1]
        if first == '"':
            return self._string(position)
        if first == "[":
            return self._list(position, depth)
        if first == "{":
            return self._object(position, depth)
        if (heredoc := _HEREDOC.match(self.text, position)) is not None:
            return self._heredoc(heredoc)
        if (number := _NUMBER.match(self.text, position)) is not None:
            return self._node(number[0], *number.span()), number.end()
        if (call := _CALL.match(self.text, position)) is not None:
            node, end = self.expression(self._blank(call.end()), depth + 1)
            end = self._blank(end)
            return (node, end + 1) if self.text.startswith(")", end) else (None, position)
        word = _NAME.match(self.text, position)
        if word is not None and word[0] in ("true", "false", "null"):
            return self._node(word[0], *word.span()), word.end()
        return None, position

    def _string(self, position: int) -> tuple[Node, int]:
        end, templated = self._string_end(position)
        node = self._node(unescaped(self.text[position + 1 : end - 1]), position, end)
        node.plain = False
        node.unknown = templated
        return node, end

    def _string_end(self, position: int) -> tuple[int, bool]:
        """Behind the closing quote; the truth says that something is interpolated."""
        at, templated, braces = position + 1, False, 0
        while at < len(self.text):
            character = self.text[at]
            if braces == 0 and character in "\r\n":
                raise _Stop
            if character == "\\":
                at += 1
            elif self.text.startswith(("${", "%{"), at) and self.text[at - 1] != character:
                templated, braces, at = True, braces + 1, at + 1
            elif braces and character in "{}":
                braces += 1 if character == "{" else -1
            elif character == '"':
                if braces == 0:
                    return at + 1, templated
                closing = self.text.find('"', at + 1)
                at = closing if closing >= 0 else len(self.text)
            at += 1
        raise _Stop

    def _heredoc(self, match: re.Match[str]) -> tuple[Node, int]:
        close = re.compile(rf"^[ \t]*{re.escape(match[2])}[ \t]*$", re.MULTILINE)
        found = close.search(self.lines, match.end())
        if found is None:
            raise _Stop
        text = self.text[match.end() : found.start()]
        node = self._node(text, match.end(), found.start())
        node.plain = False
        node.unknown = "${" in text or "%{" in text
        return node, found.end()

    def _list(self, position: int, depth: int) -> tuple[Node | None, int]:
        if _FOR.match(self.text, self._blank(position + 1)):
            return None, position
        node, start = Node(LIST, self.file.row(1)), position
        position = self._blank(position + 1)
        while not self.text.startswith("]", position):
            value, position = self.expression(position, depth + 1)
            node.values.append(value)
            position = self._behind_comma(position)
        node.where = self.file.at(start, position + 1)
        return node, position + 1

    def _object(self, position: int, depth: int) -> tuple[Node | None, int]:
        if _FOR.match(self.text, self._blank(position + 1)):
            return None, position
        node, start = Node(MAP, self.file.row(1)), position
        position = self._blank(position + 1)
        while not self.text.startswith("}", position):
            label = _LABEL.match(self.text, position)
            if label is None:
                return None, start
            key = self._node(label[1] if label[1] is not None else label[2], *label.span())
            position = self._spaces(label.end())
            if self.text[position : position + 1] not in ("=", ":"):
                return None, start
            value, position = self.expression(self._spaces(position + 1), depth + 1)
            node.pairs.append((key, value))
            position = self._behind_comma(position)
        node.where = self.file.at(start, position + 1)
        return node, position + 1

    def _behind_comma(self, position: int) -> int:
        before = position
        position = self._blank(position)
        if self.text.startswith(",", position):
            position = self._blank(position + 1)
        elif position == before and self.text[position : position + 1] not in ("]", "}"):
            raise _Stop
        if position >= len(self.text):
            raise _Stop
        return position

    def _raw_end(self, position: int) -> int:
        """Where an expression ends that is not looked into: at its line's end or a comma, outside brackets."""
        depth = 0
        while (match := _RAW.match(self.text, position)) is not None:
            sign = match[0]
            if sign == '"':
                position = self._string_end(position)[0]
                continue
            if sign[0] in "([{":
                depth += 1
            elif sign[0] in ")]}":
                if depth == 0:
                    return position
                depth -= 1
            elif depth == 0 and sign in (",", "\n", "\r", "\r\n", "#", "//"):
                return position
            elif sign in ("#", "//", "/*"):
                position = max(self._blank(position), match.end())
                continue
            elif sign.startswith("<<") and (heredoc := _HEREDOC.match(self.text, position)) is not None:
                position = self._heredoc(heredoc)[1]
                continue
            position = match.end()
        return len(self.text)

    def _budget(self, depth: int) -> None:
        self.count += 1
        if depth > _DEEPEST or self.count > _MOST:
            raise _Stop

    def _node(self, text: str, start: int, end: int) -> Node:
        return Node(TEXT, self.file.at(start, end), text, plain=True)

    def _blank(self, position: int) -> int:
        return _BLANK.match(self.text, position).end()  # type: ignore[union-attr]  # it matches nothing, too

    def _spaces(self, position: int) -> int:
        return _SPACES.match(self.text, position).end()  # type: ignore[union-attr]
