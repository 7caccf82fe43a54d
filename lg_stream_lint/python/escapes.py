"""Which ``HTTPException`` leaves a function: raised in its own body, or by what it calls, and not caught on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.guards import decorated_by_handler, exception_names
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import called_name, walk_same_scope
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.streams import Link, Stream

#: How many calls lie at most between a generator and the `raise`.
_MOST_HOPS = 3
_MOST_FILES = 24
_LITESTAR = (
    "HTTPException", "ClientException", "InternalServerException", "NotAuthorizedException", "NotFoundException",
    "PermissionDeniedException", "ServiceUnavailableException", "TooManyRequestsException", "ValidationException",
)  # fmt: skip
#: The exceptions that stand for a response of their own.
HTTP_EXCEPTIONS = frozenset(
    {
        "fastapi.HTTPException",
        "fastapi.exceptions.HTTPException",
        "starlette.exceptions.HTTPException",
        *(f"litestar.exceptions.{name}" for name in _LITESTAR),
        *(f"litestar.exceptions.http_exceptions.{name}" for name in _LITESTAR),
    }
)
_WIDE = frozenset({"Exception", "BaseException"})
_PASSING_ON = frozenset({"wait_for", "shield", "gather", "create_task", "ensure_future"})


class Escape(NamedTuple):
    """An exception that leaves a function: ``node`` is the place in it (a ``raise`` or a call), ``path`` what is called.

    ``origin`` in ``module`` is the ``raise`` itself.
    """

    node: cst.CSTNode
    origin: cst.Raise
    module: Module
    path: tuple[Function, ...]


def http_exception(facts: Facts, node: cst.Raise, module: Module) -> Value | None:
    """The ``HTTPException`` (or project's subclass) that a statement raises; None when it raises something else."""
    if node.exc is None:
        return None
    for value in facts.infer.of(node.exc, module):
        if value.kind in (Kind.EXTERNAL, Kind.INSTANCE) and value.name in HTTP_EXCEPTIONS:
            return value
        if value.cls is not None and not HTTP_EXCEPTIONS.isdisjoint(types.external_bases(facts.infer, value.cls)):
            return value
    return None


def escaping(facts: Facts, function: Function, hops: int = _MOST_HOPS) -> Iterator[Escape]:
    """Every ``HTTPException`` that leaves the function, one for each place in its body."""
    module = function.module
    for node in function.raises:
        value = http_exception(facts, node, module)
        if value is not None and not is_caught(facts, module, node, value):
            yield Escape(node, node, module, ())
    if hops <= 0:
        return
    for call in function.calls:
        for callee in _entered(facts, call, module):
            if callee is function:
                continue
            inner = next(escaping(facts, callee, hops - 1), None)
            if inner is None:
                continue
            raised = http_exception(facts, inner.origin, inner.module)
            if raised is not None and not is_caught(facts, module, call, raised):
                yield Escape(call, inner.origin, inner.module, (callee, *inner.path))
                break


def _entered(facts: Facts, call: cst.Call, module: Module) -> Iterator[Function]:
    """The project's functions whose bodies run at a call: plain ones, and coroutine functions that are awaited here."""
    for value in facts.infer.of(call.func, module):
        callee: Function | None = None
        if value.kind == Kind.FUNCTION:
            callee = value.function
        elif value.kind == Kind.CLASS and value.cls is not None:
            callee = value.cls.methods.get("__init__")
        elif value.kind == Kind.INSTANCE and value.cls is not None:
            callee = value.cls.methods.get("__call__")
        if callee is None or callee.is_generator or isinstance(callee.node, cst.Lambda):
            continue
        if not callee.is_async or _is_awaited(module, call):
            yield callee


def _is_awaited(module: Module, call: cst.Call) -> bool:
    parent = module.parents.get(call)
    while isinstance(parent, (cst.Arg, cst.Call)):
        if isinstance(parent, cst.Call) and called_name(parent) not in _PASSING_ON:
            return False
        parent = module.parents.get(parent)
    return isinstance(parent, cst.Await)


def is_caught(facts: Facts, module: Module, node: cst.CSTNode, value: Value) -> bool:
    """Whether a ``try`` (or ``suppress``) around a node, inside its function, keeps the exception from leaving it."""
    written = value.cls.name if value.cls is not None else value.name.rpartition(".")[2]
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda)):
        if isinstance(parent, (cst.Try, cst.TryStar)) and parent.body is child:
            handler = next((h for h in parent.handlers if _catches(facts, module, h, written)), None)
            if handler is not None and not _raises_on(handler):
                return True
        if isinstance(parent, cst.With) and parent.body is child and _suppresses(parent):
            return True
        child, parent = parent, module.parents.get(parent)
    return False


def _catches(facts: Facts, module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler, written: str) -> bool:
    return any(
        name in _WIDE or name in HTTP_EXCEPTIONS or name.rpartition(".")[2] in (written, "HTTPException")
        for name in exception_names(facts, module, handler)
    )


def _raises_on(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler raises what it caught on, whatever else it does (a ``raise`` under a test may be for others)."""
    name = handler.name.name.value if handler.name is not None and isinstance(handler.name.name, cst.Name) else ""
    tested = {
        node
        for test in walk_same_scope(handler.body)
        if isinstance(test, cst.If)
        and not any(isinstance(n, cst.Name) and n.value == "HTTPException" for n in walk_same_scope(test.test))
        for node in walk_same_scope(test)
    }
    return any(
        isinstance(node, cst.Raise)
        and node not in tested
        and (node.exc is None or (isinstance(node.exc, cst.Name) and node.exc.value == name))
        for node in walk_same_scope(handler.body)
    )


def _suppresses(node: cst.With) -> bool:
    return any(isinstance(item.item, cst.Call) and called_name(item.item) == "suppress" for item in node.items)


def reaches_response(facts: Facts, link: Link, node: cst.CSTNode, value: Value) -> bool:
    """Whether an exception at a node of a link's generator ends the response: no generator on the way catches it."""
    current: Link | None = link
    place: cst.CSTNode | None = node
    while current is not None and place is not None:
        module = current.function.module
        if is_caught(facts, module, place, value) or decorated_by_handler(facts, current.function):
            return False
        place, current = current.loop, current.outer
    return True


def is_primed(facts: Facts, stream: Stream) -> bool:
    """Whether something outside the stream's generators asks one of them for its first item, before the response begins.

    What a generator raises before its first ``yield`` is then raised in the handler, where it becomes a response.
    """
    project = facts.project
    generators = {link.function for link in facts.streams.links(stream)}
    paths = {path for word in (b"anext", b"__next__", b"next(", b"asend") for path in project.mentioning(word)}
    if len(paths) > _MOST_FILES:
        paths = {stream.module.path, *(g.module.path for g in generators)} & paths
    for path in sorted(paths):
        module = project.module(path)
        if module is None:
            continue
        for name in ("anext", "__anext__", "next", "__next__", "asend"):
            for call in module.calls_of(name):
                asked = _asked(call)
                function = module.function_at(call)
                if asked is None or (function is not None and function.is_generator):
                    continue
                if any(value.function in generators for value in facts.infer.of(asked, module)):
                    return True
    return False


def _asked(call: cst.Call) -> cst.BaseExpression | None:
    if isinstance(call.func, cst.Attribute):
        return call.func.value
    return call.args[0].value if call.args else None
