"""The settings of one place that passes requests on: what is written around it, and nginx's defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.nginx.scope import Scope, Variables
from lg_stream_lint.deploy.nginx.tree import Directive
from lg_stream_lint.deploy.settings import Kind, Note, Origin, Setting
from lg_stream_lint.deploy.units import nginx_time

#: The modules that pass requests on; each has directives of its own, and those of another mean nothing to it.
FAMILIES = ("proxy", "uwsgi", "fastcgi", "scgi", "grpc")
ACCEL = "X-Accel-Buffering"

_YES = True
_OLDEST = "0"  # a version that is not known counts as an old one: distributions are years behind
_FROM_TABLE: dict[str, Callable[[Any], Any]] = {"buffering": bool, "http_version": str}
_SWITCH = {"on": True, "off": False}
#: Headers of one connection, which HTTP/2 forbids and nginx sends all the same (measured: nginx 1.22.1, curl's nghttp2 resets).
_OF_ONE_CONNECTION = ("connection", "keep-alive", "proxy-connection", "upgrade")
_TRANSFER_CODING = "transfer-encoding"
_TWICE = "HTTP clients such as httpx refuse a response with two Transfer-Encoding headers"
_IN_HTTP_2 = "browsers and curl reset an HTTP/2 stream that bears it (PROTOCOL_ERROR)"
_IN_REQUEST = "a POST then announces chunks that never come, and hangs"


def settings_of(
    scope: Scope, passed: Directive, family: str, version: str, variables: Variables, notes: list[Note]
) -> tuple[Setting, ...]:
    """Every setting that holds for a pass directive in its scope; values that nginx refuses become notes."""
    return tuple(_Settings(scope, passed, family, version, variables, notes).all())


class _Settings:
    def __init__(
        self, scope: Scope, passed: Directive, family: str, version: str, variables: Variables, notes: list[Note]
    ) -> None:
        self.scope, self.passed, self.family, self.version = scope, passed, family, version
        self.variables, self.notes = variables, notes

    def all(self) -> Iterator[Setting]:
        yield Setting("protocol", self.passed.name, self._protocol(), Origin.EXPLICIT, self.passed.where)
        yield from self._one("read_timeout", "read_timeout", nginx_time, Kind.IDLE)
        if self.family != "grpc":  # it has no such directive: a frame is passed on as it comes
            yield from self._one("buffering", "buffering", _switch)
        if self.family == "proxy":
            yield from self._one("http_version", "http_version", _http_version)
        yield from self._compression()
        yield from self._accel()
        yield from self._hop_by_hop()
        stop = self.scope.blocks[-1].named("worker_shutdown_timeout")
        yield from (found for d in stop if (found := self._read("stop_timeout", d, nginx_time, Kind.GRACE)))

    def _protocol(self) -> str:
        scheme = self.passed.first.partition("://")[0] if "://" in self.passed.first else "http"
        return self.family if self.family != "proxy" else scheme if scheme in ("http", "https") else "http"

    def _one(self, name: str, key: str, convert: Callable[[str], Any], kind: str = "") -> Iterator[Setting]:
        """The setting of a directive that each family has under its own name, or its default."""
        key = f"{self.family}_{key}"
        written = self.scope.find(key)
        if written is not None:
            found = self._read(name, written, convert, kind)
            yield from (found,) if found is not None else ()
            return
        usual = default("nginx", name, self.passed.where, version=self.version or _OLDEST)
        if usual is not None:
            yield usual._replace(key=key, value=_FROM_TABLE.get(name, float)(usual.value))

    def _read(self, name: str, directive: Directive, convert: Callable[[str], Any], kind: str = "") -> Setting | None:
        text = self.variables.resolve(directive.first, self.scope)
        values = {convert(value) for value in text.values}
        value = values.pop() if len(values) == 1 else None
        if value is None or len(directive.values) != 1:
            self.notes.append(Note(directive.where, f"{directive.name} {' '.join(directive.texts)[:60]}"))
            return None
        return Setting(
            name, directive.name, value, Origin.EXPLICIT, directive.where, kind, directive.first, text.overridable
        )

    def _compression(self) -> Iterator[Setting]:
        gzip = self.scope.find("gzip")
        if gzip is None or _switch(gzip.first) is not True:
            return
        types = self.scope.find("gzip_types")
        where = types.where if types is not None else gzip.where
        named = tuple(text.lower() for text in types.texts) if types is not None else ()
        yield Setting("compressed_types", "gzip_types", ("text/html", *named), Origin.EXPLICIT, where)

    def _accel(self) -> Iterator[Setting]:
        ignored = self.scope.find(f"{self.family}_ignore_headers")
        if ignored is not None and _has(ignored, ACCEL):
            yield Setting("ignores_accel", f"{ignored.name} {ACCEL}", _YES, Origin.EXPLICIT, ignored.where)
        for name in ("add_header", f"{self.family}_set_header"):
            for header in self.scope.all(name):
                if header.first.lower() == ACCEL.lower():
                    yield Setting("sets_accel", f"{name} {ACCEL}", _YES, Origin.EXPLICIT, header.where)
        for name, value in (("add_header", "set"), (f"{self.family}_pass_header", "passed")):
            for header in self.scope.all(name):
                if header.first.lower() == ACCEL.lower() and header.texts[1:2] in ((), ("no",)):
                    yield Setting("forwards_accel", f"{name} {ACCEL}", value, Origin.EXPLICIT, header.where)

    def _hop_by_hop(self) -> Iterator[Setting]:
        for header in self.scope.all("add_header"):
            name = header.first.lower()
            if name == _TRANSFER_CODING:
                yield self._by_hand(header, _TWICE)
            elif name in _OF_ONE_CONNECTION and self._speaks_http_2():
                yield self._by_hand(header, _IN_HTTP_2)
        for header in self.scope.all("proxy_set_header") if self.family == "proxy" else ():
            value = "".join(header.texts[1:])
            if header.first.lower() == _TRANSFER_CODING and value and "$" not in value:
                yield self._by_hand(header, _IN_REQUEST)

    def _by_hand(self, header: Directive, harm: str) -> Setting:
        return Setting("hop_by_hop", f"{header.name} {header.first}", harm, Origin.EXPLICIT, header.where)

    def _speaks_http_2(self) -> bool:
        switch = self.scope.find("http2")
        listens = [listen for block in self.scope.blocks for listen in block.named("listen")]
        return (switch is not None and _switch(switch.first) is True) or any(
            "http2" in listen.texts for listen in listens
        )


def _has(directive: Directive, header: str) -> bool:
    return header.lower() in (text.lower() for text in directive.texts)


def _switch(text: str) -> bool | None:
    return _SWITCH.get(text.lower())


def _http_version(text: str) -> str | None:
    return text if text in ("1.0", "1.1", "2") else None
