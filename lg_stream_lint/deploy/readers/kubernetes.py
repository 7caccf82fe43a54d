"""Kubernetes' manifests, Helm's templates and kustomize's patches: pods, ways in, and configurations inside ConfigMaps."""

from __future__ import annotations

import copy

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.kubernetes.ingress import ingress_hops
from lg_stream_lint.deploy.kubernetes.manifests import Manifest, Manifests, all_manifests, manifests_of
from lg_stream_lint.deploy.kubernetes.pods import pod_hops
from lg_stream_lint.deploy.kubernetes.routes import knative_hop, route_hops
from lg_stream_lint.deploy.kubernetes.variants import (
    Variant,
    in_common,
    is_knative,
    is_partial,
    is_workload,
    variant_of,
    variants_of,
)
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Role
from lg_stream_lint.deploy.yaml_text import embedded

_MOST = 2_000


def read(file: DeployFile, context: Context) -> Reading:
    """The hops of a file's manifests."""
    own = manifests_of(file, context)
    if not own.found:
        return Reading((), tuple(dict.fromkeys(own.notes)))
    everywhere = all_manifests(context, file)
    hops: list[Hop] = []
    notes: list[Note] = [*own.notes, *(note for note in everywhere.notes if note.where.path == file.path)]
    for manifest in everywhere.in_file(file.path)[:_MOST]:
        reading = _read(manifest, everywhere, context)
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(dict.fromkeys(notes)))


def _read(manifest: Manifest, everywhere: Manifests, context: Context) -> Reading:
    """What a manifest says: a base without what an overlay changes, a patch with its base."""
    if manifest.kind == "ConfigMap":
        return _configurations(manifest, context)
    if is_partial(manifest, everywhere):
        variant = variant_of(manifest, everywhere)
        return _varied(variant, everywhere, context) if variant is not None else Reading()
    reading = _alone(manifest, everywhere, context)
    variants = [_varied(variant, everywhere, context) for variant in variants_of(manifest, everywhere)]
    return in_common(reading, variants)


def _varied(variant: Variant, everywhere: Manifests, context: Context) -> Reading:
    """What an overlay makes of a base; its hops stand where the patch does."""
    reading = _alone(variant.manifest, everywhere, context)
    where = variant.patch.place.where
    hops = tuple(hop if hop.role == Role.SERVER else hop._replace(where=where) for hop in reading.hops)
    return Reading(hops, (*reading.notes, *variant.notes))


def _alone(manifest: Manifest, everywhere: Manifests, context: Context) -> Reading:
    if is_workload(manifest):
        pods = pod_hops(manifest, everywhere, context)
        return Reading((*pods.hops, knative_hop(manifest)), pods.notes) if is_knative(manifest) else pods
    if manifest.kind == "Ingress":
        return ingress_hops(manifest, everywhere)
    return Reading(tuple(route_hops(manifest, everywhere)))


def _configurations(manifest: Manifest, context: Context) -> Reading:
    """Nginx's configurations that stand in a ConfigMap, read as the files that they become."""
    data = manifest.root.get("data")
    hops: list[Hop] = []
    notes: list[Note] = []
    for _, value in data.entries() if data is not None else []:
        if "_pass" not in value.text:
            continue
        inner = embedded(manifest.file, value)
        if inner is None:
            notes.append(manifest.file.note(value.where.span.row, "a configuration that is not written as a block"))
            continue
        from lg_stream_lint.deploy.readers import nginx

        reading = nginx.read(inner, copy.copy(context))  # of its own: the file's path stands for several configurations
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(notes))
