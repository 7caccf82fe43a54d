"""How often each code was found, the most frequent first."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from lg_stream_lint.report import summary
from lg_stream_lint.report.style import Style

if TYPE_CHECKING:
    from lg_stream_lint.report import Report


def render(report: Report, *, as_json: bool) -> str:
    """The counts, as a table or as a JSON list."""
    counts = Counter((finding.code, finding.name, finding.severity) for finding in report.findings)
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        found = [
            {"code": code, "name": name, "severity": severity, "count": count} for (code, name, severity), count in rows
        ]
        return json.dumps(found, indent=2) + "\n"
    style = Style(report.color)
    width = len(str(rows[0][1])) if rows else 0
    lines = [
        f"{count:>{width}}  {style.severity(severity, code)}  {severity:<7}  {name}"
        for (code, name, severity), count in rows
    ]
    if not report.quiet:
        lines.append(summary(report))
    return "".join(f"{line}\n" for line in lines)
