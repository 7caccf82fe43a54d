"""The hops of an Envoy configuration: one for each route that leads to a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.envoy.nodes import below, duration, elements, field, key_of, text
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.addresses import is_open
from lg_stream_lint.deploy.proxies.carried import Carried
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Reading, Role, Route, Setting, Target, Where
from lg_stream_lint.deploy.yaml_marks import Node

#: Routes of one file, and addresses of a cluster.
MOST = 500
_MOST_ADDRESSES = 50


class Table(NamedTuple):
    """A table of routes with the connection manager that uses it, and the port that this listens on, as far as known."""

    routes: Node
    manager: Node | None
    port: str


def read_hops(roots: tuple[Node, ...], file: DeployFile, carried: Carried, notes: list[Note]) -> Reading:
    """Every route to a cluster, in the order of the text."""
    clusters = _clusters(roots, notes)
    hops: list[Hop] = []
    for table in _tables(roots):
        for host in elements(table.routes, "virtual_hosts"):
            hops += _Host(table, host, file, carried, clusters, notes).hops(MOST - len(hops))
    return Reading(tuple(hops), tuple(dict.fromkeys(notes)))


def _tables(roots: tuple[Node, ...]) -> Iterator[Table]:
    seen: set[int] = set()
    for root in roots:
        for listener in below(root):
            if field(listener, "filter_chains") is not None or field(listener, "default_filter_chain") is not None:
                yield from _of_managers(listener, text(listener, "address", "socket_address", "port_value"), seen)
    for root in roots:
        yield from _of_managers(root, "", seen)
    for root in roots:
        for node in below(root, frozenset(seen)):
            if field(node, "virtual_hosts") is not None:
                yield Table(node, None, "")


def _of_managers(root: Node, port: str, seen: set[int]) -> Iterator[Table]:
    for manager in below(root, frozenset(seen)):
        routes = field(manager, "route_config")
        if routes is not None and id(routes) not in seen:
            seen.add(id(routes))
            yield Table(routes, manager, port)


def _clusters(roots: tuple[Node, ...], notes: list[Note]) -> dict[str, list[str]]:
    """The addresses of each cluster by its name."""
    found: dict[str, list[str]] = {}
    for root in roots:
        for node in below(root):
            endpoints = field(node, "load_assignment") or (node if field(node, "cluster_name") is not None else None)
            hosts = elements(node, "hosts")
            name = text(node, "name") or text(node, "cluster_name")
            if not name or (endpoints is None and not hosts):
                continue
            sockets = [field(host, "socket_address") for host in hosts]
            for group in elements(endpoints, "endpoints"):
                sockets += [field(e, "endpoint", "address", "socket_address") for e in elements(group, "lb_endpoints")]
            found.setdefault(name, []).extend(
                address for socket in sockets[:_MOST_ADDRESSES] if socket for address in _address(socket, notes)
            )
    return found


def _address(socket: Node, notes: list[Note]) -> Iterator[str]:
    host, port = text(socket, "address"), text(socket, "port_value")
    if not host or is_open(host + port):
        notes.append(Note(socket.where, "an address that is not written here"))
    else:
        yield f"{host}:{port}" if port else host


class _Host:
    """A virtual host: its routes share its requests."""

    def __init__(
        self,
        table: Table,
        host: Node,
        file: DeployFile,
        carried: Carried,
        clusters: dict[str, list[str]],
        notes: list[Note],
    ) -> None:
        self.table, self.host, self.file, self.carried = table, host, file, carried
        self.clusters, self.notes = clusters, notes

    def hops(self, most: int) -> list[Hop]:
        """The hops of the routes that lead to a cluster."""
        found: list[Hop] = []
        for route in elements(self.host, "routes"):
            action, key = field(route, "route"), key_of(route, "route")
            if action is not None and key is not None and len(found) < most:
                found.append(self._hop(route, action, key.where))
        return found

    def _hop(self, route: Node, action: Node, where: Where) -> Hop:
        routes = tuple(_routes(field(route, "match"), action))
        ports = (Target("port", self.table.port),) if self.table.port else ()
        return Hop(
            "envoy",
            Role.PROXY,
            " ".join(["route", *(found.path for found in routes)]),
            where,
            tuple(self._settings(action, where)),
            tuple(Target("address", address) for address in dict.fromkeys(self._addresses(action, where))),
            (*self.carried.known_as, *ports),
            routes,
            self.carried.version.tag,
            self.carried.version.where,
            f"{self.file.path}:{self.host.where.span.row}:{self.host.where.span.column}",
        )

    def _addresses(self, action: Node, where: Where) -> Iterator[str]:
        names = [text(action, "cluster")]
        names += [text(cluster, "name") for cluster in elements(action, "weighted_clusters", "clusters")]
        for name in filter(None, names):
            if name not in self.clusters:
                self.notes.append(Note(where, f"the cluster {name[:80]} is not known here"))
            yield from self.clusters.get(name, ())
        if not any(names):
            self.notes.append(Note(where, "which cluster is used is decided with each request"))

    def _settings(self, action: Node, where: Where) -> Iterator[Setting]:
        yield from sorted(self._totals(action, where), key=lambda s: s.value if s.value is not None else float("inf"))
        yield from self._idle(action, where)
        for owner in (action, self.host):
            per_try = field(owner, "retry_policy", "per_try_timeout")
            if per_try is not None:
                found = duration("first_byte_timeout", "per_try_timeout", per_try, Kind.FIRST_BYTE, self.notes)
                yield from (found,) if found is not None else ()
                return

    def _totals(self, action: Node, where: Where) -> Iterator[Setting]:
        """The route's time-out, which is 15 s where none is written, and the longest duration of a stream."""
        written = field(action, "timeout")
        setting = duration("total_timeout", "timeout", written, Kind.TOTAL, self.notes)
        if written is None and not action.open:
            setting = default("envoy", "total_timeout", where)
        yield from (setting,) if setting is not None else ()
        longest = field(action, "max_stream_duration", "max_stream_duration")
        if longest is None:
            longest = field(self.table.manager, "common_http_protocol_options", "max_stream_duration")
        setting = duration("total_timeout", "max_stream_duration", longest, Kind.TOTAL, self.notes)
        yield from (setting,) if setting is not None else ()

    def _idle(self, action: Node, where: Where) -> Iterator[Setting]:
        """The route's limit on silence beats the connection manager's; where that is not known, nothing is said."""
        own, manager = field(action, "idle_timeout"), field(self.table.manager, "stream_idle_timeout")
        if own is not None or manager is not None:
            key = "idle_timeout" if own is not None else "stream_idle_timeout"
            setting = duration("read_timeout", key, own or manager, Kind.IDLE, self.notes)
        else:
            setting = default("envoy", "read_timeout", where) if self.table.manager is not None else None
        yield from (setting,) if setting is not None else ()


def _routes(match: Node | None, action: Node) -> Iterator[Route]:
    rewrite = text(action, "prefix_rewrite") or ("/" if field(action, "regex_rewrite") is not None else "")
    for name, how in (("prefix", "prefix"), ("path_separated_prefix", "prefix"), ("path", "exact")):
        path = text(match, name)
        if path:
            yield Route(how, path, rewrite or None)
    regex = text(match, "safe_regex", "regex") or text(match, "regex")
    if regex:
        yield Route("regex", regex)
