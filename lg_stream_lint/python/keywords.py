"""The keyword arguments that a call really gets: written ones, and those of ``**`` dicts as far as they can be followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.flow import apart
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import positional, string_value, walk_same_scope
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_DEEPEST = 5


class Keyword(NamedTuple):
    """A keyword's value and the module in which it stands. ``among``: in how many places the code sets it."""

    node: cst.BaseExpression
    module: Module
    among: int = 1


class Keywords(NamedTuple):
    """What a call is given. ``from_caller``: a ``**`` is the enclosing function's own; ``unknown``: one was not followed."""

    given: dict[str, Keyword]
    from_caller: bool
    unknown: bool


def keywords_of(facts: Facts, call: cst.Call, module: Module) -> Keywords:
    """Every keyword of a call with its value."""
    given: dict[str, Keyword] = {}
    from_caller = unknown = False
    for arg in call.args:
        if arg.keyword is not None:
            given[arg.keyword.value] = Keyword(arg.value, module)
        elif arg.star == "**":
            more = _spread(facts, arg.value, module, 0)
            given = {**more.given, **given}
            from_caller = from_caller or more.from_caller
            unknown = unknown or more.unknown
    return Keywords(given, from_caller, unknown)


def mapping_of(facts: Facts, node: cst.BaseExpression, module: Module) -> Keywords:
    """The keys of an expression that is a dict (``headers=…``), each with its value."""
    return _spread(facts, node, module, 0)


def _spread(facts: Facts, node: cst.BaseExpression, module: Module, depth: int) -> Keywords:
    """The keys of a ``**`` expression: every key that any of its possible values has."""
    if depth > _DEEPEST:
        return Keywords({}, from_caller=False, unknown=True)
    parameter = _is_own_kwargs(node, module)
    given = _reaching(_items_set(node, module), node, module)
    if parameter:
        return Keywords(given, from_caller=True, unknown=False)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return _merged(_spread(facts, node.left, module, depth + 1), _spread(facts, node.right, module, depth + 1))
    values = facts.infer.of(node, module)
    if not values and isinstance(node, cst.Dict):
        values = (Value(Kind.LITERAL, "dict", node=node, home=module),)
    if not values:
        return Keywords(given, _is_parameter(node, module), unknown=True)
    unknown = from_caller = False
    for value in values:
        more = _of_value(facts, value, depth, node)
        given = {**more.given, **given}
        unknown = unknown or more.unknown
        from_caller = from_caller or more.from_caller
    return Keywords(given, from_caller, unknown)


def _merged(first: Keywords, second: Keywords) -> Keywords:
    """The keys of two dicts, the second one's over the first one's."""
    return Keywords(
        {**first.given, **second.given}, first.from_caller or second.from_caller, first.unknown or second.unknown
    )


def _reaching(items: Iterator[tuple[str, Keyword]], at: cst.CSTNode, module: Module) -> dict[str, Keyword]:
    """The items that a use of the dict can see, each under its key; the last one where there are several."""
    found: dict[str, Keyword] = {}
    for key, keyword in items:
        if not apart(keyword.node, at, module.parents):
            found[key] = keyword._replace(among=found[key].among + 1 if key in found else 1)
    return found


def _of_value(facts: Facts, value: Value, depth: int, at: cst.CSTNode) -> Keywords:
    home = value.home
    if isinstance(value.node, cst.Dict) and home is not None:
        given: dict[str, Keyword] = {}
        from_caller = unknown = False
        for element in value.node.elements:
            if isinstance(element, cst.DictElement):
                key = string_value(element.key)
                if key is None:
                    unknown = True
                else:
                    given[key] = Keyword(element.value, home)
            elif isinstance(element, cst.StarredDictElement):
                more = _spread(facts, element.value, home, depth + 1)
                given = {**more.given, **given}
                from_caller, unknown = from_caller or more.from_caller, unknown or more.unknown
        for key, later in _reaching(_items_set_on(value.node, home), at, home).items():
            given[key] = later._replace(among=later.among + (key in given))
        return Keywords(given, from_caller, unknown)
    if value.name == "builtins.dict" and isinstance(value.node, cst.Call) and home is not None:
        made = keywords_of(facts, value.node, home)
        for base in positional(value.node)[:1]:
            made = _merged(_spread(facts, base, home, depth + 1), made)
        return made
    if value.kind == Kind.LITERAL and value.name == "dict" and value.node is None:
        return Keywords({}, from_caller=True, unknown=False)  # somebody's `**kwargs`, kept under another name
    return Keywords({}, from_caller=False, unknown=not (value.kind == Kind.LITERAL and value.name == "none"))


def _is_own_kwargs(node: cst.BaseExpression, module: Module) -> bool:
    """Whether the expression is the ``**kwargs`` of the function around it."""
    if not isinstance(node, cst.Name):
        return False
    function = module.function_at(node)
    while function is not None:
        if any(p.name == node.value and p.star == "**" for p in function.parameters):
            return True
        function = function.parent
    return False


def _is_parameter(node: cst.BaseExpression, module: Module) -> bool:
    if not isinstance(node, cst.Name):
        return False
    function = module.function_at(node)
    return function is not None and any(p.name == node.value for p in function.parameters)


def _items_set_on(dictionary: cst.Dict, module: Module) -> Iterator[tuple[str, Keyword]]:
    """Items set later on the name (or attribute) that a dict literal was assigned to."""
    parent = module.parents.get(dictionary)
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        yield from _items_set(parent.targets[0].target, module)
    elif isinstance(parent, cst.AnnAssign):
        yield from _items_set(parent.target, module)


def _items_set(node: cst.CSTNode, module: Module) -> Iterator[tuple[str, Keyword]]:
    """``x["key"] = value``, ``x.setdefault("key", value)`` and ``x.update(key=value)`` in the function around ``x``."""
    if not isinstance(node, cst.Name):
        return
    function = module.function_at(node)
    body: cst.CSTNode = function.node if isinstance(function, Function) else module.tree
    for item in walk_same_scope(body):
        if isinstance(item, cst.Assign):
            for target in item.targets:
                key = _key_of(target.target, node.value)
                if key is not None:
                    yield key, Keyword(item.value, module)
        elif isinstance(item, cst.Call) and isinstance(item.func, cst.Attribute):
            owner = item.func.value
            if isinstance(owner, cst.Name) and owner.value == node.value:
                yield from _set_by_call(item, module)


def _key_of(target: cst.BaseExpression, name: str) -> str | None:
    if not isinstance(target, cst.Subscript) or not isinstance(target.value, cst.Name) or target.value.value != name:
        return None
    index = target.slice[0].slice
    return string_value(index.value) if isinstance(index, cst.Index) else None


def _set_by_call(call: cst.Call, module: Module) -> Iterator[tuple[str, Keyword]]:
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if method == "setdefault" and len(call.args) == 2:
        key = string_value(call.args[0].value)
        if key is not None:
            yield key, Keyword(call.args[1].value, module)
    elif method == "update":
        for arg in call.args:
            if arg.keyword is not None:
                yield arg.keyword.value, Keyword(arg.value, module)
            elif isinstance(arg.value, cst.Dict):
                for element in arg.value.elements:
                    name = string_value(element.key) if isinstance(element, cst.DictElement) else None
                    if name is not None:
                        yield name, Keyword(element.value, module)


def items_of(facts: Facts, node: cst.BaseExpression, module: Module) -> Keywords:
    """The keys of a dict expression, literal or built in steps, with their values."""
    return _spread(facts, node, module, 0)
