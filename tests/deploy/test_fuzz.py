"""Fixtures cut, doubled and mixed at random: no reader fails on them, whatever comes out.

The examples are the same in every run; ``--hypothesis-profile`` and more examples find what these do not.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.kinds import KINDS, kinds_of
from lg_stream_lint.deploy.links import Known
from lg_stream_lint.deploy.settings import NAMES, Reading, Role
from lg_stream_lint.deploy.ways import ways_through
from tests.projects import DEPLOYED, LIST

READERS = sorted({kind.reader for kind in KINDS})
#: What breaks habits: numbers without sense, signs that open something, words of other formats, line ends.
ODD = (
    *(
        "",
        "0",
        "-1",
        "1e9",
        "9" * 40,
        "60s",
        "1m30",
        "${X}",
        "${X:-45}",
        "{{ .Values.a }}",
        "{% if a %}",
        "$(a)",
        "\\",
        "\n",
    ),
    *(
        '"',
        "'",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "<<EOF\n",
        "#",
        "//",
        ";",
        ":",
        "- ",
        "&a ",
        "*a",
        "<<: *a",
        "!Ref a",
        "|\n",
        ">\n",
    ),
    *(
        "\t",
        "\r",
        "\r\n",
        "\x0c",
        "\u2028",
        "\xa0",
        "é",
        "\U0001f600",
        "null",
        "true",
        "off",
        "~",
        "---\n",
        "...\n",
        "\ufeff",
    ),
)
NUMBER = re.compile(r"\d+")


def _sources() -> dict[str, list[tuple[str, str]]]:
    """The fixtures' files by the reader that they are for: name and text."""
    found: dict[str, dict[tuple[str, str], None]] = {reader: {} for reader in READERS}
    for project in DEPLOYED:
        for path, content in project.files.items():
            for kind in kinds_of(path, content) if path != LIST else ():
                found[kind.reader][Path(path).name, content.decode("utf-8", "replace")] = None
    return {reader: list(files) for reader, files in found.items()}


SOURCES = _sources()


@st.composite
def mutated(draw: st.DrawFn, sources: list[tuple[str, str]]) -> tuple[str, str]:
    """A fixture's file with up to a dozen changes."""
    name, text = draw(st.sampled_from(sources))
    for _ in range(draw(st.integers(1, 12))):
        text = draw(_changed(text, sources))
    return name, text


@st.composite
def _changed(draw: st.DrawFn, text: str, sources: list[tuple[str, str]]) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, other = draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))
    start, end = min(at, other), min(max(at, other), min(at, other) + 40)
    row = draw(st.integers(0, len(lines) - 1))
    how = draw(
        st.sampled_from(
            ["insert", "cut", "replace", "line away", "line twice", "line moved", "indent", "number", "mix"]
        )
    )
    if how == "insert":
        return text[:at] + draw(st.sampled_from(ODD)) + text[at:]
    if how == "cut":
        return text[:start] + text[end:]
    if how == "replace":
        return text[:start] + draw(st.sampled_from(ODD)) + text[end:]
    if how == "number":
        value = draw(st.sampled_from(ODD))
        return NUMBER.sub(lambda match: value if match.start() >= at else match[0], text, count=0)
    if how == "mix":
        other_lines = draw(st.sampled_from(sources))[1].splitlines(keepends=True) or [""]
        begin = draw(st.integers(0, len(other_lines) - 1))
        return "".join([*lines[:row], *other_lines[begin : begin + 5], *lines[row:]])
    if how == "line moved":
        target = draw(st.integers(0, len(lines) - 1))
        lines.insert(target, lines.pop(row))
        return "".join(lines)
    new = {
        "line away": [],
        "line twice": [lines[row]] * 2,
        "indent": [draw(st.sampled_from(["  ", "\t", " "])) + lines[row]],
    }
    return "".join([*lines[:row], *new[how], *lines[row + 1 :]])


def read(reader: str, name: str, text: str, folder: str) -> Reading:
    """What a reader makes of a text; it may refuse it, and nothing else."""
    path = f"{folder}/{name}"
    source = text.encode("utf-8", "surrogatepass")
    context = Context(folder, {path: source}, [path])
    try:
        found: Reading = importlib.import_module(f"lg_stream_lint.deploy.readers.{reader}").read(
            context.open(path), context
        )
    except NotRead:
        return Reading()
    return found


@pytest.mark.parametrize("reader", [reader for reader in READERS if SOURCES[reader]])
def test_changed_fixtures_are_read(reader: str, root: Path) -> None:
    @settings(max_examples=120, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(mutated(SOURCES[reader]))
    def check(given_: tuple[str, str]) -> None:
        name, text = given_
        found = read(reader, name, text, str(root))
        file = _file(root, name, text)
        for note in found.notes:
            assert note.reason
            assert note.where.span.row >= 1
        for hop in found.hops:
            assert hop.role in {Role.SERVER, Role.HOST, Role.PROXY}
            for setting in hop.settings:
                assert setting.name in NAMES, setting
                span = setting.where.span
                assert (1, 1) <= (span.row, span.column) <= (span.end_row, span.end_column), setting
                if setting.where.path == f"{root}/{name}":
                    assert span.end_row <= len(file.lines) + 1, setting
        Known(found.hops)
        assert len(ways_through(found.hops, [], str(root))) <= 400

    check()


def _file(root: Path, name: str, text: str) -> DeployFile:
    try:
        return DeployFile(f"{root}/{name}", text.encode("utf-8", "surrogatepass"))
    except NotRead:
        return DeployFile(f"{root}/{name}", b"")


@pytest.mark.parametrize("reader", READERS)
def test_any_text_is_read(reader: str, root: Path) -> None:
    """Text that was never a file of the format, under a name of it."""
    names = {kind.reader: kind.names for kind in KINDS}
    name = next((n for n, _ in SOURCES[reader]), None) or re.sub(r"\W", "", names[reader])

    @settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=8)), max_size=60).map("".join))
    def check(text: str) -> None:
        read(reader, name, text, str(root))

    check()
