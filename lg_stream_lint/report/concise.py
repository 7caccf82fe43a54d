"""One line a finding: ``path:row:column: CODE message``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.report import summary
from lg_stream_lint.report.style import Style, printable

if TYPE_CHECKING:
    from lg_stream_lint.report import Report


def render(report: Report) -> str:
    """The report."""
    style = Style(report.color)
    lines = []
    for finding in report.findings:
        row, column = finding.span.row, finding.span.column
        place = f"{style.bold(report.name(finding.path))}:{row}:{column}"
        lines.append(f"{place}: {style.severity(finding.severity, finding.code)} {printable(finding.message)}")
    if not report.quiet:
        lines.append(summary(report))
    return "".join(f"{line}\n" for line in lines)
