"""Which generator feeds which response, through variables, helpers, other modules and generators around generators."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.knowledge import Response
from lg_stream_lint.python import types
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, walk_same_scope
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: Generators around generators around …: deeper than this nobody writes.
_DEEPEST = 6


class Stream(NamedTuple):
    """A response built around a stream.

    ``row`` is the response class, ``call`` its construction in ``module`` and ``content`` the argument that is streamed. For
    a handler that itself yields, ``call`` is None and ``handler`` is that function.
    """

    module: Module
    row: Response | None
    call: cst.Call | None
    content: cst.BaseExpression | None
    handler: Function | None
    class_value: Value | None


class Link(NamedTuple):
    """A generator of a stream: ``outer`` iterates it at ``loop`` (None for the one that the response itself iterates)."""

    function: Function
    outer: Link | None
    loop: cst.CSTNode | None


class Streams:
    """Every stream of a project, found on first use."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self.project = facts.project
        self._of: dict[Module, list[Stream]] = {}
        self._links: dict[int, list[Link]] = {}
        self._fed: dict[str, dict[Function, list[tuple[Stream, Link]]]] = {}

    # Finding them

    def of(self, module: Module) -> list[Stream]:
        """The streams whose response is built (or whose handler yields) in this module."""
        known = self._of.get(module)
        if known is None:
            self._of[module] = []
            known = self._of[module] = [*self._built(module), *self._yielding(module)]
        return known

    def _built(self, module: Module) -> Iterator[Stream]:
        for call in module.calls:
            found = self.response(call, module)
            if found is not None and found[0].streams:
                row, value = found
                content = argument(call, row.content, row.position if row.position >= 0 else None)
                yield Stream(module, row, call, content, None, value)

    def response(self, call: cst.Call, module: Module) -> tuple[Response, Value] | None:
        """The response class that a call constructs, if it constructs one (own subclasses included)."""
        func = call.func
        last = called_name(call)
        if not last[:1].isupper() and last not in self._plain_names:
            return None
        for value in self.infer.of(func, module):
            row = self.response_class(value)
            if row is not None:
                return row, value
        return None

    @cached_property
    def _plain_names(self) -> frozenset[str]:
        """The names of response classes and functions that do not begin with a capital letter."""
        names = {path.rpartition(".")[2] for path in self.project.knowledge.responses}
        return frozenset(name for name in names if not name[:1].isupper())

    def response_class(self, value: Value) -> Response | None:
        """The table's row for a response class, or for the known class that a project's class derives from."""
        rows = self.project.knowledge.responses
        if value.kind == Kind.EXTERNAL:
            return rows.get(value.name)
        if value.kind == Kind.CLASS and value.cls is not None:
            for name in types.external_bases(self.infer, value.cls):
                if name in rows:
                    return rows[name]
        if value.kind == Kind.FUNCTION and value.function is not None:
            return rows.get(self.facts.own.path_of(value.function))
        return None

    def _yielding(self, module: Module) -> Iterator[Stream]:
        for function in module.functions:
            if function.is_generator and self.facts.functions.is_handler(function):
                yield Stream(module, None, None, None, function, None)

    @cached_property
    def paths(self) -> list[str]:
        """The files that may build a response: they hold the name of a class that streams."""
        words = {path.rpartition(".")[2] for path, row in self.project.knowledge.responses.items() if row.streams}
        return sorted({path for word in words for path in self.project.mentioning(word.encode())})

    def beside(self, path: str) -> Iterator[Stream]:
        """The streams of the files that can reach one: what they import, or what is imported beside them."""
        graph = self.project.import_graph
        for other in self.paths:
            if graph.together(other, path):
                module = self.project.module(other)
                if module is not None:
                    yield from self.of(module)

    # What feeds them

    def links(self, stream: Stream) -> list[Link]:
        """The generators of a stream, outermost first, each with the one that iterates it."""
        key = id(stream.call if stream.call is not None else stream.handler)
        known = self._links.get(key)
        if known is not None:
            return known
        self._links[key] = []
        found: list[Link] = []
        if stream.handler is not None:
            self._follow(stream.handler, None, None, found, 0)
        elif stream.content is not None:
            for value in self.infer.of(stream.content, stream.module):
                self._follow_value(value, None, None, found, 0)
        self._links[key] = found
        return found

    def _follow_value(
        self, value: Value, outer: Link | None, loop: cst.CSTNode | None, found: list[Link], depth: int
    ) -> None:
        function = value.function
        made = value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR)
        if function is not None and (made or (value.kind == Kind.FUNCTION and function.is_generator)):
            self._follow(function, outer, loop, found, depth)
        elif value.kind == Kind.INSTANCE and value.cls is not None:
            for name in ("__aiter__", "__iter__", "__anext__"):
                method = value.cls.methods.get(name)
                if method is not None:
                    self._follow(method, outer, loop, found, depth)

    def _follow(
        self, function: Function, outer: Link | None, loop: cst.CSTNode | None, found: list[Link], depth: int
    ) -> None:
        if depth > _DEEPEST or any(link.function is function for link in found):
            return
        link = Link(function, outer, loop)
        found.append(link)
        for node, iterated in iterations(function):
            for value in self.infer.of(iterated, function.module):
                self._follow_value(value, link, node, found, depth + 1)

    def feeding(self, function: Function) -> list[tuple[Stream, Link]]:
        """The streams that a generator function feeds, directly or through others."""
        path = function.module.path
        known = self._fed.get(path)
        if known is None:
            known = self._fed[path] = {}
            for stream in self.beside(path):
                for link in self.links(stream):
                    if link.function.module.path == path:
                        known.setdefault(link.function, []).append((stream, link))
        return known.get(function, [])

    def is_fed_by(self, function: Function) -> bool:
        """Whether a generator function feeds any response."""
        return function.is_generator and bool(self.feeding(function))


