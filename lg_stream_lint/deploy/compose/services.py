"""A compose service as it holds in the end: its own file, what it ``extends``, and the file that it overrides."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT, Documents, Node, documents

#: Services that extend services; compose itself refuses circles.
DEEPEST = 8
#: Services of a file.
MOST = 300
_MOST_NEIGHBOURS = 30
_NAME = re.compile(r"(?:docker-)?compose[\w.-]*\.ya?ml")
#: Compose reads it together with its principal file, whatever is in it.
_OVERRIDE = re.compile(r"(?:docker-)?compose\.override\.ya?ml")
#: The files that compose reads by itself, in its order; others are given with ``-f``.
PRINCIPAL = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")

_read: WeakKeyDictionary[Context, dict[str, _File]] = WeakKeyDictionary()


class Layer(NamedTuple):
    """One file's part of a service."""

    node: Node
    file: DeployFile


class Service(NamedTuple):
    """A service: its name, the key that it stands under, and its parts, the one that holds first.

    ``file`` is the one that it is read from, ``environment`` are files with variables that an ``include`` brings.
    ``missing``: what it extends, where that is not found, so that nothing is certain not to be set.
    """

    name: str
    key: Node
    layers: tuple[Layer, ...]
    file: DeployFile
    missing: tuple[Note, ...] = ()
    environment: tuple[DeployFile, ...] = ()

    def first(self, *keys: str) -> Node | None:
        """The value that holds: the first part's that has one."""
        return next((found for layer in self.layers if (found := layer.node.get(*keys)) is not None), None)

    def layer_of(self, *keys: str) -> Layer | None:
        """The part that a value comes from."""
        return next((layer for layer in self.layers if layer.node.get(*keys) is not None), None)

    def pairs(self, name: str) -> dict[str, tuple[str, Node, DeployFile]]:
        """The entries of ``environment`` or ``labels``, written as a map or as ``KEY=value``, with their nodes."""
        found: dict[str, tuple[str, Node, DeployFile]] = {}
        for layer in self.layers:
            for key, text, node in _entries(layer.node.get(name)):
                found.setdefault(key, (text, node, layer.file))
        return found

    def elements(self, *keys: str) -> list[Node]:
        """The elements of a list in all parts: compose adds lists to each other."""
        return [
            element for layer in self.layers for node in [layer.node.get(*keys)] if node for element in node.elements()
        ]


def _entries(node: Node | None) -> Iterator[tuple[str, str, Node]]:
    if node is None:
        return
    for key, value in node.entries():
        if value.kind == TEXT and not value.is_null:
            yield key.text, value.text, value
    for element in node.elements():
        key_text, equals, text = element.text.partition("=")
        if element.kind == TEXT and equals:
            yield key_text.strip(), text, element


class _File(NamedTuple):
    """A compose file: its documents, and its own services by their names."""

    documents: Documents
    services: dict[str, tuple[Node, Node]]


def _load(file: DeployFile, context: Context) -> _File:
    known = _read.setdefault(context, {})
    if file.path not in known:
        read = documents(file, context)
        services = [root.get("services") for root in read.roots]
        pairs = [pair for node in services if node is not None for pair in node.entries() if pair[1].kind == MAP]
        known[file.path] = _File(read, {key.text: (key, node) for key, node in pairs[:MOST]})
    return known[file.path]


def read_documents(file: DeployFile, context: Context) -> Documents:
    """The documents of a file, read once for a context."""
    return _load(file, context).documents


def is_compose_name(name: str) -> bool:
    """Whether a file is read as compose's by its name alone."""
    return _NAME.fullmatch(name) is not None


def own_services(files: Sequence[DeployFile], context: Context) -> list[Service]:
    """The services of a compose file, put together; of several, the later ones over the earlier."""
    found: dict[str, tuple[Node, DeployFile]] = {}
    for file in files:
        for key, _ in _load(file, context).services.values():
            found.setdefault(key.text, (key, file))
    return [_put_together(key, home, files, context) for key, home in found.values()]


def _put_together(key: Node, home: DeployFile, files: Sequence[DeployFile], context: Context) -> Service:
    layers: list[Layer] = []
    missing: list[Note] = []
    for file in reversed(files):
        node = _service(file, key.text, context)
        layers += _extended(Layer(node, file), context, key.text, DEEPEST, missing) if node is not None else []
    is_whole = any(layer.node.get(word) is not None for layer in layers for word in ("image", "build"))
    if not is_whole or _OVERRIDE.fullmatch(home.name):
        base = base_of(home, key.text, context, missing)
        layers += base if base is not None else []
    return Service(key.text, key, tuple(layers), home, tuple(missing))


def _service(file: DeployFile, name: str, context: Context) -> Node | None:
    found = _load(file, context).services.get(name)
    return found[1] if found is not None else None


def _extended(layer: Layer, context: Context, name: str, depth: int, missing: list[Note]) -> list[Layer]:
    """A service's part, then the parts of what it extends; what is not found is added to the ``missing``."""
    extends = layer.node.get("extends")
    if extends is None or depth == 0:
        return [layer]
    other = extends.text if extends.kind == TEXT else extends.string("service") or name
    path = extends.string("file") if extends.kind == MAP else ""
    file = context.find(path, layer.file.folder) if path else layer.file
    try:
        node = _service(file, other, context) if file is not None else None
    except NotRead:
        node = None
    if file is None or node is None:
        missing.append(Note(extends.where, f"the service {other[:80]} that is extended is not in the repository"))
        return [layer]
    if node is layer.node:
        return [layer]
    return [layer, *_extended(Layer(node, file), context, other, depth - 1, missing)]


def base_of(file: DeployFile, name: str, context: Context, missing: list[Note]) -> list[Layer] | None:
    """The parts of a service in the file that this one overrides: the principal one beside it (or one folder above)."""
    for folder in (file.folder, os.path.dirname(file.folder)):
        for principal in PRINCIPAL:
            other = context.find(principal, folder)
            if other is None or other.path == file.path:
                continue
            try:
                node = _service(other, name, context)
            except NotRead:
                continue
            if node is not None:
                return _extended(Layer(node, other), context, name, DEEPEST, missing)
    return None


def home_of(service: Service, context: Context) -> Node:
    """The key under which a service would be given what none of its parts says: in the file that the others override."""
    base = service.layers[-1]
    key, node = _load(base.file, context).services.get(service.name, (service.key, base.node))
    return key if node is base.node else service.key


def set_beside(file: DeployFile, name: str, key: str, context: Context) -> bool:
    """Whether another compose file of the folder sets a key of the same service: it may be used together with this one."""
    try:
        names = sorted(found for found in os.listdir(file.folder) if _NAME.fullmatch(found) and found != file.name)
    except (OSError, ValueError):
        return False
    for neighbour in names[:_MOST_NEIGHBOURS]:
        try:
            node = _service(context.open(os.path.join(file.folder, neighbour)), name, context)
        except NotRead:
            continue
        if node is not None and node.get(key) is not None:
            return True
    return False
