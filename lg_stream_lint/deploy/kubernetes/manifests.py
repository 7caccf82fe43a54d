"""The manifests of a repository: resources name each other across files (a Service its pods, an Ingress its Service)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.kubernetes.overlays import KUSTOMIZATION, KUSTOMIZATIONS, Overlays, resolved
from lg_stream_lint.deploy.kubernetes.patches import Patch, patches_of
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
    *("Service", "Ingress", "ConfigMap", "HorizontalPodAutoscaler", "List"),
    *("HTTPRoute", "GRPCRoute", "Gateway", "VirtualService", "HTTPProxy", "IngressRoute", "Middleware", "Route"),
    *("BackendConfig", "GCPBackendPolicy", "BackendTrafficPolicy", "IngressClassParams"),
)
# Blanks, and no line ends: what a template leaves empty are lines by the thousand, each of which would be searched to the last.
_WANTED = re.compile(rf"""(?m)^[ \t\-{{,]*["']?kind["']?[ \t]*:[ \t]*["']?(?:{"|".join(_KINDS)})\b""")
_MANIFEST_NAME = re.compile(r".*\.(?:ya?ml|tpl)")


class Manifest(NamedTuple):
    """One resource. ``chart`` is the folder of the Helm chart that it belongs to, if its file is a template of one.

    ``patch`` is set for one that a kustomization holds as a patch; ``root`` then holds what is known of the resource.
    """

    kind: str
    api: str
    name: str
    root: Node
    file: DeployFile
    chart: str = ""
    patch: Patch | None = None

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
        self.overlays = Overlays(self.found)
        self._by_file: dict[str, list[Manifest]] = {}
        self._by_kind: dict[str, list[Manifest]] = {}
        self._by_name: dict[tuple[str, str], list[Manifest]] = {}
        for manifest in self.found:
            self._by_file.setdefault(manifest.file.path, []).append(manifest)
            self._by_kind.setdefault(manifest.kind, []).append(manifest)
            self._by_name.setdefault((manifest.kind, manifest.name), []).append(manifest)

    def in_file(self, path: str) -> list[Manifest]:
        """Those that a file holds."""
        return self._by_file.get(path, [])

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
        _all[context] = _everywhere(context)
    everywhere = _all[context]
    if everywhere.in_file(file.path):
        return everywhere
    return Manifests(*resolved((*everywhere.found, *manifests_of(file, context).found)))


def _everywhere(context: Context) -> Manifests:
    """The manifests of the repository's files, as many as are looked at; what is left out is said at the last one of them."""
    found: list[Manifest] = []
    notes: list[Note] = []
    last: DeployFile | None = None
    files, left, unread = 0, MOST_CHARACTERS, 0
    for path in sorted({*context.listed, *context.overrides}):
        if not _MANIFEST_NAME.fullmatch(os.path.basename(path)):
            continue
        try:
            if not _may_hold_manifests(path, context):
                continue
            if files >= MOST_FILES or left <= 0:
                unread += 1
                continue
            file = context.open(path)
            files, left = files + 1, left - len(file.text)
            found += manifests_of(file, context).found
            last = file
        except (NotRead, RecursionError):
            continue
    if unread and last is not None:
        reason = f"of what other manifests name, {unread} files behind this one are not looked at: there are too many"
        notes.append(last.note(1, reason))
    together = resolved(found)
    return Manifests(together.found, (*together.notes, *notes))


def _may_hold_manifests(path: str, context: Context) -> bool:
    """Whether a file is one of Kubernetes'; a repository may have thousands of YAML files that are not."""
    return os.path.basename(path) in KUSTOMIZATIONS or b"apiVersion" in context.bytes_of(path)


def _manifests(file: DeployFile, context: Context) -> Manifests:
    is_overlay = file.name in KUSTOMIZATIONS
    read = documents(file, context, lambda text: is_overlay or _WANTED.search(text) is not None)
    chart = _chart_of(file, context) if "{{" in file.text else ""
    found: list[Manifest] = []
    notes = list(read.notes)
    for root in read.roots:
        for resource in _resources(root):
            manifest = _manifest(resource, file, chart)
            if is_overlay:
                patches = patches_of(resource, file, context)
                found += [_manifest(patch.resource, file, chart)._replace(patch=patch) for patch in patches.found]
                found.append(manifest._replace(kind=KUSTOMIZATION))
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
