"""A list of objects for programs. Its form is documented in the README and only ever grows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lg_stream_lint.finding import Finding, Fix, Span
    from lg_stream_lint.report import Report


def render(report: Report) -> str:
    """The report."""
    return json.dumps([_finding(report, finding) for finding in report.findings], indent=2) + "\n"


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    """One finding."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "message": finding.message,
        "filename": report.name(finding.path),
        "location": _start(finding.span),
        "end_location": _end(finding.span),
        "related": [
            {"filename": report.name(related.path), "location": _start(related.span), "message": related.message}
            for related in finding.related
        ],
        "fix": None if finding.fix is None else _fix(finding.fix),
        "url": finding.url,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    """A repair."""
    edits = [
        {"location": _start(edit.span), "end_location": _end(edit.span), "content": edit.content} for edit in fix.edits
    ]
    return {"applicability": fix.applicability, "message": fix.message, "edits": edits}


def _start(span: Span) -> dict[str, int]:
    """Where a place begins."""
    return {"row": span.row, "column": span.column}


def _end(span: Span) -> dict[str, int]:
    """Where a place ends, exclusive."""
    return {"row": span.end_row, "column": span.end_column}
