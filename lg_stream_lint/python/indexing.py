"""The one pass that turns a tree into scopes, functions and classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import libcst as cst

from lg_stream_lint.python.scopes import Binding, Class, Function, Parameter, Scope, Store
from lg_stream_lint.python.syntax import DEFERRED, children, dotted_text

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module


def index(module: Module) -> None:
    """Fill the module's scope, functions, classes, parents and owners.

    ``global`` and ``nonlocal`` are honoured when they stand before the first binding, as Python demands.
    """
    _Indexer(module).run()


def targets(target: cst.CSTNode, path: tuple[int, ...] = ()) -> Iterator[tuple[cst.CSTNode, tuple[int, ...]]]:
    """The names and attributes that an assignment target binds, each with its way through tuples."""
    if isinstance(target, (cst.Tuple, cst.List)):
        for position, element in enumerate(target.elements):
            yield from targets(element.value, (*path, position))
    elif isinstance(target, cst.StarredElement):
        yield from targets(target.value, path)
    else:
        yield target, path


class _Indexer:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.scope = module.scope
        self.function: Function | None = None

    def run(self) -> None:
        """Walk the tree with an explicit stack; a frame carries the scope and function that its node is in."""
        parents = self.module.parents
        stack: list[tuple[cst.CSTNode, Scope, Function | None]] = [(self.module.tree, self.module.scope, None)]
        handlers = _HANDLERS
        while stack:
            node, scope, function = stack.pop()
            self.scope, self.function = scope, function
            kind = type(node)
            handler = handlers.get(kind)
            if handler is not None:
                handler(self, node)
            body: cst.CSTNode | None = None
            if kind in DEFERRED:
                owner = self.module.owners[node]
                body = owner.node.body
                inner = (body, owner.scope, owner if isinstance(owner, Function) else function)
            below = children(node)
            below.reverse()
            for child in below:
                parents[child] = node
                stack.append(inner if child is body else (child, scope, function))

    # Definitions

    def function_def(self, node: cst.FunctionDef) -> None:
        function = self._new_function(node, node.name.value)
        self.scope.bind(node.name.value, Binding("def", node, self.scope))
        if isinstance(self.scope.owner, Class) and self.scope.kind == "class":
            self.scope.owner.methods[node.name.value] = function

    def lambda_(self, node: cst.Lambda) -> None:
        self._new_function(node, "<lambda>")

    def _new_function(self, node: cst.FunctionDef | cst.Lambda, name: str) -> Function:
        cls = self.scope.owner if self.scope.kind == "class" and isinstance(self.scope.owner, Class) else None
        prefix = f"{self.scope.owner.qualname}." if self.scope.owner is not None else ""
        function = Function(node, self.module, self.scope, cls, prefix + name)
        self.module.functions.append(function)
        self.module.owners[node] = function
        for parameter in _parameters(node.params):
            function.parameters.append(parameter)
            function.scope.bind(parameter.name, Binding("param", node, function.scope, target=parameter.name))
        return function

    def class_def(self, node: cst.ClassDef) -> None:
        prefix = f"{self.scope.owner.qualname}." if self.scope.owner is not None else ""
        cls = Class(node, self.module, self.scope, prefix + node.name.value)
        self.module.classes.append(cls)
        self.module.owners[node] = cls
        self.scope.bind(node.name.value, Binding("class", node, self.scope))

    # Bindings

    def import_(self, node: cst.Import) -> None:
        for alias in node.names:
            dotted = dotted_text(alias.name)
            if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                self.scope.bind(alias.asname.name.value, Binding("import", node, self.scope, target=dotted))
            else:
                first = dotted.split(".", 1)[0]
                self.scope.bind(first, Binding("import", node, self.scope, target=first))

    def import_from(self, node: cst.ImportFrom) -> None:
        base = dotted_text(node.module) if node.module is not None else ""
        level = len(node.relative)
        if isinstance(node.names, cst.ImportStar):
            self.scope.stars.append(Binding("import", node, self.scope, target=base, level=level))
            return
        for alias in node.names:
            name = dotted_text(alias.name)
            local = alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else name
            # The dot before the name is kept even without a base: `from . import graph` is level 1, target "graph".
            target = f"{base}.{name}" if base else name
            self.scope.bind(local, Binding("import", node, self.scope, target=target, level=level))

    def global_(self, node: cst.Global) -> None:
        for item in node.names:
            self.scope.elsewhere[item.name.value] = "global"

    def nonlocal_(self, node: cst.Nonlocal) -> None:
        for item in node.names:
            self.scope.elsewhere[item.name.value] = "nonlocal"

    def assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._bind_target(target.target, "assign", node.value)

    def ann_assign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._bind_target(node.target, "assign", node.value)
        self._bind_target(node.target, "annotation", node.annotation.annotation)

    def aug_assign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name):
            self.scope.bind(node.target.value, Binding("augmented", node, self.scope))

    def named_expr(self, node: cst.NamedExpr) -> None:
        self._bind_target(node.target, "assign", node.value)

    def for_(self, node: cst.For) -> None:
        self._bind_target(node.target, "async-for" if node.asynchronous else "for", node.iter)
        self._loop(node)

    def comp_for(self, node: cst.CompFor) -> None:
        # A comprehension has a scope of its own; binding its names outside loses nothing that a rule asks for.
        self._bind_target(node.target, "async-for" if node.asynchronous else "for", node.iter)
        self._loop(node)

    def with_(self, node: cst.With) -> None:
        kind = "async-with" if node.asynchronous else "with"
        for item in node.items:
            if item.asname is not None:
                self._bind_target(item.asname.name, kind, item.item)
        if self.function is not None:
            self.function.withs.append(node)

    def except_handler(self, node: cst.ExceptHandler) -> None:
        if node.name is not None and isinstance(node.name.name, cst.Name):
            self.scope.bind(node.name.name.value, Binding("except", node, self.scope))

    def match_as(self, node: cst.MatchAs) -> None:
        if node.name is not None:
            by_class = node.pattern.cls if isinstance(node.pattern, cst.MatchClass) else None
            kind = "annotation" if by_class is not None else "other"
            self.scope.bind(node.name.value, Binding(kind, by_class or node, self.scope))

    def _bind_target(self, target: cst.CSTNode, kind: str, value: cst.CSTNode) -> None:
        for leaf, path in targets(target):
            binding = Binding(kind, value, self.scope, path)
            if isinstance(leaf, cst.Name):
                self.scope.bind(leaf.value, binding)
            elif isinstance(leaf, cst.Attribute):
                self._bind_attribute(leaf, binding)
            elif isinstance(leaf, cst.Subscript) and kind == "assign" and not path and len(leaf.slice) == 1:
                index = leaf.slice[0].slice
                self._store(leaf.value, index.value if isinstance(index, cst.Index) else None, value)

    def _store(self, base: cst.BaseExpression, key: cst.BaseExpression | None, value: cst.CSTNode) -> None:
        name = dotted_text(base).rpartition(".")[2]
        if name and isinstance(value, cst.BaseExpression):
            self.module.stores.setdefault(f"[{name}]", []).append(Store(base, key, value))

    def _store_by_call(self, node: cst.Call) -> None:
        """``held.append(x)``, ``held.setdefault(key, x)``, ``held.update({key: x}, key=x)``."""
        func = node.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in ("append", "setdefault", "update"):
            return
        for position, arg in enumerate(node.args):
            if func.attr.value == "append" or (func.attr.value == "setdefault" and position == 1):
                self._store(func.value, node.args[0].value if position else None, arg.value)
            elif func.attr.value == "update" and arg.keyword is not None:
                self._store(func.value, cst.SimpleString(repr(arg.keyword.value)), arg.value)
            elif func.attr.value == "update" and isinstance(arg.value, cst.Dict):
                for element in arg.value.elements:
                    if isinstance(element, cst.DictElement):
                        self._store(func.value, element.key, element.value)

    def _bind_attribute(self, target: cst.Attribute, binding: Binding) -> None:
        if binding.kind == "assign" and isinstance(binding.node, cst.BaseExpression):
            store = Store(target.value, None, binding.node, binding.path)
            self.module.stores.setdefault(f".{target.attr.value}", []).append(store)
        function = self.function
        if function is None:
            return
        while function.cls is None and function.parent is not None:
            function = function.parent
        owner = function.cls
        first = function.parameters[0].name if function.parameters else None
        if owner is not None and isinstance(target.value, cst.Name) and target.value.value == first:
            owner.attributes.setdefault(target.attr.value, []).append(binding)

    # What stands in a function's body

    def call(self, node: cst.Call) -> None:
        self.module.calls.append(node)
        self._store_by_call(node)
        if self.function is not None:
            self.function.calls.append(node)

    def return_(self, node: cst.Return) -> None:
        if self.function is not None:
            self.function.returns.append(node)

    def yield_(self, node: cst.Yield) -> None:
        if self.function is not None:
            self.function.yields.append(node)

    def raise_(self, node: cst.Raise) -> None:
        if self.function is not None:
            self.function.raises.append(node)

    def _loop(self, node: cst.For | cst.CompFor) -> None:
        if self.function is not None:
            self.function.loops.append(node)


_HANDLERS: dict[type[cst.CSTNode], Callable[[_Indexer, Any], None]] = {
    cst.FunctionDef: _Indexer.function_def,
    cst.Lambda: _Indexer.lambda_,
    cst.ClassDef: _Indexer.class_def,
    cst.Import: _Indexer.import_,
    cst.ImportFrom: _Indexer.import_from,
    cst.Global: _Indexer.global_,
    cst.Nonlocal: _Indexer.nonlocal_,
    cst.Assign: _Indexer.assign,
    cst.AnnAssign: _Indexer.ann_assign,
    cst.AugAssign: _Indexer.aug_assign,
    cst.NamedExpr: _Indexer.named_expr,
    cst.For: _Indexer.for_,
    cst.CompFor: _Indexer.comp_for,
    cst.With: _Indexer.with_,
    cst.ExceptHandler: _Indexer.except_handler,
    cst.ExceptStarHandler: _Indexer.except_handler,
    cst.MatchAs: _Indexer.match_as,
    cst.Call: _Indexer.call,
    cst.Return: _Indexer.return_,
    cst.Yield: _Indexer.yield_,
    cst.Raise: _Indexer.raise_,
}

# PEP 810's `lazy import`, known to LibCST since 1.9.
for _name, _handler in (("LazyImport", _Indexer.import_), ("LazyImportFrom", _Indexer.import_from)):
    if hasattr(cst, _name):
        _HANDLERS[getattr(cst, _name)] = _handler


def _parameters(params: cst.Parameters) -> Iterator[Parameter]:
    def one(param: cst.Param, star: str = "", keyword_only: bool = False) -> Parameter:
        annotation = param.annotation.annotation if param.annotation is not None else None
        return Parameter(param.name.value, annotation, param.default, star, keyword_only)

    for param in (*params.posonly_params, *params.params):
        yield one(param)
    if isinstance(params.star_arg, cst.Param):
        yield one(params.star_arg, "*")
    for param in params.kwonly_params:
        yield one(param, keyword_only=True)
    if params.star_kwarg is not None:
        yield one(params.star_kwarg, "**")
