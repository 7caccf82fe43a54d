"""The run: discover, gate, analyse, collect. It knows no rule and no file format by name."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lg_stream_lint import deployed, suppression
from lg_stream_lint.discovery import discover, is_python
from lg_stream_lint.finding import Finding, Severity, is_about_settings

if TYPE_CHECKING:
    from lg_stream_lint.analysis import FileResult
    from lg_stream_lint.config import Config
    from lg_stream_lint.knowledge import Knowledge
    from lg_stream_lint.python.project import Project

#: Bytes; larger files are data or generated, and are counted, not analysed.
LARGEST = 5_000_000


class Coverage(NamedTuple):
    """What a run looked at: ``files_read`` and ``files_analysed`` count Python, ``deployment_files`` those a reader claimed.

    ``not_followed``, ``not_read`` (parts of deployment files), ``unreadable`` and ``too_large`` are ``path[:row]: reason``
    texts.
    """

    files_read: int = 0
    files_analysed: int = 0
    handlers: int = 0
    streaming_handlers: int = 0
    not_followed: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()
    deployment_files: int = 0
    not_read: tuple[str, ...] = ()


class RunResult(NamedTuple):
    """A run's findings (selected, not suppressed, in order), its internal errors, its coverage and its warnings."""

    findings: tuple[Finding, ...]
    errors: tuple[str, ...]
    coverage: Coverage
    warnings: tuple[str, ...]


class _Outcome(NamedTuple):
    """One file's share of a run, small enough to send between processes.

    ``claimed``: whether settings may stand in it; None when its bytes were not looked at.
    """

    result: FileResult | None
    findings: tuple[Finding, ...]
    read: bool
    unreadable: str = ""
    too_large: str = ""
    claimed: bool | None = None


_tables: dict[tuple[Any, ...], Knowledge] = {}


def tables_of(config: Config) -> Knowledge:
    """The tables with the configuration's own rows; made once per configuration."""
    from lg_stream_lint.knowledge import knowledge

    if not config.extend:
        return knowledge()
    known = _tables.get(config.extend)
    if known is None:
        known = _tables[config.extend] = knowledge().extend(dict(config.extend))
    return known


def run(paths: Sequence[str], config: Config, *, stdin: tuple[str, bytes] | None = None) -> RunResult:
    """Analyse files and folders, or standard input given as ``(file name, bytes)``.

    Results do not depend on the number of processes. Raises :class:`~lg_stream_lint.discovery.MissingPathError`.
    """
    collecting = gc.isenabled()
    gc.disable()  # trees are freed by their reference counts or with the process; the collector only walks them
    try:
        if stdin is not None:
            return _standard_input(os.path.abspath(stdin[0]), stdin[1], config)
        found = discover(paths, config)
        outcomes = _all(found.files, found.explicit, config)
        claims = {path: o.claimed for path, o in zip(found.files, outcomes, strict=True) if o.claimed is not None}
        around = deployed.look((*found.files, *found.deployment), config, [o.result for o in outcomes], claims=claims)
        return _collect(outcomes, around, found.warnings, found.unreadable)
    finally:
        if collecting:
            gc.enable()


def _standard_input(path: str, source: bytes, config: Config) -> RunResult:
    """One file, Python or not, that stands under a name in its repository."""
    around = deployed.look((path,), config, (), overrides={path: source})
    if not is_python(path):
        return _collect([], around, (), ())
    return _collect([_one(path, config, explicit=True, source=source)], around, (), ())


def analyse_source(path: str, source: bytes, config: Config) -> FileResult:
    """One file's findings before suppression and selection, for front ends that bring the source themselves."""
    from lg_stream_lint.analysis import analyse

    path = os.path.abspath(path)
    return analyse(path, source, _project(path, config), explicit=True)


def _project(path: str, config: Config) -> Project:
    from lg_stream_lint.python.project import project_of

    project = project_of(path, tables_of(config))
    project.config = config
    return project


def _all(files: Sequence[str], explicit: frozenset[str], config: Config) -> list[_Outcome]:
    jobs = config.jobs or (os.cpu_count() or 1)
    if jobs > 1 and len(files) > 1 and hasattr(os, "fork"):
        from lg_stream_lint.parallel import worthwhile

        if worthwhile(files):
            from lg_stream_lint.parallel import run_forked

            return run_forked(lambda path: _one(path, config, explicit=path in explicit), files, jobs)
    return [_one(path, config, explicit=path in explicit) for path in files]


def _one(path: str, config: Config, *, explicit: bool, source: bytes | None = None) -> _Outcome:
    if source is None:
        try:
            if os.path.getsize(path) > LARGEST:
                return _Outcome(None, (), read=True, too_large=path)
            with open(path, "rb") as file:
                source = file.read()
        except OSError as error:
            return _not_opened(path, str(error.strerror or error), config, explicit=explicit)
    from lg_stream_lint.analysis import analyse

    result = analyse(path, source, _project(path, config), explicit=explicit)
    claimed = deployed.is_claimed(path, source)
    return _Outcome(result, shown(result, source, config), read=True, claimed=claimed)


def _not_opened(path: str, reason: str, config: Config, *, explicit: bool) -> _Outcome:
    """A file that cannot be opened: a finding when it was named, a line of the coverage when it was met on the way."""
    if not explicit:
        return _Outcome(None, (), read=False, unreadable=f"{path}: {reason}")
    from lg_stream_lint.analysis import not_opened

    result = not_opened(path, reason)
    return _Outcome(result, shown(result, b"", config), read=False)


def shown(result: FileResult, source: bytes, config: Config) -> tuple[Finding, ...]:
    """A file's findings after suppression comments, selection and per-file ignores."""
    claimed = None

    def ran(code: str) -> bool:
        nonlocal claimed
        if is_about_settings(code):  # the other half of the run knows what it silences there
            if claimed is None:
                claimed = deployed.is_claimed(result.path, source)
            if claimed:
                return False
        return config.is_selected(code) and not config.ignored_for(result.path, code)

    hidden_infos = {f.code for f in result.findings if f.severity == Severity.INFO and not config.pedantic}
    found = suppression.apply(
        source,
        [f for f in result.findings if config.shows(f)],
        path=result.path,
        ran=lambda code: ran(code) and code not in hidden_infos,
        report_unused=not result.unreadable and not result.errors,
    )
    return tuple(sorted((f for f in found if config.shows(f)), key=lambda f: f.sort_key))


def _collect(
    outcomes: list[_Outcome], around: deployed.Around, warnings: Sequence[str], unreadable: Sequence[str]
) -> RunResult:
    findings = sorted((*(f for o in outcomes for f in o.findings), *around.findings), key=lambda f: f.sort_key)
    results = [o.result for o in outcomes if o.result is not None]
    not_read = [o.unreadable for o in outcomes if o.unreadable]
    not_read += [f"{r.path}: {r.unreadable}" for r in results if r.unreadable]
    coverage = Coverage(
        files_read=sum(1 for o in outcomes if o.read),
        files_analysed=sum(1 for r in results if r.analysed),
        deployment_files=around.files,
        handlers=sum(r.handlers for r in results),
        streaming_handlers=sum(r.streaming for r in results),
        not_followed=tuple(text for r in results for text in r.not_followed),
        not_read=around.not_read,
        unreadable=(*unreadable, *not_read),
        too_large=tuple(o.too_large for o in outcomes if o.too_large),
    )
    errors = (*(e for r in results for e in r.errors), *around.errors)
    return RunResult(tuple(findings), errors, coverage, tuple(warnings))
