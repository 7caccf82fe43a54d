"""What the parts of a value are: elements of dicts and lists, what a loop takes from it, what ``with`` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.syntax import string_value
from lg_stream_lint.python.value import Kind, Value, Values, merge

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.scopes import Scope
    from lg_stream_lint.python.values import Inference


def item(infer: Inference, value: Value, key: str | None) -> Values:
    """``value[key]``: an element of a dict or list literal (any element when the key is not known)."""
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
    if value.kind == Kind.INSTANCE and value.name in ("builtins.dict", "builtins.list") and value.inner is not None:
        return (value.inner,)
    row = infer.tables.blocking_classes.get(value.name) if value.kind == Kind.INSTANCE else None
    led = infer.tables.leads_to(row, "__getitem__") if row is not None else None
    return (Value(Kind.INSTANCE, led.path),) if led is not None else ()


def unpacked(infer: Inference, value: Value, position: int) -> Values:
    """What a target takes at a position of a tuple or list that is unpacked."""
    if value.kind == Kind.LITERAL and isinstance(value.node, (cst.Tuple, cst.List)) and value.home is not None:
        elements = value.node.elements
        return infer.of(elements[position].value, value.home) if position < len(elements) else ()
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
    if value.kind == Kind.LITERAL and isinstance(value.node, (cst.List, cst.Tuple, cst.Set)):
        return item(infer, value, None)
    if value.kind == Kind.INSTANCE and value.name == "builtins.list" and value.inner is not None:
        return (value.inner,)
    if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) and value.function is not None:
        return infer.yielded(value.function)
    return ()


def subscript(infer: Inference, node: cst.Subscript, module: Module, scope: Scope) -> Values:
    """What ``base[index]`` gives."""
    base = infer.of(node.value, module, scope)
    index = node.slice[0].slice if len(node.slice) == 1 else None
    key = string_value(index.value) if isinstance(index, cst.Index) else None
    return merge([item(infer, value, key) for value in base])
