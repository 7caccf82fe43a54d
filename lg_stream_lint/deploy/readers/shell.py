"""Shell scripts: the servers that they start, and nginx's configurations that they write.

A script that an image runs is read with the image, too.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

from lg_stream_lint.deploy.commands import Carrier, Stands, server_hops
from lg_stream_lint.deploy.commands.places import upward
from lg_stream_lint.deploy.commands.words import simple_commands
from lg_stream_lint.deploy.commands.wrappers import unwrap
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.images.written import Piece, WrittenFile
from lg_stream_lint.deploy.settings import Reading, Target

_OF_NGINX = re.compile(r"/etc/nginx/\S+")


def read(file: DeployFile, context: Context) -> Reading:
    """The servers of a script by itself: nobody knows yet who runs it, and in which folder."""
    first = file.lines[0] if file.lines else ""
    if first.startswith("#!") and not any(name in first for name in ("sh", "env")):
        return Reading()
    known = (Target("file", file.path),)
    bases = upward(file.folder, context.repository)
    carrier = Carrier(context, file.row(1), Stands.SCRIPT, bases=bases, known_as=known, at=file.at)
    reading = server_hops(file.text, carrier)
    for written in _configurations(file, carrier):
        from lg_stream_lint.deploy.readers import nginx

        inner = nginx.read(written, copy.copy(context))  # of its own: one path stands for several files
        reading = Reading((*reading.hops, *inner.hops), (*reading.notes, *inner.notes))
    return reading


def _configurations(file: DeployFile, carrier: Carrier) -> Iterator[DeployFile]:
    """The here documents that go into nginx's folder: ``cat > /etc/nginx/…``, ``tee /etc/nginx/…``."""
    if "nginx" not in file.text or "<<" not in file.text:
        return
    for simple in simple_commands(file.text, carrier):
        words = unwrap(simple.words, simple.env).words
        name = words[0].text if words else ""
        paths = [simple.output] if name == "cat" else [word.text for word in words[1:]] if name == "tee" else []
        if simple.here is not None and any(_OF_NGINX.fullmatch(path) for path in paths):
            begin, end = simple.here
            yield WrittenFile(file, [Piece(file.text[begin:end], begin)])
