"""A workload as it holds in the end: the manifest, and for a patch of kustomize's the manifest that it changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.kubernetes.manifests import WORKLOADS, Manifest, Manifests
from lg_stream_lint.deploy.yaml_marks import MAP, Node


class Part(NamedTuple):
    """A node as several files write it, the one that holds first."""

    nodes: tuple[Node, ...]

    def get(self, *keys: str | int) -> Node | None:
        """The value that holds."""
        return next((found for node in self.nodes if (found := node.get(*keys)) is not None), None)

    def below(self, *keys: str | int) -> Part:
        """The part below these keys."""
        return Part(tuple(found for node in self.nodes if (found := node.get(*keys)) is not None))

    @property
    def place(self) -> Node | None:
        """The node of the part that is written last in the chain: the base's."""
        return self.nodes[-1] if self.nodes else None

    def may_have(self, key: str) -> bool:
        """Whether a key is there, or a template could add it."""
        return any(node.may_have(key) for node in self.nodes)


class Container(NamedTuple):
    """A container of a pod."""

    name: str
    part: Part


class Workload(NamedTuple):
    """What makes pods: its manifest, its pods' spec and metadata, and the whole."""

    manifest: Manifest
    whole: Part
    pod: Part
    metadata: Part
    knative: bool

    @property
    def containers(self) -> list[Container]:
        """The containers, those of patches and base with one name put together; a patch's own order holds."""
        found: dict[str, list[Node]] = {}
        for node in self.pod.nodes:
            for index, element in enumerate(_elements(node.get("containers"))):
                found.setdefault(element.string("name") or f"#{index}", []).append(element)
        return [Container(name, Part(tuple(nodes))) for name, nodes in found.items()]


def _elements(node: Node | None) -> list[Node]:
    return [element for element in node.elements() if element.kind == MAP] if node is not None else []


def is_workload(manifest: Manifest) -> bool:
    """Whether a manifest makes pods that serve."""
    return manifest.kind in WORKLOADS or is_knative(manifest)


def is_knative(manifest: Manifest) -> bool:
    """Whether it is Knative's (or Cloud Run's) kind of service."""
    return manifest.kind == "Service" and manifest.api.startswith("serving.knative.dev/")


def is_partial(manifest: Manifest) -> bool:
    """Whether a manifest is only a patch: no container in it has an image."""
    spec = manifest.root.get(*_spec_keys(manifest))
    containers = spec.child("containers") if spec is not None else None
    if containers is None:
        return spec is None or not spec.open
    if containers.open or containers.unknown:
        return False
    return not any(element.may_have("image") for element in _elements(containers))


def workload_of(manifest: Manifest, everywhere: Manifests) -> Workload | None:
    """A workload put together; None for a patch whose base is not found.

    The patches of one folder are applied together, the later ones over the earlier; the first of them stands for all.
    """
    roots = [manifest.root]
    if is_partial(manifest):
        alike = everywhere.alike(manifest)
        bases = [m for m in alike if not is_partial(m)]
        patches = [m for m in alike if is_partial(m) and m.file.folder == manifest.file.folder]
        if len(bases) != 1 or (patches and patches[0].root is not manifest.root):
            return None
        roots = [*(patch.root for patch in reversed(patches)), bases[0].root]
    whole = Part(tuple(roots))
    keys = _spec_keys(manifest)
    metadata = whole.below(*keys[:-1], "metadata")
    return Workload(manifest, whole, whole.below(*keys), metadata, is_knative(manifest))


def patched(manifest: Manifest, everywhere: Manifests, *keys: str) -> bool:
    """Whether a patch of the same workload sets a field of its pods, so that the base's default need not hold."""
    return any(
        patch.root.get(*_spec_keys(patch), *keys) is not None
        for patch in everywhere.alike(manifest)
        if patch is not manifest and is_partial(patch)
    )


def _spec_keys(manifest: Manifest) -> tuple[str, ...]:
    return ("spec",) if manifest.kind == "Pod" else ("spec", "template", "spec")


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
    return frozenset().union(
        *(labels_of(node.child("labels"), workload.manifest.chart) for node in workload.metadata.nodes)
    )


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
