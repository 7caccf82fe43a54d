"""The hops of an nginx configuration: one for each place that passes requests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.nginx.carriers import Carrier
from lg_stream_lint.deploy.nginx.limits import FAMILIES, settings_of
from lg_stream_lint.deploy.nginx.scope import Scope, Variables
from lg_stream_lint.deploy.nginx.tree import Directive
from lg_stream_lint.deploy.nginx.version import Version
from lg_stream_lint.deploy.settings import Hop, Note, Origin, Reading, Role, Route, Setting, Target
from lg_stream_lint.deploy.units import nginx_time

#: Locations of one file; a generated file with more is cut off.
MOST = 500

PASSES = tuple(f"{family}_pass" for family in FAMILIES)
_TARGET = re.compile(r"(?:[\w$]+://)?(?P<authority>unix:[^:]*|[^/?]*)(?P<path>.*)", re.DOTALL)
#: Variables behind an address that are a path, not a part of the address.
_PATH_VARIABLES = re.compile(r"\$\{?(?:request_uri|uri|document_uri|is_args|args|query_string|\d)\b.*", re.DOTALL)
_UNREAD = "the address in {text} is not known here"


class Place(NamedTuple):
    """A location (or another block) with a pass directive in it: the scopes and the location that serves its paths."""

    scope: Scope
    location: Directive | None
    directive: Directive


def read_hops(top: Directive, file: DeployFile, version: Version, carriers: Sequence[Carrier]) -> Reading:
    """Every hop of the configuration, in the order of its text."""
    return _Hops(top, file, version, carriers).run()


class _Hops:
    def __init__(self, top: Directive, file: DeployFile, version: Version, carriers: Sequence[Carrier]) -> None:
        self.top, self.file, self.version = top, file, version
        self.carriers = carriers
        self.variables = Variables(top, _environment(carriers))
        self.notes: list[Note] = []
        self.hops: list[Hop] = []
        self.upstreams: dict[str, tuple[str, ...]] = {}
        self.kept: dict[str, Setting] = {}

    def run(self) -> Reading:
        outer = Scope((self.top,))
        for scope in (outer, *(outer.into(block) for block in self.top.named("http"))):
            self._upstreams(scope)
        for scope in (outer, *(outer.into(block) for block in self.top.named("http"))):
            for server in scope.blocks[0].named("server"):
                if server.block is not None:
                    self._server(scope.into(server), server)
        self._server(outer, None)
        return Reading(tuple(self.hops), tuple(dict.fromkeys(self.notes)))

    def _upstreams(self, scope: Scope) -> None:
        for upstream in scope.blocks[0].named("upstream"):
            servers: list[str] = []
            for server in upstream.named("server"):
                if server.values and "backup" not in server.texts and "down" not in server.texts:
                    servers += self.variables.resolve(server.first, scope).values
            self.upstreams.setdefault(upstream.first, tuple(servers))
            self.kept.update((upstream.first, kept) for kept in _kept(upstream))

    def _server(self, scope: Scope, server: Directive | None) -> None:
        """The places in a server; without one, of a file that is a piece of a server."""
        row = self.file.position(server.start)[0] if server is not None and server.file is self.file else 0
        group = f"{server.file.path if server is not None else self.file.path}:{server.start if server is not None else row}"
        known_as = tuple(self._known_as(server))
        for place in self._places(scope, None, is_piece=server is None):
            if len(self.hops) >= MOST:
                self.notes.append(Note(place.directive.where, "more locations than are read"))
                return
            self.hops.append(self._hop(place, scope, group, known_as))

    def _known_as(self, server: Directive | None) -> Iterator[Target]:
        for path in dict.fromkeys((self.file.path, server.file.path if server is not None else self.file.path)):
            yield Target("file", path)
        yield from dict.fromkeys(carrier.target for carrier in self.carriers)
        for listen in server.named("listen") if server is not None else ():
            port = listen.first.rpartition(":")[2]
            if port.isdigit():
                yield Target("port", port)

    def _places(self, scope: Scope, location: Directive | None, *, is_piece: bool) -> Iterator[Place]:
        """The pass directives in a block and its blocks; a file that is only a piece may hold one at its top."""
        for child in scope.blocks[0].block or ():
            if child.name in PASSES and child.block is None and child.values and (location is not None or is_piece):
                yield Place(scope, location, child)
            elif child.block is not None and child.name in ("location", "if", "limit_except"):
                inner = child if child.name == "location" else location
                yield from self._places(scope.into(child), inner, is_piece=False)

    def _hop(self, place: Place, server: Scope, group: str, known_as: tuple[Target, ...]) -> Hop:
        family = place.directive.name.removesuffix("_pass")
        addresses, path = self._addresses(place)
        settings = settings_of(place.scope, place.directive, family, self.version.release, self.variables, self.notes)
        kept = self.kept.get(place.directive.first.partition("://")[2].partition("/")[0])
        settings = (*settings, kept) if kept is not None else settings
        return Hop(
            "nginx",
            Role.PROXY,
            _name(place),
            place.directive.where,
            settings,
            tuple(Target("address", address) for address in addresses),
            known_as,
            tuple(_routes(place, server, path)),
            self.version.tag,
            self.version.where,
            group,
        )

    def _addresses(self, place: Place) -> tuple[list[str], str | None]:
        """The addresses that a pass directive leads to, and the path that it puts in place of the location's."""
        written = place.directive.first
        whole = self.variables.resolve(_PATH_VARIABLES.sub("", written), place.scope)
        found: list[str] = []
        path: str | None = None
        for value in whole.values:
            match = _TARGET.fullmatch(value)
            if match is None:  # pragma: no cover - every text matches
                continue
            authority = match["authority"].removeprefix("unix:") and match["authority"]
            found += [_with_port(address, value) for address in self.upstreams.get(authority, (authority,)) if address]
            path = match["path"] or None
        if not found:
            self.notes.append(Note(place.directive.where, _UNREAD.format(text=f"{place.directive.name} {written}")))
        if "$" in written:  # with variables in it nginx passes the path on as the text says, and replaces nothing
            path = None
        return list(dict.fromkeys(found)), path


