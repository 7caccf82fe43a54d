"""TOML as nodes with places, for the readers: tolerant, without recursion that a file could exhaust.

The parsers that exist keep no places. What is not TOML is passed over line by line: a deployment file that its own product
would refuse is no reason to say nothing of the rest.
"""

from __future__ import annotations

import re

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node

_KEY = re.compile(r"""[ \t]*(?:"((?:[^"\\\r\n]|\\.)*)"|'([^'\r\n]*)'|([A-Za-z0-9_-]+))[ \t]*""")
_STRING = re.compile(
    r'''"""((?:[^\\]|\\.)*?)"""(?!")|\'\'\'(.*?)\'\'\'(?!')|"((?:[^"\\\r\n]|\\.)*)"|'([^'\r\n]*)\'''', re.DOTALL
)
_BARE = re.compile(r"[^\s,\]}#]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "r": "\r", "b": "\b", "f": "\f"}
_DEEPEST = 30
_MOST = 50_000


class _Stop(Exception):  # noqa: N818 - a line that is no TOML
    pass


def toml_root(file: DeployFile) -> Node:
    """A TOML file as a map."""
    return _Reader(file).read()


class _Reader:
    def __init__(self, file: DeployFile) -> None:
        self.file = file
        self.text = file.text
        self.count = 0

    def read(self) -> Node:
        root = self._map(0, len(self.text))
        table = root
        position = 0
        while position < len(self.text) and self.count < _MOST:
            position = self._blank(position)
            if position >= len(self.text):
                break
            try:
                if self.text[position] == "[":
                    table, position = self._header(position, root)
                else:
                    position = self._pair(position, table, 0)
            except _Stop:
                position = self._next_line(position)
        return root

    def _header(self, position: int, root: Node) -> tuple[Node, int]:
        """``[a.b]`` or ``[[a.b]]``: the table that the lines below fill."""
        many = self.text.startswith("[[", position)
        keys, end = self._keys(position + 1 + many)
        if not self.text.startswith("]]" if many else "]", end):
            raise _Stop
        table = root
        for key in keys[:-1]:
            table = self._child(table, key)
        last = keys[-1]
        if not many:
            return self._child(table, last), self._next_line(end)
        found = table.child(last.text)
        if found is None or found.kind != LIST:
            found = Node(LIST, last.where)
            table.pairs.append((last, found))
        found.values.append(Node(MAP, last.where))
        return found.values[-1], self._next_line(end)

    def _child(self, table: Node, key: Node) -> Node:
        found = table.child(key.text)
        if found is not None and found.kind == LIST and found.values:
            found = found.values[-1]
        if found is None or found.kind != MAP:
            found = Node(MAP, key.where)
            table.pairs.append((key, found))
        return found

    def _pair(self, position: int, table: Node, depth: int) -> int:
        keys, end = self._keys(position)
        if not self.text.startswith("=", end):
            raise _Stop
        for key in keys[:-1]:
            table = self._child(table, key)
        value, end = self._value(self._spaces(end + 1), depth)
        table.pairs.append((keys[-1], value))
        return end

    def _keys(self, position: int) -> tuple[list[Node], int]:
        keys: list[Node] = []
        while len(keys) < _DEEPEST:
            match = _KEY.match(self.text, position)
            if match is None:
                raise _Stop
            group = next(number for number in (1, 2, 3) if match[number] is not None)
            keys.append(self._text(match[group], match.start(group), match.end(group)))
            position = match.end()
            if not self.text.startswith(".", position):
                return keys, position
            position += 1
        raise _Stop

    def _value(self, position: int, depth: int) -> tuple[Node, int]:
        self.count += 1
        if depth > _DEEPEST or self.count > _MOST or position >= len(self.text):
            raise _Stop
        first = self.text[position]
        if first in "\"'":
            return self._string(position)
        if first == "[":
            return self._list(position, depth)
        if first == "{":
            return self._table(position, depth)
        match = _BARE.match(self.text, position)
        if match is None:
            raise _Stop
        return self._text(match[0].replace("_", "") if match[0][0].isdigit() else match[0], *match.span()), match.end()

    def _string(self, position: int) -> tuple[Node, int]:
        match = _STRING.match(self.text, position)
        if match is None:
            raise _Stop
        group = next(number for number in (1, 2, 3, 4) if match[number] is not None)
        text = match[group]
        if group in (1, 2):
            text = re.sub(r"^(?:\r\n|\r|\n)", "", text)
        if group in (1, 3):
            text = re.sub(r"\\[ \t]*(?:\r\n|\r|\n)\s*", "", text)
            text = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text)
        node = self._text(text, *match.span())
        node.plain = False
        return node, match.end()

    def _list(self, position: int, depth: int) -> tuple[Node, int]:
        node, start = Node(LIST, self.file.row(1)), position
        position = self._blank(position + 1)
        while not self.text.startswith("]", position):
            value, position = self._value(position, depth + 1)
            node.values.append(value)
            position = self._blank(position)
            if self.text.startswith(",", position):
                position = self._blank(position + 1)
            elif not self.text.startswith("]", position):
                raise _Stop
        node.where = self.file.at(start, position + 1)
        return node, position + 1

    def _table(self, position: int, depth: int) -> tuple[Node, int]:
        node, start = self._map(position, position + 1), position
        position = self._blank(position + 1)
        while not self.text.startswith("}", position):
            position = self._blank(self._pair(position, node, depth + 1))
            if self.text.startswith(",", position):
                position = self._blank(position + 1)
            elif not self.text.startswith("}", position):
                raise _Stop
        node.where = self.file.at(start, position + 1)
        return node, position + 1

    def _map(self, start: int, end: int) -> Node:
        return Node(MAP, self.file.at(start, end))

    def _text(self, text: str, start: int, end: int) -> Node:
        return Node(TEXT, self.file.at(start, end), text, plain=True)

    def _spaces(self, position: int) -> int:
        while position < len(self.text) and self.text[position] in " \t":
            position += 1
        return position

    def _blank(self, position: int) -> int:
        return _BLANK.match(self.text, position).end()  # type: ignore[union-attr]  # it matches nothing, too

    def _next_line(self, position: int) -> int:
        match = _LINE.match(self.text, position)
        return max(position + 1, match.end() if match is not None else 0)
