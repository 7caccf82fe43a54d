"""kustomize's overlays: patches as pieces and as operations, in place and in files, on what they are meant for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Hop, Reading, Role
from tests.deploy.repositories import hosts, proxies, reading, values

BASE = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
  labels: {app: chat}
spec:
  replicas: 2
  template:
    metadata:
      labels: {app: chat}
    spec:
      terminationGracePeriodSeconds: 20
      containers:
        - name: proxy
          image: envoyproxy/envoy:v1.34
        - name: api
          image: team/chat:1
          command: [gunicorn]
          args: [-k, uvicorn_worker.UvicornWorker, --graceful-timeout, "60", main:app]
          env:
            - {name: WEB_CONCURRENCY, value: "2"}
          livenessProbe:
            httpGet: {path: /healthz, port: 8000}
            periodSeconds: 30
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: chat
  annotations:
    nginx.ingress.kubernetes.io/ssl-redirect: "true"
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - {path: /chat, pathType: Prefix, backend: {service: {name: chat, port: {number: 80}}}}
"""
PIECE = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: chat}\nspec: {replicas: 7}\n"
TO_CHAT = "target: {kind: Deployment, name: chat}"


def overlay(patches: str, resources: str = "../base") -> str:
    """A kustomization with some text in place of its patches."""
    return f"resources: [{resources}]\n{patches}"


def operations(*lines: str, target: str = TO_CHAT) -> str:
    """A JSON patch inside a kustomization."""
    return "\n".join(("patches:", f"  - {target}", "    patch: |-", *(f"      - {line}" for line in lines), ""))


def read(folder: Path, patches: str, name: str = "prod/kustomization.yaml", **more: str) -> Reading:
    """What an overlay says; ``more`` are files beside it."""
    files: dict[str, str | bytes] = {
        "prod/kustomization.yaml": overlay(patches),
        "base/kustomization.yaml": "resources: [chat.yaml]\n",
        "base/chat.yaml": BASE,
        **{f"prod/{path.replace('_dot_', '.')}": text for path, text in more.items()},
    }
    return reading("kubernetes", folder, files, name)


def container(found: Reading) -> Hop:
    """The host of the container that serves: the second."""
    return [hop for hop in found.hops if hop.role == Role.HOST][1]


def server(found: Reading) -> Hop:
    """The only server."""
    (hop,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    return hop


def test_operations_on_pods(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        operations(
            "{op: replace, path: /spec/template/spec/terminationGracePeriodSeconds, value: 200}",
            "{op: replace, path: /spec/template/spec/containers/1/livenessProbe/periodSeconds, value: 5}",
            "{op: add, path: /spec/template/spec/containers/1/livenessProbe/timeoutSeconds, value: 3}",
        ),
    )
    host = container(found)
    assert (host.value("stop_grace"), host.value("liveness"), host.value("liveness_period")) == (200, 3, 5)
    assert found.notes == ()
    grace = host.get("stop_grace").where
    assert (grace.path, grace.span.row) == (str(tmp_path / "prod/kustomization.yaml"), 5)
    assert host.where.path.endswith("prod/kustomization.yaml")


def test_the_base_keeps_what_no_overlay_changes(tmp_path: Path) -> None:
    patch = operations("{op: replace, path: /spec/template/spec/terminationGracePeriodSeconds, value: 200}")
    base = read(tmp_path, patch, "base/chat.yaml")
    assert values(container(base)) == {"liveness": 1, "liveness_period": 30, "liveness_failures": 3, "replicas": 2}
    assert server(base).value("graceful_timeout") == 60


def test_operations_on_commands_and_variables(tmp_path: Path) -> None:
    api = "/spec/template/spec/containers/1"
    patch = operations(
        f'{{op: replace, path: {api}/args/3, value: "90"}}',
        f"{{op: add, path: {api}/args/0, value: --threads=2}}",
        f'{{op: replace, path: {api}/env/0/value, value: "8"}}',
        f"{{op: add, path: {api}/env/-, value: {{name: GUNICORN_CMD_ARGS, value: --timeout=77}}}}",
    )
    hop = server(read(tmp_path, patch))
    told = {name: hop.value(name) for name in ("graceful_timeout", "threads", "workers", "timeout")}
    assert told == {"graceful_timeout": 90, "threads": 2, "workers": 8, "timeout": 77}
    assert hop.get("graceful_timeout").where.span.row == 5
    base = server(read(tmp_path, patch, "base/chat.yaml"))
    assert {"graceful_timeout", "workers"}.isdisjoint(values(base))


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        operations(
            "{op: remove, path: /spec/template/spec/terminationGracePeriodSeconds}",
            "{op: remove, path: /spec/template/spec/containers/1/livenessProbe}",
        ),
    )
    assert values(container(found)) == {"stop_grace": 30, "replicas": 2}
    assert container(found).get("stop_grace").where.path.endswith("base/chat.yaml")


