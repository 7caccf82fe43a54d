"""Comments that silence findings, and those that silence nothing."""

from __future__ import annotations

import io
import re
import sysconfig
import tokenize
from collections.abc import Sequence
from pathlib import Path

import pytest

from lg_stream_lint import suppression
from lg_stream_lint.finding import Confidence, Finding, Severity, Span
from lg_stream_lint.rules.registry import rules
from lg_stream_lint.source import decode, line_starts
from tests.fronts import command

ALL = frozenset(rules())


def finding(code: str, *lines: int) -> Finding:
    """A finding with the lines on which a comment silences it."""
    return Finding(
        code, "name", Severity.ERROR, Confidence.HIGH, "Wrong.", "/x.py", Span(lines[0], 1, lines[0], 2), lines
    )


def left(
    source: str | bytes, *findings: Finding, ran: frozenset[str] = ALL, report_unused: bool = True
) -> list[Finding]:
    """What remains of the findings, with unused comments among them."""
    text = source if isinstance(source, bytes) else source.encode()
    return suppression.apply(text, findings, path="/x.py", ran=ran.__contains__, report_unused=report_unused)


def codes(findings: Sequence[Finding]) -> list[str]:
    """Their codes."""
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# noqa", True),
        ("#noqa", True),
        ("# NOQA", True),
        ("# noqa: LGS201", True),
        ("# noqa:LGS201", True),
        ("# noqa : LGS201", True),
        ("# noqa: lgs201", True),
        ("# noqa: LGS2", True),
        ("# noqa: LGS", True),
        ("# noqa: LGS201, E501 the model is a fake here", True),
        ("# noqa: E501,LGS201", True),
        ("# noqa: E501 LGS201", True),
        ("# noqa: LGS201: because", True),
        ("# noqa: LGS201 - because", True),
        ("# noqa: LGS3,LGS201", True),
        ("# noqa: LGS301", False),
        ("# noqa: E501", False),
        ("# noqa: E501 and LGS201", False),
        ("# noqa: because I say so", True),  # as in flake8: no code, so everything
        ("# type: ignore[attr] # noqa: LGS201", True),
        ("# noqa: E501 # noqa: LGS201", True),
        ("# see #noqa-policy", False),
        ("# noqaish", False),
        ("# nothing about noqa: LGS201", False),
        ("# lg-stream-lint: noqa", False),  # for files, on a line of its own
        ("# flake8: noqa", False),
    ],
)
def test_comments_on_a_line(comment: str, silenced: bool) -> None:
    found = left(f"graph.invoke(x)  {comment}\n", finding("LGS201", 1), report_unused=False)
    assert codes(found) == ([] if silenced else ["LGS201"])


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# lg-stream-lint: noqa", True),
        ("#lg-stream-lint:noqa", True),
        ("# LG-Stream-Lint: NOQA", True),
        ("# lg-stream-lint: noqa: LGS201", True),
        ("# lg-stream-lint: noqa: LGS2, LGS301 the whole file is a demonstration", True),
        ("# lg-stream-lint: noqa: LGS301", False),
        ("# flake8: noqa", True),
        ("# flake8=noqa", True),
        ("# flake8: noqa: LGS201", True),
        ("# flake8: noqa: E501", False),
        ("# noqa", False),
        ("# ruff: noqa", False),
    ],
)
@pytest.mark.parametrize("place", ["first", "last", "inside"])
def test_comments_for_a_file(comment: str, silenced: bool, place: str) -> None:
    source = {
        "first": f"{comment}\n\n\ngraph.invoke(x)\n",
        "last": f"\n\n\ngraph.invoke(x)\n{comment}",
        "inside": f"\n\n\ngraph.invoke(x)\nif a:\n    {comment}\n    pass\n",
    }[place]
    assert codes(left(source, finding("LGS201", 4), report_unused=False)) == ([] if silenced else ["LGS201"])


def test_the_lines_of_a_finding_count_and_no_other() -> None:
    source = "# noqa\ngraph.invoke(  # noqa\n    x,  # noqa\n)  # noqa\n# noqa\n"
    for line, silenced in enumerate([False, True, False, True, False], start=1):
        one = "\n".join(
            text if row == line else text.replace("# noqa", "") for row, text in enumerate(source.split("\n"), 1)
        )
        assert codes(left(one, finding("LGS201", 2, 4))) == ([] if silenced else ["LGS201"]), line


@pytest.mark.parametrize(
    "source",
    [
        'text = "# noqa"\n',
        "text = '# noqa'\n",
        'text = """\n# noqa\n"""\n',
        "text = '''\n# noqa: LGS201\n'''\n",
        'text = r"\\\\"  "# noqa"\n',
        'text = "\\"# noqa"\n',
        'text = """ \\""" # noqa """\n',
        'text = """a"b""c# noqa"""\n',
        "text = 'continued \\\n# noqa'\n",
        "text = 'continued \\\r\n# noqa'\r\n",
        'text = f"{x!r:>{width}} # noqa"\n',
        'text = f"{d["key"]} # noqa"\n',
        '"""Use `# noqa: LGS201` or\n# lg-stream-lint: noqa\n"""\n',
    ],
)
def test_strings_are_no_comments(source: str) -> None:
    rows = tuple(range(1, source.count("\n") + 1))
    assert codes(left(source, finding("LGS201", *rows))) == ["LGS201"]


