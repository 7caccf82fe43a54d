"""What a LangChain chain (``prompt | model | parser``) is made of, step by step, and which steps hold its stream back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.scopes import Class, Function
from lg_stream_lint.python.syntax import argument, called_name, positional
from lg_stream_lint.python.value import Kind, Value, Values

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: Chains in chains in chains: deeper than this nobody writes.
_DEEPEST = 8
_RUNNABLES = "langchain_core.runnables."
#: Steps that hand on what they get, piece by piece.
_PASSING = frozenset({_RUNNABLES + "RunnablePassthrough", _RUNNABLES + "RunnableGenerator"})
_HISTORY = _RUNNABLES + "history.RunnableWithMessageHistory"
_PYDANTIC = "langchain_core.output_parsers.PydanticOutputParser"
#: Functions that other functions make; what they make wants the whole of what comes in.
_GETTERS = frozenset({"operator.attrgetter", "operator.itemgetter"})
#: Fewer required fields than this, and a parsed object can grow while it streams.
_WHOLE = 2


class Step(NamedTuple):
    """A step of a chain: where it stands, and what it does to the stream.

    ``kind``: ``model``, ``structured`` (a model that gives an object), ``whole`` (waits for everything, then gives one piece;
    ``name`` says what it is), ``passing`` (works piece by piece) or ``unknown``. ``values`` are the models it may be.
    """

    kind: str
    node: cst.CSTNode
    module: Module
    name: str = ""
    values: Values = ()


Steps = tuple[Step, ...]


class Chains:
    """Answers what chains are made of; each is worked out once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer

    def steps(self, value: Value, node: cst.CSTNode, module: Module, depth: int = 0) -> Steps:
        """The steps of a runnable that stands at ``node`` in ``module``."""
        if depth > _DEEPEST:
            return (Step("unknown", node, module),)
        if value.kind == Kind.FUNCTION and value.function is not None:
            return (self._function(value.function, node, module),)
        if value.kind == Kind.RESULT and value.name in _GETTERS:
            return (Step("whole", node, module, f"{value.name}()"),)
        if value.kind != Kind.INSTANCE:
            return (Step("unknown", node, module),)
        if value.role == "model":
            return (Step("model", node, module, values=(value,)),)
        if value.role == "parser":
            return (self._parser(value, node, module),)
        if value.role in ("prompt", "retriever"):
            return (Step("passing", node, module),)
        return self._chain(value, node, module, depth) if value.role == "chain" else (Step("unknown", node, module),)

    def _chain(self, value: Value, node: cst.CSTNode, module: Module, depth: int) -> Steps:
        made, home = value.node, value.home
        if value.function is not None:
            return (self._function(value.function, node, module, decorated=True),)
        if isinstance(made, cst.BinaryOperation) and home is not None:
            return self._of((made.left, made.right), home, depth)
        if not isinstance(made, cst.Call) or home is None:
            return (Step("unknown", node, module),)
        if isinstance(made.func, cst.Attribute) and any(v.is_runnable for v in self.infer.of(made.func.value, home)):
            method = made.func.attr.value
            if method == "with_structured_output":
                return (Step("structured", node, module, values=(value.inner,) if value.inner is not None else ()),)
            if method == "pipe":
                return self._of((made.func.value, *positional(made)), home, depth)
            return (Step("unknown", node, module),)
        if value.name == _RUNNABLES + "RunnableSequence" and not any(a.keyword or a.star for a in made.args):
            return self._of(positional(made), home, depth)
        if value.name == _RUNNABLES + "RunnableLambda":
            return (self._lambda(made, home, node, module),)
        if value.name == _HISTORY:
            inner = argument(made, "runnable", 0)
            return self._of((inner,), home, depth) if inner is not None else (Step("unknown", node, module),)
        passing = value.name in _PASSING and called_name(made) != "assign"
        return (Step("passing" if passing else "unknown", node, module),)

    def _of(self, nodes: Iterable[cst.BaseExpression], module: Module, depth: int) -> Steps:
        found: list[Step] = []
        for node in nodes:
            if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
                found.extend(self._of((node.left, node.right), module, depth))
            else:
                found.extend(self._alternatives(node, module, depth + 1))
        return tuple(found)

    def _alternatives(self, node: cst.BaseExpression, module: Module, depth: int) -> Steps:
        """The steps of an expression; where it may be several things, what they have in common."""
        ways = [self.steps(value, node, module, depth) for value in self.infer.of(node, module)]
        if len(ways) == 1:
            return ways[0]
        kinds = {way[0].kind for way in ways if len(way) == 1}
        if ways and len(kinds) == 1 and all(len(way) == 1 for way in ways):
            first = ways[0][0]
            return (first._replace(values=tuple(value for way in ways for value in way[0].values)),)
        return (Step("unknown", node, module),)

    # Functions

    def _lambda(self, made: cst.Call, home: Module, node: cst.CSTNode, module: Module) -> Step:
        """``RunnableLambda(f)``: it waits for everything, unless ``f`` gives another runnable (that one then streams)."""
        kinds = set()
        for given in (argument(made, "func", 0), argument(made, "afunc", 1)):
            for value in self.infer.of(given, home) if given is not None else ():
                target = value.function if value.kind == Kind.FUNCTION else None
                kinds.add(self._function(target, node, module).kind if target is not None else "unknown")
        return Step("whole" if kinds == {"whole"} else "unknown", node, module, "RunnableLambda")

    def _function(self, function: Function, node: cst.CSTNode, module: Module, *, decorated: bool = False) -> Step:
        """A function of the project: a generator works piece by piece, any other one wants the whole."""
        if function.is_generator:
            return Step("passing", node, module)
        if function.decorators and not decorated:
            return Step("unknown", node, module)
        for value in self.infer.returns(function):
            is_stream = value.kind in (Kind.GENERATOR, Kind.ASYNC_GENERATOR) or value.name == "generator"
            if is_stream or value.is_runnable or value.role == "tool":
                return Step("unknown", node, module)
        name = "a lambda" if function.name == "<lambda>" else f"{function.name}()"
        return Step("whole", node, module, name)

    # Parsers

    def _parser(self, value: Value, node: cst.CSTNode, module: Module) -> Step:
        if value.name == _PYDANTIC and isinstance(value.node, cst.Call) and value.home is not None:
            given = argument(value.node, "pydantic_object", 0)
            classes = self.infer.of(given, value.home) if given is not None else ()
            if len(classes) == 1 and classes[0].cls is not None and self._required(classes[0].cls) >= _WHOLE:
                return Step("whole", node, module, "PydanticOutputParser")
        return Step("passing", node, module)

    def _required(self, cls: Class) -> int:
        """How many fields of a Pydantic class must be given: the parser has nothing to show before the last of them begins."""
        found: dict[str, bool] = {}
        for current in types.bases(self.infer, cls):
            for statement in current.node.body.body:
                for item in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                    if isinstance(item, cst.AnnAssign) and isinstance(item.target, cst.Name):
                        found.setdefault(item.target.value, _is_required(item.value))
        return sum(found.values())


def _is_required(value: cst.CSTNode | None) -> bool:
    """Whether a field without that default must be given: nothing, ``...``, or ``Field(…)`` without a default."""
    if value is None or isinstance(value, cst.Ellipsis):
        return True
    if not isinstance(value, cst.Call) or called_name(value) != "Field":
        return False
    default = argument(value, "default", 0)
    return (default is None or isinstance(default, cst.Ellipsis)) and argument(value, "default_factory") is None


def last_model(steps: Steps) -> int:
    """The place of the last model in a chain; -1 without one."""
    places = [place for place, step in enumerate(steps) if step.kind in ("model", "structured")]
    return places[-1] if places else -1


def collapse(steps: Steps) -> Step | None:
    """The step behind the last model that makes one piece of its stream; None when there is none, or another may follow."""
    place = last_model(steps)
    if place < 0 or steps[place].kind != "model":
        return None
    rest = steps[place + 1 :]
    for number, step in enumerate(rest):
        if step.kind == "whole":
            return step if all(later.kind in ("whole", "passing") for later in rest[number + 1 :]) else None
    return None