def test_annotations_of_an_ingress(tmp_path: Path) -> None:
    key = "nginx.ingress.kubernetes.io~1proxy-read-timeout"
    patch = operations(
        f'{{op: add, path: /metadata/annotations/{key}, value: "3600"}}', target="target: {kind: Ingress}"
    )
    limit = proxies(read(tmp_path, patch))["chat"].get("read_timeout")
    assert (limit.value, limit.where.path) == (3600, str(tmp_path / "prod/kustomization.yaml"))
    assert proxies(read(tmp_path, patch, "base/chat.yaml"))["chat"].get("read_timeout") is None


@pytest.mark.parametrize(
    ("target", "changed"),
    [
        ("target: {kind: Deployment}", True),
        ("target: {kind: Deploy.*, name: ch.*}", True),
        ("target: {kind: Deployment, labelSelector: app=chat}", True),
        ("target: {kind: Deployment, labelSelector: app=other}", False),
        ("target: {kind: StatefulSet}", False),
        ("target: {kind: Deployment, annotationSelector: a=b}", False),
    ],
)
def test_what_a_target_selects(tmp_path: Path, target: str, changed: bool) -> None:
    found = read(tmp_path, operations("{op: replace, path: /spec/replicas, value: 9}", target=target))
    assert [hop.value("replicas") for hop in hosts(found).values()] == ([9] if changed else [])
    assert bool(found.notes) is not changed


@pytest.mark.parametrize(
    ("name", "text", "row"),
    [
        ("fewer.yaml", "- op: replace\n  path: /spec/replicas\n  value: 9\n", 3),
        ("fewer.json", '[{"op": "replace",\n  "path": "/spec/replicas", "value": 9}]\n', 2),
    ],
)
@pytest.mark.parametrize("key", ["patches", "patchesJson6902"])
def test_patches_in_files(tmp_path: Path, name: str, text: str, row: int, key: str) -> None:
    replicas = container(read(tmp_path, f"{key}: [{{path: {name}, {TO_CHAT}}}]\n", **{name: text})).get("replicas")
    assert (replicas.value, replicas.where.path, replicas.where.span.row) == (9, str(tmp_path / "prod" / name), row)


def test_a_patch_in_one_line(tmp_path: Path) -> None:
    text = '\'[{"op": "replace", "path": "/spec/replicas", "value": 9}]\''
    replicas = container(read(tmp_path, f"patches:\n  - {TO_CHAT}\n    patch: {text}\n")).get("replicas")
    assert (replicas.value, replicas.where.span[:2]) == (9, (4, 67))


def test_pieces_with_a_target_may_have_any_name(tmp_path: Path) -> None:
    patch = f"patches:\n  - {TO_CHAT}\n    patch: |\n      kind: Deployment\n      metadata: {{name: whatever}}\n"
    found = read(tmp_path, patch + "      spec: {replicas: 7}\n")
    assert container(found).value("replicas") == 7


def test_pieces_are_put_together_by_names(tmp_path: Path) -> None:
    piece = """
kind: Deployment
apiVersion: apps/v1
metadata: {name: chat}
spec:
  replicas: null
  template:
    spec:
      containers:
        - name: api
          image: team/chat:2
          env: [{name: GUNICORN_CMD_ARGS, value: --timeout=77}]
          livenessProbe: null
        - {name: proxy, $patch: delete}
"""
    found = read(
        tmp_path, "patches: [{path: patches/piece.yaml}]\n", "prod/patches/piece.yaml", **{"patches/piece.yaml": piece}
    )
    (host,) = hosts(found).values()
    assert values(host) == {"stop_grace": 20}
    assert (server(found).value("timeout"), server(found).value("workers")) == (77, 2)


def test_a_resource_that_an_overlay_deletes_is_not_in_it(tmp_path: Path) -> None:
    piece = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: chat}\n$patch: delete\n"
    patch = "patches:\n  - patch: |\n" + "".join(f"      {line}\n" for line in piece.splitlines())
    assert read(tmp_path, patch) == Reading()
    assert container(read(tmp_path, patch, "base/chat.yaml")).value("replicas") == 2


