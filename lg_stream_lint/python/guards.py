"""What ``try`` statements do for a place in a generator: who catches its errors, and whether the client hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import called_name, walk_same_scope
from lg_stream_lint.python.value import Kind
from lg_stream_lint.versions import told

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.streams import Link

#: Exceptions so wide that they hold what a provider, a transport or a graph raises.
_WIDE = frozenset({"Exception", "BaseException"})
#: The libraries whose own errors are the provider's: catching one of these is taken as handling (its limits are said elsewhere).
_PROVIDERS = (
    "openai",
    "anthropic",
    "httpx",
    "langchain",
    "langgraph",
    "groq",
    "mistralai",
    "google",
    "botocore",
    "litellm",
    "cohere",
    "ollama",
    "aiohttp",
)
_SENDERS = frozenset(
    {"put", "put_nowait", "send", "send_json", "send_text", "send_bytes", "send_nowait", "emit", "write", "publish"}
)


#: Exceptions that end a wait or a stream as it should end: a handler for them is none for failures.
_NO_FAILURES = frozenset(
    {"CancelledError", "GeneratorExit", "TimeoutError", "StopAsyncIteration", "QueueEmpty", "Empty"}
)


def handlers_around(module: Module, node: cst.CSTNode) -> Iterator[cst.ExceptHandler | cst.ExceptStarHandler]:
    """The handlers of every ``try`` whose *body* holds the node, innermost first, up to the function around it."""
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda)):
        if isinstance(parent, (cst.Try, cst.TryStar)) and parent.body is child:
            yield from parent.handlers
        child, parent = parent, module.parents.get(parent)


def exception_names(facts: Facts, module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> list[str]:
    """The dotted names of what a handler catches; ``BaseException`` for a bare ``except``. Names not resolved stay as written."""
    kind = handler.type
    if kind is None:
        return ["BaseException"]
    listed = [e.value for e in kind.elements] if isinstance(kind, cst.Tuple) else [kind]
    found: list[str] = []
    for item in listed:
        values = facts.infer.of(item, module)
        names = [v.name.removeprefix("builtins.") for v in values if v.kind == Kind.EXTERNAL]
        if any(v.kind == Kind.LITERAL and v.name == "tuple" for v in values):
            names += ["Exception"]  # a constant of several classes: taken as wide enough
        found.extend(names or [_written(item)])
    return found


def _written(node: cst.CSTNode) -> str:
    from lg_stream_lint.python.syntax import dotted_text

    return dotted_text(node) if isinstance(node, cst.BaseExpression) else ""


def catches_provider_errors(facts: Facts, module: Module, names: list[str]) -> bool:
    """Whether a handler for these classes catches what ends a model's stream.

    Before openai 3.14, a broken connection raises httpx's own error, which no class of openai's is a base of (measured:
    openai 1.59.9, 2.54.0, 3.0.0 and 3.13.0 against 3.14.0, 3.20.0, 3.40.0 and 3.54.0).
    """
    if any(name in _WIDE for name in names):
        return True
    tops = {name.partition(".")[0] for name in names}
    if tops == {"openai"}:
        fact = facts.project.versions(module.path).of("openai")
        return fact is None or fact.always(">=3.14") is not False
    return any(top.startswith(_PROVIDERS) for top in tops)


def tells_client(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler, function: Function) -> bool:
    """Whether a handler sends something: it yields, puts on a queue, or keeps the error for a later yield."""
    kept: set[str] = set()
    for node in walk_same_scope(handler.body):
        if isinstance(node, cst.Yield):
            return True
        if isinstance(node, cst.Call):
            name = called_name(node)
            if name in _SENDERS:
                return True
        if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name):
            kept.add(node.target.value)
    if not kept:
        return False
    inside = set(walk_same_scope(handler.body))
    for yielded in function.yields:
        if yielded in inside or yielded.value is None:
            continue
        if any(isinstance(n, cst.Name) and n.value in kept for n in walk_same_scope(yielded.value)):
            return True
        around = _tests_around(module, yielded)
        if any(isinstance(n, cst.Name) and n.value in kept for test in around for n in walk_same_scope(test)):
            return True
    return False


def _tests_around(module: Module, node: cst.CSTNode) -> list[cst.BaseExpression]:
    found = []
    parent = module.parents.get(node)
    while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda)):
        if isinstance(parent, cst.If):
            found.append(parent.test)
        parent = module.parents.get(parent)
    return found


def error_is_sent(facts: Facts, function: Function, node: cst.CSTNode) -> bool:
    """Whether an error raised at a node of the function is turned into something that the client gets, in this function."""
    module = function.module
    for handler in handlers_around(module, node):
        if catches_provider_errors(facts, module, exception_names(facts, module, handler)):
            if tells_client(module, handler, function):
                return True
            if not _reraises(handler):
                return False  # swallowed here: no outer handler will see it
    return decorated_by_handler(facts, function)


def _reraises(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    return any(isinstance(node, cst.Raise) for node in walk_same_scope(handler.body))


def decorated_by_handler(facts: Facts, function: Function) -> bool:
    """Whether a decorator of the project wraps the generator in one that handles errors (or cannot be read)."""
    for decorator in function.decorators:
        target = decorator.func if isinstance(decorator, cst.Call) else decorator
        for value in facts.infer.of(target, function.module, function.outer):
            if (
                value.kind == Kind.FUNCTION
                and value.function is not None
                and _has_sending_handler(facts, value.function)
            ):
                return True
    return False


def _has_sending_handler(facts: Facts, outer: Function) -> bool:
    module = outer.module
    for inner in module.functions:
        if inner.is_generator and (
            inner is outer or inner.parent is outer or (inner.parent and inner.parent.parent is outer)
        ):
            for node, _ in [(y, None) for y in inner.yields] + [(loop, None) for loop in inner.loops]:
                for handler in handlers_around(module, node):
                    if catches_provider_errors(facts, module, exception_names(facts, module, handler)) and tells_client(
                        module, handler, inner
                    ):
                        return True
    return False


def chain_sends_error(facts: Facts, link: Link, node: cst.CSTNode) -> bool:
    """Whether an error at a node of a link's generator reaches the client as something, from there to the response."""
    current: Link | None = link
    place: cst.CSTNode | None = node
    while current is not None and place is not None:
        if error_is_sent(facts, current.function, place):
            return True
        if _is_swallowed(facts, current.function, place):
            return False
        place = current.loop
        current = current.outer
    return False


def narrow_handler(facts: Facts, function: Function, node: cst.CSTNode) -> tuple[cst.ExceptHandler, str] | None:
    """A handler around a node that tells the client of too few errors, and which it misses (with the version that decides)."""
    module = function.module
    for handler in handlers_around(module, node):
        if not isinstance(handler, cst.ExceptHandler) or not tells_client(module, handler, function):
            continue
        names = exception_names(facts, module, handler)
        if catches_provider_errors(facts, module, names):
            return None
        if any(name.rpartition(".")[2] in _NO_FAILURES for name in names):
            continue
        if {name.partition(".")[0] for name in names} == {"openai"}:
            return (
                handler,
                f"broken connections ({told(facts.project.versions(module.path).of('openai'), 'openai', '')})",
            )
        return handler, "the provider's errors"
    return None


def _is_swallowed(facts: Facts, function: Function, node: cst.CSTNode) -> bool:
    module = function.module
    for handler in handlers_around(module, node):
        if catches_provider_errors(facts, module, exception_names(facts, module, handler)):
            return not _reraises(handler)
    return False
