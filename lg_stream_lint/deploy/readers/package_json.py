"""``package.json``: the servers that its scripts start."""

from __future__ import annotations

import json
import re

from lg_stream_lint.deploy.commands import Carrier, Stands, server_hops
from lg_stream_lint.deploy.commands.carrier import shifted
from lg_stream_lint.deploy.commands.places import upward
from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Target

#: A string, and the one that it is the name of: every string is taken whole, so that none is searched from its middle.
_PAIR = re.compile(r'"((?:[^"\\\n]|\\.)*)"(?:\s*:\s*("(?:[^"\\\n]|\\.)*"))?')


def read(file: DeployFile, context: Context) -> Reading:
    """The servers of the scripts."""
    try:
        whole = json.loads(file.text)
    except (ValueError, RecursionError) as error:
        raise NotRead(f"no JSON ({type(error).__name__})") from None
    scripts = whole.get("scripts") if isinstance(whole, dict) else None
    if not isinstance(scripts, dict):
        return Reading()
    hops: list[Hop] = []
    notes: list[Note] = []
    for match in _PAIR.finditer(file.text):
        if match[2] is None or match[1] not in scripts:
            continue
        name, command = match[1], json.loads(match[2], strict=False)
        if scripts.get(name) != command or not isinstance(command, str):
            continue
        start = match.start(2) + 1
        plain = len(command) == len(match[2]) - 2  # no escapes: offsets in the text are offsets in the file
        carrier = Carrier(
            context,
            file.at(*match.span(2)),
            Stands.SCRIPT,
            bases=upward(file.folder, context.repository),
            known_as=(Target("file", file.path),),
            at=shifted(file, start) if plain else None,
        )
        reading = server_hops(command, carrier)
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(notes))
