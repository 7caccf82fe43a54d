"""The report that a person reads: what is wrong, the code it is about, the places that belong to it, where to read on.

error[LGS201] sync-graph-call-in-async: …
  --> app/main.py:12:5
   |
12 |     graph.invoke(state)
   |     ^^^^^^^^^^^^^^^^^^^
   = help: https://…
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.finding import Confidence
from lg_stream_lint.report import summary
from lg_stream_lint.report.style import Style, printable, width

if TYPE_CHECKING:
    from lg_stream_lint.finding import Finding, Span
    from lg_stream_lint.report import Report

_LONGEST = 160  # a line of code longer than this is shown around the place


def render(report: Report) -> str:
    """The report."""
    lines_of: dict[str, list[str]] = {}
    style = Style(report.color)
    blocks = [_finding(report, style, finding, lines_of) for finding in report.findings]
    if not report.quiet:
        blocks.append([summary(report)])
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _finding(report: Report, style: Style, finding: Finding, lines_of: dict[str, list[str]]) -> list[str]:
    """One finding."""
    gutter = len(str(max([finding.span.row, *(related.span.row for related in finding.related)])))
    title = style.severity(finding.severity, f"{finding.severity}[{finding.code}]")
    block = [f"{title} {style.bold(finding.name)}: {printable(finding.message)}"]

    def place(arrow: str, path: str, span: Span, label: str, mark: str) -> None:
        if path not in lines_of:
            lines_of[path] = report.lines(path)
        block.append(f"{' ' * gutter}{style.frame(arrow)} {printable(report.name(path))}:{span.row}:{span.column}")
        block.extend(_code(style, lines_of[path], span, gutter, label, mark, finding.severity))

    place("-->", finding.path, finding.span, "", "^")
    for related in finding.related:
        place(":::", related.path, related.span, related.message, "-")
    notes = []
    if finding.confidence == Confidence.MEDIUM:
        notes.append("note: medium confidence, judged by a name or by an assumed version")
    if finding.fix is not None:
        notes.append(f"fix ({finding.fix.applicability}): {printable(finding.fix.message)}")
    notes.append(f"help: {finding.url}")
    return [*block, *(f"{' ' * gutter} {style.frame('=')} {note}" for note in notes)]


def _code(style: Style, lines: list[str], span: Span, gutter: int, label: str, mark: str, severity: str) -> list[str]:
    """The line of a place with the place underlined; a place of several lines is underlined to the end of its first."""
    empty = f"{' ' * gutter} {style.frame('|')}"
    label = printable(label)
    if span.row > len(lines) or not lines[span.row - 1].strip():
        return [f"{empty} {label}"] if label else []
    line = lines[span.row - 1]
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_row == span.row else len(line.rstrip())
    shift = max(0, start - _LONGEST // 2) if len(line) > _LONGEST else 0
    head, tail = ("..." if shift else ""), ("..." if len(line) - shift > _LONGEST else "")
    line, start, end = line[shift : shift + _LONGEST], start - shift, min(end - shift, _LONGEST)
    before = head + printable(line[:start])
    marks = mark * max(1, width(printable(line[start:end])))
    marks = style.severity(severity, marks) if mark == "^" else style.frame(marks)
    number = style.frame(str(span.row).rjust(gutter))
    return [
        empty,
        f"{number} {style.frame('|')} {(head + printable(line)).rstrip()}{tail}",
        f"{empty} {' ' * width(before)}{marks}{f' {label}' if label else ''}",
    ]
