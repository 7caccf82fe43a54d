"""CloudFormation and SAM templates: their resources, and which of them lead to which."""

from __future__ import annotations

import re
from functools import cached_property

from lg_stream_lint.deploy.clouds import aws
from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.clouds.tasks import container
from lg_stream_lint.deploy.clouds.templates import Merged, key_of, parameters, patterns
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Target
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node, walk

#: Resources of a file.
_MOST = 500
_IDLE = "idle_timeout.timeout_seconds"
_STREAMING_DEFINITION = re.compile(r"""(?i)responseTransferMode["']?\s*:\s*["']?(?:RESPONSE_)?STREAM""")
_STORED = re.compile(r"s3-website|WebsiteURL|\.s3[.-]|RegionalDomainName|Bucket")


def read_template(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """The hops of one template."""
    _Template(file, root, found, context).read()


class _Template:
    def __init__(self, file: DeployFile, root: Node, found: Found, context: Context) -> None:
        self.file = file
        self.root = root
        self.found = found
        self.context = context
        self.resources: dict[str, tuple[Node, Node, str]] = {}
        resources = root.get("Resources")
        for key, node in resources.entries()[:_MOST] if resources is not None else ():
            if node.kind == MAP:
                self.resources[key.text] = (key, node, node.string("Type"))
        self.parameters = parameters(root)
        self.streams = _STREAMING_DEFINITION.search(file.text) is not None

    def read(self) -> None:
        """Read every resource that is known here."""
        for name, (_, node, kind) in self.resources.items():
            properties = node.get("Properties") or Node(MAP, node.where)
            reader = _READERS.get(kind)
            if reader is not None:
                reader(self, name, properties)

    def resource(self, name: str, what: str = "", keys: aws.Keys | None = None) -> aws.Resource:
        """A resource by its logical name; ``what`` tells apart what one resource of the file makes of several."""
        key, _, _ = self.resources[name]
        return aws.Resource(f"{name} {what}".strip(), key.where, self.unit(name, what), keys or aws.Keys())

    def unit(self, name: str, what: str = "") -> str:
        """The name that the hops of a resource agree on."""
        return f"{self.file.path}#{name}" + (f"/{what}" if what else "")

    def value(self, node: Node | None) -> Node | None:
        """A value, or the default of the parameter that it refers to, which the deployment may replace."""
        if node is None:
            return None
        name = node.text if node.tag == "!Ref" else node.string("Ref") if node.kind == MAP else ""
        usual = self.parameters.get(name)
        if usual is None:
            return node
        copy = Node(TEXT, node.where, usual.text)
        copy.overridable = True
        return copy

    def named(self, *nodes: Node | None) -> list[str]:
        """The resources of the file that expressions name, in any of CloudFormation's ways."""
        words: set[str] = set()
        for node in nodes:
            for each in walk(node) if node is not None else ():
                words |= set(re.findall(r"\w+", each.text)) if each.kind == TEXT else set()
        return [name for name in self.resources if name in words]

    def functions_in(self, *nodes: Node | None) -> list[str]:
        """The units of the functions among them that may run this project."""
        return [
            self.unit(name)
            for name in self.named(*nodes)
            if self.resources[name][2] in _FUNCTIONS and self._may_run(name)
        ]

    def _may_run(self, name: str) -> bool:
        merged = self._merged(name)
        runtime = self.value(merged.get("Runtime"))
        return self._is_image(merged) or runtime is None or runtime.unknown or aws.runs_python(runtime.text)

    def _merged(self, name: str) -> Merged:
        """A function's properties, over the globals that hold for all of SAM's functions."""
        _, node, kind = self.resources[name]
        usual = self.root.get("Globals", "Function") if kind == "AWS::Serverless::Function" else None
        return Merged(node.get("Properties"), usual)

    def _is_image(self, merged: Merged) -> bool:
        return merged.text("PackageType") == "Image" or any(
            merged.get(*keys) is not None for keys in (("ImageUri",), ("Code", "ImageUri"))
        )

    # Functions

    def function(self, name: str, properties: Node) -> None:
        """A function that something asks over HTTP."""
        if not self._is_asked(name, properties) or not self._may_run(name):
            return
        merged = self._merged(name)
        runtime = self.value(merged.get("Runtime"))
        given = aws.Function(
            merged.get("Handler"),
            runtime.text if runtime is not None and not runtime.unknown else "",
            self.value(merged.get("Timeout")),
            self._is_image(merged),
            self._dockerfile(name),
            self._folders(merged),
            dict(merged.environment()),
        )
        aws.function(self.resource(name), given, self.found, self.context)
        self._own_doors(name, properties)

    def _is_asked(self, name: str, properties: Node) -> bool:
        if properties.get("FunctionUrlConfig") is not None:
            return True
        events = properties.get("Events")
        if events is not None and any(event.string("Type") in ("Api", "HttpApi") for _, event in events.entries()):
            return True
        return name in self._asked

    @cached_property
    def _asked(self) -> frozenset[str]:
        """The resources that something of HTTP names."""
        return frozenset(self.named(*(node for _, node, kind in self.resources.values() if kind in _DOORS)))

    def _own_doors(self, name: str, properties: Node) -> None:
        """What SAM makes of a function's own configuration: an address, and a method for each event."""
        url = properties.get("FunctionUrlConfig")
        if url is not None:
            resource = self.resource(name, "url")._replace(where=key_of(properties, "FunctionUrlConfig").where)
            aws.function_url(resource, self.value(url.get("InvokeMode")), self.unit(name), self.found)
        events = properties.get("Events")
        for key, event in events.entries() if events is not None else ():
            resource = aws.Resource(f"{name} {key.text}", key.where, self.unit(name, "events"))
            details = event.get("Properties") or Node(MAP, event.where)
            path = details.string("Path")
            if event.string("Type") == "HttpApi":
                aws.http_api(resource, details.get("TimeoutInMillis"), [self.unit(name)], self.found, route=path)
            elif event.string("Type") == "Api" and not self.streams_elsewhere(details):
                mode = self.value(details.get("ResponseTransferMode"))
                timeout = details.get("TimeoutInMillis")
                aws.rest_method(resource, mode, timeout, [self.unit(name)], self.found, route=path)

    def streams_elsewhere(self, event: Node) -> bool:
        """Whether a definition of the API, beside the event, tells it to stream."""
        return self.streams and event.get("RestApiId") is not None and event.get("ResponseTransferMode") is None

    def _dockerfile(self, name: str) -> str:
        metadata = self.resources[name][1].get("Metadata")
        if metadata is None or metadata.get("DockerContext") is None:
            return ""
        dockerfile = metadata.string("Dockerfile") or "Dockerfile"
        return aws.dockerfile_at(self.file.folder, metadata.string("DockerContext"), dockerfile)

    def _folders(self, merged: Merged) -> tuple[str, ...]:
        code = merged.get("CodeUri") or merged.get("Code")
        paths = [code.text] if code is not None and code.kind == TEXT and not code.unknown else []
        paths = [path for path in paths if "://" not in path]
        return tuple(aws.dockerfile_at(self.file.folder, path) for path in (*paths, "."))

    def url(self, name: str, properties: Node) -> None:
        """AWS::Lambda::Url."""
        targets = self.functions_in(properties.get("TargetFunctionArn"))
        for unit in targets:
            aws.function_url(self.resource(name), self.value(properties.get("InvokeMode")), unit, self.found)

    # Gateways

    def method(self, name: str, properties: Node) -> None:
        """AWS::ApiGateway::Method."""
        integration = properties.get("Integration")
        if integration is None or integration.string("Type") not in ("AWS_PROXY", "HTTP_PROXY"):
            return
        if properties.string("HttpMethod") == "OPTIONS":
            return
        mode, timeout = integration.get("ResponseTransferMode"), integration.get("TimeoutInMillis")
        targets = self.functions_in(integration.get("Uri"))
        endpoint = self._endpoint(properties.get("RestApiId"))
        aws.rest_method(
            self.resource(name), self.value(mode), self.value(timeout), targets, self.found, endpoint=endpoint
        )

    def _endpoint(self, api: Node | None) -> str:
        for name in self.named(api):
            _, node, _ = self.resources[name]
            types = node.get("Properties", "EndpointConfiguration", "Types")
            if types is not None and types.kind == LIST and types.elements():
                return types.elements()[0].text
        return ""

    def http_integration(self, name: str, properties: Node) -> None:
        """AWS::ApiGatewayV2::Integration, unless it belongs to an API of WebSockets."""
        if self._is_socket(properties.get("ApiId")):
            return
        targets = self.functions_in(properties.get("IntegrationUri"))
        anywhere = properties.string("IntegrationType") == "HTTP_PROXY"
        timeout = self.value(properties.get("TimeoutInMillis"))
        aws.http_api(self.resource(name), timeout, targets, self.found, anywhere=anywhere)

    def _is_socket(self, api: Node | None) -> bool:
        names = self.named(api)
        return any(self.resources[name][1].string("Properties", "ProtocolType") == "WEBSOCKET" for name in names)

    def http_quick(self, name: str, properties: Node) -> None:
        """AWS::ApiGatewayV2::Api with a target of its own."""
        if properties.get("Target") is not None and properties.string("ProtocolType") != "WEBSOCKET":
            aws.http_api(self.resource(name), None, self.functions_in(properties.get("Target")), self.found)

    # Balancers, distributions, tasks

    def balancer(self, name: str, properties: Node) -> None:
        """AWS::ElasticLoadBalancingV2::LoadBalancer."""
        kind = properties.string("Type") or "application"
        if kind not in ("application", "network"):
            return
        wanted = _IDLE if kind == "application" else "tcp.idle_timeout.seconds"
        idle = None
        attributes = properties.get("LoadBalancerAttributes")
        for each in attributes.elements() if attributes is not None else ():
            if each.string("Key") == wanted:
                idle = self.value(each.get("Value"))
        if attributes is not None and (attributes.unknown or attributes.open):
            return
        keys = aws.Keys(idle=wanted)
        aws.load_balancer(self.resource(name, keys=keys), idle, self.found, network=kind == "network")

    def classic(self, name: str, properties: Node) -> None:
        """AWS::ElasticLoadBalancing::LoadBalancer."""
        idle = self.value(properties.get("ConnectionSettings", "IdleTimeout"))
        aws.load_balancer(self.resource(name, keys=aws.Keys(idle="ConnectionSettings.IdleTimeout")), idle, self.found)

    def target_group(self, name: str, properties: Node) -> None:
        """AWS::ElasticLoadBalancingV2::TargetGroup with a function in it."""
        if properties.string("TargetType") == "lambda":
            units = self.functions_in(properties.get("Targets"))
            aws.target_group(self.resource(name), [Target("unit", unit) for unit in units], self.found)

    def distribution(self, name: str, properties: Node) -> None:
        """AWS::CloudFront::Distribution: each origin that is no bucket."""
        config = properties.get("DistributionConfig")
        origins = config.get("Origins") if config is not None else None
        if config is None or origins is None:
            return
        for origin in origins.elements():
            custom = origin.get("CustomOriginConfig")
            domain = " ".join(node.text for node in walk(origin.get("DomainName") or origin) if node.kind == TEXT)
            if custom is None or _STORED.search(domain):
                continue
            where = key_of(origin, "CustomOriginConfig").where
            identity = origin.string("Id")
            resource = aws.Resource(f"{name} {identity}".strip(), where, "")
            balancers = [n for n in self.named(origin.get("DomainName")) if self.resources[n][2] in _BALANCERS]
            entry = aws.CdnOrigin(
                resource,
                self.value(custom.get("OriginReadTimeout")),
                self.value(origin.get("ResponseCompletionTimeout")),
                tuple(patterns(config, identity)),
                self.unit(name),
                tuple(Target("unit", self.unit(balancer)) for balancer in balancers),
            )
            aws.cdn_origin(entry, self.found)

    def task(self, name: str, properties: Node) -> None:
        """AWS::ECS::TaskDefinition."""
        containers = properties.get("ContainerDefinitions")
        for index, each in enumerate(containers.elements() if containers is not None else ()):
            own = each.string("Name") or str(index)
            resource = aws.Resource(
                own, (key_of(each, "Name") if each.get("Name") else each).where, self.unit(name, own)
            )
            container(resource, each, self.found, self.context, folder=self.file.folder)


_FUNCTIONS = frozenset({"AWS::Lambda::Function", "AWS::Serverless::Function"})
_BALANCERS = frozenset({"AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer"})
#: What asks a function over HTTP.
_DOORS = frozenset(
    {
        "AWS::Lambda::Url",
        "AWS::ApiGateway::Method",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Api",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
    }
)
_READERS = {
    "AWS::Serverless::Function": _Template.function,
    "AWS::Lambda::Function": _Template.function,
    "AWS::Lambda::Url": _Template.url,
    "AWS::ApiGateway::Method": _Template.method,
    "AWS::ApiGatewayV2::Integration": _Template.http_integration,
    "AWS::ApiGatewayV2::Api": _Template.http_quick,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _Template.balancer,
    "AWS::ElasticLoadBalancing::LoadBalancer": _Template.classic,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _Template.target_group,
    "AWS::CloudFront::Distribution": _Template.distribution,
    "AWS::ECS::TaskDefinition": _Template.task,
}
