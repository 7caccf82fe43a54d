"""What kind of function this is, and where it runs: the one definition of handler, and of "on the event loop"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.gate import is_test_module
from lg_stream_lint.python.marks import HANDLERS, Marks
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.value import Kind, Values

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: Marks of async functions that run while answers are streamed: what blocks there holds every stream back.
SERVING = frozenset(
    {
        "route",
        "websocket",
        "middleware",
        "dependency",
        "node",
        "edge",
        "tool",
        "task",
        "entrypoint",
        "exception-handler",
        "runnable",
        "background",
        "loop",
    }
)


class Functions:
    """Answers about functions that need their marks, their callers and the streams they feed."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self.project = facts.project
        self._marks = Marks(facts)
        self._serving: dict[Function, bool] = {}

    def marks(self, function: Function) -> frozenset[str]:
        """Everything that frameworks make of the function: ``route``, ``node``, ``tool``, ``thread`` …"""
        return self._marks.of(function)

    def registered_by(self, function: Function) -> list[tuple[Module, cst.Call]]:
        """The calls that make the function a handler (``add_api_route``, ``Route``), each with its module."""
        return [
            (module, call)
            for mark, module, call in self._marks.registrations(function, routes=True)
            if mark in HANDLERS
        ]

    def is_handler(self, function: Function) -> bool:
        """Whether the function answers requests."""
        return self._marks.is_handler(function) or self._is_django_view(function)

    def _is_django_view(self, function: Function) -> bool:
        return (
            bool(function.parameters)
            and function.parameters[0].name == "request"
            and function.cls is None
            and b"django" in function.module.source
        )

    def is_context_manager(self, function: Function) -> bool:
        """Whether a generator function is made a context manager or a test fixture by its decorators."""
        for decorator in function.decorators:
            target = decorator.func if isinstance(decorator, cst.Call) else decorator
            for value in self.infer.of(target, function.module, function.outer):
                if value.name.rpartition(".")[2] in ("contextmanager", "asynccontextmanager", "fixture"):
                    return True
        return False

    def frameworks(self, function: Function) -> set[str]:
        """The frameworks whose decorators make the function a handler; by the module's imports when that is not resolved."""
        found: set[str] = set()
        for decorator in function.decorators:
            target = decorator.func if isinstance(decorator, cst.Call) else decorator
            for value in self.infer.of(target, function.module, function.outer):
                name = value.inner.name if value.kind == Kind.METHOD and value.inner is not None else value.name
                app = self.project.knowledge.apps.get(name) or self.project.knowledge.markers.get(name)
                if app is not None:
                    found.add(app.framework)
        if not found:
            found = {
                name
                for name in ("quart", "flask", "litestar", "fastapi", "starlette", "django")
                if name.encode() in function.module.source
            }
        return found

    def is_serving(self, function: Function, depth: int = 5) -> bool:
        """Whether an async function runs on a server's event loop: marked itself, feeding a response, or called by such one.

        A sync function counts when it is called (not handed to a thread) by an async one that does.
        """
        known = self._serving.get(function)
        if known is not None:
            return known
        self._serving[function] = False
        result = self._is_serving(function, depth)
        if result or depth == 5:
            self._serving[function] = result
        else:
            del self._serving[function]
        return result

    def _is_serving(self, function: Function, depth: int) -> bool:
        marks = self.marks(function)
        if function.is_async and (marks & SERVING or self._is_django_view(function)):
            return True
        if marks and not function.is_async:
            return False  # sync handlers, nodes and tools run in a thread
        if function.is_async and self.facts.streams.is_fed_by(function):
            return True
        if depth <= 0:
            return False
        for module, call in self.facts.callers(function):
            caller = module.function_at(call)
            if caller is not None and caller is not function and self.is_serving(caller, depth - 1):
                return True
        return False

    @staticmethod
    def is_test(function: Function) -> bool:
        """Whether the function stands in a test module: nobody streams from it."""
        return is_test_module(function.module.path)

    def only_run_by_script(self, function: Function) -> bool:
        """Whether every use of an async function that can be found is ``asyncio.run`` in a script, outside any server."""
        runs = 0
        for module, call in self.facts.callers(function):
            parent = module.parents.get(call)
            around = module.parents.get(parent) if isinstance(parent, cst.Arg) else None
            if isinstance(around, cst.Call) and _is_run(self.infer.of(around.func, module)):
                runs += 1
                continue
            caller = module.function_at(call)
            if caller is None or caller is function:
                continue
            if not caller.is_async or not self.only_run_by_script(caller):
                return False
            runs += 1
        return runs > 0 and not self.marks(function)


def _is_run(values: Values) -> bool:
    return any(v.name in ("asyncio.run", "anyio.run", "trio.run", "uvloop.run") for v in values)
