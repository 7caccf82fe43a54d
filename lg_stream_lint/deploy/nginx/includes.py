"""A configuration with its includes in it, as far as they lie in the repository, and which files are only pieces.

``/etc/nginx/conf.d/*.conf`` is a path on the machine; in a repository the same folder lies somewhere near the main file, or its
files lie beside it and are copied there. Both are looked for; what nginx brings along itself (``mime.types``) is not missed.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.nginx.tree import BadSyntax, Directive, parse
from lg_stream_lint.deploy.settings import Note

#: Includes in includes; nginx itself has no limit.
DEEPEST = 8
#: Directives that includes may bring into one configuration, and files of a folder that are looked at.
MOST_DIRECTIVES = 100_000
MOST_FILES = 60
#: Files that one configuration takes in, those that it takes in twice counted twice.
MOST_TAKEN_IN = 200
#: Folders above a piece in which the file that includes it is looked for.
UPWARD = 3

_IN_HTTP = frozenset({"server", "upstream", "map", "log_format", "limit_req_zone", "proxy_cache_path"})
_SHIPPED = re.compile(
    r"(?:.*/)?(?:mime\.types|(?:fastcgi|uwsgi|scgi|proxy)_params|fastcgi\.conf|koi-\w+|win-utf|options-ssl-nginx\.conf"
    r"|modules-enabled/.*|snippets/(?:fastcgi-php|snakeoil)\.conf|cloudflare.*|.*ssl.*)"
)
_LIKE_NGINX = re.compile(r".*(?:nginx|\.conf|\.vhost)(?:\.\w+)*")
_HAS_INCLUDE = re.compile(rb"(?:^|[\s;{}])include[ \t]")
_NEIGHBOURS = ("", "conf.d", "sites-available", "sites-enabled", "templates", "servers", "vhosts", "nginx")
#: Where else the files of a folder on the machine may lie in a repository.
_ALSO = {"sites-enabled": ("sites-available",), "conf.d": ("templates",)}


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
    for path in _possible_owners(file, context):
        try:
            owner = load(context.open(path), context)
            if file.path in owner.included and path not in load(file, context).included:
                return True
        except (BadSyntax, NotRead):  # noqa: PERF203 - a handful of files
            continue
    return False


def _possible_owners(file: DeployFile, context: Context) -> Iterator[str]:
    folder = file.folder
    for _ in range(UPWARD):
        if not context.holds(os.path.join(folder, "x")):
            return
        for neighbour in _NEIGHBOURS:
            for path in _files(os.path.join(folder, neighbour) if neighbour else folder):
                if path != file.path and _LIKE_NGINX.fullmatch(os.path.basename(path)) and _includes(path, context):
                    yield path
        folder = os.path.dirname(folder)


def _includes(path: str, context: Context) -> bool:
    try:
        return _HAS_INCLUDE.search(context.open(path).source) is not None
    except NotRead:
        return False


def _files(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []
    return [path for name in names[:1000] if os.path.isfile(path := os.path.join(folder, name))][:MOST_FILES]


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
        files = self._find(include.first)
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

    def _find(self, path: str) -> list[DeployFile]:
        """The files of the repository that an include's path or pattern means."""
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if "$" in path or not parts:
            return []
        is_pattern = any(sign in path for sign in "*?[")
        fewest = 2 if is_pattern else 1  # of `*.conf` alone anything beside the file would be one
        for folder in self._folders():
            for start in range(max(1, len(parts) - fewest + 1)):
                found = self._in(folder, parts[start:])
                if found:
                    return found
        return self._beside(parts) if is_pattern else []

    def _folders(self) -> Iterator[str]:
        folder = self.file.folder
        for _ in range(UPWARD):
            if not self.context.holds(os.path.join(folder, "x")):
                return
            yield folder
            folder = os.path.dirname(folder)

    def _in(self, folder: str, parts: list[str]) -> list[DeployFile]:
        *below, name = parts
        if any(sign in part for part in below for sign in "*?["):
            return []
        place = os.path.join(folder, *below)
        if not any(sign in name for sign in "*?["):
            return self._opened([os.path.join(place, name), os.path.join(place, name + ".template")])[:1]
        places = [place]
        if below:
            places += [os.path.join(folder, *below[:-1], other) for other in _ALSO.get(below[-1], ())]
        for each in places:
            names = (name, name + ".template") if each != place else (name,)
            found = [path for path in _files(each) if _is_named(path, names) and path != self.file.path]
            if found:
                return self._opened(found)
        return []

    def _beside(self, parts: list[str]) -> list[DeployFile]:
        """Pieces that lie beside the main file and are copied where its pattern looks for them."""
        found = [
            path
            for path in _files(self.file.folder)
            if path != self.file.path and _is_named(path, (parts[-1], parts[-1] + ".template"))
        ]
        return [file for file in self._opened(found) if _is_piece(file)]

    def _opened(self, paths: list[str]) -> list[DeployFile]:
        found = []
        for path in paths:
            try:
                found.append(self.context.open(path))
            except NotRead:  # noqa: PERF203 - a handful of files
                continue
        return found


def _is_named(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(os.path.basename(path), pattern) for pattern in patterns)


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
