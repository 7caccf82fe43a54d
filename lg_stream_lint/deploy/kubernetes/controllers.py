"""What the controllers of Ingresses take from annotations, ConfigMaps and other resources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.kubernetes.manifests import Manifest, Manifests
from lg_stream_lint.deploy.kubernetes.names import off_or, setting
from lg_stream_lint.deploy.settings import Kind, Setting, Where
from lg_stream_lint.deploy.traefik.keys import buffering, compression
from lg_stream_lint.deploy.traefik.nodes import texts
from lg_stream_lint.deploy.units import nginx_time
from lg_stream_lint.deploy.yaml_marks import Node

NGINX, F5, ALB = "nginx.ingress.kubernetes.io/", "nginx.org/", "alb.ingress.kubernetes.io/"
_SNIPPET_LIMITS = {"read_timeout": "proxy_read_timeout", "buffering": "proxy_buffering"}
_ALB_IDLE = re.compile(r"(?:^|,)\s*idle_timeout\.timeout_seconds\s*=\s*(?P<seconds>\d{1,15})\s*(?:,|$)")


def _place(manifest: Manifest) -> Where:
    """Where an annotation would be written."""
    metadata = manifest.root.get("metadata")
    key = metadata.key("annotations") if metadata is not None else None
    return key.where if key is not None else manifest.place.where


def _given(
    manifest: Manifest,
    name: str,
    annotation: str,
    read: Callable[[Node], object],
    kind: str,
    layer: str,
    usual: str = "",
) -> Iterator[Setting]:
    """What an annotation says, or the controller's default when it is certain that there is none."""
    node = manifest.annotation(annotation)
    found = setting(name, annotation, node, read(node), kind) if node is not None else None
    if found is None and node is None and not manifest.annotations_open:
        found = default(layer, name, _place(manifest), when=usual)
    if found is not None:
        yield found


# -- nginx ---------------------------------------------------------------------------------------------------------------


