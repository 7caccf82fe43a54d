"""Which call builds which chat model or LLM client, for rules about its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.knowledge import Model
from lg_stream_lint.python.keywords import Keyword, Keywords
from lg_stream_lint.python.syntax import argument, positional, string_value
from lg_stream_lint.python.value import Kind, Value

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
    """The model that a call builds: directly, by ``functools.partial`` or by ``init_chat_model`` with a name that is known."""
    if is_init_chat_model(facts, call, module):
        return _by_name(facts, call, module)
    for value in facts.infer.of(call.func, module):
        if value.name == "functools.partial" and value.kind == Kind.EXTERNAL:
            args = positional(call)
            rows = [_row(facts, wrapped) for wrapped in facts.infer.of(args[0], module)] if args else []
            found = next((row for row in rows if row is not None and not row.when_argument), None)
            return Build(found, _last(found)) if found is not None else None
        row = _row(facts, value)
        if row is not None:
            chosen = text_of(facts, argument(call, "service_name", 0), module) if row.when_argument else ""
            return Build(row, _last(row)) if chosen == row.when_argument else None
    return None


def is_init_chat_model(facts: Facts, call: cst.Call, module: Module) -> bool:
    """Whether a call is LangChain's ``init_chat_model``, which picks the class by the model's name."""
    return any(
        value.kind == Kind.EXTERNAL and value.name.endswith(".init_chat_model") and value.name.startswith("langchain")
        for value in facts.infer.of(call.func, module)
    )


def _row(facts: Facts, value: Value) -> Model | None:
    """The row of a class: one from outside, or one of the project's that the configuration names."""
    path = value.name if value.kind == Kind.EXTERNAL else ""
    if value.kind == Kind.CLASS and value.cls is not None:
        path = facts.own.path_of(value.cls)
    row = facts.project.knowledge.models.get(path)
    return row if row is not None and row.kind in _KINDS else None


def _by_name(facts: Facts, call: cst.Call, module: Module) -> Build | None:
    tables = facts.project.knowledge
    given = string_value(argument(call, "model_provider"))
    model = text_of(facts, argument(call, "model", 0), module)
    provider = tables.providers.get(given) if given else tables.provider_of(model) if model else None
    row = tables.models.get(provider.model) if provider is not None else None
    return Build(row, f"init_chat_model with {_last(row)}") if row is not None else None


def _last(row: Model) -> str:
    return row.path.rpartition(".")[2]


def text_of(facts: Facts, node: cst.BaseExpression | None, module: Module) -> str | None:
    """The one string that an expression is known to be, also through a constant."""
    if node is None:
        return None
    literal = string_value(node)
    if literal is None:
        values = [v for v in facts.infer.of(node, module) if v.kind == Kind.LITERAL and v.name == "str"]
        texts = {string_value(value.node) for value in values}
        literal = texts.pop() if len(texts) == 1 else None
    return literal


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
