"""Pods: each container as a host, its command as a server; what a probe, a hook and the grace period say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, Word
from lg_stream_lint.deploy.containers import Start, dockerfile_for, image_name, is_public, servers_in
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.kubernetes.manifests import Manifest, Manifests
from lg_stream_lint.deploy.kubernetes.names import host_targets, setting
from lg_stream_lint.deploy.kubernetes.variants import is_partial, is_workload
from lg_stream_lint.deploy.kubernetes.workloads import (
    Container,
    Workload,
    pod_labels,
    selected_by,
    workload_of,
)
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Reading, Role, Setting, Target, Where
from lg_stream_lint.deploy.yaml_marks import TEXT, Node

_SLEEP = re.compile(r"(?:^|[\s;&|(/])sleep\s+(?P<seconds>\d+(?:\.\d+)?)(?:s)?(?=$|[\s;&|)\"'])")
_EXPANDED = re.compile(r"\$\((\w+)\)")
#: Containers of a pod; more are generated.
_MOST = 20
_images: WeakKeyDictionary[Context, frozenset[str]] = WeakKeyDictionary()


def pod_hops(manifest: Manifest, everywhere: Manifests, context: Context) -> Reading:
    """The hosts and servers of one workload."""
    workload = workload_of(manifest)
    hops: list[Hop] = []
    notes: list[Note] = []
    for container in workload.containers[:_MOST]:
        reading = _Reader(workload, container, everywhere, context).read()
        hops += reading.hops
        notes += reading.notes
    return Reading(tuple(hops), tuple(notes))


class _Reader:
    """Reads one container."""

    def __init__(self, workload: Workload, container: Container, everywhere: Manifests, context: Context) -> None:
        self.workload = workload
        self.manifest = workload.manifest
        self.container = container
        self.node = container.node
        self.everywhere = everywhere
        self.context = context
        self.notes: list[Note] = []
        self.unit = f"{self.manifest.file.path}#{self.manifest.kind}/{self.manifest.name}/{container.name}"
        image = self.node.get("image")
        self.image = image.text if image is not None and image.kind == TEXT else ""
        self.dockerfile = self._dockerfile()

    def _dockerfile(self) -> DeployFile | None:
        name = image_name(self.image)
        return dockerfile_for(name, self.context, _own_images(self.everywhere, self.context)) if name else None

    def read(self) -> Reading:
        servers = self._servers()
        hop = Hop(
            "kubernetes",
            Role.HOST,
            self.manifest.name or self.container.name,
            self.manifest.place.where,
            tuple(self._settings()),
            tuple(self._leads_to(servers)),
            tuple(self._known_as()),
            resource=f"{self.manifest.kind}/{self.manifest.name}",
        )
        return Reading((*(servers or ()), hop), tuple(self.notes))

    def _servers(self) -> tuple[Hop, ...] | None:
        env = self._environment()
        start = Start(self._words("command", env), self._words("args", env))
        node = self.node.get("command") or self.node.get("args") or self.node.get("image") or self.node
        where = node.where if node is not None else self.manifest.place.where
        bases = (self.context.repository, self.manifest.file.folder)
        reading = servers_in(
            start,
            Carrier(self.context, where, Stands.MANIFEST, env, bases, (Target("unit", self.unit),), image=self.image),
            self.dockerfile,
        )
        if reading is None:
            return None
        self.notes += reading.notes
        return reading.hops

    def _words(self, key: str, env: dict[str, Variable]) -> list[str | Word] | None:
        node = self.node.get(key)
        if node is None or not (node.elements() or node.open):
            return None
        if node.open or node.unknown:
            self.notes.append(Note(node.where, f"{key}: a template adds to it"))
        return [_word(element, env) for element in node.elements() if element.kind == TEXT]

    def _environment(self) -> dict[str, Variable]:
        found: dict[str, Variable] = {}
        for source in _list(self.node.get("envFrom")):
            found |= self._from_config_map(source)
        for element in _list(self.node.get("env")):
            value = element.get("value")
            name = element.string("name")
            if name and value is not None and value.kind == TEXT and not value.unknown:
                found[name] = Variable(value.text, value.where, value.overridable)
        return found

    def _from_config_map(self, source: Node) -> dict[str, Variable]:
        name = source.string("configMapRef", "name")
        manifest = self.everywhere.named("ConfigMap", name, self.manifest) if name else None
        data = manifest.root.get("data") if manifest is not None else None
        prefix = source.string("prefix")
        return {
            prefix + key.text: Variable(value.text, value.where, value.overridable)
            for key, value in (data.entries() if data is not None else [])
            if value.kind == TEXT and not value.unknown
        }

    def _leads_to(self, servers: tuple[Hop, ...] | None) -> Iterator[Target]:
        yield Target("unit", self.unit)
        if servers is not None:
            return
        if self.dockerfile is not None:
            yield Target("file", self.dockerfile.path)
        name = image_name(self.image)
        if name:
            yield Target("image", name)

    def _known_as(self) -> Iterator[Target]:
        yield Target("unit", f"{self.unit}/host")
        labels = pod_labels(self.workload)
        if labels:
            yield Target("labels", ",".join(sorted(labels)))
        for service in selected_by(self.workload, self.everywhere):
            yield from host_targets(service.name, service)
        if self.workload.knative:
            yield from host_targets(self.manifest.name, self.manifest)

    # -- Settings ------------------------------------------------------------------------------------------------------

    def _settings(self) -> Iterator[Setting]:
        yield from self._grace()
        yield from self._pre_stop()
        yield from self._liveness()
        yield from self._replicas()

    def _grace(self) -> Iterator[Setting]:
        key = "terminationGracePeriodSeconds"
        node = self.workload.pod.get(key)
        if node is not None:
            found = setting("stop_grace", key, node, node.number(), Kind.GRACE)
            if found is None:
                self.notes.append(Note(node.where, f"{key}: a value that cannot be read"))
            else:
                yield found
        elif not self.workload.pod.may_have(key):
            usual = None if self.workload.knative else default("kubernetes", "stop_grace", self._pod_place())
            yield from [usual] if usual is not None else []

    def _pod_place(self) -> Where:
        """Where a field of the pod would be written: at its ``spec``."""
        root = self.manifest.root
        template = root.get("spec", "template") if self.manifest.kind != "Pod" else root
        key = template.key("spec") if template is not None else None
        return key.where if key is not None else self.manifest.place.where

    def _pre_stop(self) -> Iterator[Setting]:
        slept = self.node.get("lifecycle", "preStop", "sleep", "seconds")
        if slept is not None:
            found = setting("pre_stop", "preStop", slept, slept.number())
            yield from [found] if found is not None else []
            return
        command = self.node.get("lifecycle", "preStop", "exec", "command")
        if command is None or command.unknown:
            return
        match = _SLEEP.search(" ".join(element.text for element in command.elements()))
        if match is not None:
            found = setting("pre_stop", "preStop", command, float(match["seconds"]))
            yield from [found] if found is not None else []

    def _liveness(self) -> Iterator[Setting]:
        probe, place = self.node.get("livenessProbe"), self.node.key("livenessProbe")
        if probe is None or probe.get("httpGet") is None:
            return
        names = (
            ("liveness", "timeoutSeconds"),
            ("liveness_period", "periodSeconds"),
            ("liveness_failures", "failureThreshold"),
        )
        for name, key in names:
            node = probe.get(key)
            limit: Setting | None = None
            if node is not None:
                limit = setting(name, key, node, node.number())
            elif place is not None and not probe.may_have(key):
                limit = default("kubernetes", name, place.where)
            yield from [limit] if limit is not None else []

    def _replicas(self) -> Iterator[Setting]:
        node = self.manifest.root.get("spec", "replicas")
        if node is not None and self.manifest.kind not in {"Pod", "DaemonSet"}:
            found = setting("replicas", "replicas", node, node.number())
            if found is not None and (found.value > 1 or not any(self._scalers())):
                yield found
                return
        for scaler in self._scalers():
            most = scaler.root.get("spec", "maxReplicas")
            found = setting("replicas", "maxReplicas", most, most.number()) if most is not None else None
            if found is not None:
                yield found
                return

    def _scalers(self) -> Iterator[Manifest]:
        for scaler in self.everywhere.of("HorizontalPodAutoscaler"):
            target = scaler.root.get("spec", "scaleTargetRef")
            if (
                target is not None
                and target.string("kind") == self.manifest.kind
                and self.everywhere.named(self.manifest.kind, target.string("name"), scaler) is not None
                and target.string("name") == self.manifest.name
            ):
                yield scaler


def _own_images(everywhere: Manifests, context: Context) -> frozenset[str]:
    """The images of the repository's workloads that nobody else makes."""
    if context in _images:
        return _images[context]
    found: set[str] = set()
    for manifest in everywhere.found:
        if not is_workload(manifest) or is_partial(manifest, everywhere):
            continue
        for container in workload_of(manifest).containers[:_MOST]:
            image = container.node.get("image")
            if image is not None and image.kind == TEXT:
                found.add(image_name(image.text) or "?")
    _images[context] = frozenset(name for name in found if not is_public(name))
    return _images[context]


def _word(node: Node, env: dict[str, Variable]) -> Word:
    """A word with Kubernetes' ``$(NAME)`` replaced."""
    text = _EXPANDED.sub(lambda match: env[match[1]].value if match[1] in env else match[0], node.text)
    return Word(text, node.where, node.overridable)


def _list(node: Node | None) -> list[Node]:
    return node.elements() if node is not None else []
