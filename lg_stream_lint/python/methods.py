"""What calling a method gives, for objects whose class is not the project's own: graphs, models, clients, builtins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python import elements
from lg_stream_lint.python.syntax import argument, positional, string_value
from lg_stream_lint.python.value import Kind, Value, Values, merge

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.values import Inference

_ENTERING = frozenset({"__enter__", "__aenter__", "enter_context", "enter_async_context"})
_EXIT_STACKS = frozenset({"contextlib.ExitStack", "contextlib.AsyncExitStack"})


def method(infer: Inference, owner: Value, name: str, node: cst.Call, module: Module) -> Values:
    """What calling ``owner.name()`` gives, for an object whose class is not the project's own."""
    tables = infer.tables
    if owner.kind == Kind.LITERAL or owner.name == "builtins.dict":
        return _builtin_method(infer, owner, name, node)
    if name in ("__aiter__", "__iter__"):
        return (owner,)
    if name in _ENTERING:
        return _entered(infer, owner, name, node, module)
    if owner.kind != Kind.INSTANCE:
        return ()
    owner = as_compiled(infer, owner, name)
    row = tables.method(owner.role, name) if owner.role else None
    if row is not None:
        kind = kind_of_method(infer, owner, name, node)
        if kind == "value":
            return _same_or_role(owner, row.returns, node, module)
        return (produced(kind, owner, name, node, module),)
    made = derived(infer, owner, name, node, module)
    if made:
        return made
    if owner.role == "builder":
        return (owner,)
    return (Value(Kind.RESULT, f"{owner.name}.{name}", inner=owner, node=node, home=module),)


def _entered(infer: Inference, owner: Value, name: str, node: cst.Call, module: Module) -> Values:
    """What entering a context manager by hand, or through an exit stack, gives."""
    if name.startswith("__"):
        entered = elements.entered(infer, owner)
    elif owner.name in _EXIT_STACKS and positional(node):
        given = infer.of(positional(node)[0], module)
        entered = merge([elements.entered(infer, value) for value in given])
    else:
        entered = ()
    if name in ("__aenter__", "enter_async_context"):
        return tuple(Value(Kind.COROUTINE, name, inner=value, node=node, home=module) for value in entered)
    return entered


def derived(infer: Inference, owner: Value, name: str, node: cst.Call, module: Module) -> Values:
    """The object that a method of a blocking class gives: the session of a session maker, the cursor of a connection."""
    row = infer.tables.blocking_classes.get(owner.name)
    if row is None:
        return ()
    path = row.derived.get(name) or row.derived.get("*")
    return (Value(Kind.INSTANCE, path, node=node, home=module),) if path else ()


def receiver_of(infer: Inference, value: Value) -> Value | None:
    """The object whose method a value is."""
    if value.kind != Kind.METHOD or value.inner is None:
        return None
    return as_compiled(infer, value.inner, value.name)


def as_compiled(infer: Inference, owner: Value, name: str) -> Value:
    """A graph, when something only annotated as its builder (``graph: StateGraph``) is used as one: it was compiled."""
    if owner.role == "builder" and owner.node is None and infer.tables.method("graph", name) is not None:
        return owner._replace(name="langgraph.graph.state.CompiledStateGraph", role="graph")
    return owner


def kind_of_method(infer: Inference, owner: Value, name: str, node: cst.Call | None) -> str:
    """``async-generator``, ``awaitable``, ``generator``, ``blocking`` or ``value``; empty when the tables do not know it.

    A class's own exceptions (``RemoteGraph.astream_events``) and arguments that change the kind (``version="v3"``) count.
    """
    row = infer.tables.method(owner.role, name)
    if row is None:
        return ""
    factory = infer.tables.graph_factories.get(owner.name) or infer.tables.types.get(owner.name)
    if factory is not None and name in factory.overrides:
        return factory.overrides[name]
    if row.unless_keyword and node is not None and string_value(argument(node, row.unless_keyword)) == row.unless_value:
        return row.unless_kind
    return row.kind


def produced(kind: str, owner: Value, name: str, node: cst.Call, module: Module) -> Value:
    """The generator, coroutine or result that a streaming or invoking method gives."""
    if kind == "async-generator":
        return Value(Kind.ASYNC_GENERATOR, name, inner=owner, node=node, home=module)
    if kind == "generator":
        return Value(Kind.GENERATOR, name, inner=owner, node=node, home=module)
    result = Value(Kind.RESULT, f"{owner.role}.{name}", inner=owner, node=node, home=module)
    if kind == "awaitable":
        return Value(Kind.COROUTINE, name, inner=result, node=node, home=module)
    return result


def _same_or_role(owner: Value, role: str, node: cst.Call, module: Module) -> Values:
    if role in ("same", owner.role):
        return (owner._replace(node=owner.node or node, home=owner.home or module),)
    return (
        Value(
            Kind.INSTANCE,
            owner.name if role != "graph" else "langgraph.graph.state.CompiledStateGraph",
            role,
            inner=owner,
            node=node,
            home=module,
        ),
    )


def _builtin_method(infer: Inference, owner: Value, name: str, node: cst.Call) -> Values:
    if name in ("get", "pop", "setdefault"):
        args = positional(node)
        return elements.item(infer, owner, string_value(args[0]) if args else None)
    if name == "values":
        return tuple(Value(Kind.INSTANCE, "builtins.list", inner=v) for v in elements.item(infer, owner, None))
    if name in ("encode", "join", "format", "strip", "replace") and owner.name == "str":
        return (Value(Kind.INSTANCE, "builtins.bytes" if name == "encode" else "builtins.str"),)
    return ()
