"""The command: its options, its exit codes, and what goes where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lg_stream_lint import __version__, cli, engine
from lg_stream_lint.config import Config
from lg_stream_lint.engine import Coverage, RunResult
from lg_stream_lint.finding import Finding, Span
from lg_stream_lint.rules.registry import rules
from tests.fronts import command, process

APP = """\
from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    return graph.invoke({"messages": []})
"""

OPTIONS = """
--output-format --select --ignore --extend-select --extend-ignore --per-file-ignores --pedantic --exit-zero --config
--isolated --exclude --extend-exclude --force-exclude --no-gitignore --explain --list-rules --show-settings --statistics
--jobs --quiet --verbose --color --version --stdin-filename
"""


@pytest.fixture
def project(root: Path) -> Path:
    """A project with one mistake, in a repository of its own."""
    (root / ".git").mkdir()
    (root / "app.py").write_text(APP)
    return root


Stub = Callable[..., None]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Makes the engine give what a test needs."""

    def set_result(
        *severities: str, errors: tuple[str, ...] = (), warnings: tuple[str, ...] = (), files: int = 1
    ) -> None:
        def run(paths: list[str], config: Config, *, stdin: tuple[str, bytes] | None = None) -> RunResult:
            del paths, stdin
            path = os.path.join(os.getcwd(), "app.py")
            findings = [
                Finding("LGS201", "sync-graph-call-in-async", severity, "high", "Wrong.", path, Span(1, 1, 1, 5), (1,))
                for severity in severities
            ]
            shown = tuple(finding for finding in findings if config.shows(finding))
            return RunResult(shown, errors, Coverage(files_read=files), warnings)

        monkeypatch.setattr(engine, "run", run)

    return set_result


class TestExitCode:
    """0, 1 or 2."""

    @pytest.mark.parametrize(
        ("severities", "options", "expected"),
        [
            ([], [], 0),
            (["error"], [], 1),
            (["warning"], [], 1),
            (["info"], [], 0),
            (["info"], ["--pedantic"], 1),
            (["info"], ["--select", "LGS201"], 0),
            (["error"], ["--exit-zero"], 0),
            (["error"], ["--ignore", "LGS201"], 0),
        ],
    )
    def test_of_findings(
        self, project: Path, stub: Stub, severities: list[str], options: list[str], expected: int
    ) -> None:
        stub(*severities)
        assert command(*options, at=project).code == expected

    @pytest.mark.parametrize("options", [[], ["--exit-zero"], ["--quiet"]])
    def test_of_an_internal_error_with_all_findings_printed(
        self, project: Path, stub: Stub, options: list[str]
    ) -> None:
        stub("error", errors=("LGS301 failed in /p/x.py: KeyError: 'x'",))
        answer = command(*options, at=project)
        assert answer.code == 2
        assert "error[LGS201]" in answer.out
        (line,) = [line for line in answer.err.splitlines() if "LGS301" in line]
        assert "/p/x.py" in line

    def test_of_a_crash(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def run(*_: object, **__: object) -> RunResult:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr(engine, "run", run)
        answer = command(at=project)
        assert (answer.code, answer.out) == (2, "")
        assert "internal error: ZeroDivisionError: by zero" in answer.err
        assert "Traceback" not in answer.err
        assert "Traceback" in command("--verbose", at=project).err

    def test_of_an_interruption(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def run(*_: object, **__: object) -> RunResult:
            raise KeyboardInterrupt

        monkeypatch.setattr(engine, "run", run)
        assert command(at=project).code == 130

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["nowhere.py"], "nowhere.py: no such file or folder"),
            (["app.py", "nowhere", "--exit-zero"], "nowhere: no such file or folder"),
            (["--select", "LGX"], '--select: no rule has a code that begins with "LGX"'),
            (["--select", "LGS20!"], '--select: no rule has a code that begins with "LGS20!"; did you mean "LGS20'),
            (["--per-file-ignores", "LGS201"], "--per-file-ignores: 'LGS201' is not PATTERN:CODES"),
            (["--per-file-ignores", "a.py:"], "--per-file-ignores: 'a.py:' is not PATTERN:CODES"),
            (["--per-file-ignores", "a.py:E501"], '--per-file-ignores: no rule has a code that begins with "E501"'),
            (["--config", "nowhere.toml"], "nowhere.toml: cannot be read"),
            (["--config", "a.toml", "--isolated"], "not allowed with argument"),
            (["--quiet", "--verbose"], "not allowed with argument"),
            (["--output-format", "xml"], "invalid choice"),
            (["--statistics", "--output-format", "sarif"], "--statistics has no sarif format"),
            (["--jobs", "-1"], "must be a whole number"),
            (["--jobs", "many"], "must be a whole number"),
            (["--nonsense"], "unrecognized arguments: --nonsense"),
            (["--ver"], "unrecognized arguments: --ver"),
            (["-", "app.py"], "- (standard input) must be the only path"),
            (["--stdin-filename", "x.py", "app.py"], "--stdin-filename goes with -"),
            (["--explain", "LGS2O1"], "no rule is called 'LGS2O1'; did you mean \"LGS201\"?"),
            (["--explain", "sync-graph-call"], 'did you mean "sync-graph-call-in-async"?'),
        ],
    )
    def test_of_wrong_usage(self, project: Path, arguments: list[str], expected: str) -> None:
        answer = command(*arguments, at=project)
        assert (answer.code, answer.out) == (2, "")
        assert expected in answer.err
        assert "Traceback" not in answer.err

    def test_of_a_broken_configuration(self, project: Path) -> None:
        (project / "pyproject.toml").write_text("[tool.lg-stream-lint]\nselect = [\n'LGS'\n")
        answer = command("--exit-zero", at=project)
        assert answer.code == 2
        assert f"{project / 'pyproject.toml'}:" in answer.err
        assert "not valid TOML" in answer.err

    def test_of_a_wrong_configuration(self, project: Path) -> None:
        (project / "pyproject.toml").write_text("[tool.lg-stream-lint]\njobs = 1\nselekt = []\n")
        answer = command(at=project)
        assert answer.code == 2
        assert f'{project / "pyproject.toml"}:3: unknown setting "selekt"; did you mean "select"?' in answer.err


