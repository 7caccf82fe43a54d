"""What operators give: LangChain's pipe makes chains, arithmetic on literals gives literals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.value import Kind, Value, Values, literal

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.scopes import Scope
    from lg_stream_lint.python.values import Inference


def operation(infer: Inference, node: cst.BinaryOperation, module: Module, scope: Scope) -> Values:
    """What a binary operation gives: a chain for LangChain's pipe, a literal for literals."""
    if isinstance(node.operator, cst.BitOr):
        left, right = infer.of(node.left, module, scope), infer.of(node.right, module, scope)
        # `{...} | prompt | model`: one side is enough, LangChain coerces dicts, functions and lambdas on the other.
        if any(v.is_runnable for v in (*left, *right)):
            last = next((v for v in right if v.is_runnable), right[0] if right else None)
            return (
                Value(
                    Kind.INSTANCE,
                    "langchain_core.runnables.RunnableSequence",
                    "chain",
                    inner=last,
                    node=node,
                    home=module,
                ),
            )
        return ()
    left = infer.of(node.left, module, scope)
    if left and all(v.kind == Kind.LITERAL and v.name in ("str", "list", "tuple", "int", "float") for v in left):
        return (literal(left[0].name, node, module),)
    return ()
