"""One parsed module: its tree, its scopes, functions and classes, and where things stand in it."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.finding import Span
from lg_stream_lint.python.indexing import index
from lg_stream_lint.python.scopes import Class, Function, Scope, Store
from lg_stream_lint.python.syntax import called_name

if TYPE_CHECKING:
    from lg_stream_lint.python.project import Project


class Module:
    """A source file and the facts that follow from it alone.

    ``name`` is the dotted name below its import root, ``is_package`` true for an ``__init__.py``; both are needed to
    follow relative imports.
    """

    def __init__(self, path: str, source: bytes, tree: cst.Module, project: Project, name: str) -> None:
        self.path = path
        self.source = source
        self.tree = tree
        self.project = project
        self.name = name
        self.is_package = os.path.basename(path) == "__init__.py"
        self.scope = Scope("module", self, None)
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.calls: list[cst.Call] = []  # every call of the file, for facts that look for registrations
        #: What is put into objects: under ``[name]`` into the dict or list so named, under ``.name`` as that attribute.
        self.stores: dict[str, list[Store]] = {}
        self.owners: dict[cst.CSTNode, Function | Class] = {}
        index(self)

    @cached_property
    def spans(self) -> dict[cst.CSTNode, Span]:
        """Where every node stands. Computed on first use: it costs more than the parse, and only findings need it."""
        from lg_stream_lint.python.positions import spans_of

        return spans_of(self.tree)

    @cached_property
    def _calls_by_name(self) -> dict[str, list[cst.Call]]:
        found: dict[str, list[cst.Call]] = {}
        for call in self.calls:
            found.setdefault(called_name(call), []).append(call)
        return found

    def calls_of(self, name: str) -> list[cst.Call]:
        """The calls whose function is written ``name(…)`` or ``….name(…)``."""
        return self._calls_by_name.get(name, [])

    @cached_property
    def lines(self) -> list[str]:
        """The source's physical lines, as Python counts them."""
        text = self.source.decode(self.tree.encoding, "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node stands; the top of the file when that cannot be told."""
        return self.spans.get(node) or Span(1, 1, 1, 1)

    def function_at(self, node: cst.CSTNode) -> Function | None:
        """The innermost function or lambda whose body holds the node (its decorators and defaults belong outside)."""
        child, parent = node, self.parents.get(node)
        while parent is not None:
            owner = self.owners.get(parent)
            if isinstance(owner, Function) and child is parent.body:  # type: ignore[attr-defined]
                return owner
            child, parent = parent, self.parents.get(parent)
        return None

    def scope_at(self, node: cst.CSTNode) -> Scope:
        """The scope in which the node is evaluated."""
        child, parent = node, self.parents.get(node)
        while parent is not None:
            owner = self.owners.get(parent)
            if owner is not None and child is parent.body:  # type: ignore[attr-defined]
                return owner.scope
            child, parent = parent, self.parents.get(parent)
        return self.scope

    def ancestors(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        """The nodes around this one, innermost first."""
        found: list[cst.CSTNode] = []
        parent = self.parents.get(node)
        while parent is not None:
            found.append(parent)
            parent = self.parents.get(parent)
        return found

    def statement_at(self, node: cst.CSTNode) -> cst.CSTNode:
        """The simple statement line or compound statement that holds the node."""
        current: cst.CSTNode | None = node
        while current is not None and not isinstance(current, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            parent = self.parents.get(current)
            if parent is None:
                return current
            current = parent
        return current if current is not None else node

    def __repr__(self) -> str:
        return f"<Module {self.path}>"
