"""Which Python a project runs on, and where that is written.

A Dockerfile's last stage, ``.python-version``, ``.tool-versions`` and ``runtime.txt`` say what runs; ``requires-python``
(and Poetry's ``python``) only what is allowed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from lg_stream_lint import roots
from lg_stream_lint.manifests.declared import poetry_specifier
from lg_stream_lint.manifests.text import Entry, Unreadable, parse_toml, read_text, row_of, table

_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE)
_ARG = re.compile(r"^\s*ARG\s+(?P<name>\w+)(?:=(?P<value>\S*))?", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<plain>\w+))")
_IMAGES = (
    re.compile(
        r"(?:^|/)(?:python|python3|pypy|langgraph-api|langgraph-server|langgraphjs-api):v?(?P<version>\d+(?:\.\d+)*)"
    ),
    re.compile(r":(?:[\w.-]*[-.])?(?:python|py)(?P<version>3(?:\.\d+)+)"),  # uv:python3.12-bookworm, …:0.5-python3.11
    re.compile(r"(?:^|/)(?:[\w.-]*-)?python[-_]?(?P<version>3[-.]?\d\d?)(?:[-:@/]|$)"),  # ubi9/python-311
)


def dockerfile_python(path: str, text: str) -> Entry | None:
    """The Python of the image of a Dockerfile's last stage."""
    arguments: dict[str, str] = {}
    stages: dict[str, tuple[str, int]] = {}
    last: tuple[str, int] | None = None
    for row, line in enumerate(text.split("\n"), 1):
        argument = _ARG.match(line)
        if argument and last is None:  # only arguments before the first FROM can stand in a FROM
            arguments[argument["name"]] = (argument["value"] or "").strip("\"'")
        stage = _FROM.match(line.split(" #")[0])
        if stage:
            image = _VARIABLE.sub(lambda found: _expand(found, arguments), stage["image"])
            last = stages.get(image.lower(), (image, row))
            if stage["name"]:
                stages[stage["name"].lower()] = last
    if last is None:
        return None
    image, row = last
    for pattern in _IMAGES:
        match = pattern.search(image.split("@")[0])
        if match:
            return python_pin(match["version"], path, row)
    return None


def _expand(found: re.Match[str], arguments: dict[str, str]) -> str:
    name = found["braced"] or found["plain"]
    return arguments.get(name) or found["default"] or ""


def python_pin(version: str, path: str, row: int) -> Entry:
    """``3.11`` means any patch release of it, ``3.11.4`` that one."""
    if re.fullmatch(r"3\d\d?", version):  # ubi9/python-311
        version = f"3.{version[1:]}"
    version = version.replace("-", ".")
    if version.count(".") >= 2:
        return Entry("python", version, f"=={version}", path, row)
    return Entry("python", None, f"=={version}.*", path, row)


def _first_version(pattern: str) -> Callable[[str, str], Entry | None]:
    compiled = re.compile(pattern, re.MULTILINE)

    def read(path: str, text: str) -> Entry | None:
        match = compiled.search(text)
        return python_pin(match[1], path, text.count("\n", 0, match.start(1)) + 1) if match else None

    return read


#: Folders below an application's own in which its Dockerfile is often kept.
_FOLDERS = ("docker", ".docker", "deploy", "deployment")

#: Read in this order; what runs in production before what a developer's tool picks.
_PINS: tuple[tuple[str, Callable[[str, str], Entry | None]], ...] = (
    ("runtime.txt", _first_version(r"^\s*python-(3(?:\.\d+)+)")),
    (".python-version", _first_version(r"^\s*(?:cpython-|python-|cpython@)?(3(?:\.\d+)+)")),
    (".tool-versions", _first_version(r"^\s*python\s+(3(?:\.\d+)+)")),
)


def pins_in(folder: str, note: Callable[[str], None], seen: Callable[[str], None]) -> Iterator[Entry]:
    """What the files of one folder say about the Python that runs."""
    names = roots.names_in(folder)
    dockerfiles = _dockerfiles(folder)
    for below in _FOLDERS:
        if below in names:
            dockerfiles += [f"{below}/{name}" for name in _dockerfiles(os.path.join(folder, below))]
    readers = [(name, dockerfile_python) for name in dockerfiles] + [pin for pin in _PINS if pin[0] in names]
    for name, read in readers:
        path = os.path.join(folder, name)
        seen(path)
        try:
            entry = read(path, read_text(path))
        except Unreadable as error:
            note(str(error))
            continue
        if entry is not None:
            yield entry


def _dockerfiles(folder: str) -> list[str]:
    return sorted(filter(_is_dockerfile, roots.names_in(folder)), key=lambda name: (name != "Dockerfile", name))


def _is_dockerfile(name: str) -> bool:
    lowered = name.lower()
    if lowered.endswith((".dockerignore", ".md", ".py", ".sh")):
        return False
    return lowered.startswith(("dockerfile", "containerfile")) or lowered.endswith(".dockerfile")


def ranges_in(folder: str, note: Callable[[str], None], seen: Callable[[str], None]) -> Iterator[Entry]:
    """What ``pyproject.toml`` and ``Pipfile`` of one folder allow."""
    names = roots.names_in(folder)
    for name in ("pyproject.toml", "Pipfile"):
        if name not in names:
            continue
        path = os.path.join(folder, name)
        seen(path)
        try:
            text = read_text(path)
            document = parse_toml(path, text)
        except Unreadable as error:
            note(str(error))
            continue
        written = table(document, "project").get("requires-python")
        if isinstance(written, str):
            yield Entry("python", None, written, path, row_of(text, r"^\s*requires-python\s*="))
        written = table(document, "tool", "poetry", "dependencies").get("python")
        if isinstance(written, str):
            yield Entry("python", None, poetry_specifier(written), path, row_of(text, r"^\s*python\s*="))
        required = table(document, "requires")
        written = required.get("python_full_version") or required.get("python_version")
        if isinstance(written, str):
            yield python_pin(written, path, row_of(text, r"^\s*python_(full_)?version\s*="))
