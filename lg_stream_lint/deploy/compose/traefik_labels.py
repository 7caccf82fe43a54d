"""Traefik as compose services' labels configure it: one hop for a router, with what its middlewares do to a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lg_stream_lint.deploy.compose.services import Service
from lg_stream_lint.deploy.containers import image_name
from lg_stream_lint.deploy.files import Context
from lg_stream_lint.deploy.nginx.version import release_of
from lg_stream_lint.deploy.settings import Hop, Role, Setting, Target
from lg_stream_lint.deploy.traefik.keys import buffering, compression, routes_of_rule, write_timeout
from lg_stream_lint.deploy.traefik.static import static_for
from lg_stream_lint.deploy.yaml_marks import LIST, Node

_ROUTER = re.compile(r"traefik\.http\.routers\.(?P<name>[^.]+)\.(?P<key>.+)", re.IGNORECASE)
_MIDDLEWARE = re.compile(
    r"traefik\.http\.middlewares\.(?P<name>[^.]+)\.(?P<kind>compress|buffering)(?:\.(?P<key>.+))?", re.IGNORECASE
)
_WRITE = re.compile(
    r"--entrypoints\.[^.=\s]+\.transport\.respondingtimeouts\.writetimeout=(?P<value>\S+)", re.IGNORECASE
)

Labels = Mapping[str, tuple[str, Node]]


def traefik_hops(services: Sequence[Service], units: Mapping[str, str], context: Context) -> list[Hop]:
    """The routers that labels make, each leading to the service that bears them."""
    labelled = {service.name: _labels(service) for service in services}
    everywhere = {key: value for labels in labelled.values() for key, value in labels.items()}
    release, write = _release(services), _write_timeout(services, context)
    hops: list[Hop] = []
    for service in services:
        labels = labelled[service.name]
        if labels.get("traefik.enable", ("true", None))[0].lower() == "false":
            continue
        hops += _routers(labels, everywhere, f"{units[service.name]}/host", release, write)
    return hops


def _labels(service: Service) -> dict[str, tuple[str, Node]]:
    return {key.lower(): (text, node) for key, (text, node, _) in service.pairs("labels").items()}


def _routers(labels: Labels, everywhere: Labels, unit: str, release: str, write: list[Setting]) -> Iterable[Hop]:
    names: dict[str, Node] = {}
    for key, (_, node) in labels.items():
        match = _ROUTER.fullmatch(key)
        if match is not None and match["key"] == "rule":
            names[match["name"]] = node
    if not names and labels.get("traefik.enable", ("", None))[0].lower() == "true":
        names = {"": labels["traefik.enable"][1]}
    for name, node in names.items():
        rule = labels.get(f"traefik.http.routers.{name}.rule", ("", node))[0]
        effects = _effects(labels.get(f"traefik.http.routers.{name}.middlewares"), everywhere, release)
        yield Hop(
            "traefik",
            Role.PROXY,
            f"router {name}" if name else "router",
            node.where,
            (*effects, *write),
            (Target("unit", unit),),
            routes=routes_of_rule(rule),
        )


def _effects(used: tuple[str, Node] | None, everywhere: Labels, release: str) -> Iterator[Setting]:
    """What the middlewares of a router do to a stream."""
    names = {name.strip().split("@")[0].lower() for name in used[0].split(",")} if used is not None else set()
    options: dict[tuple[str, str], dict[str, str]] = {}
    places: dict[tuple[str, str], Node] = {}
    for key, (text, node) in everywhere.items():
        match = _MIDDLEWARE.fullmatch(key)
        if match is not None and match["name"].lower() in names and (match["key"] or text.lower() != "false"):
            which = (match["name"], match["kind"].lower())
            options.setdefault(which, {})[(match["key"] or "").lower()] = text
            places.setdefault(which, node)
    for (name, kind), found in options.items():
        node = places[name, kind]
        if kind == "buffering":
            setting = buffering(node.where, found.get("disableresponsebuffer", ""))
            yield from (setting._replace(written=node.text),) if setting is not None else ()
        else:
            excluded, included = (
                [text for key, text in found.items() if key.startswith(how)]
                for how in ("excludedcontenttypes", "includedcontenttypes")
            )
            least = found.get("minresponsebodybytes", "")
            settings = compression(node.where, release, excluded, included, least)
            yield from (setting._replace(written=node.text) for setting in settings)


def _traefiks(services: Sequence[Service]) -> Iterator[tuple[Service, Node]]:
    for service in services:
        image = service.first("image")
        if image is not None and image_name(image.text) == "traefik":
            yield service, image


def _release(services: Sequence[Service]) -> str:
    """The version of the Traefik in the same file, empty where it is not known."""
    tags = [image.text.rpartition(":")[2] for _, image in _traefiks(services) if ":" in image.text]
    return release_of(tags[0]) if tags and "$" not in tags[0] else ""


def _write_timeout(services: Sequence[Service], context: Context) -> list[Setting]:
    """The total limit that the command of the Traefik in the same file sets, or its file."""
    for service, _ in _traefiks(services):
        command = service.first("command")
        for node in (command.elements() if command.kind == LIST else [command]) if command is not None else []:
            match = _WRITE.search(node.text)
            setting = write_timeout(match["value"], node.where) if match is not None else None
            if setting is not None and setting.value is not None:
                return [setting._replace(written=match["value"] if match is not None else "")]
        points = static_for(service.layers[0].file, context).entry_points
        written = [s for point in points for s in point.settings if s.name == "total_timeout" and s.value is not None]
        if written:
            return written[:1]
    return []
