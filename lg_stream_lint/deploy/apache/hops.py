"""The hops of an Apache configuration: one for each directive that passes requests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.apache.tree import Directive, Variables
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.addresses import Url, is_open
from lg_stream_lint.deploy.proxies.carried import Carried
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Reading, Role, Route, Setting, Target, Where

#: Places of one file; a generated one with more is cut off.
MOST = 500
_TIME = re.compile(r"(\d{1,9})(ms|s|mi|min|h)?", re.IGNORECASE)
_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "mi": 60.0, "min": 60.0, "h": 3600.0}
_SOCKETS = ("ws", "wss")
_BACK_REFERENCE = re.compile(r"[$%]\d.*", re.DOTALL)
_PROXY_FLAG = re.compile(r"\[(?:[^\]]*[,\s])?(?:P|proxy)(?:[,\s][^\]]*)?\]")
_LITERAL = re.compile(r"\^(?P<path>/?[\w/-]*)(?:\(\??:?\.[*+]\)|\.[*+])?\$?")
_LOCATIONS = {"location": "prefix", "locationmatch": "regex"}
#: Directives that only the main file of a machine has: with one of them, what is not written has Apache's own defaults.
_OF_A_WHOLE = ("loadmodule", "serverroot", "pidfile")


class Place(NamedTuple):
    """A directive that passes requests on: where it stands, which paths it takes, and where to."""

    directive: Directive
    server: Directive | None
    routes: tuple[Route, ...]
    url: str
    options: tuple[str, ...]


def apache_time(text: str) -> float | None:
    """``60``, ``60s``, ``500ms``, ``1mi``: a bare number counts seconds."""
    match = _TIME.fullmatch(text)
    return int(match[1]) * _UNITS[(match[2] or "").lower()] if match is not None else None


def read_hops(top: Directive, file: DeployFile, carried: Carried, *, complete: bool = True) -> Reading:
    """Every place that passes requests on, in the order of the text; with a part that is not ``complete`` no default is sure."""
    return _Hops(top, file, carried, complete=complete).run()


class _Hops:
    def __init__(self, top: Directive, file: DeployFile, carried: Carried, *, complete: bool) -> None:
        self.top, self.file, self.carried = top, file, carried
        self.variables = Variables(top)
        self.notes: list[Note] = []
        self.balancers: dict[str, Directive] = {}
        is_whole = bool(carried.version.tag) or any(top.find(name) is not None for name in _OF_A_WHOLE)
        self.has_defaults = complete and is_whole

    def run(self) -> Reading:
        places = list(self._places(self.top, None, None))
        if len(places) > MOST:
            self.notes.append(Note(places[MOST].directive.where, "more places than are read"))
        hops = [self._hop(place) for place in places[:MOST]]
        return Reading(tuple(hop for hop in hops if hop is not None), tuple(dict.fromkeys(self.notes)))

    def _places(self, section: Directive, server: Directive | None, location: Directive | None) -> Iterator[Place]:
        for directive in section.inside():
            if directive.block is None:
                yield from self._place(directive, server, location)
                continue
            if directive.name == "proxy" and directive.first.lower().startswith("balancer:"):
                self.balancers.setdefault(directive.first.lower().rstrip("/"), directive)
            inner = directive if directive.name in _LOCATIONS else location
            yield from self._places(directive, directive if directive.name == "virtualhost" else server, inner)

    def _place(self, directive: Directive, server: Directive | None, location: Directive | None) -> Iterator[Place]:
        values, routes = directive.values, _of_location(location)
        if directive.name in ("proxypass", "proxypassmatch"):
            if location is None and len(values) > 1:
                how = "prefix" if directive.name == "proxypass" else "regex"
                routes, values = (Route(how, values[0]),), values[1:]
        elif directive.name == "rewriterule" and len(values) > 2 and _PROXY_FLAG.fullmatch(values[2]):
            routes, values = (_of_pattern(values[0]),), values[1:2]
        elif directive.name == "sethandler" and directive.first.startswith("proxy:"):
            values = (directive.first.removeprefix("proxy:"),)
        else:
            return
        if values and values[0] != "!" and (location is None or directive.name != "proxypassmatch" or routes):
            yield Place(directive, server, routes, values[0], values[1:])

    def _hop(self, place: Place) -> Hop | None:
        written = self.variables.resolve(_BACK_REFERENCE.sub("", place.url))[0]
        url = Url(written.partition("|")[2] if written.startswith("unix:") else written)
        if url.scheme in _SOCKETS or (not url.scheme and not is_open(written)):
            return None
        balancer = self.balancers.get(f"balancer://{url.authority}".lower()) if url.scheme == "balancer" else None
        addresses = list(self._addresses(place, written, balancer))
        inside = None if place.directive.name == "sethandler" else url.path or "/"
        return Hop(
            "apache",
            Role.PROXY,
            f"{place.directive.line.at(0)} {' '.join(route.path for route in place.routes) or place.url}",
            place.directive.where,
            tuple(self._settings(place, url, balancer)),
            tuple(Target("address", address) for address in dict.fromkeys(addresses) if address),
            tuple(self._known_as(place.server)),
            tuple(route._replace(inside=inside) if route.how == "prefix" else route for route in place.routes),
            self.carried.version.tag,
            self.carried.version.where,
            f"{place.server.line.file.path}:{place.server.start}"
            if place.server is not None
            else f"{self.file.path}:0",
        )

    def _addresses(self, place: Place, written: str, balancer: Directive | None) -> Iterator[str]:
        if written.startswith("unix:"):
            yield written.partition("|")[0]
            return
        urls = [place.url]
        if balancer is not None:
            members = [d for d in balancer.inside() if d.name == "balancermember" and not _is_spare(d)]
            urls = [member.first for member in members]
        for url in urls:
            text = self.variables.resolve(_BACK_REFERENCE.sub("", url))[0]
            if is_open(text) or Url(text).scheme == "balancer":
                self.notes.append(Note(place.directive.where, f"the address in {url[:80]} is not known here"))
            else:
                yield Url(text).address

    def _known_as(self, server: Directive | None) -> Iterator[Target]:
        yield from self.carried.known_as
        if server is not None and server.line.file is not self.file:
            yield Target("file", server.line.file.path)
        ports = list(server.values) if server is not None else []
        for text in ports:
            port = self.variables.resolve(text)[0].rpartition(":")[2]
            if port.isdigit():
                yield Target("port", port)

    def _settings(self, place: Place, url: Url, balancer: Directive | None) -> Iterator[Setting]:
        yield Setting("protocol", place.directive.line.at(0), _protocol(url), Origin.EXPLICIT, place.directive.where)
        yield from self._read_timeout(place, balancer)
        stop = self.top.find("gracefulshutdowntimeout")
        if stop is not None:
            yield from self._time("stop_timeout", "GracefulShutDownTimeout", stop, stop.first, Kind.GRACE)

    def _read_timeout(self, place: Place, balancer: Directive | None) -> Iterator[Setting]:
        """``timeout=`` beats ``ProxyTimeout``, which beats ``Timeout``; the virtual host's beats the server's."""
        for directive, options in self._with_options(place, balancer):
            for option in options:
                key, equals, value = option.partition("=")
                if equals and key.lower() == "timeout":
                    key = f"{directive.line.at(0)} timeout"
                    where = _place_of(directive, option)
                    yield from self._time("read_timeout", key, directive, value, Kind.IDLE, where)
                    return
        for name in ("ProxyTimeout", "Timeout"):
            for section in (place.server, self.top):
                found = section.find(name.lower()) if section is not None else None
                if found is not None:
                    yield from self._time("read_timeout", name, found, found.first, Kind.IDLE)
                    return
        usual = default("apache", "read_timeout", place.directive.where) if self.has_defaults else None
        yield from (usual,) if usual is not None else ()

    def _with_options(self, place: Place, balancer: Directive | None) -> Iterator[tuple[Directive, tuple[str, ...]]]:
        yield place.directive, place.options
        for directive in balancer.inside() if balancer is not None else ():
            if directive.name == "proxyset":
                yield directive, directive.values
            elif directive.name == "balancermember":
                yield directive, directive.values[1:]

    def _time(
        self, name: str, key: str, directive: Directive, written: str, kind: str, where: Where | None = None
    ) -> Iterator[Setting]:
        text, overridable = self.variables.resolve(written)
        seconds = apache_time(text)
        if seconds is None or (seconds < 1 and kind == Kind.IDLE):  # Apache refuses those
            self.notes.append(Note(directive.where, f"{key} {written[:60]}"))
        elif seconds:
            yield Setting(name, key, seconds, Origin.EXPLICIT, where or directive.where, kind, written, overridable)


def _protocol(url: Url) -> str:
    return {"fcgi": "fastcgi", "scgi": "scgi", "uwsgi": "uwsgi", "https": "https", "ajp": "ajp"}.get(url.scheme, "http")


def _place_of(directive: Directive, text: str) -> Where | None:
    """Where a word of a directive stands."""
    found = (directive.line.file.at(w.start, w.end) for w in directive.line.words if w.text == text)
    return next(found, None)


def _is_spare(member: Directive) -> bool:
    return any(value.lower() in ("status=+h", "status=+d", "status=h", "status=d") for value in member.values)


def _of_location(location: Directive | None) -> tuple[Route, ...]:
    if location is None or not location.values:
        return ()
    if location.first == "~" and len(location.values) > 1:
        return (Route("regex", location.values[1]),)
    return (Route(_LOCATIONS[location.name], location.first),)


def _of_pattern(pattern: str) -> Route:
    """``^/api/(.*)$`` is the prefix ``/api/``; in ``.htaccess`` the slash before it is not written."""
    match = _LITERAL.fullmatch(pattern)
    if match is None:
        return Route("regex", pattern)
    return Route("prefix", "/" + match["path"].lstrip("/"))
