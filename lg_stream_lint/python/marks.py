"""What frameworks make of functions: found at decorators, in base classes, and wherever functions are handed over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python import elements, types
from lg_stream_lint.python.runnables import uses_langchain
from lg_stream_lint.python.scopes import Function, Scope
from lg_stream_lint.python.syntax import argument, dotted_text, positional, string_value
from lg_stream_lint.python.value import Kind, Value, Values

if TYPE_CHECKING:
    from lg_stream_lint.knowledge import Mark
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.values import Inference

_ROUTE_METHODS = frozenset(
    {"get", "post", "put", "patch", "delete", "options", "head", "api_route", "route", "websocket", "websocket_route"}
)
_MOST_FILES = 24
#: Marks of functions that answer a request.
HANDLERS = frozenset({"route", "websocket"})
_NAMES_LANGCHAIN = re.compile(rb"langgraph|langchain")


class Marks:
    """The marks of a project's functions: ``route``, ``node``, ``tool``, ``thread`` … (see the table of markers)."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self.project = facts.project
        tables = self.project.knowledge
        self._registering = {name for app in tables.apps.values() for name in app.calls}
        self._registering |= {path.rpartition(".")[2] for path, row in tables.markers.items() if row.form == "call"}
        self._constructing = {path.rpartition(".")[2] for path, app in tables.apps.items() if app.constructor_calls}
        self._routing = {
            name for app in tables.apps.values() for name, row in app.calls.items() if row.mark in HANDLERS
        }
        self._routing |= {
            path.rpartition(".")[2]
            for path, row in tables.markers.items()
            if row.form == "call" and row.mark.mark in HANDLERS
        }
        self._registered: dict[Module, list[tuple[Function, str, cst.Call]]] = {}
        self._files: dict[bool, frozenset[int]] = {}
        self._marks: dict[Function, frozenset[str]] = {}

    # Marks

    def of(self, function: Function) -> frozenset[str]:
        """Everything that frameworks make of the function: ``route``, ``node``, ``tool``, ``thread`` …"""
        known = self._marks.get(function)
        if known is None:
            self._marks[function] = frozenset()
            found = set(self._decorator_marks(function)) | set(self._base_marks(function))
            if self._is_node_by_convention(function):
                found.add("node")
            found.update(mark for mark, _, _ in self.registrations(function))
            known = self._marks[function] = frozenset(found)
        return known

    def is_handler(self, function: Function) -> bool:
        """Whether the function answers requests. Asked of every function, so nothing is looked up that cannot say so."""
        known = self._marks.get(function)
        if known is not None:
            return bool(known & HANDLERS)
        if function.decorators and any(mark in HANDLERS for mark in self._decorator_marks(function)):
            return True
        if function.cls is not None and any(mark in HANDLERS for mark in self._base_marks(function)):
            return True
        return any(mark in HANDLERS for mark, _, _ in self.registrations(function, routes=True))

    def registrations(self, function: Function, *, routes: bool = False) -> list[tuple[str, Module, cst.Call]]:
        """Where the function is handed to a framework by a call, and as what (``routes``: only what makes it a handler)."""
        home = function.module
        modules = [] if routes else [home]
        if isinstance(function.node, cst.FunctionDef):
            modules += [m for m in self._may_register(function.name, routes=routes) if m not in modules]
        return [(mark, m, call) for m in modules for target, mark, call in self._registrations(m) if target is function]

    def _may_register(self, name: str, *, routes: bool) -> list[Module]:
        """The modules that hold both a function's name and the name of something that functions are handed to.

        None when there are too many of them for the name to say anything.
        """
        project = self.project
        if routes not in self._files:
            words = self._routing if routes else self._registering | self._constructing
            self._files[routes] = frozenset(number for word in words for number in project.naming(word))
        numbers = project.naming(name) & self._files[routes]
        if len(numbers) > _MOST_FILES:
            return []
        files = project.files()
        return [m for m in (project.module(files[number]) for number in sorted(numbers)) if m is not None]

    def _registrations(self, module: Module) -> list[tuple[Function, str, cst.Call]]:
        known = self._registered.get(module)
        if known is not None:
            return known
        found: list[tuple[Function, str, cst.Call]] = []
        self._registered[module] = found
        words = self._registering | self._constructing
        aliases = {
            local: last
            for local, bindings in module.scope.bindings.items()
            for binding in bindings
            if binding.kind == "import" and (last := binding.target.rpartition(".")[2]) in words and last != local
        }
        for written, last in [*((word, word) for word in sorted(words)), *aliases.items()]:
            for call in module.calls_of(written):
                for mark, given in self._handed(call, last, module):
                    found.extend((function, mark, call) for function in self.functions_in(given, module))
        return found

    def _handed(self, call: cst.Call, last: str, module: Module) -> list[tuple[str, cst.BaseExpression]]:
        """The marks that a call gives, each with the argument that gets it."""
        tables = self.project.knowledge
        found: list[tuple[str, cst.BaseExpression]] = []
        for target in self.infer.of(call.func, module):
            mark: Mark | None = None
            if target.kind == Kind.METHOD and target.inner is not None:
                app = tables.apps.get(target.inner.name) or (
                    tables.apps.get("langgraph.graph.StateGraph") if target.inner.role == "builder" else None
                )
                mark = app.calls.get(target.name) if app is not None else None
                if mark is None:
                    row = tables.markers.get(f"{target.inner.name}.{target.name}")
                    mark = row.mark if row is not None and row.form == "call" else None
            elif target.kind == Kind.EXTERNAL:
                row = tables.markers.get(target.name)
                mark = row.mark if row is not None and row.form == "call" else None
                app = tables.apps.get(target.name)
                for keyword, name in (app.constructor_calls if app is not None else {}).items():
                    given = argument(call, keyword)
                    if given is not None:
                        found.append((name, given))
            if mark is not None:
                found.extend((mark.mark, given) for given in self._given(call, mark))
        if (
            not found
            and _NAMES_LANGCHAIN.search(module.source)
            and last
            in (
                "run_in_executor",
                "add_node",
                "add_conditional_edges",
                "run_in_threadpool",
                "to_thread",
            )
        ):
            found.extend(self._by_name(call, last))
        return found

    @staticmethod
    def _given(call: cst.Call, mark: Mark) -> list[cst.BaseExpression]:
        """The argument a mark speaks of; ``add_node(fn)`` gives a name's place to the function itself."""
        given = argument(call, mark.keyword, mark.position if mark.position >= 0 else None)
        if given is None and mark.position > 0 and len(positional(call)) == 1:
            given = positional(call)[0]
        return [given] if given is not None else []

    @staticmethod
    def _by_name(call: cst.Call, last: str) -> list[tuple[str, cst.BaseExpression]]:
        """Method names that belong to one framework only, on an object whose class is not known (``loop`` as a parameter)."""
        args = positional(call)
        if last == "run_in_executor":
            return [("thread", args[1])] if len(args) > 1 else []
        if last in ("run_in_threadpool", "to_thread"):
            return [("thread", args[0])] if args else []
        if last == "add_node":
            given = argument(call, "action", 1) or (args[-1] if args else None)
            return [("node", given)] if given is not None else []
        given = argument(call, "path", 1)
        return [("edge", given)] if given is not None else []

    def functions_in(self, node: cst.CSTNode, module: Module) -> list[Function]:
        """The project's functions that an argument hands over: itself, in a list, a ``partial``, a lambda, a tool."""
        return _functions_of(self.infer, self.infer.of(node, module))

    def _decorator_marks(self, function: Function) -> list[str]:
        tables = self.project.knowledge
        found: list[str] = []
        for decorator in function.decorators:
            target = decorator.func if isinstance(decorator, cst.Call) else decorator
            values = self.infer.of(target, function.module, function.outer)
            for value in values:
                if value.kind == Kind.METHOD and value.inner is not None:
                    app = tables.apps.get(value.inner.name)
                    if app is not None and value.name in app.decorators:
                        found.append(app.decorators[value.name])
                elif value.kind == Kind.EXTERNAL:
                    row = tables.markers.get(value.name)
                    if row is not None and row.form == "decorator":
                        found.append(row.mark.mark)
            if not values and _looks_like_route(decorator) and _is_from_elsewhere(target, function.outer):
                found.append("route")
        return found

    def _base_marks(self, function: Function) -> list[str]:
        cls = function.cls
        if cls is None:
            return []
        tables = self.project.knowledge
        found = []
        for base in types.external_bases(self.infer, cls):
            row = tables.markers.get(base)
            if row is not None and row.form == "base":
                mark = row.methods.get(function.name)
                if mark is not None:
                    found.append(mark)
        if function.name == "__call__" and [p.name for p in function.parameters[1:4]] == ["scope", "receive", "send"]:
            found.append("middleware")
        return found

    def _is_node_by_convention(self, function: Function) -> bool:
        """``async def plan(state: AgentState)``: the signature of a LangGraph node, in a module about LangGraph.

        Nodes are added by loops, registries and other services; their signature is what they cannot do without.
        """
        names = [p for p in function.parameters if p.name not in ("self", "cls")]
        if not names or names[0].name != "state" or names[0].annotation is None or function.is_generator:
            return False
        written = names[0].annotation
        text = dotted_text(written) or string_value(written) or ""
        if not text.endswith("State") or function.outer.holder_of(text.partition(".")[0]) is None:
            return False
        return uses_langchain(self.facts, function.module)


