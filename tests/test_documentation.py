"""What is written is true: examples fire, pages are current, the README's commands are the ones that are run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lg_stream_lint import docs
from lg_stream_lint.rules.registry import DEPLOYMENT, FAMILIES, RuleInfo, rules
from tests import fronts
from tests.projects import FIXTURES, ROOT, Project, paths

SECTIONS = (
    "What it does",
    "Why it cuts the stream",
    "Example",
    "Use instead",
    "Fix",
    "Limits",
    "Evidence",
    "References",
)
CODE_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
#: What an example of a rule over settings also shows, because the rule is about both together.
BESIDE = {"LGS508": {"LGS204"}, "LGS601": {"LGS406"}, "LGS604": {"LGS406"}}
TITLED_BLOCK = re.compile(r'```\w* title="(?P<file>[^"]+)"\n(?P<text>.*?)```', re.DOTALL)
README = ROOT / "README.md"
# Rules about the tool itself show nothing that could be run.
WITHOUT_FIXTURES = "tool"

every_rule = pytest.mark.parametrize("rule", rules().values(), ids=rules())
every_proven_rule = pytest.mark.parametrize(
    "rule", [rule for rule in rules().values() if rule.family != WITHOUT_FIXTURES], ids=lambda rule: rule.code
)


def sections(rule: RuleInfo) -> dict[str, str]:
    """The sections of a rule's docstring, in order."""
    _, *parts = re.split(r"^## (.+)$", rule.doc, flags=re.MULTILINE)
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))


def found_in(code: str, root: Path, severity: str) -> list[str]:
    """The codes that the command finds in a snippet; the file is named, as a user would name it."""
    root = Project("example", {"example.py": code.encode()}).write(root)
    options = ["--isolated", "--output-format", "json", *(["--pedantic"] if severity == "info" else [])]
    return [entry["code"] for entry in fronts.command(*options, "example.py", at=root).report]


@every_rule
def test_every_section_is_written(rule: RuleInfo) -> None:
    assert tuple(sections(rule)) == SECTIONS
    assert all(sections(rule).values())
    assert "TODO" not in Path(rule.path).read_text("utf-8")


@every_rule
def test_the_summary_is_a_sentence_of_one_line(rule: RuleInfo) -> None:
    assert rule.doc.splitlines()[1:2] == [""]
    assert re.fullmatch(r"[A-Z`].*\.", rule.summary)


def found_in_files(text: str, root: Path, severity: str) -> list[str]:
    """The codes that the command finds in the files that a section shows, each with its name."""
    files = {block["file"]: block["text"].encode() for block in TITLED_BLOCK.finditer(text)}
    assert files
    root = Project("example", files).write(root)
    options = ["--isolated", "--output-format", "json", *(["--pedantic"] if severity == "info" else [])]
    return [entry["code"] for entry in fronts.command(*options, ".", at=root).report]


@every_rule
def test_the_example_fires_and_its_repair_does_not(rule: RuleInfo, root: Path, tmp_path: Path) -> None:
    if rule.family in DEPLOYMENT:
        found = set(found_in_files(sections(rule)["Example"], root, rule.severity))
        assert found - BESIDE.get(rule.code, set()) == {rule.code}
        assert found_in_files(sections(rule)["Use instead"], tmp_path / "repaired", rule.severity) == []
        return
    example, repair = (CODE_BLOCK.findall(sections(rule)[name]) for name in ("Example", "Use instead"))
    assert example
    assert repair
    for block in example:
        assert set(found_in(block, root, rule.severity)) == {rule.code}
    for block in repair:
        assert found_in(block, tmp_path / "repaired", rule.severity) == []


@every_rule
def test_the_metadata_is_of_known_words(rule: RuleInfo) -> None:
    assert re.fullmatch(r"LGS\d{3}", rule.code)
    assert rule.severity in {"error", "warning", "info"}
    assert rule.fix in {"none", "safe", "unsafe"}
    assert list(FAMILIES).index(rule.family) == int(rule.code[3])


