"""A loop takes the items of a graph's stream for something that they are not.

## What it does
Compares what a loop does with the items of `stream()`, `astream()` and `astream_events()` with what the literal
`stream_mode`, `subgraphs` and `version` make of them: tuples read as dicts, updates read as messages, a list of modes that is
not unpacked as `(mode, data)`, `json.dumps()` or `.encode()` of a message object.

## Why it cuts the stream
The first item raises (`'tuple' object has no attribute 'content'`, `tuple indices must be integers`, `not enough values to
unpack`, `Object of type AIMessageChunk is not JSON serializable`): the client gets HTTP 200 and an empty, cut body.

## Example
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    async for chunk in graph.astream({"messages": []}, stream_mode="messages"):
        yield chunk.content
```

## Use instead
```python
from langgraph.graph import StateGraph

graph = StateGraph(dict).compile()


async def tokens():
    async for message, metadata in graph.astream({"messages": []}, stream_mode="messages"):
        yield message.content
```

## Fix
None: how the loop is to be written depends on what it is to send.

## Limits
Modes that are worked out at run time are silent, and so are names of which the loop asks what they are (`isinstance`, `len`,
`in`, `match`) and failures that a `try` inside the loop catches by name. Items handed to other functions are not followed.
Without `stream_mode` a compiled graph streams `updates`. A tuple of modes is no list: its items come without their mode.

## Evidence
`fixtures/LGS209/evidence.yaml`. The shapes were seen with langgraph 1.2.24.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming>
"""

from __future__ import annotations

import re

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.graph_calls import GraphCall, iterated_call, modes
from lg_stream_lint.python.shape_uses import Misuse, Uses
from lg_stream_lint.python.shapes import PAIR, item_shape
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.rules.base import Place, PythonRule


class StreamShapeMismatch(PythonRule):
    """Looks at each loop over a graph's stream."""

    severity = Severity.ERROR
    independent_of_async = True
    place_in_tests = (("@run", "@stream-from-elsewhere"),)
    evidence = (("@langchain",), ("stream(", "astream_events("))

    def visit_For(self, node: cst.For) -> None:
        """Judge a loop."""
        self._loop(node)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        """Judge a comprehension."""
        self._loop(node)

    def _loop(self, node: cst.For | cst.CompFor) -> None:
        called = iterated_call(self.facts, node.iter, self.module)
        shape = item_shape(self.facts, called) if called is not None else None
        if called is None or shape is None:
            return
        found = Uses(self.facts, self.module, node, shape).find()
        if found:
            self._report(called, node, found[0], shape.label)

    def _report(self, called: GraphCall, loop: cst.For | cst.CompFor, misuse: Misuse, whole: str) -> None:
        gives = misuse.shape.label or whole
        one = gives != whole or whole.startswith("the ")
        taken = (
            "it"
            if one and gives == whole
            else "them"
            if gives == whole
            else re.sub(r"(.*) tuples", r"a \1 tuple", gives)
        )
        taken_for = _one(misuse.taken_for) if one else misuse.taken_for
        what = f"`{code_of(misuse.node, 40)}`" if misuse.node is not loop.target else "the loop"
        self.report(
            called.call if called.module is self.module else loop.iter,
            f"{self._written(called)} yields {whole or gives}, but {what} takes {taken} for {taken_for}: "
            f"it fails at the first one, and the client gets HTTP 200 and a cut body. {self._advice(called)}.",
            related=[Place(self.module, misuse.node, "used here")] if misuse.node is not loop.target else [],
        )

    def _written(self, called: GraphCall) -> str:
        if called.method == "astream_events":
            return "astream_events()"
        chosen = modes(self.facts, called)
        if chosen is None or not chosen.written:
            start = f"{called.method}() without stream_mode"
        else:
            given = called.given("stream_mode")
            start = f"stream_mode={code_of(given.node, 40)}" if given is not None else called.method
        for name in ("subgraphs", "version"):
            given = called.given(name)
            if given is not None:
                start += f" with {name}={code_of(given.node, 10)}"
        return start

    def _advice(self, called: GraphCall) -> str:
        shape = item_shape(self.facts, called)
        chosen = modes(self.facts, called)
        if called.method == "astream_events" or (
            shape is not None and shape.kind == "dict" and called.given("version")
        ):
            return "Read it by its keys"
        if chosen is not None and not chosen.is_list and len(chosen.names) > 1:
            return "Write the modes as a list, and unpack (mode, data)"
        if shape is not None and shape.kind == "tuple" and shape is not PAIR:
            return f"Unpack {shape.label.removesuffix(' tuples')}"
        if shape is PAIR:
            return "Unpack (message, metadata), and send message.content"
        return 'Pass stream_mode="messages" for tokens, or read the dict by its keys'


def _one(taken_for: str) -> str:
    """``a dict`` for ``dicts``."""
    for plural, single in (("dicts", "a dict"), ("tuples", "a tuple"), ("objects", "an object")):
        if taken_for.startswith(plural):
            return single + taken_for.removeprefix(plural)
    return taken_for
