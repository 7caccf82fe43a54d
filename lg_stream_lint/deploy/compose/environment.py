"""The variables of a compose file: what ``${X:-45}`` stands for, and what a container's environment holds."""

from __future__ import annotations

import re
from typing import NamedTuple

from lg_stream_lint.deploy.commands import Variable
from lg_stream_lint.deploy.compose.services import Service
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<braced>\w+)(?::?-(?P<default>[^${}]*))?\}|(?P<bare>[A-Za-z_]\w*))")
_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?(?P<name>\w+)[ \t]*=[ \t]*(?P<value>[^\r\n]*)", re.MULTILINE)
_MOST_LINES = 2_000


class Text(NamedTuple):
    """A text with its variables replaced; ``overridable``: the environment can replace a part of it."""

    text: str
    overridable: bool


def interpolate(text: str, dotenv: dict[str, Variable]) -> Text:
    """``${X:-45}`` by its default, ``${X}`` by what ``.env`` says; what nobody knows stays as it is, ``$$`` is one ``$``."""
    replaced = False

    def value(match: re.Match[str]) -> str:
        nonlocal replaced
        name = match["braced"] or match["bare"]
        if not name:
            return "$"
        known = dotenv[name].value if name in dotenv else match["default"]
        if known is None:
            return match[0]
        replaced = True
        return known

    return Text(_VARIABLE.sub(value, text), replaced) if "$" in text else Text(text, overridable=False)


def dotenv_of(file: DeployFile, context: Context) -> dict[str, Variable]:
    """The variables of the ``.env`` beside a compose file: its defaults for ``${X}``."""
    found = context.find(".env", file.folder)
    return read_env(found) if found is not None else {}


def variables_of(service: Service, context: Context) -> dict[str, Variable]:
    """What stands for ``${X}`` in a service: the files that its ``include`` names, else the ``.env`` beside its file."""
    if not service.environment:
        return dotenv_of(service.file, context)
    return {name: variable for file in service.environment for name, variable in read_env(file).items()}


def read_env(file: DeployFile) -> dict[str, Variable]:
    """``NAME=value`` lines; comments and quotes are taken away."""
    found: dict[str, Variable] = {}
    for count, match in enumerate(_LINE.finditer(file.text)):
        if count >= _MOST_LINES:
            break
        value = match["value"].rstrip()
        quoted = re.fullmatch(r"""(["'])(.*)\1(?:\s+#.*)?""", value)
        value = quoted[2] if quoted else re.sub(r"(?:^|(?<!\s)\s+)#.*", "", value)
        where = file.at(match.start("name"), match.start("value") + len(match["value"].rstrip()))
        found[match["name"]] = Variable(value, where, overridable=True)
    return found


def environment_of(service: Service, context: Context, dotenv: dict[str, Variable]) -> dict[str, Variable]:
    """What a service's ``env_file`` and, above it, its ``environment`` set."""
    found: dict[str, Variable] = {}
    for layer in reversed(service.layers):
        for path in _env_files(layer.node.get("env_file")):
            file = context.find(interpolate(path, dotenv).text, layer.file.folder)
            if file is not None:
                found |= {name: variable._replace(overridable=False) for name, variable in read_env(file).items()}
    for name, (text, node, _) in service.pairs("environment").items():
        if not node.unknown:
            value = interpolate(text, dotenv)
            found[name] = Variable(value.text, node.where, value.overridable or node.overridable)
    return found


def _env_files(node: object) -> list[str]:
    from lg_stream_lint.deploy.yaml_marks import Node

    if not isinstance(node, Node):
        return []
    if node.kind == TEXT:
        return [node.text]
    return [e.string("path") if e.kind == MAP else e.text for e in node.elements()]
