"""Which hop leads to which: the targets that match, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from lg_stream_lint.deploy.settings import Hop, Target

#: Names under which a machine, or a container on it, reaches itself or the machine that it runs on.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]", "", "host.docker.internal", "172.17.0.1"})  # noqa: S104


def leads(outer: Hop, inner: Hop) -> bool:
    """Whether what the outer hop leads to is what the inner one is known as."""
    return any(matches(wanted, known) for wanted in outer.leads_to for known in inner.known_as)


class Known:
    """Hops by what they are known as, so that who leads to whom is looked up and not tried with each of them."""

    def __init__(self, hops: Sequence[Hop]) -> None:
        self._hops = hops
        self._exact: dict[tuple[str, str], list[int]] = {}
        self._hosts: dict[tuple[str, str], list[int]] = {}
        self._labels: dict[str, list[int]] = {}
        for index, hop in enumerate(hops):
            for target in hop.known_as:
                if target.kind == "labels":
                    for label in target.value.split(","):
                        self._labels.setdefault(label, []).append(index)
                elif target.kind in ("host", "address"):
                    host = split_address(target.value)[0] if target.kind == "address" else target.value
                    self._hosts.setdefault((target.kind, _host(host)), []).append(index)
                self._exact.setdefault((target.kind, target.value), []).append(index)

    def of(self, outer: Hop) -> list[Hop]:
        """The hops that one leads to, in their order; itself is none of them."""
        found = {index for wanted in outer.leads_to for index in self._candidates(wanted)}
        hops = [self._hops[index] for index in sorted(found)]
        return [inner for inner in hops if inner is not outer and leads(outer, inner)]

    def _candidates(self, wanted: Target) -> list[int]:
        """Those that one target may match, and hardly any other."""
        if wanted.kind == "labels":
            return min((self._labels.get(label, []) for label in wanted.value.split(",")), key=len)
        if wanted.kind == "host":
            return self._hosts.get(("host", _host(wanted.value)), [])
        if wanted.kind != "address":
            return self._exact.get((wanted.kind, wanted.value), [])
        host, port = split_address(wanted.value)
        names = (("address", _host(host)), ("host", _host(host)))
        return [*self._exact.get(("port", port), []), *(index for name in names for index in self._hosts.get(name, []))]


def matches(wanted: Target, known: Target) -> bool:
    """Whether one target that is wanted is the one that is known."""
    if wanted.kind == "address":
        return _address(wanted.value, known)
    if wanted.kind == "labels" and known.kind == "labels":
        return bool(wanted.value) and set(wanted.value.split(",")) <= set(known.value.split(","))
    if wanted.kind != known.kind:
        return False
    if wanted.kind == "host":
        return _host(wanted.value) == _host(known.value)
    return wanted.value == known.value


def _address(address: str, known: Target) -> bool:
    host, port = split_address(address)
    if known.kind == "address":
        other, other_port = split_address(known.value)
        return _host(host) == _host(other) and (not port or not other_port or port == other_port)
    if known.kind == "host":
        return host not in LOOPBACK and _host(host) == _host(known.value)
    return known.kind == "port" and host in LOOPBACK and port == known.value


def split_address(address: str) -> tuple[str, str]:
    """Host (in small letters) and port of ``host:port``; a part that is not there is empty."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return address.lower(), ""
    return host.lower(), port


def _host(name: str) -> str:
    """``api.default.svc.cluster.local`` is ``api.default`` is ``api``, as far as a repository can tell."""
    return name.lower().removesuffix(".").removesuffix(".svc.cluster.local").removesuffix(".svc")
