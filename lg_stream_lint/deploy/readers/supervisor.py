"""supervisord's programs: what they start, and how long they wait when they stop it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, server_hops
from lg_stream_lint.deploy.commands.carrier import shifted
from lg_stream_lint.deploy.commands.places import folders_named, upward
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Target, Where

_SECTION = re.compile(r"\[(?:program|fcgi-program):([^\]]+)\]")
_PAIR = re.compile(r"""(\w+)=(?:"([^"]*)"|'([^']*)'|([^,\s]*))""")


def read(file: DeployFile, context: Context) -> Reading:
    """The servers that a configuration's programs start."""
    hops: list[Hop] = []
    notes: list[Note] = []
    bases = upward(file.folder, context.repository)
    known = (Target("file", file.path),)
    for command, carrier in programs(file, Carrier(context, file.row(1), Stands.UNIT, bases=bases, known_as=known)):
        reading = server_hops(command, carrier)
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(notes))


def programs(file: DeployFile, carrier: Carrier) -> Iterator[tuple[str, Carrier]]:
    """The programs' commands, each with what it stands in, as :func:`~lg_stream_lint.deploy.commands.server_hops` takes it."""
    own = Target("file", file.path)
    known = carrier.known_as if own in carrier.known_as else (*carrier.known_as, own)
    for section in _sections(file):
        if "command" not in section:
            continue
        command, where, start = section["command"]
        env = dict(carrier.env)
        if "environment" in section:
            text, place, _ = section["environment"]
            env.update({m[1]: Variable(m[2] or m[3] or m[4] or "", place) for m in _PAIR.finditer(text)})
        bases = carrier.bases
        if "directory" in section:
            bases = folders_named(section["directory"][0], bases)
        yield (
            re.sub(r"(?m)(?<![ \t])[ \t]+;.*$", "", command),
            carrier._replace(
                where=where,
                env=env,
                bases=bases,
                known_as=known,
                at=shifted(file, start),
            ),
        )


class _Value(NamedTuple):
    """A key's value: from the first letter of it to the end of its last line, and the place of its first line."""

    begin: int
    end: int
    where: Where


def _sections(file: DeployFile) -> Iterator[dict[str, tuple[str, Where, int]]]:
    """The programs' keys: value, place of the line, offset of the value. Lines that begin with a space continue a value."""
    section: dict[str, _Value] | None = None
    last, offset = "", 0
    for line in file.text.splitlines(keepends=True):
        start, offset = offset, offset + len(line)
        end = start + len(line.rstrip())
        stripped = line.strip()
        if stripped.startswith("["):
            if section:
                yield _written(section, file)
            section, last = ({} if _SECTION.match(stripped) else None), ""
        elif section is None or not stripped or stripped.startswith((";", "#")):
            continue
        elif line[0] in " \t" and last:
            section[last] = section[last]._replace(end=end)
        elif "=" in line:
            key, _, value = line.partition("=")
            last = key.strip()
            begin = start + len(key) + 1 + len(value) - len(value.lstrip())
            section[last] = _Value(begin, max(begin, end), file.at(start, end))
    if section:
        yield _written(section, file)


def _written(section: dict[str, _Value], file: DeployFile) -> dict[str, tuple[str, Where, int]]:
    """The keys with their values' texts."""
    return {
        key: (file.text[value.begin : value.end].replace("\n", " "), value.where, value.begin)
        for key, value in section.items()
    }