@pytest.mark.parametrize(
    "source",
    [
        b"graph.invoke(x)  # noqa\r\n",
        b"graph.invoke(x)  # noqa\r",
        b"\xef\xbb\xbfgraph.invoke(x)  # noqa\n",
        b"# coding: latin-1\ns = '\xe9'; graph.invoke(x)  # noqa\n",
        b"# coding: nonsense\ngraph.invoke('\xff')  # noqa\n",
        b"graph.invoke('\xff')  # noqa\n",
        "graph.invoke('é')  # noqa\n".encode(),
        b"def f(:\n graph.invoke(x)  # noqa\n",
        b"\x0cgraph.invoke(x)  # noqa",
        b"x = '''\n' # noqa\n",  # broken: an unfinished string
        b"it's = (  # noqa\n",
    ],
)
def test_any_bytes(source: bytes) -> None:
    rows = tuple(range(1, 4))
    assert left(source, finding("LGS201", *rows)) == []


def test_cr_alone_ends_a_line() -> None:
    assert codes(left(b"x  # noqa\rgraph.invoke(x)\r", finding("LGS201", 2))) == ["LGS201"]
    assert left(b"x\rgraph.invoke(x)  # noqa\r", finding("LGS201", 2)) == []


def test_comments_are_those_of_the_tokenizer() -> None:
    """The standard library is full of odd strings: the same comments, at the same places."""
    checked = 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_bytes()
        text = decode(source)
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (tokenize.TokenError, SyntaxError):
            continue
        expected = [(*token.start, token.string) for token in tokens if token.type == tokenize.COMMENT]
        starts = line_starts(text)
        found = []
        for match in re.finditer(suppression._COMMENTS, text):
            if match["comment"] is not None:
                row = text.count("\n", 0, match.start()) + 1
                found.append((row, match.start() - starts[row - 1], match["comment"]))
        assert found == expected, path
        checked += len(expected)
    assert checked > 1000


class TestUnused:
    """LGS002."""

    def test_says_what_and_where(self) -> None:
        (found,) = left("x = 1\ngraph.invoke(x)  # noqa: LGS201, LGS3 because\n")
        assert (found.code, found.name, found.severity) == ("LGS002", "unused-suppression", "warning")
        assert found.span == Span(2, 18, 2, 38)
        assert found.lines == (2,)
        assert "LGS201, LGS3" in found.message

    @pytest.mark.parametrize(
        ("comment", "expected"),
        [
            ("# noqa: LGS201", ["LGS002"]),
            ("# noqa: lgs201", ["LGS002"]),
            ("# noqa: LGS2", ["LGS002"]),
            ("# noqa: E501, LGS201", ["LGS002"]),
            ("# noqa", []),
            ("# noqa: E501", []),
            ("# noqa: because", []),
            ("# noqa: LGS201, LGS002", []),
            ("# noqa: LGS002", []),
            ("# noqa: LGS201  # noqa", []),
            ("# noqa: LGS999", []),  # nothing ran under that code
            ("# lg-stream-lint: noqa: LGS201", []),  # not on a line of its own: no directive
        ],
    )
    def test_which_comments(self, comment: str, expected: list[str]) -> None:
        assert codes(left(f"x = 1  {comment}\n")) == expected

    def test_a_prefix_covers_itself_not(self) -> None:
        (found,) = left("x = 1  # noqa: LGS\n")
        assert found.code == "LGS002"

    @pytest.mark.parametrize("comment", ["# lg-stream-lint: noqa: LGS201", "# flake8: noqa: LGS201"])
    def test_for_a_file(self, comment: str) -> None:
        (found,) = left(f"\n  {comment}\nx = 1\n")
        assert found.span == Span(2, 3, 2, 3 + len(comment))
        assert left(f"{comment}\n", finding("LGS201", 7)) == []
        assert left("# lg-stream-lint: noqa\n# flake8: noqa\n") == []

    def test_used_codes_stay_and_unused_ones_are_named(self) -> None:
        (found,) = left("x  # noqa: LGS201, LGS202\n", finding("LGS201", 1))
        assert "LGS202" in found.message
        assert "LGS201" not in found.message

    def test_two_comments_for_one_finding_are_both_in_use(self) -> None:
        assert left("# lg-stream-lint: noqa: LGS201\nx  # noqa: LGS2\n", finding("LGS201", 2)) == []

    def test_codes_that_did_not_run_are_left_alone(self) -> None:
        without = ALL - {"LGS201"}
        assert left("x  # noqa: LGS201\n", ran=without) == []
        assert left("x  # noqa: LGS2\n", ran=without) == [], "one of its rules did not run"
        assert codes(left("x  # noqa: LGS201, LGS202\n", ran=without)) == ["LGS002"]

    def test_nothing_is_said_of_a_file_that_was_not_analysed(self) -> None:
        assert codes(left("x  # noqa: LGS201\n", finding("LGS001", 3))) == ["LGS001"]

    def test_not_when_not_asked(self) -> None:
        assert left("x  # noqa: LGS201\n", report_unused=False) == []

    def test_it_stands_in_order(self) -> None:
        found = left("x  # noqa: LGS202\ny\n", finding("LGS201", 2))
        assert codes(found) == ["LGS002", "LGS201"]