def test_patches_are_applied_in_their_turn(tmp_path: Path) -> None:
    piece = f"  - {TO_CHAT}\n    patch: |\n      spec: {{replicas: 7}}\n"
    before = operations("{op: replace, path: /spec/replicas, value: 9}")
    assert container(read(tmp_path / "a", before + piece)).value("replicas") == 7
    after = before.replace("patches:\n", f"patches:\n{piece}")
    assert container(read(tmp_path / "b", after)).value("replicas") == 9


def test_overlays_on_overlays(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "prod/kustomization.yaml": overlay(operations("{op: replace, path: /spec/replicas, value: 9}"), "../common"),
        "common/kustomization.yaml": overlay(
            operations("{op: replace, path: /spec/template/spec/terminationGracePeriodSeconds, value: 200}")
        ),
        "base/kustomization.yaml": "resources: [chat.yaml]\n",
        "base/chat.yaml": BASE,
        "other/chat.yaml": BASE,  # another base of that name, which this overlay does not use
    }
    prod = container(reading("kubernetes", tmp_path, files))
    assert (prod.value("replicas"), prod.value("stop_grace")) == (9, 200)
    common = container(reading("kubernetes", tmp_path, files, "common/kustomization.yaml"))
    assert (common.value("replicas"), common.value("stop_grace")) == (2, 200)


def test_a_patch_of_one_of_several_leaves_none_of_them_certain(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a/chat.yaml": BASE, "b/chat.yaml": BASE, "c/patch.yaml": PIECE}
    assert container(reading("kubernetes", tmp_path, files)).value("replicas") is None
    assert hosts(reading("kubernetes", tmp_path, files, "c/patch.yaml")) == {}


def test_fluxs_kustomizations_are_others(tmp_path: Path) -> None:
    flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec: {path: ./prod}\n"
    patch = operations("{op: replace, path: /spec/replicas, value: 9}", target="target: {kind: Deployment}")
    assert container(read(tmp_path, patch, **{"zoo.yaml": flux})).value("replicas") == 9


@pytest.mark.parametrize(
    "patch",
    [
        operations("{op: replace, path: /spec/absent, value: 1}"),
        operations("{op: add, path: /spec/template/spec/containers/7/args, value: []}"),
        operations("{op: remove, path: /spec/template/spec/containers/-}"),
        operations("{op: add, path: /spec/replicas}"),
        operations("{op: replace, path: spec, value: 1}"),
        f"patches: [{{path: absent.yaml, {TO_CHAT}}}]\n",
        "patches:\n  - patch: |\n      - {op: remove, path: /spec/replicas}\n",
        f"patches:\n  - {TO_CHAT}\n    patch: |\n      - [\n",
        f'patches:\n  - {TO_CHAT}\n    patch: "- op: remove\\n  path: /spec/replicas"\n',
    ],
)
def test_what_cannot_be_done_is_a_note(tmp_path: Path, patch: str) -> None:
    found = read(tmp_path, patch)
    assert len(found.notes) == 1
    assert [hop.value("replicas") for hop in hosts(found).values()] in ([2], [])


def test_copies_and_moves(tmp_path: Path) -> None:
    patch = operations(
        "{op: test, path: /spec/replicas, value: 2}",
        "{op: move, from: /spec/replicas, path: /spec/paused}",
        "{op: copy, from: /spec/template/spec/terminationGracePeriodSeconds, path: /spec/replicas}",
    )
    assert container(read(tmp_path, patch)).value("replicas") == 20


def test_aliases_in_a_circle_have_an_end(tmp_path: Path) -> None:
    circle = "&a {a: *a, b: *a, c: *a, d: *a}"
    piece = f"kind: Deployment\nmetadata: {{name: chat}}\nspec: {circle}\n"
    files: dict[str, str | bytes] = {
        "prod/kustomization.yaml": overlay(f"patches:\n  - {TO_CHAT}\n    patch: |\n      spec: {circle}\n"),
        "base/kustomization.yaml": "resources: [chat.yaml]\n",
        "base/chat.yaml": "apiVersion: apps/v1\n" + piece + "---\n" + BASE.replace("name: chat", "name: other"),
    }
    reading("kubernetes", tmp_path, files)
