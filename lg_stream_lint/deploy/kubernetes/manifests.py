"""The manifests of a repository: resources name each other across files (a Service its pods, an Ingress its Service)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.kubernetes.patches import inline_patches
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT, Node, documents

#: Manifest files of a repository that are looked at for what others name, and their characters together.
MOST_FILES = 1_500
MOST_CHARACTERS = 20_000_000
#: Manifests of one kind and name: one for each overlay.
MOST_ALIKE = 60

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "DeploymentConfig", "Pod"})
_KINDS = (
    *sorted(WORKLOADS),
    *("Service", "Ingress", "ConfigMap", "HorizontalPodAutoscaler", "Kustomization", "List"),
    *("HTTPRoute", "GRPCRoute", "Gateway", "VirtualService", "HTTPProxy", "IngressRoute", "Middleware", "Route"),
    *("BackendConfig", "GCPBackendPolicy", "BackendTrafficPolicy", "IngressClassParams"),
)
# Blanks, and no line ends: what a template leaves empty are lines by the thousand, each of which would be searched to the last.
_WANTED = re.compile(rf"""(?m)^[ \t\-{{,]*["']?kind["']?[ \t]*:[ \t]*["']?(?:{"|".join(_KINDS)})\b""")
_MANIFEST_NAME = re.compile(r".*\.(?:ya?ml|tpl)")


class Manifest(NamedTuple):
    """One resource. ``chart`` is the folder of the Helm chart that it belongs to, if its file is a template of one."""

    kind: str
    api: str
    name: str
    root: Node
    file: DeployFile
    chart: str = ""

    @property
    def place(self) -> Node:
        """The node at which what is not written would be written, when nothing nearer is known: the resource's name."""
        return self.root.get("metadata", "name") or self.root.key("kind") or self.root

    def annotation(self, name: str) -> Node | None:
        """An annotation's value."""
        return self.root.get("metadata", "annotations", name)

    @property
    def annotations(self) -> dict[str, Node]:
        """All annotations."""
        node = self.root.get("metadata", "annotations")
        return {key.text: value for key, value in node.entries()} if node is not None else {}

    @property
    def annotations_open(self) -> bool:
        """Whether a template may add annotations, so that none of them is known to be missing."""
        metadata = self.root.get("metadata")
        node = metadata.child("annotations") if metadata is not None else None
        if node is None:
            return metadata is not None and metadata.open
        return node.open or node.unknown or any(key.unknown for key, _ in node.pairs)


class Manifests:
    """The manifests of a file, or of a repository, and what was not read."""

    def __init__(self, found: Sequence[Manifest] = (), notes: Sequence[Note] = ()) -> None:
        self.found = tuple(found)
        self.notes = tuple(notes)
        self.paths = frozenset(manifest.file.path for manifest in self.found)
        self._by_kind: dict[str, list[Manifest]] = {}
        self._by_name: dict[tuple[str, str], list[Manifest]] = {}
        for manifest in self.found:
            self._by_kind.setdefault(manifest.kind, []).append(manifest)
            self._by_name.setdefault((manifest.kind, manifest.name), []).append(manifest)

    def of(self, *kinds: str) -> Iterator[Manifest]:
        """Those of some kinds."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def alike(self, manifest: Manifest) -> list[Manifest]:
        """Those of a manifest's kind and name, itself among them: a base and its patches."""
        return self._by_name[manifest.kind, manifest.name][:MOST_ALIKE] if manifest.name else [manifest]

    def named(self, kind: str, name: str, near: Manifest) -> Manifest | None:
        """The one of a kind and name that is nearest to another: a name that a template makes is known in its chart only."""
        found = [m for m in self._by_name.get((kind, name), [])[:MOST_ALIKE] if name and _can_see(near, m)]
        return min(found, key=lambda m: _distance(near.file.path, m.file.path), default=None)


def _can_see(one: Manifest, other: Manifest) -> bool:
    return "{{" not in one.name + other.name or one.chart == other.chart


def _distance(one: str, other: str) -> int:
    """Steps between two files' folders."""
    common = os.path.commonpath([one, other])
    return one[len(common) :].count(os.sep) + other[len(common) :].count(os.sep)


_files: WeakKeyDictionary[Context, dict[str, Manifests]] = WeakKeyDictionary()
_all: WeakKeyDictionary[Context, Manifests] = WeakKeyDictionary()


def manifests_of(file: DeployFile, context: Context) -> Manifests:
    """The manifests of a file, read once for a context. Raises :class:`NotRead`."""
    known = _files.setdefault(context, {})
    if file.path not in known:
        known[file.path] = _manifests(file, context)
    return known[file.path]


def all_manifests(context: Context, file: DeployFile) -> Manifests:
    """The manifests of the repository; at least those of ``file``."""
    if context not in _all:
        _all[context] = Manifests(tuple(_everywhere(context)))
    everywhere = _all[context]
    if file.path in everywhere.paths:
        return everywhere
    return Manifests((*everywhere.found, *manifests_of(file, context).found))


def _everywhere(context: Context) -> Iterator[Manifest]:
    left = MOST_CHARACTERS
    paths: Sequence[str] = sorted({*context.listed, *context.overrides})
    for path in [path for path in paths if _MANIFEST_NAME.fullmatch(os.path.basename(path))][:MOST_FILES]:
        try:
            file = context.open(path)
            if "apiVersion" not in file.text or left < len(file.text):
                continue
            left -= len(file.text)
            yield from manifests_of(file, context).found
        except (NotRead, RecursionError):
            continue


def _manifests(file: DeployFile, context: Context) -> Manifests:
    read = documents(file, context, lambda text: _WANTED.search(text) is not None)
    chart = _chart_of(file, context) if "{{" in file.text else ""
    found: list[Manifest] = []
    notes = list(read.notes)
    for root in read.roots:
        for resource in _resources(root):
            manifest = _manifest(resource, file, chart)
            if manifest.kind == "Kustomization":
                patches = inline_patches(resource, file, context)
                found += [_manifest(patch, file, chart) for patch in patches.roots]
                notes += patches.notes
            else:
                found.append(manifest)
    return Manifests(tuple(found), tuple(notes))


def _resources(root: Node) -> Iterator[Node]:
    """A document's resources: itself, or the items of a list, whose lists are not looked into twice."""
    if root.kind != MAP:
        return
    items = root.get("items")
    if not root.string("kind").endswith("List") or items is None:
        yield root
        return
    yield from (item for item in items.elements() if item.kind == MAP)


def _manifest(root: Node, file: DeployFile, chart: str) -> Manifest:
    name = root.get("metadata", "name")
    text = name.text if name is not None and name.kind == TEXT else ""
    return Manifest(root.string("kind"), root.string("apiVersion"), text, root, file, chart)


def _chart_of(file: DeployFile, context: Context) -> str:
    folder = file.folder
    for _ in range(8):
        if not context.holds(os.path.join(folder, "Chart.yaml")):
            return ""
        if context.find("Chart.yaml", folder) is not None:
            return folder
        folder = os.path.dirname(folder)
    return ""