def _ingress_nginx(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    del backend
    for name, key, read, kind in (
        ("read_timeout", "proxy-read-timeout", _plain_seconds, Kind.IDLE),
        ("buffering", "proxy-buffering", _switch, ""),
    ):
        if _in_snippet(manifest, NGINX, name):
            continue
        node = manifest.annotation(NGINX + key)
        if node is None:
            everyone = _config_map(everywhere, key)
            found = setting(name, key, everyone, read(everyone), kind) if everyone is not None else None
            if found is not None:
                yield found
                continue
        yield from _given(manifest, name, NGINX + key, read, kind, "ingress-nginx")
    version = manifest.annotation(NGINX + "proxy-http-version")
    found = (
        setting("http_version", NGINX + "proxy-http-version", version, version.text) if version is not None else None
    )
    yield from [found] if found is not None else []
    shutdown = _config_map(everywhere, "worker-shutdown-timeout")
    if shutdown is not None:
        found = setting("stop_timeout", "worker-shutdown-timeout", shutdown, nginx_time(shutdown.text), Kind.GRACE)
        yield from [found] if found is not None else []


def _nginx_inc(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    del everywhere, backend
    for name, key, read, kind in (
        ("read_timeout", "proxy-read-timeout", _nginx_seconds, Kind.IDLE),
        ("buffering", "proxy-buffering", _switch, ""),
    ):
        if not _in_snippet(manifest, F5, name):
            yield from _given(manifest, name, F5 + key, read, kind, "nginx-ingress")


def _in_snippet(manifest: Manifest, prefix: str, name: str) -> bool:
    """Whether a snippet of nginx's own words sets it, which needs a switch that is elsewhere: then nothing is known."""
    word = _SNIPPET_LIMITS[name]
    return any(
        word in node.text for key, node in manifest.annotations.items() if key.startswith(prefix) and ("snippet" in key)
    )


def _config_map(everywhere: Manifests, key: str) -> Node | None:
    """The controller's own setting for all Ingresses, when the repository has one ConfigMap that holds it."""
    found = [
        node
        for manifest in everywhere.of("ConfigMap")
        if ("nginx" in manifest.name or "ingress" in manifest.name)
        for node in [manifest.root.get("data", key)]
        if node is not None
    ]
    return found[0] if len(found) == 1 else None


def _plain_seconds(node: Node) -> float | None:
    """ingress-nginx takes numbers only: what has a unit is thrown away by it."""
    return node.number()


def _nginx_seconds(node: Node) -> float | None:
    return nginx_time(node.text)


def _switch(node: Node) -> bool | None:
    return node.truth()


# -- Load balancers of clouds --------------------------------------------------------------------------------------------


def _alb(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    del backend
    name = ALB + "load-balancer-attributes"
    node = manifest.annotation(name)
    match = _ALB_IDLE.search(node.text) if node is not None else None
    if node is not None and match is not None:
        found = setting("read_timeout", "idle_timeout.timeout_seconds", node, float(match["seconds"]), Kind.IDLE)
    elif manifest.annotations_open or (node is not None and node.unknown) or any(everywhere.of("IngressClassParams")):
        found = None
    else:
        found = default("alb", "read_timeout", node.where if node is not None else _place(manifest))
    if found is not None:
        yield found


def _gke(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    """``timeoutSec`` of the BackendConfig that the backend's Service names."""
    service = everywhere.named("Service", backend, manifest)
    if service is None or service.annotations_open:
        return
    node = service.annotation("cloud.google.com/backend-config") or service.annotation(
        "beta.cloud.google.com/backend-config"
    )
    names = _backend_configs(node)
    if names is None:
        return
    configs = [everywhere.named("BackendConfig", name, service) for name in names]
    if any(config is None for config in configs):
        return
    limits = [limit for config in configs if config for limit in [config.root.get("spec", "timeoutSec")] if limit]
    if limits:
        shortest = min(limits, key=lambda limit: limit.number() or 0)
        found = setting("total_timeout", "timeoutSec", shortest, shortest.number(), Kind.TOTAL)
    else:
        place = configs[0].place.where if configs and configs[0] is not None else _place(manifest)
        found = default("gcp-lb", "total_timeout", place)
    if found is not None:
        yield found


def _backend_configs(node: Node | None) -> list[str] | None:
    """The names in the annotation's JSON; None when it cannot be read."""
    if node is None:
        return []
    try:
        written = json.loads(node.text)
    except ValueError:
        return None
    if not isinstance(written, dict):
        return None
    ports = written.get("ports")
    named = [written.get("default"), *(ports.values() if isinstance(ports, dict) else [])]
    return [name for name in named if isinstance(name, str)]


def _app_gateway(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    del everywhere, backend
    key = "appgw.ingress.kubernetes.io/request-timeout"
    yield from _given(manifest, "read_timeout", key, lambda node: node.number(), Kind.IDLE, "app-gateway")


# -- Others --------------------------------------------------------------------------------------------------------------


def _kong(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    """Kong counts milliseconds, in an annotation of the Service."""
    service = everywhere.named("Service", backend, manifest)
    if service is None:
        return
    node = service.annotation("konghq.com/read-timeout")
    if node is not None:
        value = node.number()
        found = setting(
            "read_timeout", "konghq.com/read-timeout", node, None if value is None else value / 1000, Kind.IDLE
        )
        yield from [found] if found is not None else []


def _haproxy(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    del everywhere, backend
    for key in ("haproxy.org/timeout-server", "haproxy-ingress.github.io/timeout-server"):
        yield from _given(manifest, "read_timeout", key, haproxy_seconds, Kind.IDLE, "haproxy", "annotation")


def haproxy_seconds(node: Node) -> float | None:
    """``30s``, ``5m``; a bare number counts milliseconds."""
    match = re.fullmatch(r"(\d{1,15})(us|ms|s|m|h|d)?", node.text.strip())
    units = {"us": 1e-6, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    return int(match[1]) * units[match[2] or "ms"] if match is not None else None


def _traefik(manifest: Manifest, everywhere: Manifests, backend: str) -> Iterator[Setting]:
    del backend
    node = manifest.annotation("traefik.ingress.kubernetes.io/router.middlewares")
    for name in (node.text if node is not None else "").split(","):
        reference, _, kind = name.strip().partition("@")
        if kind == "kubernetescrd":
            yield from compressing(reference.split("-", 1)[-1], reference, manifest, everywhere)


def compressing(name: str, longer: str, manifest: Manifest, everywhere: Manifests) -> Iterator[Setting]:
    """What Traefik's middleware of a name does to a stream; Traefik's version is not written in such manifests."""
    middleware = everywhere.named("Middleware", name, manifest) or everywhere.named("Middleware", longer, manifest)
    spec = middleware.root.get("spec") if middleware is not None else None
    compress = spec.key("compress") if spec is not None else None
    buffer = spec.key("buffering") if spec is not None else None
    if spec is not None and compress is not None:
        excluded, included = (texts(spec.get("compress", f"{how}ContentTypes")) for how in ("excluded", "included"))
        yield from compression(compress.where, "", excluded, included)
    if spec is not None and buffer is not None:
        found = buffering(buffer.where, spec.string("buffering", "disableResponseBuffer"))
        yield from [found] if found is not None else []


def total(name: str, key: str, node: Node | None, read: Callable[[str], float | None]) -> Iterator[Setting]:
    """A total limit whose zero is no limit."""
    if node is None:
        return
    seconds = read(node.text)
    if seconds is None:
        return
    yield from [
        found._replace(value=off_or(seconds))
        for found in [setting(name, key, node, seconds, Kind.TOTAL)]
        if found is not None
    ]


READERS: dict[str, Callable[[Manifest, Manifests, str], Iterator[Setting]]] = {
    "ingress-nginx": _ingress_nginx,
    "nginx-ingress": _nginx_inc,
    "alb": _alb,
    "gcp-lb": _gke,
    "app-gateway": _app_gateway,
    "kong": _kong,
    "haproxy": _haproxy,
    "traefik": _traefik,
}
