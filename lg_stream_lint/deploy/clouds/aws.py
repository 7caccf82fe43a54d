"""AWS's resources as hops, whatever file they are written in: balancers, functions, gateways, distributions, containers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.clouds.limits import Found, Limit, settings, written
from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, Word, server_hops
from lg_stream_lint.deploy.files import Context
from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Route, Setting, Target, Where
from lg_stream_lint.deploy.yaml_marks import Node

ANYTHING = Target("any", "")
_HANDLER = re.compile(r"(?P<module>[\w./-]+)\.(?P<attribute>[A-Za-z_]\w*)")
_STREAM = re.compile(r"STREAM")
_WHOLE_FUNCTION_URL = "a function URL in the mode BUFFERED sends the answer when the function has ended"
_WHOLE_REST = "API Gateway in the mode BUFFERED sends the answer when it is complete"
_WHOLE_HTTP_API = "an HTTP API of API Gateway sends the answer when it is complete"
_WHOLE_TARGET = "a load balancer whose target is a function sends the answer when the function has ended"
_WHOLE_ADAPTER = "Lambda Web Adapter without AWS_LWA_INVOKE_MODE=response_stream sends the answer when it is complete"


class Keys(NamedTuple):
    """How a format names what is read from it."""

    timeout: str = "Timeout"
    idle: str = "idle_timeout.timeout_seconds"
    invoke: str = "InvokeMode"
    transfer: str = "ResponseTransferMode"
    integration: str = "TimeoutInMillis"
    integration_scale: float = 0.001
    origin_read: str = "OriginReadTimeout"
    origin_total: str = "ResponseCompletionTimeout"
    stop: str = "StopTimeout"


class Resource(NamedTuple):
    """A resource: what it is called, its place, the target under which others of the file know it, and the format's words."""

    name: str
    where: Where
    unit: str
    keys: Keys = Keys()

    @property
    def known_as(self) -> tuple[Target, ...]:
        """The targets under which other resources lead here."""
        return (Target("unit", self.unit),) if self.unit else ()


class Function(NamedTuple):
    """What a Lambda function runs: a handler, or an image."""

    handler: Node | None = None
    runtime: str = ""
    timeout: Node | None = None
    is_image: bool = False
    dockerfile: str = ""
    folders: tuple[str, ...] = ()
    env: Mapping[str, Node] | None = None
    framework: str = ""


def load_balancer(
    resource: Resource, idle: Node | None, found: Found, *, network: bool = False, leads_to: Sequence[Target] = ()
) -> None:
    """An application (or network, or classic) load balancer: a limit on silence."""
    layer = "nlb" if network else "alb"
    limit = Limit(layer, "read_timeout", resource.keys.idle, Kind.IDLE)
    values = found.limit(limit, idle, resource.where)
    hop = Hop(
        layer,
        Role.PROXY,
        resource.name,
        resource.where,
        tuple(values),
        tuple(leads_to) or (ANYTHING,),
        resource.known_as,
    )
    found.hops.append(hop)


def target_group(resource: Resource, functions: Sequence[Target], found: Found) -> None:
    """A balancer's target that is a function."""
    if not functions:
        return
    whole = Setting("cannot_stream", "TargetType", _WHOLE_TARGET, Origin.EXPLICIT, resource.where)
    found.hops.append(Hop("alb", Role.PROXY, resource.name, resource.where, (whole,), tuple(functions)))


def function(resource: Resource, given: Function, found: Found, context: Context) -> None:
    """A Lambda function that is asked over HTTP: it runs the application, or an image or a script that does.

    A function whose code cannot be told is a host that leads nowhere, so that what asks it is known to lead elsewhere.
    """
    when = given.framework
    limit = Limit("lambda", "total_timeout", resource.keys.timeout, Kind.TOTAL, when=when)
    values = settings(found.limit(limit, given.timeout, resource.where), _adapter(resource, given))
    handler = given.handler.text if given.handler is not None and not given.handler.unknown else ""
    match = _HANDLER.fullmatch(handler)
    role: str = Role.HOST
    leads_to: tuple[Target, ...] = ()
    if given.is_image:
        role, leads_to = (
            (Role.HOST, (Target("file", given.dockerfile),)) if given.dockerfile else (Role.PROXY, (ANYTHING,))
        )
    elif handler.endswith(".sh") or (handler and _has_adapter(given)):
        leads_to = (Target("unit", f"{resource.unit}/run"),)
        found.add(_script(handler, resource, given, context))
    elif match is not None and given.runtime.lower().startswith("python"):
        base = given.folders[0] if given.folders else ""
        module = match["module"].replace("/", ".").lstrip(".")
        role, leads_to = Role.SERVER, (Target("app", f"{module}:{match['attribute']}", base),)
    found.hops.append(Hop("lambda", role, resource.name, resource.where, values, leads_to, resource.known_as))


def runs_python(runtime: str) -> bool:
    """Whether a function's runtime may run this project; one that is not known may."""
    return not runtime or runtime.lower().startswith(("python", "provided", "$"))


def _has_adapter(given: Function) -> bool:
    wrapper = (given.env or {}).get("AWS_LAMBDA_EXEC_WRAPPER")
    return wrapper is not None and wrapper.text == "/opt/bootstrap"


def _adapter(resource: Resource, given: Function) -> list[Setting]:
    """What Lambda Web Adapter does to a stream where it is not told to stream."""
    if given.is_image or not _has_adapter(given):
        return []
    mode = (given.env or {}).get("AWS_LWA_INVOKE_MODE")
    if mode is not None and (mode.unknown or "stream" in mode.text.lower()):
        return []
    if mode is not None:
        return [written("cannot_stream", "AWS_LWA_INVOKE_MODE", _WHOLE_ADAPTER, mode)]
    return [Setting("cannot_stream", "AWS_LWA_INVOKE_MODE", _WHOLE_ADAPTER, Origin.DEFAULT, resource.where)]


