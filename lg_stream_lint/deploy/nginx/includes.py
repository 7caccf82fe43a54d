"""A configuration with its includes in it, as far as they lie in the repository, and which files are only pieces.

What nginx brings along itself (``mime.types``) is not missed.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.nginx.tree import BadSyntax, Directive, parse
from lg_stream_lint.deploy.proxies.included import find_included, possible_owners
from lg_stream_lint.deploy.settings import Note

#: Includes in includes; nginx itself has no limit.
DEEPEST = 8
#: Directives that includes may bring into one configuration.
MOST_DIRECTIVES = 100_000
#: Files that one configuration takes in, those that it takes in twice counted twice.
MOST_TAKEN_IN = 200

_IN_HTTP = frozenset({"server", "upstream", "map", "log_format", "limit_req_zone", "proxy_cache_path"})
_SHIPPED = re.compile(
    r"(?:.*/)?(?:mime\.types|(?:fastcgi|uwsgi|scgi|proxy)_params|fastcgi\.conf|koi-\w+|win-utf|options-ssl-nginx\.conf"
    r"|modules-enabled/.*|snippets/(?:fastcgi-php|snakeoil)\.conf|cloudflare.*|.*ssl.*)"
)
_LIKE_NGINX = re.compile(r".*(?:nginx|\.conf|\.vhost)(?:\.\w+)*")
_HAS_INCLUDE = re.compile(rb"(?:^|[\s;{}])include[ \t]")


class Loaded(NamedTuple):
    """A file's tree with its includes in place, the files that it took in, and what it could not."""

    top: Directive
    included: frozenset[str]
    notes: tuple[Note, ...]


_loaded: WeakKeyDictionary[Context, dict[str, Loaded | BadSyntax]] = WeakKeyDictionary()


def load(file: DeployFile, context: Context) -> Loaded:
    """The file with its includes. Raises :class:`BadSyntax` when the file itself (not one that it includes) is bad."""
    known = _loaded.setdefault(context, {})
    if file.path not in known:
        try:
            known[file.path] = _Loader(file, context).run()
        except BadSyntax as error:
            known[file.path] = error
    found = known[file.path]
    if isinstance(found, BadSyntax):
        raise found
    return found


def is_taken_in(file: DeployFile, context: Context) -> bool:
    """Whether another file of the repository includes this one, so that it is read there, with what holds around it."""
    for path in possible_owners(file, context, _LIKE_NGINX, _HAS_INCLUDE):
        try:
            owner = load(context.open(path), context)
            if file.path in owner.included and path not in load(file, context).included:
                return True
        except (BadSyntax, NotRead):  # noqa: PERF203 - a handful of files
            continue
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
        done = Directive(self.file, [], top.end, block)
        return Loaded(done, frozenset(self.included), tuple(self.notes))

    def _expanded(self, parent: Directive, stack: tuple[str, ...]) -> list[Directive]:
        found: list[Directive] = []
        for child in parent.block or ():
            if child.name == "include" and child.block is None and len(child.values) == 1:
                found += self._taken_in(child, stack)
            elif child.block:
                found.append(_with_block(child, self._expanded(child, stack)))
            else:
                found.append(child)
        return found

    def _taken_in(self, include: Directive, stack: tuple[str, ...]) -> list[Directive]:
        """What stands for one ``include``."""
        files = find_included(include.first, self.file, self.context, _is_piece)
        if not files:
            if not any(sign in include.first for sign in "*?[") and not _SHIPPED.fullmatch(include.first):
                self._note(include, f"included file {include.first} is not in the repository")
            return []
        found: list[Directive] = []
        for file in files:
            if file.path in stack:
                self._note(include, f"{include.first} includes itself")
            elif len(stack) > DEEPEST or self.left <= 0 or self.taken_in >= MOST_TAKEN_IN:
                self._note(include, "too many includes")
            else:
                found += self._parsed(include, file, stack)
        return found

    def _parsed(self, include: Directive, file: DeployFile, stack: tuple[str, ...]) -> list[Directive]:
        from lg_stream_lint.deploy.nginx.templates import template_sign

        self.included.add(file.path)
        self.taken_in += 1
        if template_sign(file.text) is not None:
            return []  # a note when the file itself is read
        try:
            block = self._expanded(parse(file), (*stack, file.path))
        except BadSyntax as error:
            self._note(include, f"included file {file.name}: {error}")
            return []
        self.left -= len(block)
        return block

    def _note(self, include: Directive, reason: str) -> None:
        note = Note(include.where, reason)
        if note not in self.notes:
            self.notes.append(note)


def _is_piece(file: DeployFile) -> bool:
    """Whether a file is written to stand inside ``http { … }``."""
    try:
        names = {directive.name for directive in parse(file).block or ()}
    except BadSyntax:
        return False
    return bool(names & _IN_HTTP) and "http" not in names


def _with_block(directive: Directive, block: list[Directive]) -> Directive:
    copy = Directive(directive.file, [], directive.end, block)
    copy.name, copy.values, copy.start = directive.name, directive.values, directive.start
    return copy
