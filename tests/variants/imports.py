"""Imports written another way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import ImportAssignment, MetadataWrapper, Scope, ScopeProvider

from tests.projects import Project, text_of


def _each_python_file(project: Project, rewrite: Callable[[str, frozenset[str]], str]) -> Project | None:
    """Rewrite file by file; names that another file imports from this one are handed over, to be left alone."""
    changed = dict(project.files)
    for path, content in project.python.items():
        if content.strip():
            changed[path] = rewrite(text_of(content), _taken_by_others(project, path)).encode()
    return None if changed == project.files else project.with_files(changed)


def _taken_by_others(project: Project, path: str) -> frozenset[str]:
    """Every name that another file of the project may take from this one: imported, or as an attribute of the module."""
    others = "\n".join(text_of(content) for other, content in project.python.items() if other != path)
    module = PurePosixPath(path).stem
    if module == "__init__" or re.search(rf"from\s+[\w.]*\b{module}\s+import\s+\*", others):
        return frozenset(re.findall(r"\w+", text_of(project.files[path])))
    imported = re.findall(rf"from\s+[\w.]*\b{module}\s+import\s+(\([^)]*\)|[^\n]*)", others)
    return frozenset(re.findall(r"\w+", " ".join(imported)) + re.findall(rf"\b{module}\.(\w+)", others))


class _Replacer(cst.CSTTransformer):
    """Puts other nodes in the place of some; the nodes are known by identity."""

    def __init__(self, nodes: Mapping[cst.CSTNode, cst.CSTNode]) -> None:
        super().__init__()
        self.nodes = nodes

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:
        replacement = self.nodes.get(original_node)
        if replacement is not None:
            return replacement
        return super().on_leave(original_node, updated_node)


def _scopes(wrapper: MetadataWrapper) -> list[Scope]:
    """The scopes of a module, in a stable order."""
    return list(dict.fromkeys(scope for scope in wrapper.resolve(ScopeProvider).values() if scope is not None))


def _imported(wrapper: MetadataWrapper) -> Iterator[tuple[cst.Import | cst.ImportFrom, str, list[cst.BaseExpression]]]:
    """Every name that an import binds, with the import and the places where it is used."""
    for scope in _scopes(wrapper):
        for assignment in scope.assignments:
            if isinstance(assignment, ImportAssignment) and isinstance(assignment.node, (cst.Import, cst.ImportFrom)):
                uses = [access.node for access in assignment.references]
                if all(isinstance(use, (cst.Name, cst.Attribute)) for use in uses):
                    yield assignment.node, assignment.name, uses


def _leftmost(node: cst.BaseExpression) -> cst.Name:
    while isinstance(node, cst.Attribute):
        node = node.value
    assert isinstance(node, cst.Name)
    return node


def aliased(project: Project) -> Project | None:
    """``import x`` becomes ``import x as x_alias``, ``from x import A`` becomes ``from x import A as A_alias``."""
    return _each_python_file(project, _aliased)


def _aliased(source: str, kept: frozenset[str]) -> str:
    wrapper = MetadataWrapper(cst.parse_module(source))
    parents = _parents(wrapper.module)
    swaps: dict[cst.CSTNode, cst.CSTNode] = {}
    for statement, name, uses in _imported(wrapper):
        if name in kept or isinstance(statement.names, cst.ImportStar) or _is_future(statement):
            continue
        alias = cst.Name(name.replace(".", "_") + "_alias")
        places = [_whole(use, name, parents) for use in uses]
        for imported in statement.names:
            if (imported.evaluated_alias or imported.evaluated_name) == name and all(places):
                swaps[imported] = imported.with_changes(asname=cst.AsName(alias))
                swaps.update({place: alias.deep_clone() for place in places if place})
    return wrapper.module.visit(_Replacer(swaps)).code


def _is_future(statement: cst.Import | cst.ImportFrom) -> bool:
    return isinstance(statement, cst.ImportFrom) and _module(statement) == "__future__"


def _module(statement: cst.ImportFrom) -> str:
    return (get_full_name_for_node(statement.module) if statement.module else None) or ""


def _parents(module: cst.Module) -> dict[cst.CSTNode, cst.CSTNode]:
    parents: dict[cst.CSTNode, cst.CSTNode] = {}
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        for child in node.children:
            parents[child] = node
            stack.append(child)
    return parents


def _whole(use: cst.BaseExpression, name: str, parents: Mapping[cst.CSTNode, cst.CSTNode]) -> cst.BaseExpression | None:
    """The ``x.y`` of a use of ``import x.y``, of which only the ``x``, or an ``x.y.z``, may be given."""
    node: cst.CSTNode = _leftmost(use)
    while get_full_name_for_node(node) != name:
        parent = parents[node]
        if not isinstance(parent, cst.Attribute) or parent.value is not node:
            return None
        node = parent
    return node


def attributes(project: Project) -> Project | None:
    """``from x.y import A`` becomes ``import x.y``, and ``A`` becomes ``x.y.A``."""
    return _each_python_file(project, _attributes)


def _attributes(source: str, kept: frozenset[str]) -> str:
    wrapper = MetadataWrapper(cst.parse_module(source))
    swaps: dict[cst.CSTNode, cst.CSTNode] = {}
    bound = _bound(wrapper)
    names: dict[cst.ImportFrom, dict[str, list[cst.BaseExpression]]] = {}
    for statement, name, uses in _imported(wrapper):
        if isinstance(statement, cst.ImportFrom) and not statement.relative and not _is_future(statement):
            names.setdefault(statement, {})[name] = uses
    for statement, used in names.items():
        if isinstance(statement.names, cst.ImportStar) or set(used) & kept or len(used) != len(statement.names):
            continue
        module = _module(statement)
        # A local `app = FastAPI()` beside `from app.graph import graph`: then the module gets a name of its own.
        prefix = module.replace(".", "_") + "_module" if module.partition(".")[0] in bound else module
        swaps[statement] = _small(f"import {module}" + ("" if prefix == module else f" as {prefix}"))
        for imported in statement.names:
            for use in used[imported.evaluated_alias or imported.evaluated_name]:
                swaps[_leftmost(use)] = cst.parse_expression(f"{prefix}.{imported.evaluated_name}")
    return wrapper.module.visit(_Replacer(swaps)).code


def _small(statement: str) -> cst.BaseSmallStatement:
    return cst.ensure_type(cst.parse_statement(statement), cst.SimpleStatementLine).body[0]


def _bound(wrapper: MetadataWrapper) -> set[str]:
    """Every name that anything in the file is called by."""
    return {assignment.name for scope in _scopes(wrapper) for assignment in scope.assignments}


def from_imports(project: Project) -> Project | None:
    """``import x.y`` becomes ``from x.y import A``, and ``x.y.A`` becomes ``A``."""
    return _each_python_file(project, _from_imports)


def _from_imports(source: str, kept: frozenset[str]) -> str:
    wrapper = MetadataWrapper(cst.parse_module(source))
    parents = _parents(wrapper.module)
    swaps: dict[cst.CSTNode, cst.CSTNode] = {}
    bound = _bound(wrapper)
    for statement, name, uses in _imported(wrapper):
        if not isinstance(statement, cst.Import) or name in kept or len(statement.names) != 1:
            continue
        members = [_member(_whole(use, name, parents), parents) for use in uses]
        if not members or not all(members):
            continue  # the module itself is used
        local = {member: f"{name}_{member}".replace(".", "_") if member in bound else member for _, member in members}
        swaps.update({attribute: cst.Name(local[member]) for attribute, member in members})
        parts = [member if member == called else f"{member} as {called}" for member, called in local.items()]
        swaps[statement] = _small(f"from {statement.names[0].evaluated_name} import {', '.join(parts)}")
        bound |= set(local.values())
    return wrapper.module.visit(_Replacer(swaps)).code


def _member(
    module: cst.BaseExpression | None, parents: Mapping[cst.CSTNode, cst.CSTNode]
) -> tuple[cst.Attribute, str] | None:
    """The ``x.y.A`` around the ``x.y``, and what ``A`` is."""
    parent = parents[module] if module else None
    return (parent, parent.attr.value) if isinstance(parent, cst.Attribute) and parent.value is module else None


def over_several_lines(project: Project) -> Project | None:
    """``from x import A, B`` becomes a list in brackets, one name a line."""
    return _each_python_file(project, lambda source, _: cst.parse_module(source).visit(_OneNameALine()).code)


class _OneNameALine(cst.CSTTransformer):
    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        if isinstance(updated_node.names, cst.ImportStar) or _is_future(original_node):
            return updated_node
        line = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
        end = cst.ParenthesizedWhitespace(indent=True)
        names = [name.with_changes(comma=cst.Comma(whitespace_after=line)) for name in updated_node.names]
        names[-1] = names[-1].with_changes(comma=cst.Comma(whitespace_after=end))
        return updated_node.with_changes(names=names, lpar=cst.LeftParen(whitespace_after=line), rpar=cst.RightParen())
