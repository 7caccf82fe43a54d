"""The ways that a stream takes: from the application through its server, out to the last hop that the repository shows.

A way begins at a server's command (or, where a repository has none, at its outermost known proxy) and follows, outward, every
hop that leads to the one before. Hops whose targets cannot be read, or that nobody in the repository is known as, join only
where the repository leaves no choice, and make the way unsure: findings on it say so, are of medium confidence, and never
errors. An address that nobody has leaves a choice where another location of the same file leads to the application: who names
one of them `api` means something else by `legacy`, and who sends one to port 8000 means something else by port 9000.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from lg_stream_lint.deploy.links import Known, leads, split_address
from lg_stream_lint.deploy.settings import Hop, Role, Setting, Target

#: More ways than this through one repository, or from one server, are variants of each other.
MOST = 400
MOST_OF_ONE = 100
_EXACT = ("file", "unit", "app")
#: Hops from the inside outward, and how many of them are linked beyond doubt.
_Chain = tuple[tuple[Hop, ...], int]


class App(NamedTuple):
    """The application that a server's command names: its module's file, and the attribute in it."""

    target: str
    path: str
    attribute: str


class Way(NamedTuple):
    """Hops from the server (or the innermost one known) outward, and the application that they carry.

    ``app`` is None where the command's target is not found. ``sure``: every link was resolved, and the application found.
    ``resolved`` is how many of the hops, from the inside outward, are linked beyond doubt.
    """

    hops: tuple[Hop, ...]
    app: App | None
    sure: bool
    resolved: int = 0

    def is_sure_of(self, hop: Hop | None) -> bool:
        """Whether a hop is known to be on the way: a server is, whatever may stand in front of it. None asks for all of them."""
        return self.sure or (self.app is not None and hop is not None and hop in self.hops[: self.resolved])

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
    found: list[_Chain] = []
    servers = [hop for hop in hops if hop.role == Role.SERVER]
    for hop in sorted(servers, key=lambda hop: _app_of((hop,), modules) is None):
        if len(found) < 10 * MOST:
            found += [(chain, _resolved(chain)) for chain in islice(_chains((hop,), inward), MOST_OF_ONE)]
    reached = {id(hop) for chain, _ in found for hop in chain}
    resolved = {hop.where.path for chain, _ in found for hop in chain if hop.role == Role.PROXY}
    loose = [hop for hop in hops if id(hop) not in reached and hop.role == Role.PROXY and not known.of(hop)]
    elsewhere = [hop for hop in loose if hop.where.path in resolved and _is_addressed(hop)]
    found = _joined(found, [hop for hop in loose if hop not in elsewhere], inward, modules)
    found += [(chain, 0) for hop in elsewhere for chain in islice(_chains((hop,), inward), MOST_OF_ONE)]
    return [_way(chain, resolved, modules) for chain, resolved in found[:MOST]]


def _way(chain: tuple[Hop, ...], resolved: int, modules: _Modules) -> Way:
    """A way whose application is not found is not sure either: nothing says that its hops carry this project's streams."""
    app = _app_of(chain, modules)
    return Way(chain, app, resolved == len(chain) and app is not None, resolved)


def _is_addressed(hop: Hop) -> bool:
    """Whether everything that a hop leads to is an address in its file's own words."""
    return bool(hop.leads_to) and all(target.kind == "address" and target.value for target in hop.leads_to)


def _resolved(chain: tuple[Hop, ...]) -> int:
    """How many hops of a server's chain are linked beyond doubt: all, but for a proxy that asks a service for another port.

    In compose's network a service's name leads to its container, with nothing in between that could change the port.
    """
    ports = {target.value for target in chain[0].known_as if target.kind == "port"}
    hosts = [hop for hop in chain if hop.layer == "compose"]
    names = {target.value.lower() for hop in hosts for target in hop.known_as if target.kind == "host"}
    for number, hop in enumerate(chain):
        written = [split_address(target.value) for target in hop.leads_to if target.kind == "address"]
        asked = {port for host, port in written if host in names and port}
        if asked and ports and not asked & ports:
            return number
    return len(chain)


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


def _joined(found: list[_Chain], loose: list[Hop], outward: dict[int, list[Hop]], modules: _Modules) -> list[_Chain]:
    """The ways with the hops whose targets cannot be read.

    They join what serves when all commands of the repository run one application; otherwise each stands alone. Where proxies
    already lead to that, they stand beside those: a location is not in front of its neighbour.
    """
    if not loose:
        return found
    alone = [(chain, 0) for hop in loose for chain in islice(_chains((hop,), outward), MOST_OF_ONE)]
    apps = {(app.path, app.attribute) if (app := _app_of(chain, modules)) else None for chain, _ in found}
    if len(apps) != 1:
        return found + alone
    open_ended = [chain for chain, _ in found if chain[-1].role != Role.PROXY]
    begun = open_ended or [tuple(hop for hop in found[0][0] if hop.role != Role.PROXY)]
    joined = (((*chain, *tail), len(chain)) for chain in begun for tail, _ in alone)
    ended = [(chain, resolved) for chain, resolved in found if chain[-1].role == Role.PROXY]
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
