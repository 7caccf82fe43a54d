"""Whole repositories as people write them: no warning for what is right, and for one mistake the one finding that says so.

They stand in ``tests/data/deployments``, each right as it is; its ``mistakes.yaml`` says what somebody may write in place of what,
and the rule that finds it. LGS310 and LGS602 stand together: a short limit on silence and a stream without pings are repaired in
two places.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from lg_stream_lint import engine
from lg_stream_lint.config import Config
from lg_stream_lint.deploy.deployment import forget_deployments
from lg_stream_lint.finding import Severity

HERE = Path(__file__).parents[1] / "data" / "deployments"
NAMES = sorted(path.name for path in HERE.iterdir())
LIST = "mistakes.yaml"
MISTAKES = {
    f"{name}: {row['name']}": (name, row)
    for name in NAMES
    for row in yaml.safe_load((HERE / name / LIST).read_text(encoding="utf-8"))
}


def written(name: str, folder: Path) -> Path:
    """A repository, copied out."""
    shutil.copytree(HERE / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(LIST))
    (folder / ".git").mkdir()
    return folder


def codes(folder: Path) -> set[str]:
    """The rules that warn, each of them once."""
    forget_deployments()
    result = engine.run([str(folder)], Config(jobs=1))
    assert result.errors == ()
    found = [finding.code for finding in result.findings if finding.severity != Severity.INFO]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_is_not_warned_of(name: str, root: Path) -> None:
    assert codes(written(name, root)) == set()


@pytest.mark.parametrize(("name", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_one_mistake_is_one_finding(name: str, mistake: dict[str, str], root: Path) -> None:
    path = written(name, root) / mistake["file"]
    text = path.read_text(encoding="utf-8")
    assert mistake["right"] in text
    path.write_text(text.replace(mistake["right"], mistake["wrong"]), encoding="utf-8")
    found = codes(root)
    assert found - {"LGS310"} == {mistake["finds"]}
    assert "LGS310" not in found or mistake["finds"] == "LGS602"
