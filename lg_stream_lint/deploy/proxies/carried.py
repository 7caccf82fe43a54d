"""The container that a proxy's configuration is mounted or copied into: its names, and the product's version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.carriers import carriers_of
from lg_stream_lint.deploy.nginx.version import Version, version_for
from lg_stream_lint.deploy.settings import Target


class Carried(NamedTuple):
    """What others know a configuration's proxy as, and the version of the product, as far as the repository says."""

    known_as: tuple[Target, ...]
    version: Version


def carried(file: DeployFile, context: Context, *images: str, pieces: Iterable[str] = ()) -> Carried:
    """What carries a configuration, or the files that it includes; ``images`` are the names of the product's images."""
    files = [file, *(context.open(path) for path in sorted(pieces))]
    carriers = carriers_of(files, context, [image.encode() for image in images])
    targets = dict.fromkeys(carrier.target for carrier in carriers)
    return Carried((Target("file", file.path), *targets), version_for(file, carriers, context, images))
