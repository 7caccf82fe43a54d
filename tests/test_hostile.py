"""Input that no linter is meant for: never a crash, never silence, and the files beside it are analysed as ever."""

from __future__ import annotations

import ctypes
import os
import random
import sys
from pathlib import Path

import pytest

from lg_stream_lint.config import Config
from lg_stream_lint.engine import analyse_source
from tests import fronts
from tests.need import require
from tests.projects import BAD, PROJECTS, Project, load, paths

FRAMEWORK = "from langgraph.graph import StateGraph\n"
HEALTHY = load(paths("LGS401", "bad")[0])
HEALTHY_NAME = "healthy.py"
(HEALTHY_SOURCE,) = HEALTHY.files.values()


def nested(depth: int) -> str:
    return f"{FRAMEWORK}x = {'[' * depth}{']' * depth}\n"


UNREADABLE = {
    "not utf-8": FRAMEWORK.encode() + b'name = "\xff\xfe"\n',
    "not its declared encoding": b"# -*- coding: ascii -*-\n" + FRAMEWORK.encode() + 'name = "ü"\n'.encode(),
    "an unknown encoding": b"# -*- coding: klingon -*-\n" + FRAMEWORK.encode(),
    "not python": (FRAMEWORK + "async def broken(:\n").encode(),
    "python 2": (FRAMEWORK + 'print "langgraph"\n').encode(),
    "an open string": (FRAMEWORK + 'text = """langgraph\n').encode(),
    "mixed tabs": (FRAMEWORK + "if True:\n\tx = 1\n        y = 2\n").encode(),
    "a null byte": (FRAMEWORK + "x = 1\x00\n").encode(),
    "binary": b"\x7fELF\x02\x01\x01\x00langgraph\x00" + bytes(range(256)) * 8,
    "3,000 brackets deep": nested(3_000).encode(),
    "3,000 calls deep": (FRAMEWORK + f"x = {'f(' * 3_000}{')' * 3_000}\n").encode(),
    "3,000 blocks deep": (
        FRAMEWORK + "".join(" " * n + "if x:\n" for n in range(3_000)) + " " * 3_000 + "pass\n"
    ).encode(),
    "an open bracket 100,000 times": (FRAMEWORK + "(" * 100_000).encode(),
}

READABLE = {
    "empty": b"",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "only a comment": b"# langgraph",
    "no line end at the end": b"from langgraph.graph import StateGraph",
    "line ends of old": HEALTHY_SOURCE.replace(b"\n", b"\r"),
    "form feeds": HEALTHY_SOURCE.replace(b"\n\n\n", b"\n\x0c\n\x0c\n"),
    "every kind of line end": b"import langgraph\r\nx = 1\ry = 2\nz = 3\r\n",
    "a long line": FRAMEWORK.encode() + b"x = '" + b"langgraph " * 100_000 + b"'\n",
    "latin-1, as declared": b"# -*- coding: latin-1 -*-\n" + FRAMEWORK.encode() + b'name = "\xfc"\n',
    "1,000 terms": f"{FRAMEWORK}x = {' + '.join(['astream'] * 1_000)}\n".encode(),
    "1,000 strings side by side": f"{FRAMEWORK}x = ({' '.join([repr('astream')] * 1_000)})\n".encode(),
    "1,000 comparisons": f"{FRAMEWORK}x = {' < '.join(['astream'] * 1_000)}\n".encode(),
    "300 chained calls": f"{FRAMEWORK}g = StateGraph(dict){'.add_edge(1, 2)' * 300}.compile().astream({{}})\n".encode(),
    "1,000 elif": (FRAMEWORK + "if x == 0:\n    pass\n" + "elif x.astream():\n    pass\n" * 1_000).encode(),
    "150 brackets deep": nested(150).encode(),
    "90 blocks deep": (
        FRAMEWORK + "".join(" " * n + "if x:\n" for n in range(90)) + " " * 90 + "x.astream()\n"
    ).encode(),
    "an import of itself": b"from hostile import *\nfrom langgraph.graph import *\nfrom . import hostile\n",
    "names that mean each other": (
        FRAMEWORK + "a = b\nb = a\nclass C(C): ...\ndef f(): return f()\na.astream(f())\n"
    ).encode(),
    "unicode names": (FRAMEWORK + "größe = StateGraph(dict)\n名前 = größe.compile()\n名前.astream({})\n").encode(),
    "surrogates in a string": (FRAMEWORK + "x = '\\ud800'\n").encode(),
}


