"""Routes: the Gateway API, Istio, Contour, Traefik's and OpenShift's own kinds, Knative's and Cloud Run's services."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.kubernetes.controllers import compressing, haproxy_seconds, total
from lg_stream_lint.deploy.kubernetes.manifests import Manifest, Manifests
from lg_stream_lint.deploy.kubernetes.names import host_targets, off_or, setting
from lg_stream_lint.deploy.settings import Hop, Kind, Role, Route, Setting, Target
from lg_stream_lint.deploy.units import go_duration
from lg_stream_lint.deploy.yaml_marks import Node

_MOST = 200
_RULE = re.compile(r"(?P<how>PathPrefix|PathRegexp|Path)\(\s*[`\"'](?P<path>[^`\"']*)[`\"']")
_HOW = {"PathPrefix": "prefix", "Path": "exact", "PathRegexp": "regex", "Exact": "exact", "RegularExpression": "regex"}
_HOW |= {"prefix": "prefix", "exact": "exact", "regex": "regex"}
_NO_LIMIT = frozenset({"infinity", "infinite"})


def route_hops(manifest: Manifest, everywhere: Manifests) -> list[Hop]:
    """The hops of a route, if the manifest is one."""
    reader = _READERS.get(manifest.kind)
    return list(reader(manifest, everywhere))[:_MOST] if reader is not None else []


def knative_hop(manifest: Manifest) -> Hop:
    """The request's limit of a Cloud Run (or Knative) service."""
    google = any("googleapis.com" in key for key in _all_annotations(manifest))
    google = google or "cloud.googleapis.com/location" in _keys(manifest.root.get("metadata", "labels"))
    layer = "cloud-run" if google else "kubernetes"
    spec = manifest.root.get("spec", "template", "spec")
    node = spec.get("timeoutSeconds") if spec is not None else None
    found = setting("total_timeout", "timeoutSeconds", node, node.number(), Kind.TOTAL) if node is not None else None
    if node is None and google and spec is not None and not spec.may_have("timeoutSeconds"):
        template = manifest.root.get("spec", "template")
        key = template.key("spec") if template is not None else None
        found = default("cloud-run", "total_timeout", key.where if key is not None else manifest.place.where)
    return _hop(manifest, layer, [found] if found is not None else [], tuple(host_targets(manifest.name, manifest)), ())


def _all_annotations(manifest: Manifest) -> list[str]:
    inner = manifest.root.get("spec", "template", "metadata", "annotations")
    return [*_keys(manifest.root.get("metadata", "annotations")), *_keys(inner)]


def _keys(node: Node | None) -> list[str]:
    return [key.text for key, _ in node.entries()] if node is not None else []


def _hop(
    manifest: Manifest, layer: str, settings: Sequence[Setting], leads_to: tuple[Target, ...], routes: tuple[Route, ...]
) -> Hop:
    return Hop(
        *(layer, Role.PROXY, manifest.name or manifest.kind, manifest.place.where, tuple(settings)),
        leads_to=leads_to or (Target("any", ""),),
        routes=routes,
        resource=f"{manifest.kind}/{manifest.name}",
    )


def _elements(node: Node | None, *keys: str) -> list[Node]:
    found = node.get(*keys) if node is not None else None
    return found.elements() if found is not None else []


def _services(manifest: Manifest, nodes: list[Node], *keys: str) -> tuple[Target, ...]:
    return tuple(target for node in nodes for target in host_targets(node.string(*keys), manifest))


# -- Gateway API -----------------------------------------------------------------------------------------------------------


def _http_route(manifest: Manifest, everywhere: Manifests) -> Iterator[Hop]:
    gke = _gateway_class(manifest, everywhere).startswith("gke-")
    for rule in _elements(manifest.root, "spec", "rules"):
        backends = [node for node in _elements(rule, "backendRefs") if node.string("kind") in {"", "Service"}]
        settings = list(_route_limits(rule))
        settings += _policy_limits(manifest, everywhere)
        if gke:
            settings += _google_limits(manifest, everywhere, backends)
        yield _hop(
            manifest,
            "gcp-lb" if gke else "gateway-api",
            settings,
            _services(manifest, backends, "name"),
            tuple(_matches(_elements(rule, "matches"))),
        )


def _route_limits(rule: Node) -> Iterator[Setting]:
    """The shorter of the request's and the backend request's limit."""
    found = [
        limit
        for key in ("request", "backendRequest")
        for limit in total("total_timeout", f"timeouts.{key}", rule.get("timeouts", key), go_duration)
    ]
    limited = [limit for limit in found if limit.value is not None]
    yield from [min(limited, key=lambda limit: float(limit.value))] if limited else found[:1]


def _policy_limits(manifest: Manifest, everywhere: Manifests) -> list[Setting]:
    """Envoy Gateway's BackendTrafficPolicy of a route."""
    for policy in everywhere.of("BackendTrafficPolicy"):
        targets = [*_elements(policy.root, "spec", "targetRefs")]
        single = policy.root.get("spec", "targetRef")
        targets += [single] if single is not None else []
        if not any(t.string("kind") == manifest.kind and t.string("name") == manifest.name for t in targets):
            continue
        node = policy.root.get("spec", "timeout", "http", "requestTimeout")
        return list(total("total_timeout", "timeout.http.requestTimeout", node, go_duration))
    return []


