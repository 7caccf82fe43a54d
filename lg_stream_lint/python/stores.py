"""What is put into an object after it was made: ``held["graph"] = …``, ``self.graphs.append(…)``, ``context.graph = …``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.scopes import Class, Store
from lg_stream_lint.python.syntax import argument, called_name, string_value
from lg_stream_lint.python.value import Kind, Value, Values, merge

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.values import Inference

#: How many files are read for what they put into an object; a name in more files than that is no name to follow.
_MOST_FILES = 24
_MOST_STORES = 40
#: Only objects are followed: a coroutine or generator in a list is usually used up before the list is read again.
_OBJECTS = frozenset({Kind.INSTANCE, Kind.CLASS, Kind.FUNCTION, Kind.PARTIAL})
_CONTAINERS = frozenset({"dict", "list", "defaultdict", "OrderedDict", "deque"})
#: Objects of outside classes that take any attribute.
NAMESPACES = frozenset({"types.SimpleNamespace", "argparse.Namespace"})


def put_in(infer: Inference, value: Value, key: str | None) -> Values:
    """What the project puts into a dict or list that is made empty or in part: under the key, or any where it is not known."""
    home, node = value.home, value.node
    if home is None or node is None or not _is_container(node):
        return ()
    name, owner = _held_as(home, node)
    if not name:
        return ()
    groups = []
    for module in _readers(infer, home, name, wide=owner is None or isinstance(owner, Class)):
        for store in module.stores.get(f"[{name}]", ())[:_MOST_STORES]:
            written = string_value(store.key) if store.key is not None else None
            if key is not None and written is not None and written != key:
                continue
            if any(found.node is node for found in infer.of(store.base, module)):
                groups.append(_objects(infer, store, module))
    return merge(groups)


def set_on(infer: Inference, value: Value, name: str) -> Values:
    """What the project assigns to an attribute of an object, of a class or of a module from outside of it."""
    home = value.module or (value.cls.module if value.cls is not None else value.home)
    if home is None or not (value.cls is not None or value.kind == Kind.MODULE or takes_any(infer, value)):
        return ()
    groups = []
    for module in _readers(infer, home, name, wide=True):
        for store in module.stores.get(f".{name}", ())[:_MOST_STORES]:
            if any(_same_owner(found, value) for found in infer.of(store.base, module)):
                groups.append(_objects(infer, store, module))
    return merge(groups)


def takes_any(infer: Inference, value: Value) -> bool:
    """Whether an object of an outside class is one that people put attributes on: a namespace, or an application."""
    return value.name in NAMESPACES or (value.kind == Kind.INSTANCE and value.name in infer.tables.apps)


def set_on_application(infer: Inference, name: str) -> Values:
    """What the project assigns to an attribute of an application itself: ``request.app.graph``, ``current_app.graph``."""
    numbers = infer.project.naming(name)
    files = infer.project.files() if 0 < len(numbers) <= _MOST_FILES else []
    groups = []
    for number in sorted(numbers) if files else ():
        module = infer.project.module(files[number])
        if module is None:
            continue
        for store in module.stores.get(f".{name}", ())[:_MOST_STORES]:
            if any(v.kind == Kind.INSTANCE and v.name in infer.tables.apps for v in infer.of(store.base, module)):
                groups.append(_objects(infer, store, module))
    return merge(groups)


def passed_to_constructor(infer: Inference, cls: Class, name: str) -> Values:
    """What a field of a dataclass, a Pydantic model or a named tuple is given where the class is called."""
    fields = [field for field, bound in cls.scope.bindings.items() if any(b.kind == "annotation" for b in bound)]
    if name not in fields or "__init__" in cls.methods:
        return ()
    groups = []
    for module, call in infer.project.facts.constructions(cls)[:_MOST_STORES]:
        given = argument(call, name, fields.index(name))
        if given is not None:
            groups.append(_objects(infer, Store(given, None, given), module))
    return merge(groups)


def _same_owner(found: Value, value: Value) -> bool:
    if value.cls is not None:
        return found.cls is value.cls and found.kind in (Kind.INSTANCE, Kind.CLASS)
    if value.kind == Kind.MODULE:
        return found.kind == Kind.MODULE and found.module is value.module
    return found.node is value.node and found.name == value.name


def _objects(infer: Inference, store: Store, module: Module) -> Values:
    from lg_stream_lint.python.elements import parts  # which itself asks what is stored

    values = parts(infer, infer.of(store.value, module), store.path)
    return tuple(value for value in values if value.kind in _OBJECTS)


def _is_container(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Call):
        return called_name(node) in _CONTAINERS
    return isinstance(node, (cst.Dict, cst.List))


def _held_as(home: Module, node: cst.CSTNode) -> tuple[str, object]:
    """The name or attribute that a literal is assigned to, and the function or class in which that stands."""
    parent = home.parents.get(node)
    while isinstance(parent, (cst.BooleanOperation, cst.IfExp)):
        parent = home.parents.get(parent)
    if isinstance(parent, cst.AnnAssign):
        target: cst.CSTNode = parent.target
    elif isinstance(parent, cst.Assign):
        target = parent.targets[0].target
    else:
        return "", None
    if isinstance(target, cst.Attribute):
        return target.attr.value, None
    return (target.value, home.scope_at(parent).owner) if isinstance(target, cst.Name) else ("", None)


def _readers(infer: Inference, home: Module, name: str, *, wide: bool) -> Iterator[Module]:
    """The modules that may reach the object by that name: its own and, unless it is local, those that name it."""
    yield home
    project = infer.project
    numbers = project.naming(name) if wide else frozenset()
    files = project.files() if 0 < len(numbers) <= _MOST_FILES else []
    for number in sorted(numbers) if files else ():
        if files[number] != home.path:
            module = project.module(files[number])
            if module is not None:
                yield module
