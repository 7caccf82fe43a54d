"""The Serverless Framework's ``serverless.yml``: functions with their events, and CloudFormation resources beside them."""

from __future__ import annotations

from lg_stream_lint.deploy.clouds import aws
from lg_stream_lint.deploy.clouds.cloudformation import read_template
from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Target
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT, Node

_MOST = 300
_KEYS = aws.Keys(
    timeout="timeout",
    invoke="invokeMode",
    transfer="response.transferMode",
    integration="timeout",
    integration_scale=1.0,
)


def read_service(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """The hops of one service."""
    provider = root.get("provider") or Node(MAP, root.where)
    functions = root.get("functions")
    entries = functions.entries() if functions is not None else []
    for part in functions.elements() if functions is not None else ():
        entries += part.entries()  # a list of files and maps
    for key, node in entries[:_MOST]:
        if node.kind == MAP:
            _Function(file, provider, key, node, found, context).read()
    resources = root.get("resources")
    for part in (resources, *(resources.elements() if resources is not None else ())):
        if part is not None and part.kind == MAP:
            read_template(file, part, found, context)


class _Function:
    def __init__(self, file: DeployFile, provider: Node, key: Node, node: Node, found: Found, context: Context) -> None:
        self.file, self.provider, self.key, self.node = file, provider, key, node
        self.found, self.context = found, context
        self.unit = f"{file.path}#functions.{key.text}"

    def read(self) -> None:
        """The function, and what it is asked through."""
        doors = self._doors()
        runtime = self.node.string("runtime") or self.provider.string("runtime")
        image = self.node.get("image")
        if not doors or (image is None and not aws.runs_python(runtime)):
            return
        timeout = self.node.get("timeout") or self.provider.get("timeout")
        given = aws.Function(
            self.node.get("handler"), runtime, timeout, image is not None, self._dockerfile(image), (self.file.folder,),
            self._environment(), "serverless",
        )  # fmt: skip
        aws.function(self._resource("", self.key), given, self.found, self.context)
        for kind, node, key in doors:
            self._door(kind, node, key)

    def _resource(self, what: str, key: Node) -> aws.Resource:
        return aws.Resource(f"{self.key.text} {what}".strip(), key.where, self.unit if not what else "", _KEYS)

    def _doors(self) -> list[tuple[str, Node, Node]]:
        """The function's address and its events of HTTP: kind, configuration, key."""
        doors: list[tuple[str, Node, Node]] = []
        url, url_key = self.node.get("url"), self.node.key("url")
        if url is not None and url_key is not None and url.truth() is not False:
            doors.append(("url", url, url_key))
        events = self.node.get("events")
        for event in events.elements() if events is not None else ():
            for key, value in event.entries():
                if key.text in ("http", "httpApi", "alb"):
                    doors.append((key.text, value, key))
        return doors

    def _door(self, kind: str, node: Node, key: Node) -> None:
        resource = self._resource(kind, key)
        path = node.string("path") if node.kind == MAP else node.text.rpartition(" ")[2] if node.kind == TEXT else ""
        path = "/" + path.lstrip("/") if path and path != "*" else ""
        if kind == "url":
            mode = node.get("invokeMode") if node.kind == MAP else None
            aws.function_url(resource, mode, self.unit, self.found)
        elif kind == "http":
            mode = None
            if node.kind == MAP:
                mode = node.get("response", "transferMode") or node.get("responseTransferMode")
            timeout = node.get("timeoutInMillis") if node.kind == MAP else None
            endpoint = self.provider.string("endpointType")
            aws.rest_method(
                resource._replace(keys=_KEYS._replace(integration="timeoutInMillis", integration_scale=0.001)),
                mode, timeout, [self.unit], self.found, endpoint=endpoint, route=path,
            )  # fmt: skip
        elif kind == "httpApi":
            timeout = node.get("timeout") if node.kind == MAP else None
            aws.http_api(resource, timeout, [self.unit], self.found, route=path)
        else:
            aws.target_group(resource, [Target("unit", self.unit)], self.found)

    def _dockerfile(self, image: Node | None) -> str:
        name = image.text if image is not None and image.kind == TEXT else ""
        if image is not None and image.kind == MAP:
            name = image.string("name")
        described = self.provider.get("ecr", "images", name) if name else None
        if described is None:
            return ""
        path = described.text if described.kind == TEXT else described.string("path")
        file = described.string("file") if described.kind == MAP else ""
        return aws.dockerfile_at(self.file.folder, path or ".", file or "Dockerfile") if "${" not in path else ""

    def _environment(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for layer in (self.provider, self.node):
            variables = layer.get("environment")
            for key, value in variables.entries() if variables is not None else ():
                found[key.text] = value
        return found
