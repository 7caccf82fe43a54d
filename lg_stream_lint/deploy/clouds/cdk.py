"""The AWS CDK in Python, as far as its arguments are literal: what each construct is called with, and what leads to what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.clouds import aws
from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Target, Where
from lg_stream_lint.deploy.yaml_marks import TEXT, Node
from lg_stream_lint.syntax_tree import tree_of

_UNITS = {"millis": 0.001, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_KEYS = aws.Keys(
    timeout="timeout", idle="idle_timeout", invoke="invoke_mode", transfer="response_transfer_mode", integration="timeout",
    integration_scale=1.0, origin_read="read_timeout", origin_total="response_completion_timeout", stop="stop_timeout",
)  # fmt: skip
_BALANCERS = frozenset(
    {
        "ApplicationLoadBalancer",
        "ApplicationLoadBalancedFargateService",
        "ApplicationLoadBalancedEc2Service",
        "ApplicationMultipleTargetGroupsFargateService",
    }
)
_FUNCTIONS = frozenset({"Function", "PythonFunction", "DockerImageFunction"})
_ORIGINS = frozenset({"HttpOrigin", "LoadBalancerV2Origin"})
#: Nodes of a file; a stack that is written by hand has some thousands.
_MOST = 100_000


class Construct(NamedTuple):
    """A call that makes something: the class's (or method's) name, what it is called on, and the call."""

    name: str
    owner: str
    call: ast.Call
    assigned: str


class Stack:
    """The constructs of one Python file."""

    def __init__(self, file: DeployFile, found: Found, context: Context) -> None:
        self.file, self.found, self.context = file, found, context
        try:
            tree = tree_of(file.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise NotRead("Python that cannot be parsed") from error
        self.constructs = list(_constructs(tree))
        self.units = {c.assigned: self._unit(c.call) for c in self.constructs if c.assigned and self._may_run(c)}
        self.asked = {unit for c in self.constructs if c.name in _READERS for unit in self._functions(c)}

    def read(self) -> None:
        """Read every construct that is known here."""
        for construct in self.constructs:
            reader = _READERS.get(construct.name)
            if construct.name in _BALANCERS:
                idle = self.duration(construct, "idle_timeout")
                aws.load_balancer(self._resource(construct), idle, self.found)
            elif construct.name in _FUNCTIONS and self._unit(construct.call) in self.asked:
                self._function(construct)
            elif construct.name in _ORIGINS:
                self._origin(construct)
            elif reader is not None:
                reader(self, construct)

    # Values

    def value(self, construct: Construct, name: str) -> ast.expr | None:
        """An argument by its keyword."""
        return next((k.value for k in construct.call.keywords if k.arg == name), None)

    def duration(self, construct: Construct, name: str) -> Node | None:
        """``Duration.seconds(60)`` as a node of seconds; unknown where it is no literal."""
        node = self.value(construct, name)
        if node is None:
            return None
        text = ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            amount, unit = _number(node.args[0]), _UNITS.get(node.func.attr)
            text = f"{amount * unit:g}" if amount is not None and unit is not None else ""
        return self._text(node, text, unknown=not text)

    def member(self, construct: Construct, name: str) -> Node | None:
        """``InvokeMode.RESPONSE_STREAM`` by its last name."""
        node = self.value(construct, name)
        if node is None:
            return None
        known = isinstance(node, ast.Attribute)
        return self._text(node, node.attr if isinstance(node, ast.Attribute) else "", unknown=not known)

    def string(self, node: ast.expr | None) -> str:
        """The first literal text in an expression."""
        for each in ast.walk(node) if node is not None else ():
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                return each.value
        return ""

    def _text(self, node: ast.expr, text: str, *, unknown: bool) -> Node:
        found = Node(TEXT, self._where(node), text)
        found.unknown = unknown
        return found

    def _where(self, node: ast.expr) -> Where:
        end_row = node.end_lineno or node.lineno
        return self.file.between(
            node.lineno,
            self._column(node.lineno, node.col_offset),
            end_row,
            self._column(end_row, node.end_col_offset or 0),
        )

    def _column(self, row: int, offset: int) -> int:
        """A column from 1, given an offset in bytes."""
        line = self.file.lines[row - 1] if row <= len(self.file.lines) else ""
        return len(line.encode("utf-8")[:offset].decode("utf-8", "ignore")) + 1

    # What constructs are

    def _unit(self, call: ast.Call) -> str:
        return f"{self.file.path}#{call.lineno}:{call.col_offset}"

    def _resource(self, construct: Construct) -> aws.Resource:
        call = construct.call
        named = call.args[1] if len(call.args) > 1 else None
        name = f"{construct.name} {self.string(named)}".strip()
        where = self._where(call.func)
        return aws.Resource(name, where, self._unit(call), _KEYS)

    def _functions(self, construct: Construct) -> list[str]:
        """The functions that a construct is called on, or with."""
        named = [construct.owner]
        for node in (*construct.call.args, *(k.value for k in construct.call.keywords)):
            named += [_dotted(each) for each in ast.walk(node) if isinstance(each, (ast.Name, ast.Attribute))]
        return list(dict.fromkeys(self.units[name] for name in named if name in self.units))

    def _may_run(self, construct: Construct) -> bool:
        """Whether a construct is a function that may run this project."""
        runtime = self.member(construct, "runtime")
        known = runtime.text if runtime is not None and not runtime.unknown else ""
        return construct.name in _FUNCTIONS and (not known or known.startswith(("PYTHON", "PROVIDED", "FROM_IMAGE")))

    def _function(self, construct: Construct) -> None:
        runtime = self.member(construct, "runtime")
        is_image = construct.name == "DockerImageFunction" or (runtime is not None and runtime.text == "FROM_IMAGE")
        code = self.string(self.value(construct, "code") or self.value(construct, "entry"))
        dockerfile = aws.dockerfile_at(self.file.folder, code, "Dockerfile") if is_image and code else ""
        if dockerfile and self.context.find(dockerfile, "") is None:
            dockerfile = aws.dockerfile_at(self.context.repository, code, "Dockerfile")
        handler = self.value(construct, "handler")
        text = self.string(handler)
        node = self._text(handler, text, unknown=not text) if handler is not None else None
        folders = tuple(aws.dockerfile_at(top, code or ".") for top in (self.file.folder, self.context.repository))
        known = dockerfile if dockerfile and self.context.find(dockerfile, "") is not None else ""
        language = runtime.text if runtime is not None else "python" if construct.name == "PythonFunction" else ""
        given = aws.Function(node, language, self.duration(construct, "timeout"), is_image, known, folders, None)
        aws.function(self._resource(construct), given, self.found, self.context)

    def url(self, construct: Construct) -> None:
        """``function.add_function_url(…)``, ``FunctionUrl(…)``."""
        targets = self._functions(construct)
        if targets:
            mode = self.member(construct, "invoke_mode")
            aws.function_url(self._resource(construct), mode, targets[0], self.found)

    def rest(self, construct: Construct) -> None:
        """``LambdaIntegration(…)``, ``LambdaRestApi(…)``."""
        options = self.value(construct, "integration_options")
        inner = construct._replace(call=options) if isinstance(options, ast.Call) else construct
        if options is not None and not isinstance(options, ast.Call):
            return
        mode, timeout = self.member(inner, "response_transfer_mode"), self.duration(inner, "timeout")
        aws.rest_method(self._resource(construct), mode, timeout, self._functions(construct), self.found)

    def http(self, construct: Construct) -> None:
        """``HttpLambdaIntegration(…)``."""
        aws.http_api(self._resource(construct), None, self._functions(construct), self.found)

    def target(self, construct: Construct) -> None:
        """``LambdaTarget(…)`` of a load balancer."""
        units = [Target("unit", unit) for unit in self._functions(construct)]
        if units:
            aws.target_group(self._resource(construct), units, self.found)

    def _origin(self, construct: Construct) -> None:
        entry = aws.CdnOrigin(
            self._resource(construct)._replace(unit=""),
            self.duration(construct, "read_timeout"),
            self.duration(construct, "response_completion_timeout"),
            (),
            "",
        )
        aws.cdn_origin(entry, self.found)


def _constructs(tree: ast.AST) -> Iterator[Construct]:
    """The calls in a file, with the name that what they make is given."""
    assigned: dict[int, str] = {}
    calls: list[ast.Call] = []
    for count, node in enumerate(ast.walk(tree)):
        if count > _MOST:
            break
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.targets) == 1:
            assigned[id(node.value)] = _dotted(node.targets[0])
        elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call):
            assigned[id(node.value)] = _dotted(node.target)
        elif isinstance(node, ast.Call):
            calls.append(node)
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    for call in calls:
        if isinstance(call.func, ast.Attribute):
            yield Construct(call.func.attr, _dotted(call.func.value), call, assigned.get(id(call), ""))
        elif isinstance(call.func, ast.Name):
            yield Construct(call.func.id, "", call, assigned.get(id(call), ""))


def _number(node: ast.expr) -> float | None:
    """``60``, ``5 * 60``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        factors = [each.value for each in (node.left, node.right) if isinstance(each, ast.Constant)]
        if len(factors) == 2 and all(isinstance(factor, (int, float)) for factor in factors):
            return float(factors[0]) * float(factors[1])  # type: ignore[arg-type]  # looked at above
    return None


def _dotted(node: ast.AST) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


_READERS = {
    "add_function_url": Stack.url,
    "FunctionUrl": Stack.url,
    "LambdaIntegration": Stack.rest,
    "LambdaRestApi": Stack.rest,
    "HttpLambdaIntegration": Stack.http,
    "LambdaTarget": Stack.target,
}
