"""What an expression in a generator is: a model's text, a message, a dict, text that is encoded already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.queued import is_new_token
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.scopes import Binding, Function
from lg_stream_lint.python.sources import BY_NAME, model_stream
from lg_stream_lint.python.syntax import argument, called_name, string_value
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_DEEPEST = 8


class Item:
    """The kinds of items."""

    TEXT = "text"  # text as the model wrote it, line breaks and all
    JSON = "json"  # one line of JSON
    INDENTED = "indented"  # JSON on several lines
    DICT = "dict"
    LIST = "list"
    MESSAGE = "message"  # a LangChain message or a chunk of one
    TUPLE = "tuple"
    CHUNK = "chunk"  # an SDK's own chunk object
    UNKNOWN = ""


_LITERALS: dict[type[cst.CSTNode], str] = {
    cst.Dict: Item.DICT,
    cst.DictComp: Item.DICT,
    cst.List: Item.LIST,
    cst.ListComp: Item.LIST,
    cst.Tuple: Item.TUPLE,
}
_ENCODERS = frozenset({"json.dumps", "orjson.dumps", "ujson.dumps", "simplejson.dumps", "msgspec.json.encode"})
_PLAIN_MODES = ("updates", "values", "debug", "tasks", "checkpoints")


class Items:
    """Answers what an expression is, by where its names come from."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self._asked: set[cst.CSTNode] = set()

    def kind(self, node: cst.CSTNode, module: Module, depth: int = 0) -> str:
        """The kind of an expression; empty when it is not known."""
        if depth > _DEEPEST:
            return Item.UNKNOWN
        known = _LITERALS.get(type(node))
        if known is not None:
            return known
        if isinstance(node, (cst.Await, cst.Call)):
            queued = self._queued(node, module, depth)
            if queued is not None:
                return queued
        if isinstance(node, cst.Call):
            return self._call(node, module, depth)
        if isinstance(node, cst.Name):
            return self._name(node, module, depth)
        if isinstance(node, cst.Attribute):
            return self._attribute(node, module, depth)
        if isinstance(node, cst.BooleanOperation):
            return self.kind(node.left, module, depth + 1)
        if isinstance(node, cst.IfExp):
            kinds = {self.kind(side, module, depth + 1) for side in (node.body, node.orelse) if not _is_empty(side)}
            return kinds.pop() if len(kinds) == 1 else Item.UNKNOWN
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            sides = {self.kind(node.left, module, depth + 1), self.kind(node.right, module, depth + 1)}
            return Item.TEXT if Item.TEXT in sides and Item.JSON not in sides else Item.UNKNOWN
        if isinstance(node, cst.NamedExpr):
            return self.kind(node.value, module, depth + 1)
        return Item.UNKNOWN

    def _queued(self, node: cst.CSTNode, module: Module, depth: int) -> str | None:
        """What ``queue.get()`` gives, when everything that is put in is of one kind; None for what is no such call."""
        puts = self.facts.queued.puts(node, module) if node not in self._asked else []
        if not puts:
            return None
        self._asked.add(node)
        kinds = {self.kind(put.item, put.module, depth + 1) for put in puts}
        self._asked.discard(node)
        return kinds.pop() if len(kinds) == 1 else Item.UNKNOWN

    def _call(self, node: cst.Call, module: Module, depth: int) -> str:
        name = called_name(node)
        values = self.infer.of(node.func, module)
        if any(v.kind == Kind.EXTERNAL and v.name in _ENCODERS for v in values):
            indent = argument(node, "indent")
            return Item.JSON if indent is None or _is_none(indent) else Item.INDENTED
        if any(v.name == "builtins.str" for v in values) and len(node.args) == 1:
            return self.kind(node.args[0].value, module, depth + 1)
        if any(v.name == "builtins.dict" for v in values):
            return Item.DICT
        if isinstance(node.func, cst.Attribute):
            if any(v.function is not None for v in values):
                return Item.UNKNOWN
            if name == "model_dump_json" or (name == "json" and not node.args):
                return Item.JSON if argument(node, "indent") is None else Item.INDENTED
            if name in ("model_dump", "dict") and all(arg.keyword is not None for arg in node.args):
                return Item.DICT
        return Item.UNKNOWN

    def _name(self, node: cst.Name, module: Module, depth: int) -> str:
        holder = module.scope_at(node).holder_of(node.value)
        owner = holder.owner if holder is not None else None
        if isinstance(owner, Function) and is_new_token(node.value, owner, self.facts):
            return Item.TEXT
        kinds = set()
        for binding in holder.bindings[node.value] if holder is not None else ():
            if binding.kind == "annotation" or (
                binding.kind == "assign" and binding.node is not None and _is_empty(binding.node)
            ):
                continue
            kinds.add(self._binding(binding, depth))
        return kinds.pop() if len(kinds) == 1 else Item.UNKNOWN

    def _binding(self, binding: Binding, depth: int) -> str:
        if binding.node is None:
            return Item.UNKNOWN
        if binding.kind == "assign" and not binding.path:
            return self.kind(binding.node, binding.scope.module, depth + 1)
        if binding.kind in ("for", "async-for"):
            return self._loop_item(binding.node, binding.scope.module, binding.path, depth)
        return Item.UNKNOWN

    def _attribute(self, node: cst.Attribute, module: Module, depth: int) -> str:
        """``message.content``, ``chunk.choices[0].delta.content``, ``event["data"]["chunk"].content``."""
        if node.attr.value not in ("content", "text"):
            return Item.UNKNOWN
        return Item.TEXT if self._comes_from_model(node.value, module, depth) else Item.UNKNOWN

    def _comes_from_model(self, node: cst.CSTNode, module: Module, depth: int) -> bool:
        """Whether an object is reached, by attributes, items and loops, from what a model's stream gives."""
        while isinstance(node, (cst.Attribute, cst.Subscript, cst.Call)):
            if isinstance(node, cst.Call):
                if not isinstance(node.func, cst.Attribute):
                    return False
                node = node.func.value
            else:
                node = node.value
        if not isinstance(node, cst.Name) or depth > _DEEPEST:
            return False
        holder = module.scope_at(node).holder_of(node.value)
        for binding in holder.bindings[node.value] if holder is not None else ():
            inner, home = binding.node, binding.scope.module
            if inner is None:
                continue
            if binding.kind in ("for", "async-for"):
                if self.is_model_stream(inner, home) or self._comes_from_model(inner, home, depth + 1):
                    return True
            elif binding.kind == "assign" and self._comes_from_model(inner, home, depth + 1):
                return True
        return False

    def is_model_stream(self, node: cst.CSTNode, module: Module) -> bool:
        """Whether an iterable is the stream of a graph, chain, model, SDK client or token callback."""
        if not isinstance(node, cst.BaseExpression):
            return False
        if any(model_stream(self.facts, value) for value in self.infer.of(node, module)):
            return True
        return isinstance(node, cst.Call) and runnable_call(self.facts, node, module, BY_NAME) is not None

    def _loop_item(self, iterable: cst.CSTNode, module: Module, path: tuple[int, ...], depth: int) -> str:
        """What the target of a loop is."""
        for value in self.infer.of(iterable, module) if isinstance(iterable, cst.BaseExpression) else ():
            if value.function is not None:
                return self.yielded(value.function, depth + 1) if not path else Item.UNKNOWN
            origin = model_stream(self.facts, value)
            if not origin:
                continue
            if origin.endswith(".aiter()"):
                return Item.TEXT
            owner = value.inner
            if value.kind in (Kind.ASYNC_GENERATOR, Kind.GENERATOR) and owner is not None:
                return stream_item(owner, value.name, value.node, path)
            return Item.TEXT if _last(iterable) == "text_stream" else Item.CHUNK
        if isinstance(iterable, cst.Call):
            call = runnable_call(self.facts, iterable, module, BY_NAME)
            if call is not None and call.receiver is None:
                return stream_item(Value(Kind.INSTANCE, "", "graph"), call.method, iterable, path, by_name=True)
        return Item.UNKNOWN

    def yielded(self, function: Function, depth: int = 0) -> str:
        """What every yield of a generator gives, when that is the same."""
        kinds = {
            self.kind(y.value, function.module, depth + 1)
            for y in function.yields
            if isinstance(y.value, cst.BaseExpression) and string_value(y.value) is None
        }
        return kinds.pop() if len(kinds) == 1 else Item.UNKNOWN


