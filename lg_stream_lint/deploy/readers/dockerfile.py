"""Dockerfiles: what the image's last stage starts, with its variables, its folders and its base image."""

from __future__ import annotations

from lg_stream_lint.deploy.commands import Carrier, Stands, Word, server_hops
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.images.dockerfile import Command, Image, image_of
from lg_stream_lint.deploy.settings import Reading, Target


def read(file: DeployFile, context: Context) -> Reading:
    """The servers that the image of a Dockerfile starts."""
    return read_image(image_of(file, context), context)


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