def _gateway_class(manifest: Manifest, everywhere: Manifests) -> str:
    for parent in _elements(manifest.root, "spec", "parentRefs"):
        gateway = everywhere.named("Gateway", parent.string("name"), manifest)
        if gateway is not None:
            return gateway.root.string("spec", "gatewayClassName")
    return ""


def _google_limits(manifest: Manifest, everywhere: Manifests, backends: list[Node]) -> list[Setting]:
    names = {node.string("name") for node in backends}
    for policy in everywhere.of("GCPBackendPolicy"):
        if policy.root.string("spec", "targetRef", "name") in names:
            node = policy.root.get("spec", "default", "timeoutSec")
            if node is not None:
                found = setting("total_timeout", "timeoutSec", node, node.number(), Kind.TOTAL)
                return [found] if found is not None else []
    usual = default("gcp-lb", "total_timeout", manifest.place.where)
    return [usual] if usual is not None else []


def _matches(nodes: list[Node]) -> Iterator[Route]:
    for node in nodes:
        path = node.get("path")
        if path is not None and path.string("value"):
            yield Route(_HOW.get(path.string("type"), "prefix"), path.string("value"))


# -- Istio, Contour, Traefik, OpenShift ------------------------------------------------------------------------------------


def _virtual_service(manifest: Manifest, everywhere: Manifests) -> Iterator[Hop]:
    del everywhere
    for rule in _elements(manifest.root, "spec", "http"):
        node = rule.get("timeout")
        settings = list(total("total_timeout", "timeout", node, go_duration))
        if node is None and not rule.may_have("timeout"):
            usual = default("istio", "total_timeout", rule.where)
            settings += [usual] if usual is not None else []
        routes = [
            Route(_HOW[how], uri.string(how))
            for match in _elements(rule, "match")
            for uri in [match.get("uri")]
            if uri is not None
            for how in ("prefix", "exact", "regex")
            if uri.string(how)
        ]
        leads_to = _services(manifest, _elements(rule, "route"), "destination", "host")
        yield _hop(manifest, "istio", settings, leads_to, tuple(routes))


def _http_proxy(manifest: Manifest, everywhere: Manifests) -> Iterator[Hop]:
    del everywhere
    for rule in _elements(manifest.root, "spec", "routes"):
        settings: list[Setting] = []
        for name, key, kind in (("total_timeout", "response", Kind.TOTAL), ("read_timeout", "idle", Kind.IDLE)):
            node = rule.get("timeoutPolicy", key)
            if node is None:
                found = default("contour", name, rule.where)
            elif node.text in _NO_LIMIT:
                found = setting(name, f"timeoutPolicy.{key}", node, 0.0, kind)
                found = found._replace(value=None) if found is not None else None
            else:
                found = setting(name, f"timeoutPolicy.{key}", node, go_duration(node.text), kind)
                found = found._replace(value=off_or(found.value)) if found is not None else None
            settings += [found] if found is not None else []
        routes = [
            Route(how, condition.string(how))
            for condition in _elements(rule, "conditions")
            for how in ("prefix", "exact")
            if condition.string(how)
        ]
        yield _hop(
            manifest, "contour", settings, _services(manifest, _elements(rule, "services"), "name"), tuple(routes)
        )


def _ingress_route(manifest: Manifest, everywhere: Manifests) -> Iterator[Hop]:
    for rule in _elements(manifest.root, "spec", "routes"):
        settings = [
            found
            for node in _elements(rule, "middlewares")
            for found in compressing(node.string("name"), node.string("name"), manifest, everywhere)
        ]
        routes = tuple(Route(_HOW[m["how"]], m["path"]) for m in _RULE.finditer(rule.string("match")))
        yield _hop(manifest, "traefik", settings, _services(manifest, _elements(rule, "services"), "name"), routes)


def _reads_http(manifest: Manifest) -> bool:
    """Whether OpenShift's router is known to see requests: a connection that it passes through has another, longer limit."""
    spec = manifest.root.get("spec")
    tls = spec.get("tls") if spec is not None else None
    if tls is None:
        return spec is not None and not spec.may_have("tls")
    return tls.string("termination") in ("edge", "reencrypt")


def _openshift(manifest: Manifest, everywhere: Manifests) -> Iterator[Hop]:
    del everywhere
    if not manifest.api.startswith("route.openshift.io/"):
        return
    key = "haproxy.router.openshift.io/timeout"
    node = manifest.annotation(key)
    found = setting("read_timeout", key, node, haproxy_seconds(node), Kind.IDLE) if node is not None else None
    path = manifest.root.string("spec", "path")
    if node is None and not manifest.annotations_open and _reads_http(manifest):
        found = default("haproxy", "read_timeout", manifest.place.where, when="openshift")
    yield _hop(
        *(manifest, "haproxy", [found] if found is not None else []),
        tuple(host_targets(manifest.root.string("spec", "to", "name"), manifest)),
        (Route("prefix", path),) if path else (),
    )


_READERS: dict[str, Callable[[Manifest, Manifests], Iterator[Hop]]] = {
    "HTTPRoute": _http_route,
    "GRPCRoute": _http_route,
    "VirtualService": _virtual_service,
    "HTTPProxy": _http_proxy,
    "IngressRoute": _ingress_route,
    "Route": _openshift,
}
