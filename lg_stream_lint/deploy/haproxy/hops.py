"""The hops of an HAProxy configuration: one for each way from a frontend to a backend."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.haproxy.routing import inside_of, routes_of
from lg_stream_lint.deploy.haproxy.sections import Section
from lg_stream_lint.deploy.proxies.addresses import Url, is_open
from lg_stream_lint.deploy.proxies.carried import Carried
from lg_stream_lint.deploy.proxies.words import Line
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Reading, Role, Route, Setting, Target
from lg_stream_lint.deploy.units import with_default

#: Ways of one file; a generated one with more is cut off.
MOST = 500
_TIME = re.compile(r"(\d+)(us|ms|s|m|h|d)?")
_UNITS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FAMILY = re.compile(r"(?:ipv4|ipv6|tcp4?|tcp6|quic4?|quic6)@")
_SERVER_WORDS = ("server", "server-template")


def haproxy_time(text: str) -> float | None:
    """``30s``, ``1m``, ``500ms``; a bare number counts milliseconds, and one that says nothing of the kind is None."""
    match = _TIME.fullmatch(text)
    return int(match[1]) * _UNITS[match[2] or ""] if match is not None and len(match[1]) < 16 else None


def read_hops(sections: list[Section], file: DeployFile, carried: Carried) -> Reading:
    """Every way from a frontend to a backend with servers, in the order of the text."""
    return _Hops(sections, file, carried).run()


class _Hops:
    def __init__(self, sections: list[Section], file: DeployFile, carried: Carried) -> None:
        self.sections, self.file, self.carried = sections, file, carried
        self.backends = {section.name: section for section in sections if section.kind in ("backend", "listen")}
        self.stops = [line for s in sections if s.kind == "global" for line in s.own("hard-stop-after")]
        self.notes: list[Note] = []
        self.hops: list[Hop] = []

    def run(self) -> Reading:
        used: set[str] = set()
        for section in self.sections:
            if section.kind in ("frontend", "listen"):
                used |= self._front(section)
        for section in self.sections:
            if section.kind == "backend" and section.name not in used:
                self._add(section, None, [])
        return Reading(tuple(self.hops[:MOST]), tuple(dict.fromkeys(self.notes)))

    def _front(self, front: Section) -> set[str]:
        """The hops of a frontend; gives the names of the backends that it uses."""
        routes: dict[str, list[Route] | None] = {}  # None: everything
        for line in front.lines:
            if line.at(0) not in ("use_backend", "default_backend"):
                continue
            name = line.at(1)
            if is_open(name):
                self.notes.append(Note(line.where, "which backend is used is decided with each request"))
            if name in self.backends:
                found = routes_of(line.texts[2:], front) if line.at(0) == "use_backend" else []
                known = routes.setdefault(name, [])
                routes[name] = [*known, *found] if found and known is not None else None
        if front.kind == "listen":
            self._add(front, front, [])  # all but what its own use_backend lines take
        for name, found_routes in routes.items():
            self._add(self.backends[name], front, found_routes or [])
        return set(routes)

    def _add(self, backend: Section, front: Section | None, routes: list[Route]) -> None:
        addresses = list(dict.fromkeys(self._addresses(backend)))
        if not addresses or len(self.hops) >= MOST:
            return
        inside = inside_of(backend)
        self.hops.append(
            Hop(
                "haproxy",
                Role.PROXY,
                f"{backend.kind} {backend.name}",
                backend.head.where,
                tuple(self._settings(backend)),
                tuple(Target("address", address) for address in addresses if address),
                tuple(self._known_as(front)),
                tuple(route._replace(inside=inside) for route in routes),
                version=self.carried.version.tag,
                version_where=self.carried.version.where,
                group=f"{self.file.path}:{front.head.words[0].start}" if front is not None else "",
            )
        )

    def _addresses(self, backend: Section) -> Iterator[str]:
        """The addresses of the servers; an empty one stands for a server whose address is not known here."""
        for line in backend.lines:
            if line.at(0) not in _SERVER_WORDS or "backup" in line.texts or "disabled" in line.texts:
                continue
            written = line.at(2 if line.at(0) == "server" else 3)
            text = _FAMILY.sub("", with_default(written)[0])
            if not text or is_open(text):
                self.notes.append(Note(line.where, f"the address in {' '.join(line.texts[:3])[:80]} is not known here"))
                yield ""
            elif text.startswith(("/", "unix@", "abns@", "fd@", "sockpair@")):
                yield "unix:" + text.removeprefix("unix@")
            else:
                yield Url(text).address

    def _known_as(self, front: Section | None) -> Iterator[Target]:
        yield from self.carried.known_as
        for line in front.own("bind") if front is not None else ():
            for address in line.at(1).split(","):
                port = with_default(address)[0].rpartition(":")[2]
                if port.isdigit():
                    yield Target("port", port)

    def _settings(self, backend: Section) -> Iterator[Setting]:
        mode = backend.find("mode")
        protocol = mode.at(1) if mode is not None else "http"
        yield Setting("protocol", "mode", protocol, Origin.EXPLICIT, (mode or backend.head).where)
        yield from self._limit(backend)
        for line in self.stops[-1:]:
            found = self._time("stop_timeout", "hard-stop-after", line, 1, Kind.GRACE)
            yield from (found,) if found is not None else ()

    def _limit(self, backend: Section) -> Iterator[Setting]:
        line = backend.find("timeout", "server")
        found = default("haproxy", "read_timeout", backend.head.where)
        if line is not None:
            found = self._time("read_timeout", "timeout server", line, 2, Kind.IDLE)
        yield from (found,) if found is not None else ()

    def _time(self, name: str, key: str, line: Line, number: int, kind: str) -> Setting | None:
        text, overridable = with_default(line.at(number))
        seconds = haproxy_time(text)
        if seconds is None:
            self.notes.append(Note(line.where, f"{key} {line.at(number)[:60]}"))
            return None
        limit = seconds or None if kind == Kind.IDLE else seconds  # 0 is for ever
        return Setting(name, key, limit, Origin.EXPLICIT, line.where, kind, line.at(number), overridable)
