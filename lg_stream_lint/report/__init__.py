"""What a run has to say, and the forms it can be said in: one module a format, imported when it is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.patterns import as_posix
from lg_stream_lint.source import decode, split_lines

if TYPE_CHECKING:
    from lg_stream_lint.engine import RunResult
    from lg_stream_lint.finding import Finding

FORMATS = ("text", "concise", "json", "sarif", "github")
ON_STDOUT_ALONE = ("json", "sarif", "github")  # programs read these: coverage and notes go to stderr


class Report(NamedTuple):
    """A finished run and how to show it. ``sources`` holds what does not stand on disk: standard input."""

    result: RunResult
    directory: str
    color: bool = False
    quiet: bool = False
    verbose: bool = False
    sources: tuple[tuple[str, bytes], ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings to show."""
        return self.result.findings

    def name(self, path: str) -> str:
        """A path relative to the working directory with ``/``; absolute outside it."""
        inside = self.directory.rstrip(os.sep) + os.sep
        return as_posix(path.removeprefix(inside))

    def source(self, path: str) -> bytes:
        """The bytes of a file; none when it cannot be read (any more)."""
        for name, source in self.sources:
            if name == path:
                return source
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return b""

    def lines(self, path: str) -> list[str]:
        """The lines of a file."""
        return split_lines(decode(self.source(path)))


def render(name: str, report: Report) -> str:
    """The report in a format."""
    if name == "json":
        from lg_stream_lint.report import json

        return json.render(report)
    if name == "sarif":
        from lg_stream_lint.report import sarif

        return sarif.render(report)
    if name == "github":
        from lg_stream_lint.report import github

        return github.render(report)
    if name == "concise":
        from lg_stream_lint.report import concise

        return concise.render(report)
    from lg_stream_lint.report import text

    return text.render(report)


def coverage(report: Report) -> str:
    """What the run read and what it did not: the sentence that keeps "nothing found" honest."""
    covered = report.result.coverage
    parts = [_count(covered.files_read, "file read", "files read")]
    if covered.deployment_files:
        parts.append(_count(covered.deployment_files, "deployment file", "deployment files"))
    if report.verbose:
        parts.append(f"{covered.files_analysed} analysed")
    if covered.streaming_handlers or not covered.handlers:
        parts.append(_count(covered.streaming_handlers, "handler streams", "handlers stream"))
    else:
        parts.append(f"none of {_count(covered.handlers, 'handler streams', 'handlers streams')}")
    for what, items in (
        ("not followed", covered.not_followed),
        ("parts not read", covered.not_read),
        ("not readable", covered.unreadable),
        ("over 5 MB and not read", covered.too_large),
    ):
        if items:
            parts.append(f"{len(items)} {what}: {_some(report, items)}")
    return f"{', '.join(parts)}."


def tally(report: Report) -> str:
    """How many findings of which severity."""
    counts = {"error": 0, "warning": 0, "info": 0}
    for finding in report.findings:
        counts[finding.severity] += 1
    if not report.findings:
        return "No findings."
    words = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("advice", "pieces of advice")}
    files = len({finding.path for finding in report.findings})
    shown = ", ".join(_count(number, *words[severity]) for severity, number in counts.items() if number)
    return f"{shown} in {_count(files, 'file', 'files')}."


def summary(report: Report) -> str:
    """The last line of a report for people."""
    return f"{coverage(report)} {tally(report)}"


def _some(report: Report, items: tuple[str, ...]) -> str:
    """The first few of many, or all of them when asked to be verbose; paths as a reader writes them."""
    inside = report.directory.rstrip(os.sep) + os.sep
    shown = [item.replace(inside, "") for item in (items if report.verbose else items[:3])]
    more = len(items) - len(shown)
    return "; ".join(shown) + (f"; and {more} more (--verbose lists them)" if more else "")


def _count(number: int, one: str, many: str) -> str:
    """``1 file read`` or ``2 files read``."""
    return f"{number} {one if number == 1 else many}"