def repaired(source: str, *findings: Finding) -> str:
    """The source after the repairs of the unused comments in it."""
    lines = [*source.splitlines(keepends=True), ""]
    for found in reversed(left(source, *findings)):
        if found.fix is None:
            continue
        assert found.fix.applicability == "safe"
        for edit in reversed(found.fix.edits):
            span = edit.span
            first, last = lines[span.row - 1], lines[span.end_row - 1]
            lines[span.row - 1 : span.end_row] = [first[: span.column - 1] + edit.content + last[span.end_column - 1 :]]
    return "".join(lines)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x  # noqa: LGS202\n", "x\n"),
        ("x  # noqa: LGS202  \n", "x\n"),
        ("x  # noqa: LGS202", "x"),
        ("x  # noqa: LGS202, E501\n", "x  # noqa: E501\n"),
        ("x  # noqa: E501, LGS202 because\n", "x  # noqa: E501 because\n"),
        ("x  # noqa: E501,LGS202,W503\n", "x  # noqa: E501,W503\n"),
        ("x  # noqa: E501 LGS202\n", "x  # noqa: E501\n"),
        ("x  # noqa: LGS201, LGS202\n", "x  # noqa: LGS201\n"),
        ("x  # noqa: LGS202 because it must\n", "x  # because it must\n"),
        ("x  # noqa: LGS202 - because it must\n", "x  # because it must\n"),
        ("x  # noqa: LGS202 # pragma: no cover\n", "x  # pragma: no cover\n"),
        ("x  # type: ignore # noqa: LGS202\n", "x  # type: ignore\n"),
        ("x  # type: ignore # noqa: LGS202 # pragma: no cover\n", "x  # type: ignore # pragma: no cover\n"),
        ("x  # type: ignore # noqa: LGS202 because\n", "x  # type: ignore # because\n"),
        ("x  # noqa: LGS202\r\ny\r\n", "x\r\ny\r\n"),
        ("# lg-stream-lint: noqa: LGS202\ny\n", "y\n"),
        ("  # lg-stream-lint: noqa: LGS202\r\ny\r\n", "y\r\n"),
        ("y\n# lg-stream-lint: noqa: LGS202", "y\n"),
        ("# lg-stream-lint: noqa: LGS202, LGS201\n", "# lg-stream-lint: noqa: LGS201\n"),
        ("# lg-stream-lint: noqa: LGS202 for now\ny\n", "# for now\ny\n"),
        ("'é'; x  # noqa: LGS202\n", "'é'; x\n"),
    ],
)
def test_the_repair_takes_out_what_is_unused_and_nothing_else(before: str, after: str) -> None:
    assert repaired(before, finding("LGS201", 1)) == after
    assert repaired(after, finding("LGS201", 1)) == after, "and once is enough"


APP = """\
from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    return graph.invoke(
        {"messages": []},
        debug=True,
    )
"""


@pytest.mark.parametrize(
    ("line", "comment", "expected"),
    [
        ("return graph", "# noqa: LGS201", []),
        ("    )", "# noqa", []),
        ("debug", "# noqa: LGS201", ["LGS002", "LGS201"]),
        ("@app.get", "# noqa: LGS201", ["LGS002", "LGS201"]),
        ("return graph", "# noqa: LGS202", ["LGS002", "LGS201"]),
    ],
)
def test_in_a_run(root: Path, line: str, comment: str, expected: list[str]) -> None:
    text = "".join(f"{row}  {comment}\n" if line in row else f"{row}\n" for row in APP.splitlines())
    (root / "app.py").write_text(text)
    options = ("--isolated", "--output-format", "json", "--select", "LGS0,LGS201,LGS202")
    assert sorted(entry["code"] for entry in command(*options, at=root).report) == expected


def test_unused_comments_can_be_ignored_or_not_selected(root: Path) -> None:
    (root / "app.py").write_text(
        APP.replace("graph.invoke", "await graph.ainvoke").replace("debug=True,", "# noqa: LGS201")
    )
    options = ("--isolated", "--output-format", "json")
    assert [entry["code"] for entry in command(*options, at=root).report] == ["LGS002"]
    assert command(*options, "--ignore", "LGS002", at=root).report == []
    assert command(*options, "--ignore", "LGS201", at=root).report == []
    assert command(*options, "--per-file-ignores", "app.py:LGS201", at=root).report == []
