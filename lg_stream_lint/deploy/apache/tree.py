"""Apache's syntax as a tree of directives with places. Names count without their case.

What stands in ``<IfModule>``, ``<IfDefine>``, ``<If>`` and the like is read as if it stood outside: that it is written says that it
is meant for some machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.words import Line, lines_of
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.deploy.units import with_default

#: Sections in sections; real files have five.
DEEPEST = 40
_CONDITIONS = frozenset(
    {"ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection", "if", "elseif", "else", "requireany"}
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_MOST_STEPS = 20


class Directive:
    """``Name value …`` or, where ``block`` is not None, ``<Name value …>`` with what stands in it."""

    __slots__ = ("block", "line", "name", "values")

    def __init__(self, line: Line, name: str, values: tuple[str, ...], block: list[Directive] | None) -> None:
        self.line = line
        self.name = name.lower()
        self.values = values
        self.block = block

    @property
    def first(self) -> str:
        """The first value, empty where there is none."""
        return self.values[0] if self.values else ""

    @property
    def where(self) -> Where:
        """From the name to the last value."""
        return self.line.where

    @property
    def start(self) -> int:
        """The offset of its name."""
        return self.line.words[0].start

    def inside(self) -> Iterator[Directive]:
        """What stands in a section, what conditions hold included."""
        waiting = list(reversed(self.block or ()))
        while waiting:
            directive = waiting.pop()
            if directive.name in _CONDITIONS and directive.block is not None:
                waiting += reversed(directive.block)
            else:
                yield directive

    def find(self, name: str) -> Directive | None:
        """The directive of that name that holds in the section: the last one."""
        found = None
        for directive in self.inside():
            if directive.name == name and directive.block is None:
                found = directive
        return found


def parse(file: DeployFile) -> Directive:
    """The file as one nameless section. What is not closed ends with the file; what was not opened is passed over."""
    top: Directive | None = None
    stack: list[Directive] = []
    for line in lines_of(file, "first"):
        if top is None:
            top = Directive(line, "", (), [])
            stack = [top]
        name, values = line.at(0), line.texts[1:]
        if name.startswith("</"):
            _close(stack, name[2:].rstrip(">").lower())
            continue
        block = stack[-1].block
        assert block is not None
        if not name.startswith("<"):
            block.append(Directive(line, name, values, None))
            continue
        section = Directive(line, *_section(name, values), [])
        block.append(section)
        if len(stack) < DEEPEST:
            stack.append(section)
    return top if top is not None else whole(file, [])


def whole(file: DeployFile, block: list[Directive]) -> Directive:
    """A nameless section with everything that a file holds."""
    return Directive(Line(file, ()), "", (), block)


def _section(name: str, values: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    words = (name[1:], *values)
    words = (*words[:-1], words[-1].removesuffix(">"))
    return words[0], tuple(word for word in words[1:] if word)


def _close(stack: list[Directive], name: str) -> None:
    for number in range(len(stack) - 1, 0, -1):
        if stack[number].name == name:
            del stack[number:]
            return


class Variables:
    """What ``Define`` gives names; ``${NAME}`` of the environment is not known."""

    def __init__(self, top: Directive) -> None:
        self._values: dict[str, str] = {}
        waiting = [top]
        while waiting:
            for directive in waiting.pop().inside():
                if directive.name == "define" and len(directive.values) == 2:
                    self._values.setdefault(directive.values[0], directive.values[1])
                if directive.block is not None:
                    waiting.append(directive)

    def resolve(self, text: str) -> tuple[str, bool]:
        """The text with what is known put in, and whether the environment can replace a part of it."""
        text, overridable = with_default(text)
        for _ in range(_MOST_STEPS):
            match = next((m for m in _VARIABLE.finditer(text) if m[1] in self._values), None)
            if match is None or len(text) > 10_000:
                break
            text = text[: match.start()] + self._values[match[1]] + text[match.end() :]
        return text, overridable
