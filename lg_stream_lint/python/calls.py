"""What a call gives: constructors, factories, methods of graphs and models, functions of the project, and thin wrappers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.methods import derived, method
from lg_stream_lint.python.scopes import Function, Scope
from lg_stream_lint.python.syntax import positional, string_value
from lg_stream_lint.python.value import Kind, Value, Values, merge

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.values import Inference

#: Wrappers whose result stands for their first argument.
_TRANSPARENT = frozenset(
    {"copy.copy", "copy.deepcopy", "contextlib.aclosing", "contextlib.closing", "contextlib.nullcontext",
     "starlette.concurrency.iterate_in_threadpool", "fastapi.concurrency.iterate_in_threadpool", "builtins.aiter",
     "builtins.iter", "builtins.enumerate", "asgiref.sync.sync_to_async", "asgiref.sync.async_to_sync"}
)  # fmt: skip
_TASKS = frozenset({"asyncio.create_task", "asyncio.ensure_future", "asyncio.shield", "asyncio.wait_for"})
_CONTEXT_DECORATORS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_CAST = frozenset({"typing.cast", "typing_extensions.cast"})


def call(infer: Inference, node: cst.Call, module: Module, scope: Scope) -> Values:
    """Every known value of a call expression."""
    groups: list[Values] = []
    for target in infer.of(node.func, module, scope):
        groups.append(called(infer, target, node, module, scope))
    return merge(groups)


def called(infer: Inference, target: Value, node: cst.Call, module: Module, scope: Scope) -> Values:
    """What calling one value gives."""
    kind = target.kind
    if kind == Kind.FUNCTION and target.function is not None:
        found = called_function(infer, target.function, target.inner, node, module)
        return _own_function(infer, target.function, found, node, module, scope)
    if kind == Kind.CLASS and target.cls is not None:
        for instance in types.instance_of(infer, target):
            return (instance._replace(node=node, home=module),)
    if kind == Kind.EXTERNAL:
        found = _external(infer, target.name, node, module, scope)
        return _of_subclass(found, target, node) if target.cls is not None else found
    if kind == Kind.METHOD and target.inner is not None:
        return method(infer, target.inner, target.name, node, module)
    if kind == Kind.PARTIAL and target.inner is not None:
        return called(infer, target.inner, node, module, scope)
    if kind == Kind.INSTANCE and target.cls is None:
        return derived(infer, target, "__call__", node, module)
    if kind == Kind.INSTANCE and target.cls is not None:
        return merge(
            [
                called(infer, v, node, module, scope)
                for v in infer.attribute(target, "__call__")
                if v.kind == Kind.FUNCTION
            ]
        )
    if kind == Kind.CONTEXT and target.name == "function" and target.function is not None:
        entered = infer.yielded(target.function) or (None,)
        return tuple(
            Value(Kind.CONTEXT, function=target.function, inner=value, node=node, home=module) for value in entered
        )
    return ()


def _own_function(
    infer: Inference, function: Function, found: Values, node: cst.Call, module: Module, scope: Scope
) -> Values:
    """What a function gives that the configuration names; ``found`` is what its text says, which knows more if it knows a role."""
    path = infer.project.facts.own.path_of(function)
    if not path or any(value.role or (value.inner is not None and value.inner.role) for value in found):
        return found
    made = tuple(value for value in _external(infer, path, node, module, scope) if value.kind != Kind.RESULT)
    if function.is_async:
        made = tuple(
            Value(Kind.COROUTINE, inner=value, node=node, home=module) if value.kind == Kind.INSTANCE else value
            for value in made
        )
    return made or found


def called_function(
    infer: Inference, function: Function, bound: Value | None, node: cst.Call, module: Module
) -> Values:
    """What calling a function of the project gives; ``node`` in ``module`` is the call."""
    if function.is_generator:
        kind = Kind.ASYNC_GENERATOR if function.is_async else Kind.GENERATOR
        return (Value(kind, function=function, inner=bound, node=node, home=module),)
    found = infer.returns(function)
    if not function.is_async:
        return found
    results = found or (Value(Kind.RESULT, function.name),)
    return tuple(Value(Kind.COROUTINE, function=function, inner=value, node=node, home=module) for value in results)


def decorated(infer: Inference, function: Function) -> Values:
    """What a ``def`` binds to its name: the function, or what its decorators make of it.

    Decorators that are not known are taken to return a function that behaves like theirs.
    """
    plain = (Value(Kind.FUNCTION, function=function, module=function.module),)
    for decorator in reversed(function.decorators):
        target = decorator.func if isinstance(decorator, cst.Call) else decorator
        for value in infer.of(target, function.module, function.outer):
            if value.name in _CONTEXT_DECORATORS:
                return (Value(Kind.CONTEXT, name="function", function=function, module=function.module),)
            known = infer.tables.graph_factories.get(value.name)
            if known is not None and known.form == "decorator":
                return (Value(Kind.INSTANCE, known.path, known.role, function=function, home=function.module),)
            marker = infer.tables.markers.get(value.name)
            if marker is not None and marker.form == "decorator" and marker.mark.mark in ("tool", "entrypoint"):
                role = "tool" if marker.mark.mark == "tool" else "graph"
                return (Value(Kind.INSTANCE, marker.path, role, function=function, home=function.module),)
    return plain


def _external(infer: Inference, name: str, node: cst.Call, module: Module, scope: Scope) -> Values:
    """What calling something from outside the project gives."""
    tables = infer.tables
    args = positional(node)
    first = args[0] if args else None
    factory = tables.graph_factories.get(name)
    if factory is not None and factory.form != "decorator":
        made = Value(Kind.INSTANCE, factory.path, factory.role, node=node, home=module)
        return (Value(Kind.COROUTINE, inner=made, node=node, home=module),) if factory.awaited else (made,)
    model = tables.models.get(name)
    if model is not None:
        if model.kind == "function":
            result = Value(Kind.RESULT, model.path, node=node, home=module)
            return (
                (Value(Kind.COROUTINE, name, inner=result, node=node, home=module),)
                if model.asynchronous
                else (result,)
            )
        blocking = tables.blocking_instances.get(name)
        if model.kind == "sdk" and blocking is not None and blocking.path not in tables.models:
            return (Value(Kind.INSTANCE, blocking.path, node=node, home=module),)
        role = "model" if model.kind in ("chat", "llm") else ""
        return (Value(Kind.INSTANCE, model.path, role, node=node, home=module),)
    if name in _CAST and len(args) == 2:
        return types.annotated(infer, args[0], module, scope) or infer.of(args[1], module, scope)
    if name == "builtins.getattr" and len(args) >= 2:
        wanted = string_value(args[1])
        return _got(infer, args[0], wanted, module, scope) if wanted else ()
    if name in types.DEPENDS:  # a class attribute of a class-based view
        return types.depends(infer, node, module, scope)
    marker = tables.markers.get(name)
    if first is not None and (name in _TRANSPARENT or (marker is not None and marker.mark.mark == "transparent")):
        return infer.of(first, module, scope)
    if name in ("functools.partial", "functools.partialmethod") and first is not None:
        return tuple(Value(Kind.PARTIAL, inner=v, node=node, home=module) for v in infer.of(first, module, scope))
    if name in _TASKS and first is not None:
        return tuple(v._replace(name=name) for v in infer.of(first, module, scope) if v.kind == Kind.COROUTINE)
    if name in ("asyncio.run", "asgiref.sync.async_to_sync") and first is not None:
        return tuple(
            v.inner for v in infer.of(first, module, scope) if v.kind == Kind.COROUTINE and v.inner is not None
        )
    saved = _saver(infer, name, node, module)
    if saved is not None:
        return saved
    return _instance_or_result(infer, name, node, module)


def _got(infer: Inference, owner: cst.BaseExpression, name: str, module: Module, scope: Scope) -> Values:
    """``getattr(owner, "name", …)``; the owner may be an application's state."""
    if isinstance(owner, cst.Attribute) and owner.attr.value == "state":
        held = infer.app_state(owner.value, name, module, scope)
        if held:
            return held
    return merge([infer.attribute(value, name) for value in infer.of(owner, module, scope)])


