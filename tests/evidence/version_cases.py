"""Reads ``versions.yaml``: for each gate, what is run on either side of it. A mistake is said with its case."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from lg_stream_lint import engine, versions
from lg_stream_lint.config import Config
from tests.evidence.cases import KEYS, ROOT, Case, EvidenceError, case_of
from tests.evidence.environments import Pins
from tests.projects import MARKERS

FILE = Path(__file__).parent / "versions.yaml"
PROBES = Path(__file__).parent / "probes"
SERVER = "uvicorn"
WORDS = frozenset({"shows", "repairs", "expect", "never"})  # what is said about a run, and not what is run
OWN = frozenset({"python", "packages", "finds", "says"})
CASE_KEYS = frozenset({"code", "gate", "at", "sides"}) | OWN | KEYS


@dataclass(frozen=True)
class Side:
    """One run on one side of a gate.

    ``finds`` says whether the rule reports the program when the project pins these versions, ``says`` what its message
    holds then; ``None`` where there is nothing to lint, in a probe that only shows what the library does.
    """

    case: Case
    run: Mapping[str, Any]  # the case as it is written
    pins: Pins
    shown: tuple[str, ...]  # the pins that make it this side
    finds: bool | None
    says: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """What was run and looked for: another digest is another run. The words are compared with the record instead."""
        run = {key: value for key, value in self.run.items() if key not in WORDS}
        said: list[object] = [self.pins.digest, self.case.code, run]
        if PROBES in self.case.path.parents:
            said.append(self.case.path.read_text("utf-8"))
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def findings(self, folder: Path) -> list[str]:
        """The messages of the rule for the program, copied to an empty folder that pins this side's versions."""
        project = folder / "project"
        if self.case.path.is_dir():
            shutil.copytree(self.case.path, project, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            project.mkdir(parents=True)
            shutil.copy(self.case.path, project)
        for path in project.iterdir():
            if MARKERS.match(path.name):
                path.unlink()
        (project / "requirements.txt").write_text("".join(f"{pin}\n" for pin in self.pins.packages), "utf-8")
        (project / ".python-version").write_text(f"{self.pins.python}\n", "utf-8")
        versions.clear()
        result = engine.run([str(project)], Config(pedantic=True, jobs=1))
        return [finding.message for finding in result.findings if finding.code == self.case.code]

    def misjudged(self, folder: Path) -> str | None:
        """Where the rule and this side do not agree."""
        if self.finds is None:
            return None
        messages = self.findings(folder)
        if bool(messages) is not self.finds:
            return f"the rule {'reports' if messages else 'is silent about'} {self.case.path.name}"
        lacking = [text for text in self.says if not any(text in message for message in messages)]
        return f"no message says {lacking[0]!r}" if lacking else None


@dataclass(frozen=True)
class VersionCase:
    """A gate, in words and by the places of the code that ask for it, and what runs on its sides."""

    code: str
    gate: str
    at: tuple[str, ...]
    common: tuple[str, ...]  # packages that all sides have
    python: str | None  # the Python of all sides, unless they differ in it
    sides: tuple[Side, ...]


def _strings(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)  # type: ignore[attr-defined]


def _side(code: str, shared: Mapping[str, Any], entry: Mapping[str, Any], default: str) -> Side:
    merged = {**shared, **entry}
    shown = [*([f"Python {entry['python']}"] if "python" in entry else []), *_strings(entry.get("packages"))]
    packages = (*_strings(shared.get("packages")), *_strings(entry.get("packages")))
    if loose := [pin for pin in packages if "==" not in pin]:
        raise EvidenceError(f"{loose[0]} is not pinned")
    if SERVER not in {pin.partition("==")[0] for pin in packages}:
        raise EvidenceError(f"{SERVER} is not pinned")
    run = {key: value for key, value in merged.items() if key not in OWN}
    pins = Pins(str(merged.get("python", default)), tuple(sorted(packages)))
    return Side(case_of(code, ROOT, run), run, pins, tuple(shown), merged.get("finds"), _strings(entry.get("says")))


def _version_case(entry: Mapping[str, Any], default: str) -> VersionCase:
    if unknown := sorted(set(entry) - CASE_KEYS):
        raise EvidenceError(f"unknown key {unknown[0]!r}")
    if missing := [key for key in ("code", "gate", "at", "sides") if not entry.get(key)]:
        raise EvidenceError(f"{missing[0]!r} is missing")
    shared = {key: value for key, value in entry.items() if key not in {"code", "gate", "at", "sides"}}
    sides = tuple(_side(entry["code"], shared, side, default) for side in entry["sides"])
    if len({side.pins for side in sides}) < 2:
        raise EvidenceError("one side only")
    common = _strings(entry.get("packages"))
    python = None if any("python" in side for side in entry["sides"]) else str(entry.get("python", default))
    return VersionCase(entry["code"], entry["gate"], _strings(entry["at"]), common, python, sides)


def _numbered(path: Path, number: int, entry: Mapping[str, Any], default: str) -> VersionCase:
    try:
        return _version_case(entry, default)
    except EvidenceError as error:
        raise EvidenceError(f"{path.name}: case {number} ({entry.get('code')}): {error}") from None


def read(path: Path = FILE) -> tuple[list[VersionCase], dict[str, str]]:
    """The cases, and the gates that have none, each with the reason."""
    content = yaml.safe_load(path.read_text("utf-8"))
    default = str(content["python"])
    found = [_numbered(path, number, entry, default) for number, entry in enumerate(content["cases"], start=1)]
    return found, dict(content.get("not_run") or {})


def sides(cases: Iterable[VersionCase], codes: Iterable[str] = ()) -> list[Side]:
    """Every side of the cases of those rules, or of all."""
    wanted = set(codes)
    return [side for case in cases if not wanted or case.code in wanted for side in case.sides]