def _script(handler: str, resource: Resource, given: Function, context: Context) -> Reading:
    where = given.handler.where if given.handler is not None else resource.where
    env = {name: Variable(node.text, node.where) for name, node in (given.env or {}).items() if not node.unknown}
    known = (Target("unit", f"{resource.unit}/run"),)
    carrier = Carrier(context, where, Stands.MANIFEST, env, given.folders, known)
    return server_hops([Word(handler if "/" in handler else f"./{handler}", where)], carrier)


def function_url(resource: Resource, mode: Node | None, target: str, found: Found) -> None:
    """A function's own address; one of a function that is not known here says nothing."""
    if not target:
        return
    values = _mode(resource, resource.keys.invoke, mode, _WHOLE_FUNCTION_URL)
    found.hops.append(
        Hop("lambda", Role.PROXY, resource.name, resource.where, values, _targets([target]), resource.known_as)
    )


def rest_method(
    resource: Resource,
    mode: Node | None,
    timeout: Node | None,
    targets: Sequence[str],
    found: Found,
    *,
    endpoint: str = "",
    route: str = "",
    anywhere: bool = False,
) -> None:
    """A method of a REST API: it can stream when it is told to; ``endpoint`` is edge, regional, private, or not known.

    ``anywhere``: it asks a server, not a function. A method whose function is not known here says nothing.
    """
    if not (targets or anywhere):
        return
    limit = Limit(
        "api-gateway", "total_timeout", resource.keys.integration, Kind.TOTAL, resource.keys.integration_scale
    )
    streams = mode is not None and _STREAM.search(mode.text.upper()) is not None
    idle: list[Setting] = []
    if streams and endpoint:
        when = "edge" if endpoint.lower() == "edge" else "regional"
        idle = found.limit(
            Limit("api-gateway", "read_timeout", "idle timeout", Kind.IDLE, when=when), None, resource.where
        )
    values = settings(
        found.limit(limit, timeout, resource.where), idle, _mode(resource, resource.keys.transfer, mode, _WHOLE_REST)
    )
    _gateway(resource, values, targets, found, route)


def http_api(
    resource: Resource,
    timeout: Node | None,
    targets: Sequence[str],
    found: Found,
    *,
    route: str = "",
    anywhere: bool = False,
) -> None:
    """An integration of an HTTP API, which has no streaming at all; ``anywhere`` as for :func:`rest_method`."""
    if not (targets or anywhere):
        return
    limit = Limit(
        "api-gateway", "total_timeout", resource.keys.integration, Kind.TOTAL, resource.keys.integration_scale, "http"
    )
    whole = Setting("cannot_stream", "HTTP API", _WHOLE_HTTP_API, Origin.EXPLICIT, resource.where)
    _gateway(resource, (*found.limit(limit, timeout, resource.where), whole), targets, found, route)


def _gateway(resource: Resource, values: tuple[Setting, ...], targets: Sequence[str], found: Found, route: str) -> None:
    routes = _routes(route)
    group = f"{resource.unit}" if routes else ""
    hop = Hop(
        "api-gateway", Role.PROXY, resource.name, resource.where, values, _targets(targets), (), routes, group=group
    )
    found.hops.append(hop)


def _routes(path: str) -> tuple[Route, ...]:
    """``/chat/{id}``, ``/{proxy+}``, ``$default`` as routes."""
    if not path.startswith("/"):
        return ()
    literal, brace, _ = path.partition("{")
    return (Route("prefix", literal) if brace else Route("exact", literal),)


def _mode(resource: Resource, key: str, mode: Node | None, whole: str) -> tuple[Setting, ...]:
    """``cannot_stream`` where a mode is BUFFERED, which is the default, too."""
    if mode is None:
        return (Setting("cannot_stream", key, whole, Origin.DEFAULT, resource.where),)
    if mode.unknown or _STREAM.search(mode.text.upper()) is not None:
        return ()
    return (written("cannot_stream", key, whole, mode),)


def _targets(units: Iterable[str]) -> tuple[Target, ...]:
    targets = tuple(Target("unit", unit) for unit in units if unit)
    return targets or (ANYTHING,)


class CdnOrigin(NamedTuple):
    """A custom origin of a CloudFront distribution, and the path patterns that lead to it."""

    resource: Resource
    read: Node | None
    completion: Node | None
    patterns: tuple[str, ...]
    group: str
    leads_to: tuple[Target, ...] = ()


def cdn_origin(origin: CdnOrigin, found: Found) -> None:
    """CloudFront waits so long for the headers, and as long between two packets."""
    resource = origin.resource
    read = Limit("cloudfront", "read_timeout", resource.keys.origin_read, Kind.IDLE)
    first = Limit("cloudfront", "first_byte_timeout", resource.keys.origin_read, Kind.FIRST_BYTE)
    total = Limit("cloudfront", "total_timeout", resource.keys.origin_total, Kind.TOTAL)
    values = settings(
        found.limit(read, origin.read, resource.where),
        found.limit(first, origin.read, resource.where),
        found.limit(total, origin.completion, resource.where) if origin.completion is not None else (),
    )
    routes = tuple(Route("prefix", pattern.split("*")[0] or "/") for pattern in origin.patterns)
    leads_to = origin.leads_to or (ANYTHING,)
    hop = Hop("cloudfront", Role.PROXY, resource.name, resource.where, values, leads_to, (), routes, group=origin.group)
    found.hops.append(hop)


def dockerfile_at(*parts: str) -> str:
    """A Dockerfile's absolute path from parts."""
    return os.path.normpath(os.path.join(*parts))