def hostile_project(content: bytes, root: Path) -> Path:
    """A project with a hostile file and a healthy one that has a finding."""
    return Project("hostile", {"hostile.py": content, HEALTHY_NAME: HEALTHY_SOURCE}).write(root)


def codes(answer: fronts.Answer, name: str) -> list[str]:
    return [entry["code"] for entry in answer.report if entry["filename"] == name]


JSON = ("--isolated", "--output-format", "json")


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_one_finding(content: bytes, root: Path) -> None:
    """In a process of its own: what kills the parser kills the process."""
    answer = fronts.process(*JSON, ".", at=hostile_project(content, root))
    assert answer.code == 1, answer.err
    assert codes(answer, "hostile.py") == ["LGS001"]
    assert codes(answer, HEALTHY_NAME) == ["LGS401"]
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_from_standard_input_either(content: bytes, root: Path) -> None:
    answer = fronts.process(*JSON, "--stdin-filename", "hostile.py", "-", at=root, given=content)
    assert (answer.code, codes(answer, "hostile.py")) == (1, ["LGS001"]), answer.err


# flake8's own checks take a minute for the first; the second it reads as Latin-1, and tells its plugins nothing of it.
NOT_FOR_FLAKE8 = {"3,000 blocks deep", "not utf-8"}
if sys.version_info < (3, 11, 4):
    NOT_FOR_FLAKE8 |= {"a null byte", "binary"}  # flake8 itself crashes: ast.parse raised ValueError for them then
BY_FLAKE8 = {name: content for name, content in UNREADABLE.items() if name not in NOT_FOR_FLAKE8}


@pytest.mark.parametrize("content", BY_FLAKE8.values(), ids=BY_FLAKE8)
def test_flake8_says_it_once(content: bytes, root: Path) -> None:
    """With its own E902 or E999; where it reads a file that cannot be decoded as if it could be, with ours."""
    hostile_project(content, root)
    program = [sys.executable, "-m", "flake8", "--isolated", "--select=E902,E999,LGS"]
    answer = fronts.process("hostile.py", HEALTHY_NAME, program=program, at=root)
    assert answer.code == 1
    assert "LGS401" in answer.out
    assert len([line for line in answer.out.splitlines() if line.startswith("hostile.py:")]) == 1, answer.out


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_what_can_be_read_is(content: bytes, root: Path) -> None:
    answer = fronts.process(*JSON, ".", at=hostile_project(content, root))
    assert answer.code == 1, answer.err
    assert "LGS001" not in codes(answer, "hostile.py")
    assert codes(answer, HEALTHY_NAME) == ["LGS401"]
    assert "Traceback" not in answer.err


CIRCLES = {
    "star imports of each other": {
        "a.py": FRAMEWORK + "from b import *\n\n\nasync def answer():\n    return nobody_knows(1)\n",
        "b.py": FRAMEWORK + "from a import *\n\n\ndef other():\n    return nobody_knows(2)\n",
    },
    "a compiled module of a package's name": {
        "pkg/__init__.py": FRAMEWORK + "from .pkg import *\n\n\nasync def answer():\n    return nobody_knows(1)\n",
    },
    "a tool that is made of itself": {
        "a.py": "from langchain_core.tools import Tool\nfrom langgraph.prebuilt import create_react_agent\n\n\n"
        "class Chain:\n    def agent(self, model):\n"
        "        self.search = Tool(name='search', func=self.search, description='looks it up')\n"
        "        return create_react_agent(model, tools=[self.search])\n\n"
        "    def search(self, query, config=None):\n        return self.agent(None).invoke(query)\n",
    },
}


@pytest.mark.parametrize("files", CIRCLES.values(), ids=CIRCLES)
def test_what_leads_back_to_itself(files: dict[str, str], root: Path) -> None:
    contents = {name: text.encode() for name, text in files.items()}
    answer = fronts.command(*JSON, ".", at=Project("hostile", {**contents, HEALTHY_NAME: HEALTHY_SOURCE}).write(root))
    assert answer.code == 1, answer.err
    assert codes(answer, HEALTHY_NAME) == ["LGS401"]
    assert "failed in" not in answer.err


def test_line_ends_of_old_count_as_lines(root: Path) -> None:
    answer = fronts.command(*JSON, ".", at=hostile_project(READABLE["line ends of old"], root))
    rows = {(entry["code"], entry["location"]["row"]) for entry in answer.report if entry["filename"] == "hostile.py"}
    assert rows == {(place.code, place.row) for place in HEALTHY.expected}


