"""The scaffold of a rule: what it writes, and what it refuses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from lg_stream_lint import new_rule
from tests.projects import load

CODE, NAME = "LGS499", "something-wrong"
RULE = "lg_stream_lint/rules/response/lgs499_something_wrong.py"


def test_writes_the_rule_its_fixtures_and_its_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_rule.main([CODE, NAME], tmp_path) == 0
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert written == [
        "fixtures/LGS499/bad_todo_first.py",
        "fixtures/LGS499/bad_todo_second.py",
        "fixtures/LGS499/evidence.yaml",
        "fixtures/LGS499/good_todo_first.py",
        "fixtures/LGS499/good_todo_second.py",
        "fixtures/LGS499/good_todo_third.py",
        RULE,
    ]
    assert set(written) <= set(capsys.readouterr().out.splitlines())


def test_what_it_writes_is_a_start(tmp_path: Path) -> None:
    new_rule.main([CODE, NAME], tmp_path)
    names = {node.name for node in ast.walk(ast.parse((tmp_path / RULE).read_text())) if isinstance(node, ast.ClassDef)}
    assert names == {"SomethingWrong"}
    fixtures = [load(path) for path in sorted((tmp_path / "fixtures" / CODE).glob("*_*.py"))]
    assert [{place.code for place in fixture.expected} for fixture in fixtures] == [{CODE}, {CODE}, set(), set(), set()]
    assert [run["file"] for run in yaml.safe_load((tmp_path / "fixtures" / CODE / "evidence.yaml").read_text())["runs"]]
    for path in tmp_path.rglob("*.py"):
        assert "TODO" in path.read_text(), f"{path} could be taken for finished"


def test_the_rule_can_be_imported_and_runs(tmp_path: Path) -> None:
    """What is written fits the base class of the rules: a rename there fails here."""
    new_rule.main([CODE, NAME], tmp_path)
    namespace: dict[str, object] = {"__name__": "scaffold"}
    exec(compile((tmp_path / RULE).read_text(), RULE, "exec"), namespace)
    assert isinstance(namespace["SomethingWrong"], type)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage"),
        (["LGS499"], "usage"),
        (["lgs499", NAME], "LGS and three digits"),
        (["LGS4990", NAME], "LGS and three digits"),
        ([CODE, "Wrong"], "words in small letters"),
        ([CODE, "wrong_name"], "words in small letters"),
        (["LGS001", NAME], "LGS001 is taken: file-not-analysed"),
        ([CODE, "file-not-analysed"], "the name of another rule"),
        (["LGS999", NAME], "no family LGS9"),
    ],
)
def test_refuses(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_rule.main(arguments, tmp_path) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_rule.main([CODE, NAME], tmp_path)
    (tmp_path / RULE).write_text("mine")
    assert new_rule.main([CODE, NAME], tmp_path) == 2
    assert (tmp_path / RULE).read_text() == "mine"
    assert "is there already" in capsys.readouterr().err