def _environment(carriers: Sequence[Carrier]) -> dict[str, str]:
    """The variables that all containers with the configuration agree on."""
    names = {name for carrier in carriers for name in carrier.env}
    values = {name: {carrier.env.get(name, "") for carrier in carriers} - {""} for name in names}
    return {name: value for name, found in values.items() if len(found) == 1 for value in found}


def _kept(upstream: Directive) -> Iterator[Setting]:
    """How long idle connections to an ``upstream`` with ``keepalive`` are kept."""
    keepalive = next(upstream.named("keepalive"), None)
    if keepalive is None or keepalive.first == "0":
        return
    timeout = next(upstream.named("keepalive_timeout"), None)
    seconds = nginx_time(timeout.first) if timeout is not None else 60.0
    where = timeout.where if timeout is not None else keepalive.where
    origin = Origin.EXPLICIT if timeout is not None else Origin.DEFAULT
    if seconds is not None:
        yield Setting("keep_alive", "keepalive_timeout", seconds, origin, where)


def _with_port(address: str, url: str) -> str:
    """An address of this machine with the port that its scheme means: there several programs answer."""
    if address.lower() in ("localhost", "127.0.0.1", "[::1]"):
        return f"{address}:{443 if url.startswith('https:') else 80}"
    return address


def _name(place: Place) -> str:
    if place.location is None:
        return f"{place.directive.name} {place.directive.first}"
    inside = "" if place.scope.blocks[0] is place.location else f" ({place.scope.blocks[0].name})"
    return f"location {' '.join(place.location.texts)}{inside}"


def _routes(place: Place, server: Scope, inside: str | None) -> Iterator[Route]:
    location = place.location
    if location is None or not location.values:
        return
    if location.first.startswith("@"):
        for named in _that_use(server.blocks[0], location.first, 0):
            yield from _own_routes(named, None)
        return
    if inside is None:
        inside = next((_rewritten(r) for r in location.named("rewrite") if _is_taken(r)), None)
    yield from _own_routes(location, inside)


def _own_routes(location: Directive, inside: str | None) -> Iterator[Route]:
    sign, *rest = location.texts
    if not rest:  # `location =/chat` and `location ~^/chat` are one word each
        for prefix in ("=", "~*", "~", "^~"):
            if sign.startswith(prefix) and len(sign) > len(prefix):
                sign, rest = prefix, [sign[len(prefix) :]]
                break
    if not rest:
        yield Route("prefix", sign, inside)
    elif sign == "=":
        yield Route("exact", rest[0], inside)
    elif sign in ("~", "~*"):
        yield Route("regex", rest[0], inside)
    else:
        yield Route("prefix", rest[0], inside)


def _that_use(block: Directive, name: str, depth: int) -> Iterator[Directive]:
    """The locations that hand their requests to a named one."""
    for child in block.block or ():
        if child.name == "location" and child.block is not None and depth < 10:
            if any(name in user.texts for user in child.named("try_files", "error_page")):
                yield child
            yield from _that_use(child, name, depth + 1)


def _is_taken(rewrite: Directive) -> bool:
    return len(rewrite.values) == 3 and rewrite.values[2].text == "break"


def _rewritten(rewrite: Directive) -> str:
    """``rewrite ^/api/(.*)$ /$1 break`` puts ``/`` in place of the location's path."""
    return rewrite.values[1].text.partition("$")[0] or "/"
