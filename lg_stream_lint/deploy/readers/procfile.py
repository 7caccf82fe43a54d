"""Procfiles: ``web: command``, run by Heroku and its kin in the folder of the file."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.commands import Carrier, Stands, server_hops
from lg_stream_lint.deploy.commands.carrier import shifted
from lg_stream_lint.deploy.commands.places import upward
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Target

_PROCESS = re.compile(r"[ \t]*([A-Za-z0-9_-]+)[ \t]*:[ \t]*")


def read(file: DeployFile, context: Context) -> Reading:
    """The servers of a Procfile's processes."""
    hops: list[Hop] = []
    notes: list[Note] = []
    offset = 0
    for line in file.text.splitlines(keepends=True):
        match = _PROCESS.match(line)
        command = line[match.end() :].rstrip() if match else ""
        if match and command:
            start = offset + match.end()
            carrier = Carrier(
                context,
                file.at(start, start + len(command)),
                Stands.MANIFEST,
                bases=upward(file.folder, context.repository),
                known_as=(Target("file", file.path),),
                at=shifted(file, start),
            )
            reading = server_hops(command, carrier)
            hops += reading.hops
            notes += reading.notes
        offset += len(line)
    return Reading(tuple(hops), tuple(notes))
