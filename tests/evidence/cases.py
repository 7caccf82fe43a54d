"""Reads ``evidence.yaml``: what each fixture must show. A mistake in the file is said with its file and key."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.evidence.observation import Observation
from tests.evidence.outcomes import is_word, words
from tests.evidence.scenarios import Scenario, scenario
from tests.evidence.servers import SERVERS

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"


class EvidenceError(ValueError):
    """An evidence file that says something impossible."""


@dataclass(frozen=True)
class Case:
    """One run: what to start, what to ask, and what must be seen."""

    code: str
    path: Path
    shows: str
    expect: tuple[str, ...]
    never: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    no_log: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    no_body: tuple[str, ...] = ()
    repairs: str | None = None
    app: str = ""
    method: str = "GET"
    target: str = "/chat"
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    server: str = "uvicorn"
    model: Scenario = field(default_factory=Scenario)
    leave_after: float | None = None
    patience: float = 6.0
    needs: tuple[str, ...] = ()
    turns: int = 1
    proxy: tuple[str, ...] = ()
    scale: float = 1.0
    kill_after: float | None = None
    stop_after: float | None = None
    command: str = ""
    beside: int = 0

    @property
    def id(self) -> str:
        """The case in the words of a test's name; a fixture may be run twice, with other requests or models."""
        return f"{self.code}/{self.path.name}: {self.shows}"

    def complaints(self, seen: Observation) -> list[str]:
        """What is not as promised, in words."""
        return self.wrong_words(words(seen)) + self.wrong_texts(seen)

    def wrong_words(self, held: Collection[str]) -> list[str]:
        """Which words of the vocabulary do not hold and should, or the other way round."""
        found = [f"{word!r} does not hold" for word in self.expect if word not in held]
        return found + [f"{word!r} holds" for word in self.never if word in held]

    def wrong_texts(self, seen: Observation) -> list[str]:
        """What the log and the body lack, or have and should not."""
        found = [f"the log lacks {text!r}" for text in self.log if text not in seen.log]
        found += [f"the log has {text!r}" for text in self.no_log if text in seen.log]
        found += [f"the body lacks {text!r}" for text in self.body if text not in seen.text]
        found += [f"the body has {text!r}" for text in self.no_body if text in seen.text]
        return found

    def modules(self) -> frozenset[str]:
        """The top-level modules that the fixture imports, its own left out."""
        files = sorted(self.path.rglob("*.py")) if self.path.is_dir() else [self.path]
        own = {file.stem for file in files} | {file.parent.name for file in files}
        imported: set[str] = set()
        for file in files:
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    imported.add(node.module.partition(".")[0])
        return frozenset(imported - own)


KEYS = frozenset({"file", "shows", "expect", "never", "log", "no_log", "body", "no_body", "repairs", "app", "request"})
KEYS |= {
    "json",
    "headers",
    "server",
    "model",
    "leave_after",
    "patience",
    "needs",
    "turns",
    "proxy",
    "scale",
    "kill_after",
    "stop_after",
    "command",
    "beside",
}


def _strings(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key, ())
    return (value,) if isinstance(value, str) else tuple(value)


def case_of(code: str, folder: Path, entry: Mapping[str, Any]) -> Case:
    """The case that an entry describes; its files lie in the folder."""
    if unknown := sorted(set(entry) - KEYS):
        raise EvidenceError(f"unknown key {unknown[0]!r}")
    if missing := [key for key in ("file", "shows", "expect") if not entry.get(key)]:
        raise EvidenceError(f"{missing[0]!r} is missing")
    path = folder / str(entry["file"])
    for name in (path, *([folder / str(entry["repairs"])] if "repairs" in entry else [])):
        if not name.exists():
            raise EvidenceError(f"there is no {name.name}")
    for config in _strings(entry, "proxy"):
        if not (path / config).is_file():
            raise EvidenceError(f"there is no {config} in {path.name}")
    for word in (*_strings(entry, "expect"), *_strings(entry, "never")):
        if not is_word(word):
            raise EvidenceError(f"unknown word {word!r}")
    if entry.get("server", "uvicorn") not in SERVERS:
        raise EvidenceError(f"unknown server {entry['server']!r}; there are {', '.join(SERVERS)}")
    if "command" in entry and ("server" in entry or "{port}" not in str(entry["command"])):
        raise EvidenceError("'command' holds {port}, and stands for 'server'")
    method, _, target = str(entry.get("request", "POST /chat" if "json" in entry else "GET /chat")).partition(" ")
    try:
        script = scenario(entry.get("model"))
    except ValueError as error:
        raise EvidenceError(f"model: {error}") from None
    return Case(
        code=code,
        path=path,
        shows=str(entry["shows"]),
        expect=_strings(entry, "expect"),
        never=_strings(entry, "never"),
        log=_strings(entry, "log"),
        no_log=_strings(entry, "no_log"),
        body=_strings(entry, "body"),
        no_body=_strings(entry, "no_body"),
        repairs=entry.get("repairs"),
        app=str(entry.get("app", "main:app" if path.is_dir() else f"{path.stem}:app")),
        method=method,
        target=target,
        json=entry.get("json"),
        headers=entry.get("headers", {}),
        server=entry.get("server", "uvicorn"),
        model=script,
        leave_after=entry.get("leave_after"),
        patience=float(entry.get("patience", 6.0)),
        needs=_strings(entry, "needs"),
        turns=int(entry.get("turns", 1)),
        proxy=_strings(entry, "proxy"),
        scale=float(entry.get("scale", 1.0)),
        kill_after=entry.get("kill_after"),
        stop_after=entry.get("stop_after"),
        command=str(entry.get("command", "")),
        beside=int(entry.get("beside", 0)),
    )


def read(path: Path) -> list[Case]:
    """The cases of one evidence file."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not (set(content) <= {"runs", "cited"}) or not content:
        raise EvidenceError(f"{path}: a mapping with 'runs' or 'cited' is expected")
    return [_numbered(path, number, entry) for number, entry in enumerate(content.get("runs") or (), start=1)]


def _numbered(path: Path, number: int, entry: Mapping[str, Any]) -> Case:
    try:
        return case_of(path.parent.name, path.parent, entry)
    except EvidenceError as error:
        raise EvidenceError(f"{path}: run {number}: {error}") from None


def files() -> list[Path]:
    """Every evidence file, by code."""
    return sorted(FIXTURES.glob("LGS*/evidence.yaml"))


def all_cases() -> Iterator[Case]:
    """Every case of every rule."""
    for path in files():
        yield from read(path)
