"""Whether a model or client is built with a time limit, gets one later, or is only used inside one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.knowledge import Model, Slot
from lg_stream_lint.python.keywords import Keyword, Keywords, keywords_of
from lg_stream_lint.python.syntax import argument, called_name
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_LIMITERS = ("timeout", "wait_for", "fail_after", "move_on_after", "timeout_at")


def has_limit(facts: Facts, row: Model, keywords: Keywords) -> bool:
    """Whether the keywords of a construction hold a limit that its class reads."""
    for name in row.timeout_keywords:
        given = keywords.given.get(name)
        if given is not None and not _is_none(given) and not _is_unlimited(facts, given):
            return True
    for name, slot in row.slots.items():
        given = keywords.given.get(name)
        if given is not None and _slot_limits(facts, slot, given):
            return True
    return False


def _is_none(given: Keyword) -> bool:
    """Whether a value is the literal ``None``, or a constant that is."""
    node = given.node
    if not isinstance(node, cst.Name):
        return False
    if node.value == "None":
        return True
    bindings = given.module.scope.bindings.get(node.value, [])
    if len(bindings) != 1 or given.module.scope_at(node).holder_of(node.value) is not given.module.scope:
        return False
    value = bindings[0].node
    return bindings[0].kind == "assign" and isinstance(value, cst.Name) and value.value == "None"


def _is_unlimited(facts: Facts, given: Keyword) -> bool:
    """``httpx.Timeout(None, connect=5)``: a limit in name only, as reading has none."""
    for value in facts.infer.of(given.node, given.module):
        if not value.name.endswith(".Timeout") or not isinstance(value.node, cst.Call) or value.home is None:
            continue
        default, read = argument(value.node, "timeout", 0), argument(value.node, "read")
        written = read if read is not None else default
        return isinstance(written, cst.Name) and written.value == "None"
    return False


def _slot_limits(facts: Facts, slot: Slot, given: Keyword) -> bool:
    """Whether what is given through another keyword carries a limit; what cannot be resolved is taken to."""
    if _is_none(given):
        return False
    values = facts.infer.of(given.node, given.module)
    return not values or any(_value_limits(facts, slot, value) for value in values)


def _value_limits(facts: Facts, slot: Slot, value: Value) -> bool:
    if slot.kind == "client" or value.home is None:
        return True
    if isinstance(value.node, cst.Call):
        inner = keywords_of(facts, value.node, value.home)
    elif isinstance(value.node, cst.Dict):
        spread = cst.Call(func=cst.Name("dict"), args=[cst.Arg(value.node, star="**")])
        inner = keywords_of(facts, spread, value.home)
    else:
        return True
    if inner.unknown or inner.from_caller:
        return True
    # An HTTP client's own default does not count: LangChain's classes pass `None` over it, and the SDKs take it for unset.
    written = [inner.given[key] for key in slot.keys if key in inner.given]
    return bool(written) and not all(_is_none(item) for item in written)


def completed_later(facts: Facts, node: cst.Call, module: Module, row: Model) -> bool:
    """Whether a ``partial`` of a class gets its limit where it is called."""
    wanted = {*row.timeout_keywords, *row.slots}
    return any(
        any(v.kind == Kind.PARTIAL and v.node is node for v in facts.infer.of(call.func, module))
        for call in module.calls
        if call is not node and any(a.keyword is not None and a.keyword.value in wanted for a in call.args)
    )


def limited_later(facts: Facts, node: cst.Call, module: Module, *names: str) -> bool:
    """Whether a call on the model built at ``node`` gives one of the keywords (``.bind(timeout=…)``, ``create(timeout=…)``)."""
    wanted = {*names, "timeout"} - {""}
    for call in module.calls:
        if call is node or not any(a.keyword is not None and a.keyword.value in wanted for a in call.args):
            continue
        if isinstance(call.func, cst.Attribute) and _starts_at(facts, call.func.value, node, module):
            return True
    return False


def always_wrapped(facts: Facts, node: cst.Call, module: Module) -> bool:
    """Whether every use of the model in this file stands inside ``asyncio.timeout`` or ``wait_for``."""
    uses = [
        call
        for call in module.calls
        if isinstance(call.func, cst.Attribute)
        and call is not node
        and _starts_at(facts, call.func.value, node, module)
    ]
    return bool(uses) and all(_inside_limit(call, module) for call in uses)


def _starts_at(facts: Facts, receiver: cst.BaseExpression, node: cst.Call, module: Module) -> bool:
    """Whether a chain of attributes begins at what was built at ``node``."""
    current: cst.CSTNode = receiver
    while current is not node:
        for value in facts.infer.of(current, module):
            origin: Value | None = value
            while origin is not None:
                if origin.node is node:
                    return True
                origin = origin.inner
        if not isinstance(current, cst.Attribute):
            return False
        current = current.value
    return True


def _inside_limit(call: cst.Call, module: Module) -> bool:
    for parent in module.ancestors(call):
        if isinstance(parent, cst.With) and any(_limits(item.item) for item in parent.items):
            return True
        if isinstance(parent, cst.Call) and _limits(parent):
            return True
        if isinstance(parent, cst.FunctionDef):
            return False
    return False


def _limits(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and called_name(node) in _LIMITERS
