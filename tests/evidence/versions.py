"""The rules that depend on a version, run on both sides of it in environments of their own.

``python -m tests.evidence.versions --record [LGS402 …]`` builds what ``versions.yaml`` pins, one environment after the
other, runs its cases and writes ``docs/evidence-versions.json`` and ``.md``; without an option it writes the page from the
record; ``--check`` builds and runs nothing: it says whether the cases cover every gate of the code, the linter judges each
side as the file says, and record and page are current.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from lg_stream_lint.rules.registry import rules
from tests.evidence.cases import ROOT
from tests.evidence.environments import NotBuiltError, build, frozen, python_in, remove, version_of
from tests.evidence.observation import Observation
from tests.evidence.table import body, cell, end, entry_of, observed, read_page, steadied
from tests.evidence.version_cases import Side, VersionCase, read, sides
from tests.evidence.version_gates import gates

RECORD = ROOT / "docs" / "evidence-versions.json"
PAGE = ROOT / "docs" / "evidence-versions.md"
KEPT = ("seen", "status", "media", "first", "last", "ended", "others")

Content = dict[str, Any]


def read_record() -> Content:
    """The record as it stands."""
    return dict(json.loads(RECORD.read_text("utf-8"))) if RECORD.exists() else {"environments": {}, "runs": {}}


def write_record(content: Mapping[str, Any], cases: Sequence[VersionCase]) -> None:
    """The record, in the order of the cases and without what is no case any more."""
    known = sides(cases)
    environments = {
        pins: content["environments"][pins] for side in known if (pins := side.pins.digest) in content["environments"]
    }
    runs = {side.digest: content["runs"][side.digest] for side in known if side.digest in content["runs"]}
    text = json.dumps({"environments": environments, "runs": runs}, indent=1, ensure_ascii=False)
    RECORD.write_text(text + "\n", "utf-8")


def run_of(side: Side, seen: Observation, old: Mapping[str, Any] | None) -> Content:
    """What is worth keeping of one run; small differences of time are none."""
    entry = steadied(entry_of(side.case, seen), old)
    return {"name": name_of(side), **{key: entry[key] for key in KEPT}, "wrong": side.case.wrong_texts(seen)}


def name_of(side: Side) -> str:
    """The side in a few words."""
    return " ".join([side.case.code, *side.shown, side.case.path.name])


def record(codes: Sequence[str], *, clean: bool, missing_only: bool) -> list[str]:
    """Build, run and keep what was seen; give back what was not as promised or could not be built."""
    cases, _ = read()
    chosen = sides(cases, codes)
    if missing_only:
        known = read_record()["runs"]
        chosen = [side for side in chosen if side.digest not in known]
    wrong: list[str] = []
    for pins, group in groupby(sorted(chosen, key=lambda side: side.pins), key=lambda side: side.pins):
        print(f"python {pins.python} {' '.join(pins.packages)}", flush=True)
        content = read_record()
        try:
            folder = build(pins, content["environments"].get(pins.digest, {}).get("packages", "").split())
        except NotBuiltError as error:
            wrong.append(str(error))
            print(f"  not built: {error}", flush=True)
            continue
        python = str(python_in(folder))
        content["environments"][pins.digest] = {"python": version_of(python), "packages": " ".join(frozen(folder))}
        for side in group:
            seen = observed(side.case, python)
            run = run_of(side, seen, content["runs"].get(side.digest))
            found = side.case.complaints(seen)
            print(f"  {name_of(side)}: {', '.join(run['seen'])}", *found, sep="\n    ", flush=True)
            if found:
                print(f"    body …{seen.text[-300:]!r}\n    log …{seen.log[-1500:]}", flush=True)
            wrong += [f"{name_of(side)}: {text}" for text in found]
            content["runs"][side.digest] = run
        write_record(content, cases)
        if clean:
            remove(pins)
    return wrong


# The page

INTRODUCTION = """\
# Evidence of versions

Some rules depend on the version of a library, or of Python. Each table is one such gate: the same program, run in an
environment of its own on either side, by the harness of [Evidence](evidence.md). *The rule* says what lg-stream-lint
does with that program in a project that pins these versions. How to run it: `tests/evidence/README.md`.
"""
HEADINGS = ("with", "application", "what is seen", "status", "body", "end", "the rule")
VERDICTS = {True: "reports it", False: "silent", None: "–"}


def row(side: Side, run: Mapping[str, Any], pins: Mapping[str, Any]) -> str:
    """One line of a gate's table."""
    shown = [f"Python {pins['python']}" if pin.startswith("Python ") else pin.replace("==", " ") for pin in side.shown]
    failed = run["status"] is None or run["status"] >= 400
    cells = [
        "<br>".join(shown),
        f"`{side.case.path.relative_to(ROOT).as_posix()}`",
        cell(side.case.shows),
        "–" if run["status"] is None else str(run["status"]),
        "–" if failed else body(run),
        "does not start" if "not-started" in run["seen"] else end(run),
        VERDICTS[side.finds],
    ]
    return f"| {' | '.join(cells)} |"


