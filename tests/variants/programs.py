"""Other programs, in which the failure is gone: so must be the finding."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import PurePosixPath

import libcst as cst
from libcst.helpers import get_full_name_for_node

from tests.projects import Project, text_of

ASYNC_CLASSES = re.compile(r"^Async(?=OpenAI|Anthropic|AzureOpenAI|Client)")
ASYNC_METHODS = {
    "astream": "stream",
    "astream_events": "stream",
    "astream_log": "stream",
    "ainvoke": "invoke",
    "abatch": "batch",
    "abatch_as_completed": "batch_as_completed",
    "atransform": "transform",
    "aget_state": "get_state",
    "aget_state_history": "get_state_history",
    "aupdate_state": "update_state",
    "aclose": "close",
}


class _WithoutFrameworks(cst.CSTTransformer):
    """Drops every import of what is neither the standard library nor the project."""

    def __init__(self, own: frozenset[str]) -> None:
        super().__init__()
        self.own = own

    def _stays(self, node: cst.Import | cst.ImportFrom) -> bool:
        if isinstance(node, cst.Import):
            names = [name.evaluated_name for name in node.names]
        else:
            names = [] if node.module is None or node.relative else [get_full_name_for_node(node.module) or ""]
        return all(name.partition(".")[0] in sys.stdlib_module_names | self.own for name in names)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:
        if isinstance(original_node, (cst.Import, cst.ImportFrom)) and not self._stays(original_node):
            return cst.Pass()
        return super().on_leave(original_node, updated_node)


def without_frameworks(project: Project) -> Project | None:
    """The imports of frameworks and libraries removed: nothing is known any more, so nothing may be said."""
    own = frozenset(part for path in project.python for part in PurePosixPath(path).with_suffix("").parts)
    return _rewritten(project, _WithoutFrameworks(own))


class _Synchronous(cst.CSTTransformer):
    """``async`` and ``await`` removed and, if asked, the methods called by their synchronous names."""

    def __init__(self, *, methods: bool) -> None:
        super().__init__()
        self.methods = methods

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:
        if isinstance(updated_node, cst.Await):
            inner = updated_node.expression
            return inner.with_changes(lpar=[*updated_node.lpar, *inner.lpar], rpar=[*inner.rpar, *updated_node.rpar])
        if isinstance(updated_node, (cst.FunctionDef, cst.For, cst.With, cst.CompFor)):
            return updated_node.with_changes(asynchronous=None)
        if isinstance(updated_node, cst.Name) and self.methods:
            name = ASYNC_CLASSES.sub("", ASYNC_METHODS.get(updated_node.value, updated_node.value))
            return updated_node if keyword.iskeyword(name) else updated_node.with_changes(value=name)
        return super().on_leave(original_node, updated_node)


def without_async(project: Project) -> Project | None:
    """Every ``async`` and ``await`` removed, nothing else."""
    return _rewritten(project, _Synchronous(methods=False))


def synchronous_twin(project: Project) -> Project | None:
    """The program as its author would have written it without ``asyncio``: ``stream`` for ``astream`` and so on."""
    return _rewritten(project, _Synchronous(methods=True))


def _rewritten(project: Project, transformer: cst.CSTTransformer) -> Project | None:
    changed = {
        path: cst.parse_module(text_of(content)).visit(transformer).code.encode()
        for path, content in project.python.items()
    }
    return None if changed == project.python else project.with_files({**project.files, **changed})
