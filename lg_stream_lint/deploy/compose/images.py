"""What a compose service's container is made of: its Dockerfile, its image, and the folders of the repository in it."""

from __future__ import annotations

import os
from typing import NamedTuple

from lg_stream_lint.deploy.commands import Variable
from lg_stream_lint.deploy.compose.environment import interpolate
from lg_stream_lint.deploy.compose.services import Service
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT


class Build(NamedTuple):
    """A service's build: the absolute folder and Dockerfile, and the stage that is built, empty for the last one."""

    folder: str
    dockerfile: str
    target: str = ""


def build_of(service: Service, dotenv: dict[str, Variable]) -> Build | None:
    """The build of a service; None for one that takes a ready image, or that is built from another repository."""
    layer, node = service.layer_of("build"), service.first("build")
    if layer is None or node is None:
        return None
    written = node.text if node.kind == TEXT else service.first("build", "context")
    path = written if isinstance(written, str) else written.text if written is not None else "."
    path = interpolate(path, dotenv).text
    if "://" in path or path.startswith("git@"):
        return None
    folder = os.path.normpath(os.path.join(layer.file.folder, path))
    named = service.first("build", "dockerfile") if node.kind == MAP else None
    name = interpolate(named.text, dotenv).text if named is not None and named.kind == TEXT else "Dockerfile"
    dockerfile = os.path.normpath(os.path.join(folder, name))
    target = service.first("build", "target") if node.kind == MAP else None
    return Build(folder, dockerfile, interpolate(target.text, dotenv).text if target is not None else "")


def bases_of(
    service: Service, build: Build | None, file: DeployFile, context: Context, dotenv: dict[str, Variable]
) -> tuple[str, ...]:
    """The folders that the command may run in: what is mounted at its working folder, the build's, the compose file's."""
    mounted = [
        os.path.normpath(os.path.join(file.folder, source))
        for source, _ in _mounts(service, dotenv)
        if source.startswith(".")
    ]
    folders = [*([build.folder] if build is not None else []), *mounted, file.folder]
    working = service.first("working_dir")
    if working is not None and working.kind == TEXT:
        inner = [part for part in working.text.split("/") if part]
        folders = [
            *(os.path.join(base, *inner[start:]) for base in folders for start in range(1, len(inner))),
            *folders,
        ]
    return tuple(dict.fromkeys(f for f in folders if f == context.repository or context.holds(f)))


def _mounts(service: Service, dotenv: dict[str, Variable]) -> list[tuple[str, str]]:
    found = []
    for element in service.elements("volumes"):
        if element.kind == TEXT:
            source, _, target = interpolate(element.text, dotenv).text.partition(":")
        else:
            source, target = element.string("source"), element.string("target")
        found.append((source, target.split(":")[0]))
    return found
