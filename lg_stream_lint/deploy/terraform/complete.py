"""HCL by python-hcl2, where it is installed (extra ``terraform``): for the files that the light reader does not get through.

Its first file costs two seconds, so it is asked only where something was left out. The nodes are the same as those of
:mod:`lg_stream_lint.deploy.terraform.hcl`: what is more than a literal stays unknown, with its text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.deploy.terraform.hcl import Block, Hcl, nested, unescaped
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node

if TYPE_CHECKING:
    from lark import Token, Tree

#: Characters; its parser reads about 50,000 a second.
_MOST = 500_000
_LITERALS = frozenset({"int_lit", "float_lit", "literal_value"})
_HEREDOCS = frozenset({"heredoc_template", "heredoc_template_trim"})
#: Functions that leave a value what it is.
_CALLS = frozenset({"jsonencode", "tonumber", "tostring"})


def parse_completely(file: DeployFile) -> Hcl | None:
    """The blocks of a file; None where python-hcl2 is not installed, or cannot read it either."""
    if len(file.text) > _MOST:
        return None
    try:
        from hcl2.api import parses_to_tree
        from lark.exceptions import LarkError
    except ImportError:
        return None
    # It knows no lone CR, and wants a line end behind a closing heredoc; offsets stay as they are.
    text = re.sub(r"\r(?!\n)", "\n", file.text) + "\n"
    try:
        return _Builder(file).build(parses_to_tree(text))
    except (LarkError, RecursionError):
        return None


class _Builder:
    def __init__(self, file: DeployFile) -> None:
        self.file = file
        self.text = file.text

    def build(self, tree: Tree[Token]) -> Hcl:
        root = Node(MAP, self.file.row(1))
        blocks: list[Block] = []
        for child in _trees(_trees(tree)[0]):
            if child.data == "attribute":
                self._attribute(child, root)
            elif child.data == "block":
                name, labels, inner = self._block(child)
                blocks.append(Block(name.text, labels, inner, inner.where))
        return Hcl(tuple(blocks), root, ())

    def _block(self, tree: Tree[Token]) -> tuple[Node, tuple[str, ...], Node]:
        """A block's name, its labels, and its inside."""
        first, *rest = [child for child in _trees(tree) if child.data not in ("new_line_or_comment", "body")]
        labels = tuple(self._slice(label).strip('"') for label in rest)
        inner = Node(MAP, self.file.at(tree.meta.start_pos, (rest or [first])[-1].meta.end_pos))
        (body,) = [child for child in _trees(tree) if child.data == "body"]
        for child in _trees(body):
            if child.data == "attribute":
                self._attribute(child, inner)
            elif child.data == "block":
                nested(inner, *self._block(child))
        return self._text(first), labels, inner

    def _attribute(self, tree: Tree[Token], body: Node) -> None:
        name, value = _trees(tree)
        body.pairs.append((self._text(name), self._value(value)))

    def _value(self, tree: Tree[Token]) -> Node:
        """An expression; one that is more than a literal is unknown."""
        inner = _trees(tree)
        term = inner[0] if tree.data == "expr_term" and len(tree.children) == len(inner) == 1 else tree
        kind = term.data
        if kind in _LITERALS or (kind == "unary_op" and self._is_negative(term)):
            return self._text(term)
        if kind == "string":
            return self._string(term)
        if kind in _HEREDOCS:
            return self._heredoc(term)
        if kind == "tuple":
            return self._list(term)
        if kind == "object":
            found = self._object(term)
            if found is not None:
                return found
        if kind == "function_call":
            name, *arguments = [child for child in _trees(term) if child.data != "new_line_or_comment"]
            values = [each for part in arguments for each in _trees(part) if each.data != "new_line_or_comment"]
            if self._slice(name) in _CALLS and len(values) == 1:
                return self._value(values[0])
        start, text = tree.meta.start_pos, self._slice(tree).rstrip()
        node = Node(TEXT, self.file.at(start, start + len(text)), text, plain=True)
        node.unknown = True
        return node

    def _is_negative(self, tree: Tree[Token]) -> bool:
        return self._slice(tree)[1:].replace(".", "").isdigit() and self._slice(tree)[0] == "-"

    def _string(self, tree: Tree[Token]) -> Node:
        node = self._text(tree)
        node.text = unescaped(node.text[1:-1])
        node.plain = False
        node.unknown = any(inner.data not in ("string", "string_part") for inner in tree.iter_subtrees())
        return node

    def _heredoc(self, tree: Tree[Token]) -> Node:
        """The lines between the marks."""
        lines = self._slice(tree).rstrip().splitlines(keepends=True)
        start = tree.meta.start_pos + len(lines[0])
        text = "".join(lines[1:-1])
        node = Node(TEXT, self.file.at(start, start + len(text)), text)
        node.unknown = "${" in text or "%{" in text
        return node

    def _list(self, tree: Tree[Token]) -> Node:
        node = Node(LIST, self._where(tree))
        node.values = [self._value(child) for child in _trees(tree) if child.data != "new_line_or_comment"]
        return node

    def _object(self, tree: Tree[Token]) -> Node | None:
        """A map; None where a key is an expression."""
        node = Node(MAP, self._where(tree))
        for element in _trees(tree):
            if element.data == "object_elem":
                key, value = _trees(element)
                name = self._slice(key)
                if not (name.replace("-", "_").isidentifier() or ('"' == name[0] == name[-1] and "${" not in name)):
                    return None
                label = self._text(key)
                label.text = name.strip('"')
                node.pairs.append((label, self._value(value)))
        return node

    def _slice(self, tree: Tree[Token]) -> str:
        return self.text[tree.meta.start_pos : tree.meta.end_pos]

    def _where(self, tree: Tree[Token]) -> Where:
        return self.file.at(tree.meta.start_pos, tree.meta.end_pos)

    def _text(self, tree: Tree[Token]) -> Node:
        return Node(TEXT, self._where(tree), self._slice(tree), plain=True)


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    from lark import Tree

    return [child for child in tree.children if isinstance(child, Tree)]
