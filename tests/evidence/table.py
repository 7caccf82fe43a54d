"""The outcomes as the docs show them: recorded in ``docs/evidence.json``, written out in ``docs/evidence.md``.

``python -m tests.evidence.table --record [LGS401 …]`` runs the cases and does both; without an option it writes the
page from the record; ``--check`` says whether page, record and evidence files agree.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lg_stream_lint.rules.registry import rules
from tests.evidence.cases import ROOT, Case, all_cases
from tests.evidence.harness import observe
from tests.evidence.libraries import missing, versions
from tests.evidence.observation import Observation
from tests.evidence.outcomes import words

RECORD = ROOT / "docs" / "evidence.json"
PAGE = ROOT / "docs" / "evidence.md"
TIMES = ("first", "last", "ended", "others")
STABLE = 0.5  # seconds; a time that moved by less is the old one: reruns must not rewrite the page
WORKERS = 2

Entry = dict[str, Any]


def key(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    """What makes two records the same run."""
    return (entry["code"], entry["file"], entry["shows"])


def entry_of(case: Case, seen: Observation) -> Entry:
    """What is worth keeping of one run."""
    times = {
        "first": seen.first_at,
        "last": seen.last_at,
        "ended": seen.ended_at,
        "others": seen.worst_probe if "stalls-others" in words(seen) else None,
    }
    return {
        "code": case.code,
        "file": case.path.name,
        "shows": case.shows,
        "repairs": case.repairs,
        "seen": sorted(words(seen)),
        "status": seen.status,
        "media": seen.header("content-type"),
        **{name: None if value is None else round(value, 1) for name, value in times.items()},
        "log": list(case.log),
    }


def steadied(new: Entry, old: Mapping[str, Any] | None) -> Entry:
    """The new entry with the old times, where they moved by no more than such times do."""
    if old is None:
        return new
    kept = {
        name: old[name]
        for name in TIMES
        if new[name] is not None and old.get(name) is not None and abs(new[name] - old[name]) < STABLE
    }
    return new | kept


def observed(case: Case, interpreter: str | None = None) -> Observation:
    """Run it, and once more when it is not as promised: the machine may have been busy."""
    seen = observe(case, interpreter)
    return observe(case, interpreter) if case.complaints(seen) else seen


def read_record() -> dict[str, Any]:
    """The record as it stands."""
    return dict(json.loads(RECORD.read_text("utf-8"))) if RECORD.exists() else {"versions": {}, "runs": []}


def record(codes: Sequence[str]) -> list[str]:
    """Run the cases (all, or those of some rules), keep what was seen, and give back what was not as promised."""
    old = {key(entry): entry for entry in read_record()["runs"]}
    cases = list(all_cases())
    chosen = [case for case in cases if (not codes or case.code in codes)]
    wrong = [f"{case.id}: needs {', '.join(missing(case))}" for case in chosen if missing(case)]
    if wrong:
        return wrong
    new: dict[tuple[str, str, str], Entry] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for case, seen in zip(chosen, pool.map(observed, chosen), strict=True):
            wrong += [f"{case.id}: {complaint}" for complaint in case.complaints(seen)]
            entry = entry_of(case, seen)
            new[key(entry)] = steadied(entry, old.get(key(entry)))
    known = {key(entry): entry for entry in read_record()["runs"]} | new  # another run may have written meanwhile
    kept = [known[found] for case in cases if (found := (case.code, case.path.name, case.shows)) in known]
    content = {"versions": versions(), "runs": kept}
    RECORD.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return wrong


def cell(text: str) -> str:
    """Text as a table's cell can hold it."""
    return text.replace("|", "\\|")


def body(entry: Mapping[str, Any]) -> str:
    """When the body came."""
    if "streams" in entry["seen"]:
        return f"from {entry['first']} to {entry['last']} s"
    if "collected" in entry["seen"]:
        return f"all at {entry['last']} s"
    return "empty" if "empty-200" in entry["seen"] else "–"


def end(entry: Mapping[str, Any]) -> str:
    """How the response ended, and what it told the client about that."""
    seen = entry["seen"]
    told = [text for word, text in (("error-event", "error event"), ("done-mark", "`[DONE]`")) if word in seen]
    ending = next((word for word in ("complete", "**cut**", "open", "left") if word.strip("*") in seen), "–")
    return ", ".join([ending, *told])


def row(entry: Mapping[str, Any]) -> str:
    """One line of a rule's table."""
    failed = entry["status"] is None or entry["status"] >= 400
    cells = [
        f"`{entry['file']}`",
        cell(entry["shows"]),
        "–" if entry["status"] is None else str(entry["status"]),
        "–" if failed else (entry["media"] or "none").partition(";")[0],
        body(entry),
        end(entry),
        "–" if entry["others"] is None else f"{entry['others']} s",
        "<br>".join(f"`{cell(text)}`" for text in entry["log"]) or "–",
    ]
    return f"| {' | '.join(cells)} |"


HEADINGS = ("application", "what is seen", "status", "media type", "body", "end", "others wait", "the server's log")
INTRODUCTION = """\
# Evidence

Each line is a real application from `fixtures/`, started as a program of its own and streamed from with a raw client,
while a fake model on loopback answers in eight tokens, one each 0.1 s, or fails as the line says. *Others wait* is the
longest time that another request to the same process took, where that was most of the answer. *Cut* means that the
connection was closed without the last chunk: clients say `incomplete chunked read`.

The times are rounded, and belong to a machine at rest. How to run it: `tests/evidence/README.md`.
"""


def page(content: Mapping[str, Any]) -> str:
    """The page of the docs."""
    known = rules()
    parts = [
        INTRODUCTION,
        f"Versions: {', '.join(f'{name} {found}' for name, found in content['versions'].items())}.\n",
    ]
    for code in sorted({entry["code"] for entry in content["runs"]}):
        name = f" [{known[code].name}](rules/{code}.md)" if code in known else ""
        parts.append(f"## {code}{name}\n")
        rows = [row(entry) for entry in content["runs"] if entry["code"] == code]
        parts.append("\n".join([f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS), *rows]) + "\n")
    return "\n".join(parts)


def disagreements(content: Mapping[str, Any], written: str, cases: Iterable[Case]) -> list[str]:
    """Where page, record and evidence files do not say the same."""
    recorded = {key(entry): entry for entry in content["runs"]}
    expected = {(case.code, case.path.name, case.shows): case for case in cases}
    found = [f"{' '.join(run)}: not recorded" for run in expected if run not in recorded]
    found += [f"{' '.join(run)}: recorded, and no longer a case" for run in recorded if run not in expected]
    for run, case in expected.items():
        seen = set(recorded[run]["seen"]) if run in recorded else set(case.expect)
        if set(case.expect) - seen or seen & set(case.never):
            found.append(f"{' '.join(run)}: recorded as {', '.join(sorted(seen))}")
    if not found and written != page(content):
        found.append(f"{PAGE.name} is stale")
    return found


def main(arguments: list[str]) -> int:
    """Record, write or check."""
    parser = argparse.ArgumentParser(prog="python -m tests.evidence.table", description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--record", nargs="*", metavar="CODE", help="run the cases, of these rules or of all")
    action.add_argument("--check", action="store_true", help="say whether page, record and evidence files agree")
    options = parser.parse_args(arguments)
    problems: list[str] = []
    if options.check:
        problems = disagreements(read_record(), read_page(PAGE), all_cases())
    else:
        if options.record is not None:
            problems = record(options.record)
        PAGE.write_text(page(read_record()), "utf-8")
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


def read_page(path: Path) -> str:
    """The page as it stands."""
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
