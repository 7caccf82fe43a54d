"""What carries a configuration into a container: the compose services that mount it, the Dockerfiles that copy it.

Their names are nginx's names for others, and the tag of their image is its version.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.kinds import kinds_of
from lg_stream_lint.deploy.settings import Target, Where

#: Compose files and Dockerfiles that are looked at.
MOST = 60

_COPY = re.compile(r"(?im)^[ \t]*(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*(?P<words>[^\r\n]*)")
_FROM = re.compile(r"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)?(?P<image>\S+)")
_ENV = re.compile(r"(?im)^[ \t]*(?:ENV[ \t]+)?(\w+)=(\"[^\"\r\n]*\"|'[^'\r\n]*'|[^\s\\]+)[ \t]*\\?$")
_COMPOSE = re.compile(r"(?:docker-)?compose[\w.-]*\.ya?ml")


class Carrier(NamedTuple):
    """A container with the configuration in it: what its hop leads to, its image and where that is written, its environment."""

    target: Target
    image: str
    where: Where
    env: Mapping[str, str]


def carriers_of(
    files: Iterable[DeployFile], context: Context, words: Sequence[bytes] = (b"nginx", b"openresty")
) -> list[Carrier]:
    """The containers that any of the files is mounted or copied into; ``words``: of which their files hold one."""
    paths = [file.path for file in files]
    found: list[Carrier] = []
    for path in _candidates(context, words)[:MOST]:
        try:
            other = context.open(path)
        except NotRead:
            continue
        read = _mounting if _COMPOSE.fullmatch(other.name) else _copying
        found += read(other, paths, context)
    return found


def _candidates(context: Context, words: Sequence[bytes]) -> list[str]:
    """The repository's compose files and Dockerfiles that speak of the product's folders or images."""
    found = []
    for path in context.listed:
        name = os.path.basename(path)
        if not (_COMPOSE.fullmatch(name) or "ockerfile" in name or "ontainerfile" in name):
            continue
        try:
            source = context.open(path).source
        except NotRead:
            continue
        if any(word in source for word in words) and kinds_of(name, source):
            found.append(path)
    return found


def _mounting(compose: DeployFile, paths: list[str], context: Context) -> Iterator[Carrier]:
    from lg_stream_lint.deploy.compose.environment import environment_of, variables_of
    from lg_stream_lint.deploy.compose.includes import services_of
    from lg_stream_lint.deploy.readers.compose import unit_of

    for service in services_of(compose, context):
        sources = []
        for element in service.elements("volumes"):
            text = element.string("source") or element.text.partition(":")[0]
            if text.startswith((".", "/")) and "$" not in text:
                sources.append(os.path.normpath(os.path.join(service.file.folder, text)))
        if any(path == source or path.startswith(source + os.sep) for source in sources for path in paths):
            image = service.first("image")
            where = image.where if image is not None else service.key.where
            known = environment_of(service, context, variables_of(service, context))
            env = {name: variable.value for name, variable in known.items()}
            yield Carrier(Target("unit", unit_of(service)), image.text if image is not None else "", where, env)


def _copying(dockerfile: DeployFile, paths: list[str], context: Context) -> Iterator[Carrier]:
    del context
    base = None
    for base in _FROM.finditer(dockerfile.text):  # noqa: B007 - the last stage is the image
        pass
    if base is not None and any(
        _copies(match["words"], path) for match in _COPY.finditer(dockerfile.text) for path in paths
    ):
        where = dockerfile.at(base.start("image"), base.end("image"))
        env = {match[1]: match[2].strip("\"'") for match in _ENV.finditer(dockerfile.text)}
        yield Carrier(Target("file", dockerfile.path), base["image"], where, env)


def _copies(words: str, path: str) -> bool:
    """Whether a COPY takes a file: by the end of its path, as the folder that the build begins in is not written there."""
    *sources, _ = re.findall(r"[^\s\[\]\",]+", words) or [""]
    for source in sources:
        plain = os.path.normpath(source)
        if plain not in (".", "/") and (path.endswith(os.sep + plain) or f"{os.sep}{plain}{os.sep}" in path):
            return True
    return False
