"""Terraform's resources of Google and Azure."""

from __future__ import annotations

from lg_stream_lint.deploy.clouds.aws import ANYTHING
from lg_stream_lint.deploy.clouds.limits import Found, Limit, settings, written
from lg_stream_lint.deploy.clouds.tasks import words_of
from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, server_hops
from lg_stream_lint.deploy.containers import Start, dockerfile_for, image_name, servers_in
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Kind, Role, Setting, Target
from lg_stream_lint.deploy.terraform.hcl import blocks_in
from lg_stream_lint.deploy.terraform.module import Module, Resource, references
from lg_stream_lint.deploy.yaml_marks import Node
from lg_stream_lint.deploy.yaml_text import place_in

_SERVERLESS = "google_compute_region_network_endpoint_group."


class CloudReader:
    """Reads the resources of one file."""

    def __init__(self, file: DeployFile, module: Module, found: Found, context: Context) -> None:
        self.file, self.module, self.found, self.context = file, module, found, context

    def read(self, resource: Resource) -> None:
        """One resource, if it is known here."""
        reader = _READERS.get(resource.kind)
        if reader is not None:
            reader(self, resource)

    # Google

    def cloud_run(self, resource: Resource) -> None:
        """google_cloud_run_v2_service: a limit of the whole response, and a container."""
        body = resource.body
        template = body.get("template")
        limit = Limit("cloud-run", "total_timeout", "template.timeout", Kind.TOTAL)
        values = self.found.limit(limit, template.get("timeout") if template is not None else None, resource.where)
        containers = blocks_in(template, "containers") if template is not None else []
        self._service("cloud-run", resource, values, [], containers[0] if containers else None)

    def cloud_run_first(self, resource: Resource) -> None:
        """google_cloud_run_service, the older form."""
        spec = resource.body.get("template", "spec")
        limit = Limit("cloud-run", "total_timeout", "timeout_seconds", Kind.TOTAL)
        values = self.found.limit(limit, spec.get("timeout_seconds") if spec is not None else None, resource.where)
        containers = blocks_in(spec, "containers") if spec is not None else []
        self._service("cloud-run", resource, values, [], containers[0] if containers else None)

    def backend(self, resource: Resource) -> None:
        """google_compute_backend_service; it has no limit of its own in front of Cloud Run and functions."""
        body = resource.body
        if any(address.startswith(_SERVERLESS) for address in references(*blocks_in(body, "backend"))):
            return
        if body.string("protocol") in ("TCP", "SSL", "UDP") or "INTERNAL_SELF" in body.string("load_balancing_scheme"):
            return
        limit = Limit("gcp-lb", "total_timeout", "timeout_sec", Kind.TOTAL)
        self._proxy("gcp-lb", resource, self.found.limit(limit, body.get("timeout_sec"), resource.where))

    # Azure

    def app_gateway(self, resource: Resource) -> None:
        """azurerm_application_gateway: a limit on silence of each of its settings for backends, and buffering."""
        switch = resource.body.get("global", "response_buffering_enabled")
        buffering: list[Setting] = []
        if switch is None:
            usual = default("app-gateway", "buffering", resource.where)
            buffering = [usual._replace(value=True, key="response_buffering_enabled")] if usual is not None else []
        elif switch.truth() is not None:
            buffering = [written("buffering", "response_buffering_enabled", switch.truth(), switch)]
        for each in blocks_in(resource.body, "backend_http_settings") or [Node("map", resource.where)]:
            limit = Limit("app-gateway", "read_timeout", "request_timeout", Kind.IDLE)
            values = settings(self.found.limit(limit, each.get("request_timeout"), resource.where), buffering)
            name = f"{resource.address} {each.string('name')}".strip()
            self.found.hops.append(
                Hop("app-gateway", Role.PROXY, name, resource.where, values, (ANYTHING,), group=resource.address)
            )

    def front_door(self, resource: Resource) -> None:
        """azurerm_cdn_frontdoor_profile; what its limit counts is not known, so it is shown and not judged."""
        node = resource.body.get("response_timeout_seconds")
        if node is not None:
            limit = Limit("front-door", "read_timeout", "response_timeout_seconds")
            self._proxy("front-door", resource, self.found.limit(limit, node, resource.where))

    def container_app(self, resource: Resource) -> None:
        """azurerm_container_app: the ingress's limit on silence, and a container."""
        template = resource.body.get("template")
        grace = template.get("termination_grace_period_seconds") if template is not None else None
        stop = self.found.limit(
            Limit("container-apps", "stop_grace", "termination_grace_period_seconds", Kind.GRACE), grace, resource.where
        )
        idle = self.found.limit(
            Limit("container-apps", "read_timeout", "requestIdleTimeout", Kind.IDLE), None, resource.where
        )
        containers = blocks_in(template, "container") if template is not None else []
        has_ingress = resource.body.get("ingress") is not None
        self._service(
            "container-apps", resource, idle if has_ingress else [], stop, containers[0] if containers else None
        )

    def web_app(self, resource: Resource) -> None:
        """azurerm_linux_web_app: a limit on silence that is fixed, and a command."""
        unit = self._unit(resource)
        idle = self.found.limit(
            Limit("app-service", "read_timeout", "the idle timeout, which is fixed", Kind.IDLE), None, resource.where
        )
        command = resource.body.get("site_config", "app_command_line")
        if command is not None and not command.unknown and command.text.strip():
            folders = (self.file.folder, self.context.repository)
            known = (Target("unit", f"{unit}/run"),)
            carrier = Carrier(
                self.context, command.where, Stands.MANIFEST, {}, folders, known, at=place_in(self.file, command)
            )
            self.found.add(server_hops(command.text, carrier))
        leads_to = (Target("unit", f"{unit}/run"), ANYTHING)
        self.found.hops.append(Hop("app-service", Role.PROXY, resource.address, resource.where, tuple(idle), leads_to))

    # What they share

    def _unit(self, resource: Resource) -> str:
        return f"{self.module.folder}#{resource.address}"

    def _proxy(self, layer: str, resource: Resource, values: list[Setting]) -> None:
        hop = Hop(layer, Role.PROXY, resource.address, resource.where, tuple(values), (ANYTHING,))
        self.found.hops.append(hop)

    def _service(
        self, layer: str, resource: Resource, values: list[Setting], stop: list[Setting], container: Node | None
    ) -> None:
        """A service that runs a container and stands in front of it."""
        unit = self._unit(resource)
        known = (Target("unit", f"{unit}/run"),)
        inner: list[Target] = [*known]
        if container is not None:
            inner += self._container(container, resource, known)
        host = Hop(
            layer, Role.HOST, resource.address, resource.where, tuple(stop), tuple(inner), (Target("unit", unit),)
        )
        front = (Target("unit", f"{unit}/run"), Target("unit", unit), *inner[1:], ANYTHING)
        if stop or len(inner) > 1:
            self.found.hops.append(host)
        self.found.hops.append(
            Hop(layer, Role.PROXY, resource.address, resource.where, tuple(values), tuple(dict.fromkeys(front)))
        )

    def _container(self, container: Node, resource: Resource, known: tuple[Target, ...]) -> list[Target]:
        """The servers of a container are added; what its image is called is given back."""
        image = container.get("image")
        name = image_name(image.text) if image is not None and not image.unknown else ""
        dockerfile = dockerfile_for(name, self.context, frozenset({name}))
        env = {
            each.string("name"): Variable(value.text, value.where, value.overridable)
            for each in blocks_in(container, "env")
            if (value := each.get("value")) is not None and not value.unknown
        }
        start = Start(words_of(container.get("command")), words_of(container.get("args")))
        folders = (self.file.folder, self.context.repository)
        carrier = Carrier(self.context, resource.where, Stands.MANIFEST, env, folders, known)
        reading = servers_in(start, carrier, dockerfile)
        if reading is not None:
            self.found.add(reading)
            return []
        if dockerfile is not None:
            return [Target("file", dockerfile.path)]
        return [Target("image", name)] if name else []


_READERS = {
    "google_cloud_run_v2_service": CloudReader.cloud_run,
    "google_cloud_run_service": CloudReader.cloud_run_first,
    "google_compute_backend_service": CloudReader.backend,
    "google_compute_region_backend_service": CloudReader.backend,
    "azurerm_application_gateway": CloudReader.app_gateway,
    "azurerm_cdn_frontdoor_profile": CloudReader.front_door,
    "azurerm_container_app": CloudReader.container_app,
    "azurerm_linux_web_app": CloudReader.web_app,
}
