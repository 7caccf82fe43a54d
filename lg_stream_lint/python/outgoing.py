"""Where a response goes after it is built, and the headers that are set on it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.keywords import Keyword, mapping_of
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import called_name, string_value, walk, walk_same_scope
from lg_stream_lint.python.value import Kind

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: Helpers that get a response from a function that gets it from … : deeper than this is not followed.
_DEEPEST = 4
_MEDIA_ATTRIBUTES = frozenset({"media_type", "mimetype", "content_type"})
_SHOWING = frozenset({"print", "debug", "info", "warning", "isinstance", "type", "make_response"})


class Outgoing:
    """Follows a response from its construction out of the handler, and collects the headers set on the way."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.found: dict[str, Keyword | None] = {}
        self.unknown = False
        self._seen: set[cst.CSTNode] = set()

    def follow(self, node: cst.CSTNode, module: Module, depth: int) -> None:
        """What becomes of an expression that is the response."""
        if node in self._seen or depth > _DEEPEST:
            return
        self._seen.add(node)
        parent = module.parents.get(node)
        if isinstance(parent, (cst.Await, cst.IfExp, cst.BooleanOperation)):
            self.follow(parent, module, depth)
        elif isinstance(parent, cst.Return):
            self._returned(parent, module, depth)
        elif isinstance(parent, cst.Element):
            self._in_tuple(parent, module, depth)
        elif isinstance(parent, (cst.Assign, cst.AnnAssign, cst.NamedExpr)):
            self._assigned(parent, module, depth)
        elif isinstance(parent, cst.Arg):
            call = module.parents.get(parent)
            if isinstance(call, cst.Call):
                self._handed(call, parent, module, depth)
        elif not isinstance(parent, cst.Expr):
            self.unknown = True

    def _returned(self, node: cst.CSTNode, module: Module, depth: int) -> None:
        function = module.function_at(node)
        if function is None:
            return
        for decorator in function.decorators:
            self._decorated(decorator, function)
        if not self.facts.functions.is_handler(function):
            for other, call in self.facts.callers(function):
                self.follow(call, other, depth + 1)

    def _decorated(self, decorator: cst.BaseExpression, function: Function) -> None:
        """A decorator of the project may set headers: the ones it speaks of count as set."""
        target = decorator.func if isinstance(decorator, cst.Call) else decorator
        for value in self.facts.infer.of(target, function.module, function.outer):
            if value.kind == Kind.FUNCTION and value.function is not None:
                for node in walk(value.function.node.body):
                    text = literal_text(node)
                    if text is not None and "-" in text:
                        self.found[text.lower()] = None

    def _in_tuple(self, element: cst.Element, module: Module, depth: int) -> None:
        """Flask's ``return response, 200, {…}``."""
        whole = module.parents.get(element)
        if not isinstance(whole, cst.Tuple) or not isinstance(module.parents.get(whole), cst.Return):
            self.unknown = True
            return
        for other in whole.elements[1:]:
            if isinstance(other.value, (cst.Dict, cst.Name)):
                self._mapping(other.value, module)
        self.follow(whole, module, depth)

    def _assigned(self, node: cst.Assign | cst.AnnAssign | cst.NamedExpr, module: Module, depth: int) -> None:
        targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
        function = module.function_at(node)
        for target in targets:
            if isinstance(target, cst.Name) and function is not None:
                self._used(target.value, function, depth)
            else:
                self.unknown = True

    def _used(self, name: str, function: Function, depth: int) -> None:
        """Everything that is done with a name that holds the response, in the function's own body."""
        module = function.module
        for node in walk_same_scope(function.node):
            if not isinstance(node, cst.Name) or node.value != name:
                continue
            parent = module.parents.get(node)
            if isinstance(parent, cst.Attribute) and parent.value is node:
                self._attribute(parent, module)
            elif isinstance(parent, cst.Subscript) and parent.value is node:
                self._item(parent, module)
            elif isinstance(parent, cst.AssignTarget) or (isinstance(parent, cst.AnnAssign) and parent.target is node):
                continue
            elif not isinstance(
                parent, (cst.NameItem, cst.Param, cst.NamedExpr, cst.Comparison, cst.UnaryOperation, cst.If)
            ):
                self.follow(node, module, depth + 1)

    def _attribute(self, node: cst.Attribute, module: Module) -> None:
        name = node.attr.value
        parent = module.parents.get(node)
        if name in ("headers", "raw_headers"):
            if isinstance(parent, cst.Subscript):
                self._item(parent, module)
            elif isinstance(parent, cst.Attribute):
                self._method(parent, module)
            elif isinstance(parent, cst.AssignTarget):
                self.unknown = True
        elif name in _MEDIA_ATTRIBUTES and isinstance(parent, cst.AssignTarget):
            assign = module.parents.get(parent)
            if isinstance(assign, cst.Assign):
                self.found["content-type"] = Keyword(assign.value, module)
        elif name == "init_headers":
            self.unknown = True

    def _item(self, node: cst.Subscript, module: Module) -> None:
        """``response.headers[key] = …``, or Django's ``response[key] = …``."""
        target = module.parents.get(node)
        if not isinstance(target, cst.AssignTarget):
            return
        index = node.slice[0].slice
        key = self._text(index.value, module) if isinstance(index, cst.Index) else None
        assign = module.parents.get(target)
        if key is None:
            self.unknown = True
        elif isinstance(assign, cst.Assign):
            self.found[key.lower()] = Keyword(assign.value, module)

    def _method(self, node: cst.Attribute, module: Module) -> None:
        """``response.headers.update(…)``, ``.setdefault(key, value)``, ``.append(key, value)`` …"""
        call = module.parents.get(node)
        if not isinstance(call, cst.Call) or call.func is not node:
            return
        method = node.attr.value
        if method in ("update", "extend"):
            for arg in call.args:
                if arg.keyword is not None:
                    self.found[arg.keyword.value.replace("_", "-").lower()] = Keyword(arg.value, module)
                else:
                    self._mapping(arg.value, module)
        elif method in ("setdefault", "append", "add", "set", "add_header") and call.args:
            key = self._text(call.args[0].value, module)
            if key is None:
                self.unknown = True
            else:
                value = call.args[1].value if len(call.args) > 1 else None
                self.found[key.lower()] = Keyword(value, module) if value is not None else None

    def _mapping(self, node: cst.BaseExpression, module: Module) -> None:
        mapping = mapping_of(self.facts, node, module)
        self.found.update({name.lower(): item for name, item in mapping.given.items()})
        self.unknown = self.unknown or mapping.unknown

    def _text(self, node: cst.BaseExpression, module: Module) -> str | None:
        written = string_value(node)
        if written is not None:
            return written
        values = self.facts.infer.of(node, module)
        return string_value(values[0].node) if len(values) == 1 and values[0].kind == Kind.LITERAL else None

    def _handed(self, call: cst.Call, arg: cst.Arg, module: Module, depth: int) -> None:
        """The response is an argument: of a function of the project, which is followed, or of one that is not known."""
        functions = [v.function for v in self.facts.infer.of(call.func, module) if v.function is not None]
        if not functions:
            if called_name(call) not in _SHOWING:
                self.unknown = True
            self.follow(call, module, depth + 1)
            return
        for function in functions:
            name = _parameter(function, call, arg)
            if name:
                self._used(name, function, depth + 1)
            else:
                self.unknown = True
        self.follow(call, module, depth + 1)


def _parameter(function: Function, call: cst.Call, arg: cst.Arg) -> str:
    """The name of the parameter that gets an argument; empty when that cannot be told."""
    if arg.keyword is not None:
        return arg.keyword.value
    position = next((i for i, other in enumerate(call.args) if other is arg), 0)
    if arg.star or any(other.star for other in call.args[:position]):
        return ""
    position += 1 if function.is_method else 0
    return function.parameters[position].name if position < len(function.parameters) else ""


def literal_text(node: cst.CSTNode) -> str | None:
    """The text of a string or bytes literal."""
    if not isinstance(node, cst.SimpleString):
        return None
    value = node.evaluated_value
    return value if isinstance(value, str) else value.decode("latin-1")
