"""ruff beside us: it keeps our comments, finds nothing in the package, and leaves the fixtures as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.need import need
from tests.projects import FIXTURES, ROOT

SUPPRESSED = """\
from langgraph.graph import StateGraph


def chat(builder: StateGraph) -> None:
    builder.compile()  # noqa: LGS201
    builder.compile()  # noqa: LGS201, E501 and a reason
"""
EXTERNAL = '[lint]\nexternal = ["LGS"]\n'


def ruff(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    """ruff, as it is installed."""
    need("ruff")
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], cwd=at, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("selection", ["RUF100", "RUF102", "ALL"])
def test_keeps_our_comments_when_it_knows_our_codes(selection: str, root: Path) -> None:
    (root / "ruff.toml").write_text(EXTERNAL)
    (root / "chat.py").write_text(SUPPRESSED)
    ruff("check", "--fix", "--unsafe-fixes", "--preview", "--no-cache", "--select", selection, "chat.py", at=root)
    assert (root / "chat.py").read_text().count("LGS201") == 2


def test_removes_them_when_it_does_not(root: Path) -> None:
    """Why the README begins with that line; when this fails, the advice can go."""
    (root / "ruff.toml").write_text("")
    (root / "chat.py").write_text(SUPPRESSED)
    ruff("check", "--fix", "--preview", "--no-cache", "--select", "RUF100,RUF102", "chat.py", at=root)
    assert "LGS201" not in (root / "chat.py").read_text()


def test_finds_nothing_in_the_project() -> None:
    checked = ruff("check", "--no-cache", ".", at=ROOT)
    assert checked.returncode == 0, checked.stdout


def test_would_not_reformat_anything() -> None:
    checked = ruff("format", "--check", "--no-cache", ".", at=ROOT)
    assert checked.returncode == 0, checked.stdout


def test_formats_the_fixtures_too() -> None:
    """They are left out of the checks, since they are wrong on purpose, but not of what the formatter reads."""
    formatted = ruff("format", "--check", "--no-cache", "fixtures", at=ROOT)
    assert f"{len(list(FIXTURES.rglob('*.py')))} files already formatted" in formatted.stdout
