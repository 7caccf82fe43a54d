"""SARIF 2.1.0, for GitHub code scanning and other viewers."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lg_stream_lint import __version__
from lg_stream_lint.finding import DOCS, Severity
from lg_stream_lint.patterns import as_posix
from lg_stream_lint.report import coverage
from lg_stream_lint.rules.registry import RuleInfo, rules

if TYPE_CHECKING:
    from lg_stream_lint.finding import Finding, Fix, Span
    from lg_stream_lint.report import Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = DOCS.rsplit("/", 1)[0] + "/"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "SRCROOT"


def render(report: Report) -> str:
    """The report."""
    root = _root(report.directory)
    known = list(rules().values())
    index = {info.code: position for position, info in enumerate(known)}
    fingerprints = _fingerprints(report, root)
    notes = [("note", coverage(report)), *(("warning", text) for text in report.result.warnings)]
    notes += [("error", text) for text in report.result.errors]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "lg-stream-lint",
                "semanticVersion": __version__,
                "informationUri": _HOME,
                "rules": [_rule(info) for info in known],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not report.result.errors,
                "toolExecutionNotifications": [{"level": level, "message": {"text": text}} for level, text in notes],
            }
        ],
        "originalUriBaseIds": {_ROOT: {"uri": _absolute_uri(root).rstrip("/") + "/"}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, root, index, fingerprint)
            for finding, fingerprint in zip(report.findings, fingerprints, strict=True)
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(info: RuleInfo) -> dict[str, Any]:
    """A rule, with its documentation."""
    return {
        "id": info.code,
        "name": "".join(word.capitalize() for word in info.name.split("-")),
        "shortDescription": {"text": info.summary},
        "fullDescription": {"text": _section(info.doc, "What it does") or info.summary},
        "help": {"text": info.doc, "markdown": info.doc},
        "helpUri": f"{DOCS}/{info.code}/",
        "defaultConfiguration": {"level": _LEVELS[info.severity]},
        "properties": {"tags": [info.family, "langgraph", "streaming"]},
    }


def _section(doc: str, title: str) -> str:
    """The text below one heading of a rule's documentation, as one paragraph."""
    text = doc.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return " ".join(text.split())


def _result(finding: Finding, root: str, index: dict[str, int], fingerprint: str) -> dict[str, Any]:
    """One finding."""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": _place(finding.path, finding.span, root)}],
        "partialFingerprints": {"lgStreamLint/v1": fingerprint},
        "properties": {"confidence": finding.confidence},
    }
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _place(related.path, related.span, root),
                "message": {"text": related.message},
            }
            for number, related in enumerate(finding.related, start=1)
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.path, finding.fix, root)]
    return result


def _place(path: str, span: Span, root: str) -> dict[str, Any]:
    """A place in a file."""
    return {"artifactLocation": _artifact(path, root), "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    """A span; like ours, SARIF's columns begin at 1 and its ends are exclusive."""
    return {
        "startLine": span.row,
        "startColumn": span.column,
        "endLine": span.end_row,
        "endColumn": span.end_column,
    }


def _artifact(path: str, root: str) -> dict[str, str]:
    """A file: relative to the root where it lies below it."""
    inside = root.rstrip(os.sep) + os.sep
    if path.startswith(inside):
        return {"uri": _quote(path[len(inside) :]), "uriBaseId": _ROOT}
    return {"uri": _absolute_uri(path)}


def _fix(path: str, fix: Fix, root: str) -> dict[str, Any]:
    """A repair."""
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.content}} for edit in fix.edits
    ]
    return {
        "description": {"text": fix.message},
        "artifactChanges": [{"artifactLocation": _artifact(path, root), "replacements": replacements}],
    }


def _root(directory: str) -> str:
    """What paths are relative to: the repository, so that a report does not depend on where the run was started."""
    folder = directory
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return directory
        folder = parent
    return folder


def _quote(path: str) -> str:
    """A path as a URI writes it; a name that is not UTF-8 keeps its bytes."""
    return quote(os.fsencode(as_posix(path)), safe="/")


def _absolute_uri(path: str) -> str:
    """``file:///…``."""
    return f"file:///{_quote(path).lstrip('/')}"


def _fingerprints(report: Report, root: str) -> list[str]:
    """What makes each finding the same one after an edit elsewhere; line numbers are no part of it.

    Rule, file, the text of its line, and which of several alike it is.
    """
    seen: Counter[str] = Counter()
    lines_of: dict[str, list[str]] = {}
    fingerprints = []
    for finding in report.findings:
        if finding.path not in lines_of:
            lines_of[finding.path] = report.lines(finding.path)
        lines = lines_of[finding.path]
        line = " ".join(lines[finding.span.row - 1].split()) if finding.span.row <= len(lines) else ""
        key = "\0".join((finding.code, _artifact(finding.path, root)["uri"], line))
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        fingerprints.append(f"{digest}:{seen[key]}")
        seen[key] += 1
    return fingerprints
