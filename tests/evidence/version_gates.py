"""Where the code asks for a version: each such place is a gate, and needs a case on either side of it.

A gate is named by its file below ``lg_stream_lint`` and the version it asks for: ``python/endings.py >=0.46.0``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.evidence.cases import ROOT

PACKAGE = ROOT / "lg_stream_lint"
ASKS = "always"  # VersionFact.always(">=1.0")
SINCE = re.compile(r"\b(\w+_since): *([^,}\s][^,}\n]*)")  # a row that changes with a version of its package


def gates() -> frozenset[str]:
    """Every gate of the code and of the tables that rules decide by."""
    found = {gate for path in PACKAGE.rglob("*.py") for gate in _asked(path)}
    return frozenset(found | {gate for path in (PACKAGE / "knowledge").glob("*.yaml") for gate in _rows(path)})


def _asked(path: Path) -> Iterator[str]:
    source = path.read_text("utf-8")
    if f".{ASKS}(" not in source:
        return
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == ASKS:
            for argument in node.args:
                for text in _specifiers(argument, constants):
                    yield f"{path.relative_to(PACKAGE).as_posix()} {text}"


def _specifiers(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    """What is asked for, as text: a choice of two is two gates, and what is only known at run time stands in braces."""
    if isinstance(node, ast.IfExp):
        yield from _specifiers(node.body, constants)
        yield from _specifiers(node.orelse, constants)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(_part(part, constants) for part in node.values)
    else:
        yield _part(node, constants)


def _part(node: ast.expr, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    text = ast.unparse(inner)
    return constants.get(text, f"{{{text}}}")


def _rows(path: Path) -> Iterator[str]:
    for key, version in SINCE.findall(path.read_text("utf-8")):
        yield f"knowledge/{path.name} {key} {version.strip()}"
