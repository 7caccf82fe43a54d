"""Shell scripts: the servers that they start. A script that an image runs is read with the image, too."""

from __future__ import annotations

from lg_stream_lint.deploy.commands import Carrier, Stands, server_hops
from lg_stream_lint.deploy.commands.places import upward
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Reading, Target


def read(file: DeployFile, context: Context) -> Reading:
    """The servers of a script by itself: nobody knows yet who runs it, and in which folder."""
    first = file.lines[0] if file.lines else ""
    if first.startswith("#!") and not any(name in first for name in ("sh", "env")):
        return Reading()
    known = (Target("file", file.path),)
    bases = upward(file.folder, context.repository)
    return server_hops(file.text, Carrier(context, file.row(1), Stands.SCRIPT, bases=bases, known_as=known, at=file.at))