def stream_item(
    owner: Value, method: str, call: cst.CSTNode | None, path: tuple[int, ...], *, by_name: bool = False
) -> str:
    """What a runnable's stream gives (or the part of it at ``path``)."""
    if method == "astream_events":
        return Item.DICT if not path else Item.UNKNOWN
    if owner.role == "model":
        return Item.MESSAGE if not path else Item.UNKNOWN
    if owner.role == "chain":
        last = owner.inner
        if last is None or path:
            return Item.UNKNOWN
        if last.role == "model":
            return Item.MESSAGE
        return Item.TEXT if last.name.endswith(".StrOutputParser") else Item.UNKNOWN
    if owner.role != "graph" or not isinstance(call, cst.Call):
        return Item.UNKNOWN
    mode = argument(call, "stream_mode", 2)
    written = string_value(mode)
    if written == "messages":
        return {(): Item.TUPLE, (0,): Item.MESSAGE, (1,): Item.DICT}.get(path, Item.UNKNOWN)
    if path:
        return Item.UNKNOWN
    if written in _PLAIN_MODES or (mode is None and not by_name and not any(arg.star for arg in call.args)):
        return Item.DICT if argument(call, "subgraphs") is None else Item.UNKNOWN
    return Item.UNKNOWN


def event_data(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """The data of an event for sse-starlette: ``{"data": x}``, ``dict(data=x)``, ``ServerSentEvent(data=x)``."""
    if isinstance(node, cst.Dict):
        for element in node.elements:
            if isinstance(element, cst.DictElement) and string_value(element.key) == "data":
                return element.value
    if isinstance(node, cst.Call) and called_name(node) in ("dict", "ServerSentEvent"):
        for arg in node.args:
            if arg.keyword is not None and arg.keyword.value == "data":
                return arg.value
    return None


def _is_empty(node: cst.CSTNode) -> bool:
    """``None`` and the empty string: what a name holds before the first item."""
    return string_value(node) == "" or _is_none(node)


def _is_none(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _last(node: cst.CSTNode) -> str:
    return node.attr.value if isinstance(node, cst.Attribute) else ""


__all__ = ["Item", "Items", "event_data", "stream_item"]
