"""A server's command line, read as the server's own parser reads it: the options, and the words that are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.commands.carrier import Word
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.knowledge import ServerOptions


class Option(NamedTuple):
    """One option as it is written: ``name`` is the one that a configuration file would use, ``flag`` the one written.

    ``value`` is the text behind it; a switch's is ``true``, or ``false`` for ``--no-…``. ``where`` spans flag and value.
    ``literal``: the value is known; a variable or something computed is not.
    """

    name: str
    flag: str
    value: str
    where: Where
    literal: bool = True
    overridable: bool = False


class Line(NamedTuple):
    """A command line in parts; flags that nobody knows are left out.

    Of an option given twice the last one holds, and those before it are among the ``repeated``.
    """

    options: dict[str, Option]
    arguments: tuple[Word, ...]
    repeated: tuple[Option, ...] = ()


def parse(words: Sequence[Word], server: ServerOptions) -> Line:
    """The options and arguments of a server's command, without the command's own name."""
    flags = _flags(server)
    found: list[Option] = []
    arguments: list[Word] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word.text == "--":
            arguments += words[position:]
            break
        if not word.text.startswith("-") or word.text == "-":
            arguments.append(word)
            continue
        flag, value = _split(word, flags, server)
        name = flags.get(flag)
        if name is None:
            # Nobody knows whether the next word is its value; an application has a colon or a dot in it.
            continue
        if flag in server.switches:
            found.append(_option(name, flag, Word("false" if flag.startswith("--no-") else "true", word.where), word))
        elif value is not None:
            found.append(_option(name, flag, Word(value, word.where, word.overridable), word))
        elif position < len(words):
            found.append(_option(name, flag, words[position], word))
            position += 1
    options = {option.name: option for option in found}
    return Line(options, tuple(arguments), tuple(option for option in found if options[option.name] is not option))


def is_literal(text: str) -> bool:
    """Whether nothing in a text is left to a shell or a template."""
    return not any(sign in text for sign in ("$", "`", "{{", "{%", "%("))


def spanning(first: Where, last: Where) -> Where:
    """The place from the beginning of one to the end of the other."""
    if first.path != last.path or first.span[:2] > last.span[2:]:
        return first
    return Where(first.path, first.span._replace(end_row=last.span.end_row, end_column=last.span.end_column))


def _flags(server: ServerOptions) -> dict[str, str]:
    return {flag: name for name, flags in server.options.items() for flag in flags.split()}


def _option(name: str, flag: str, value: Word, word: Word) -> Option:
    apart = word.where.path != value.where.path  # a patch of one word of a list: its file says the value
    where = value.where if apart else spanning(word.where, value.where)
    return Option(name, flag, value.text, where, is_literal(value.text), value.overridable)


def _split(word: Word, flags: dict[str, str], server: ServerOptions) -> tuple[str, str | None]:
    """``--timeout=9``, ``-t9``, ``--time 9`` as flag and value; the value is None when it is the next word."""
    text = word.text
    if text.startswith("--"):
        flag, equals, value = text.partition("=")
        return _whole(flag, flags, server), value if equals else None
    if text in flags:
        return text, None
    short = text[:2]
    if short in flags and short not in server.switches:
        return short, text[2:].removeprefix("=") if server.abbreviated else text[2:]
    return text, None


def _whole(flag: str, flags: dict[str, str], server: ServerOptions) -> str:
    """The long flag that an abbreviation stands for, when it stands for one only."""
    if flag in flags or not server.abbreviated:
        return flag
    found = [known for known in flags if known.startswith(flag)]
    return found[0] if len(found) == 1 else flag
