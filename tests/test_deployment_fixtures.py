"""The fixtures of the rules over settings: whole small projects, read by every front end and written another way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import fronts
from tests.fronts import Found
from tests.projects import DEPLOYED, LIST, Place, Project

every = pytest.mark.parametrize("project", DEPLOYED, ids=lambda project: project.name)


def places(found: list[Found]) -> Counter[Place]:
    """The findings without their columns, which marks do not know."""
    return Counter(finding.place for finding in found)


@every
def test_finds_what_the_marks_expect(project: Project, root: Path) -> None:
    assert places(fronts.by_engine(project.write(root), project.advice)) == project.expected


@every
def test_bad_fixtures_expect_their_own_code_and_good_ones_nothing(project: Project) -> None:
    expected = {place.code for place in project.expected}
    assert project.code in expected if project.bad else not expected


@every
@pytest.mark.parametrize("front", [fronts.by_command, fronts.by_standard_input])
def test_front_ends_agree_to_the_column(front: fronts.Front, project: Project, root: Path) -> None:
    found = fronts.by_engine(project.write(root), project.advice)
    assert front(root, project.advice) == found


@every
def test_flake8_reports_what_stands_in_python_files(project: Project, root: Path) -> None:
    found = fronts.by_engine(project.write(root), project.advice)
    assert fronts.by_flake8(root, project.advice) == [finding for finding in found if finding.file.endswith(".py")]


def _crlf(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _marked(content: bytes) -> bytes:
    return b"\xef\xbb\xbf" + content.removeprefix(b"\xef\xbb\xbf")


@every
@pytest.mark.parametrize("rewrite", [_crlf, _marked], ids=["CRLF", "byte order mark"])
def test_another_way_to_write_it(rewrite: Callable[[bytes], bytes], project: Project, root: Path) -> None:
    rewritten = project.with_files({p: c if p == LIST else rewrite(c) for p, c in project.files.items()})
    assert places(fronts.by_engine(rewritten.write(root), project.advice)) == project.expected


@every
def test_one_file_is_judged_with_its_whole_project(project: Project, root: Path) -> None:
    """As a hook calls the command: with the one file that changed."""
    project.write(root)
    for place in project.expected:
        answer = fronts.command("--isolated", "--output-format", "json", "--pedantic", place.file, at=root)
        assert place in {found.place for found in fronts.from_report(answer.report)}
