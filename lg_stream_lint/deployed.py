"""The run's second half: what the files around the code say, for the repositories of the files that are looked at.

Nothing heavy is imported unless a deployment file, or a Python file that starts a server, is among them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint import suppression
from lg_stream_lint.deploy.kinds import is_candidate, kinds_of
from lg_stream_lint.finding import Finding, Severity

if TYPE_CHECKING:
    from lg_stream_lint.analysis import FileResult
    from lg_stream_lint.config import Config
    from lg_stream_lint.deploy.code import FileFacts
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.deploy.settings import Note

_READ_FOR_NAMES = 400_000  # bytes; what starts a server stands in a short file


class Around(NamedTuple):
    """The findings over settings in the files of a run (selected, not suppressed), and what was not read there."""

    findings: tuple[Finding, ...] = ()
    files: int = 0
    not_read: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def look(
    files: Sequence[str],
    config: Config,
    results: Iterable[FileResult | None],
    overrides: Mapping[str, bytes] | None = None,
    claims: Mapping[str, bool] | None = None,
) -> Around:
    """Judge the deployment files among ``files`` (absolute paths), each repository as a whole.

    ``results`` are what the run knows of Python files already, and ``claims`` says of those that were read whether a reader
    may find settings in them; ``overrides`` stand for what is on the disk.
    """
    overrides = dict(overrides or {})
    claims = claims or {}
    claimed = [path for path in files if (claims[path] if path in claims else is_claimed(path, overrides.get(path)))]
    if not claimed:
        return Around()
    from lg_stream_lint.deploy.deployment import deployment_of

    known = [result for result in results if result is not None]
    found: list[Finding] = []
    not_read: list[str] = []
    errors: list[str] = []
    read = 0
    deployments: dict[str, Deployment] = {}
    shares: dict[str, set[str]] = {}  # the files of each
    for path in claimed:
        deployment = deployment_of(path, config, overrides)
        deployments.setdefault(deployment.repository, deployment)
        shares.setdefault(deployment.repository, set()).add(path)
    for top, share in _of_outermost(shares).items():
        deployment = deployments[top]
        deployment.read_also(claimed)
        wanted = share | _taken_in(deployment, share, config)
        deployment.add_facts(_facts_of(result) for result in known)
        found += _shown(deployment, wanted, config)
        not_read += _said_once(note for note in deployment.notes if note.where.path in wanted)
        errors += deployment.errors
        read += sum(1 for path in deployment.readings if path in wanted and not path.endswith(".py"))
    return Around(tuple(found), read, tuple(dict.fromkeys(not_read)), tuple(errors))


def _of_outermost(shares: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The files of each deployment where, outside a repository, the root of a file may lie within that of another.

    The outer one (a folder with the compose file and one for each service) knows all that the inner one does, and what is
    around it. A repository within a folder is on its own.
    """
    from lg_stream_lint.roots import repository_of

    loose = sorted((top for top in shares if repository_of(top) is None), key=len)
    joined: dict[str, set[str]] = {}
    for top, paths in shares.items():
        outer = next((other for other in loose if top.startswith(other.rstrip(os.sep) + os.sep)), None)
        joined.setdefault(outer if top in loose and outer is not None else top, set()).update(paths)
    return joined


def _taken_in(deployment: Deployment, wanted: set[str], config: Config) -> set[str]:
    """Pieces that the files take in and whose own names say nothing: ``snippets/proxy.inc``, ``proxy_params``, ``.env``."""
    from lg_stream_lint.discovery import is_excluded

    readings = [reading for path, reading in deployment.readings.items() if path in wanted]
    hops = [hop for reading in readings for hop in reading.hops]
    places = {setting.where.path for hop in hops for setting in hop.settings} | {hop.where.path for hop in hops}
    pieces = (path for path in places - wanted if not path.endswith(".py") and not is_claimed(path))
    return {path for path in pieces if not is_excluded(path, config)}


def _said_once(notes: Iterable[Note]) -> list[str]:
    """What was not read, each reason once for a file: where it is the first time, and how often."""
    places: dict[tuple[str, str], list[int]] = {}
    for note in notes:
        places.setdefault((note.where.path, note.reason), []).append(note.where.span.row)
    said = []
    for (path, reason), rows in places.items():
        others = len(set(rows)) - 1
        more = f" (and in {others} more line{'s' if others > 1 else ''})" if others else ""
        said.append(f"{path}:{rows[0]}: {reason}{more}")
    return said


def _facts_of(result: FileResult) -> FileFacts:
    """A file's facts; a file that was looked at and says nothing is not looked at again."""
    from lg_stream_lint.deploy.code import FileFacts

    return result.facts if result.facts is not None else FileFacts(result.path)


def in_file(path: str, source: bytes, config: Config) -> tuple[Finding, ...]:
    """The findings over settings in one Python file, for front ends that bring the source themselves; after suppression."""
    if not is_claimed(path, source):
        return ()
    return look((path,), config, (), {path: source}).findings


def is_claimed(path: str, source: bytes | None = None) -> bool:
    """Whether a reader may find settings in a file."""
    if source is None and path.endswith(".py"):
        try:
            with open(path, "rb") as file:
                source = file.read(_READ_FOR_NAMES)
        except (OSError, ValueError):
            return False
    if source is None or not path.endswith(".py"):  # a piece may speak of nothing that its kind is known by
        return is_candidate(path)
    return bool(kinds_of(path, source[:_READ_FOR_NAMES]))


def _shown(deployment: Deployment, wanted: set[str], config: Config) -> list[Finding]:
    from lg_stream_lint.deploy.files import NotRead
    from lg_stream_lint.deploy.findings import findings_of

    by_file = findings_of(deployment, config)
    shown: list[Finding] = []
    for path in sorted(path for path in wanted if deployment.context.holds(path)):
        try:
            source = deployment.context.open(path).source
        except NotRead:
            continue
        shown += _after_comments(path, source, by_file.get(path, ()), config)
    return shown


def _after_comments(path: str, source: bytes, findings: Sequence[Finding], config: Config) -> list[Finding]:
    """What comments do not silence; in Python files the run over Python says which comments are unused."""
    python = path.endswith(".py")
    hidden = {f.code for f in findings if f.severity == Severity.INFO and not config.pedantic}
    kept = suppression.apply(
        source,
        [f for f in findings if config.shows(f)],
        path=path,
        ran=lambda code: config.is_selected(code) and not config.ignored_for(path, code) and code not in hidden,
        report_unused=not python,
        python=python,
    )
    return [finding for finding in kept if config.shows(finding)]
