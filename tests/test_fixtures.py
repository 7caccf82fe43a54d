"""Every fixture, read by every front end, as it stands and written another way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lg_stream_lint.rules.registry import rules
from tests import fronts
from tests.fronts import Found
from tests.projects import BAD, FIXTURES, GOOD, PROJECTS, Place, Project
from tests.variants import SAME_FINDINGS, Rewrite, programs

# What flake8 reports itself (LGS001), or what only the command can know (LGS002).
STANDALONE = frozenset({"LGS001", "LGS002"})
# Rules about asynchronous code: the same program written without asyncio has none of these failures …
ASYNCHRONOUS = frozenset(rule.code for rule in rules().values() if not rule.independent_of_async)
# … the keywords alone are enough for these; `for … in graph.astream()` stays wrong in a `def`.
ON_THE_EVENT_LOOP = ASYNCHRONOUS & {"LGS201", "LGS204"}

every = pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
bad = pytest.mark.parametrize("project", BAD, ids=lambda project: project.name)


def places(found: list[Found]) -> Counter[Place]:
    """The findings without their columns, which marks do not know."""
    return Counter(finding.place for finding in found)


@every
def test_finds_what_the_marks_expect(project: Project, root: Path) -> None:
    assert places(fronts.by_engine(project.write(root), project.advice)) == project.expected


@bad
def test_a_bad_fixture_expects_its_own_code(project: Project) -> None:
    assert project.code in {place.code for place in project.expected}


@pytest.mark.parametrize("project", GOOD, ids=lambda project: project.name)
def test_a_good_fixture_expects_nothing(project: Project) -> None:
    assert not project.expected


@every
@pytest.mark.parametrize("front", [fronts.by_command, fronts.by_standard_input, fronts.by_flake8])
def test_front_ends_agree_to_the_column(front: fronts.Front, project: Project, root: Path) -> None:
    found = fronts.by_engine(project.write(root), project.advice)
    if front is fronts.by_flake8:
        found = [finding for finding in found if finding.code not in STANDALONE]
    assert front(root, project.advice) == found


def test_a_process_of_its_own_agrees(root: Path) -> None:
    """All fixtures side by side, once with one process and once with several, as a user starts the command."""
    expected: list[Found] = []
    for project in PROJECTS:
        below = project.write(root / project.name)
        expected += [found._replace(file=f"{project.name}/{found.file}") for found in fronts.by_engine(below)]
    for jobs in "1", "3":
        answer = fronts.process("--isolated", "--jobs", jobs, "--output-format", "json", ".", at=root)
        assert answer.code == 1, answer.err
        assert fronts.from_report(answer.report) == sorted(expected)


def test_fixtures_can_be_read_where_they_lie() -> None:
    """The command of the README reads them in place, where all share one root.

    What holds for a whole project (a middleware, `nest_asyncio`) then holds for every fixture, so no more is asked than
    that failures are found and that nothing fails inside.
    """
    answer = fronts.command("--isolated", "--output-format", "json", ".", at=FIXTURES)
    found = places(fronts.from_report(answer.report))
    assert answer.code == 1, answer.err
    assert {place.code for place in found} >= {
        "LGS101",
        "LGS201",
        "LGS202",
        "LGS203",
        "LGS204",
        "LGS301",
        "LGS401",
        "LGS403",
    }


@every
def test_another_way_to_write_it(project: Project, root: Path) -> None:
    """All variants in one test, as there are thousands of them: the failure names the variant and what differs."""
    wrong = {}
    for name, rewrite in SAME_FINDINGS.items():
        rewritten = rewrite(project)
        if rewritten is None:
            continue  # nothing in it can be written this way
        found = places(fronts.by_engine(rewritten.write(root / name), project.advice))
        if found != rewritten.expected:
            wrong[name] = {"missed": rewritten.expected - found, "not expected": found - rewritten.expected}
    assert wrong == {}


@pytest.mark.parametrize("rewrite", SAME_FINDINGS.values(), ids=SAME_FINDINGS.keys())
def test_every_variant_rewrites_some_fixtures(rewrite: Rewrite) -> None:
    assert sum(rewrite(project) is not None for project in BAD) >= 3


@bad
def test_silent_without_the_frameworks(project: Project, root: Path) -> None:
    rewritten = programs.without_frameworks(project)
    assert rewritten is not None
    found = fronts.by_engine(rewritten.write(root), project.advice)
    assert [finding for finding in found if finding.code not in STANDALONE] == []


@bad
@pytest.mark.parametrize(
    ("rewrite", "silent"),
    [(programs.without_async, ON_THE_EVENT_LOOP), (programs.synchronous_twin, ASYNCHRONOUS)],
    ids=["without async", "synchronous twin"],
)
def test_silent_without_the_event_loop(rewrite: Rewrite, silent: frozenset[str], project: Project, root: Path) -> None:
    rewritten = rewrite(project)
    if rewritten is None:
        return  # nothing asynchronous in it
    found = fronts.by_engine(rewritten.write(root), project.advice)
    assert [finding for finding in found if finding.code in silent] == []
