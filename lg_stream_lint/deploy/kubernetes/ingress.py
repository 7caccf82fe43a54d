"""Ingresses: which controller serves one, and what its annotations (or their absence) say of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.kubernetes.controllers import ALB, F5, NGINX, READERS
from lg_stream_lint.deploy.kubernetes.manifests import Manifest, Manifests
from lg_stream_lint.deploy.kubernetes.names import host_targets
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Role, Route, Target
from lg_stream_lint.deploy.yaml_marks import Node

_MOST_PATHS = 200
#: An annotation's prefix, and the layer that reads it.
_PREFIXES = (
    (NGINX, "ingress-nginx"),
    (F5, "nginx-ingress"),
    (ALB, "alb"),
    ("appgw.ingress.kubernetes.io/", "app-gateway"),
    ("traefik.ingress.kubernetes.io/", "traefik"),
    ("konghq.com/", "kong"),
    ("haproxy.org/", "haproxy"),
    ("haproxy-ingress.github.io/", "haproxy"),
    ("projectcontour.io/", "contour"),
    ("networking.gke.io/", "gcp-lb"),
    ("kubernetes.io/ingress.global-static-ip-name", "gcp-lb"),
)
#: Words in a class's name, and the layer that they mean.
_CLASSES = (
    ("alb", "alb"),
    ("gce", "gcp-lb"),
    ("azure", "app-gateway"),
    ("traefik", "traefik"),
    ("kong", "kong"),
    ("haproxy", "haproxy"),
    ("contour", "contour"),
    ("nginx", "ingress-nginx"),
)


class Backend(NamedTuple):
    """A path of an Ingress and the Service that serves it."""

    service: str
    route: Route | None


def ingress_hops(manifest: Manifest, everywhere: Manifests) -> Reading:
    """One hop for a backend's Service and path."""
    layer = layer_of(manifest)
    notes: list[Note] = []
    if not layer:
        notes.append(Note(manifest.place.where, "an Ingress whose controller is not known"))
    hops: list[Hop] = []
    for backend in _backends(manifest):
        reader = READERS.get(layer)
        settings = tuple(reader(manifest, everywhere, backend.service)) if reader is not None else ()
        hops.append(
            Hop(
                layer or "kubernetes",
                Role.PROXY,
                manifest.name or "ingress",
                manifest.place.where,
                settings,
                tuple(host_targets(backend.service, manifest)) or (Target("any", ""),),
                routes=(backend.route,) if backend.route is not None else (),
                resource=f"Ingress/{manifest.name}",
            )
        )
    return Reading(tuple(hops), tuple(notes))


def layer_of(manifest: Manifest) -> str:
    """The layer that serves an Ingress, by its class and then by its annotations; empty where nothing tells."""
    names = list(manifest.annotations)
    prefixed = next((layer for prefix, layer in _PREFIXES if any(name.startswith(prefix) for name in names)), "")
    old = manifest.annotation("kubernetes.io/ingress.class")
    written = manifest.root.get("spec", "ingressClassName") or old
    if written is None or written.unknown:
        return prefixed
    by_class = next((layer for word, layer in _CLASSES if word in written.text.lower()), "")
    if by_class == "ingress-nginx" and prefixed in {"ingress-nginx", "nginx-ingress"}:
        return prefixed  # both products call their class nginx
    return by_class or prefixed


def _backends(manifest: Manifest) -> Iterator[Backend]:
    regex = manifest.annotation(NGINX + "use-regex")
    everything = regex is not None and regex.truth() is True
    count = 0
    rules = manifest.root.get("spec", "rules")
    for rule in rules.elements() if rules is not None else []:
        paths = rule.get("http", "paths")
        for path in paths.elements() if paths is not None else []:
            count += 1
            if count > _MOST_PATHS:
                return
            yield Backend(_service_of(path.get("backend")), _route(path, everything=everything))
    whole = manifest.root.get("spec", "defaultBackend") or manifest.root.get("spec", "backend")
    if whole is not None:
        yield Backend(_service_of(whole), None)


def _service_of(node: Node | None) -> str:
    if node is None:
        return ""
    return node.string("service", "name") or node.string("serviceName")


def _route(path: Node, *, everything: bool) -> Route | None:
    text, how = path.get("path"), path.string("pathType")
    if text is None or text.unknown:
        return None
    if everything or ("(" in text.text and how != "Exact"):
        return Route("regex", "^" + text.text)
    return Route("exact" if how == "Exact" else "prefix", text.text.removesuffix("*") or "/")
