"""The reports: what a person reads, and what programs do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lg_stream_lint.engine import Coverage, RunResult
from lg_stream_lint.finding import Confidence, Edit, Finding, Fix, Related, Severity, Span
from lg_stream_lint.report import FORMATS, Report, coverage, render, statistics, tally
from lg_stream_lint.rules.registry import rules
from tests.need import need

DATA = Path(__file__).parent / "data"
SOURCE = """\
from fastapi import FastAPI
from app.graph import graph

app = FastAPI()


@app.get("/chat")
async def chat():
\tname = "世界é"; return graph.invoke({"messages": [name]})
"""
GRAPH = "graph = builder.compile()\n"


@pytest.fixture
def report(root: Path) -> Report:
    """A run that found one of each."""
    (root / "app").mkdir()
    (root / "app/main.py").write_text(SOURCE, encoding="utf-8")
    (root / "app/graph.py").write_text(GRAPH)
    main, graph = str(root / "app/main.py"), str(root / "app/graph.py")
    advice = Finding(
        "LGS101",
        "model-timeout-missing",
        Severity.INFO,
        Confidence.HIGH,
        "No time limit.",
        graph,
        Span(1, 9, 1, 26),
        (1,),
    )
    repairable = Finding(
        "LGS002", "unused-suppression", Severity.WARNING, Confidence.HIGH, "Unused.", main, Span(4, 1, 5, 1), (4,)
    )
    fix = Fix("safe", "Remove it", (Edit(Span(4, 1, 4, 4), ""),))
    message = "It blocks: 100% of it,\nalways."
    error = Finding(
        "LGS201", "sync-graph-call-in-async", Severity.ERROR, Confidence.MEDIUM, message, main, Span(9, 23, 9, 57), (9,)
    )
    related = Related(graph, Span(1, 1, 1, 6), "compiled here")
    findings = (advice, repairable._replace(fix=fix), error._replace(related=(related,)))
    covered = Coverage(41, 12, 7, 6, ("dynamic factory at " + str(root / "app/x.py") + ":40",))
    return Report(RunResult(findings, (), covered, ()), str(root))


def empty(root: Path, **changes: Any) -> Report:
    """A run that found nothing."""
    return Report(RunResult((), (), Coverage(**changes), ()), str(root))


def test_text(report: Report) -> None:
    assert render("text", report) == (
        """\
info[LGS101] model-timeout-missing: No time limit.
 --> app/graph.py:1:9
  |
1 | graph = builder.compile()
  |         ^^^^^^^^^^^^^^^^^
  = help: https://lg-stream-lint.readthedocs.io/en/latest/rules/LGS101/

warning[LGS002] unused-suppression: Unused.
 --> app/main.py:4:1
  |
4 | app = FastAPI()
  | ^^^^^^^^^^^^^^^
  = fix (safe): Remove it
  = help: https://lg-stream-lint.readthedocs.io/en/latest/rules/LGS002/

error[LGS201] sync-graph-call-in-async: It blocks: 100% of it,\ufffdalways.
 --> app/main.py:9:23
  |
9 |     name = "世界é"; return graph.invoke({"messages": [name]})
  |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
 ::: app/graph.py:1:1
  |
1 | graph = builder.compile()
  | ----- compiled here
  = note: medium confidence, judged by a name or by an assumed version
  = help: https://lg-stream-lint.readthedocs.io/en/latest/rules/LGS201/

