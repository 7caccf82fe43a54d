"""Workflow commands: GitHub shows them beside the code of a pull request.

The worst come first, as GitHub shows only ten of each kind for a step.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lg_stream_lint.finding import RANK, Severity
from lg_stream_lint.patterns import as_posix

if TYPE_CHECKING:
    from lg_stream_lint.finding import Finding
    from lg_stream_lint.report import Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> str:
    """The report."""
    ordered = sorted(report.findings, key=lambda finding: (RANK[finding.severity], finding.sort_key))
    return "".join(_finding(report, finding) for finding in ordered)


def _finding(report: Report, finding: Finding) -> str:
    """One finding."""
    span = finding.span
    properties = {"file": _name(report, finding.path), "line": str(span.row)}
    if span.row == span.end_row:  # GitHub rejects columns for places of several lines
        properties["col"] = str(span.column)
    properties["endLine"] = str(span.end_row)
    if span.row == span.end_row:
        properties["endColumn"] = str(span.end_column)
    properties["title"] = f"{finding.code} ({finding.name})"
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {written}::{_data(finding.message)}\n"


def _name(report: Report, path: str) -> str:
    """A path as GitHub knows it: relative to the checkout, even when a step works in a folder of it."""
    workspace = os.environ.get("GITHUB_WORKSPACE", "").rstrip(os.sep) + os.sep
    if len(workspace) > 1 and path.startswith(workspace):
        return as_posix(path[len(workspace) :])
    return report.name(path)


def _data(text: str) -> str:
    """A message as a command can carry it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property as a command can carry it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
