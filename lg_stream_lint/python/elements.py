"""What the parts of a value are: elements of dicts and lists, what a loop takes from it, what ``with`` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python import stores, types
from lg_stream_lint.python.syntax import called_name, positional, string_value
from lg_stream_lint.python.value import Kind, Value, Values, merge

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.scopes import Scope
    from lg_stream_lint.python.values import Inference


_SEQUENCES = (cst.List, cst.Tuple, cst.Set, cst.ListComp, cst.SetComp, cst.GeneratorExp)


def item(infer: Inference, value: Value, key: str | None) -> Values:
    """``value[key]``: an element of a dict or list (any element when the key is not known), also one put in later."""
    return merge([_written(infer, value, key), stores.put_in(infer, value, key)])


def _written(infer: Inference, value: Value, key: str | None) -> Values:
    if value.kind == Kind.LITERAL and isinstance(value.node, cst.Dict) and value.home is not None:
        groups = []
        for element in value.node.elements:
            if not isinstance(element, cst.DictElement):
                continue
            name = string_value(element.key)
            if key is None or name is None or name == key:
                groups.append(infer.of(element.value, value.home))
        return merge(groups)
    if value.kind == Kind.LITERAL and isinstance(value.node, (cst.List, cst.Tuple)) and value.home is not None:
        return merge([infer.of(element.value, value.home) for element in value.node.elements])
    if value.kind == Kind.LITERAL and value.home is not None:
        if isinstance(value.node, cst.DictComp):
            return infer.of(value.node.value, value.home)
        if isinstance(value.node, (cst.ListComp, cst.SetComp, cst.GeneratorExp)):
            return infer.of(value.node.elt, value.home)
    if value.kind == Kind.INSTANCE and value.name in ("builtins.dict", "builtins.list") and value.inner is not None:
        return (value.inner,)
    if value.name == "builtins.dict" and isinstance(value.node, cst.Call) and value.home is not None:
        named = [arg for arg in value.node.args if arg.keyword is not None and key in (None, arg.keyword.value)]
        return merge([infer.of(arg.value, value.home) for arg in named])
    row = infer.tables.blocking_classes.get(value.name) if value.kind == Kind.INSTANCE else None
    led = infer.tables.leads_to(row, "__getitem__") if row is not None else None
    return (Value(Kind.INSTANCE, led.path),) if led is not None else ()


def unpacked(infer: Inference, value: Value, position: int) -> Values:
    """What a target takes at a position of a tuple or list that is unpacked."""
    if value.kind == Kind.LITERAL and isinstance(value.node, (cst.Tuple, cst.List)) and value.home is not None:
        elements = value.node.elements
        return infer.of(elements[position].value, value.home) if position < len(elements) else ()
    if value.name == "builtins.tuple" and isinstance(value.node, cst.Subscript) and value.home is not None:
        index = value.node.slice[position].slice if position < len(value.node.slice) else None
        if isinstance(index, cst.Index):
            return types.annotated(infer, index.value, value.home, value.home.scope)
    return ()


def entered(infer: Inference, value: Value) -> Values:
    """What ``with value as x`` gives ``x``."""
    if value.kind == Kind.CONTEXT:
        return (value.inner,) if value.inner is not None else ()
    if value.kind == Kind.INSTANCE:
        if value.cls is not None:
            for method in ("__aenter__", "__enter__"):
                for found in infer.attribute(value, method):
                    if found.function is not None:
                        return infer.returns(found.function)
        return (value,)
    if value.kind == Kind.RESULT:
        return (value._replace(name=value.name + "()"),)
    return ()


def iterated(infer: Inference, value: Value) -> Values:
    """What a loop over a value gives its target."""
    if value.kind == Kind.LITERAL and isinstance(value.node, _SEQUENCES):
        return item(infer, value, None)
    if value.kind == Kind.RESULT and value.name in ("builtins.list", "collections.deque"):
        return item(infer, value, None)
    if value.kind == Kind.INSTANCE and value.name == "builtins.list" and value.inner is not None:
        return (value.inner,)
    if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) and value.function is not None:
        return infer.yielded(value.function)
    return ()


def looped(infer: Inference, node: cst.CSTNode, path: tuple[int, ...], module: Module, scope: Scope) -> Values:
    """What a loop over an expression gives its target, or the part of its target that ``path`` leads to."""
    if path and isinstance(node, cst.Call):
        args, name = positional(node), called_name(node)
        if name == "enumerate" and args:
            return looped(infer, args[0], path[1:], module, scope) if path[0] == 1 else ()
        if name == "zip":
            return looped(infer, args[path[0]], path[1:], module, scope) if path[0] < len(args) else ()
        if name == "items" and isinstance(node.func, cst.Attribute):
            held = infer.of(node.func.value, module, scope) if path[0] == 1 else ()
            return parts(infer, merge([item(infer, value, None) for value in held]), path[1:])
    return parts(infer, merge([iterated(infer, value) for value in infer.of(node, module, scope)]), path)


def parts(infer: Inference, values: Values, path: tuple[int, ...]) -> Values:
    """What a target takes that lies that way inside what is unpacked: ``a, (b, c) = x`` gives ``c`` the way ``(1, 1)``."""
    for position in path:
        values = merge([unpacked(infer, value, position) for value in values])
    return values


def subscript(infer: Inference, node: cst.Subscript, module: Module, scope: Scope) -> Values:
    """What ``base[index]`` gives."""
    base = infer.of(node.value, module, scope)
    index = node.slice[0].slice if len(node.slice) == 1 else None
    key = string_value(index.value) if isinstance(index, cst.Index) else None
    if isinstance(index, cst.Index) and isinstance(index.value, cst.Integer):
        position = int(index.value.value, 0)
        return merge([_at(infer, value, position) for value in base])
    return merge([item(infer, value, key) for value in base])


def _at(infer: Inference, value: Value, position: int) -> Values:
    """``value[3]``: of a literal that very element, when it has so many."""
    node = value.node
    if isinstance(node, (cst.Tuple, cst.List)) and position < len(node.elements):
        starred = any(isinstance(element, cst.StarredElement) for element in node.elements)
        return item(infer, value, None) if starred else unpacked(infer, value, position)
    return item(infer, value, None)
