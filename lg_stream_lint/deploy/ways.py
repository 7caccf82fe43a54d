"""The ways that a stream takes: from the application through its server, out to the last hop that the repository shows.

A way begins at a server's command (or, where a repository has none, at its outermost known proxy) and follows, outward, every
hop that leads to the one before. Hops whose targets cannot be read join only where the repository leaves no choice, and
make the way unsure: findings on it are of medium confidence, and never errors.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from lg_stream_lint.deploy.links import Known, leads
from lg_stream_lint.deploy.settings import Hop, Role, Setting, Target

#: More ways than this through one repository, or from one server, are variants of each other.
MOST = 400
MOST_OF_ONE = 100
_EXACT = ("file", "unit", "app")


class App(NamedTuple):
    """The application that a server's command names: its module's file, and the attribute in it."""

    target: str
    path: str
    attribute: str


class Way(NamedTuple):
    """Hops from the server (or the innermost one known) outward, and the application that they carry.

    ``app`` is None where the command's target is not found. ``sure``: every link was resolved, and the application found.
    """

    hops: tuple[Hop, ...]
    app: App | None
    sure: bool

    @property
    def server(self) -> Hop | None:
        """The hop that runs the application, if it is known."""
        return next((hop for hop in self.hops if hop.role == Role.SERVER), None)

    @property
    def hosts(self) -> tuple[Hop, ...]:
        """What starts and stops the server, innermost first."""
        return tuple(hop for hop in self.hops if hop.role == Role.HOST)

    @property
    def proxies(self) -> tuple[Hop, ...]:
        """What passes the stream on, innermost first."""
        return tuple(hop for hop in self.hops if hop.role == Role.PROXY)

    def limits(self, *kinds: str) -> list[tuple[Hop, Setting]]:
        """The limits of these kinds along the way, innermost first."""
        return [(hop, setting) for hop in self.hops for setting in hop.settings if _is_limit(setting, kinds)]


def _is_limit(setting: Setting, kinds: Sequence[str]) -> bool:
    return setting.kind in kinds and setting.value is not None and not setting.overruled


def ways_through(hops: Sequence[Hop], python_files: Iterable[str], repository: str) -> list[Way]:
    """Every way through the hops of a repository, at most :data:`MOST`: first those whose server's application is found."""
    modules = _Modules(python_files, repository)
    known = Known(hops)
    inward = _outer_hops(hops, known)
    found: list[tuple[tuple[Hop, ...], bool]] = []
    servers = [hop for hop in hops if hop.role == Role.SERVER]
    for hop in sorted(servers, key=lambda hop: _app_of((hop,), modules) is None):
        if len(found) < 10 * MOST:
            found += [(chain, True) for chain in islice(_chains((hop,), inward), MOST_OF_ONE)]
    reached = {id(hop) for chain, _ in found for hop in chain}
    loose = [hop for hop in hops if id(hop) not in reached and hop.role == Role.PROXY and not known.of(hop)]
    found = _joined(found, loose, inward, modules)
    return [_way(chain, sure, modules) for chain, sure in found[:MOST]]


def _way(chain: tuple[Hop, ...], sure: bool, modules: _Modules) -> Way:
    """A way whose application is not found is not sure either: nothing says that its hops carry this project's streams."""
    app = _app_of(chain, modules)
    return Way(chain, app, sure and app is not None)


def _outer_hops(hops: Sequence[Hop], known: Known) -> dict[int, list[Hop]]:
    """For each hop (by ``id``), those that lead to it."""
    outward: dict[int, list[Hop]] = {id(inner): [] for inner in hops}
    for outer in hops:
        for inner in _nearest(outer, known.of(outer)):
            outward[id(inner)].append(outer)
    return outward


def _nearest(outer: Hop, found: list[Hop]) -> list[Hop]:
    """Of the hops that bear a name, or listen on a port, the nearest: every service of a repository may have an ``api``.

    Files and units are one of their kind, wherever they stand.
    """
    if len(found) < 2:
        return found
    exact = outer._replace(leads_to=tuple(target for target in outer.leads_to if target.kind in _EXACT))
    sure = [inner for inner in found if leads(exact, inner)]
    named = [(inner, _steps(outer, inner)) for inner in found if not leads(exact, inner)]
    fewest = min((steps for _, steps in named), default=0)
    return [*sure, *(inner for inner, steps in named if steps == fewest)]


def _steps(one: Hop, other: Hop) -> int:
    """The folders between the files of two hops."""
    here, there = (os.path.dirname(hop.where.path).split(os.sep) for hop in (one, other))
    shared = 0
    while shared < min(len(here), len(there)) and here[shared] == there[shared]:
        shared += 1
    return len(here) + len(there) - 2 * shared


