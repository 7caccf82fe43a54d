"""Every finding in every fixture, advice included: for tests about what findings have in common."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lg_stream_lint.config import load
from lg_stream_lint.engine import run
from lg_stream_lint.finding import Finding
from tests.projects import PROJECTS, Project


class Located(NamedTuple):
    """A finding and the fixture that it was made in."""

    fixture: str
    finding: Finding

    def __str__(self) -> str:
        return f"{self.fixture}:{self.finding.span.row}: {self.finding.code} {self.finding.message}"


def found_in(project: Project, root: Path) -> tuple[Finding, ...]:
    """What the engine finds in a project that is written below ``root``."""
    settings = load(str(project.write(root)), isolated=True)._replace(pedantic=True, jobs=1)
    result = run([str(root)], settings)
    assert result.errors == ()
    return result.findings


@cache
def everywhere() -> tuple[Located, ...]:
    """The findings in all fixtures, worked out once per process."""
    found: list[Located] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, project in enumerate(PROJECTS):
            root = Path(folder).resolve() / str(number)
            root.mkdir()
            found.extend(Located(project.name, finding) for finding in found_in(project, root))
    return tuple(found)
