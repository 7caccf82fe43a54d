"""Where nodes stand, computed once for a module that has a finding."""

from __future__ import annotations

import sys

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from lg_stream_lint.finding import Span

#: LibCST generates code recursively; its own nesting, not the user's, reaches Python's default limit of 1,000 frames.
_RECURSION_LIMIT = 20_000


def spans_of(tree: cst.Module) -> dict[cst.CSTNode, Span]:
    """A span for every node: rows and columns from 1, in code points, the end exclusive.

    Empty when even a raised recursion limit does not suffice; findings then stand at the top of the file.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        ranges = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    except (RecursionError, KeyError):
        return {}
    finally:
        sys.setrecursionlimit(limit)
    return {
        node: Span(place.start.line, place.start.column + 1, place.end.line, place.end.column + 1)
        for node, place in ranges.items()
        if isinstance(place, CodeRange)
    }
