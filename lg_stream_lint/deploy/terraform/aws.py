"""Terraform's AWS resources."""

from __future__ import annotations

import re
from functools import cached_property

from lg_stream_lint.deploy.clouds import aws
from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.clouds.tasks import container
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Target
from lg_stream_lint.deploy.terraform.hcl import blocks_in
from lg_stream_lint.deploy.terraform.module import Module, Resource, references
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node

_KEYS = aws.Keys(
    timeout="timeout", idle="idle_timeout", invoke="invoke_mode", transfer="response_transfer_mode",
    integration="timeout_milliseconds", origin_read="origin_read_timeout", origin_total="response_completion_timeout",
    stop="stopTimeout",
)  # fmt: skip
_FUNCTION = "aws_lambda_function"
_BALANCERS = ("aws_lb", "aws_alb")
_DOORS = (
    "aws_lambda_function_url", "aws_api_gateway_integration", "aws_apigatewayv2_integration", "aws_apigatewayv2_api",
    "aws_lb_target_group_attachment", "aws_alb_target_group_attachment",
)  # fmt: skip
_LISTENERS = ("aws_lb_listener", "aws_alb_listener")
_RULES = ("aws_lb_listener_rule", "aws_alb_listener_rule")
_STORED = re.compile(r"aws_s3_bucket|s3-website|\.s3[.-]")


class AwsReader:
    """Reads the resources of one file, with the whole module at hand."""

    def __init__(self, file: DeployFile, module: Module, found: Found, context: Context) -> None:
        self.file, self.module, self.found, self.context = file, module, found, context

    def read(self, resource: Resource) -> None:
        """One resource, if it is known here."""
        reader = _READERS.get(resource.kind)
        if reader is not None:
            reader(self, resource)

    def unit(self, address: str) -> str:
        """The name that the hops of a resource agree on."""
        return f"{self.module.folder}#{address}"

    def named(self, resource: Resource) -> aws.Resource:
        """A resource in the words of the builders."""
        return aws.Resource(resource.address, resource.where, self.unit(resource.address), _KEYS)

    def functions_in(self, *nodes: Node | None) -> list[str]:
        """The units of the functions that expressions name, aliases followed."""
        found: list[str] = []
        for address in references(*nodes):
            if address.startswith(_FUNCTION + "."):
                found += [self.unit(address)] if self._may_run(address) else []
            elif address.startswith("aws_lambda_alias."):
                alias = self.module.by_address.get(address)
                found += self.functions_in(alias.body.get("function_name")) if alias is not None else []
        return found

    def _may_run(self, address: str) -> bool:
        """Whether a function of this module may run this project."""
        resource = self.module.by_address.get(address)
        if resource is None:
            return False
        runtime = resource.body.get("runtime")
        return _is_image(resource) or runtime is None or runtime.unknown or aws.runs_python(runtime.text)

    def function(self, resource: Resource) -> None:
        """aws_lambda_function, if something asks it over HTTP."""
        body = resource.body
        if self.unit(resource.address) not in self._asked:
            return
        runtime = body.get("runtime")
        environment = body.get("environment", "variables")
        variables = {key.text: value for key, value in environment.entries()} if environment is not None else {}
        given = aws.Function(
            body.get("handler"),
            runtime.text if runtime is not None and not runtime.unknown else "",
            body.get("timeout"),
            _is_image(resource),
            "",
            (self.file.folder, self.context.repository),
            variables,
        )
        aws.function(self.named(resource), given, self.found, self.context)

    @cached_property
    def _asked(self) -> frozenset[str]:
        """The units of the functions that something of HTTP asks."""
        doors = (door.body for door in self.module.by_address.values() if door.kind in _DOORS)
        return frozenset(self.functions_in(*doors))

    def url(self, resource: Resource) -> None:
        """aws_lambda_function_url."""
        for target in self.functions_in(resource.body.get("function_name"))[:1]:
            aws.function_url(self.named(resource), resource.body.get("invoke_mode"), target, self.found)

    def rest(self, resource: Resource) -> None:
        """aws_api_gateway_integration."""
        body = resource.body
        if body.string("type") not in ("AWS_PROXY", "HTTP_PROXY") or body.string("http_method") == "OPTIONS":
            return
        endpoint = ""
        for address in references(body.get("rest_api_id")):
            api = self.module.by_address.get(address)
            types = api.body.get("endpoint_configuration", "types") if api is not None else None
            endpoint = types.elements()[0].text if types is not None and types.elements() else endpoint
        aws.rest_method(
            self.named(resource), body.get("response_transfer_mode"), body.get("timeout_milliseconds"),
            self.functions_in(body.get("uri")), self.found, endpoint=endpoint, anywhere=body.string("type") == "HTTP_PROXY",
        )  # fmt: skip

    def http_integration(self, resource: Resource) -> None:
        """aws_apigatewayv2_integration, unless it belongs to an API of WebSockets."""
        body = resource.body
        if any(self._is_socket(address) for address in references(body.get("api_id"))):
            return
        targets = self.functions_in(body.get("integration_uri"))
        anywhere = body.string("integration_type") == "HTTP_PROXY"
        aws.http_api(self.named(resource), body.get("timeout_milliseconds"), targets, self.found, anywhere=anywhere)

    def _is_socket(self, address: str) -> bool:
        api = self.module.by_address.get(address)
        return api is not None and api.body.string("protocol_type") == "WEBSOCKET"

    def http_quick(self, resource: Resource) -> None:
        """aws_apigatewayv2_api with a target of its own."""
        target = resource.body.get("target")
        if target is not None and resource.body.string("protocol_type") != "WEBSOCKET":
            aws.http_api(self.named(resource), None, self.functions_in(target), self.found)

    def balancer(self, resource: Resource) -> None:
        """aws_lb, aws_alb."""
        kind = resource.body.get("load_balancer_type")
        if kind is not None and (kind.unknown or kind.text not in ("application", "network")):
            return
        network = kind is not None and kind.text == "network"
        idle = None if network else resource.body.get("idle_timeout")
        aws.load_balancer(self.named(resource), idle, self.found, network=network, leads_to=self._behind(resource))

    def _behind(self, balancer: Resource) -> list[Target]:
        """The containers of ECS services that a balancer's listeners forward to; none where they are not written here."""
        listeners = {
            each.address for each in self._of(_LISTENERS) if _names(balancer, each.body.get("load_balancer_arn"))
        }
        forwarding = [each for each in self._of(_LISTENERS) if each.address in listeners]
        forwarding += [rule for rule in self._of(_RULES) if listeners & set(references(rule.body.get("listener_arn")))]
        groups = {address for each in forwarding for address in _groups(each.body)}
        found = []
        for service in self._of(("aws_ecs_service",)):
            tasks = references(service.body.get("task_definition"))
            for entry in blocks_in(service.body, "load_balancer"):
                if groups & set(references(entry.get("target_group_arn"))):
                    found += [f"{task}/{entry.string('container_name')}" for task in tasks]
        return [Target("unit", self.unit(address)) for address in dict.fromkeys(found)]

    def _of(self, kinds: tuple[str, ...]) -> list[Resource]:
        return [resource for resource in self.module.by_address.values() if resource.kind in kinds]

    def classic(self, resource: Resource) -> None:
        """aws_elb."""
        aws.load_balancer(self.named(resource), resource.body.get("idle_timeout"), self.found)

    def target_group(self, resource: Resource) -> None:
        """A target group's attachment to a function."""
        functions = self.functions_in(resource.body.get("target_id"))
        if functions:
            aws.target_group(self.named(resource), [Target("unit", unit) for unit in functions], self.found)

    def distribution(self, resource: Resource) -> None:
        """aws_cloudfront_distribution: each origin that is no bucket."""
        body = resource.body
        for origin in blocks_in(body, "origin"):
            custom = next(iter(blocks_in(origin, "custom_origin_config")), None)
            domain = origin.get("domain_name")
            if custom is None or (domain is not None and _STORED.search(domain.text)):
                continue
            identity = origin.get("origin_id")
            name = identity.text if identity is not None else ""
            leads_to = tuple(
                Target("unit", self.unit(address))
                for address in references(domain)
                if address.partition(".")[0] in (*_BALANCERS, "aws_elb", "aws_lambda_function_url")
            )
            entry = aws.CdnOrigin(
                aws.Resource(f"{resource.address} {name}".strip(), custom.where, "", _KEYS),
                custom.get("origin_read_timeout"),
                origin.get("response_completion_timeout"),
                tuple(_patterns(body, name)),
                self.unit(resource.address),
                leads_to,
            )
            aws.cdn_origin(entry, self.found)

    def task(self, resource: Resource) -> None:
        """aws_ecs_task_definition, whose containers are JSON."""
        for each in _containers(resource.body.get("container_definitions"), self.found):
            name = each.string("name") or resource.name
            named = aws.Resource(
                f"{resource.address} {name}", resource.where, self.unit(f"{resource.address}/{name}"), _KEYS
            )
            container(named, each, self.found, self.context, folder=self.file.folder)


