"""The hops of a Caddyfile: one for each ``reverse_proxy``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.caddy.limits import Options, settings_of
from lg_stream_lint.deploy.caddy.matchers import ALL, Matcher, Matchers
from lg_stream_lint.deploy.caddy.tree import Directive, Word
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.addresses import Url, is_open
from lg_stream_lint.deploy.proxies.carried import Carried
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Role, Route, Target

#: Places of one file; a generated one with more is cut off.
MOST = 500
#: Addresses of one place.
_MOST_ADDRESSES = 50
_BLOCKS = ("handle", "handle_path", "route")
_PORTS = re.compile(r"(?P<host>.*):(?P<first>\d{1,5})-(?P<last>\d{1,5})")


class Place(NamedTuple):
    """A ``reverse_proxy`` with the blocks around it, innermost first, and what decides which paths it gets."""

    directive: Directive
    blocks: tuple[Directive, ...]
    matcher: Matcher
    upstreams: tuple[Word, ...]
    stripped: bool


def read_hops(top: list[Directive], file: DeployFile, carried: Carried, notes: list[Note]) -> Reading:
    """Every place that passes requests on, in the order of the text."""
    hops: list[Hop] = []
    options = Options(top, notes)
    for site in sites_of(top):
        matchers = Matchers(site)
        for place in _places(site, (), matchers, ALL, stripped=False):
            if len(hops) >= MOST:
                notes.append(Note(place.directive.where, "more places than are read"))
                break
            hops.append(_hop(place, site, file, carried, options, matchers, notes))
    return Reading(tuple(hops), tuple(dict.fromkeys(notes)))


def sites_of(top: list[Directive]) -> list[Directive]:
    """The sites of a file; without any braces its first line is the address of the only one."""
    blocks = [d for d in top if d.block is not None and d.words and not d.name.lstrip("&").startswith("(")]
    plain = [d for d in top if d.block is None]
    if plain and (not blocks or top.index(plain[0]) < top.index(blocks[0])) and plain[0].name != "import":
        return [Directive(plain[0].file, plain[0].words, [d for d in top if d is not plain[0] and d.words])]
    return [block for block in blocks if "layer4" not in block.name]


def _places(
    block: Directive, outer: tuple[Directive, ...], matchers: Matchers, around: Matcher, *, stripped: bool
) -> Iterator[Place]:
    """The places in a block and its blocks; ``around`` is what the nearest block with a path lets through."""
    blocks = (block, *outer)
    stripped = stripped or any(d.first == "strip_prefix" for d in block.named("uri"))
    for directive in block.block or ():
        if directive.name == "reverse_proxy":
            own, upstreams = matchers.of(directive)
            matcher = own if own.routes or not around.routes else around
            yield Place(directive, blocks, matcher, upstreams, stripped)
        elif directive.name in _BLOCKS and directive.block is not None:
            own, _ = matchers.of(directive)
            inner = own if own.routes or not around.routes else around
            strips = stripped or directive.name == "handle_path"
            yield from _places(directive, blocks, matchers, inner, stripped=strips)


def _hop(
    place: Place,
    site: Directive,
    file: DeployFile,
    carried: Carried,
    options: Options,
    matchers: Matchers,
    notes: list[Note],
) -> Hop:
    ports = tuple(dict.fromkeys(_ports(site)))
    known_as = (*carried.known_as, *(Target("port", port) for port in ports))
    routes = tuple(_stripped(route) if place.stripped else route for route in place.matcher.routes)
    settings = settings_of(place.directive, place.blocks, routes, matchers, carried.version.release, notes)
    return Hop(
        "caddy",
        Role.PROXY,
        " ".join(word.text for word in place.directive.words[:2]),
        place.directive.where,
        (*settings, *options.settings(place.directive, ports)),
        tuple(Target("address", address) for address in dict.fromkeys(_addresses(place, notes))),
        known_as,
        routes,
        carried.version.tag,
        carried.version.where,
        f"{file.path}:{site.words[0].start if site.words else 0}",
    )


def _stripped(route: Route) -> Route:
    return route._replace(inside="/") if route.how == "prefix" else route


def _addresses(place: Place, notes: list[Note]) -> Iterator[str]:
    words = [*place.upstreams, *(word for to in place.directive.named("to") for word in to.values)]
    for word in words[:_MOST_ADDRESSES]:
        text = word.text
        if is_open(text) or re.search(r"\{\w", text):
            notes.append(Note(place.directive.where, f"the address in {text[:80]} is not known here"))
        elif text.startswith(("unix/", "unix+")):
            yield "unix:" + text.partition("/")[2]
        else:
            yield from _range(Url(text).address)
    if any(place.directive.named("dynamic")):
        notes.append(Note(place.directive.where, "addresses that are looked up while it runs"))


def _range(address: str) -> Iterator[str]:
    match = _PORTS.fullmatch(address)
    if match is None:
        yield address
        return
    first, last = int(match["first"]), int(match["last"])
    yield from (f"{match['host']}:{port}" for port in range(first, min(last, first + _MOST_ADDRESSES) + 1))


def _ports(site: Directive) -> Iterator[str]:
    """The ports that a site's addresses listen on."""
    for word in site.words:
        for text in word.text.split(","):
            url = Url(text) if text else None
            if url is None or is_open(text):
                continue
            port = url.authority.rpartition(":")[2] if ":" in url.authority else ""
            yield port if port.isdigit() else "80" if url.scheme == "http" else "443"
