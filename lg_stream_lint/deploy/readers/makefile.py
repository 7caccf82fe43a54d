"""Makefiles and justfiles: the servers in their recipes, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, server_hops
from lg_stream_lint.deploy.commands.carrier import shifted
from lg_stream_lint.deploy.commands.places import upward
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Target

_ASSIGNMENT = re.compile(r"(?:export[ \t]+)?(\w+)[ \t]*(?::{0,3}|\?)=[ \t]*(.*)")
_REFERENCE = re.compile(r"\$\((\w+)\)|\{\{[ \t]*(\w+)[ \t]*\}\}")
_MARKS = re.compile(r"[ \t]+[@+-]*")


def read(file: DeployFile, context: Context) -> Reading:
    """The servers that a file's recipes start."""
    hops: list[Hop] = []
    notes: list[Note] = []
    env: dict[str, Variable] = {}
    bases = upward(file.folder, context.repository)
    for start, text in _logical_lines(file.text):
        if assignment := _ASSIGNMENT.match(text):
            value = assignment[2].split("#")[0].strip().strip("\"'")
            env[assignment[1]] = Variable(_with_braces(value), file.at(start, start + len(text)), overridable=True)
            continue
        marks = _MARKS.match(text)
        if marks is None:
            continue
        carrier = Carrier(
            context,
            file.at(start + marks.end(), start + len(text.rstrip())),
            Stands.SCRIPT,
            env,
            bases,
            (Target("file", file.path),),
            at=shifted(file, start + marks.end()),
        )
        reading = server_hops(_with_braces(text[marks.end() :]), carrier)
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(notes))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with those that continue them, and where each begins."""
    offset, start = 0, 0
    parts: list[str] = []
    for line in text.splitlines(keepends=True):
        start = start if parts else offset
        parts.append(line)
        offset += len(line)
        if not line.rstrip("\r\n").endswith("\\"):
            yield start, "".join(parts)
            parts = []
    if parts:
        yield start, "".join(parts)


def _with_braces(text: str) -> str:
    """``$(X)`` and just's ``{{X}}`` as a shell would write them, in as many letters; ``$$X`` is left to the shell."""
    return _REFERENCE.sub(_in_braces, text).replace("$$", " $")


def _in_braces(match: re.Match[str]) -> str:
    name = match[1] or match[2]
    return f"${{{name}}}" + " " * (len(match[0]) - len(name) - 3)
