"""Patches that stand inside a ``kustomization.yaml``: pieces of resources; JSON patches and ``replicas`` are read as such."""

from __future__ import annotations

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Documents, Node, documents
from lg_stream_lint.deploy.yaml_text import embedded

_MOST = 100


def inline_patches(root: Node, file: DeployFile, context: Context) -> Documents:
    """The patches of a ``kustomization.yaml`` as resources with only the patched fields, at their places."""
    found: list[Node] = []
    notes: list[Note] = []
    for entry in _entries(root)[:_MOST]:
        text = entry.get("patch") if entry.kind == MAP else entry
        if text is None or text.kind != TEXT or "\n" not in text.text:
            continue
        inner = embedded(file, text)
        if inner is None:
            continue
        try:
            read = documents(inner, context)
        except NotRead as reason:
            notes.append(file.note(text.where.span.row, str(reason)))
            continue
        notes += read.notes
        for patch in read.roots:
            if patch.kind == LIST:
                target = entry.get("target")
                found += [_from_operations(patch, target)] if target is not None else []
            else:
                found.append(patch)
    return Documents((*found, *_counts(root)), tuple(notes))


def _counts(root: Node) -> list[Node]:
    """``replicas: [{name: chat, count: 3}]`` as patches of Deployments."""
    counts = root.get("replicas")
    found = []
    for entry in counts.elements()[:_MOST] if counts is not None else []:
        name, count = (entry.get(key) if entry.kind == MAP else None for key in ("name", "count"))
        if name is not None and count is not None:
            patch = Node(MAP, entry.where)
            _put(patch, ["kind"], Node(TEXT, entry.where, "Deployment"))
            _put(patch, ["metadata", "name"], name)
            _put(patch, ["spec", "replicas"], count)
            found.append(patch)
    return found


def _entries(root: Node) -> list[Node]:
    return [
        element
        for key in ("patches", "patchesStrategicMerge", "patchesJson6902")
        for node in [root.get(key)]
        if node is not None
        for element in node.elements()
    ]


def _from_operations(operations: Node, target: Node) -> Node:
    """``op: replace, path: /spec/replicas, value: 3`` as the resource that holds only that."""
    root = Node(MAP, operations.where)
    for name in ("kind", "apiVersion"):
        value = target.get(name)
        if value is not None:
            _put(root, [name], value)
    name_node = target.get("name")
    if name_node is not None:
        _put(root, ["metadata", "name"], name_node)
    for operation in operations.elements()[:_MOST]:
        value = operation.get("value")
        keys = [key.replace("~1", "/").replace("~0", "~") for key in operation.string("path").split("/")[1:]]
        if value is not None and operation.string("op") in {"add", "replace"} and not any(k.isdigit() for k in keys):
            _put(root, keys[:20], value)
    return root


def _put(root: Node, keys: list[str], value: Node) -> None:
    node = root
    for key in keys[:-1]:
        below = node.child(key)
        if below is None or below.kind != MAP:
            below = Node(MAP, value.where)
            node.pairs.append((Node(TEXT, value.where, key, plain=True), below))
        node = below
    if keys:
        node.pairs.append((Node(TEXT, value.where, keys[-1], plain=True), value))