def _functions_of(infer: Inference, values: Values, inside: frozenset[cst.CSTNode] = frozenset()) -> list[Function]:
    """The functions that values are or hold; ``inside`` are the calls that led here (``chain = wrap(chain)`` in a loop)."""
    found: list[Function] = []
    for value in values:
        found.extend(_functions_of_value(infer, value, inside))
    return found


def _functions_of_value(infer: Inference, value: Value, inside: frozenset[cst.CSTNode]) -> list[Function]:
    if value.kind in (Kind.FUNCTION, Kind.CONTEXT) and value.function is not None:
        return [value.function]
    if value.kind == Kind.PARTIAL and value.inner is not None:
        return _functions_of_value(infer, value.inner, inside)
    if value.kind == Kind.INSTANCE and value.function is not None:
        return [value.function]
    if value.kind == Kind.INSTANCE and value.cls is not None:
        call = value.cls.methods.get("__call__")
        return [call] if call is not None else []
    if (
        value.kind == Kind.INSTANCE
        and value.role in ("tool", "chain")
        and isinstance(value.node, cst.Call)
        and value.home is not None
        and value.node not in inside
    ):
        given = [
            a.value for a in value.node.args if a.keyword is None or a.keyword.value in ("func", "coroutine", "afunc")
        ]
        deeper = inside | {value.node}
        return [f for node in given for f in _functions_of(infer, infer.of(node, value.home), deeper)]
    if value.kind == Kind.LITERAL and value.name in ("list", "tuple") and value.node is not None:
        return _functions_of(infer, elements.item(infer, value, None), inside)
    return []


def _is_from_elsewhere(target: cst.BaseExpression, scope: Scope) -> bool:
    """Whether the object before the method comes from where it cannot be seen: imported, a parameter, an attribute."""
    name = dotted_text(target).partition(".")[0]
    holder = scope.holder_of(name)
    return holder is not None and any(b.kind in ("import", "param") for b in holder.bindings[name])


def _looks_like_route(decorator: cst.BaseExpression) -> bool:
    """``@x.get("/path")`` on an object that cannot be resolved: no other library writes that."""
    if not isinstance(decorator, cst.Call) or not isinstance(decorator.func, cst.Attribute):
        return False
    if decorator.func.attr.value not in _ROUTE_METHODS:
        return False
    path = string_value(argument(decorator, "path", 0))
    return path is not None and (path.startswith("/") or path == "")