@every_proven_rule
def test_a_rule_has_two_bad_and_three_good_fixtures(rule: RuleInfo) -> None:
    assert len(paths(rule.code, "bad")) >= 2
    assert len(paths(rule.code, "good")) >= 3
    for path in (FIXTURES / rule.code).rglob("*.py"):
        assert "TODO" not in path.read_text("utf-8", errors="replace"), path


@every_proven_rule
def test_a_rule_is_run_or_cites_what_was_not(rule: RuleInfo) -> None:
    evidence = yaml.safe_load((FIXTURES / rule.code / "evidence.yaml").read_text("utf-8"))
    files = {run["file"] for run in evidence.get("runs", ())}
    assert evidence.get("cited") or {file[:4] for file in files} >= {"bad_", "good"}
    assert files <= {path.name for path in paths(rule.code)}


def test_every_fixture_belongs_to_a_rule() -> None:
    assert {path.name for path in FIXTURES.iterdir() if path.is_dir()} <= set(rules())


@pytest.mark.parametrize("path", paths(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_fixture_says_what_it_shows(path: Path) -> None:
    files = [path] if path.is_file() else sorted(path.rglob("*.py")) or sorted(path.glob("*.conf"))
    assert any(file.read_text("utf-8", errors="replace").lstrip("\ufeff").startswith(('"""', "#")) for file in files)


def test_the_pages_are_current() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "lg_stream_lint.docs", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_stale_page_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(docs, "pages", lambda: {README: "something else"})
    assert docs.main(["--check"]) == 1
    assert "README.md is stale" in capsys.readouterr().err


def test_links_lead_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


# The README


def command_of_the_readme(name: str) -> str:
    """The one line in a marked block."""
    block = re.search(rf"<!-- command:{name} -->\n```sh\n(.*)\n```\n<!-- end:{name} -->", README.read_text("utf-8"))
    assert block, f"README.md has no block command:{name} with one line"
    return block[1]


def test_ci_runs_the_command_of_the_readme() -> None:
    """The script cuts it out of the README: run that part of it alone, and see what it would run."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    (extraction,) = re.findall(r"^command=.*$", script, re.MULTILINE)
    shown = subprocess.run(
        ["bash", "-c", f'{extraction}\nprintf %s "$command"'], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout == command_of_the_readme("test")
    assert re.search(r'^LGS_REQUIRE_ALL=1 bash -c "\$command"$', script, re.MULTILINE)


def test_the_commands_set_everything_up_themselves() -> None:
    for name in "lint", "test":
        assert command_of_the_readme(name).startswith("python3 -m venv .venv && .venv/bin/pip install -q ")
    assert command_of_the_readme("lint").endswith(" && .venv/bin/lg-stream-lint fixtures/")
    assert command_of_the_readme("test").endswith(" && .venv/bin/pytest")


def test_the_readme_names_every_option() -> None:
    shown = fronts.command("--help", at=ROOT).out
    options = set(re.findall(r"--[a-z][a-z-]+", shown)) - {"--help"}
    assert options - set(re.findall(r"--[a-z][a-z-]+", README.read_text("utf-8"))) == set()


def test_the_readme_describes_the_report(root: Path) -> None:
    """Every key of the JSON report stands in the README's table, and nothing else does."""
    text = README.read_text("utf-8")
    described = text[text.index("### The JSON report") : text.index("## What it cannot see")]
    keys = {key for row in re.findall(r"^\| (`.+?) \|", described, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
    Project("example", {"example.py": b"import langgraph\nasync def broken(:\n"}).write(root)
    (entry,) = fronts.command("--isolated", "--output-format", "json", "example.py", at=root).report
    assert set(entry) == keys


def test_ruff_is_told_of_our_codes_before_any_comment_is_shown() -> None:
    text = README.read_text("utf-8")
    assert text.index('external = ["LGS"]') < text.index("# noqa")