class TestStreams:
    """What goes to standard output and what beside it."""

    def test_text_ends_with_what_was_covered(self, project: Path, stub: Stub) -> None:
        stub(files=41)
        answer = command(at=project)
        assert answer.out == "41 files read, 0 handlers stream. No findings.\n"
        assert answer.err == ""
        stub("error", files=41)
        assert command(at=project).out.endswith("\n\n41 files read, 0 handlers stream. 1 error in 1 file.\n")

    @pytest.mark.parametrize(("name", "empty"), [("json", "[]\n"), ("github", "")])
    def test_for_programs_only_the_report(self, project: Path, stub: Stub, name: str, empty: str) -> None:
        stub(files=41, warnings=("odd",))
        answer = command("--output-format", name, at=project)
        assert answer.out == empty
        assert answer.err == "warning: odd\n41 files read, 0 handlers stream.\n"
        assert command("--output-format", name, "--quiet", at=project).err == ""

    def test_sarif_likewise(self, project: Path, stub: Stub) -> None:
        stub()
        answer = command("--output-format", "sarif", at=project)
        assert json.loads(answer.out)["version"] == "2.1.0"
        assert answer.err == "1 file read, 0 handlers stream.\n"

    def test_verbosely(self, project: Path, stub: Stub) -> None:
        stub()
        assert command("--verbose", at=project).err == "configuration: none, defaults\n"

    def test_nothing_to_analyse_is_said(self, root: Path) -> None:
        answer = command(at=root)
        assert answer.code == 0
        assert answer.err == "warning: no Python or deployment files under .\nwarning: nothing to analyse\n"
        assert answer.out == "0 files read, 0 handlers stream. No findings.\n"
        assert command("--quiet", at=root) == (0, "", "")

    @pytest.mark.parametrize(
        ("options", "environment", "expected"),
        [
            ([], {}, False),
            (["--color", "always"], {}, True),
            (["--color", "always"], {"NO_COLOR": "1"}, True),
            ([], {"FORCE_COLOR": "1"}, True),
            ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ],
    )
    def test_colour(
        self,
        project: Path,
        stub: Stub,
        monkeypatch: pytest.MonkeyPatch,
        options: list[str],
        environment: dict[str, str],
        expected: bool,
    ) -> None:
        for name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        stub("error")
        assert ("\033[" in command(*options, at=project).out) is expected

    def test_a_reader_that_has_gone(self, project: Path) -> None:
        (project / "app.py").write_text("import langgraph\n")
        running = subprocess.Popen(
            [sys.executable, "-m", "lg_stream_lint", "--list-rules"],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert running.stdout is not None
        running.stdout.close()
        _, errors = running.communicate(timeout=60)
        assert (running.returncode, errors) == (0, b"")

    def test_a_terminal_that_is_not_utf_8(self, project: Path) -> None:
        (project / "app.py").write_text(APP.replace("chat():", "chat(ä: str = '世界'):"), encoding="utf-8")
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
        answer = process("--explain", "LGS201", at=project, env=environment)
        assert (answer.code, answer.err) == (0, "")


class TestPaths:
    """What is read."""

    def test_the_working_directory_by_default(self, project: Path) -> None:
        (project / "a").mkdir()
        assert "1 file read" in command(at=project).out
        assert "0 files read" in command("a", at=project).out

    def test_options_between_paths(self, project: Path, stub: Stub) -> None:
        stub()
        assert command("app.py", "--quiet", ".", at=project).code == 0

    def test_excludes_are_relative_to_where_they_are_written(self, project: Path) -> None:
        (project / "a").mkdir()
        (project / "a/x.py").write_text("")
        (project / "pyproject.toml").write_text("[tool.lg-stream-lint]\nextend-exclude = ['/a/x.py']\n")
        assert "0 files read" in command(at=project / "a").out
        assert "2 files read" in command("--extend-exclude", "/x.py", "--isolated", at=project).out
        assert "0 files read" in command("--extend-exclude", "/x.py", "--isolated", at=project / "a").out

    def test_named_files_and_excludes(self, project: Path) -> None:
        options = ("--extend-exclude", "app.py")
        assert "1 file read" in command(*options, "app.py", at=project).out
        answer = command(*options, "--force-exclude", "app.py", at=project)
        assert (answer.code, answer.err) == (0, "warning: nothing to analyse\n")

    def test_what_git_ignores(self, project: Path) -> None:
        (project / ".gitignore").write_text("app.py\n")
        assert "0 files read" in command(at=project).out
        assert "1 file read" in command("--no-gitignore", at=project).out


class TestStandardInput:
    """``-``."""

    def test_is_read(self, project: Path) -> None:
        answer = command("-", "--output-format", "json", at=project, given=APP.encode())
        assert [(entry["filename"], entry["code"]) for entry in answer.report] == [("-", "LGS201")]
        assert answer.code == 1

    @pytest.mark.parametrize("arguments", [["-", "--stdin-filename", "new.py"], ["--stdin-filename", "new.py"]])
    def test_has_a_name(self, project: Path, arguments: list[str]) -> None:
        answer = command(*arguments, "--output-format", "json", at=project, given=APP.encode())
        assert [entry["filename"] for entry in answer.report] == ["new.py"]

    def test_shows_its_own_lines(self, project: Path) -> None:
        (project / "app.py").write_text("other = 1\n")
        answer = command("-", "--stdin-filename", "app.py", at=project, given=APP.encode())
        assert "10 |     return graph.invoke(" in answer.out

    def test_is_judged_by_the_configuration_of_its_name(self, project: Path) -> None:
        (project / "a").mkdir()
        (project / "a/pyproject.toml").write_text("[tool.lg-stream-lint]\nignore = ['LGS201']\n")
        assert command("-", at=project, given=APP.encode()).code == 1
        assert command("-", "--stdin-filename", "a/x.py", at=project, given=APP.encode()).code == 0

    def test_may_be_excluded(self, project: Path) -> None:
        options = ("-", "--stdin-filename", "build/x.py", "--isolated")
        assert command(*options, at=project, given=APP.encode()).code == 1
        answer = command(*options, "--force-exclude", at=project, given=APP.encode())
        assert answer.code == 0
        assert "build/x.py is excluded" in answer.err

    def test_may_be_empty_or_broken(self, project: Path) -> None:
        assert command("-", at=project, given=b"").code == 0
        answer = command(
            "-",
            at=project,
            given=b"def f(:\n",
        )
        assert answer.code == 1
        assert "LGS001" in answer.out


class TestInstead:
    """Options that print something and read nothing."""

    def test_version(self, root: Path) -> None:
        assert command("--version", at=root) == (0, f"lg-stream-lint {__version__}\n", "")

    def test_help_names_every_option(self, root: Path) -> None:
        answer = command("--help", at=root)
        for option in OPTIONS.split():
            assert option in answer.out

    def test_list_rules(self, root: Path) -> None:
        lines = command("--list-rules", at=root).out.splitlines()
        assert [line.split()[:3] for line in lines] == [[r.code, r.name, r.severity] for r in rules().values()]

    @pytest.mark.parametrize("word", ["LGS201", "lgs201", "sync-graph-call-in-async"])
    def test_explain(self, root: Path, word: str) -> None:
        answer = command("--explain", word, at=root)
        assert answer.code == 0
        assert answer.out.startswith("# LGS201 sync-graph-call-in-async\n\nerror · ")
        assert rules()["LGS201"].doc.strip() in answer.out

    def test_every_rule_can_be_explained(self, root: Path) -> None:
        for code in rules():
            assert command("--explain", code, at=root).out.startswith(f"# {code} ")

    def test_show_settings(self, project: Path) -> None:
        path = project / "pyproject.toml"
        path.write_text(
            "[tool.lg-stream-lint]\nignore = ['LGS201']\njobs = 2\n"
            "[tool.lg-stream-lint.per-file-ignores]\n'tests/' = ['LGS2']\n"
            "[tool.lg-stream-lint.extend]\nmodels = ['a.B', {path = 'a.C', like = 'langchain_openai.ChatOpenAI'}]\n"
        )
        lines = command("--show-settings", "--pedantic", "--extend-exclude", "old", at=project).out.splitlines()
        assert f"# configuration file: {path}" in lines
        assert f'ignore = ["LGS201"]  # {path}' in lines
        assert "pedantic = true  # command line" in lines
        assert 'extend-exclude = ["old"]  # command line' in lines
        assert "force-exclude = false  # default" in lines
        assert '"tests/" = ["LGS2"]' in lines
        assert 'models = ["a.B", {path = "a.C", like = "langchain_openai.ChatOpenAI"}]' in lines
        running = lines[-1].removeprefix("# rules that run: ").split(", ")
        assert running == [code for code in rules() if code != "LGS201"]

    def test_statistics(self, project: Path, stub: Stub) -> None:
        stub("error", "error")
        answer = command("--statistics", at=project)
        assert answer.code == 1
        assert answer.out.splitlines()[0] == "2  LGS201  error    sync-graph-call-in-async"
        answer = command("--statistics", "--output-format", "json", at=project)
        assert answer.report[0]["count"] == 2


def test_per_file_ignores(project: Path) -> None:
    def codes(option: str) -> list[str]:
        report = command("--output-format", "json", "--per-file-ignores", option, at=project).report
        return [entry["code"] for entry in report]

    assert codes("app.py:LGS201") == []
    assert codes("tests/:LGS1,LGS201,app.py:LGS2") == []
    assert codes("app.py:LGS1,tests/:LGS201") == ["LGS201"]
    assert codes("!tests/:LGS201") == []


def test_the_number_of_processes_changes_nothing(project: Path) -> None:
    filler = "# filler\n" * 5000
    for number in range(12):
        (project / f"app{number}.py").write_text(APP + filler)
    one, two = (command("--jobs", jobs, "--output-format", "json", at=project) for jobs in ("1", "2"))
    assert one == two
    assert len(one.report) == 13


@pytest.mark.parametrize("program", [(), (sys.executable, "-m", "lg_stream_lint")])
def test_in_a_process_of_its_own(program: tuple[str, ...], project: Path) -> None:
    answer = process("--output-format", "concise", at=project, program=program)
    assert answer.code == 1
    assert answer.out.startswith("app.py:10:12: LGS201 ")
    assert answer == command("--output-format", "concise", at=project)
    assert process("--exit-zero", at=project, program=program).code == 0
    assert process("--no-such-option", at=project, program=program).code == 2


def test_a_run_that_is_interrupted(project: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "lg_stream_lint", "-"], cwd=project, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode in {130, -signal.SIGINT}
    assert b"internal error" not in errors


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_children_stop_with_their_parent(how: signal.Signals) -> None:
    work = (
        "import time\n"
        "from lg_stream_lint.parallel import run_forked\n"
        "print('begun', flush=True)\n"
        "run_forked(lambda path: time.sleep(0.2), ['x'] * 600, 2)\n"
    )
    running = subprocess.Popen([sys.executable, "-c", work], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert running.stdout is not None
    running.stdout.readline()
    time.sleep(0.5)
    running.send_signal(how)
    running.communicate(timeout=20)  # the pipe is closed when the last process that holds it has ended


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], {"libcst", "yaml", "json", "tomllib", "importlib.metadata", "lg_stream_lint.engine"}),
        (["empty"], {"libcst", "yaml", "json", "tomllib", "importlib.metadata", "dataclasses", "tokenize", "difflib"}),
    ],
)
def test_imports_nothing_that_it_does_not_use(project: Path, arguments: list[str], unwanted: set[str]) -> None:
    (project / "empty").mkdir()
    program = (
        "import sys\n"
        "from lg_stream_lint.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(sorted(sys.modules))\n"
    )
    answer = process(*arguments, at=project, program=(sys.executable, "-I", "-S", "-c", _with_path(program)))
    assert answer.err in {"", "warning: no Python or deployment files under empty\nwarning: nothing to analyse\n"}
    loaded = set(json.loads(answer.out.splitlines()[-1].replace("'", '"')))
    assert loaded & unwanted == set()


def _with_path(program: str) -> str:
    """The program for a Python without site-packages: nothing but ours and what we import is loaded."""
    return f"import sys\nsys.path.insert(0, {str(Path(cli.__file__).parent.parent)!r})\n{program}"
