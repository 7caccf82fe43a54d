"""The gate drops no file with a finding: what is found without it is found with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.analysis import FileResult, analyse
from lg_stream_lint.python.gate import is_test_module
from lg_stream_lint.python.project import project_of
from tests.projects import BAD, Project
from tests.variants import Rewrite, imports, modules

# What hides a framework's name from a look at the bytes of one file, or the import that leads to it.
HIDING: dict[str, Rewrite] = {
    "as it stands": lambda project: project,
    "aliased": imports.aliased,
    "over several lines": imports.over_several_lines,
    "re-exported": modules.split_and_re_exported,
    "with a star": modules.split_with_a_star,
}


def results(root: Path, *, gated: bool) -> list[FileResult]:
    """Every file of a project, with and without its gate."""
    files = sorted(str(path) for path in root.rglob("*.py"))
    return [analyse(file, Path(file).read_bytes(), project_of(file), gated=gated) for file in files]


@pytest.mark.parametrize("project", BAD, ids=lambda project: project.name)
def test_drops_no_file_with_a_finding(project: Project, root: Path) -> None:
    for name, rewrite in HIDING.items():
        rewritten = rewrite(project)
        if rewritten is None:
            continue
        below = rewritten.write(root / name)
        with_gate = [finding for result in results(below, gated=True) for finding in result.findings]
        without = [finding for result in results(below, gated=False) for finding in result.findings]
        assert with_gate == without, name


def test_drops_files_that_have_nothing_to_do_with_streams(root: Path) -> None:
    Project("other", {"other.py": b"import json\n\n\ndef f():\n    return json.loads('1')\n"}).write(root)
    assert [result.analysed for result in results(root, gated=True)] == [False]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("test_app.py", True),
        ("tests/fake_model.py", True),
        ("app/tests/fake_model.py", True),
        ("app/contests/main.py", False),
        ("app/main.py", False),
    ],
)
def test_what_tests_start_serves_nobody(root: Path, path: str, expected: bool) -> None:
    (root / "pyproject.toml").write_text("[project]\nname = 'app'\n")
    assert is_test_module(str(root / path)) is expected


def test_a_project_may_stand_below_a_folder_called_tests(root: Path) -> None:
    below = root / "tests" / "app"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[project]\nname = 'app'\n")
    assert not is_test_module(str(below / "main.py"))
