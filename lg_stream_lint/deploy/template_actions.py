"""The actions in a template's text, ``{{ … }}`` and ``{% … %}``, and the blocks that they open and close."""

from __future__ import annotations

import re
from typing import NamedTuple

from lg_stream_lint.deploy.chart import Dot, Values, evaluate, is_true
from lg_stream_lint.deploy.files import NotRead

#: Characters of one action; what is longer is no action but two stray pairs of braces.
_LONGEST = 4_000
#: Actions of a file.
_MOST_ACTIONS = 20_000
_CONTROL = re.compile(r"(?:if|else|end|with|range|define|block|break|continue)\b|/\*|\$\w*\s*:?=")
_COMMENT = re.compile(r"\{\{-?\s*/\*")


class Action(NamedTuple):
    """``{{ … }}`` or ``{% … %}``: offsets into the text, what is between the braces, whether it stands on lines of its own."""

    start: int
    end: int
    body: str
    control: bool
    alone: bool
    column: int


class Block(NamedTuple):
    """An ``if``, ``with`` or ``range`` whose end is still to come; ``on`` is None where its condition is not known.

    ``done``: an earlier branch holds, so that all later ones are off. ``outer`` is what ``.`` is outside.
    """

    word: str
    start: int
    on: bool | None
    dot: Dot
    outer: Dot
    done: bool = False

    def until(self, action: Action) -> list[tuple[int, int]]:
        """The branch that ends at an action, when it is off."""
        return [(self.start, action.start)] if self.on is False else []


def opened(word: str, rest: str, action: Action, dot: Dot, values: Values) -> Block:
    """The block that ``if``, ``with``, ``range``, ``define`` or ``block`` opens; ``rest`` is what stands behind the word."""
    if word == "if":
        holds = is_true(rest, values, dot)
        return Block(word, action.end, holds, outer=dot, dot=dot, done=holds is True)
    if word == "with":
        inner = evaluate(rest, values, dot)
        return Block(word, action.end, None, outer=dot, dot=Dot(inner, known=inner is not None))
    return Block(word, action.end, None, outer=dot, dot=Dot(None, known=False))


def turned(block: Block, rest: str, action: Action, values: Values) -> Block:
    """The branch after an ``else``."""
    if block.word != "if":
        return Block(block.word, action.end, None, outer=block.outer, dot=block.outer)
    if block.done:
        return block._replace(start=action.end, on=False)
    if not rest:
        return block._replace(start=action.end, on=True if block.on is False else None)
    holds = is_true(rest.removeprefix("if"), values, block.outer)
    return block._replace(start=action.end, on=holds, done=holds is True)


def actions_of(text: str) -> list[Action]:
    """The actions of a text, in order. Linear in its length."""
    spans: list[tuple[int, int]] = []
    closers = {"{{": 0, "{%": 0}
    at = 0
    commented = True
    for match in re.finditer(r"\{\{|\{%", text):
        start, opener = match.start(), match[0]
        if start < at:
            continue
        if commented and _COMMENT.match(text, start):
            inside = text.find("*/", start)
            end = text.find("}}", inside) + 2 if inside >= 0 else 1
            commented = end > 1
            if commented:
                spans.append((start, end))
                at = end
                continue
        closer = "}}" if opener == "{{" else "%}"
        if closers[opener] != -1 and closers[opener] < start + 2:
            closers[opener] = text.find(closer, start + 2)
        end = closers[opener] + 2
        if closers[opener] == -1 or end - start > _LONGEST:
            continue
        spans.append((start, end))
        if len(spans) > _MOST_ACTIONS:
            raise NotRead("too many template actions")
        at = end
    return _described(text, spans)


def _described(text: str, spans: list[tuple[int, int]]) -> list[Action]:
    """Which actions stand on lines on which nothing but actions stands."""
    found: list[Action] = []
    group: list[tuple[int, int]] = []
    for span in spans:
        if group and text[group[-1][1] : span[0]].strip(" \t"):
            found += _group(text, group)
            group = []
        group.append(span)
    return found + _group(text, group)


def _group(text: str, group: list[tuple[int, int]]) -> list[Action]:
    if not group:
        return []
    line = max(text.rfind("\n", 0, group[0][0]), text.rfind("\r", 0, group[0][0])) + 1
    ending = re.compile(r"[ \t]*(?=[\r\n]|\Z)")
    alone = not text[line : group[0][0]].strip() and ending.match(text, group[-1][1]) is not None
    column = group[0][0] - line
    found = []
    for start, end in group:
        body = text[start + 2 : end - 2].removeprefix("-").removesuffix("-").strip()
        control = text[start + 1] == "%" or _CONTROL.match(body) is not None
        found.append(Action(start, end, body, control, alone, column))
    return found
