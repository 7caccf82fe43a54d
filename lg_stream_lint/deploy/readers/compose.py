"""docker compose: services as hosts of what they run, their commands as servers, Traefik's labels as proxies.

A service that runs no server is a host all the same: a proxy that leads to it is then known to lead elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lg_stream_lint.deploy.commands import Carrier, Stands, Word
from lg_stream_lint.deploy.compose.environment import environment_of, interpolate, variables_of
from lg_stream_lint.deploy.compose.images import Build, bases_of, build_of
from lg_stream_lint.deploy.compose.includes import included, services_of
from lg_stream_lint.deploy.compose.services import Service, home_of, read_documents, set_beside
from lg_stream_lint.deploy.compose.traefik_labels import traefik_hops
from lg_stream_lint.deploy.containers import Start, dockerfile_for, image_name, servers_in
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Reading, Role, Setting, Target
from lg_stream_lint.deploy.units import go_duration, number
from lg_stream_lint.deploy.yaml_marks import LIST, TEXT, Node
from lg_stream_lint.deploy.yaml_text import place_in


def read(file: DeployFile, context: Context) -> Reading:
    """The hops of a compose file."""
    hops: list[Hop] = []
    notes: list[Note] = list(read_documents(file, context).notes)
    notes += included(file, context).notes
    services = services_of(file, context)
    for service in services:
        reading = _Reader(context, service).read()
        hops += reading.hops
        notes += reading.notes
    hops += traefik_hops(services, {service.name: unit_of(service) for service in services}, context)
    return Reading(tuple(hops), tuple(dict.fromkeys(notes)))


def unit_of(service: Service) -> str:
    """The name that a service's hops agree on."""
    return f"{service.file.path}#{service.name}"


