"""Writes the pages that are generated: one page a rule, the list of rules, and the README's table and sample.

``python -m lg_stream_lint.docs`` writes them; with ``--check`` it writes nothing, names what is stale and fails. It
works in a checkout only, and is left out of the wheel.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lg_stream_lint.rules.registry import FAMILIES, RuleInfo, rules

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = "fixtures/LGS301/bad_try_around_response.py"
NOTE = "<!-- Generated from the rule by `python -m lg_stream_lint.docs`; do not edit. -->"

FIXES = {"none": "–", "safe": "safe", "unsafe": "unsafe"}


def main(arguments: Sequence[str]) -> int:
    """Write what is stale, or name it and fail."""
    if set(arguments) - {"--check"}:
        print("usage: python -m lg_stream_lint.docs [--check]", file=sys.stderr)
        return 2
    written = pages()
    stale = [path for path, text in written.items() if not path.is_file() or path.read_text("utf-8") != text]
    left_over = [path for path in (ROOT / "docs" / "rules").glob("*.md") if path not in written]
    for path in (*stale, *left_over):
        print(f"{path.relative_to(ROOT)} is stale", file=sys.stderr)
    if "--check" in arguments:
        if stale or left_over:
            print("Run `python -m lg_stream_lint.docs` and commit what it writes.", file=sys.stderr)
        return int(bool(stale or left_over))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written[path], "utf-8")
    for path in left_over:
        path.unlink()
    return 0


def pages() -> dict[Path, str]:
    """Every generated file and what must stand in it."""
    found = rules()
    runs, both_sides = recorded_runs(), versioned()
    folder = ROOT / "docs" / "rules"
    written = {
        folder / f"{code}.md": rule_page(rule, runs.get(code, ()), versioned=code in both_sides)
        for code, rule in found.items()
    }
    written[folder / "index.md"] = index_page(found)
    readme = ROOT / "README.md"
    text = between_marks(readme.read_text("utf-8"), "rules", "\n".join(table(found, "docs/rules/")))
    written[readme] = between_marks(text, "sample", sample())
    return written


def rule_page(rule: RuleInfo, runs: Sequence[Mapping[str, Any]], *, versioned: bool) -> str:
    """The page of one rule: what it is in a line, then its docstring, with what was seen when its fixtures ran."""
    _, _, body = rule.doc.strip().partition("\n")
    fix = "no fix" if rule.fix == "none" else f"{rule.fix} fix"
    family = FAMILIES[rule.family].partition(":")[0].lower()
    head = f"Severity: **{rule.severity}** · {fix} · family: [{family}](index.md#{rule.family})"
    seen = [*([ran(runs)] if runs else []), *([BOTH_SIDES] if versioned else [])]
    body = body.strip().replace("## References", "\n\n".join([*seen, "## References"]), 1)
    return "\n\n".join([NOTE, f"# {rule.code} {rule.name}", rule.summary, head, body]) + "\n"


BOTH_SIDES = "[Evidence of versions](../evidence-versions.md) shows both sides of each version that it depends on."


def ran(runs: Sequence[Mapping[str, Any]]) -> str:
    """The fixtures that ran, and what was seen; times and versions stand on the page of the evidence."""
    rows = [f"| `{run['file']}` | {run['shows']} | {', '.join(run['seen'])} |" for run in runs]
    head = ["These ran; [Evidence](../evidence.md) has times and versions.", ""]
    return "\n".join([*head, "| fixture | what is seen | in words |", "|---|---|---|", *rows])


def index_page(found: Mapping[str, RuleInfo]) -> str:
    """The list of all rules, family by family."""
    lines = [
        NOTE,
        "# Rules",
        "The codes follow a token outward, from the model to the reader of the page. **error**: the stream breaks. "
        "**warning**: it breaks in production, under load, or for somebody. **info**: advice, shown with `--pedantic`. "
        "A rule may judge a single finding less or more severely than its row says; its page tells when.",
    ]
    for family, title in FAMILIES.items():
        own = {code: rule for code, rule in found.items() if rule.family == family}
        if own:
            lines += [f'<a id="{family}"></a>\n\n## {title}', "\n".join(table(own, ""))]
    return "\n\n".join(lines) + "\n"


def table(found: Mapping[str, RuleInfo], folder: str) -> list[str]:
    """A table of rules, with links to their pages below ``folder``."""
    rows = ["| code | name | what it finds | severity | fix |", "|---|---|---|---|---|"]
    for code, rule in found.items():
        summary = rule.summary.rstrip(".").replace("|", "\\|")
        rows.append(f"| [{code}]({folder}{code}.md) | {rule.name} | {summary} | {rule.severity} | {FIXES[rule.fix]} |")
    return rows


def recorded_runs() -> dict[str, list[Mapping[str, Any]]]:
    """What the evidence tests recorded when they ran the fixtures, by code."""
    path = ROOT / "docs" / "evidence.json"
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for run in json.loads(path.read_text("utf-8"))["runs"] if path.is_file() else ():
        runs.setdefault(run["code"], []).append(run)
    return runs


def versioned() -> frozenset[str]:
    """The codes of the rules that were run on both sides of a version."""
    path = ROOT / "docs" / "evidence-versions.json"
    runs = json.loads(path.read_text("utf-8"))["runs"].values() if path.is_file() else ()
    return frozenset(run["name"].partition(" ")[0] for run in runs)


def between_marks(text: str, name: str, content: str) -> str:
    """The text with other content between ``<!-- generated:name -->`` and ``<!-- end:name -->``."""
    pattern = re.compile(rf"(<!-- generated:{name} -->\n).*?(<!-- end:{name} -->)", re.DOTALL)
    new, count = pattern.subn(lambda match: f"{match[1]}{content}\n{match[2]}", text)
    if count != 1:
        raise SystemExit(
            f"README.md: expected one block <!-- generated:{name} --> … <!-- end:{name} -->, found {count}"
        )
    return new


def sample() -> str:
    """What the command really prints for a fixture, as a block of a Markdown page."""
    from lg_stream_lint.cli import main as lint

    out = io.StringIO()
    with _at(ROOT), contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        lint(["--isolated", "--color", "never", SAMPLE])
    return f"```console\n$ lg-stream-lint {SAMPLE}\n{out.getvalue().strip()}\n```"


@contextlib.contextmanager
def _at(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