def beside(case: VersionCase) -> str:
    """What all sides of a case have in common."""
    common = [*([f"Python {case.python}"] if case.python else []), *(pin.replace("==", " ") for pin in case.common)]
    return f"On all sides: {', '.join(common)}."


def page(cases: Iterable[VersionCase], content: Mapping[str, Any], not_run: Mapping[str, str]) -> str:
    """The page of the docs; runs that are not recorded have no line yet."""
    known = rules()
    parts = [INTRODUCTION]
    code = ""
    for case in sorted(cases, key=lambda case: case.code):
        if case.code != code:
            code = case.code
            name = f" [{known[code].name}](rules/{code}.md)" if code in known else ""
            parts.append(f"## {code}{name}\n")
        lines = [
            row(side, content["runs"][side.digest], content["environments"][side.pins.digest])
            for side in case.sides
            if side.digest in content["runs"]
        ]
        parts.append(f"{case.gate}. {beside(case)}\n")
        parts.append("\n".join([f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS), *lines]) + "\n")
    if not_run:
        parts.append("## Not run\n")
        parts.append("\n".join(f"- `{gate}`: {reason}" for gate, reason in not_run.items()) + "\n")
    return "\n".join(parts)


# The check


def uncovered(cases: Iterable[VersionCase], not_run: Mapping[str, str], there: frozenset[str]) -> list[str]:
    """Gates of the code without a case or a reason, and cases of gates that the code does not have."""
    named = {gate for case in cases for gate in case.at}
    found = [f"{gate}: no case, and no reason under not_run" for gate in sorted(there - named - set(not_run))]
    found += [f"{gate}: the code has no such gate" for gate in sorted((named | set(not_run)) - there)]
    return found + [f"{gate}: has a case, and a reason why not" for gate in sorted(named & set(not_run))]


def misjudged(chosen: Iterable[Side]) -> list[str]:
    """Where the linter does not judge a side as the file says."""
    found = []
    for side in chosen:
        with tempfile.TemporaryDirectory(prefix="versions-") as name:
            if wrong := side.misjudged(Path(name).resolve()):
                found.append(f"{name_of(side)}: {wrong}")
    return found


def unrecorded(cases: Sequence[VersionCase], content: Mapping[str, Any]) -> list[str]:
    """Runs that are not in the record as they are now, or that were not seen as promised."""
    found = []
    chosen = sides(cases)
    if len({side.digest for side in chosen}) < len(chosen):
        found.append("two sides are the same run")
    for side in chosen:
        run = content["runs"].get(side.digest)
        if run is None or side.pins.digest not in content["environments"]:
            found.append(f"{name_of(side)}: not recorded")
        else:
            found += [f"{name_of(side)}: {text}" for text in side.case.wrong_words(run["seen"]) + run["wrong"]]
    current = {side.digest for side in chosen}
    return found + [
        f"{run['name']}: recorded, and no longer a case"
        for digest, run in content["runs"].items()
        if digest not in current
    ]


def check() -> list[str]:
    """Everything that can be said without building an environment."""
    cases, not_run = read()
    content = read_record()
    found = uncovered(cases, not_run, gates()) + misjudged(sides(cases)) + unrecorded(cases, content)
    if not found and read_page(PAGE) != page(cases, content, not_run):
        found.append(f"{PAGE.name} is stale")
    return found


def main(arguments: list[str]) -> int:
    """Record, write or check."""
    parser = argparse.ArgumentParser(prog="python -m tests.evidence.versions", description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--record", nargs="*", metavar="CODE", help="run the cases, of these rules or of all")
    action.add_argument("--check", action="store_true", help="say whether cases, code, record and page agree")
    parser.add_argument("--missing", action="store_true", help="with --record: only what is not recorded yet")
    parser.add_argument("--clean", action="store_true", help="throw each environment away after its runs")
    parser.add_argument(
        "--keep", dest="clean", action="store_false", help="keep the environments for the next time (default)"
    )
    options = parser.parse_args(arguments)
    if options.check:
        problems = check()
    else:
        problems = []
        if options.record is not None:
            problems = record(options.record, clean=options.clean, missing_only=options.missing)
        cases, not_run = read()
        write_record(read_record(), cases)
        PAGE.write_text(page(cases, read_record(), not_run), "utf-8")
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
