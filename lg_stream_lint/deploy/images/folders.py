"""Which folder of the repository an image's working folder was copied from, and which files its scripts."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.commands.places import upward
from lg_stream_lint.deploy.files import Context, DeployFile

#: Names of what an image may be started by.
_SCRIPT = re.compile(r"[\w.-]+\.(?:sh|bash)|[\w-]+")
#: Copies of a Dockerfile that are looked at.
_MOST = 50


class Copy(NamedTuple):
    """``COPY source target``; the target is absolute inside the image, ``inside`` says that it is written as a folder."""

    source: str
    target: str
    inside: bool = False


def in_image(path: str, folder: str) -> str:
    """A path inside an image, absolute."""
    return posixpath.normpath(posixpath.join(folder, path))


def bases_of(folder: str, repository: str, work: str, copies: Sequence[Copy]) -> tuple[str, ...]:
    """The folders of the repository that may be the image's working folder, the likeliest first.

    The build's context is not written in a Dockerfile: it is the folder at or above it that has the most of what is copied.
    """
    contexts = upward(folder, repository)
    ranked = sorted(contexts, key=lambda context: -sum(_exists(context, copy.source) for copy in copies[:_MOST]))
    found: list[str] = []
    for context in ranked:
        for copy in reversed(copies[:_MOST]):
            base = _base(context, copy, work)
            if base is not None and os.path.isdir(base):
                found.append(base)
        found.append(context)
    return tuple(dict.fromkeys(found))


def copied_scripts(folder: str, context: Context, copies: Sequence[Copy]) -> dict[str, DeployFile]:
    """The scripts that an image gets one by one, by their places in it: ``COPY docker/entrypoint.sh /entrypoint.sh``."""
    found: dict[str, DeployFile] = {}
    for copy in copies[:_MOST]:
        name = posixpath.basename(copy.source)
        if not _SCRIPT.fullmatch(name) or posixpath.normpath(copy.source) == ".":
            continue
        file = context.find(copy.source.lstrip("/"), *upward(folder, context.repository))
        if file is not None:
            found[posixpath.join(copy.target, name) if copy.inside else copy.target] = file
    return found


def _exists(context: str, source: str) -> bool:
    source = source.strip("/")
    return source not in ("", ".") and os.path.exists(os.path.join(context, source))


def _base(context: str, copy: Copy, work: str) -> str | None:
    """The folder that stands for the working folder, as one copy says."""
    source = copy.source.rstrip("/").lstrip("/") or "."
    if "*" in source or not os.path.isdir(os.path.join(context, source)):
        return None
    path = os.path.join(context, source)
    if work == copy.target or work.startswith(copy.target.rstrip("/") + "/"):
        return os.path.normpath(os.path.join(path, posixpath.relpath(work, copy.target)))
    if copy.target.startswith(work.rstrip("/") + "/"):
        below = posixpath.relpath(copy.target, work)
        whole = posixpath.normpath(source)
        if whole == below or whole.endswith("/" + below):
            return os.path.normpath(os.path.join(context, whole[: len(whole) - len(below)]))
    return None