41 files read, 6 handlers stream, 1 not followed: dynamic factory at app/x.py:40. \
1 error, 1 warning, 1 advice in 2 files.
"""
    )


def test_text_in_colour_says_the_same(report: Report) -> None:
    colored = render("text", report._replace(color=True))
    assert colored != render("text", report)
    assert re.sub("\033\\[[0-9;]*m", "", colored) == render("text", report)


def test_text_quietly_is_findings_only(report: Report, root: Path) -> None:
    assert "files read" not in render("text", report._replace(quiet=True))
    assert render("text", empty(root)._replace(quiet=True)) == ""


def test_text_of_odd_places(root: Path) -> None:
    path = root / "x.py"
    path.write_text("a = 1\n\n" + "x" * 500 + "\n\033[31mred\n")

    def shown(*span: int) -> list[str]:
        finding = Finding("LGS201", "n", "error", "high", "M.", str(path), Span(*span), (span[0],))
        report = empty(root)._replace(quiet=True)
        result = report.result._replace(findings=(finding,))
        return render("text", report._replace(result=result)).splitlines()[2:-1]

    assert shown(2, 1, 2, 1) == []  # an empty line
    assert shown(99, 1, 99, 5) == []  # a line that is not there any more
    assert shown(1, 6, 1, 6) == ["  |", "1 | a = 1", "  |      ^"]
    assert shown(4, 1, 4, 2)[1] == "4 | \ufffd[31mred"
    _, code, marks = shown(3, 300, 3, 305)
    assert code.startswith("3 | ...xxx")
    assert code.endswith("xxx...")
    assert len(code) < 200
    assert marks.count("^") == 5
    assert shown(3, 300, 3, 500)[2].endswith("^")


def test_concise(report: Report) -> None:
    assert render("concise", report).splitlines() == [
        "app/graph.py:1:9: LGS101 No time limit.",
        "app/main.py:4:1: LGS002 Unused.",
        "app/main.py:9:23: LGS201 It blocks: 100% of it,\ufffdalways.",
        "41 files read, 6 handlers stream, 1 not followed: dynamic factory at app/x.py:40. "
        "1 error, 1 warning, 1 advice in 2 files.",
    ]


def test_json(report: Report) -> None:
    entries = json.loads(render("json", report))
    assert entries[1:] == [
        {
            "code": "LGS002",
            "name": "unused-suppression",
            "severity": "warning",
            "confidence": "high",
            "message": "Unused.",
            "filename": "app/main.py",
            "location": {"row": 4, "column": 1},
            "end_location": {"row": 5, "column": 1},
            "related": [],
            "fix": {
                "applicability": "safe",
                "message": "Remove it",
                "edits": [
                    {"location": {"row": 4, "column": 1}, "end_location": {"row": 4, "column": 4}, "content": ""}
                ],
            },
            "url": "https://lg-stream-lint.readthedocs.io/en/latest/rules/LGS002/",
        },
        {
            "code": "LGS201",
            "name": "sync-graph-call-in-async",
            "severity": "error",
            "confidence": "medium",
            "message": "It blocks: 100% of it,\nalways.",
            "filename": "app/main.py",
            "location": {"row": 9, "column": 23},
            "end_location": {"row": 9, "column": 57},
            "related": [
                {"filename": "app/graph.py", "location": {"row": 1, "column": 1}, "message": "compiled here"}
            ],
            "fix": None,
            "url": "https://lg-stream-lint.readthedocs.io/en/latest/rules/LGS201/",
        },
    ]  # fmt: skip
    assert json.loads(render("json", empty(Path("/")))) == []


def test_names_of_files_elsewhere_are_absolute(report: Report) -> None:
    there = report._replace(directory=str(Path(report.directory) / "app"))
    assert {entry["filename"] for entry in json.loads(render("json", there))} == {"graph.py", "main.py"}
    elsewhere = report._replace(directory=report.directory + "/ap")  # no folder of theirs, but a prefix of it
    assert json.loads(render("json", elsewhere))[0]["filename"] == f"{report.directory}/app/graph.py"
    above = report._replace(directory="/")
    assert json.loads(render("json", above))[0]["filename"] == f"{report.directory}/app/graph.py"[1:]


def test_github(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    assert render("github", report).splitlines() == [
        "::error file=app/main.py,line=9,col=23,endLine=9,endColumn=57,title=LGS201 (sync-graph-call-in-async)"
        "::It blocks: 100%25 of it,%0Aalways.",
        "::warning file=app/main.py,line=4,endLine=5,title=LGS002 (unused-suppression)::Unused.",
        "::notice file=app/graph.py,line=1,col=9,endLine=1,endColumn=26,title=LGS101 (model-timeout-missing)"
        "::No time limit.",
    ]
    assert render("github", empty(Path("/"))) == ""


def test_github_names_files_from_the_checkout(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", report.directory)
    below = report._replace(directory=report.directory + "/app")
    assert "file=app/main.py," in render("github", below)


def test_github_escapes_what_would_end_a_property(root: Path) -> None:
    path = str(root / "a,b:c%\n.py")
    finding = Finding("LGS201", "n", "error", "high", "M.", path, Span(1, 1, 1, 2), (1,))
    report = empty(root)
    written = render("github", report._replace(result=report.result._replace(findings=(finding,))))
    assert written.startswith("::error file=a%2Cb%3Ac%25%0A.py,line=1,")


class TestSarif:
    """SARIF 2.1.0."""

    def run(self, report: Report) -> dict[str, Any]:
        """The only run of a report that keeps to the standard."""
        need("jsonschema")
        import jsonschema

        document = json.loads(render("sarif", report))
        schema = json.loads((DATA / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
        jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
        (run,) = document["runs"]
        assert isinstance(run, dict)
        return run

    def test_rules(self, report: Report) -> None:
        run = self.run(report)
        written = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
        assert list(written) == list(rules())
        levels = {"error": "error", "warning": "warning", "info": "note"}
        for code, info in rules().items():
            assert written[code]["defaultConfiguration"]["level"] == levels[info.severity]
            assert written[code]["helpUri"].endswith(f"/rules/{code}/")
            assert written[code]["fullDescription"]["text"]
        for result in run["results"]:
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]

    def test_results(self, report: Report) -> None:
        result = self.run(report)["results"][2]
        assert (result["ruleId"], result["level"]) == ("LGS201", "error")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "app/main.py", "uriBaseId": "SRCROOT"}
        assert place["region"] == {"startLine": 9, "startColumn": 23, "endLine": 9, "endColumn": 57}
        (related,) = result["relatedLocations"]
        assert related["message"]["text"] == "compiled here"
        assert related["physicalLocation"]["artifactLocation"]["uri"] == "app/graph.py"
        assert self.run(report)["columnKind"] == "unicodeCodePoints"

    def test_fixes(self, report: Report) -> None:
        (fix,) = self.run(report)["results"][1]["fixes"]
        assert fix["description"]["text"] == "Remove it"

    def test_paths_are_relative_to_the_repository(self, report: Report) -> None:
        (Path(report.directory) / ".git").mkdir()
        below = report._replace(directory=report.directory + "/app")
        run, same = self.run(below), self.run(report)
        assert run["results"] == same["results"], "wherever the run was started"
        assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == f"file://{report.directory}/"

    def test_odd_names(self, root: Path) -> None:
        paths = [str(root / "a b/ä%#?.py"), "/elsewhere/x.py"]
        findings = tuple(Finding("LGS201", "n", "error", "high", "M.", path, Span(1, 1, 1, 2), (1,)) for path in paths)
        report = empty(root)
        run = self.run(report._replace(result=report.result._replace(findings=findings)))
        uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]]
        assert uris == ["a%20b/%C3%A4%25%23%3F.py", "file:///elsewhere/x.py"]

    def test_nothing_found_and_something_broken(self, root: Path) -> None:
        report = empty(root, files_read=3)
        assert self.run(report)["results"] == []
        assert self.run(report)["invocations"][0]["executionSuccessful"] is True
        broken = report._replace(result=report.result._replace(errors=("LGS201 failed in x.py",), warnings=("odd",)))
        invocation = self.run(broken)["invocations"][0]
        assert invocation["executionSuccessful"] is False
        assert [note["level"] for note in invocation["toolExecutionNotifications"]] == ["note", "warning", "error"]

    def fingerprints(self, root: Path, source: str, *rows: int) -> list[str]:
        """The fingerprints of findings on some lines of a file."""
        path = root / "x.py"
        path.write_text(source)
        findings = tuple(
            Finding("LGS201", "n", "error", "high", "M.", str(path), Span(row, 1, row, 2), (row,)) for row in rows
        )
        report = empty(root)
        run = self.run(report._replace(result=report.result._replace(findings=findings)))
        found = []
        for result in run["results"]:
            (fingerprint,) = result["partialFingerprints"].values()
            found.append(fingerprint)
        return found

    def test_fingerprints_survive_edits_elsewhere(self, root: Path) -> None:
        before = self.fingerprints(root, "a()\nb()\na()\n", 1, 2, 3)
        assert len(set(before)) == 3, "two alike are two"
        assert self.fingerprints(root, "\n\nif x:\n    a()\n    b( )\n    a()\n", 4, 6) == [before[0], before[2]]
        assert self.fingerprints(root, "c()\n", 1)[0] not in before


class TestSummary:
    """What the last line says."""

    @pytest.mark.parametrize(
        ("covered", "expected"),
        [
            ({}, "0 files read, 0 handlers stream."),
            ({"files_read": 1, "handlers": 1, "streaming_handlers": 1}, "1 file read, 1 handler streams."),
            ({"files_read": 2, "handlers": 3}, "2 files read, none of 3 handlers streams."),
            (
                {"files_read": 2, "unreadable": ("/p/a.py: no",), "too_large": ("/p/b.py", "/q/c.py")},
                "2 files read, 0 handlers stream, 1 not readable: a.py: no, 2 over 5 MB and not read: b.py; /q/c.py.",
            ),
            (
                {"not_followed": tuple(f"/p/x.py:{row}" for row in range(1, 6))},
                "0 files read, 0 handlers stream, "
                "5 not followed: x.py:1; x.py:2; x.py:3; and 2 more (--verbose lists them).",
            ),
        ],
    )
    def test_coverage(self, covered: dict[str, Any], expected: str) -> None:
        assert coverage(empty(Path("/p"), **covered)) == expected

    def test_verbosely(self) -> None:
        rows = tuple(f"/p/x.py:{row}" for row in range(1, 6))
        text = coverage(empty(Path("/p"), files_analysed=4, not_followed=rows)._replace(verbose=True))
        assert "4 analysed" in text
        assert "x.py:5." in text

    def test_nothing_found_is_never_all(self, root: Path) -> None:
        assert tally(empty(root)) == "No findings."
        assert render("text", empty(root, files_read=2)) == "2 files read, 0 handlers stream. No findings.\n"


def test_statistics(report: Report, root: Path) -> None:
    findings = (*report.findings, report.findings[2])
    twice = report._replace(result=report.result._replace(findings=findings))
    lines = statistics.render(twice, as_json=False).splitlines()
    assert lines[:3] == [
        "2  LGS201  error    sync-graph-call-in-async",
        "1  LGS002  warning  unused-suppression",
        "1  LGS101  info     model-timeout-missing",
    ]
    assert lines[3].startswith("41 files read")
    entries = json.loads(statistics.render(twice, as_json=True))
    assert entries[0] == {"code": "LGS201", "name": "sync-graph-call-in-async", "severity": "error", "count": 2}
    assert statistics.render(empty(root)._replace(quiet=True), as_json=False) == ""
    assert json.loads(statistics.render(empty(root), as_json=True)) == []


def test_standard_input_is_shown_from_what_was_read(root: Path) -> None:
    path = str(root / "-")
    finding = Finding("LGS201", "n", "error", "high", "M.", path, Span(1, 1, 1, 4), (1,))
    report = Report(RunResult((finding,), (), Coverage(), ()), str(root), sources=((path, b"abc\n"),))
    assert "1 | abc\n" in render("text", report)
    assert " --> -:1:1\n" in render("text", report)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_bears_a_file_that_has_gone(name: str, root: Path) -> None:
    path = str(root / "gone-\udcff.py")
    finding = Finding("LGS201", "n", "error", "high", "M.", path, Span(1, 1, 1, 4), (1,))
    report = empty(root)
    text = render(name, report._replace(result=report.result._replace(findings=(finding,))))
    assert "LGS201" in text
