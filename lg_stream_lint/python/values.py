"""What an expression can be: names, attributes, operators and literals. Calls are in :mod:`.calls`, types in :mod:`.types`."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import libcst as cst

from lg_stream_lint.python import calls, elements, operators, stores, types
from lg_stream_lint.python.flow import live_binding
from lg_stream_lint.python.scopes import Binding, Class, Function, Scope
from lg_stream_lint.python.syntax import dotted_text
from lg_stream_lint.python.value import Kind, Value, Values, is_none, literal, merge

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.project import Project

#: How many names, attributes and calls deep an expression is followed: real services need seven, cycles need a limit.
DEEPEST = 24

#: Classes whose `state` is the application's.
_CONNECTIONS = (".Request", ".HTTPConnection", ".WebSocket")
#: What an application is called where it is not built.
_APPLICATIONS = (".app", "current_app")
_BUILTINS = frozenset(dir(builtins))
_LITERALS: dict[type[cst.CSTNode], str] = {
    cst.SimpleString: "str",
    cst.FormattedString: "str",
    cst.Integer: "int",
    cst.Float: "float",
    cst.List: "list",
    cst.ListComp: "list",
    cst.Dict: "dict",
    cst.DictComp: "dict",
    cst.Set: "set",
    cst.SetComp: "set",
    cst.Tuple: "tuple",
    cst.GeneratorExp: "generator",
    cst.Comparison: "bool",
}


class Inference:
    """Answers "what can this be?" for a project; every answer is computed once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.tables = project.knowledge
        self._known: dict[cst.CSTNode, Values] = {}
        self._names: dict[tuple[Scope, str], Values] = {}
        self._returns: dict[Function, Values] = {}
        self._aliases: dict[cst.CSTNode, Values] = {}
        self._busy: set[Hashable] = set()
        self._passing: dict[Hashable, Values] = {}
        self._cut = False
        self._depth = 0

    # Expressions

    def of(self, node: cst.CSTNode, module: Module, scope: Scope | None = None) -> Values:
        """Every value that is known to be possible; empty when nothing is known.

        ``scope`` is needed for nodes that are no part of the module's tree (a parsed string annotation).
        """
        known = self._known.get(node)
        if known is not None:
            return known
        return self._guarded(node, self._known, node, lambda: self._of(node, module, scope or module.scope_at(node)))

    def alias(self, node: cst.CSTNode, module: Module, scope: Scope) -> Values:
        """What a type alias stands for; one that names itself (``Json = dict[str, "Json"] | str``) says nothing more there."""
        known = self._aliases.get(node)
        if known is not None:
            return known
        key = ("alias", node)
        return self._guarded(key, self._aliases, node, lambda: types.annotated(self, node, module, scope))

    def _guarded(self, key: Hashable, memo: dict[Any, Values], at: Hashable, compute: Callable[[], Values]) -> Values:
        if key in self._busy or self._depth > DEEPEST:
            self._cut = True
            return ()
        passing = self._passing.get(key)
        if passing is not None:
            return passing
        self._busy.add(key)
        self._depth += 1
        outer_cut, self._cut = self._cut, False
        try:
            found = compute()
        finally:
            self._busy.discard(key)
            self._depth -= 1
        # An answer found while a cycle was cut short depends on where the question started: it is kept for that question.
        if not self._cut or not self._busy:
            memo[at] = found
        else:
            self._passing[key] = found
        if not self._busy:
            self._passing.clear()
        self._cut = self._cut or outer_cut
        return found

    def _of(self, node: cst.CSTNode, module: Module, scope: Scope) -> Values:
        name = _LITERALS.get(type(node))
        if name is not None:
            return (literal(name, node, module),)
        if isinstance(node, cst.Name):
            if node.value in ("None", "True", "False"):
                return (literal("none" if node.value == "None" else "bool", node, module),)
            return self.name(node.value, scope, node)
        if isinstance(node, cst.Attribute):
            return self._attribute_node(node, module, scope)
        if isinstance(node, cst.Call):
            return calls.call(self, node, module, scope)
        if isinstance(node, cst.Await):
            awaited = self.of(node.expression, module, scope)
            return tuple(found for value in awaited if (found := _awaited(value)) is not None)
        if isinstance(node, cst.NamedExpr):
            return self.of(node.value, module, scope)
        if isinstance(node, cst.IfExp):
            return merge([self.of(node.body, module, scope), self.of(node.orelse, module, scope)])
        if isinstance(node, cst.BooleanOperation):
            return merge([self.of(node.left, module, scope), self.of(node.right, module, scope)])
        if isinstance(node, cst.BinaryOperation):
            return operators.operation(self, node, module, scope)
        if isinstance(node, cst.Subscript):
            return elements.subscript(self, node, module, scope)
        if isinstance(node, cst.Lambda):
            owner = module.owners.get(node)
            return (Value(Kind.FUNCTION, function=owner, module=module),) if isinstance(owner, Function) else ()
        if isinstance(node, cst.ConcatenatedString):
            return (literal("str", node, module),)
        return ()

    def _attribute_node(self, node: cst.Attribute, module: Module, scope: Scope) -> Values:
        if isinstance(node.value, cst.Attribute) and node.value.attr.value == "state":
            held = self.app_state(node.value.value, node.attr.value, module, scope)
            if held:
                return held
        if dotted_text(node.value).endswith(_APPLICATIONS):
            held = stores.set_on_application(self, node.attr.value)
            if held:
                return held
        return merge([self.attribute(value, node.attr.value) for value in self.of(node.value, module, scope)])

    def app_state(self, owner: cst.BaseExpression, name: str, module: Module, scope: Scope) -> Values:
        """``request.app.state.<name>``: what was assigned to it, where the object before ``state`` is an application."""
        last = dotted_text(owner).rpartition(".")[2]
        if last.endswith(("app", "request", "websocket")) or any(
            v.name in self.tables.apps or v.name.endswith(_CONNECTIONS) for v in self.of(owner, module, scope)
        ):
            return self.project.facts.app_state(name)
        return ()

    # Names

    def name(self, name: str, scope: Scope, at: cst.CSTNode | None = None) -> Values:
        """What a name can be when it is read in a scope."""
        holder = scope.holder_of(name)
        if holder is None:
            found = self._by_stars(name, scope)
            if found:
                return found
            return (Value(Kind.EXTERNAL, f"builtins.{name}"),) if name in _BUILTINS else ()
        bindings = holder.bindings[name]
        if at is not None and holder is scope and len(bindings) > 1:
            live = live_binding(bindings, at, scope)
            if live is not None:
                return self.binding(live, name)
        key = (holder, name)
        known = self._names.get(key)
        if known is not None:
            return known
        return self._guarded(key, self._names, key, lambda: merge([self.binding(b, name) for b in bindings]))

    def _by_stars(self, name: str, scope: Scope) -> Values:
        """What star imports make of a name. Modules may import each other so, in a circle."""
        stars = [binding for where in (scope, scope.module.scope) for binding in where.stars]
        if not stars:
            return ()
        key = (scope, name)
        known = self._names.get(key)
        if known is not None:
            return known
        return self._guarded(key, self._names, key, lambda: merge([self.module_name(star, name) for star in stars]))

    def module_name(self, star: Binding, name: str) -> Values:
        """A name that a star import brings from a module of the project (or from outside: then only by its path)."""
        located = self.project.locate(star.target, star.scope.module.path, star.level)
        if located is None or located.rest:  # a compiled module of a package is none that can be read
            return ()
        module = self.project.module(located.path)
        return self.member(module, name) if module is not None else ()

    def binding(self, binding: Binding, name: str) -> Values:
        """What one binding gives a name."""
        scope, node = binding.scope, binding.node
        module = scope.module
        kind = binding.kind
        if kind == "import":
            return self.imported(binding.target, module, binding.level)
        if node is None:
            return ()
        if kind == "assign":
            values = self.of(node, module, scope)
            return elements.parts(self, values, binding.path)
        if kind == "annotation":
            return types.annotated(self, node, module, scope)
        if kind == "param":
            return types.parameter(self, scope, name)
        if kind in ("with", "async-with"):
            if binding.path:
                return ()
            return merge([elements.entered(self, value) for value in self.of(node, module, scope)])
        if kind in ("for", "async-for"):
            return elements.looped(self, node, binding.path, module, scope)
        owner = module.owners.get(node)
        if isinstance(owner, Function):
            return calls.decorated(self, owner)
        if isinstance(owner, Class):
            return (Value(Kind.CLASS, cls=owner, module=module),)
        return ()

    # Imported names

    def imported(self, dotted: str, module: Module, level: int = 0) -> Values:
        """What an imported name is: a module, something in one, or something outside the project."""
        located = self.project.leads_to(dotted, module.path, level)
        if located is None:
            return () if level else (Value(Kind.EXTERNAL, dotted),)
        target = self.project.module(located.path)
        if target is None:
            return ()
        values: Values = (Value(Kind.MODULE, dotted, module=target),)
        for part in located.rest:
            values = merge([self.attribute(value, part) for value in values])
        return values

    def member(self, module: Module, name: str) -> Values:
        """A name at the top level of a module of the project, re-exports and star imports followed."""
        return self.name(name, module.scope) if name not in _BUILTINS or name in module.scope.bindings else ()

    def _submodule(self, package: Module, name: str) -> Values:
        located = self.project.locate(name, package.path, 1)
        module = self.project.module(located.path) if located is not None and not located.rest else None
        return (Value(Kind.MODULE, name, module=module),) if module is not None else ()

    # Attributes

    def attribute(self, value: Value, name: str) -> Values:
        """``value.name``."""
        kind = value.kind
        if kind == Kind.EXTERNAL:
            return (value._replace(name=f"{value.name}.{name}"),)
        if kind == Kind.MODULE and value.module is not None:
            found = self.member(value.module, name) or stores.set_on(self, value, name)
            if found or not value.module.is_package:
                return found
            return self._submodule(value.module, name) if name not in value.module.scope.bindings else ()
        if kind == Kind.INSTANCE:
            if value.cls is not None and not self._is_known_method(value, name):
                own = types.class_attribute(self, value.cls, name, value)
                if own is not None:
                    return own
            if value.cls is None and stores.takes_any(self, value):
                put = stores.set_on(self, value, name)
                if put or value.name in stores.NAMESPACES:
                    return put
            return (Value(Kind.METHOD, name, inner=value),)
        if kind == Kind.METHOD and value.inner is not None:
            return (value._replace(name=f"{value.name}.{name}"),)
        if kind == Kind.CLASS and value.cls is not None:
            own = types.class_attribute(self, value.cls, name, value)
            if own is not None:
                return own
            base = types.external_base(self, value.cls)
            return (Value(Kind.EXTERNAL, f"{base}.{name}", cls=value.cls),) if base else ()
        if kind in (Kind.RESULT, Kind.CONTEXT):
            return (Value(Kind.METHOD, name, inner=value),)
        if kind == Kind.LITERAL and value.name in ("dict", "list", "str"):
            return (Value(Kind.METHOD, name, inner=value),)
        if name in ("__aiter__", "__iter__") and kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR):
            return (Value(Kind.METHOD, name, inner=value),)
        return ()

    def _is_known_method(self, value: Value, name: str) -> bool:
        """Whether the tables speak of a method of a class that the configuration adds: then its own text does not count."""
        return value.name in self.tables.own and self.tables.method(value.role, name) is not None

    # Functions

    def returns(self, function: Function) -> Values:
        """What calling a plain function, or awaiting the call of an async one, gives."""
        known = self._returns.get(function)
        if known is not None:
            return known
        return self._guarded(("returns", function), self._returns, function, lambda: self._returned(function))

    def _returned(self, function: Function) -> Values:
        module = function.module
        if isinstance(function.node, cst.Lambda):
            return self.of(function.node.body, module, function.scope)
        groups = [self.of(ret.value, module) for ret in function.returns if ret.value is not None]
        found = merge(groups)
        # Where the body only hands on what outside code gives, the annotation may know more.
        if any(v.kind != Kind.RESULT and not is_none(v) for v in found) or function.returned_annotation is None:
            return found
        return merge([types.annotated(self, function.returned_annotation, module, function.outer), found])

    def yielded(self, function: Function) -> Values:
        """What a generator function yields."""
        return merge(
            [self.of(y.value, function.module) for y in function.yields if isinstance(y.value, cst.BaseExpression)]
        )


def _awaited(value: Value) -> Value | None:
    """What awaiting gives. The result of an outside call may be awaitable or not; either way it is about that call."""
    if value.kind == Kind.RESULT:
        return value
    return value.inner if value.kind == Kind.COROUTINE else None
