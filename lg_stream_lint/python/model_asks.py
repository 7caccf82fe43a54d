"""Which models write what is streamed: the receiver of a streaming call, or what its chain or graph asks on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import libcst as cst

from lg_stream_lint.python.keywords import keywords_of
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import string_value, walk, walk_same_scope
from lg_stream_lint.python.value import Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.graphs import Made
    from lg_stream_lint.python.module import Module

#: Chains in chains, agents as nodes of graphs: deeper than this nobody writes.
_DEEPEST = 5
_MOST_FILES = 100
_ASKING = frozenset({"invoke", "ainvoke", "stream", "astream"})
_STREAMING = ("stream", "astream", "astream_events", "astream_log")
#: Keys of a state's update that hold an answer; a node that writes others (a summary, a route, a title) does not answer.
_ANSWER_KEYS = frozenset({"messages", "answer", "response", "generation"})


class Asked(NamedTuple):
    """A model that is asked: through the expression ``node`` of ``module``.

    ``model`` is the object; None when the expression is only the model's name. ``tools``: whoever asks binds tools to it.
    ``answers``: what it says is the answer, as far as that can be told.
    """

    model: Value | None
    node: cst.BaseExpression
    module: Module
    tools: bool = False
    answers: bool = True


def models_behind(
    facts: Facts, value: Value, node: cst.BaseExpression, module: Module, depth: int = 0
) -> Iterator[Asked]:
    """The models that a runnable asks; ``node`` in ``module`` is the expression that it is the value of."""
    if depth > _DEEPEST:
        return
    if value.role == "model":
        yield Asked(value, node, module)
    elif value.role == "chain" and isinstance(value.node, cst.BinaryOperation) and value.home is not None:
        for side in (value.node.left, value.node.right):
            for inner in facts.infer.of(side, value.home):
                yield from models_behind(facts, inner, side, value.home, depth + 1)
    elif value.role == "graph":
        made = facts.graphs.made(value)
        if made is None:
            return
        if made.function is not None:
            yield from _of_function(facts, made.function, depth, whole=True)
        elif made.builder is None:
            yield from _of_factory(facts, value, made, depth)
        else:
            yield from _of_nodes(facts, value, depth)


def _of_factory(facts: Facts, graph: Value, made: Made, depth: int) -> Iterator[Asked]:
    """The model that an agent's factory is given."""
    if made.call is None:
        return
    first = next((arg.value for arg in made.call.args[:1] if arg.keyword is None and not arg.star), None)
    given = keywords_of(facts, made.call, made.module).given.get("model")
    node, module = (given.node, given.module) if given is not None else (first, made.module)
    if node is None:
        return
    tools = facts.graphs.has_tools(graph) is True
    if string_value(node) is not None:
        yield Asked(None, node, module, tools)
        return
    for value in facts.infer.of(node, module):
        for asked in models_behind(facts, value, node, module, depth + 1):
            yield asked._replace(tools=tools or asked.tools)


def _of_nodes(facts: Facts, graph: Value, depth: int) -> Iterator[Asked]:
    for item in facts.graphs.nodes(graph).items:
        for value in item.values:
            if value.is_runnable and value.node is not graph.node and item.action is not None:
                yield from models_behind(facts, value, item.action, item.module, depth + 1)
        for function in item.functions:
            yield from _of_function(facts, function, depth, whole=False)


def _of_function(facts: Facts, function: Function, depth: int, *, whole: bool) -> Iterator[Asked]:
    """The models that a node's function asks itself. ``whole``: the function is the graph, and what it says the answer."""
    for call in function.calls:
        run = runnable_call(facts, call, function.module)
        if run is None or run.receiver is None or run.method not in _ASKING or not isinstance(call.func, cst.Attribute):
            continue
        answers = whole or _is_answer(call, function)
        for asked in models_behind(facts, run.receiver, call.func.value, function.module, depth + 1):
            yield asked._replace(answers=asked.answers and answers)


def _is_answer(call: cst.Call, function: Function) -> bool:
    """Whether what a call gives is put under a key of the state that holds the answer."""
    names = {
        name
        for name, bindings in function.scope.bindings.items()
        for binding in bindings
        if binding.kind == "assign" and binding.node is not None and any(n is call for n in walk(binding.node))
    }
    for item in walk_same_scope(function.node):
        if not isinstance(item, cst.DictElement) or string_value(item.key) not in _ANSWER_KEYS:
            continue
        for node in walk(item.value):
            if node is call or (isinstance(node, cst.Name) and node.value in names):
                return True
    return False


_known: WeakKeyDictionary[Facts, frozenset[cst.CSTNode]] = WeakKeyDictionary()


def answering(facts: Facts) -> frozenset[cst.CSTNode]:
    """The calls that build the models whose answers the project streams."""
    known = _known.get(facts)
    if known is None:
        found = (asked.model.node for asked in _streamed(facts) if asked.answers and asked.model is not None)
        known = _known[facts] = frozenset(node for node in found if node is not None)
    return known


def _streamed(facts: Facts) -> Iterator[Asked]:
    project = facts.project
    files = project.files()
    numbers = sorted({number for name in _STREAMING for number in project.naming(name)})
    for number in numbers[:_MOST_FILES]:
        module = project.module(files[number])
        if module is None:
            continue
        for call in (call for name in _STREAMING for call in module.calls_of(name)):
            function = module.function_at(call)
            if function is not None and facts.functions.is_test(function):
                continue
            run = runnable_call(facts, call, module)
            if run is not None and run.receiver is not None and isinstance(call.func, cst.Attribute):
                yield from models_behind(facts, run.receiver, call.func.value, module)


__all__ = ["Asked", "answering", "models_behind"]
