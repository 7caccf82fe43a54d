"""nginx's syntax as a tree of directives with places.

Why not crossplane, the parser that NGINX publishes: its last release is of 2022; it accepts a missing ``;`` without a word,
turns a Go template into nonsense with the status "ok", knows lines and no columns, and would cost every user who has no
nginx a dependency. nginx's own rules (``ngx_conf_read_token``) fit into one expression:

* words end at white space, ``;`` or ``{``; but the brace of ``${name}`` and a ``}`` inside a word belong to it
* quotes, and ``#`` for a comment, count only where a word begins; a backslash takes the next character with it
* blocks of Lua hold another language: only their braces are followed
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.including import BadSyntax
from lg_stream_lint.deploy.settings import Where

#: Blocks in blocks; real files have five.
DEEPEST = 60
#: Directives of one file; a list of addresses for ``geo`` or ``deny`` can be long, and none of it is looked at.
MOST = 200_000
#: Characters of one block of Lua.
LONGEST_LUA = 200_000

_TOKEN = re.compile(
    r"""
    [ \t\r\n]+ | \#[^\r\n]*
    | (?P<quoted> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<sign> [;{}] )
    | (?P<word> (?!["']) (?: \\. | \$\{ | [^\s;{\\] )+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_LUA = re.compile(
    r"""--\[\[.{0,2000}?\]\] | --[^\r\n]* | \[\[.{0,2000}?\]\] | "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*' | (?P<sign>[{}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", '"': '"', "'": "'", "\\": "\\"}


class Word(NamedTuple):
    """A name or value, without quotes; ``start`` and ``end`` are offsets in the file's text."""

    text: str
    start: int
    end: int


class Directive:
    """``name value …;`` or, where ``block`` is not None, ``name value … { … }``."""

    __slots__ = ("_by_name", "block", "end", "file", "name", "start", "values")

    def __init__(self, file: DeployFile, words: list[Word], end: int, block: list[Directive] | None) -> None:
        self.file = file
        self.name = words[0].text if words else ""
        self.values = tuple(words[1:])
        self.start = words[0].start if words else end
        self.end = end
        self.block = block
        self._by_name: dict[str, list[Directive]] | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as texts."""
        return tuple(value.text for value in self.values)

    @property
    def first(self) -> str:
        """The first value, empty where there is none."""
        return self.values[0].text if self.values else ""

    @property
    def where(self) -> Where:
        """From the name to the last value."""
        return self.file.at(self.start, self.values[-1].end if self.values else self.start + len(self.name))

    def named(self, *names: str) -> Iterator[Directive]:
        """The directives of these names that stand directly in the block, which is complete."""
        if self._by_name is None:
            self._by_name = {}
            for child in self.block or ():
                self._by_name.setdefault(child.name, []).append(child)
        for name in names:
            yield from self._by_name.get(name, ())


def parse(file: DeployFile) -> Directive:
    """The file as one nameless block. Raises :class:`BadSyntax`."""
    return _Parser(file).run()


class _Parser:
    """Goes through the text once, with a stack instead of recursion: no file is nested too deeply for it."""

    def __init__(self, file: DeployFile) -> None:
        self.file = file
        self.text = file.text
        self.top = Directive(file, [], 0, [])
        self.stack = [self.top]
        self.words: list[Word] = []
        self.count = 0

    def run(self) -> Directive:
        position, length = 0, len(self.text)
        while position < length:
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise BadSyntax(position, "a quote or a backslash without an end")
            position = match.end()
            if match["sign"]:
                position = self._sign(match["sign"], match.start(), position)
            elif match["word"] or match["quoted"]:
                raw = match[0][1:-1] if match["quoted"] else match[0]
                self.words.append(Word(_unescaped(raw), match.start(), match.end()))
        if self.words or len(self.stack) > 1:
            raise BadSyntax(length, 'unexpected end of file, expecting ";" or "}"')
        return self.top

    def _sign(self, sign: str, start: int, position: int) -> int:
        """Take ``;``, ``{`` or ``}``; gives where to go on."""
        if sign == "}":
            if self.words or len(self.stack) == 1:
                raise BadSyntax(start, 'unexpected "}"')
            self.stack.pop().end = position
            return position
        if not self.words:
            if sign == ";":  # nginx refuses it, and means nothing else by it
                return position
            raise BadSyntax(start, 'unexpected "{"')
        if sign == "{" and self.words[0].text.endswith("_by_lua_block"):
            self.words.clear()
            return self._after_lua(position)
        self._add(sign, position)
        return position

    def _add(self, sign: str, position: int) -> None:
        directive = Directive(self.file, self.words, position, [] if sign == "{" else None)
        self.words = []
        self.count += 1
        if self.count > MOST:
            raise BadSyntax(position, "more directives than anybody writes")
        block = self.stack[-1].block
        assert block is not None
        block.append(directive)
        if sign == "{":
            if len(self.stack) > DEEPEST:
                raise BadSyntax(position, "nested too deeply")
            self.stack.append(directive)

    def _after_lua(self, position: int) -> int:
        depth = 1
        for match in _LUA.finditer(self.text, position, position + LONGEST_LUA):
            if match["sign"]:
                depth += 1 if match["sign"] == "{" else -1
                if not depth:
                    return match.end()
        raise BadSyntax(position, "a block of Lua without an end")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[0]), text)
