"""Which release reads a configuration, as far as the repository says: the tag of the image that it is copied or mounted into."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.nginx.carriers import Carrier
from lg_stream_lint.deploy.settings import Where

#: Folders from the configuration's upward in which an image is looked for.
UPWARD = 3
#: What a tag without a number gets: whatever is the newest when the image is pulled.
NEWEST = "9999"

#: The images' names, without registry and tag.
NGINX = ("nginx", "nginx-unprivileged", "openresty")
_IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)*(?P<name>[\w.-]+)(?::(?P<tag>[\w.-]+))?(?:@\S+)?")
_WRITTEN = re.compile(r"""(?im)^[ \t-]*(?:FROM[ \t]+(?:--\S+[ \t]+)?|image:[ \t]*["']?)(?P<image>[^\s"']+)""")
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)")
_LIKE_IMAGES = re.compile(r"(?i).*dockerfile.*|(?:docker-)?compose[\w.-]*\.ya?ml|.*containerfile.*")
_MOST_FILES = 30


class Version(NamedTuple):
    """The tag as written (``latest`` where there is none), the release that it gets, and the place that says so.

    Everything is empty where nothing is known.
    """

    tag: str = ""
    release: str = ""
    where: Where | None = None


def version_for(
    file: DeployFile, carriers: Sequence[Carrier], context: Context, images: Sequence[str] = NGINX
) -> Version:
    """The version of the image that carries a file; without one, of the image that the nearest folder names.

    Unknown when two differ. ``images`` are the names of the product's.
    """
    carried = [v for carrier in carriers if (v := _version(carrier.image, carrier.where, images)) is not None]
    if carried or carriers:
        return _only(carried)
    folder = file.folder
    for _ in range(UPWARD):
        if not context.holds(os.path.join(folder, "x")):
            break
        found = [version for other in _files(folder, context) for version in _images(other, images)]
        if found:
            return _only(found)
        folder = os.path.dirname(folder)
    return Version()


def _only(found: list[Version]) -> Version:
    return found[0] if len({version.release for version in found}) == 1 else Version()


def _files(folder: str, context: Context) -> list[DeployFile]:
    try:
        names = sorted(name for name in os.listdir(folder) if _LIKE_IMAGES.fullmatch(name))
    except (OSError, ValueError):
        return []
    found = []
    for name in names[:_MOST_FILES]:
        try:
            found.append(context.open(os.path.join(folder, name)))
        except NotRead:  # noqa: PERF203 - a handful of files
            continue
    return found


def _images(file: DeployFile, images: Sequence[str]) -> Iterator[Version]:
    for match in _WRITTEN.finditer(file.text):
        version = _version(match["image"], file.at(match.start("image"), match.end("image")), images)
        if version is not None:
            yield version


def _version(image: str, where: Where, images: Sequence[str]) -> Version | None:
    match = _IMAGE.fullmatch(image)
    if match is None or match["name"] not in images:
        return None
    return Version(match["tag"] or "latest", release_of(match["tag"] or ""), where)


def release_of(tag: str) -> str:
    """``1.25-alpine`` is 1.25, the newest of its line; a tag without a number, or with one part only, is the newest of all."""
    match = _NUMBER.match(tag)
    if match is None or "." not in match[1]:
        return NEWEST
    parts = match[1].split(".")
    return ".".join(parts[:3]) if len(parts) > 2 else f"{match[1]}.{NEWEST}"
