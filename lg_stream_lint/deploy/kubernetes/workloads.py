"""Workloads: the pods that a manifest makes, their containers, and the Services that lead to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.kubernetes.manifests import Manifest, Manifests
from lg_stream_lint.deploy.kubernetes.variants import is_knative, spec_keys
from lg_stream_lint.deploy.yaml_marks import MAP, Node


class Container(NamedTuple):
    """A container of a pod."""

    name: str
    node: Node


class Workload(NamedTuple):
    """What makes pods: its manifest, its pods' spec and metadata."""

    manifest: Manifest
    pod: Node
    metadata: Node
    knative: bool

    @property
    def containers(self) -> list[Container]:
        """The containers, by their names."""
        found = {e.string("name") or f"#{i}": e for i, e in enumerate(_elements(self.pod.get("containers")))}
        return [Container(name, node) for name, node in found.items()]


def _elements(node: Node | None) -> list[Node]:
    return [element for element in node.elements() if element.kind == MAP] if node is not None else []


def workload_of(manifest: Manifest) -> Workload:
    """The workload of a manifest."""
    keys = spec_keys(manifest)
    nothing = Node(MAP, manifest.place.where)
    pod, metadata = (manifest.root.get(*each) or nothing for each in (keys, (*keys[:-1], "metadata")))
    return Workload(manifest, pod, metadata, is_knative(manifest))


def labels_of(node: Node | None, chart: str) -> frozenset[str]:
    """Labels (or a selector's) as ``key=value``; what a template inserts counts as a label of its chart."""
    if node is None:
        return frozenset()
    found = {f"{key.text}={value.text}".replace(",", " ") for key, value in node.entries()}
    for insert in node.inserts:
        text = " ".join(insert.replace(",", " ").split())
        found.add(f"{chart} {text}")
        # Helm's starter chart: the labels hold the selector's labels.
        found.add(f"{chart} {text.replace('.labels', '.selectorLabels')}")
    return frozenset(found)


def pod_labels(workload: Workload) -> frozenset[str]:
    """The labels of a workload's pods."""
    return labels_of(workload.metadata.child("labels"), workload.manifest.chart)


def selected_by(workload: Workload, everywhere: Manifests) -> Iterator[Manifest]:
    """The Services that lead to a workload's pods."""
    labels = pod_labels(workload)
    for service in everywhere.of("Service"):
        if is_knative(service):
            continue
        spec = service.root.get("spec")
        wanted = labels_of(spec.child("selector") if spec is not None else None, service.chart)
        if wanted and wanted <= labels and _near(service, workload.manifest):
            yield service


def _near(service: Manifest, manifest: Manifest) -> bool:
    """Whether both are of one namespace, as far as it is written."""
    one, other = service.root.string("metadata", "namespace"), manifest.root.string("metadata", "namespace")
    return not one or not other or one == other
