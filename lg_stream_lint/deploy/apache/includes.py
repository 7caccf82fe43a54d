"""A configuration with its ``Include``s in it, as far as they lie in the repository, and which files are only pieces.

What a machine brings along (``ports.conf``, modules) is not missed, nor is what is optional.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.apache.tree import Directive, parse
from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.included import find_included, possible_owners
from lg_stream_lint.deploy.settings import Note

#: Includes in includes, and files that one configuration takes in.
DEEPEST = 8
MOST_TAKEN_IN = 200
#: Directives that includes may bring into one configuration.
MOST_DIRECTIVES = 100_000

_SHIPPED = re.compile(
    r"(?:.*/)?(?:ports\.conf|(?:mods|conf|modules)-enabled/.*|conf\.modules\.d/.*|options-ssl-apache\.conf"
    r"|extra/(?:proxy-html|httpd-(?!vhosts)[\w-]+)\.conf)"
)
_LIKE_APACHE = re.compile(r".*(?:apache|httpd|vhost|\.conf).*")
_HAS_INCLUDE = re.compile(rb"(?m)^[ \t]*Include(?:Optional)?[ \t]")
_PIECE = re.compile(r"(?im)^[ \t]*(?:<VirtualHost\b|<Location\b|Proxy(?:Pass|Timeout)\b)")
_WHOLE = re.compile(r"(?im)^[ \t]*(?:LoadModule|ServerRoot|PidFile)\b")


class Loaded(NamedTuple):
    """A file's tree with its includes in place, the files that it took in, and what it could not."""

    top: Directive
    included: frozenset[str]
    notes: tuple[Note, ...]


_loaded: WeakKeyDictionary[Context, dict[str, Loaded]] = WeakKeyDictionary()


def load(file: DeployFile, context: Context) -> Loaded:
    """The file with its includes, read once for a context."""
    known = _loaded.setdefault(context, {})
    if file.path not in known:
        known[file.path] = _Loader(file, context).run()
    return known[file.path]


def is_taken_in(file: DeployFile, context: Context) -> bool:
    """Whether another file of the repository includes this one, so that it is read there, with what holds around it."""
    for path in possible_owners(file, context, _LIKE_APACHE, _HAS_INCLUDE):
        try:
            owner = load(context.open(path), context)
        except NotRead:
            continue
        if file.path in owner.included and path not in load(file, context).included:
            return True
    return False


class _Loader:
    def __init__(self, file: DeployFile, context: Context) -> None:
        self.file, self.context = file, context
        self.included: set[str] = set()
        self.notes: list[Note] = []
        self.left = MOST_DIRECTIVES
        self.taken_in = 0

    def run(self) -> Loaded:
        top = parse(self.file)
        block = self._expanded(top, (self.file.path,))
        return Loaded(Directive(top.line, "", (), block), frozenset(self.included), tuple(dict.fromkeys(self.notes)))

    def _expanded(self, parent: Directive, stack: tuple[str, ...]) -> list[Directive]:
        found: list[Directive] = []
        for child in parent.block or ():
            if child.name in ("include", "includeoptional") and child.block is None and child.values:
                found += self._taken_in(child, stack)
            elif child.block:
                found.append(Directive(child.line, child.name, child.values, self._expanded(child, stack)))
            else:
                found.append(child)
        return found

    def _taken_in(self, include: Directive, stack: tuple[str, ...]) -> list[Directive]:
        """What stands for one ``Include``."""
        path = include.first + ("*" if include.first.endswith("/") else "")
        files = find_included(path, self.file, self.context, _is_piece)
        is_plain = not any(sign in path for sign in "*?[")
        if not files and include.name == "include" and is_plain and not _SHIPPED.fullmatch(path):
            self.notes.append(Note(include.where, f"included file {path[:80]} is not in the repository"))
        found: list[Directive] = []
        for file in files:
            if file.path in stack:
                self.notes.append(Note(include.where, f"{path[:80]} includes itself"))
            elif len(stack) > DEEPEST or self.left <= 0 or self.taken_in >= MOST_TAKEN_IN:
                self.notes.append(Note(include.where, "too many includes"))
            elif template_sign(file.text) is None:  # of a template its own reading says so
                self.included.add(file.path)
                self.taken_in += 1
                block = self._expanded(parse(file), (*stack, file.path))
                self.left -= len(block)
                found += block
        return found


def _is_piece(file: DeployFile) -> bool:
    """Whether a file is written to stand inside another one."""
    return _PIECE.search(file.text) is not None and _WHOLE.search(file.text) is None
