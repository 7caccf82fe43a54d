"""What annotations, parameters and classes say about values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python import stores
from lg_stream_lint.python.scopes import Class, Function, Parameter, Scope
from lg_stream_lint.python.syntax import argument, string_value
from lg_stream_lint.python.value import Kind, Value, Values, is_none, literal, merge

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.values import Inference

_OPTIONAL = frozenset(
    {"typing.Optional", "typing.Union", "typing.Final", "typing.ClassVar", "typing.Required", "typing.NotRequired"}
)
_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
_ASYNC_ITERATORS = frozenset({"AsyncGenerator", "AsyncIterator", "AsyncIterable"})
_ITERATORS = frozenset({"Generator", "Iterator"})
_AWAITABLES = frozenset({"Awaitable", "Coroutine", "Future", "Task"})
DEPENDS = frozenset(
    {"fastapi.Depends", "fastapi.Security", "fastapi.params.Depends", "fastapi.param_functions.Depends"}
)


def annotated(infer: Inference, node: cst.CSTNode, module: Module, scope: Scope) -> Values:
    """The values that an annotation promises. ``Depends`` inside ``Annotated`` wins over the type beside it."""
    text = string_value(node)
    if text is not None:
        try:
            return annotated(infer, cst.parse_expression(text.strip()), module, scope)
        except Exception:  # noqa: BLE001 - anything a string can hold that is no expression
            return ()
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return merge([annotated(infer, node.left, module, scope), annotated(infer, node.right, module, scope)])
    if isinstance(node, cst.Subscript):
        return _subscripted(infer, node, module, scope)
    if isinstance(node, cst.Name) and node.value == "None":
        return (literal("none", node, module),)
    alias = _alias(infer, node, scope)
    if alias is not None:
        return infer.alias(*alias)
    return merge([instance_of(infer, value) for value in infer.of(node, module, scope)])


def _alias(
    infer: Inference, node: cst.CSTNode, scope: Scope, hops: int = 4
) -> tuple[cst.CSTNode, Module, Scope] | None:
    """The type behind a name that was assigned one: ``GraphDep = Annotated[Graph, Depends(get_graph)]``."""
    if not isinstance(node, cst.Name) or hops == 0:
        return None
    holder = scope.holder_of(node.value)
    if holder is None:
        return None
    for binding in holder.bindings[node.value]:
        if binding.kind == "assign" and isinstance(binding.node, (cst.Subscript, cst.BinaryOperation)):
            return binding.node, holder.module, binding.scope
        if binding.kind == "import":
            located = infer.project.leads_to(binding.target, holder.module.path, binding.level)
            target = infer.project.module(located.path) if located is not None and len(located.rest) == 1 else None
            if target is not None and located is not None:
                return _alias(infer, cst.Name(located.rest[0]), target.scope, hops - 1)
    return None


def _subscripted(infer: Inference, node: cst.Subscript, module: Module, scope: Scope) -> Values:
    inner = [element.slice.value for element in node.slice if isinstance(element.slice, cst.Index)]
    if not inner:
        return ()
    names = {value.name for value in infer.of(node.value, module, scope) if value.kind == Kind.EXTERNAL}
    last = {name.rpartition(".")[2] for name in names}
    if names & _ANNOTATED:
        found = merge([depends(infer, extra, module, scope) for extra in inner[1:]])
        return found or annotated(infer, inner[0], module, scope)
    if names & _OPTIONAL:
        return merge([annotated(infer, item, module, scope) for item in inner])
    if last & _ASYNC_ITERATORS:
        return (Value(Kind.ASYNC_GENERATOR),)
    if last & _ITERATORS:
        return (Value(Kind.GENERATOR),)
    if last & _AWAITABLES:
        return tuple(Value(Kind.COROUTINE, inner=v) for v in annotated(infer, inner[-1], module, scope))
    if last & {"type", "Type"}:
        return tuple(v for v in infer.of(inner[0], module, scope))
    if last & {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"} and len(inner) == 2:
        return tuple(Value(Kind.INSTANCE, "builtins.dict", inner=v) for v in annotated(infer, inner[1], module, scope))
    if last & {"tuple", "Tuple"} and len(inner) > 1 and not isinstance(inner[1], cst.Ellipsis):
        return (Value(Kind.INSTANCE, "builtins.tuple", node=node, home=module),)
    if last & {"list", "List", "Sequence", "Iterable", "set", "tuple", "Tuple"}:
        return tuple(Value(Kind.INSTANCE, "builtins.list", inner=v) for v in annotated(infer, inner[0], module, scope))
    return merge([instance_of(infer, value) for value in infer.of(node.value, module, scope)])


def instance_of(infer: Inference, value: Value) -> Values:
    """An object of a class."""
    if value.kind == Kind.CLASS and value.cls is not None:
        return (Value(Kind.INSTANCE, external_base(infer, value.cls), role_of(infer, value.cls), cls=value.cls),)
    if value.kind != Kind.EXTERNAL:
        return ()
    last = value.name.rpartition(".")[2]
    if last in _ASYNC_ITERATORS:
        return (Value(Kind.ASYNC_GENERATOR),)
    if last in _ITERATORS:
        return (Value(Kind.GENERATOR),)
    if value.name in ("builtins.str", "builtins.int", "builtins.float", "builtins.bool", "builtins.bytes"):
        return (Value(Kind.INSTANCE, value.name),)
    if value.name.startswith(("typing.", "builtins.")) and last in ("Any", "object"):
        return ()
    return (Value(Kind.INSTANCE, value.name, external_role(infer, value.name)),)


def external_role(infer: Inference, dotted: str) -> str:
    """What an object of that class is to LangGraph."""
    known = infer.tables.types.get(dotted) or infer.tables.graph_factories.get(dotted)
    if known is not None:
        return known.role
    if dotted in infer.tables.savers:
        return "saver"
    model = infer.tables.models.get(dotted)
    return "model" if model is not None and model.kind in ("chat", "llm") else ""


def bases(infer: Inference, cls: Class, seen: tuple[Class, ...] = ()) -> list[Class]:
    """The class and its bases inside the project, in an order good enough for look-ups (depth first)."""
    if cls in seen or len(seen) > 8:
        return []
    found = [cls]
    for base in cls.bases:
        for value in infer.of(base, cls.module, cls.outer):
            if value.kind == Kind.CLASS and value.cls is not None:
                found.extend(c for c in bases(infer, value.cls, (*seen, cls)) if c not in found)
    return found


def external_bases(infer: Inference, cls: Class) -> list[str]:
    """The dotted names of every base outside the project; a class that the configuration names stands for itself, too."""
    found: list[str] = []
    for current in bases(infer, cls):
        own = infer.project.facts.own.path_of(current)
        if own and own not in found:
            found.append(own)
        for base in current.bases:
            for value in infer.of(base, current.module, current.outer):
                if value.kind == Kind.EXTERNAL and value.name not in found:
                    found.append(value.name)
    return found


def external_base(infer: Inference, cls: Class) -> str:
    """The base outside the project that the tables know, else the first one, else an empty string."""
    names = external_bases(infer, cls)
    tables = infer.tables
    for name in names:
        if name in tables.responses or name in tables.models or name in tables.types or name in tables.blocking_classes:
            return name
        if name in tables.own:
            return name
    return names[0] if names else ""


def role_of(infer: Inference, cls: Class) -> str:
    """The role that a class of the project inherits from outside."""
    for name in external_bases(infer, cls):
        role = external_role(infer, name)
        if role:
            return role
    return ""


def class_attribute(infer: Inference, cls: Class, name: str, owner: Value) -> Values | None:
    """A method or attribute that the project's classes define; None when none of them does."""
    found: Values | None = None
    for current in bases(infer, cls):
        method = current.methods.get(name)
        if method is not None:
            return _method(infer, method, owner)
        groups: list[Values] = []
        for binding in (*current.attributes.get(name, ()), *current.scope.bindings.get(name, ())):
            groups.append(infer.binding(binding, name))
        if groups:
            found = merge(groups)
            break
    if not found or all(map(is_none, found)):
        return stores.set_on(infer, owner, name) or stores.passed_to_constructor(infer, cls, name) or found
    return found


