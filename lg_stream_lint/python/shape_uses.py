"""Where a loop treats the items of a stream as something that they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.guards import exception_names
from lg_stream_lint.python.shapes import Shape
from lg_stream_lint.python.syntax import string_value, walk_same_scope

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_OF_TUPLES = frozenset(dir(tuple))
_OF_DICTS = frozenset(dir(dict))
_OF_STRINGS = frozenset(dir(str))
#: Methods of dicts and strings that no message has.
_NOT_OF_MESSAGES = frozenset({"get", "items", "keys", "values", "encode", "split", "strip", "startswith", "replace"})
#: Calls that ask what a value is: what follows may be written for several shapes.
_QUESTIONS = frozenset({"isinstance", "hasattr", "type", "len", "getattr", "callable"})
_Judge = Callable[[Shape], str]
_EXPECTED = frozenset({"TypeError", "ValueError", "AttributeError", "KeyError", "IndexError", "LookupError"})


class Misuse(NamedTuple):
    """A use of an item that fails: ``taken_for`` says what it is treated as, ``shape`` what it is."""

    node: cst.CSTNode
    shape: Shape
    taken_for: str


class _Bound(NamedTuple):
    """A name for (a part of) an item, and the name of the mode that decides between its alternatives."""

    shape: Shape
    mode: str


class Uses:
    """One loop over a stream, with what its names stand for."""

    def __init__(self, facts: Facts, module: Module, loop: cst.For | cst.CompFor, shape: Shape) -> None:
        self.facts = facts
        self.module = module
        self.loop = loop
        self.shape = shape
        outer = module.parents.get(loop)
        self.body: list[cst.CSTNode] = (
            [loop.body] if isinstance(loop, cst.For) else [outer] if outer is not None else []
        )
        self.names: dict[str, _Bound] = {}
        self.misuses: list[Misuse] = []

    def find(self) -> list[Misuse]:
        """Every misuse, in order."""
        self._bind(self.loop.target, self.shape, self.loop.target)
        nodes = [node for part in self.body for node in walk_same_scope(part)]
        asked = set(self._asked(nodes))
        assigned = self._assigned(nodes)
        for node in nodes:
            if isinstance(node, cst.Assign) and len(node.targets) == 1:
                self._assignment(node, node.targets[0].target)
            if isinstance(node, cst.Name) and node.value in self.names:
                known = self.names[node.value]
                if node.value not in asked and assigned.get(node.value, 0) < 2 and not self._is_binding(node):
                    self._use(node, self._narrowed(known, node))
        return [misuse for misuse in self.misuses if not self._expected(misuse.node)]

    # What names stand for

    def _bind(self, target: cst.CSTNode, shape: Shape, at: cst.CSTNode, mode: str = "") -> None:
        if isinstance(target, cst.Name):
            self.names[target.value] = _Bound(shape, mode)
        elif isinstance(target, (cst.Tuple, cst.List)):
            if any(isinstance(element, cst.StarredElement) for element in target.elements):
                return
            wrong = _unpacked(shape, len(target.elements))
            if wrong:
                self.misuses.append(Misuse(at, shape, wrong))
            elif shape.kind == "tuple" and len(shape.items) == len(target.elements):
                inner = ""
                for element, item in zip(target.elements, shape.items, strict=True):
                    if item.kind == "str" and isinstance(element.value, cst.Name):
                        inner = element.value.value
                    self._bind(element.value, item, at, inner)

    def _assignment(self, node: cst.Assign, target: cst.BaseAssignTargetExpression) -> None:
        """``message, metadata = chunk``; ``message = chunk[0]``."""
        value = node.value
        if isinstance(value, cst.Name) and value.value in self.names:
            known = self.names[value.value]
            if isinstance(target, (cst.Tuple, cst.List)):
                self._bind(target, self._narrowed(known, node), node)
        elif isinstance(value, cst.Subscript) and isinstance(value.value, cst.Name) and isinstance(target, cst.Name):
            bound = self.names.get(value.value.value)
            item = _element(self._narrowed(bound, node), value) if bound is not None else None
            if item is not None:
                self.names.setdefault(target.value, _Bound(item, ""))

    def _is_binding(self, name: cst.Name) -> bool:
        parent = self.module.parents.get(name)
        return isinstance(parent, cst.AssignTarget)

    @staticmethod
    def _assigned(nodes: list[cst.CSTNode]) -> dict[str, int]:
        """How often each name is assigned in the loop: after another assignment it may be something else."""
        found: dict[str, int] = {}
        for node in nodes:
            for target in node.targets if isinstance(node, cst.Assign) else ():
                for part in walk_same_scope(target.target):
                    if isinstance(part, cst.Name):
                        found[part.value] = found.get(part.value, 0) + 1
            if isinstance(node, (cst.AugAssign, cst.AnnAssign, cst.NamedExpr)) and isinstance(node.target, cst.Name):
                found[node.target.value] = found.get(node.target.value, 0) + 2
        return found

    @staticmethod
    def _asked(nodes: list[cst.CSTNode]) -> Iterator[str]:
        """The names of which the loop asks what they are."""
        for node in nodes:
            if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _QUESTIONS:
                if node.args and isinstance(node.args[0].value, cst.Name):
                    yield node.args[0].value.value
            elif isinstance(node, cst.Match) and isinstance(node.subject, cst.Name):
                yield node.subject.value
            elif (
                isinstance(node, cst.ComparisonTarget)
                and isinstance(node.operator, (cst.In, cst.NotIn))
                and isinstance(node.comparator, cst.Name)
            ):
                yield node.comparator.value

    # What is done with them

    def _use(self, node: cst.BaseExpression, shape: Shape) -> None:
        parent = self.module.parents.get(node)
        if isinstance(parent, cst.Attribute) and parent.value is node:
            self._judge(parent, shape, lambda s: _attribute(s, parent.attr.value))
        elif isinstance(parent, cst.Subscript) and parent.value is node:
            self._judge(parent, shape, lambda s: _subscript(s, parent))
            item = _element(shape, parent)
            if item is not None:
                self._use(parent, item)
        elif isinstance(parent, cst.Arg) and not parent.star and parent.keyword is None:
            outer = self.module.parents.get(parent)
            if isinstance(outer, cst.Call) and outer.args[0] is parent and self._dumps(outer):
                self._judge(outer, shape, lambda s: "JSON data" if s.holds_messages else "")

    def _dumps(self, call: cst.Call) -> bool:
        if any(arg.star or (arg.keyword is not None and arg.keyword.value in ("default", "cls")) for arg in call.args):
            return False
        return any(value.name == "json.dumps" for value in self.facts.infer.of(call.func, self.module))

    def _judge(self, node: cst.CSTNode, shape: Shape, judge: _Judge) -> None:
        """Report when every alternative contradicts the use."""
        alternatives = shape.items if shape.kind == "choice" else (shape,)
        verdicts = [judge(alternative) for alternative in alternatives]
        if verdicts and all(verdicts):
            self.misuses.append(Misuse(node, alternatives[0], verdicts[0]))

    # Which mode it is

    def _narrowed(self, bound: _Bound, node: cst.CSTNode) -> Shape:
        """The alternatives that are left of a choice where the code has compared the mode."""
        shape = bound.shape
        if shape.kind != "choice" or not bound.mode:
            return shape
        left = dict(zip(shape.names, shape.items, strict=True))
        child: cst.CSTNode = node
        for parent in self.module.ancestors(node):
            if isinstance(parent, cst.If):
                name = _compared(parent.test, bound.mode)
                if name and parent.body is child:
                    left = {key: value for key, value in left.items() if key == name}
                elif name and parent.orelse is child and isinstance(parent.test, cst.Comparison):
                    left.pop(name, None)
            if parent is self.loop:
                break
            child = parent
        if len(left) == 1:
            return next(iter(left.values()))
        return shape._replace(items=tuple(left.values()), names=tuple(left))

    def _expected(self, node: cst.CSTNode) -> bool:
        """Whether a ``try`` inside the loop reckons with the failure by its name."""
        child = node
        for parent in self.module.ancestors(node):
            if parent is self.loop:
                return False
            if isinstance(parent, (cst.Try, cst.TryStar)) and parent.body is child:
                for handler in parent.handlers:
                    if _EXPECTED.intersection(exception_names(self.facts, self.module, handler)):
                        return True
            child = parent
        return False


def _unpacked(shape: Shape, count: int) -> str:
    """What unpacking into so many names takes a value for; empty when that is right, or may be."""
    alternatives = shape.items if shape.kind == "choice" else (shape,)
    for alternative in alternatives:
        wrong = alternative.kind in ("dict", "message") or (
            alternative.kind == "tuple" and bool(alternative.items) and len(alternative.items) != count
        )
        if not wrong:
            return ""
    return f"tuples of {count}" if alternatives else ""


def _attribute(shape: Shape, name: str) -> str:
    kinds = {"tuple": _OF_TUPLES, "dict": _OF_DICTS, "str": _OF_STRINGS}
    if shape.kind in kinds and name not in kinds[shape.kind]:
        return "dicts" if name in ("get", "items", "keys", "values") else f"objects with .{name}"
    if shape.kind == "message" and name in _NOT_OF_MESSAGES:
        return "dicts" if name in ("get", "items", "keys", "values") else "text"
    return ""


def _subscript(shape: Shape, node: cst.Subscript) -> str:
    index = node.slice[0].slice if len(node.slice) == 1 else None
    if not isinstance(index, cst.Index):
        return ""
    key = string_value(index.value)
    if key is not None:
        if shape.kind in ("tuple", "message", "str"):
            return "dicts"
        unknown = shape.kind == "dict" and shape.keys and key not in shape.keys and not key.startswith("__")
        return f'dicts with the key "{key}"' if unknown else ""
    if isinstance(index.value, cst.Integer):
        number = index.value.evaluated_value
        if shape.kind in ("dict", "message"):
            return "tuples"
        if shape.kind == "tuple" and shape.items and number >= len(shape.items):
            return f"tuples of {number + 1}"
    return ""


def _element(shape: Shape, node: cst.Subscript) -> Shape | None:
    """The element of a tuple that a literal number takes."""
    index = node.slice[0].slice if len(node.slice) == 1 else None
    if shape.kind != "tuple" or not isinstance(index, cst.Index) or not isinstance(index.value, cst.Integer):
        return None
    number = index.value.evaluated_value
    return shape.items[number] if number < len(shape.items) else None


def _compared(test: cst.BaseExpression, mode: str) -> str:
    """The name that the mode is compared with, in a comparison or one of those joined by ``and``."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _compared(test.left, mode) or _compared(test.right, mode)
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        target = test.comparisons[0]
        if isinstance(test.left, cst.Name) and test.left.value == mode and isinstance(target.operator, cst.Equal):
            return string_value(target.comparator) or ""
    return ""
