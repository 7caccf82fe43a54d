"""A shell's text, split into simple commands whose words have places.

Only what decides which server starts is understood: quotes, continuations, comments, operators, redirections, here
documents, variables with a known value or a default. Substitutions (``$(…)``) stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from lg_stream_lint.deploy.commands.carrier import Carrier, Variable, Word
from lg_stream_lint.deploy.settings import Where

#: Characters; a longer text is a program and no command.
LONGEST = 200_000
_LONGEST_VALUE = 4_000  # characters; variables that double each other grow no further

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?!\w)(?P<how>:?[-=+?])?(?P<rest>[^${}]*)\}|(?P<plain>[A-Za-z_]\w*))")
_OPERATOR = re.compile(r"&&|\|\||;;|\|&|[;|&()\n]")
_REDIRECTION = re.compile(r"\d*(?:<<<|<<-?|>>|>\||[<>]&?|&>>?)")
_HERE = re.compile(r"""[ \t]*(['"]?)(\w+)\1""")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?=\+?=)")
_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "{", "}", "!", "time", "fi", "done", "esac"}
)
_EXPORTS = frozenset({"export", "readonly", "declare", "local", "typeset"})


class Simple(NamedTuple):
    """A simple command: its words, the variables that hold for it, and whether it is a part of a pipeline.

    ``output`` is the file that it writes to, ``appends`` whether to its end. ``here`` are the offsets of its here document.
    """

    words: tuple[Word, ...]
    env: Mapping[str, Variable]
    piped: bool
    output: str = ""
    appends: bool = False
    here: tuple[int, int] | None = None


def expand(text: str, env: Mapping[str, Variable]) -> tuple[str, bool]:
    """A text with its variables replaced; the truth says that something outside can replace a value.

    Variables without a known value or default stay as they are written.
    """
    overridable = False

    def value(match: re.Match[str]) -> str:
        nonlocal overridable
        known = env.get(match["plain"] or match["braced"])
        how = match["how"] or ""
        if "+" in how:
            return match["rest"] if known is not None else match[0]
        if known is not None and (known.value or ":" not in how):
            overridable |= known.overridable
            return known.value
        if "-" in how or "=" in how:
            overridable = True
            return str(match["rest"]).strip("\"'")
        return match[0]

    return _VARIABLE.sub(value, text)[:_LONGEST_VALUE], overridable


def simple_commands(text: str, carrier: Carrier) -> list[Simple]:
    """The simple commands of a text, in order. Assignments on their way hold for those behind them."""
    return _Splitter(text[:LONGEST], carrier).split()


