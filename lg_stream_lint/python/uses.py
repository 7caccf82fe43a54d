"""What works through a name of a function: graphs compiled on it, generators that were given it, closures over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import called_name, dotted_text, walk
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts

#: Methods whose result reads on from the resource, awaited or not.
_LAZY = ("aiter", "iter", "stream", "astream", "transform", "atransform", "cursor", "enter_", "get_tools", "list_tools")
#: Functions from outside whose result works through what they are given.
_CARRIERS = frozenset({"load_mcp_tools", "convert_mcp_tool_to_langchain_tool", "create_retriever_tool"})
_COLLECTING = frozenset({"add_node", "append", "add", "extend", "insert", "update", "add_conditional_edges"})
_DEEPEST = 4


def is_true(node: cst.BaseExpression | None) -> bool:
    """Whether an expression is the literal ``True``."""
    return isinstance(node, cst.Name) and node.value == "True"


class Uses:
    """What in a function works through one of its names: graphs compiled on it, generators that were given it, closures."""

    def __init__(self, facts: Facts, function: Function, *names: str, depth: int = _DEEPEST) -> None:
        self.facts = facts
        self.function = function
        self.module = function.module
        self.depth = depth
        self.live = set(names)
        self._grow()

    def _grow(self) -> None:
        """Add the names that are assigned something that works through a live one, until there are no more."""
        for _ in range(8):
            before = len(self.live)
            for name, bindings in self.function.scope.bindings.items():
                if name in self.live:
                    continue
                for binding in bindings:
                    node = binding.node
                    held = binding.kind in ("assign", "with", "async-with") and isinstance(node, cst.BaseExpression)
                    if held and self.reach(node):
                        self.live.add(name)
            for call in self.function.calls:
                if called_name(call) in _COLLECTING and isinstance(call.func, cst.Attribute):
                    owner = dotted_text(call.func.value)
                    if owner in self.function.scope.bindings and any(self.reach(arg.value) for arg in call.args):
                        self.live.add(owner)
            if len(self.live) == before:
                return

    def reach(self, node: cst.CSTNode | None) -> bool:
        """Whether an expression of the function gives something that works through a live name."""
        if isinstance(node, cst.Name):
            return node.value in self.live
        if isinstance(node, cst.Await):
            return self.reach(node.expression)
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, (cst.List, cst.Tuple, cst.Set)):
            return any(self.reach(element.value) for element in node.elements)
        if isinstance(node, cst.Dict):
            return any(self.reach(element.value) for element in node.elements)
        if isinstance(node, (cst.BinaryOperation, cst.BooleanOperation)):
            return self.reach(node.left) or self.reach(node.right)
        if isinstance(node, cst.IfExp):
            return self.reach(node.body) or self.reach(node.orelse)
        if isinstance(node, (cst.NamedExpr, cst.Subscript)):
            return self.reach(node.value)
        if isinstance(node, (cst.ListComp, cst.GeneratorExp)):
            return self.reach(node.for_in.iter)
        if isinstance(node, cst.Lambda):
            return self._closes_over(node)
        return False

    def _call(self, call: cst.Call) -> bool:
        awaited = isinstance(self.module.parents.get(call), cst.Await)
        if isinstance(call.func, cst.Attribute) and self._root(call.func) in self.live:
            return self._method(call, awaited)
        given = [arg for arg in call.args if self.reach(arg.value)]
        values = self.facts.infer.of(call.func, self.module)
        for value in values:
            target = value
            while target.kind == Kind.PARTIAL and target.inner is not None:
                target = target.inner
            if target.function is not None and target.kind in (Kind.FUNCTION, Kind.CONTEXT):
                if self._function(target.function, target.inner is not None, call):
                    return True
            elif given and target.kind == Kind.CLASS:
                return True
        if not given:
            return False
        if called_name(call) in _CARRIERS:
            return True
        return any(
            v.is_runnable or v.role == "builder" or (v.kind == Kind.INSTANCE and _is_outside_class(v))
            for v in self._made(call)
            if v.cls is None
        )

    def _made(self, call: cst.Call) -> list[Value]:
        found = []
        for value in self.facts.infer.of(call, self.module):
            made = value
            while made.kind == Kind.COROUTINE and made.inner is not None:
                made = made.inner
            if made.function is None:
                found.append(made)
        return found

    def _method(self, call: cst.Call, awaited: bool) -> bool:
        """A method of something live: does its result go on working through it?"""
        name = called_name(call)
        if any(is_true(arg.value) for arg in call.args if arg.keyword is not None and arg.keyword.value == "stream"):
            return True
        if name.startswith(_LAZY) and not (awaited and name.startswith("stream")):
            return True
        values = self.facts.infer.of(call, self.module)
        if any(v.name.startswith("aiohttp.ClientSession.") for v in values):
            return True
        return any(
            v.is_runnable or v.role == "builder" or v.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) for v in values
        )

    @staticmethod
    def _root(node: cst.BaseExpression) -> str:
        current: cst.CSTNode = node
        while isinstance(current, (cst.Attribute, cst.Call, cst.Subscript)):
            current = current.func if isinstance(current, cst.Call) else current.value
        return current.value if isinstance(current, cst.Name) else ""

    def _function(self, callee: Function, bound: bool, call: cst.Call) -> bool:
        """A function of the project: a generator that is given, or closes over, something live, or one that returns it."""
        if callee.is_generator and self._is_inside(callee) and self._closes_over(callee.node):
            return True
        if self.depth <= 0:
            return False
        offset = 1 if bound or (callee.is_method and callee.cls is not None) else 0
        names = set()
        place = 0
        for arg in call.args:
            if arg.keyword is not None:
                if self.reach(arg.value):
                    names.add(arg.keyword.value)
                continue
            index = place + offset
            place += 1
            if index < len(callee.parameters) and self.reach(arg.value):
                names.add(callee.parameters[index].name)
        if not names:
            return False
        if callee.is_generator:
            return any(isinstance(n, cst.Name) and n.value in names for n in walk(callee.node.body))
        inner = Uses(self.facts, callee, *names, depth=self.depth - 1)
        return any(inner.reach(ret.value) for ret in callee.returns)

    def _is_inside(self, callee: Function) -> bool:
        current = callee.parent
        while current is not None:
            if current is self.function:
                return True
            current = current.parent
        return False

    def _closes_over(self, node: cst.CSTNode, depth: int = 3) -> bool:
        """Whether a nested function uses a live name of this one, itself or through another nested function."""
        body = node.body if isinstance(node, (cst.FunctionDef, cst.Lambda)) else node
        for item in walk(body):
            if not isinstance(item, cst.Name):
                continue
            if isinstance(self.module.parents.get(item), (cst.Arg, cst.Attribute)) and self._is_label(item):
                continue
            if self.module.scope_at(item).holder_of(item.value) is not self.function.scope:
                continue
            if item.value in self.live:
                return True
            for binding in self.function.scope.bindings[item.value] if depth > 0 else ():
                nested = binding.node if binding.kind == "def" and binding.node is not node else None
                if nested is not None and self._closes_over(nested, depth - 1):
                    return True
        return False

    def _is_label(self, item: cst.Name) -> bool:
        """Whether a name is a keyword or an attribute's own name, which reads nothing."""
        parent = self.module.parents.get(item)
        return (isinstance(parent, cst.Arg) and parent.keyword is item) or (
            isinstance(parent, cst.Attribute) and parent.attr is item
        )


def _is_outside_class(value: Value) -> bool:
    """An object of a class from outside the project that was given something: a saver on a pool, an SDK on a client."""
    return value.name.rpartition(".")[2][:1].isupper() and not value.name.startswith("builtins.")
