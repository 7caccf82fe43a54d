"""The deployment rules run over a repository; their findings by file, with the lines on which a comment silences them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.finding import RANK, Finding, Related
from lg_stream_lint.rules import registry
from lg_stream_lint.rules.deployment import DeployReport, DeployRule

if TYPE_CHECKING:
    from lg_stream_lint.config import Config
    from lg_stream_lint.deploy.deployment import Deployment

_classes: list[type[DeployRule]] | None = None
_COMMENT_LINE = re.compile(r"\s*(?:#|//|;)")


def rule_classes() -> list[type[DeployRule]]:
    """The deployment rules, imported once per process, in the order of their codes."""
    global _classes
    if _classes is None:
        loaded = [registry.load_deployment(info) for info in registry.rules().values()]
        _classes = [cls for cls in loaded if cls is not None]
    return _classes


def findings_of(deployment: Deployment, config: Config) -> dict[str, tuple[Finding, ...]]:
    """Every finding of the deployment rules by the absolute path of its file, in order, before suppression.

    The configuration leaves out rules that are not selected, and resources that it ignores by name.
    """
    reports: list[DeployReport] = []
    for cls in rule_classes():
        if not config.is_selected(cls.info.code):
            continue
        rule = cls(deployment, reports)
        try:
            rule.check()
        except Exception as error:  # noqa: BLE001 - whatever a rule does wrong, the run goes on
            deployment.errors.append(
                f"{cls.info.code} failed in {deployment.repository}: {type(error).__name__}: {error}"
            )
    if config.per_resource_ignores:
        reports = [report for report in reports if not _is_ignored(report, deployment, config)]
    by_file: dict[str, list[Finding]] = {}
    for finding in _distinct(reports, deployment):
        by_file.setdefault(finding.path, []).append(finding)
    return {path: tuple(sorted(found, key=lambda f: f.sort_key)) for path, found in by_file.items()}


def _is_ignored(report: DeployReport, deployment: Deployment, config: Config) -> bool:
    from lg_stream_lint.deploy.resources import names_at

    code = report.rule.info.code
    return any(config.ignored_in(name, code) for name in names_at(report.where, report.hop, deployment.hops))


def _distinct(reports: Sequence[DeployReport], deployment: Deployment) -> list[Finding]:
    """One finding for a code and place, the worst of several ways' verdicts; losers to another rule are left out."""
    best: dict[tuple[str, Where], DeployReport] = {}
    for report in reports:
        key = (report.rule.info.code, report.where)
        known = best.get(key)
        if known is None or RANK[report.severity] < RANK[known.severity]:
            best[key] = report
    kept = [
        report
        for report in best.values()
        if not any(
            other.rule.info.code in report.rule.loses_to and other.where.path == report.where.path
            and other.where.span.row == report.where.span.row
            for other in best.values()
        )
    ]  # fmt: skip
    return [_finding(report, deployment) for report in kept]


def _finding(report: DeployReport, deployment: Deployment) -> Finding:
    info = report.rule.info
    where = report.where
    return Finding(
        info.code,
        info.name,
        report.severity,
        report.confidence,
        report.message,
        where.path,
        where.span,
        _lines(where, deployment),
        tuple(Related(near.where.path, near.where.span, near.message) for near in report.related),
        report.fix,
    )


def _lines(where: Where, deployment: Deployment) -> tuple[int, ...]:
    """The rows on which a comment silences a finding: its first and last, and comment lines right above it.

    Dockerfiles, INI files and JSON's relatives know no comment behind a value; a line of its own above it is what they have.
    In a command that goes on over several lines, comments above its first line count, too.
    """
    rows = {where.span.row, where.span.end_row}
    try:
        lines = deployment.context.open(where.path).lines
    except Exception:  # noqa: BLE001 - the place is known, its text is only a help
        return tuple(sorted(rows))
    row = where.span.row - 1
    while row > 0 and (_COMMENT_LINE.match(lines[row - 1]) or lines[row - 1].rstrip().endswith("\\")):
        rows.add(row)
        row -= 1
    return tuple(sorted(rows))
