r"""Comments that silence findings: ``# noqa`` on a line, ``# lg-stream-lint: noqa`` and ``# flake8: noqa`` for a file.

Comments are found by one expression that skips string literals instead of ``tokenize``: it never fails on broken code,
gives the same answer on every Python (``tokenize`` of 3.11 trips over the nested quotes that 3.12 allows), and costs a
hundredth. Codes are prefixes and their case does not matter, as in flake8.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from lg_stream_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span
from lg_stream_lint.source import decode, line_starts, split_lines

UNUSED = "LGS002"

# Texts, which ``re`` compiles when they are first used: most runs never do.
_COMMENTS = r'''(?xs)
    """ [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* """
    | \'\'\' [^'\\]* (?: (?: \\. | '(?!\'\') ) [^'\\]* )* \'\'\'
    | " (?: [^"\\\r\n] | \\ (?: \r\n | . ) )* "
    | ' (?: [^'\\\r\n] | \\ (?: \r\n | . ) )* '
    | (?P<comment> \# [^\r\n]* )
'''
_CODE = r"(?:[A-Z]+[0-9]+|LGS)\b"
_CODES = rf"noqa(?![\w-])(?:\s*:\s*(?P<codes>{_CODE}(?:[,\s]+{_CODE})*))?"
_SIGN = r"(?:\#|//|;|--)"  # of comments in the formats around the code
_ON_LINE = rf"(?i)#\s*{_CODES}"
_IN_FILE = rf"(?i)#\s*(?:lg-stream-lint|flake8)\s*[:=]\s*{_CODES}"
_LINE_COMMENT = rf"(?:^|(?<=[\s;{{}}])){_SIGN}[^\r\n]*"


class _Comment(NamedTuple):
    """A comment with ``noqa`` in it; ``column`` is 1-based."""

    row: int
    column: int
    text: str
    before: str  # what stands before it on its line
    last_line: bool
    sign: str = (
        "#"  # as it is written; in ``text`` it is always ``#``, and of two letters the second stands at ``column``
    )

    @property
    def alone(self) -> bool:
        """Whether nothing else stands on its line."""
        return not self.before.strip()


class _Directive(NamedTuple):
    """One ``noqa`` in a comment; ``start`` and ``end`` are offsets in the comment's text."""

    comment: _Comment
    whole_file: bool
    start: int
    end: int
    codes: tuple[str, ...]  # as written; empty for a bare ``noqa``, which silences everything
    codes_start: int

    def silences(self, code: str) -> list[str]:
        """Those of the written codes that cover a code; a bare ``noqa`` answers with one empty text."""
        return [written for written in self.codes or ("",) if code.startswith(written.upper())]

    def speaks_of(self, lines: Iterable[int]) -> bool:
        """Whether it stands for the whole file or on one of the lines."""
        return self.whole_file or self.comment.row in lines


def apply(
    source: bytes,
    findings: Iterable[Finding],
    *,
    path: str,
    ran: Callable[[str], bool],
    report_unused: bool = True,
    python: bool = True,
) -> list[Finding]:
    """The findings of one file that no comment silences and, where asked, LGS002 for comments that silence nothing.

    ``ran`` says whether a rule was selected and run on this file, and whether all that it found is in ``findings``
    (advice may be hidden: a comment that silences it is in use all the same); codes of other rules are left alone.
    Whether LGS002 itself is selected is for the caller to see. ``python=False``: a deployment file, whose comments begin with
    ``#``, ``//`` or ``;``.
    """
    findings = list(findings)
    lowered = source.lower() if findings or report_unused else b""
    if b"noqa" not in lowered or not (findings or b"lgs" in lowered):
        return findings
    comments = _comments(decode(source)) if python else _line_comments(decode(source))
    directives = [directive for comment in comments for directive in _directives(comment)]
    kept: list[Finding] = []
    used: set[tuple[int, str]] = set()
    for finding in findings:
        silenced = False
        for index, directive in enumerate(directives):
            if directive.speaks_of(finding.lines):
                written = directive.silences(finding.code)
                used.update((index, code) for code in written)
                silenced = silenced or bool(written)
        if not silenced:
            kept.append(finding)
    if report_unused and not any(finding.code == "LGS001" for finding in findings):
        for index, directive in enumerate(directives):
            unused = [code for code in directive.codes if (index, code) not in used and _did_run(code.upper(), ran)]
            if unused and not _allowed(directive, unused, directives):
                kept.append(_unused(path, directive, unused))
    return sorted(kept, key=lambda finding: finding.sort_key)


def _did_run(prefix: str, ran: Callable[[str], bool]) -> bool:
    """Whether every rule that a written code covers ran, so that its silence means that there is nothing to silence."""
    if not prefix.startswith("LGS"):
        return False
    from lg_stream_lint.rules.registry import rules

    covered = [code for code in rules() if code.startswith(prefix) and code != UNUSED]
    return bool(covered) and all(ran(code) for code in covered)


def _allowed(directive: _Directive, unused: list[str], directives: list[_Directive]) -> bool:
    """Whether LGS002 is itself silenced; an unused code does not excuse itself."""
    return any(
        other is not directive or code not in unused
        for other in directives
        if other.speaks_of((directive.comment.row,))
        for code in other.silences(UNUSED)
    )


def _comments(text: str) -> Iterator[_Comment]:
    """The comments of a file that hold ``noqa``."""
    starts = line_starts(text)
    for match in re.finditer(_COMMENTS, text):
        comment = match["comment"]
        if comment is None or "noqa" not in comment.lower():
            continue
        row = bisect.bisect_right(starts, match.start())
        before = text[starts[row - 1] : match.start()]
        column = match.start() - starts[row - 1] + 1
        yield _Comment(row, column, comment, before, row == len(starts))


def _line_comments(text: str) -> Iterator[_Comment]:
    """The comments of a file that is not Python: from the first sign of one to the line's end.

    A sign inside a string may be taken for one: what matters is only whether ``noqa`` follows, which no setting says.
    """
    lines = split_lines(text)
    for row, line in enumerate(lines, 1):
        match = re.search(_LINE_COMMENT, line) if "noqa" in line.lower() else None
        if match is not None:
            written = match.group()
            sign = re.match(_SIGN, written)
            plain = "#" + written[sign.end() :] if sign is not None else written  # one sign for the expressions above
            padding = len(written) - len(plain)
            yield _Comment(
                row,
                match.start() + 1 + padding,
                plain,
                line[: match.start()],
                row == len(lines),
                written[: 1 + padding],
            )


def _directives(comment: _Comment) -> Iterator[_Directive]:
    """What a comment says; a directive for the file must stand alone on its line and begin the comment."""
    whole_file = re.match(_IN_FILE, comment.text) if comment.alone else None
    for match in [whole_file] if whole_file else re.finditer(_ON_LINE, comment.text):
        codes = tuple(re.findall(_CODE, match["codes"] or "", re.IGNORECASE))
        start, end = match.span()
        yield _Directive(comment, match is whole_file, start, end, codes, max(match.start("codes"), 0))


def _unused(path: str, directive: _Directive, unused: list[str]) -> Finding:
    """The finding for codes that silence nothing, with the repair."""
    comment = directive.comment
    names = ", ".join(unused)
    where = "in this file" if directive.whole_file else "here"
    message = (
        f"`noqa: {names}` suppresses nothing {where}: left in place, it would hide the next real failure. Remove it."
    )
    span = _span(comment, directive.start, directive.end)
    fix = Fix("safe", f"Remove the unused suppression of {names}", (_repair(directive, unused),))
    return Finding(
        UNUSED, "unused-suppression", Severity.WARNING, Confidence.HIGH, message, path, span, (comment.row,), fix=fix
    )


def _span(comment: _Comment, start: int, end: int) -> Span:
    """A part of a comment as a place in its file."""
    return Span(comment.row, comment.column + start, comment.row, comment.column + end)


def _repair(directive: _Directive, unused: list[str]) -> Edit:
    """Takes the codes out, and the whole ``noqa`` with the last of them; every other word of the comment stays."""
    comment, text = directive.comment, directive.comment.text
    remaining = [code for code in directive.codes if code not in unused]
    if remaining:
        codes = text[directive.codes_start : directive.end]
        separator = ", " if ", " in codes else "," if "," in codes else " "
        return Edit(_span(comment, directive.codes_start, directive.end), separator.join(remaining))
    before, after = text[: directive.start].rstrip(), text[directive.end :].lstrip(" \t,:;-\u2013\u2014")
    if after.strip():
        mark = comment.sign[-1] if directive.start == 0 else "#"
        kept = after.startswith("#") and mark == "#"
        return Edit(_span(comment, directive.start, len(text) - len(after)), "" if kept else f"{mark} ")
    if before:
        return Edit(_span(comment, len(before), len(text)), "")
    end = comment.column + len(text)
    if not comment.alone:
        return Edit(Span(comment.row, len(comment.before.rstrip()) + 1, comment.row, end), "")
    return Edit(
        Span(comment.row, 1, comment.row, end) if comment.last_line else Span(comment.row, 1, comment.row + 1, 1), ""
    )
