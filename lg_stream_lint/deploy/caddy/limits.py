"""The settings of a ``reverse_proxy``: what its own block says, what compresses around it, and the server's options."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

from lg_stream_lint.deploy.caddy.matchers import Matchers, covers
from lg_stream_lint.deploy.caddy.tree import Directive
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.settings import Kind, Note, Origin, Route, Setting
from lg_stream_lint.deploy.units import go_duration

_DAYS = re.compile(r"(\d{1,6})d(.*)", re.DOTALL)
_YES = True
_SIZE_OF_NOTHING = re.compile(r"0+\w*")
_EVENT_STREAM = "text/event-stream"


def caddy_duration(text: str) -> float | None:
    """Go's durations, and days before them."""
    match = _DAYS.fullmatch(text)
    if match is None:
        return go_duration(text)
    rest = go_duration(match[2]) if match[2] else 0.0
    return int(match[1]) * 86_400 + rest if rest is not None else None


def settings_of(
    proxy: Directive,
    blocks: Sequence[Directive],
    routes: Iterable[Route],
    matchers: Matchers,
    release: str,
    notes: list[Note],
) -> tuple[Setting, ...]:
    """The settings of a ``reverse_proxy`` in its blocks (innermost first)."""
    found = [*_transport(proxy, notes), *_buffering(proxy)]
    found += _compression(proxy, blocks, tuple(routes), matchers, release)
    if not any(setting.name == "read_timeout" for setting in found):
        usual = default("caddy", "read_timeout", proxy.where)
        found += [usual] if usual is not None else []
    return tuple(found)


def _transport(proxy: Directive, notes: list[Note]) -> Iterator[Setting]:
    protocol = "http"
    for transport in proxy.named("transport"):
        protocol = transport.first or protocol
        for directive in transport.named("read_timeout"):
            yield from _limit("read_timeout", directive, Kind.IDLE, notes)
        for directive in transport.named("response_header_timeout"):
            yield from _limit("first_byte_timeout", directive, Kind.FIRST_BYTE, notes)
    yield Setting("protocol", "transport", protocol, Origin.EXPLICIT, proxy.where)


def _limit(name: str, directive: Directive, kind: str, notes: list[Note], key: str = "") -> Iterator[Setting]:
    seconds = caddy_duration(directive.first)
    if seconds is None or len(directive.values) != 1:
        notes.append(Note(directive.where, " ".join(word.text for word in directive.words)[:80]))
        return
    word = directive.values[0]
    key = key or directive.name
    yield Setting(
        name, key, seconds or None, Origin.EXPLICIT, directive.where, kind, word.text, overridable=word.overridable
    )


def _buffering(proxy: Directive) -> Iterator[Setting]:
    """``buffer_responses`` was called ``response_buffers`` later, with a size; a size of 0 is none."""
    for directive in proxy.named("buffer_responses", "response_buffers"):
        if not _SIZE_OF_NOTHING.fullmatch(directive.first):
            yield Setting("buffering", directive.name, _YES, Origin.EXPLICIT, directive.where, written=directive.first)
            return


def _compression(
    proxy: Directive, blocks: Sequence[Directive], routes: tuple[Route, ...], matchers: Matchers, release: str
) -> Iterator[Setting]:
    """``encode`` where it holds the stream back: before Caddy 2.9 the compressor is not flushed."""
    if default("caddy", "compression", proxy.where, version=release, when="encode") is None:
        return
    for block in blocks:
        for encode in block.named("encode"):
            matcher, _ = matchers.of(encode)
            if covers(matcher, routes) and _takes_event_streams(encode):
                yield Setting("compression", "encode", _YES, Origin.EXPLICIT, encode.where)
                yield from _smallest(encode)
                return


def _smallest(encode: Directive) -> Iterator[Setting]:
    """How large a response's first piece must be to be compressed."""
    written = next(encode.named("minimum_length"), None)
    if written is not None and written.first.isdecimal() and len(written.first) < 16 and int(written.first):
        yield Setting("compression_from", written.name, int(written.first), Origin.EXPLICIT, written.where)
    elif (usual := default("caddy", "compression_from", encode.where)) is not None:
        yield usual


def _takes_event_streams(encode: Directive) -> bool:
    """Whether the response's media type may be an event stream: by default (``text/*``) it may."""
    types = [line for match in encode.named("match") for line in _conditions(match)]
    if not any(encode.named("match")):
        return True
    values = [line[2] for line in types if len(line) > 2 and line[0] == "header" and line[1].lower() == "content-type"]
    return any(fnmatch.fnmatchcase(_EVENT_STREAM, value) for value in values)


def _conditions(match: Directive) -> Iterator[list[str]]:
    yield [word.text for word in match.values]
    for directive in match.block or ():
        yield [word.text for word in directive.words]


class Options:
    """The options of the whole server, in the block without a name at the top."""

    def __init__(self, top: list[Directive], notes: list[Note]) -> None:
        block = next((d for d in top if not d.words and d.block is not None), None)
        self.notes = notes
        self.servers = list(block.named("servers")) if block is not None else []
        self.grace = list(block.named("grace_period")) if block is not None else []

    def settings(self, proxy: Directive, ports: Sequence[str]) -> Iterator[Setting]:
        """What holds for a place that is reached on these ports."""
        written = [write for server in self._for(ports) for t in server.named("timeouts") for write in t.named("write")]
        if written:
            yield from _limit("total_timeout", written[0], Kind.TOTAL, self.notes, "timeouts write")
        else:
            usual = default("caddy", "total_timeout", proxy.where)
            yield from (usual,) if usual is not None else ()
        for grace in self.grace[:1]:
            yield from _limit("stop_timeout", grace, Kind.GRACE, self.notes)

    def _for(self, ports: Sequence[str]) -> Iterator[Directive]:
        """The blocks for listeners of these ports first, then the one for all."""
        yield from (s for s in self.servers if s.first and s.first.rpartition(":")[2] in ports)
        yield from (s for s in self.servers if not s.first)
