"""The evidence of versions: its file, the gates it must cover, and its record. Nothing is built or started here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.evidence import environments, version_gates, versions
from tests.evidence.cases import EvidenceError
from tests.evidence.environments import NotBuiltError, Pins
from tests.evidence.version_cases import VersionCase, read
from tests.evidence.version_gates import gates

CASE = {
    "code": "LGS402",
    "gate": "FastAPI knows handlers that yield from 0.134 on",
    "at": "rules/response/lgs402_yielding_handler.py >=0.134",
    "file": "fixtures/LGS402/bad_old_fastapi",
    "packages": ["uvicorn==0.54.0"],
    "sides": [
        {"packages": "fastapi==0.133.1", "shows": "HTTP 500", "expect": ["http-500"], "finds": True},
        {"packages": "fastapi==0.134.0", "shows": "lines | of JSON", "expect": ["streams"], "finds": False},
    ],
}
SEEN = {
    "status": 200,
    "media": "application/jsonl",
    "first": 0.1,
    "last": 0.8,
    "ended": 0.8,
    "others": None,
    "wrong": [],
}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    environments.interpreter.cache_clear()
    yield
    environments.interpreter.cache_clear()


def read_cases(folder: Path, *cases: object, not_run: object = None) -> list[VersionCase]:
    """The cases of a file that holds these."""
    path = folder / "versions.yaml"
    path.write_text(yaml.safe_dump({"python": "3.11", "cases": list(cases), "not_run": not_run}), "utf-8")
    return read(path)[0]


def content_of(case: VersionCase) -> versions.Content:
    """A record in which everything was seen as promised."""
    return {
        "environments": {side.pins.digest: {"python": "3.11.7", "packages": ""} for side in case.sides},
        "runs": {side.digest: {"name": "a run", **SEEN, "seen": list(side.case.expect)} for side in case.sides},
    }


def test_the_evidence_of_versions_is_current() -> None:
    """Repair: ``python -m tests.evidence.versions --record``, with the codes of the rules that are named."""
    assert versions.check() == []


# The file


def test_sides_add_to_what_they_share(tmp_path: Path) -> None:
    (case,) = read_cases(tmp_path, CASE)
    old, new = case.sides
    assert old.pins == Pins("3.11", ("fastapi==0.133.1", "uvicorn==0.54.0"))
    assert (old.shown, old.finds, new.finds) == (("fastapi==0.133.1",), True, False)
    assert old.case.app == "main:app"
    assert case.python == "3.11"


def test_a_side_may_have_a_python_of_its_own(tmp_path: Path) -> None:
    sides = [{"python": python, "shows": "x", "expect": ["streams"]} for python in ("3.10", "3.11")]
    (case,) = read_cases(tmp_path, {**CASE, "sides": sides})
    assert [side.pins.python for side in case.sides] == ["3.10", "3.11"]
    assert [side.shown for side in case.sides] == [("Python 3.10",), ("Python 3.11",)]
    assert case.python is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"packages": ["uvicorn"]}, "uvicorn is not pinned"),
        ({"packages": ["httpx==0.28.1"]}, "uvicorn is not pinned"),
        ({"sides": CASE["sides"][:1]}, "one side only"),
        ({"at": ""}, "'at' is missing"),
        ({"version": "1"}, "unknown key 'version'"),
        ({"file": "fixtures/LGS402/no_such.py"}, "there is no no_such.py"),
    ],
)
def test_mistakes_are_named_with_their_case(changes: dict[str, object], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=rf"versions.yaml: case 1 \(LGS402\): {complaint}"):
        read_cases(tmp_path, {**CASE, **changes})


def test_a_run_is_known_by_what_is_run(tmp_path: Path) -> None:
    (case,) = read_cases(tmp_path, CASE)
    first = {**CASE["sides"][0], "shows": "other words", "expect": ["http-404"]}
    (reworded,) = read_cases(tmp_path, {**CASE, "sides": [first, CASE["sides"][1]]})
    (changed,) = read_cases(tmp_path, {**CASE, "sides": [{**first, "model": "dies"}, CASE["sides"][1]]})
    assert reworded.sides[0].digest == case.sides[0].digest
    assert changed.sides[0].digest != case.sides[0].digest
    assert len({side.digest for side in case.sides}) == 2


def test_the_linter_judges_a_side_by_its_pins(tmp_path: Path) -> None:
    old, new = read_cases(tmp_path, CASE)[0].sides
    assert old.misjudged(tmp_path / "old") is None
    assert new.misjudged(tmp_path / "new") is None
    (wrong,) = read_cases(tmp_path, {**CASE, "sides": [CASE["sides"][0], {**CASE["sides"][1], "finds": True}]})
    assert wrong.sides[1].misjudged(tmp_path / "wrong") == "the rule is silent about bad_old_fastapi"
    (says,) = read_cases(tmp_path, {**CASE, "sides": [{**CASE["sides"][0], "says": "nonsense"}, CASE["sides"][1]]})
    assert says.sides[0].misjudged(tmp_path / "says") == "no message says 'nonsense'"


# The gates


def test_finds_where_the_code_asks_for_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "rows.yaml").write_text(
        "- {name: x, both_since: 0.2.0, since: 0.1}\n- other_since: a 1.0\n"
    )
    (tmp_path / "rule.py").write_text(
        'OLD = "<1.1"\nNEW = "2"\nfact.always(OLD)\nfact.always(f">={NEW}")\nfact.always(f">{row.since}")\n'
        'fact.always(">=3" if known else ">4")\nalways("5")\n'
    )
    monkeypatch.setattr(version_gates, "PACKAGE", tmp_path)
    assert gates() == {
        "rule.py <1.1",
        "rule.py >=2",
        "rule.py >{row.since}",
        "rule.py >=3",
        "rule.py >4",
        "knowledge/rows.yaml both_since 0.2.0",
        "knowledge/rows.yaml other_since a 1.0",
    }


def test_names_the_gates_without_a_case(tmp_path: Path) -> None:
    cases = read_cases(tmp_path, CASE)
    gate = cases[0].at[0]
    assert versions.uncovered(cases, {}, frozenset({gate})) == []
    assert versions.uncovered(cases, {"b": "no server here"}, frozenset({gate, "a", "b"})) == [
        "a: no case, and no reason under not_run"
    ]
    assert versions.uncovered(cases, {}, frozenset()) == [f"{gate}: the code has no such gate"]
    assert versions.uncovered(cases, {gate: "why"}, frozenset({gate})) == [f"{gate}: has a case, and a reason why not"]


# The record and the page


def test_names_what_is_not_recorded_as_promised(tmp_path: Path) -> None:
    (case,) = read_cases(tmp_path, CASE)
    content = content_of(case)
    assert versions.unrecorded([case], content) == []
    digest = case.sides[0].digest
    other = {
        **content,
        "runs": {**content["runs"], digest: {**SEEN, "seen": ["collected"], "wrong": ["the log lacks 'x'"]}},
    }
    name = "LGS402 fastapi==0.133.1 bad_old_fastapi"
    assert versions.unrecorded([case], other) == [f"{name}: 'http-500' does not hold", f"{name}: the log lacks 'x'"]
    del content["runs"][digest]
    assert versions.unrecorded([case], content) == [f"{name}: not recorded"]
    assert versions.unrecorded([], {**content, "runs": {"0": {"name": "LGS402 old"}}}) == [
        "LGS402 old: recorded, and no longer a case"
    ]


def test_writes_the_page(tmp_path: Path) -> None:
    (case,) = read_cases(tmp_path, CASE)
    written = versions.page([case], content_of(case), {"a gate": "no server here"})
    assert "## LGS402 [yielding-handler](rules/LGS402.md)" in written
    assert f"{CASE['gate']}. On all sides: Python 3.11, uvicorn 0.54.0." in written
    line = "| fastapi 0.134.0 | `fixtures/LGS402/bad_old_fastapi` | lines \\| of JSON | 200 | from 0.1 to 0.8 s | – | silent |"
    assert line in written
    assert "- `a gate`: no server here" in written


# Environments


def test_pins_are_known_by_what_they_hold() -> None:
    assert Pins("3.11", ("a==1", "b==2")).digest == Pins("3.11", ("b==2", "a==1")).digest
    assert Pins("3.11", ("a==1",)).digest != Pins("3.12", ("a==1",)).digest


@pytest.mark.skipif(os.name == "nt", reason="scripts stand for interpreters")
def test_finds_interpreters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    script(tmp_path / "bin" / "python9.8", "echo 9.8.1")
    script(tmp_path / "bin" / "python9.9", "exit 127")  # a shim of pyenv for a version that is not chosen
    script(tmp_path / "pyenv" / "versions" / "9.9.2" / "bin" / "python", "echo 9.9.2")
    script(tmp_path / "pyenv" / "versions" / "9.9.10" / "bin" / "python", "echo 9.9.10")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert environments.interpreter("9.8") == str(tmp_path / "bin" / "python9.8")
    assert environments.interpreter("9.9") == str(tmp_path / "pyenv" / "versions" / "9.9.10" / "bin" / "python")
    assert environments.interpreter(".".join(map(str, sys.version_info[:2]))) == sys.executable
    with pytest.raises(NotBuiltError, match=r"no Python 9\.7"):
        environments.interpreter("9.7")


def test_an_environment_that_is_there_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGS_ENVIRONMENTS", str(tmp_path))
    pins = Pins("9.9", ("a==1",))
    with pytest.raises(NotBuiltError):
        environments.build(pins)
    (tmp_path / pins.digest).mkdir()
    (tmp_path / pins.digest / environments.FROZEN).write_text("a==1\nb==2\n")
    assert environments.frozen(environments.build(pins)) == ["a==1", "b==2"]
    environments.remove(pins)
    assert not (tmp_path / pins.digest).exists()
