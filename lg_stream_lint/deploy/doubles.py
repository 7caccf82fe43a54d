"""One server that two readers saw: a script by itself, and the same script as an image runs it.

And servers that nobody runs: an image's own command, where whatever builds that image starts the same application by another.
Production runs the other one then, and what the image would do by itself is a habit of its file: a finding on a line that is
never run costs trust, and the line that is run is judged in its place. The image's command stays as soon as anything in the
repository runs it as it is (another service, a platform's file), as nobody says who builds the image, as what replaces it starts
something else (a worker, another application), or does so at a developer's desk only (``--reload``, ``compose.dev.yaml``): then
production may well run the image's own. Somebody may run the image elsewhere, too; where nothing in the repository says so, the
repository's own word counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from lg_stream_lint.deploy.settings import Hop, Role, Where


def without_doubles(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """The hops without servers read from a script, a Python file or a ``gunicorn.conf.py`` that another hop is known to use.

    The one that uses it knows more: variables, the folder, the command line.
    """
    servers = [hop for hop in hops if hop.role == Role.SERVER]
    using: dict[str, list[Hop]] = {}  # those that came to a file from elsewhere
    for hop in servers:
        files = _files(hop)
        for file in files:
            if files != {file}:
                using.setdefault(file, []).append(hop)
    left = [hop for hop in hops if hop.role != Role.SERVER or not _is_double(hop, using.get(hop.where.path, []))]
    return _without_replaced(_without_bare_images(left))


def _without_replaced(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """The hops without an image's own command that all that builds the image replaces, for the same application."""
    instead = {
        (target.value, app)
        for hop in hops
        if hop.role == Role.SERVER
        for target in hop.known_as
        if target.kind == "replaces"
        for app in _apps(hop)
    }
    led_to = {target.value for hop in hops for target in hop.leads_to if target.kind == "file"}
    return tuple(
        hop
        for hop in hops
        if hop.role != Role.SERVER
        or _is_run(hop)
        or _files(hop) & led_to
        or not any((file, app) in instead for file in _files(hop) for app in _apps(hop))
    )


def _apps(hop: Hop) -> set[str]:
    return {target.value for target in hop.leads_to if target.kind == "app"}


def _without_bare_images(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """The hops without an image's own command where all that is known to run it (compose, a pod) adds its environment.

    The variables may name another worker or another time-out: the bare command is nobody's. A development server that runs
    on somebody's desk says nothing of what runs the image elsewhere.
    """
    # Where a command stands that is run so, and whether one of the hops says its mode: a desk's never does.
    run: dict[tuple[str, Where], bool] = {}
    for hop in hops:
        if hop.role == Role.SERVER and _is_run(hop):
            key = (hop.layer, hop.where)
            run[key] = run.get(key, False) or hop.get("development") is not None
    led_to = {target.value for hop in hops for target in hop.leads_to if target.kind == "file"}

    def is_nobodys(hop: Hop) -> bool:
        if hop.role != Role.SERVER or _is_run(hop) or _files(hop) & led_to:
            return False
        said = run.get((hop.layer, hop.where))
        return said is not None and (said or hop.value("development") is not True)

    return tuple(hop for hop in hops if not is_nobodys(hop))


def _is_run(hop: Hop) -> bool:
    return any(target.kind == "unit" for target in hop.known_as)


def _is_double(hop: Hop, others: Sequence[Hop]) -> bool:
    """Whether a hop that is known only by its own file is the same as one that came from elsewhere through that file."""
    if _files(hop) != {hop.where.path}:
        return False
    return any(other.layer == hop.layer and _is_same(other, hop) for other in others)


def _is_same(other: Hop, hop: Hop) -> bool:
    """The same place in a script; for a configuration file, any command that reads it."""
    return other.where == hop.where or other.where.path != hop.where.path


def _files(hop: Hop) -> set[str]:
    return {target.value for target in hop.known_as if target.kind in ("file", "unit")}
