"""What readers of manifests share: names as targets, values as settings."""

from __future__ import annotations

from collections.abc import Iterator

from lg_stream_lint.deploy.kubernetes.manifests import Manifest
from lg_stream_lint.deploy.settings import Origin, Setting, Target
from lg_stream_lint.deploy.yaml_marks import Node


def host_targets(name: str, manifest: Manifest) -> Iterator[Target]:
    """A Service's name as a host; one that a template makes is known in its chart only."""
    if not name:
        return
    if "{{" in name:
        yield Target("host", f"{' '.join(name.split())} of {manifest.chart}")
        return
    yield Target("host", name)
    namespace = manifest.root.string("metadata", "namespace")
    if namespace and "{{" not in namespace:
        yield Target("host", f"{name}.{namespace}")


def setting(name: str, key: str, node: Node, value: object, kind: str = "") -> Setting | None:
    """An explicit setting; None when its value cannot be read."""
    if value is None or node.unknown:
        return None
    return Setting(
        name, key, value, Origin.EXPLICIT, node.where, kind, node.text, node.overridable or "${" in node.text
    )


def off_or(seconds: float | None) -> float | None:
    """Zero is no limit."""
    return None if seconds == 0 else seconds
