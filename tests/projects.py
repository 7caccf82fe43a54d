"""The fixtures as small projects, and what the marks in them expect.

A fixture is a file or a folder ``bad_*`` or ``good_*`` under ``fixtures/LGSnnn``. Its files are written to a folder of
their own, which is then the project's root. A comment says what is expected on its line::

    return graph.astream(state)  # expect: LGS401

Several codes are separated by commas; a comment that stands alone speaks of the next line. What is not expected must
not be found, whatever the code. A file that can hold no comments (JSON) is spoken of in ``expect.txt`` beside it, line by
line: ``vercel.json:4 LGS603``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lg_stream_lint.finding import is_about_settings
from lg_stream_lint.rules.registry import rules

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"

MARK = re.compile(r"#\s*expect:\s*(?P<codes>LGS\d{3}(?:\s*,\s*LGS\d{3})*)")
LIST = "expect.txt"
LISTED = re.compile(r"(?P<file>[^:]+):(?P<row>\d+)\s+(?P<code>LGS\d{3})$")
LINE_END = re.compile(r"\r\n|\r|\n")
# A project is known by a file like this one; without it a copy would be judged as part of what lies around it.
MARKER = {"pyproject.toml": b'[project]\nname = "copied-out"\nversion = "0"\n'}
MARKERS = re.compile(r"^(pyproject\.toml|setup\.(py|cfg)|.*\.lock|requirements[^/]*\.txt|Pipfile)$")


class Place(NamedTuple):
    """A finding as a test sees it; marks know no column."""

    file: str
    row: int
    code: str


class Project(NamedTuple):
    """The files of a fixture by their path below the project's root."""

    name: str
    files: Mapping[str, bytes]

    @property
    def code(self) -> str:
        """The rule whose fixture this is."""
        return self.name.partition("/")[0]

    @property
    def bad(self) -> bool:
        """Whether it shows the failure rather than the repair."""
        return self.name.partition("/")[2].startswith("bad_")

    @property
    def advice(self) -> str:
        """The rule's code when it only gives advice, which is to be asked for; else an empty string."""
        rule = rules().get(self.code)
        return self.code if rule is not None and rule.severity == "info" else ""

    @property
    def deploys(self) -> bool:
        """Whether it is about the files around the code."""
        return is_about_settings(self.code)

    @property
    def python(self) -> Mapping[str, bytes]:
        """Its Python files."""
        return {path: content for path, content in self.files.items() if path.endswith(".py")}

    @property
    def expected(self) -> Counter[Place]:
        """What the marks say."""
        listed = self.files.get(LIST, b"").decode().splitlines()
        beside = [Place(m["file"], int(m["row"]), m["code"]) for line in listed if (m := LISTED.match(line))]
        return Counter([*beside, *(place for path, content in self.files.items() for place in marks(path, content))])

    def with_files(self, files: Mapping[str, bytes]) -> Project:
        """The same project with other files."""
        return self._replace(files=files)

    def write(self, root: Path) -> Path:
        """Write it below ``root``, as a project of its own."""
        marked = any(MARKERS.match(path) for path in self.files)
        for path, content in (self.files if marked else {**MARKER, **self.files}).items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return root


def text_of(content: bytes) -> str:
    """The text of a fixture's file, line ends kept; a byte order mark is none of the text."""
    return content.decode("utf-8-sig")


def marks(path: str, content: bytes) -> Iterator[Place]:
    """Every code that a mark in the file expects."""
    try:
        lines = LINE_END.split(text_of(content))
    except UnicodeDecodeError:
        return  # such a file cannot be marked; its test says what it expects
    for number, line in enumerate(lines, start=1):
        for mark in MARK.finditer(line):
            alone = not line[: mark.start()].strip()
            for code in mark["codes"].split(","):
                yield Place(path, number + alone, code.strip())


def load(path: Path) -> Project:
    """The fixture at ``path``."""
    name = f"{path.parent.name}/{path.stem if path.is_file() else path.name}"
    if path.is_file():
        return Project(name, {path.name: path.read_bytes()})
    files = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return Project(name, {file.relative_to(path).as_posix(): file.read_bytes() for file in files})


def paths(code: str = "LGS*", kind: str = "*") -> list[Path]:
    """Where the fixtures lie: of one rule, of one kind (``bad`` or ``good``), or all."""
    found = FIXTURES.glob(f"{code}/{kind}_*")
    return sorted(path for path in found if path.name.startswith(("bad_", "good_")) and path.suffix in {"", ".py"})


PATHS = tuple(paths())
ALL = tuple(load(path) for path in PATHS)
DEPLOYED = tuple(project for project in ALL if project.deploys)
PROJECTS = tuple(project for project in ALL if not project.deploys)
BAD = tuple(project for project in PROJECTS if project.bad)
GOOD = tuple(project for project in PROJECTS if not project.bad)