def test_a_file_without_a_framework_is_no_finding(root: Path) -> None:
    """It is counted: a broken script that has nothing to do with streams is not ours to report."""
    answer = fronts.command("--isolated", ".", at=hostile_project(b"def broken(:\n", root))
    assert "LGS001" not in answer.out
    assert fronts.command(*JSON, "hostile.py", at=root).report[0]["code"] == "LGS001"  # but named, it is


def test_utf_16_is_a_finding_when_named(root: Path) -> None:
    """No framework's word can be seen in its bytes, so that a folder's run takes it for a file of somebody else."""
    hostile_project(FRAMEWORK.encode("utf-16"), root)
    assert fronts.command(*JSON, "hostile.py", at=root).report[0]["code"] == "LGS001"


def test_a_file_over_5_mb_is_counted(root: Path) -> None:
    answer = fronts.command("--isolated", ".", at=hostile_project(HEALTHY_SOURCE + b"#" * 5_000_001, root))
    assert answer.code == 1
    assert "hostile.py:" not in answer.out.replace("hostile.py: ", "")
    assert "hostile.py" in answer.out
    assert "LGS401" in answer.out


def test_a_missing_path_is_wrong_usage(root: Path) -> None:
    answer = fronts.command("--isolated", HEALTHY_NAME, "not-there.py", at=hostile_project(b"", root))
    assert answer.code == 2
    assert "not-there.py" in answer.err
    assert fronts.command("--exit-zero", "not-there.py", at=root).code == 2


def test_nothing_to_analyse_is_a_warning(root: Path) -> None:
    answer = fronts.command("--isolated", ".", at=root)
    assert answer.code == 0
    assert answer.err.strip()


def test_links_that_lead_nowhere_or_in_a_circle(root: Path) -> None:
    hostile_project(b"", root)
    (root / "dangling.py").symlink_to("not-there.py")
    (root / "loop.py").symlink_to("loop.py")
    (root / "again").symlink_to(root, target_is_directory=True)
    answer = fronts.process(*JSON, ".", at=root)
    assert answer.code == 1, answer.err
    assert [entry["filename"] for entry in answer.report] == [HEALTHY_NAME]
    assert "dangling.py" in answer.err


@pytest.mark.parametrize("name", ["dangling.py", "loop.py"])
def test_a_link_that_is_named_is_answered(name: str, root: Path) -> None:
    (root / "dangling.py").symlink_to("not-there.py")
    (root / "loop.py").symlink_to("loop.py")
    answer = fronts.process("--isolated", name, at=root)
    assert answer.code in {0, 1, 2}
    assert name in answer.out + answer.err
    assert "Traceback" not in answer.err


def without_privileges() -> None:
    """Root reads everything; without these two capabilities it does not."""
    for capability in 1, 2:  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep permissions in other ways")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_said(what: str, root: Path) -> None:
    hostile_project(HEALTHY_SOURCE, root / "inside")
    hostile_project(HEALTHY_SOURCE, root)
    locked = root / "hostile.py" if what == "file" else root / "inside"
    locked.chmod(0)
    try:
        program = [sys.executable, "-c", f"import os; raise SystemExit(os.access({str(locked)!r}, os.R_OK))"]
        locks = fronts.process(program=program, at=root, preexec_fn=without_privileges).code == 0
        require(locks, "needs a file system and a user for whom permissions count")
        answer = fronts.process(*JSON, ".", at=root, preexec_fn=without_privileges)
    finally:
        locked.chmod(0o755)
    assert answer.code == 1, answer.err
    assert codes(answer, HEALTHY_NAME) == ["LGS401"]
    assert locked.name in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("pyproject.toml", "[project]\nname = 'x'\n\n[tool.lg-stream-lint]\nselect = [\n", 6),
        ("pyproject.toml", "[tool.lg-stream-lint]\nignore = ['LGS101']\nselekt = ['LGS']\n", 3),
        ("lg-stream-lint.toml", "select = ['LGS']\nignore = ['LGS1O1']\n", 2),
        (".lg-stream-lint.toml", "pedantic = 'yes'\n", 1),
    ],
)
def test_a_broken_configuration_names_file_and_line(name: str, text: str, line: int, root: Path) -> None:
    hostile_project(b"", root)
    (root / name).write_text(text)
    answer = fronts.command(".", at=root)
    assert answer.code == 2
    assert f"{name}:{line}" in answer.err
    assert "Traceback" not in answer.err


