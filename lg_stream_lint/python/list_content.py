"""Whether the ``content`` of a model's chunks is a list of blocks and no string, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.knowledge import Model
from lg_stream_lint.python.keywords import Keyword, keywords_of
from lg_stream_lint.python.model_asks import Asked
from lg_stream_lint.python.model_builds import build_of
from lg_stream_lint.python.syntax import argument, dotted_text, string_value
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.scopes import Scope

#: Names, imports and methods that a model is followed through, back to where tools were bound to it.
_DEEPEST = 6
_KEEPING = frozenset({"bind", "with_config", "with_retry", "with_fallbacks", "with_types", "with_listeners"})


def reason(facts: Facts, asked: Asked) -> str:
    """What makes the content a list, to stand after "when it is used with"; empty when it is a string, or not known."""
    row, given = _row_and_keywords(facts, asked)
    if row is None:
        return ""
    if any(_is_name(given[name].node, "False") for name in _names(row) if name in given):
        return ""  # said in so many words
    for entry in row.list_keywords:
        name, _, text = entry.partition("=")
        if name in given and (_text(facts, given[name]) == text if text else _is_on(facts, given[name])):
            return f'{name}="{text}"' if text else f"{name}="
    name = _model_name(facts, asked, given)
    part = next((part for part in row.list_models if part in name), "")
    if part:
        return name
    if row.list_content == "always":
        return "any model"
    if row.list_content == "tools" and (asked.tools or binds_tools(facts, asked.node, asked.module)):
        return "tools"
    return ""


def class_name(facts: Facts, asked: Asked) -> str:
    """The model's class, for messages."""
    row, _ = _row_and_keywords(facts, asked)
    return row.path.rpartition(".")[2] if row is not None else "the model"


def _row_and_keywords(facts: Facts, asked: Asked) -> tuple[Model | None, dict[str, Keyword]]:
    tables = facts.project.knowledge
    if asked.model is None:
        provider = tables.provider_of(string_value(asked.node) or "")
        return (tables.models.get(provider.model) if provider is not None else None), {}
    node, home = asked.model.node, asked.model.home
    if asked.model.cls is not None or not isinstance(node, cst.Call) or home is None:
        return None, {}
    build = build_of(facts, node, home)
    return (build.row, keywords_of(facts, node, home).given) if build is not None else (None, {})


def _names(row: Model) -> list[str]:
    return [entry.partition("=")[0] for entry in row.list_keywords]


def _is_name(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _text(facts: Facts, given: Keyword) -> str | None:
    literal = string_value(given.node)
    if literal is None:
        texts = {string_value(value.node) for value in facts.infer.of(given.node, given.module)}
        literal = texts.pop() if len(texts) == 1 else None
    return literal


def _is_on(facts: Facts, given: Keyword) -> bool:
    """Whether an argument is known to switch something on: ``True``, a list, a text, a dict that does not say ``disabled``."""
    values = facts.infer.of(given.node, given.module)
    node = values[0].node if len(values) == 1 and values[0].node is not None else given.node
    if isinstance(node, cst.Dict):
        return not any(
            isinstance(e, cst.DictElement) and string_value(e.key) == "type" and string_value(e.value) == "disabled"
            for e in node.elements
        )
    return _is_name(node, "True") or isinstance(node, cst.List) or bool(string_value(node))


def _model_name(facts: Facts, asked: Asked, given: dict[str, Keyword]) -> str:
    """The model's literal name; empty when it is not written."""
    if asked.model is None:
        return string_value(asked.node) or ""
    written = next((given[name] for name in ("model", "model_name") if name in given), None)
    if written is None and isinstance(asked.model.node, cst.Call) and asked.model.home is not None:
        first = argument(asked.model.node, "model", 0)
        written = Keyword(first, asked.model.home) if first is not None else None
    return (_text(facts, written) if written is not None else None) or ""


def binds_tools(facts: Facts, node: cst.CSTNode, module: Module, depth: int = 0) -> bool:
    """Whether an expression is a model to which tools were bound, also under other names and in other modules."""
    if depth > _DEEPEST:
        return False
    if isinstance(node, cst.Call):
        if not isinstance(node.func, cst.Attribute):
            functions = [v.function for v in facts.infer.of(node.func, module) if v.kind == Kind.FUNCTION]
            return any(
                binds_tools(facts, r.value, f.module, depth + 1)
                for f in functions
                if f is not None
                for r in f.returns
                if r.value is not None
            )
        if node.func.attr.value == "bind_tools":
            return True
        return node.func.attr.value in _KEEPING and binds_tools(facts, node.func.value, module, depth + 1)
    if isinstance(node, cst.BinaryOperation):
        return binds_tools(facts, node.left, module, depth + 1) or binds_tools(facts, node.right, module, depth + 1)
    if isinstance(node, cst.Attribute):
        return _attribute_binds(facts, node, module, depth)
    if isinstance(node, cst.Name):
        return _name_binds(facts, node.value, module, module.scope_at(node), depth)
    return False


def _name_binds(facts: Facts, name: str, module: Module, scope: Scope, depth: int) -> bool:
    holder = scope.holder_of(name)
    bindings = holder.bindings[name] if holder is not None else module.scope.stars
    for binding in bindings if depth < _DEEPEST else ():
        if binding.kind == "assign" and not binding.path and binding.node is not None:
            if binds_tools(facts, binding.node, binding.scope.module, depth + 1):
                return True
        elif binding.kind == "import":
            rest = "" if holder is not None else f".{name}"
            located = facts.project.leads_to(binding.target + rest, module.path, binding.level)
            target = facts.project.module(located.path) if located is not None and len(located.rest) == 1 else None
            if target is not None and located is not None:
                return _name_binds(facts, located.rest[0], target, target.scope, depth + 1)
    return False


def _attribute_binds(facts: Facts, node: cst.Attribute, module: Module, depth: int) -> bool:
    """``self.model``: what the module assigns to an attribute that is written in the same way."""
    written = dotted_text(node)
    return any(
        isinstance(item, cst.Assign)
        and any(isinstance(t.target, cst.Attribute) and dotted_text(t.target) == written for t in item.targets)
        and binds_tools(facts, item.value, module, depth + 1)
        for item in (module.parents if written else ())
    )


__all__ = ["binds_tools", "class_name", "reason"]
