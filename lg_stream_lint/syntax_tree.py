"""The interpreter's own syntax tree of somebody's file: a tenth of LibCST's time, where nothing is said about its places."""

from __future__ import annotations

import ast
import warnings


def tree_of(source: bytes | str) -> ast.Module:
    """Parse a file, without the interpreter's warnings about escapes in its strings.

    Raises ``SyntaxError``, ``ValueError``, ``RecursionError`` or ``MemoryError`` where it cannot be parsed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)
