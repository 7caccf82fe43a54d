"""Traefik as compose services' labels configure it: one hop for a router, with what its middlewares do to a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lg_stream_lint.deploy.compose.services import Service
from lg_stream_lint.deploy.containers import image_name
from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Role, Route, Setting, Target
from lg_stream_lint.deploy.units import go_duration
from lg_stream_lint.deploy.yaml_marks import LIST, Node

_ROUTER = re.compile(r"traefik\.http\.routers\.(?P<name>[^.]+)\.(?P<key>.+)", re.IGNORECASE)
_COMPRESS = re.compile(r"traefik\.http\.middlewares\.(?P<name>[^.]+)\.compress(?P<key>\..+)?", re.IGNORECASE)
_PATH = re.compile(r"(?P<how>Path|PathPrefix|PathRegexp)\(\s*[`\"'](?P<path>[^`\"']*)[`\"']")
_WRITE = re.compile(
    r"--entrypoints\.[^.=\s]+\.transport\.respondingtimeouts\.writetimeout=(?P<value>\S+)", re.IGNORECASE
)
_HOW = {"path": "exact", "pathprefix": "prefix", "pathregexp": "regex"}

Labels = Mapping[str, tuple[str, Node]]


def traefik_hops(services: Sequence[Service], units: Mapping[str, str]) -> list[Hop]:
    """The routers that labels make, each leading to the service that bears them."""
    labelled = {service.name: _labels(service) for service in services}
    everywhere = {key: value for labels in labelled.values() for key, value in labels.items()}
    hops: list[Hop] = []
    for service in services:
        labels = labelled[service.name]
        if labels.get("traefik.enable", ("true", None))[0].lower() == "false":
            continue
        hops += _routers(labels, everywhere, f"{units[service.name]}/host", _write_timeout(services))
    return hops


def _labels(service: Service) -> dict[str, tuple[str, Node]]:
    return {key.lower(): (text, node) for key, (text, node, _) in service.pairs("labels").items()}


def _routers(labels: Labels, everywhere: Labels, unit: str, write: list[Setting]) -> Iterable[Hop]:
    names: dict[str, Node] = {}
    for key, (_, node) in labels.items():
        match = _ROUTER.fullmatch(key)
        if match is not None and match["key"] == "rule":
            names[match["name"]] = node
    if not names and labels.get("traefik.enable", ("", None))[0].lower() == "true":
        names = {"": labels["traefik.enable"][1]}
    for name, node in names.items():
        rule = labels.get(f"traefik.http.routers.{name}.rule", ("", node))[0]
        compression = _compression(labels.get(f"traefik.http.routers.{name}.middlewares"), everywhere)
        yield Hop(
            "traefik",
            Role.PROXY,
            f"router {name}" if name else "router",
            node.where,
            (*compression, *write),
            (Target("unit", unit),),
            routes=tuple(Route(_HOW[m["how"].lower()], m["path"]) for m in _PATH.finditer(rule)),
        )


def _compression(used: tuple[str, Node] | None, everywhere: Labels) -> list[Setting]:
    """The ``compress`` middleware of a router, unless it leaves event streams alone."""
    if used is None:
        return []
    names = {name.strip().split("@")[0].lower() for name in used[0].split(",")}
    found: dict[str, Node] = {}
    spared: set[str] = set()
    for key, (text, node) in everywhere.items():
        match = _COMPRESS.fullmatch(key)
        if match is None or match["name"] not in names or text.lower() == "false":
            continue
        found.setdefault(match["name"], node)
        option = (match["key"] or "").lower()
        if option.startswith(".excludedcontenttypes") and "text/event-stream" in text:
            spared.add(match["name"])
        if option.startswith(".includedcontenttypes") and "text/event-stream" not in text:
            spared.add(match["name"])
    return [
        Setting("compression", "compress", True, Origin.EXPLICIT, node.where, written=node.text)  # noqa: FBT003
        for name, node in found.items()
        if name not in spared
    ]


def _write_timeout(services: Sequence[Service]) -> list[Setting]:
    """The total limit that the command of the Traefik in the same file sets."""
    for service in services:
        image = service.first("image")
        command = service.first("command")
        if image is None or command is None or image_name(image.text) != "traefik":
            continue
        for node in command.elements() if command.kind == LIST else [command]:
            match = _WRITE.search(node.text)
            value = match["value"] if match is not None else ""
            seconds = float(value) if value.isdigit() else go_duration(value)
            if seconds:
                return [
                    Setting(
                        *("total_timeout", "respondingTimeouts.writeTimeout", seconds, Origin.EXPLICIT, node.where),
                        *(Kind.TOTAL, value),
                    )
                ]
    return []
