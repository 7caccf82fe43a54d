"""kustomize's overlays: which kustomization builds on which, and which patches make what of a resource."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.deploy.kubernetes.patches import patch_files
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.yaml_marks import TEXT, Node

if TYPE_CHECKING:
    from lg_stream_lint.deploy.kubernetes.manifests import Manifest

KUSTOMIZATION = "Kustomization"
#: The names of kustomizations; neither kind nor version need be written in them.
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml"})
#: Kustomizations that one builds on, and resources that one patch changes.
_MOST_BELOW = 60
_MOST_CHANGED = 60
#: Letters of a resource's name; Kubernetes allows 253.
_LONGEST = 254
#: Patterns of names as people write them; of others nobody knows how long they take.
_PATTERN = re.compile(r"\^?[\w.|-]*(?:(?<=\.)\*[\w.|-]*){0,2}\$?")
_PLAIN_NAME = re.compile(r"[\w.-]+")
_LABELS = re.compile(r"[\w./-]+==?[\w.-]*(?:,[\w./-]+==?[\w.-]*)*")
#: Fields of a target that are understood; what another one leaves over is not known.
_UNDERSTOOD = frozenset({"kind", "name", "group", "version", "namespace", "labelSelector"})


class Overlays:
    """The kustomizations among some manifests."""

    def __init__(self, found: Sequence[Manifest]) -> None:
        self._by_folder = {m.file.folder: m for m in found if m.kind == KUSTOMIZATION}
        self._owners: dict[str, tuple[str, int]] = {}
        self._below: dict[str, tuple[str, ...]] = {}
        for folder, manifest in self._by_folder.items():
            for path, turn in patch_files(manifest.root):
                self._owners.setdefault(os.path.normpath(os.path.join(folder, path)), (folder, turn))

    def is_patch(self, manifest: Manifest) -> bool:
        """Whether a kustomization says that a manifest is a patch."""
        return manifest.patch is not None or manifest.file.path in self._owners

    def folder_of(self, manifest: Manifest) -> str:
        """The folder whose overlay a patch belongs to: the one of the kustomization that names its file, or its own."""
        return self._owners.get(manifest.file.path, (manifest.file.folder, 0))[0]

    def turn(self, manifest: Manifest, folders: Sequence[str]) -> tuple[int, int]:
        """When a patch is applied, of those of some folders in their order."""
        owner, turn = self._owners.get(manifest.file.path, (manifest.file.folder, 0))
        return folders.index(owner), manifest.patch.turn if manifest.patch is not None else turn

    def below(self, folder: str) -> tuple[str, ...]:
        """The folders of the kustomizations that one builds on, the innermost first, itself last."""
        if folder not in self._below:
            found: dict[str, None] = {}
            self._walk(folder, found, {folder})
            self._below[folder] = (*found, folder)
        return self._below[folder]

    def _walk(self, folder: str, found: dict[str, None], seen: set[str]) -> None:
        for path in self._built_on(folder):
            if path in self._by_folder and path not in seen and len(seen) < _MOST_BELOW:
                seen.add(path)
                self._walk(path, found, seen)
                found[path] = None

    def _built_on(self, folder: str) -> Iterator[str]:
        """The folders and files that a kustomization names as what it is made of, absolute."""
        manifest = self._by_folder.get(folder)
        for key in ("resources", "bases", "components"):
            node = manifest.root.get(key) if manifest is not None else None
            for element in node.elements() if node is not None else ():
                if element.kind == TEXT and element.text and "://" not in element.text:
                    yield os.path.normpath(os.path.join(folder, element.text))

    def files(self, folder: str) -> frozenset[str]:
        """The files whose resources an overlay is made of."""
        return frozenset(path for each in self.below(folder) for path in self._built_on(each))


class Resolved(NamedTuple):
    """Manifests with a patch for each resource that it changes, and the targets that were not understood."""

    found: tuple[Manifest, ...]
    notes: tuple[Note, ...]


def resolved(found: Sequence[Manifest]) -> Resolved:
    """The manifests; a patch whose target selects resources (by kind, pattern or label) stands once for each of them."""
    overlays = Overlays(found)
    by_file: dict[str, list[Manifest]] = {}
    for manifest in found:
        if not overlays.is_patch(manifest):
            by_file.setdefault(manifest.file.path, []).append(manifest)
    done: list[Manifest] = []
    notes: list[Note] = []
    for manifest in found:
        target = manifest.patch.target if manifest.patch is not None else None
        if target is None:
            done.append(manifest)
            continue
        resources = (r for path in sorted(overlays.files(manifest.file.folder)) for r in by_file.get(path, ()))
        names = _selected(target, resources)
        if names:
            done += [manifest._replace(kind=kind, name=name) for kind, name in names]
        elif _is_plain(target):
            done.append(manifest)
        else:
            notes.append(manifest.file.note(target.where.span.row, "a patch of resources that are not found"))
    return Resolved(tuple(done), tuple(notes))


def _selected(target: Node, resources: Iterable[Manifest]) -> list[tuple[str, str]]:
    """The kinds and names of the resources that a target means."""
    if not {key.text for key, _ in target.entries()} <= _UNDERSTOOD:
        return []
    kind, name, labels = (target.string(key) for key in ("kind", "name", "labelSelector"))
    if not _PATTERN.fullmatch(kind) or not _PATTERN.fullmatch(name):
        return []
    kinds, names = re.compile(kind or ".*"), re.compile(name or ".*")
    if labels and not _LABELS.fullmatch(labels.replace(" ", "")):
        return []
    wanted = [label.replace("==", "=").partition("=") for label in labels.replace(" ", "").split(",") if label]
    found = (
        (resource.kind, resource.name)
        for resource in resources
        if 0 < len(resource.name) < _LONGEST
        and kinds.fullmatch(resource.kind)
        and names.fullmatch(resource.name)
        and all(resource.root.string("metadata", "labels", key) == value for key, _, value in wanted)
    )
    return list(dict.fromkeys(found))[:_MOST_CHANGED]


def _is_plain(target: Node) -> bool:
    """Whether a target is one resource by its kind and name."""
    plain = _PLAIN_NAME.fullmatch(target.string("name")) is not None and bool(target.string("kind"))
    return plain and {key.text for key, _ in target.entries()} <= _UNDERSTOOD - {"labelSelector"}
