"""The plugin: the same findings at the same places, and never an error of its own."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lg_stream_lint import __version__, engine, flake8_plugin
from lg_stream_lint.config import Config
from lg_stream_lint.finding import Finding, Span
from tests.fronts import Answer, command
from tests.need import need

APP = """\
from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    return graph.invoke({"messages": []})
"""
SILENCED = APP.replace("[]})\n", "[]})  # noqa: LGS201\n")


@pytest.fixture(autouse=True)
def _flake8() -> None:
    need("flake8")


@pytest.fixture
def project(root: Path) -> Path:
    """A project with one mistake, in a repository of its own."""
    (root / ".git").mkdir()
    (root / "app.py").write_text(APP)
    return root


def flake8(*arguments: str, at: Path, given: bytes = b"") -> Answer:
    """flake8 as a user starts it, with what it finds itself left out of the way."""
    run = subprocess.run(
        [sys.executable, "-m", "flake8", *arguments], cwd=at, input=given, capture_output=True, check=False, timeout=120
    )
    return Answer(run.returncode, run.stdout.decode(), run.stderr.decode())


def codes(answer: Answer) -> list[str]:
    """The codes of what was found."""
    assert answer.err == ""
    return [line.split(": ", 1)[1].split()[0] for line in answer.out.splitlines()]


def by_command(path: str, at: Path, *options: str) -> list[tuple[int, int, str]]:
    """What the command finds."""
    report = command("--output-format", "json", *options, path, at=at).report
    return [(entry["location"]["row"], entry["location"]["column"], entry["code"]) for entry in report]


def by_plugin(answer: Answer) -> list[tuple[int, int, str]]:
    """What flake8 printed."""
    assert answer.err == ""
    found = []
    for line in answer.out.splitlines():
        _, row, column, rest = line.split(":", 3)
        found.append((int(row), int(column), rest.split()[0]))
    return found


def test_it_is_on_by_default(project: Path) -> None:
    answer = flake8(at=project)
    assert answer.out.startswith("./app.py:10:12: LGS201 ")
    assert codes(answer) == ["LGS201"]
    assert answer.code == 1


def test_flake8_knows_it(root: Path) -> None:
    assert f"lg-stream-lint: {__version__}" in flake8("--version", at=root).out.replace("\n", " ")
    options = flake8("--help", at=root).out
    for option in ("--lgs-pedantic", "--lgs-config", "--lgs-isolated"):
        assert option in options


@pytest.mark.parametrize(
    "source",
    [
        APP.encode(),
        b"\xef\xbb\xbf" + APP.encode(),
        APP.replace("\n", "\r\n").encode(),
        APP.replace("    return", "    'ä世界'; return").encode(),
        ("# coding: latin-1\n" + APP.replace("    return", "    'äöü'; return")).encode("latin-1"),
        APP.replace("    return", "    x = 1\n\treturn").replace("    x", "\tx").encode(),
        (APP + "\x0c\n# a form feed\n").encode(),
        APP.rstrip().encode(),
    ],
)
def test_the_same_places_as_the_command(project: Path, source: bytes) -> None:
    (project / "app.py").write_bytes(source)
    expected = by_command("app.py", project)
    assert [code for *_, code in expected] == ["LGS201"]
    assert by_plugin(flake8("--select", "LGS", at=project)) == expected
    assert by_plugin(flake8("--select", "LGS", "-", at=project, given=source)) == expected
    named = flake8("--select", "LGS", "--stdin-display-name", "app.py", "-", at=project, given=source)
    assert by_plugin(named) == expected
    assert named.out.startswith("app.py:")


def test_standard_input_is_never_read_from_disk(project: Path) -> None:
    answer = flake8("--select", "LGS", "--stdin-display-name", "app.py", "-", at=project, given=b"x = 1\n")
    assert answer == (0, "", "")


def test_several_processes(project: Path) -> None:
    for number in range(6):
        (project / f"app{number}.py").write_text(APP)
    answer = flake8("--jobs", "2", at=project)
    assert codes(answer) == ["LGS201"] * 7


class TestSuppression:
    """Ours, and flake8's on top."""

    def test_a_comment(self, project: Path) -> None:
        (project / "app.py").write_text(SILENCED)
        assert flake8("--select", "LGS", at=project) == (0, "", "")

    def test_on_the_last_line_which_flake8_does_not_know(self, project: Path) -> None:
        (project / "app.py").write_text(
            APP.replace('{"messages": []})', '\n        {"messages": []}\n    )  # noqa: LGS201')
        )
        assert flake8("--select", "LGS", at=project) == (0, "", "")

    @pytest.mark.parametrize("comment", ["# lg-stream-lint: noqa", "# flake8: noqa", "# lg-stream-lint: noqa: LGS2"])
    def test_for_a_file(self, project: Path, comment: str) -> None:
        (project / "app.py").write_text(f"{comment}\n{APP}")
        assert flake8("--select", "LGS", at=project) == (0, "", "")

    def test_unused_comments_are_for_the_command(self, project: Path) -> None:
        (project / "app.py").write_text("import langgraph\n\nprint(langgraph)  # noqa: LGS201\n")
        assert by_command("app.py", project) == [(3, 19, "LGS002")]
        assert flake8(at=project) == (0, "", "")

    def test_flake8s_own_selection(self, project: Path) -> None:
        assert codes(flake8("--extend-ignore", "LGS2", at=project)) == []
        assert codes(flake8("--select", "E", at=project)) == []
        assert codes(flake8("--per-file-ignores", "app.py:LGS", at=project)) == []
        assert codes(flake8("--select", "LGS201", at=project)) == ["LGS201"]


