"""Kubernetes' manifests, Helm's templates and kustomize's patches: pods, ways in, and configurations inside ConfigMaps."""

from __future__ import annotations

import copy

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.kubernetes.ingress import ingress_hops
from lg_stream_lint.deploy.kubernetes.manifests import Manifest, Manifests, all_manifests, manifests_of
from lg_stream_lint.deploy.kubernetes.pods import pod_hops
from lg_stream_lint.deploy.kubernetes.routes import knative_hop, route_hops
from lg_stream_lint.deploy.kubernetes.workloads import is_knative, is_workload
from lg_stream_lint.deploy.settings import Hop, Note, Reading
from lg_stream_lint.deploy.yaml_text import embedded

_MOST = 2_000


def read(file: DeployFile, context: Context) -> Reading:
    """The hops of a file's manifests."""
    own = manifests_of(file, context)
    if not own.found:
        return Reading((), tuple(dict.fromkeys(own.notes)))
    everywhere = all_manifests(context, file)
    hops: list[Hop] = []
    notes: list[Note] = list(own.notes)
    for manifest in own.found[:_MOST]:
        reading = _read(manifest, everywhere, context)
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(dict.fromkeys(notes)))


def _read(manifest: Manifest, everywhere: Manifests, context: Context) -> Reading:
    if is_workload(manifest):
        pods = pod_hops(manifest, everywhere, context)
        return Reading((*pods.hops, knative_hop(manifest)), pods.notes) if is_knative(manifest) else pods
    if manifest.kind == "Ingress":
        return ingress_hops(manifest, everywhere)
    if manifest.kind == "ConfigMap":
        return _configurations(manifest, context)
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
