"""Places inside a YAML scalar: of the words of a command, and of a whole file that stands in a manifest."""

from __future__ import annotations

import re
from collections.abc import Callable

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.deploy.yaml_marks import TEXT, Node

_NOT_NEWLINE = re.compile(r"[^\r\n]")


def place_in(file: DeployFile, node: Node) -> Callable[[int, int], Where] | None:
    """A function from two offsets in a scalar's text to their place in the file; None where the text is not written so.

    Works for every style: quoted, folded over lines, a block with its indentation taken away.
    """
    if node.kind != TEXT or node.where.path != file.path:
        return None
    start, end = _bounds(file, node)
    source = file.text
    offsets: list[int] = []
    at = start
    for character in node.text:
        if not character.isspace():
            at = source.find(character, at, end)
            if at < 0:
                return None
            offsets.append(at)
            at += 1
        else:
            offsets.append(min(at, end))

    def place(first: int, last: int) -> Where:
        if not offsets:
            return node.where
        begin = offsets[min(max(first, 0), len(offsets) - 1)]
        final = offsets[min(max(last - 1, 0), len(offsets) - 1)] + 1
        return file.at(begin, max(begin, final))

    return place


def embedded(file: DeployFile, node: Node) -> DeployFile | None:
    """A block of text (``|``) as a file of its own with all places kept: around it everything is blank.

    None for other styles, whose lines are not the file's.
    """
    start, end = _bounds(file, node)
    if node.kind != TEXT or node.where.path != file.path or not file.text.startswith("|", start):
        return None
    line = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?").match(file.text, start)
    begin = line.end() if line is not None else end
    text = _NOT_NEWLINE.sub(" ", file.text[:begin]) + file.text[begin:end]
    return DeployFile(file.path, text.encode("utf-8"))


def _bounds(file: DeployFile, node: Node) -> tuple[int, int]:
    span = node.where.span
    return file.offset(span.row, span.column), file.offset(span.end_row, span.end_column)
