"""Which hop leads to which: the targets that match, and how sure that is."""

from __future__ import annotations

from lg_stream_lint.deploy.settings import Hop, Target

#: Names under which a machine, or a container on it, reaches itself or the machine that it runs on.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]", "", "host.docker.internal", "172.17.0.1"})  # noqa: S104


def leads(outer: Hop, inner: Hop) -> bool:
    """Whether what the outer hop leads to is what the inner one is known as."""
    return any(matches(wanted, known) for wanted in outer.leads_to for known in inner.known_as)


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


def is_unresolved(hop: Hop, others: list[Hop]) -> bool:
    """Whether nothing in the repository is what a hop leads to, so that it may lead anywhere."""
    return not any(leads(hop, other) for other in others if other is not hop)
