"""What an expression can be, as far as the project's text says. What cannot be told is absent, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.scopes import Class, Function


class Kind:
    """The kinds of values."""

    EXTERNAL = "external"  # something imported from outside the project; `name` is its dotted path
    MODULE = "module"  # a module of the project
    FUNCTION = "function"  # a function of the project; `self_value` is what it is bound to
    CLASS = "class"  # a class of the project
    INSTANCE = "instance"  # an object: `name` is its class's dotted path, or `cls` its class in the project
    METHOD = "method"  # `name` (may be dotted) of the object `inner`, whose class is not the project's
    COROUTINE = "coroutine"  # to be awaited; gives `inner`
    ASYNC_GENERATOR = "async-generator"
    GENERATOR = "generator"
    CONTEXT = "context"  # a context manager; entering it gives `inner`
    PARTIAL = "partial"  # functools.partial: calling it calls `inner`
    LITERAL = "literal"  # `name` is the builtin type: str, int, dict, list, none …
    RESULT = "result"  # what a call of something outside the project gave; `name` is what was called


#: Roles whose objects have LangChain's `invoke`/`stream` methods.
RUNNABLE_ROLES = frozenset({"graph", "chain", "model", "prompt", "parser", "retriever"})


class Value(NamedTuple):
    """One possible value of an expression.

    ``role`` is what the object is to LangGraph: ``graph``, ``builder``, ``chain``, ``prompt``, ``parser``, ``retriever``,
    ``model``, ``tool``, or empty. ``node`` in ``home`` is the expression that made it (a constructor call, a literal).
    For generators and coroutines ``function`` is the project's function that was called, or ``name`` the method of the
    object ``inner`` that was.
    """

    kind: str
    name: str = ""
    role: str = ""
    function: Function | None = None
    cls: Class | None = None
    module: Module | None = None
    inner: Value | None = None
    node: cst.CSTNode | None = None
    home: Module | None = None

    @property
    def is_runnable(self) -> bool:
        """Whether this is an object with LangChain's ``invoke`` and ``stream``."""
        return self.kind == Kind.INSTANCE and self.role in RUNNABLE_ROLES

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two values the same for a rule: everything but the way they were reached."""
        return (
            self.kind,
            self.name,
            self.role,
            self.function,
            self.cls,
            self.module,
            self.node,
            self.inner and self.inner.key,
        )


Values = tuple[Value, ...]

#: How many possible values of one expression are kept: a helper that makes the responses of a whole service has many callers.
_MOST = 32


def literal(name: str, node: cst.CSTNode | None = None, home: Module | None = None) -> Value:
    """A literal of a builtin type."""
    return Value(Kind.LITERAL, name, node=node, home=home)


def is_none(value: Value) -> bool:
    """Whether the value is ``None``."""
    return value.kind == Kind.LITERAL and value.name == "none"


def merge(groups: list[Values]) -> Values:
    """All possible values, without doubles, and without ``None`` where there is something else."""
    found: dict[tuple[object, ...], Value] = {}
    for group in groups:
        for value in group:
            found.setdefault(value.key, value)
    values = list(found.values())
    if len(values) > 1:
        values = [value for value in values if not is_none(value)] or values[:1]
    return tuple(values[:_MOST])