FAILING_RULE = """\
import sys
from lg_stream_lint.rules import registry
from lg_stream_lint.cli import main

def boom(self, node):
    if "hostile" in self.module.path:
        raise ValueError("two\\nlines")

registry.load(registry.rules()["LGS201"]).visit_Call = boom
sys.exit(main())
"""


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_rule_that_fails_does_not_take_the_others_with_it(jobs: str, root: Path) -> None:
    hostile_project(HEALTHY_SOURCE, root)
    program = [sys.executable, "-c", FAILING_RULE]
    for options in (), ("--exit-zero",):
        answer = fronts.process(*JSON, *options, "--jobs", jobs, ".", program=program, at=root)
        assert answer.code == 2
        assert codes(answer, "hostile.py") == codes(answer, HEALTHY_NAME) == ["LGS401"]
        lines = [line for line in answer.err.splitlines() if "LGS201" in line]
        assert len(lines) == 1
        assert "hostile.py" in lines[0]
        assert "Traceback" not in answer.err


def test_a_name_with_strange_characters(root: Path) -> None:
    name = "größe with spaces\tand 'quotes'.py"
    Project("hostile", {name: HEALTHY_SOURCE}).write(root)
    for style in "text", "concise", "json", "sarif", "github":
        answer = fronts.command("--isolated", "--output-format", style, ".", at=root)
        assert answer.code == 1, answer.err


def test_a_name_that_is_no_text(root: Path) -> None:
    Project("hostile", {HEALTHY_NAME: HEALTHY_SOURCE}).write(root)
    try:
        (root / os.fsdecode(b"\xff.py")).write_bytes(HEALTHY_SOURCE)
    except OSError:
        pytest.skip("this file system takes text only")
    for style in "text", "concise", "json", "sarif", "github":
        answer = fronts.process("--isolated", "--output-format", style, ".", at=root)
        assert answer.code == 1, answer.err
        assert "Traceback" not in answer.err


@pytest.mark.slow
def test_other_peoples_code_breaks_no_rule(root: Path) -> None:
    """A seeded choice of installed libraries, side by side: as one project they would lead to thousands of modules."""
    folders = {Path(path) for path in sys.path if path.endswith("site-packages")}
    files = sorted(file for folder in folders for file in folder.rglob("*.py") if file.stat().st_size < 200_000)
    likely = [file for file in files if b"astream" in (content := file.read_bytes()) and b"async def" in content]
    chosen = random.Random(0).sample(likely, min(40, len(likely))) + random.Random(0).sample(files, 80)
    for number, file in enumerate(chosen):
        (root / f"m{number}_{file.name}").write_bytes(file.read_bytes())
    for path in sorted(root.iterdir()):
        assert analyse_source(str(path), path.read_bytes(), Config()).errors == (), path


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_programs_put_together_at_random_break_no_rule(seed: int, root: Path) -> None:
    """Lines of two fixtures, cut and mixed: what still parses is stranger than what anybody writes."""
    chance = random.Random(seed)
    sources = [
        text for project in PROJECTS for content in project.python.values() if (text := content.decode().strip())
    ]
    read = 0
    for number in range(150):
        lines = chance.choice(sources).splitlines()
        others = [line for line in chance.choice(sources).splitlines() if line.strip()]
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(lines))
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            new = indent + chance.choice(others).lstrip()
            lines[at : at + chance.randint(0, 1)] = [new]
        result = analyse_source(str(root / f"p{number}.py"), "\n".join(lines).encode(), Config())
        assert result.errors == (), "\n".join(lines)
        read += result.analysed
    assert read > 15


def test_the_fixtures_hold_something_to_break() -> None:
    assert len(BAD) > 20


def test_types_that_name_themselves_and_each_other(root: Path) -> None:
    """``Json = dict[str, "Json"] | …`` is common; doubled thirty times over, a union has a milliard members."""
    doubled = "".join(f"T{n} = T{n - 1} | T{n - 1}\n" for n in range(1, 31))
    source = f"""\
from typing import Mapping, Sequence, cast

from fastapi import FastAPI
from langgraph.graph import StateGraph

Json = Mapping[str, "Json"] | Sequence["Json"] | dict[str, "Json"] | list["Json"] | str | None
T0 = dict[str, int] | list[int]
{doubled}
app = FastAPI()
graph = StateGraph(dict).compile()


def load(text) -> Json: ...


@app.get("/chat")
async def chat(text: T30):
    state = cast(Json, load(cast(T30, text)))
    return graph.invoke(state)
"""
    answer = fronts.process(
        "--isolated", "--output-format", "json", ".", at=Project("x", {"a.py": source.encode()}).write(root)
    )
    assert [entry["code"] for entry in answer.report] == ["LGS201"]