class TestConfiguration:
    """[tool.lg-stream-lint], and flake8's files."""

    @pytest.mark.parametrize(
        "settings",
        [
            "ignore = ['LGS201']",
            "select = ['LGS202']",
            "per-file-ignores = {'app.py' = ['LGS2']}",
            "extend-exclude = ['app.py']",
            "exclude = ['/app.py']",
        ],
    )
    def test_of_ours(self, project: Path, settings: str) -> None:
        path = project / "pyproject.toml"
        path.write_text(f"[tool.lg-stream-lint]\n{settings}\n")
        assert codes(flake8(at=project)) == []
        assert codes(flake8("--lgs-isolated", at=project)) == ["LGS201"]
        other = project / "other.toml"
        other.write_text("")
        assert codes(flake8("--lgs-config", "other.toml", at=project)) == ["LGS201"]

    def test_in_flake8s_file(self, project: Path) -> None:
        (project / "lgs.toml").write_text("ignore = ['LGS201']\n")
        (project / "setup.cfg").write_text("[flake8]\nlgs-config = ./lgs.toml\nlgs_pedantic = true\n")
        assert codes(flake8(at=project)) == []

    @pytest.mark.parametrize("text", ["selekt = []", "select = ["])
    def test_a_wrong_one_is_an_error_of_the_run(self, project: Path, text: str) -> None:
        (project / "pyproject.toml").write_text(f"[tool.lg-stream-lint]\n{text}\n")
        answer = flake8(at=project)
        assert answer.code == 1
        assert "critical error" in answer.out + answer.err
        assert f"{project / 'pyproject.toml'}:" in answer.out + answer.err
        assert "Traceback" not in answer.out + answer.err


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"def f(:\n", ["E999"]),
        (b"x = 'unfinished\n", ["E999"]),
        (b"import langgraph\x00\n", ["E999"]),
        (b"langgraph = " + b"(" * 3000 + b")" * 3000 + b"\n", ["E999"]),
        (b"", []),
        (b"import langgraph  # \xff\n", []),  # flake8 reads it as Latin-1
        (b"# coding: nonsense\nimport langgraph\n", ["LGS001"]),  # flake8 reads on, Python would not
    ],
)
def test_files_that_are_no_python(project: Path, source: bytes, expected: list[str]) -> None:
    (project / "app.py").write_bytes(source)
    answer = flake8("--select", "LGS,E9", at=project)
    assert "Traceback" not in answer.err
    found = [line.split(": ", 1)[1].split()[0] for line in answer.out.splitlines()]
    assert [code for code in found if code != "E902"] == expected


class TestAlone:
    """The class, without flake8 around it."""

    def run(self, source: str, filename: str = "app.py") -> list[tuple[int, int, str]]:
        """What the plugin yields."""
        lines = source.splitlines(keepends=True)
        plugin = flake8_plugin.Plugin(tree=ast.parse(""), filename=filename, lines=lines)
        return [(row, column, text) for row, column, text, _ in plugin.run()]

    def test_it_reads_no_file(self) -> None:
        found = self.run(APP, "/nowhere/at/all.py")
        assert [(row, column, text.split()[0]) for row, column, text in found] == [(10, 11, "LGS201")]

    def test_whatever_happens_is_one_line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fail(*_: object) -> Iterator[Finding]:
            raise RecursionError("too deep")

        monkeypatch.setattr(engine, "analyse_source", fail)
        assert self.run(APP) == []
        assert capsys.readouterr().err == "lg-stream-lint: app.py: RecursionError: too deep\n"

    def test_a_message_stays_on_its_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        finding = Finding("LGS201", "n", "error", "high", "Two\nlines.", "/x.py", Span(3, 5, 3, 6), (3,))
        monkeypatch.setattr(engine, "shown", lambda *_: (finding,))
        assert self.run("x = 1\n") == [(3, 4, "LGS201 Two lines.")]

    def test_advice_needs_to_be_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import argparse

        monkeypatch.setattr(flake8_plugin.Plugin, "config", None)
        options = argparse.Namespace(lgs_isolated=True, lgs_config="", lgs_pedantic=False)
        flake8_plugin.Plugin.parse_options(options)
        found: list[Config | None] = [flake8_plugin.Plugin.config]
        options.lgs_pedantic = True
        flake8_plugin.Plugin.parse_options(options)
        found.append(flake8_plugin.Plugin.config)
        assert [config is not None and config.pedantic for config in found] == [False, True]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("é\n", "é\n".encode()),
            ("\ufeffé\n", "é\n".encode()),
            ("# coding: latin-1\né\n", b"# coding: latin-1\n\xe9\n"),
            ("# coding: latin-1\n世\n", "# coding: latin-1\n世\n".encode()),
            ("# coding: nonsense\né\n", "# coding: nonsense\né\n".encode()),
            ("\udcff", b"\xed\xb3\xbf"),
            ("", b""),
        ],
    )
    def test_the_bytes_are_made_again(self, text: str, expected: bytes) -> None:
        assert flake8_plugin.encode(text.splitlines(keepends=True)) == expected


def test_flake8_is_no_requirement_of_the_command(project: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['flake8'] = None\n"
        "from lg_stream_lint.cli import main\n"
        "sys.exit(main(['--isolated', 'app.py']))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, check=False, env=os.environ, timeout=120
    )
    assert run.returncode in {0, 1}, run.stderr
