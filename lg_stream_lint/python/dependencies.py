"""FastAPI's dependencies with ``yield``: what they hold open, and when the installed FastAPI closes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.scopes import Function, Parameter
from lg_stream_lint.python.syntax import argument, string_value
from lg_stream_lint.versions import told

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: Measured: 0.105.0 closes after the body, 0.106.0 to 0.117.1 before it, 0.118.0 to 0.165.0 after it again.
EARLY = ">=0.106.0,<0.118.0"


class Injected(NamedTuple):
    """A parameter that a dependency with ``yield`` fills: ``call`` is the ``Depends(…)``, ``function`` the dependency."""

    parameter: Parameter
    call: cst.Call
    function: Function


def injected(facts: Facts, handler: Function) -> Iterator[Injected]:
    """The parameters of a handler that are filled by generator functions of the project."""
    for parameter in handler.parameters:
        for call, module, scope in types.dependency_calls(facts.infer, parameter, handler):
            given = argument(call, "dependency", 0)
            for value in facts.infer.of(given, module, scope) if given is not None else ():
                if value.function is not None and value.function.is_generator:
                    yield Injected(parameter, call, value.function)


def closes_early(facts: Facts, module: Module, call: cst.Call) -> str:
    """Why a dependency is closed before the body is sent; empty when it is closed afterwards, or that is not known."""
    fact = facts.project.versions(module.path).of("fastapi")
    if fact is not None and fact.always(EARLY):
        return f"FastAPI closes dependencies before it sends the body ({told(fact, 'fastapi', '')})"
    if string_value(argument(call, "scope")) == "function" and (fact is None or fact.always("<0.121.0") is not True):
        return 'scope="function" closes it before the body is sent'
    return ""


def closes_late(facts: Facts, module: Module, call: cst.Call) -> bool | None:
    """Whether a dependency is held until the body was sent; None when the version decides it and is not known."""
    if string_value(argument(call, "scope")) == "function":
        return False
    fact = facts.project.versions(module.path).of("fastapi")
    if fact is None:
        return None
    early = fact.always(EARLY)
    return None if early is None else not early