def iterations(function: Function) -> Iterator[tuple[cst.CSTNode, cst.BaseExpression]]:
    """Every place in a function's own body where something is iterated: the loop or expression, and what it iterates."""
    for loop in function.loops:
        yield loop, loop.iter
    for node in function.yields:
        if isinstance(node.value, cst.From):
            yield node, node.value.item
    for call in function.calls:
        name = called_name(call)
        if name in ("anext", "next", "list") and call.args and isinstance(call.func, cst.Name):
            yield call, call.args[0].value
        elif name in ("__anext__", "__next__") and isinstance(call.func, cst.Attribute):
            yield call, call.func.value
    for call in function.calls:
        # Last, as nothing is asked for here yet: what raises does so where an item is.
        if called_name(call) in ("aiter", "iter") and call.args and isinstance(call.func, cst.Name):
            yield call, call.args[0].value


# What they yield


def frame_text(node: cst.CSTNode | None) -> str | None:
    """The literal beginning of a string expression (``f"data: {x}"`` → ``data: ``); None when it begins with a value."""
    if isinstance(node, cst.ConcatenatedString):
        return frame_text(node.left)
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
    if isinstance(node, cst.FormattedString):
        first = node.parts[0] if node.parts else None
        return first.value if isinstance(first, cst.FormattedStringText) else None
    if isinstance(node, cst.BinaryOperation):
        return frame_text(node.left)
    if (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value in ("encode", "format", "join")
    ):
        return frame_text(node.func.value)
    return None


_FIELDS = ("data:", "event:", "id:", "retry:")


def is_frame_text(text: str | None) -> bool:
    """Whether a string begins like a server-sent event."""
    return text is not None and text.lstrip("\r\n").startswith(_FIELDS)


class Frames:
    """Which generators yield ready-made server-sent events."""

    def __init__(self, facts: Facts) -> None:
        self.infer = facts.infer

    def frames(self, node: cst.CSTNode | None, module: Module, depth: int = 0) -> bool:
        """Whether an expression (or any of its values) is text that begins like an event."""
        if is_frame_text(frame_text(node)):
            return True
        if depth > 3 or node is None:
            return False
        if isinstance(node, cst.IfExp):
            return self.frames(node.body, module, depth + 1) or self.frames(node.orelse, module, depth + 1)
        if isinstance(node, cst.Name):
            scope = module.scope_at(node)
            holder = scope.holder_of(node.value)
            bindings = holder.bindings[node.value] if holder is not None else []
            return any(b.kind == "assign" and self.frames(b.node, b.scope.module, depth + 1) for b in bindings)
        if isinstance(node, cst.Call):
            for value in self.infer.of(node.func, module):
                function = value.function if value.kind == Kind.FUNCTION else None
                if function is not None and any(
                    self.frames(ret.value, function.module, depth + 1)
                    for ret in function.returns
                    if ret.value is not None
                ):
                    return True
            if isinstance(node.func, cst.Attribute) and node.func.attr.value == "encode":
                return self.frames(node.func.value, module, depth + 1)
        return False

    def yields_frames(self, function: Function) -> cst.Yield | None:
        """The first yield of a generator function that gives a ready-made event, if there is one."""
        for node in function.yields:
            if isinstance(node.value, cst.BaseExpression) and self.frames(node.value, function.module):
                return node
        return None


__all__ = ["Frames", "Link", "Stream", "Streams", "frame_text", "is_frame_text", "iterations", "walk_same_scope"]
