"""Where an event loop is entered (``asyncio.run`` and kin), directly or through plain functions that are called on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.blocking import BlockingCalls, Site
from lg_stream_lint.python.excuses import excused
from lg_stream_lint.python.guards import exception_names, handlers_around
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import called_name, walk_same_scope
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module

_FUNCTIONS = frozenset({"asyncio.run", "asyncio.runners.run", "anyio.run", "uvloop.run"})
_METHODS = frozenset({"run_until_complete", "run_forever"})
_TO_SYNC = "asgiref.sync.async_to_sync"
#: What asks whether a loop runs already. In an async function one always does: asking for it there is no guard.
_ASKS = frozenset({"is_running", "nest_asyncio"})
_ASKS_IN_PLAIN_CODE = _ASKS | {"get_running_loop", "_get_running_loop", "current_async_library", "current_task"}


class LoopEntries(BlockingCalls):
    """Answers, for a function, which event loops are entered while its own body runs."""

    def _find(self, function: Function) -> Iterator[Site]:
        if self._asks_first(function):
            return
        for call in function.calls:
            label = self.label(call, function.module)
            if label and not excused(function.module, call) and not self._is_expected_to_fail(call, function.module):
                yield Site(call, function.module, None, None, label)

    def _entered(self, function: Function) -> Iterator[tuple[cst.CSTNode, Function]]:
        if not self._asks_first(function):
            yield from super()._entered(function)

    def label(self, call: cst.Call, module: Module) -> str:
        """What a call enters a loop with: ``asyncio.run()``; empty when it does not."""
        name = called_name(call)
        if name in _METHODS:
            values = self.facts.infer.of(call.func, module)
            return "" if any(v.kind in (Kind.FUNCTION, Kind.CONTEXT) for v in values) else f"{name}()"
        for value in self.facts.infer.of(call.func, module):
            if value.kind == Kind.EXTERNAL and value.name in _FUNCTIONS:
                return f"{value.name}()"
            owner = value.inner if value.kind == Kind.METHOD and value.name == "run" else None
            if owner is not None and owner.name == "asyncio.Runner":
                return "Runner.run()"
        if isinstance(call.func, cst.Call):
            made = self.facts.infer.of(call.func.func, module)
            if any(v.kind == Kind.EXTERNAL and v.name == _TO_SYNC for v in made):
                return "async_to_sync()"
        return ""

    def _asks_first(self, function: Function) -> bool:
        """Whether the function (or, in plain code, a function that it calls) looks whether a loop runs already."""
        if _mentions(function, _ASKS if function.is_async else _ASKS_IN_PLAIN_CODE):
            return True
        if function.is_async:
            return False
        for call in function.calls:
            for value in self.facts.infer.of(call.func, function.module):
                asked = value.function if value.kind == Kind.FUNCTION else None
                if asked is None or asked.is_async or asked is function or self._enters(asked):
                    continue
                if _mentions(asked, _ASKS_IN_PLAIN_CODE):
                    return True
        return False

    def _enters(self, function: Function) -> bool:
        return any(self.label(call, function.module) for call in function.calls)

    def _is_expected_to_fail(self, call: cst.Call, module: Module) -> bool:
        return any(
            "RuntimeError" in exception_names(self.facts, module, handler) for handler in handlers_around(module, call)
        )


def _mentions(function: Function, names: frozenset[str]) -> bool:
    return any(isinstance(node, cst.Name) and node.value in names for node in walk_same_scope(function.node))
