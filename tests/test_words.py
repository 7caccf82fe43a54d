"""Hygiene of what is committed: nothing of the machine it was written on, no unfinished sentences."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.projects import ROOT

# Folders of somebody's machine; paths in examples begin with app/ or path/to/.
MACHINE = re.compile(r"(?<![\w.\-/~])/(?:root|home|Users|work|mnt)/\w")
ALLOWED = {"tests/test_words.py"}


def committed() -> list[str]:
    """Files that git knows, or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not in a checkout")
    return [name for name in listed.stdout.splitlines() if name not in ALLOWED and (ROOT / name).is_file()]


def test_names_no_machine() -> None:
    found = [name for name in committed() if MACHINE.search((ROOT / name).read_text("utf-8", errors="replace"))]
    assert found == []


def test_ends_lines_as_the_others_do() -> None:
    for name in committed():
        content = (ROOT / name).read_bytes()
        assert b"\r" not in content, name
        assert not content or content.endswith(b"\n"), f"{name} does not end with a line end"
