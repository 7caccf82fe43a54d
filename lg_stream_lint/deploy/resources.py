"""The names by which a configuration ignores rules in a part of a deployment: of a hop, and of what the hop stands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lg_stream_lint.deploy.links import leads
from lg_stream_lint.deploy.settings import Hop, Role, Where


def names_at(where: Where, about: Hop | None, hops: Sequence[Hop]) -> frozenset[str]:
    """The names of what a finding's place belongs to.

    The hop that the finding is ``about``, the hops whose own place or setting it is, and whatever of the same file runs
    those: what is ignored in a service is ignored in its command.
    """
    here = [hop for hop in hops if hop.where.path == where.path]
    inner = [hop for hop in here if hop is about or hop.where == where or any(s.where == where for s in hop.settings)]
    if about is not None and about not in inner:
        inner.append(about)
    return frozenset(name for hop in (*inner, *_around(inner, here)) for name in names_of(hop))


def names_of(hop: Hop) -> Iterator[str]:
    """A hop's names, as it is written and with its kind."""
    yield hop.name
    if hop.resource:
        yield hop.resource


def _around(inner: Iterable[Hop], here: Iterable[Hop]) -> list[Hop]:
    """The hosts that run hops of the same file."""
    inside = [hop for hop in inner if hop.role == Role.SERVER]
    return [host for host in here if host.role == Role.HOST and any(leads(host, hop) for hop in inside)]