def _of_subclass(found: Values, target: Value, node: cst.Call) -> Values:
    """``Own.from_llm(…)``, inherited from outside the project: such class methods make the class they are called on."""
    if not target.name.rpartition(".")[2].startswith("from_"):
        return found
    return tuple(v._replace(cls=target.cls) if v.kind == Kind.INSTANCE and v.node is node else v for v in found)


def _saver(infer: Inference, name: str, node: cst.Call, module: Module) -> Values | None:
    saver = infer.tables.savers.get(name)
    if saver is not None:
        return (Value(Kind.INSTANCE, saver.path, "saver", node=node, home=module),)
    owner, _, last = name.rpartition(".")
    saver = infer.tables.savers.get(owner)
    if saver is not None and last in saver.entered:
        made = Value(Kind.INSTANCE, saver.path, "saver", node=node, home=module)
        return (Value(Kind.CONTEXT, inner=made, node=node, home=module),)
    return None


def _instance_or_result(infer: Inference, name: str, node: cst.Call, module: Module) -> Values:
    """A class (by its capital letter) makes an instance; a class method of a known class too; the rest is a result."""
    blocking = infer.tables.blocking_instances.get(name)
    if blocking is not None:
        return (Value(Kind.INSTANCE, blocking.path, node=node, home=module),)
    owner, _, last = name.rpartition(".")
    if last[:1].isupper():
        return (Value(Kind.INSTANCE, name, types.external_role(infer, name), node=node, home=module),)
    if last.startswith("from_") and owner.rpartition(".")[2][:1].isupper():
        return (Value(Kind.INSTANCE, owner, types.external_role(infer, owner), node=node, home=module),)
    return (Value(Kind.RESULT, name, node=node, home=module),)
