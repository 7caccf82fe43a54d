"""The patches of a ``kustomization.yaml``, inside it or in files that it names: pieces of resources, or operations on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Documents, Node, documents
from lg_stream_lint.deploy.yaml_text import embedded

_MOST = 100
#: In the order in which kustomize applies them.
_KEYS = ("patchesStrategicMerge", "patches", "patchesJson6902")
_NOT_NEWLINE = re.compile(r"[^\r\n]")


class Patch(NamedTuple):
    """A patch: a map is a piece of a resource, a list holds operations.

    ``target`` is the kustomization's own word for what it changes, None where the piece says it. ``turn``: its place in the order.
    """

    root: Node
    target: Node | None
    turn: int

    @property
    def resource(self) -> Node:
        """The resource that it changes, with no more in it than the patch says: its kind and name, and the piece."""
        if self.target is None:
            return self.root
        root = Node(MAP, self.target.where)
        for name in ("kind", "apiVersion"):
            value = self.target.get(name) or (self.root.get(name) if self.root.kind == MAP else None)
            if value is not None:
                _put(root, [name], value)
        name_node = self.target.get("name")
        if name_node is not None:
            _put(root, ["metadata", "name"], name_node)
        taken = ("kind", "apiVersion") if name_node is None else ("kind", "apiVersion", "metadata")
        root.pairs += [pair for pair in self.root.entries() if pair[0].text not in taken]
        return root


class Patches(NamedTuple):
    """The patches of a file, in their order, and what was not read of them."""

    found: tuple[Patch, ...]
    notes: tuple[Note, ...]


def patches_of(root: Node, file: DeployFile, context: Context) -> Patches:
    """The patches of a kustomization. Pieces in files of their own are not among them: they are read as what they are.

    With a target they are: their own name may be any.
    """
    found: list[Patch] = []
    notes: list[Note] = []
    entries = list(_entries(root))
    for turn, entry in enumerate(entries[:_MOST]):
        try:
            read = _documents(entry, file, context)
        except NotRead as reason:
            notes.append(file.note(entry.where.span.row, str(reason)))
            continue
        notes += read.notes
        target = entry.get("target")
        for patch in read.roots:
            if patch.kind == LIST and target is None:
                notes.append(file.note(entry.where.span.row, "a JSON patch without a target"))
            elif patch.kind == LIST or target is not None or _path_of(entry) is None:
                found.append(Patch(patch, target, turn))
    return Patches((*found, *_counts(root)), tuple(notes))


def patch_files(root: Node) -> Iterator[tuple[str, int]]:
    """The files that hold pieces of resources, as a kustomization writes them, and their turns; none with a target."""
    for turn, entry in enumerate(list(_entries(root))[:_MOST]):
        path = _path_of(entry)
        if path is not None and entry.get("target") is None:
            yield path.text, turn


def _path_of(entry: Node) -> Node | None:
    """The node that names a patch's file, where it is none inside."""
    if entry.kind == MAP:
        return entry.get("path")
    return entry if entry.kind == TEXT and "\n" not in entry.text and not entry.text.lstrip().startswith("{") else None


def _documents(entry: Node, file: DeployFile, context: Context) -> Documents:
    """The documents of a patch. Raises :class:`NotRead`."""
    path = _path_of(entry)
    if path is not None:
        other = context.find(path.text, file.folder)
        if other is None:
            raise NotRead(f"the patch {path.text[:80]} is not in this repository")
        return documents(other, context)
    text = entry.get("patch") if entry.kind == MAP else entry
    if text is None or text.kind != TEXT:
        return Documents()
    inner = embedded(file, text) or _in_one_line(file, text)
    if inner is None:
        raise NotRead("a patch that is not written as a block")
    return documents(inner, context)


def _in_one_line(file: DeployFile, node: Node) -> DeployFile | None:
    """A text in quotes that stands as it is in one line, as a file of its own with all places kept."""
    span = node.where.span
    start = file.text.find(node.text, file.offset(span.row, span.column), file.offset(span.end_row, span.end_column))
    if start < 0 or "\n" in node.text:
        return None
    return DeployFile(file.path, (_NOT_NEWLINE.sub(" ", file.text[:start]) + node.text).encode("utf-8"))


def _counts(root: Node) -> list[Patch]:
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
            found.append(Patch(patch, None, _MOST))
    return found


def _entries(root: Node) -> Iterator[Node]:
    for key in _KEYS:
        node = root.get(key)
        yield from node.elements() if node is not None else ()


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
