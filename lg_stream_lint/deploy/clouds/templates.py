"""Parts of CloudFormation templates: properties over globals, parameters, a distribution's patterns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lg_stream_lint.deploy.yaml_marks import TEXT, Node


class Merged:
    """A function's properties over SAM's globals."""

    def __init__(self, *layers: Node | None) -> None:
        self.layers = [layer for layer in layers if layer is not None]

    def get(self, *keys: str) -> Node | None:
        """The value that holds."""
        return next((found for layer in self.layers if (found := layer.get(*keys)) is not None), None)

    def environment(self) -> Iterator[tuple[str, Node]]:
        """The variables; those of the function stand last."""
        for layer in reversed(self.layers):
            variables = layer.get("Environment", "Variables")
            for key, value in variables.entries() if variables is not None else ():
                yield key.text, value

    def text(self, *keys: str) -> str:
        """The same as a text."""
        node = self.get(*keys)
        return node.text if node is not None and node.kind == TEXT else ""


def parameters(root: Node) -> Mapping[str, Node]:
    """The defaults of a template's parameters."""
    written = root.get("Parameters")
    found = {}
    for key, node in written.entries() if written is not None else ():
        usual = node.get("Default")
        if usual is not None and usual.kind == TEXT:
            found[key.text] = usual
    return found


def patterns(config: Node, identity: str) -> Iterator[str]:
    """The path patterns of a distribution that lead to one of its origins."""
    if config.string("DefaultCacheBehavior", "TargetOriginId") == identity:
        yield "/"
    behaviours = config.get("CacheBehaviors")
    for each in behaviours.elements() if behaviours is not None else ():
        if each.string("TargetOriginId") == identity:
            yield "/" + each.string("PathPattern").lstrip("/")


def key_of(node: Node, name: str) -> Node:
    """The node of a key, or the map itself."""
    return node.key(name) or node
