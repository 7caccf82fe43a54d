"""Dockerfiles: what the image's last stage starts, with its variables, its folders and its base image.

A configuration of nginx that the build itself writes (``COPY <<EOF /etc/nginx/conf.d/default.conf``) is read as what it is.
"""

from __future__ import annotations

import copy
import re

from lg_stream_lint.deploy.commands import Carrier, Stands, Word, server_hops
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.images.dockerfile import Command, Image, image_of
from lg_stream_lint.deploy.nginx.carriers import Carrier as Container
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Target

_OF_NGINX = re.compile(r"(?:.*/)?nginx/.*\.(?:conf|template)|.*/nginx\.conf")
_FROM = re.compile(r"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)?(?P<base>\S+)")
_MAIN_FILE = re.compile(r"(?im)^[ \t]*(?:COPY|ADD)[ \t][^\r\n]*nginx\.conf\b")


def read(file: DeployFile, context: Context) -> Reading:
    """The servers that the image of a Dockerfile starts, and nginx's configurations that it writes."""
    image = image_of(file, context)
    started, written = read_image(image, context), _configurations(image, file, context)
    return Reading((*started.hops, *written.hops), (*started.notes, *written.notes))


def _configurations(image: Image, file: DeployFile, context: Context) -> Reading:
    hops: list[Hop] = []
    notes: list[Note] = []
    container = Container(
        Target("file", file.path), image.base, file.row(1), {n: v.value for n, v in image.env.items()}
    )
    for path, written in image.written.items():
        if not _OF_NGINX.fullmatch(path):
            continue
        if _MAIN_FILE.search(file.text) is not None:
            notes.append(Note(written.row(1), f"{path}, which a file that is copied into the image may include"))
            continue
        from lg_stream_lint.deploy.readers import nginx

        reading = nginx.read(written, copy.copy(context), container)  # of its own: one path stands for several files
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(notes))


def read_image(image: Image, context: Context) -> Reading:
    """The servers that an image starts when nobody gives it another command."""
    carrier = carrier_of(image, context)
    if carrier is None:
        return Reading()
    entrypoint, command = image.entrypoint, image.command
    if entrypoint is None or isinstance(entrypoint, Command):
        return _run(entrypoint or command, image, carrier)
    if isinstance(command, Command):
        shell = [Word(text, command.where) for text in (*image.shell[:1], "-c")]
        return server_hops([*entrypoint, *shell, Word(command.text, command.where)], carrier)
    return server_hops([*entrypoint, *(command or ())], carrier)


def carrier_of(image: Image, context: Context, stands: str = Stands.IMAGE) -> Carrier | None:
    """What a command that runs in an image stands in; None for an image that says nothing of its command.

    For a command from elsewhere (compose, Kubernetes) replace ``where``, ``known_as`` and ``stands``, and add to ``env``.
    """
    parts = [part for part in (image.entrypoint, image.command) if part]
    if not parts:
        return None
    first = parts[0]
    where = first.where if isinstance(first, Command) else first[0].where
    ports = tuple(Target("port", port) for port in image.ports)
    known = (Target("file", image.path), *ports)
    return Carrier(context, where, stands, image.env, image.bases, known, image=image.base, written=image.written)


def _run(part: Command | tuple[Word, ...] | None, image: Image, carrier: Carrier) -> Reading:
    if isinstance(part, Command):
        return server_hops(part.text, carrier._replace(where=part.where, at=part.at, shell=image.shell[0]))
    return server_hops(part, carrier) if part else Reading()