def _method(infer: Inference, method: Function, owner: Value) -> Values:
    for decorator in method.decorators:
        target = decorator.func if isinstance(decorator, cst.Call) else decorator
        if isinstance(target, (cst.Name, cst.Attribute)):
            last = target.value if isinstance(target, cst.Name) else target.attr.value
            if last in ("property", "cached_property"):
                return infer.returns(method)
    from lg_stream_lint.python.calls import decorated

    return tuple(
        value._replace(inner=owner) if value.kind == Kind.FUNCTION else value for value in decorated(infer, method)
    )


def parameter(infer: Inference, scope: Scope, name: str) -> Values:
    """What a parameter can be: by its dependency, its annotation, its default, or what its callers pass."""
    function = scope.owner
    if not isinstance(function, Function):
        return ()
    module = function.module
    position = next((i for i, p in enumerate(function.parameters) if p.name == name), -1)
    if position < 0:
        return ()
    param = function.parameters[position]
    if param.star:
        return (literal("dict" if param.star == "**" else "tuple", None, module),)
    if position == 0 and function.is_method and function.cls is not None:
        cls = function.cls
        if any(isinstance(d, cst.Name) and d.value == "classmethod" for d in function.decorators):
            return (Value(Kind.CLASS, cls=cls, module=module),)
        return (Value(Kind.INSTANCE, external_base(infer, cls), role_of(infer, cls), cls=cls),)
    groups: list[Values] = []
    if param.default is not None:
        given = depends(infer, param.default, module, function.outer)
        if given:
            return given
    if param.annotation is not None:
        groups.append(annotated(infer, param.annotation, module, function.outer))
        # `= Depends()` without a callable takes the annotation's class.
    found = merge(groups)
    if found and not all(v.kind == Kind.LITERAL or _is_any_iterator(v) for v in found):
        return found
    if param.default is not None:
        groups.append(infer.of(param.default, module, function.outer))
    groups.append(infer.project.facts.passed(function, position))
    return merge(groups)


