"""Containers: what compose, Kubernetes and the like start in an image, and which Dockerfile of the repository made it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.commands import Carrier, Word, server_hops
from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.images.dockerfile import Command, Image, image_of
from lg_stream_lint.deploy.settings import Reading, Target, Where

#: Variables that servers, or their configurations, take settings from.
_SPEAKS_TO_SERVERS = re.compile(
    r"(?i)GUNICORN|UVICORN|HYPERCORN|GRANIAN|WORKER|TIMEOUT|CONCURRENCY|GRACEFUL|KEEP_?ALIVE"
)
_DOCKERFILE = re.compile(r"(?i)(?:(?P<before>.*)[._-])?(?:dockerfile|containerfile)(?:[._-](?P<after>.*))?")
#: Dockerfiles for a desk, not for production.
_DESK = re.compile(r"(?i)(?:^|[._-])(?:dev|devel|development|test|tests|local|ci|debug)(?:$|[._-])")
#: Images that other people make, by their names without registry: none is made by a Dockerfile of this repository.
_PUBLIC = re.compile(
    r"(?i)(?:postgres|pgvector|mysql|mariadb|mongo|redis|valkey|memcached|rabbitmq|kafka|zookeeper|nginx|traefik|caddy|haproxy|"
    r"envoy|httpd|node|python|alpine|busybox|ubuntu|debian|elasticsearch|opensearch|kibana|qdrant|weaviate|milvus|chroma|"
    r"chromadb|neo4j|minio|mc|etcd|ollama|vllm|prometheus|grafana|loki|tempo|jaeger|otel|opentelemetry|adminer|pgadmin4?|"
    r"pgbouncer|langfuse|keycloak|vault|consul|certbot|cloudflared|localstack|temporal|celery|flower|migrate|langgraph-api|"
    r"redis-stack|searxng|open-webui|streamlit|curl|git|mailhog|oauth2-proxy)(?:$|[-_].*)"
)


class Start(NamedTuple):
    """What a manifest starts a container with: words, a text, or None where the image's own holds."""

    entrypoint: Sequence[str | Word] | str | None
    command: Sequence[str | Word] | str | None

    @property
    def says_nothing(self) -> bool:
        """Whether the image's own command holds."""
        return self.entrypoint is None and self.command is None


def servers_in(start: Start, carrier: Carrier, dockerfile: DeployFile | None, target: str = "") -> Reading | None:
    """The servers that run in a container, as this manifest starts it.

    None when it is just what the image itself starts: then the hop of the Dockerfile is the one. The carrier's variables
    stand above the image's. ``target`` names a stage of the Dockerfile, whose own hop is the last stage's. Servers that are
    started in place of the image's own are known as what ``replaces`` it.
    """
    image = image_of(dockerfile, carrier.context, target) if dockerfile is not None else None
    if start.says_nothing and (image is None or not (target or _is_told(image, carrier))):
        return None
    if image is not None:
        carrier = carrier._replace(
            env={**image.env, **carrier.env},
            bases=tuple(dict.fromkeys((*image.bases, *carrier.bases))),
            image=image.base,
            written=image.written,
            known_as=(*carrier.known_as, *(Target("port", port) for port in image.ports)),
        )
    if start.says_nothing:
        assert image is not None
        return _own(image, carrier)
    entrypoint = start.entrypoint
    if entrypoint is None and image is not None:
        if isinstance(image.entrypoint, Command):
            return _own(image, carrier)  # the shell form does not take arguments
        entrypoint = image.entrypoint or None
    if dockerfile is not None and (not target or _is_last(image, dockerfile, carrier.context)):
        carrier = carrier._replace(known_as=(*carrier.known_as, Target("replaces", dockerfile.path)))
    if entrypoint is None or start.command is None:
        return server_hops(entrypoint if start.command is None else start.command, carrier)  # type: ignore[arg-type]
    return server_hops([*_words(entrypoint, carrier), *_words(start.command, carrier)], carrier._replace(at=None))


def _is_last(image: Image | None, dockerfile: DeployFile, context: Context) -> bool:
    """Whether a stage starts what the Dockerfile's last one starts."""
    last = image_of(dockerfile, context)
    return image is not None and _places(image) == _places(last)


def _places(image: Image) -> list[Where]:
    parts = [part for part in (image.entrypoint, image.command) if part]
    return [part.where if isinstance(part, Command) else part[0].where for part in parts]


def _is_told(image: Image, carrier: Carrier) -> bool:
    """Whether the carrier's variables may reach the image's own command."""
    if any(_SPEAKS_TO_SERVERS.search(name) for name in carrier.env):
        return True
    text = " ".join(_text(part) for part in (image.entrypoint, image.command))
    return any(re.search(rf"\$\{{?{re.escape(name)}\b", text) for name in carrier.env)


def _text(part: Command | tuple[Word, ...] | None) -> str:
    if part is None:
        return ""
    return part.text if isinstance(part, Command) else " ".join(word.text for word in part)


def _own(image: Image, carrier: Carrier) -> Reading:
    """The image's own command, with the carrier's variables."""
    entrypoint, command = image.entrypoint, image.command
    part = entrypoint or command
    if isinstance(part, Command):
        return server_hops(part.text, carrier._replace(where=part.where, at=part.at, shell=image.shell[0]))
    words = [*(part or ())]
    if entrypoint and not isinstance(command, Command):
        words += command or ()
    return server_hops(words, carrier._replace(where=words[0].where)) if words else Reading()


def _words(part: Sequence[str | Word] | str, carrier: Carrier) -> list[str | Word]:
    if not isinstance(part, str):
        return list(part)
    import shlex

    try:
        return [Word(text, carrier.where) for text in shlex.split(part)]
    except ValueError:
        return []


def image_name(image: str) -> str:
    """An image's name without registry, tag and digest; empty when it is not known."""
    if any(sign in image for sign in ("$", "{{")):
        return ""
    return re.sub(r":[^/:]*$", "", image.split("@", maxsplit=1)[0]).rsplit("/", 1)[-1].lower()


def is_public(name: str) -> bool:
    """Whether an image of that name is known to be made by others."""
    return _PUBLIC.fullmatch(name) is not None


def dockerfile_for(name: str, context: Context, own_images: frozenset[str]) -> DeployFile | None:
    """The Dockerfile that makes an image of this name, when there is no doubt.

    Either the image's name agrees with the Dockerfile's folder or ending, or the repository has one Dockerfile for production
    and its manifests (``own_images``) this one image that nobody else makes.
    """
    if not name or is_public(name):
        return None
    files = [path for path in context.listed if _DOCKERFILE.fullmatch(os.path.basename(path))]
    files = [path for path in files if not _DESK.search(os.path.basename(path))] or files
    named = [path for path in files if _agrees(name, path, context)]
    if not named and len(files) == 1 and own_images == {name}:
        named = files
    if len(named) != 1:
        return None
    try:
        return context.open(named[0])
    except NotRead:
        return None


def _agrees(name: str, path: str, context: Context) -> bool:
    match = _DOCKERFILE.fullmatch(os.path.basename(path))
    words = {match["before"], match["after"]} if match is not None else set()
    if os.path.dirname(path) != context.repository:
        words.add(os.path.basename(os.path.dirname(path)))
    parts = {word.lower() for word in words if word}
    return any(name == part or name.endswith(("-" + part, "_" + part)) for part in parts)
