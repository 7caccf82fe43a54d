"""Which rules there are: read from the rules' files, without importing them (that would import LibCST).

A file ``rules/<family>/lgs201_sync_graph_call_in_async.py`` is a rule: the name gives its code and name (a class attribute ``name``
where a file cannot be called so), its docstring its documentation, and the literal class attributes of its one class the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lg_stream_lint.rules.base import PythonRule
    from lg_stream_lint.rules.deployment import DeployRule

FAMILIES = {
    "tool": "The tool itself",
    "model": "Model: the client that produces the tokens",
    "graph": "Graph: how it is run",
    "generator": "Generator: the function that yields",
    "response": "Response: what the handler hands to the server",
    "server": "Server: the process",
    "proxy": "Proxy and platform",
    "budget": "Budget: the way as a whole",
}

#: The families whose rules look at settings, not at Python.
DEPLOYMENT = frozenset({"server", "proxy", "budget"})


class RuleInfo(NamedTuple):
    """What is known of a rule without running it.

    ``severity`` is the usual one (a finding may be worse or milder), ``fix`` is ``none``, ``safe`` or ``unsafe``,
    ``doc`` the docstring with its sections, ``summary`` its first line, ``module`` the dotted name to import,
    ``independent_of_async`` whether the rule still fires in code without ``async``.
    """

    code: str
    name: str
    severity: str
    fix: str
    family: str
    doc: str
    summary: str
    module: str
    path: str
    independent_of_async: bool


_rules: dict[str, RuleInfo] | None = None


def rules() -> dict[str, RuleInfo]:
    """Every rule by code, in order."""
    global _rules
    if _rules is None:
        _rules = {info.code: info for info in sorted(_read(), key=lambda info: info.code)}
    return _rules


def load(info: RuleInfo) -> type[PythonRule] | None:
    """Import a Python rule's class; None for rules that only describe what the engine itself reports, and over settings."""
    if info.family in DEPLOYMENT:
        return None
    import importlib

    from lg_stream_lint.rules.base import PythonRule

    module = importlib.import_module(info.module)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, PythonRule) and value.__module__ == info.module:
            value.info = info
            return value
    return None


def load_deployment(info: RuleInfo) -> type[DeployRule] | None:
    """Import the class of a rule over settings; None for rules of other families."""
    if info.family not in DEPLOYMENT:
        return None
    import importlib

    from lg_stream_lint.rules.deployment import DeployRule

    module = importlib.import_module(info.module)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, DeployRule) and value.__module__ == info.module:
            value.info = info
            return value
    return None


def _read() -> Iterator[RuleInfo]:
    here = os.path.dirname(os.path.abspath(__file__))
    for family in FAMILIES:
        folder = os.path.join(here, family)
        if not os.path.isdir(folder):
            continue
        for name in sorted(os.listdir(folder)):
            if name.startswith("lgs") and name.endswith(".py"):
                yield _info(os.path.join(folder, name), family, name[: -len(".py")])


def _info(path: str, family: str, stem: str) -> RuleInfo:
    import ast

    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    code, _, name = stem.partition("_")
    doc = ast.get_docstring(tree) or ""
    found: dict[str, Any] = {"severity": "warning", "fix": "none", "independent_of_async": False}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found.update(_attributes(ast, node))
    return RuleInfo(
        code.upper(),
        found.get("name", name.replace("_", "-")),
        found["severity"],
        found["fix"],
        family,
        doc,
        doc.partition("\n")[0],
        f"lg_stream_lint.rules.{family}.{stem}",
        path,
        found["independent_of_async"],
    )


def _attributes(ast: Any, node: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in node.body:
        if isinstance(item, ast.Assign) and len(item.targets) == 1 and isinstance(item.targets[0], ast.Name):
            value = item.value
            if isinstance(value, ast.Constant):
                found[item.targets[0].id] = value.value
            elif isinstance(value, ast.Attribute):  # Severity.ERROR
                found[item.targets[0].id] = value.attr.lower()
    return found
