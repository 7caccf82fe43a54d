"""Calls of LangChain's methods: which object, which method, what it gives. The one place where names alone count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.methods import kind_of_method, receiver_of
from lg_stream_lint.python.value import Kind, Value, Values

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: What a receiver is called when it is a graph or model: alone, or as a word in snake_case.
_WORDS = frozenset({"graph", "agent", "chain", "workflow", "runnable", "llm", "model"})
#: Words that make another thing of it: `agent_client`, `model_service`.
_OTHER_THINGS = frozenset(
    {"client", "service", "manager", "adapter", "handler", "server", "api", "store", "config", "settings", "repository",
     "repo", "session", "name", "id", "ids", "cls", "class", "path", "url", "type", "factory", "logger", "queue", "view",
     "viewset", "serializer", "field", "router", "db", "cache", "wrapper", "runner", "cli", "proxy", "sdk", "http"}
)  # fmt: skip
_USES = re.compile(rb"langgraph|langchain")


class RunnableCall(NamedTuple):
    """A call of a runnable's method. ``receiver`` is None when only the names say what it is (``by_name``)."""

    call: cst.Call
    module: Module
    method: str
    kind: str
    receiver: Value | None

    @property
    def by_name(self) -> bool:
        """Whether names are the only evidence."""
        return self.receiver is None

    @property
    def role(self) -> str:
        """The receiver's role; ``graph`` when only names are known."""
        return self.receiver.role if self.receiver is not None else "graph"


def runnable_call(
    facts: Facts, call: cst.Call, module: Module, by_name: frozenset[str] | None = None
) -> RunnableCall | None:
    """What a call is, if it is a method of a graph, chain, agent or model.

    ``by_name`` are the methods for which the receiver's name is evidence enough; None stands for none.
    """
    func = call.func
    if not isinstance(func, cst.Attribute):
        return None
    method = func.attr.value
    if method not in method_names(facts):
        return None
    values = facts.infer.of(func, module)
    for value in values:
        receiver = receiver_of(facts.infer, value)
        if receiver is not None and receiver.is_runnable:
            kind = kind_of_method(facts.infer, receiver, method, call)
            return RunnableCall(call, module, method, kind, receiver) if kind else None
    if by_name is None or method not in by_name or not _may_be_by_name(values, facts.infer.of(func.value, module)):
        return None
    if (
        not reads_like_runnable(func.value)
        or not uses_langchain(facts, module)
        or defined_in_project(facts, method, module)
    ):
        return None
    row = facts.project.knowledge.method("graph", method)
    if row is None:
        return None
    kind = kind_of_method(facts.infer, Value(Kind.INSTANCE, "", "graph"), method, call)
    return RunnableCall(call, module, method, kind, None)


_method_names: dict[int, frozenset[str]] = {}


def method_names(facts: Facts) -> frozenset[str]:
    """Every method name that the tables know for a runnable of any role."""
    tables = facts.project.knowledge
    known = _method_names.get(id(tables))
    if known is None:
        known = _method_names[id(tables)] = frozenset(name for rows in tables.methods.values() for name in rows)
    return known


def _may_be_by_name(method: Values, receiver: Values) -> bool:
    """Whether nothing that is known speaks against judging by name: no method of the project, no object of another library."""
    if any(v.kind in (Kind.FUNCTION, Kind.CONTEXT) for v in method):
        return False
    return all(
        v.kind == Kind.RESULT or (v.kind == Kind.LITERAL and v.name == "none") or _is_outside_object(v)
        for v in receiver
    )


def _is_outside_object(value: Value) -> bool:
    """Something imported from a package that is not part of the project and that no table knows: maybe a graph."""
    return value.kind == Kind.EXTERNAL and value.name.rpartition(".")[2].islower()


def reads_like_runnable(node: cst.BaseExpression) -> bool:
    """Whether the receiver, or the getter called for it, is named like a graph or model."""
    current: cst.CSTNode = node
    while isinstance(current, (cst.Await, cst.Call, cst.Subscript)):
        current = (
            current.expression
            if isinstance(current, cst.Await)
            else current.func
            if isinstance(current, cst.Call)
            else current.value
        )
    name = (
        current.attr.value
        if isinstance(current, cst.Attribute)
        else current.value
        if isinstance(current, cst.Name)
        else ""
    )
    words = name.strip("_").lower().split("_")
    return bool(_WORDS.intersection(words)) and words[-1] not in _OTHER_THINGS and name[:1] == name[:1].lower()


def uses_langchain(facts: Facts, module: Module) -> bool:
    """Whether the module or its project imports LangGraph or LangChain."""
    if _USES.search(module.source):
        return True
    return bool(facts.project.mentioning(b"langgraph") or facts.project.mentioning(b"langchain"))


def defined_in_project(facts: Facts, method: str, module: Module) -> bool:
    """Whether a class of the same program has a method of that name: then the name alone is no evidence."""
    together = facts.project.import_graph.together
    return any(together(path, module.path) for path in facts.project.mentioning(f"def {method}(self".encode()))
