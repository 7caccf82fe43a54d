"""Which call builds which chat model or LLM client, for rules about its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.knowledge import Model
from lg_stream_lint.python.keywords import Keyword, Keywords
from lg_stream_lint.python.syntax import argument, positional, string_value
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_KINDS = ("chat", "llm", "sdk")
#: How many constants and conversions a number is followed through.
_DEEPEST = 5


class Build(NamedTuple):
    """A construction: the class's row, and the name by which it is called."""

    row: Model
    name: str


def build_of(facts: Facts, call: cst.Call, module: Module) -> Build | None:
    """The model that a call builds: directly, by ``functools.partial`` or by ``init_chat_model`` with a literal name."""
    tables = facts.project.knowledge
    for value in facts.infer.of(call.func, module):
        if value.kind != Kind.EXTERNAL:
            continue
        if value.name == "functools.partial":
            args = positional(call)
            for wrapped in facts.infer.of(args[0], module) if args else ():
                row = tables.models.get(wrapped.name) if wrapped.kind == Kind.EXTERNAL else None
                if row is not None and row.kind in _KINDS and not row.when_argument:
                    return Build(row, row.path.rpartition(".")[2])
            return None
        if value.name.endswith(".init_chat_model") and value.name.startswith("langchain"):
            return _by_name(facts, call)
        row = tables.models.get(value.name)
        if row is not None and row.kind in _KINDS:
            chosen = string_value(argument(call, "service_name", 0)) if row.when_argument else ""
            return Build(row, row.path.rpartition(".")[2]) if chosen == row.when_argument else None
    return None


def _by_name(facts: Facts, call: cst.Call) -> Build | None:
    tables = facts.project.knowledge
    given = string_value(argument(call, "model_provider"))
    model = string_value(argument(call, "model", 0))
    provider = tables.providers.get(given) if given else tables.provider_of(model) if model else None
    row = tables.models.get(provider.model) if provider is not None else None
    return Build(row, f"init_chat_model with {row.path.rpartition('.')[2]}") if row is not None else None


def number(facts: Facts, given: Keyword) -> float | None:
    """A literal number, also through a constant, ``int(…)`` or the default of an environment variable."""
    return _number(facts, given.node, given.module, 0)


def _number(facts: Facts, node: cst.BaseExpression, module: Module, depth: int) -> float | None:
    if isinstance(node, (cst.Integer, cst.Float)):
        return float(node.evaluated_value)
    text = string_value(node)
    if text is not None:
        try:
            return float(text) if depth else None
        except ValueError:
            return None
    if depth > _DEEPEST:
        return None
    if isinstance(node, cst.Call):
        args = positional(node)
        names = {value.name for value in facts.infer.of(node.func, module)}
        if names & {"builtins.int", "builtins.float"} and len(args) == 1:
            return _number(facts, args[0], module, depth + 1)
        if names & {"os.getenv", "os.environ.get"} and len(args) == 2:
            return _number(facts, args[1], module, depth + 1)
        return None
    if isinstance(node, cst.Name):
        holder = module.scope_at(node).holder_of(node.value)
        bindings = holder.bindings[node.value] if holder is not None else []
        if len(bindings) != 1 or bindings[0].path:
            return None
        bound = bindings[0]
        if bound.kind == "assign" and isinstance(bound.node, cst.BaseExpression):
            return _number(facts, bound.node, bound.scope.module, depth + 1)
        values = facts.infer.of(node, module) if bound.kind == "import" else ()
        if len(values) == 1 and isinstance(values[0].node, (cst.Integer, cst.Float)):
            return float(values[0].node.evaluated_value)
    return None


def read_limit(facts: Facts, build: Build, keywords: Keywords) -> float | None:
    """The written limit between two bytes, in seconds; None when there is none, or it cannot be told."""
    given = next((keywords.given[name] for name in build.row.timeout_keywords if name in keywords.given), None)
    if given is None:
        return None
    scale = 0.001 if build.row.timeout_unit == "milliseconds" else 1.0
    plain = number(facts, given)
    if plain is not None:
        return plain * scale
    for value in facts.infer.of(given.node, given.module):
        if value.name.endswith(".Timeout") and isinstance(value.node, cst.Call) and value.home is not None:
            written = argument(value.node, "read") or argument(value.node, "timeout", 0)
            return _number(facts, written, value.home, 0) if written is not None else None
    return None


def feeds_stream(facts: Facts, build: Build, call: cst.Call, module: Module) -> bool:
    """Whether a model's answers may be streamed to somebody: the project streams, and it is no router or judge."""
    parent = module.parents.get(call)
    if isinstance(parent, cst.Attribute) and parent.attr.value == "with_structured_output":
        return False
    if build.row.kind == "sdk":
        return b"stream" in module.source
    return bool(facts.streams.paths)
