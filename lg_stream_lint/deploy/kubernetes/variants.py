"""A resource as it holds in the end: by itself, and as each overlay's patches make it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.files import NotRead
from lg_stream_lint.deploy.kubernetes.manifests import WORKLOADS, Manifest, Manifests
from lg_stream_lint.deploy.kubernetes.merging import DIRECTIVE, merged, operated
from lg_stream_lint.deploy.settings import Hop, Note, Origin, Reading, Setting
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, Node


class Variant(NamedTuple):
    """A resource with an overlay's patches in it, as if it stood in the file of the first of them; its base, and that patch."""

    manifest: Manifest
    base: Manifest
    patch: Manifest
    notes: tuple[Note, ...]


def is_workload(manifest: Manifest) -> bool:
    """Whether a manifest makes pods that serve."""
    return manifest.kind in WORKLOADS or is_knative(manifest)


def is_knative(manifest: Manifest) -> bool:
    """Whether it is Knative's (or Cloud Run's) kind of service."""
    return manifest.kind == "Service" and manifest.api.startswith("serving.knative.dev/")


def spec_keys(manifest: Manifest) -> tuple[str, ...]:
    """The way to the pods' spec."""
    return ("spec",) if manifest.kind == "Pod" else ("spec", "template", "spec")


def is_partial(manifest: Manifest, everywhere: Manifests) -> bool:
    """Whether a manifest is only a patch: a kustomization says so, or no container in it has an image."""
    if everywhere.overlays.is_patch(manifest):
        return True
    if not is_workload(manifest):
        return False
    spec = manifest.root.get(*spec_keys(manifest))
    containers = spec.child("containers") if spec is not None else None
    if containers is None:
        return spec is None or not spec.open
    if containers.open or containers.unknown:
        return False
    return not any(element.kind == MAP and element.may_have("image") for element in containers.elements())


def variant_of(manifest: Manifest, everywhere: Manifests, possible: Manifest | None = None) -> Variant | None:
    """What a patch makes of its base, together with the others of its overlay and of those that this builds on.

    None for a patch whose base is not found, and for all but the first of an overlay: that one stands for them. Where several
    may be the base, the one that is ``possible``.
    """
    alike = everywhere.alike(manifest)
    overlays = everywhere.overlays
    folder = overlays.folder_of(manifest)
    folders = overlays.below(folder)
    patches = [other for other in alike if is_partial(other, everywhere) and overlays.folder_of(other) in folders]
    first = next((patch for patch in patches if overlays.folder_of(patch) == folder), None)
    bases = [other for other in alike if not is_partial(other, everywhere)]
    if len(bases) > 1:
        files = overlays.files(folder)
        bases = [base for base in bases if base.file.path in files] or bases
    if len(bases) > 1 and possible is not None:
        bases = [base for base in bases if base.root is possible.root]
    if len(bases) != 1 or first is None or first.root is not manifest.root:
        return None
    if any(patch.root.string(DIRECTIVE) == "delete" for patch in patches):
        return None  # the overlay has no such resource
    root, notes = bases[0].root, list[Note]()
    for patch in sorted(patches, key=lambda patch: overlays.turn(patch, folders)):
        root, refused = _patched(root, patch)
        notes += refused
    return Variant(bases[0]._replace(root=root, file=manifest.file), bases[0], manifest, tuple(notes))


def _patched(root: Node, patch: Manifest) -> tuple[Node, list[Note]]:
    operations = patch.patch.root if patch.patch is not None and patch.patch.root.kind == LIST else None
    if operations is None:
        try:
            return merged(root, patch.root), []
        except NotRead as reason:
            return root, [patch.file.note(patch.root.where.span.row, str(reason))]
    root, refused = operated(root, operations.elements())
    return root, [Note(node.where, reason) for node, reason in refused]


def variants_of(manifest: Manifest, everywhere: Manifests) -> Iterator[Variant]:
    """What the repository's overlays make, or may make, of a base."""
    for other in everywhere.alike(manifest):
        variant = variant_of(other, everywhere, manifest) if is_partial(other, everywhere) else None
        if variant is not None and variant.base.root is manifest.root:
            yield variant


def in_common(reading: Reading, variants: list[Reading]) -> Reading:
    """A base's hops with the settings that no overlay changes: what one changes is judged there."""
    for variant in variants:
        reading = reading._replace(hops=tuple(_kept(hop, reading, variant) for hop in reading.hops))
    return reading


def _kept(hop: Hop, reading: Reading, variant: Reading) -> Hop:
    ours, theirs = ([h for h in each.hops if h.role == hop.role] for each in (reading, variant))
    other = theirs[ours.index(hop)] if len(ours) == len(theirs) else None
    settings = other.settings if other is not None else ()
    return hop._replace(settings=tuple(s for s in hop.settings if any(_is_same(s, t) for t in settings)))


def _is_same(one: Setting, other: Setting) -> bool:
    """Whether a setting is the other; a default stands at another place where a patch brings what it belongs to."""
    if one.origin == other.origin == Origin.DEFAULT:
        return (one.name, one.value) == (other.name, other.value)
    return one == other