class _Splitter:
    """Walks over the text once."""

    def __init__(self, text: str, carrier: Carrier) -> None:
        self.text = text
        self.carrier = carrier
        self.env = dict(carrier.env)
        self.found: list[Simple] = []
        self.words: list[Word] = []
        self.piped = False
        self.here: list[str] = []
        self.output, self.appends = "", False
        self.offset = 0

    def split(self) -> list[Simple]:
        """The commands of the whole text."""
        while self.offset < len(self.text):
            self._step()
        self._end("")
        return self.found

    def _step(self) -> None:
        text, start = self.text, self.offset
        if text[start] in " \t\r":
            self.offset += 1
        elif text.startswith(("\\\n", "\\\r\n"), start):
            self.offset = text.index("\n", start) + 1
        elif text[start] == "#":
            end = text.find("\n", start)
            self.offset = len(text) if end < 0 else end
        elif match := _REDIRECTION.match(text, start):
            self._redirect(match)
        elif match := _OPERATOR.match(text, start):
            self.offset = match.end()
            self._end(match[0])
        else:
            self.words += self._word()

    def _redirect(self, match: re.Match[str]) -> None:
        """A redirection and its target are no words of the command; a here document is left out."""
        self.offset = match.end()
        if match[0].endswith(("<<", "<<-")) and (here := _HERE.match(self.text, self.offset)):
            self.here.append(here[2])
            self.offset = here.end()
            return
        while self.offset < len(self.text) and self.text[self.offset] in " \t":
            self.offset += 1
        if self.offset < len(self.text) and not _OPERATOR.match(self.text, self.offset):
            target = self._word()
            if target and match[0] in (">", ">>", ">|", "1>", "1>>"):
                self.output, self.appends = target[0].text, match[0].endswith(">>")

    def _end(self, operator: str) -> None:
        words = tuple(self.words)
        self.words = []
        while words and words[0].text in _KEYWORDS:
            words = words[1:]
        if operator != ")":  # the pattern of a `case`, or the end of a group that holds a command already
            self._command(words, operator.startswith("|") and operator != "||")
        elif words and len(words) > 1:
            self._command(words, piped=False)
        self.piped = operator in ("|", "|&")
        self.output, self.appends = "", False
        if operator == "\n" and self.here:
            self._skip_here()

    def _command(self, words: tuple[Word, ...], piped: bool) -> None:
        env = dict(self.env)
        position = 0
        while position < len(words) and (match := _ASSIGNMENT.match(words[position].text)):
            word = words[position]
            env[match[0]] = Variable(word.text.partition("=")[2], word.where, word.overridable)
            position += 1
        rest = words[position:]
        if not rest:
            self.env = env  # assignments alone hold from here on
        elif rest[0].text in _EXPORTS:
            self._export(rest[1:])
        else:
            self.found.append(Simple(rest, env, piped or self.piped, self.output, self.appends))

    def _export(self, words: tuple[Word, ...]) -> None:
        for word in words:
            name, equals, value = word.text.partition("=")
            if equals and name.isidentifier():
                self.env[name] = Variable(value, word.where, word.overridable)

    def _skip_here(self) -> None:
        for mark in self.here:
            end = re.compile(rf"^[ \t]*{mark}\r?$", re.MULTILINE).search(self.text, self.offset)
            if self.found:
                self.found[-1] = self.found[-1]._replace(here=(self.offset, end.start() if end else len(self.text)))
            self.offset = end.end() if end is not None else len(self.text)
        self.here = []

    def _word(self) -> list[Word]:
        """The word that begins here; several when a variable's value without quotes holds several."""
        start = self.offset
        parts: list[tuple[str, bool, bool]] = []  # text, expanded to several words, overridable
        while self.offset < len(self.text):
            part = self._part()
            if part is None:
                break
            parts.append(part)
        where = self._place(start, self.offset)
        overridable = any(part[2] for part in parts)
        if len(parts) == 1 and parts[0][1]:
            return [Word(text, where, overridable) for text in parts[0][0].split()]
        return [Word("".join(part[0] for part in parts), where, overridable)] if parts else []

    def _part(self) -> tuple[str, bool, bool] | None:
        text, start = self.text, self.offset
        letter = text[start]
        if letter in " \t\r\n;|&()<>":
            return None
        if letter == "'":
            end = text.find("'", start + 1)
            self.offset = (end if end >= 0 else len(text)) + 1
            return text[start + 1 : self.offset - 1], False, False
        if letter == '"':
            return self._quoted()
        if letter == "\\":
            if text.startswith(("\\\n", "\\\r\n"), start):
                self.offset = text.index("\n", start) + 1
                return "", False, False
            self.offset += 2
            return text[start + 1 : start + 2], False, False
        if letter == "`" or text.startswith("$(", start):
            self.offset = self._substitution(start)
            return text[start : self.offset], False, False
        return self._plain()

    def _plain(self) -> tuple[str, bool, bool]:
        match = re.compile(r"\$\{[^}\n]{0,1000}\}|\$|[^\s;|&()<>'\"\\`$]+").match(self.text, self.offset)
        if match is None:  # cannot be: every other letter is handled before
            self.offset += 1
            return "", False, False
        raw = match[0]
        if raw == "$" and (name := re.compile(r"\$\w+").match(self.text, self.offset)):
            raw = name[0]
        self.offset += len(raw)
        value, overridable = expand(raw, self.env)
        return value, raw.startswith("$") and " " in value.strip(), overridable

    def _quoted(self) -> tuple[str, bool, bool]:
        text, position = self.text, self.offset + 1
        pieces: list[str] = []
        begin = position
        while position < len(text) and text[position] != '"':
            if text[position] == "\\" and text[position + 1 : position + 2] in ('"', "\\", "$", "`", "\n"):
                pieces += [text[begin:position], text[position + 1].strip("\n")]
                position += 2
                begin = position
            else:
                position += 1
        pieces.append(text[begin:position])
        self.offset = min(position + 1, len(text))
        value, overridable = expand("".join(pieces), self.env)
        return value, False, overridable

    def _substitution(self, start: int) -> int:
        """The end of ``$(…)`` or of what stands between back quotes."""
        text = self.text
        if text[start] == "`":
            end = text.find("`", start + 1)
            return len(text) if end < 0 else end + 1
        depth, position = 0, start + 1
        while position < len(text):
            depth += {"(": 1, ")": -1}.get(text[position], 0)
            position += 1
            if depth == 0:
                break
        return position

    def _place(self, start: int, end: int) -> Where:
        return self.carrier.at(start, end) if self.carrier.at is not None else self.carrier.where
