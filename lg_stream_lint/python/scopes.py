"""Scopes and what binds a name in them: the raw material from which values are inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module


class Binding(NamedTuple):
    """One way a name gets a value.

    ``kind`` is one of ``import`` (``target`` is the dotted name, ``level`` the dots of a relative import),
    ``assign`` (``node`` is the value), ``annotation`` (``node`` is the annotation), ``param``, ``for``/``async-for``
    (``node`` is the iterable), ``with``/``async-with`` (``node`` is the context expression), ``def``, ``class``, ``except``
    and ``other``. ``path`` says which element was taken when the target was a tuple: ``a, (b, c) = x`` gives c ``(1, 1)``.
    ``scope`` is where ``node`` is evaluated.
    """

    kind: str
    node: cst.CSTNode | None
    scope: Scope
    path: tuple[int, ...] = ()
    target: str = ""
    level: int = 0


class Store(NamedTuple):
    """Something put into an object: ``base[key] = value``, ``base.append(value)`` or ``base.name = value``.

    ``path`` leads to the part of the value that it is, where a tuple is unpacked.
    """

    base: cst.BaseExpression
    key: cst.BaseExpression | None
    value: cst.BaseExpression
    path: tuple[int, ...] = ()


class Scope:
    """A module's, class's or function's names, each with every binding it has, in source order."""

    def __init__(self, kind: str, module: Module, parent: Scope | None, owner: Function | Class | None = None) -> None:
        self.kind = kind
        self.module = module
        self.parent = parent
        self.owner = owner
        self.bindings: dict[str, list[Binding]] = {}
        self.stars: list[Binding] = []
        self.elsewhere: dict[str, str] = {}  # names declared global or nonlocal

    def bind(self, name: str, binding: Binding) -> None:
        """Record one binding, in the scope that a ``global`` or ``nonlocal`` statement sends it to."""
        target: Scope = self
        where = self.elsewhere.get(name)
        if where == "global":
            target = self.module.scope
        elif where == "nonlocal" and self.parent is not None:
            target = self.parent.holder_of(name) or self.parent
        target.bindings.setdefault(name, []).append(binding)

    def holder_of(self, name: str) -> Scope | None:
        """The scope, from this one outwards, in which the name is bound (class scopes are not seen from inside)."""
        scope: Scope | None = self
        first = True
        while scope is not None:
            if name in scope.bindings and (first or scope.kind != "class") and name not in scope.elsewhere:
                return scope
            first = False
            scope = scope.parent
        return None


class Parameter(NamedTuple):
    """A function's parameter; ``star`` is ``*``, ``**`` or empty."""

    name: str
    annotation: cst.BaseExpression | None
    default: cst.BaseExpression | None
    star: str = ""
    keyword_only: bool = False


class Function:
    """A function or lambda and what stands directly in its body (nested functions have their own)."""

    def __init__(
        self,
        node: cst.FunctionDef | cst.Lambda,
        module: Module,
        outer: Scope,
        cls: Class | None,
        qualname: str,
    ) -> None:
        self.node = node
        self.module = module
        self.outer = outer
        self.cls = cls
        self.qualname = qualname
        self.scope = Scope("function", module, outer, self)
        self.is_async = isinstance(node, cst.FunctionDef) and node.asynchronous is not None
        self.parameters: list[Parameter] = []
        self.calls: list[cst.Call] = []
        self.returns: list[cst.Return] = []
        self.yields: list[cst.Yield] = []
        self.loops: list[cst.For | cst.CompFor] = []
        self.withs: list[cst.With] = []
        self.raises: list[cst.Raise] = []

    @property
    def name(self) -> str:
        """The function's own name, ``<lambda>`` for lambdas."""
        return self.node.name.value if isinstance(self.node, cst.FunctionDef) else "<lambda>"

    @property
    def is_generator(self) -> bool:
        """Whether calling it gives a generator or async generator."""
        return bool(self.yields)

    @property
    def decorators(self) -> list[cst.BaseExpression]:
        """The decorators' expressions, outermost first."""
        return [d.decorator for d in self.node.decorators] if isinstance(self.node, cst.FunctionDef) else []

    @property
    def parent(self) -> Function | None:
        """The function in whose body this one is defined."""
        scope: Scope | None = self.outer
        while scope is not None:
            if isinstance(scope.owner, Function):
                return scope.owner
            scope = scope.parent
        return None

    @property
    def is_method(self) -> bool:
        """Whether the first parameter is the instance or class: a method that is not static."""
        return self.cls is not None and not any(
            isinstance(d, cst.Name) and d.value == "staticmethod" for d in self.decorators
        )

    @property
    def returned_annotation(self) -> cst.BaseExpression | None:
        """The return annotation, if there is one."""
        node = self.node
        return node.returns.annotation if isinstance(node, cst.FunctionDef) and node.returns is not None else None

    def __repr__(self) -> str:
        return f"<Function {self.module.path}:{self.qualname}>"


class Class:
    """A class of the project: its bases, its methods and every ``self.x = …`` in them."""

    def __init__(self, node: cst.ClassDef, module: Module, outer: Scope, qualname: str) -> None:
        self.node = node
        self.module = module
        self.outer = outer
        self.qualname = qualname
        self.scope = Scope("class", module, outer, self)
        self.methods: dict[str, Function] = {}
        self.attributes: dict[str, list[Binding]] = {}

    @property
    def name(self) -> str:
        """The class's own name."""
        return self.node.name.value

    @property
    def bases(self) -> list[cst.BaseExpression]:
        """The base class expressions, keywords left out, ``Generic[T]`` reduced to what stands before the bracket."""
        found = []
        for arg in self.node.bases:
            value = arg.value
            found.append(value.value if isinstance(value, cst.Subscript) else value)
        return found

    def __repr__(self) -> str:
        return f"<Class {self.module.path}:{self.qualname}>"