def _chains(chain: tuple[Hop, ...], outward: dict[int, list[Hop]]) -> Iterator[tuple[Hop, ...]]:
    """The chain continued outward in every possible way.

    What runs the server comes first (a container, then what runs that), then what passes the stream on; a proxy reaches the
    server by the names of its host, so every hop of the chain is asked who leads to it. Of the locations of one server a
    request crosses one.
    """
    if len(chain) > 12:
        yield chain
        return
    present = {id(hop) for hop in chain}
    hosts = [h for h in outward[id(chain[-1])] if h.role == Role.HOST and id(h) not in present]
    if hosts and chain[-1].role != Role.PROXY:
        for host in _once(hosts):
            yield from _chains((*chain, host), outward)
        return
    groups = {hop.group for hop in chain if hop.group}
    ends = _inner_end(chain, outward)
    proxies = [
        hop
        for end in ends
        for hop in outward[id(end)]
        if hop.role == Role.PROXY and id(hop) not in present and hop.group not in groups
    ]
    if not proxies:
        yield chain
    for proxy in _once(proxies):
        yield from _chains((*chain, proxy), outward)


def _inner_end(chain: tuple[Hop, ...], outward: dict[int, list[Hop]]) -> tuple[Hop, ...]:
    """The hops whose names the next proxy can use: the last proxy with what hosts it, or the server with what hosts that."""
    if chain[-1].role != Role.PROXY:
        return chain
    return (chain[-1], *(hop for hop in outward[id(chain[-1])] if hop.role == Role.HOST))


def _once(hops: Iterable[Hop]) -> list[Hop]:
    return list({id(hop): hop for hop in hops}.values())


def _joined(
    found: list[tuple[tuple[Hop, ...], bool]], loose: list[Hop], outward: dict[int, list[Hop]], modules: _Modules
) -> list[tuple[tuple[Hop, ...], bool]]:
    """The ways with the hops whose targets cannot be read.

    They join what serves when all commands of the repository run one application; otherwise each stands alone. Where proxies
    already lead to that, they stand beside those: a location is not in front of its neighbour.
    """
    if not loose:
        return found
    alone = [(chain, False) for hop in loose for chain in islice(_chains((hop,), outward), MOST_OF_ONE)]
    apps = {(app.path, app.attribute) if (app := _app_of(chain, modules)) else None for chain, _ in found}
    if len(apps) != 1:
        return found + alone
    open_ended = [chain for chain, _ in found if chain[-1].role != Role.PROXY]
    begun = open_ended or [tuple(hop for hop in found[0][0] if hop.role != Role.PROXY)]
    joined = (((*chain, *tail), False) for chain in begun for tail, _ in alone)
    ended = [(chain, sure) for chain, sure in found if chain[-1].role == Role.PROXY]
    return ended + list(islice(joined, MOST))


def _app_of(chain: tuple[Hop, ...], modules: _Modules) -> App | None:
    for hop in chain:
        for target in hop.leads_to:
            if target.kind == "app":
                return modules.find(target)
    return None


class _Modules:
    """The Python files of a repository, to find ``app.main:app`` among them."""

    def __init__(self, files: Iterable[str], repository: str) -> None:
        self.files = frozenset(files)
        self.repository = repository
        self._found: dict[Target, App | None] = {}

    def find(self, target: Target) -> App | None:
        """The module that a server's target names: below the folder of the command, or the only one of that name."""
        if target not in self._found:
            self._found[target] = self._find(target)
        return self._found[target]

    def _find(self, target: Target) -> App | None:
        module, _, attribute = target.value.partition(":")
        attribute = attribute.split("(")[0] or "application"
        is_file = module.endswith(".py")
        stem = module.removesuffix(".py").replace("/", os.sep) if is_file else module.replace(".", os.sep)
        ends = (stem + ".py", os.path.join(stem, "__init__.py"))
        for base in self._bases(target.base):
            for end in ends:
                path = os.path.normpath(os.path.join(base, end))
                if path in self.files:
                    return App(target.value, path, attribute)
        found = [path for path in self.files if path.endswith(tuple(os.sep + end for end in ends))]
        return App(target.value, found[0], attribute) if len(found) == 1 else None

    def _bases(self, base: str) -> list[str]:
        """The folder of the command, its usual source folders, and the folders above it."""
        bases: list[str] = []
        current = base or self.repository
        while current.startswith(self.repository):
            bases += [current, *(os.path.join(current, name) for name in ("src", "app", "backend", "server", "api"))]
            if current == self.repository:
                break
            current = os.path.dirname(current)
        return bases