def _is_any_iterator(value: Value) -> bool:
    """Whether a value is what ``AsyncIterator[str]`` promises, and nothing is known of what makes the items."""
    return value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) and value.function is None and value.inner is None


def dependency_calls(
    infer: Inference, parameter: Parameter, function: Function
) -> Iterator[tuple[cst.Call, Module, Scope]]:
    """Every ``Depends(…)`` that fills a parameter: its default's, or one inside ``Annotated`` (aliases followed)."""
    found: list[tuple[cst.CSTNode, Module, Scope]] = []
    if parameter.default is not None:
        found.append((parameter.default, function.module, function.outer))
    if parameter.annotation is not None:
        alias = _alias(infer, parameter.annotation, function.outer)
        node, module, scope = alias or (parameter.annotation, function.module, function.outer)
        if isinstance(node, cst.Subscript):
            found.extend((e.slice.value, module, scope) for e in node.slice[1:] if isinstance(e.slice, cst.Index))
    for item, module, scope in found:
        if isinstance(item, cst.Call) and any(v.name in DEPENDS for v in infer.of(item.func, module, scope)):
            yield item, module, scope


def depends(infer: Inference, node: cst.CSTNode, module: Module, scope: Scope) -> Values:
    """What FastAPI injects for ``Depends(f)``: what ``f`` returns, or yields."""
    if not isinstance(node, cst.Call):
        return ()
    if not any(value.name in DEPENDS for value in infer.of(node.func, module, scope)):
        return ()
    given = argument(node, "dependency", 0)
    if given is None:
        return ()
    groups: list[Values] = []
    for value in infer.of(given, module, scope):
        if value.kind == Kind.FUNCTION and value.function is not None:
            function = value.function
            groups.append(infer.yielded(function) if function.is_generator else infer.returns(function))
        elif value.kind == Kind.CONTEXT and value.function is not None:
            groups.append(infer.yielded(value.function))
        elif value.kind == Kind.CLASS:
            groups.append(instance_of(infer, value))
        elif value.kind == Kind.INSTANCE and value.cls is not None:
            for call in infer.attribute(value, "__call__"):
                if call.function is not None:
                    groups.append(infer.returns(call.function))
    return merge(groups)