class _Reader:
    """Reads one service."""

    def __init__(self, context: Context, service: Service) -> None:
        self.file = service.file
        self.context = context
        self.service = service
        self.dotenv = variables_of(service, context)
        self.unit = unit_of(service)
        self.build: Build | None = build_of(service, self.dotenv) or self._made_here()
        self.notes: list[Note] = list(service.missing)

    def _made_here(self) -> Build | None:
        """The Dockerfile whose name agrees with the image's."""
        name = image_name(self._written_image())
        file = dockerfile_for(name, self.context, frozenset()) if name else None
        return Build(file.folder, file.path) if file is not None else None

    def read(self) -> Reading:
        servers = self._servers()
        host = Hop(
            "compose",
            Role.HOST,
            self.service.name,
            self.service.key.where,
            tuple(self._settings()),
            tuple(self._leads_to(servers)),
            tuple(self._known_as()),
            resource=f"service {self.service.name}",
        )
        return Reading((*(servers or ()), host), tuple(self.notes))

    def _servers(self) -> tuple[Hop, ...] | None:
        """The servers in the container; None when they are the image's own, which its Dockerfile says."""
        start = Start(self._started("entrypoint"), self._started("command"))
        node = self._holding("command") or self._holding("entrypoint")
        where = node.where if node is not None else self.service.key.where
        single = start.entrypoint is None or start.command is None
        text = isinstance(start.command if start.entrypoint is None else start.entrypoint, str)
        carrier = Carrier(
            self.context,
            where,
            Stands.COMPOSE,
            environment_of(self.service, self.context, self.dotenv),
            bases_of(self.service, self.build, self.file, self.context, self.dotenv),
            (Target("unit", self.unit),),
            image=self._written_image() if self.build is None else "",
            at=place_in(self._file_of(node), node) if node is not None and single and text else None,
        )
        dockerfile = self.context.find(self.build.dockerfile, "") if self.build is not None else None
        reading = servers_in(start, carrier, dockerfile, self.build.target if self.build is not None else "")
        if reading is None:
            return None
        self.notes += reading.notes
        return reading.hops

    def _file_of(self, node: Node) -> DeployFile:
        return next((layer.file for layer in self.service.layers if layer.file.path == node.where.path), self.file)

    def _started(self, name: str) -> str | list[str | Word] | None:
        """``command`` or ``entrypoint`` as a text (which keeps its places) or as words."""
        node = self._holding(name)
        if node is None:
            return None
        if node.kind == LIST:
            return [self._word(element) for element in node.elements() if element.kind == TEXT]
        changed = "$$" in node.text or self._uses_dotenv(node.text)
        return interpolate(node.text, self.dotenv).text if changed else node.text

    def _holding(self, name: str) -> Node | None:
        """``command`` or ``entrypoint``; an empty list takes the image's away and is nothing here."""
        node = self.service.first(name)
        return node if node is not None and (node.elements() or (node.kind == TEXT and node.text.strip())) else None

    def _uses_dotenv(self, text: str) -> bool:
        return any(name in self.dotenv for name in re.findall(r"\$\{?(\w+)", text))

    def _word(self, node: Node) -> Word:
        value = interpolate(node.text, self.dotenv)
        return Word(value.text, node.where, value.overridable or node.overridable)

    def _written_image(self) -> str:
        image = self.service.first("image")
        return interpolate(image.text, self.dotenv).text if image is not None else ""

    def _leads_to(self, servers: tuple[Hop, ...] | None) -> Iterable[Target]:
        yield Target("unit", self.unit)
        if servers is not None:
            return
        if self.build is not None:
            yield Target("file", self.build.dockerfile)
        name = image_name(self._written_image())
        if name:
            yield Target("image", name)

    def _known_as(self) -> Iterable[Target]:
        names = [self.service.name, *self._aliases()]
        for name in ("container_name", "hostname"):
            node = self.service.first(name)
            names += [node.text] if node is not None and node.kind == TEXT else []
        yield from (Target("host", name) for name in dict.fromkeys(names) if name)
        yield Target("unit", f"{self.unit}/host")
        yield from (Target("port", port) for port in dict.fromkeys(self._ports()))

    def _aliases(self) -> list[str]:
        networks = self.service.first("networks")
        entries = networks.entries() if networks is not None else []
        found = [
            alias.text
            for _, network in entries
            for node in [network.get("aliases")]
            if node
            for alias in node.elements()
        ]
        return [interpolate(alias, self.dotenv).text for alias in found]

    def _ports(self) -> Iterable[str]:
        """The ports of the machine that lead into the container."""
        for element in self.service.elements("ports"):
            if element.kind == TEXT:
                text = interpolate(element.text, self.dotenv).text.split("/")[0]
                parts = text.rsplit(":", 2)
                if len(parts) > 1 and parts[-2].isdigit():
                    yield parts[-2]
            else:
                published = interpolate(element.string("published"), self.dotenv).text
                if published.isdigit():
                    yield published

    def _settings(self) -> Iterable[Setting]:
        yield from self._stop_grace()
        replicas = self.service.first("deploy", "replicas") or self.service.first("scale")
        if replicas is not None and replicas.kind == TEXT:
            value = interpolate(replicas.text, self.dotenv)
            count = number(value.text)
            if count is not None and not replicas.unknown:
                key = "replicas" if self.service.first("deploy", "replicas") is not None else "scale"
                yield Setting(
                    *("replicas", key, count, Origin.EXPLICIT, replicas.where),
                    written=replicas.text,
                    overridable=value.overridable or replicas.overridable,
                )
        init = self.service.first("init")
        if init is not None and init.truth() is not None:
            yield Setting("init", "init", init.truth(), Origin.EXPLICIT, init.where, written=init.text)

    def _stop_grace(self) -> Iterable[Setting]:
        node = self.service.first("stop_grace_period")
        if node is None:
            if not self.service.missing and not set_beside(
                self.file, self.service.name, "stop_grace_period", self.context
            ):
                setting = default("compose", "stop_grace", home_of(self.service, self.context).where)
                yield from [setting] if setting is not None else []
            return
        value = interpolate(node.text, self.dotenv)
        seconds = go_duration(value.text)
        if seconds is None:
            self.notes.append(Note(node.where, "stop_grace_period: a value that cannot be read"))
            return
        yield Setting(
            *("stop_grace", "stop_grace_period", seconds, Origin.EXPLICIT, node.where, Kind.GRACE, node.text),
            overridable=value.overridable or node.overridable,
        )