def _names(resource: Resource, *nodes: Node | None) -> bool:
    """Whether expressions name a resource."""
    return resource.address in references(*nodes)


def _groups(body: Node) -> list[str]:
    """The target groups that a listener, or a rule of one, forwards to."""
    found: list[str] = []
    for action in (*blocks_in(body, "default_action"), *blocks_in(body, "action")):
        weighted = [
            group.get("arn") for forward in blocks_in(action, "forward") for group in blocks_in(forward, "target_group")
        ]
        found += references(action.get("target_group_arn"), *weighted)
    return found


def _containers(node: Node | None, found: Found) -> list[Node]:
    if node is None:
        return []
    if node.kind == LIST:
        return [each for each in node.elements() if each.kind == MAP]
    if node.kind == TEXT:
        from lg_stream_lint.deploy.settings import Note

        found.notes.append(Note(node.where, "containers that are not written here"))
    return []


def _patterns(body: Node, identity: str) -> list[str]:
    found = []
    for each in blocks_in(body, "default_cache_behavior"):
        found += ["/"] if each.string("target_origin_id") == identity else []
    for each in blocks_in(body, "ordered_cache_behavior"):
        if each.string("target_origin_id") == identity:
            found.append("/" + each.string("path_pattern").lstrip("/"))
    return found


def _is_image(resource: Resource) -> bool:
    return resource.body.string("package_type") == "Image" or resource.body.get("image_uri") is not None


_READERS = {
    _FUNCTION: AwsReader.function,
    "aws_lambda_function_url": AwsReader.url,
    "aws_api_gateway_integration": AwsReader.rest,
    "aws_apigatewayv2_integration": AwsReader.http_integration,
    "aws_apigatewayv2_api": AwsReader.http_quick,
    "aws_lb": AwsReader.balancer,
    "aws_alb": AwsReader.balancer,
    "aws_elb": AwsReader.classic,
    "aws_lb_target_group_attachment": AwsReader.target_group,
    "aws_alb_target_group_attachment": AwsReader.target_group,
    "aws_cloudfront_distribution": AwsReader.distribution,
    "aws_ecs_task_definition": AwsReader.task,
}
