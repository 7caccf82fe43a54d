"""A chunk without choices ends the stream with an IndexError.

## What it does
Reports `chunk.choices[0]` in a loop over an SDK's stream where nothing makes sure that the chunk has choices: no `if`, no
early `continue`, no `try` around it inside the loop.

## Why it cuts the stream
Some chunks have an empty list: Azure's content filter results come first, the usage chunk comes last, gateways send their own.
`chunk.choices[0]` raises `IndexError: list index out of range` there, after HTTP 200 and half an answer: the client sees an
`incomplete chunked read`, or an error event where the answer was complete.

## Example
```python
from openai import AsyncOpenAI

client = AsyncOpenAI(timeout=60)


async def tokens(question: str):
    messages = [{"role": "user", "content": question}]
    stream = await client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    async for chunk in stream:
        yield chunk.choices[0].delta.content or ""
```

## Use instead
```python
from openai import AsyncOpenAI

client = AsyncOpenAI(timeout=60)


async def tokens(question: str):
    messages = [{"role": "user", "content": question}]
    stream = await client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    async for chunk in stream:
        if not chunk.choices:
            continue
        yield chunk.choices[0].delta.content or ""
```

## Fix
None yet: begin the loop with `if not chunk.choices: continue`.

## Limits
The stream must be known to be an SDK's; a chunk that is handed to a function is not followed there. A `try` around the whole
loop is no guard: it ends the answer just the same. A test of `chunk.usage` is taken for one.

## Evidence
`fixtures/LGS108/evidence.yaml`: the last chunk carries the usage and no choices.

## References
- <https://platform.openai.com/docs/api-reference/chat-streaming/streaming>
- <https://learn.microsoft.com/azure/ai-services/openai/concepts/content-streaming>
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lg_stream_lint.python.guards import exception_names
from lg_stream_lint.python.sources import model_stream
from lg_stream_lint.python.syntax import called_name, children, string_value, walk, walk_same_scope
from lg_stream_lint.rules.base import PythonRule

_CATCHING = frozenset({"IndexError", "LookupError", "Exception", "BaseException"})


class UnguardedChoices(PythonRule):
    """Looks into each loop over an SDK's stream."""

    independent_of_async = True
    in_tests = False
    place = (("choices",), ("for ",))

    def visit_For(self, node: cst.For) -> None:
        """Judge one loop."""
        if isinstance(node.target, cst.Name) and self._is_stream(node.iter):
            self._judge(node, node.target.value, walk_same_scope(node.body))

    def visit_CompFor(self, node: cst.CompFor) -> None:
        """Judge one comprehension: its element and its conditions."""
        comprehension = self.parent_of(node)
        if isinstance(node.target, cst.Name) and comprehension is not None and self._is_stream(node.iter):
            self._judge(node, node.target.value, walk_same_scope(comprehension))

    def _is_stream(self, iterated: cst.BaseExpression) -> bool:
        return any(
            model_stream(self.facts, value).endswith((" stream", "completion()")) for value in self.values_of(iterated)
        )

    def _judge(self, loop: cst.For | cst.CompFor, name: str, inside: Iterator[cst.CSTNode]) -> None:
        nodes = list(inside)
        aliases = {
            target.target.value
            for node in nodes
            if isinstance(node, cst.Assign) and _is_choices(node.value, name, frozenset())
            for target in node.targets
            if isinstance(target.target, cst.Name)
        }
        aliases |= {
            node.target.value
            for node in nodes
            if isinstance(node, cst.NamedExpr)
            and isinstance(node.target, cst.Name)
            and _is_choices(node.value, name, frozenset())
        }
        for node in nodes:
            owner = _owner_of_first(node)
            if owner is None or not _is_choices(owner, name, frozenset(aliases)):
                continue
            if not self._is_guarded(node, loop, name, frozenset(aliases)):
                self._say(node, name)
                return

    def _is_guarded(self, node: cst.CSTNode, loop: cst.CSTNode, name: str, aliases: frozenset[str]) -> bool:
        child = node
        for parent in self.module.ancestors(node):
            if isinstance(parent, (cst.If, cst.IfExp, cst.While)) and child is not parent.test:
                if _asks(parent.test, name, aliases):
                    return True
            elif isinstance(parent, cst.BooleanOperation) and child is parent.right:
                if _asks(parent.left, name, aliases):
                    return True
            elif isinstance(parent, (cst.Try, cst.TryStar)) and child is parent.body:
                if any(_CATCHING & set(exception_names(self.facts, self.module, h)) for h in parent.handlers):
                    return True
            elif isinstance(parent, cst.With) and any(_suppresses(item) for item in parent.items):
                return True
            elif isinstance(parent, cst.BaseComp):
                return any(_asks(condition.test, name, aliases) for condition in parent.for_in.ifs)
            elif isinstance(parent, cst.IndentedBlock) and self._left_before(parent, child, name, aliases):
                return True
            if parent is loop:
                break
            child = parent
        return False

    @staticmethod
    def _left_before(block: cst.IndentedBlock, at: cst.CSTNode, name: str, aliases: frozenset[str]) -> bool:
        """Whether an earlier statement of the block leaves this turn of the loop when there are no choices."""
        for statement in block.body:
            if statement is at:
                return False
            if isinstance(statement, cst.If) and _asks(statement.test, name, aliases) and _leaves(statement.body):
                return True
        return False

    def _say(self, node: cst.CSTNode, name: str) -> None:
        self.report(
            node,
            f"Chunks without choices (Azure's filter results, the usage chunk) raise IndexError here: the answer is cut in "
            f"mid-stream. Skip them first: `if not {name}.choices: continue`.",
        )


def _owner_of_first(node: cst.CSTNode) -> cst.BaseExpression | None:
    """What stands before ``[0]``."""
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1:
        return None
    index = node.slice[0].slice
    first = isinstance(index, cst.Index) and isinstance(index.value, cst.Integer) and index.value.value == "0"
    return node.value if first else None


def _is_choices(node: cst.CSTNode, name: str, aliases: frozenset[str]) -> bool:
    """``chunk.choices``, or a name that was assigned it."""
    if isinstance(node, cst.Name):
        return node.value in aliases
    return (
        isinstance(node, cst.Attribute)
        and node.attr.value == "choices"
        and isinstance(node.value, cst.Name)
        and node.value.value == name
    )


def _asks(test: cst.CSTNode, name: str, aliases: frozenset[str]) -> bool:
    """Whether a condition asks about the choices themselves (not about the first of them), or about the usage."""
    stack = [test]
    while stack:
        node = stack.pop()
        owner = _owner_of_first(node)
        if owner is not None and _is_choices(owner, name, aliases):
            continue
        if _is_choices(node, name, aliases) or string_value(node) in ("choices", "usage"):
            return True
        if isinstance(node, cst.Attribute) and node.attr.value == "usage":
            return True
        stack.extend(children(node))
    return False


def _leaves(body: cst.CSTNode) -> bool:
    return any(isinstance(node, (cst.Continue, cst.Break, cst.Return, cst.Raise)) for node in walk(body))


def _suppresses(item: cst.WithItem) -> bool:
    return isinstance(item.item, cst.Call) and called_name(item.item) == "suppress"
