"""Patterns of paths as in ``.gitignore``: for ignore files, ``exclude`` and ``per-file-ignores`` alike.

Why not ``pathspec``: nearly every repository has a ``.gitignore``, so this is on the path of every run, and importing
``pathspec`` alone takes three times as long as starting Python. Most lines of real ignore files are plain names
(``build/``) or suffixes (``*.log``); they are looked up rather than matched, and only the others become regular
expressions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

_WILD = frozenset("*?[\\")


class _Rule:
    """One line: where it stood (the last one that matches decides), what it does, and what it must match."""

    __slots__ = ("directory_only", "negated", "order", "regex", "text")

    def __init__(self, order: int, negated: bool, directory_only: bool, text: str, regex: str) -> None:
        self.order = order
        self.negated = negated
        self.directory_only = directory_only
        self.text = text
        self.regex = regex


class Patterns:
    """Compiled patterns that are relative to one folder."""

    __slots__ = ("_any", "_names", "_others", "_paths", "_suffixes", "base")

    def __init__(self, base: str, lines: Iterable[str]) -> None:
        self.base = base
        self._names: dict[str, list[_Rule]] = {}
        self._paths: dict[str, list[_Rule]] = {}
        self._suffixes: dict[str, list[_Rule]] = {}
        self._others: list[_Rule] = []
        self._any: re.Pattern[str] | None = None
        for order, line in enumerate(lines):
            self._add(order, line)

    def __bool__(self) -> bool:
        return bool(self._names or self._paths or self._suffixes or self._others)

    def _add(self, order: int, line: str) -> None:
        """Files one line under the cheapest way to match it."""
        text = _strip(line)
        if not text or text.startswith("#"):
            return
        negated = text.startswith("!")
        text = self._from_base(text[1:] if negated else text)
        directory_only = text.endswith("/")
        text = text.rstrip("/")
        anchored = "/" in text
        text = text.removeprefix("/")
        if not text:
            return
        rule = _Rule(order, negated, directory_only, text, "")
        if not _WILD.intersection(text):
            (self._paths if anchored else self._names).setdefault(text, []).append(rule)
        elif not anchored and text[0] == "*" and not _WILD.intersection(text[1:]):
            rule.text = text[1:]
            self._suffixes.setdefault(rule.text, []).append(rule)
        else:
            rule.regex = _translate(text, anchored)
            try:
                re.compile(rule.regex)
            except re.error:  # such as `[z-a]`, which matches nothing for git either
                return
            self._others.append(rule)
            self._any = None

    def _from_base(self, text: str) -> str:
        """A pattern written as an absolute path, or beginning with ``./``, as one anchored at our folder."""
        if text.startswith("./"):
            return text[1:]
        if os.sep != "/":  # pragma: no cover (Windows)
            text = text.replace(os.sep, "/")
        base = as_posix(self.base)
        if base not in ("", "/") and text.startswith(base + "/"):
            return text[len(base) :]
        return text

    def relative(self, path: str) -> str | None:
        """An absolute path relative to our folder with ``/``; ``None`` outside it, and without a folder."""
        path, base = as_posix(path), as_posix(self.base).rstrip("/")
        return path[len(base) + 1 :] if self.base and path.startswith(base + "/") else None

    def match(self, path: str, *, directory: bool) -> bool | None:
        """Whether a path is matched (``True``), let through by a ``!`` line (``False``), or not spoken of (``None``).

        Outside our folder only patterns without a slash can match.
        """
        relative = self.relative(path)
        name = path[path.rfind("/") + 1 :] if relative is None else relative[relative.rfind("/") + 1 :]
        rules = list(self._names.get(name, ()))
        if relative is not None and relative in self._paths:
            rules += self._paths[relative]
        if self._suffixes and name.endswith(tuple(self._suffixes)):
            rules += [rule for suffix, found in self._suffixes.items() if name.endswith(suffix) for rule in found]
        if self._others:
            if self._any is None:
                self._any = re.compile("|".join(f"(?:{rule.regex})" for rule in self._others))
            subject = name if relative is None else relative
            if self._any.match(subject):
                rules += [rule for rule in self._others if re.match(rule.regex, subject)]
        return self._verdict(rules, directory)

    @staticmethod
    def _verdict(rules: list[_Rule], directory: bool) -> bool | None:
        """What the last of the matching lines says."""
        rules = [rule for rule in rules if directory or not rule.directory_only]
        return not max(rules, key=lambda rule: rule.order).negated if rules else None

    def covers(self, path: str) -> bool:
        """Whether a file, or a folder between ours and it, is matched: a file named on its own, without a walk."""
        relative = self.relative(path)
        if relative is not None:
            base = as_posix(self.base).rstrip("/")
            parts = relative.split("/")
            for count in range(1, len(parts)):
                if self.match(f"{base}/{'/'.join(parts[:count])}", directory=True):
                    return True
        return self.match(path, directory=False) is True


def as_posix(path: str) -> str:
    """A path with ``/`` between its parts."""
    return path if os.sep == "/" else path.replace(os.sep, "/")


def _strip(line: str) -> str:
    """A line without its end and without trailing blanks, unless a backslash keeps one."""
    line = line.rstrip("\r\n")
    while line.endswith((" ", "\t")) and not line.endswith("\\ "):
        line = line[:-1]
    return line


def _translate(text: str, anchored: bool) -> str:
    """A pattern with wildcards as a regular expression over the whole relative path."""
    parts = text.split("/")
    expression = "" if anchored else "(?:.*/)?"
    last = len(parts) - 1
    for index, part in enumerate(parts):
        if part == "**":
            if index == last:
                expression += ".+"
            else:
                expression += "(?:.*/)?"
        else:
            expression += _translate_part(part) + ("" if index == last else "/")
    return expression + r"\Z"


def _translate_part(part: str) -> str:
    """One component of a pattern: ``*``, ``?``, ``[a-z]``, ``[!a]`` and backslashes."""
    expression, index = "", 0
    while index < len(part):
        character = part[index]
        index += 1
        if character == "*":
            expression += "" if expression.endswith("[^/]*") else "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif character == "\\" and index < len(part):
            expression += re.escape(part[index])
            index += 1
        elif character == "[" and (end := part.find("]", index + 1 + (part[index : index + 1] in ("!", "^")))) != -1:
            content = part[index:end].replace("\\", "\\\\").replace("[", "\\[")
            if content[0] in "!^":
                content = "^" + content[1:]
            expression += f"(?!/)[{content}]"
            index = end + 1
        else:
            expression += re.escape(character)
    return expression
