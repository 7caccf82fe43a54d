"""A model is told not to stream, and its answer is streamed.

## What it does
Reports a chat model that is built with `disable_streaming=True`, an explicit `streaming=False` or the tag `nostream` when what
streams to the reader is a graph, chain or loop in which this model answers.

## Why it cuts the stream
Nothing arrives while the model writes: in `stream_mode="messages"`, and from a chain, the answer comes as one block ("only final
message"), and `astream_events()` has no `on_chat_model_stream` at all. An idle limit on the way may cut the stream before.

## Example
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60, disable_streaming=True)


async def tokens(question):
    async for chunk in model.astream(question):
        yield chunk.content
```

## Use instead
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def tokens(question):
    async for chunk in model.astream(question):
        yield chunk.content
```

## Fix
None yet: remove the argument or the tag.

## Limits
`streaming=False` counts for classes that are known to have the field, and from langchain-core 1.0 on (older ones ignore it); the
tag counts in `stream_mode="messages"` only, and from langgraph 0.4.1 on. An unknown version is taken to be new.

In a graph, a model with structured output is taken for a router or judge. Nodes that return messages are taken to answer, if
there are any; when one of their models streams, the silent one is taken to be silent on purpose. The rule says nothing when
a node, a model or a filter of the stream cannot be followed, or when the graph streams `updates` or `values`.

## Evidence
`fixtures/LGS104/evidence.yaml`, with langchain-core 1.8.3 and langgraph 1.2.24. The boundaries were read in the sources of
langchain-core 0.3.86 and 1.0.0 and of langgraph 0.4.0 and 0.4.1.

## References
- <https://reference.langchain.com/python/langchain-core/language_models/chat_models/BaseChatModel>
- <https://docs.langchain.com/oss/python/langgraph/streaming>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence
from lg_stream_lint.python.streamed import Run
from lg_stream_lint.python.switches import Off, switched_off
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.rules.base import Place, PythonRule


class ModelStreamingDisabled(PythonRule):
    """Looks at each construction of a chat model that is told not to stream."""

    independent_of_async = True
    place = (("@models",),)
    evidence = (("@langchain",), ("streaming", "nostream", "NOSTREAM"))

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one construction."""
        off = switched_off(self.facts, node, self.module)
        run = self.facts.streamed.silent.get(node) if off is not None else None
        if off is None or run is None:
            return
        self.report(
            node,
            f"{self._told(off)}, but {self._seen(run)}. {self._advice(off)}",
            confidence=Confidence.HIGH if off.certain else Confidence.MEDIUM,
            related=[Place(run.module, run.call, "the answer is streamed here")],
        )

    @staticmethod
    def _told(off: Off) -> str:
        version = f" ({off.version})" if off.version else ""
        if off.hidden:
            return f"{off.how[:1].upper()}{off.how[1:]} hides the tokens of {off.build.name}{version}"
        return f"{off.how} stops {off.build.name} from streaming{version}"

    @staticmethod
    def _seen(run: Run) -> str:
        func = run.call.func
        what = f"{code_of(func, 40)}()"
        if run.way == "events":
            return f"{what} is to send its tokens: there is no on_chat_model_stream event, and the reader sees none"
        if run.way == "tokens":
            return f"{what} streams its answer: the reader sees only the final message, in one piece"
        return f"{what} streams its answer: the reader sees everything in one piece at the end"

    @staticmethod
    def _advice(off: Off) -> str:
        return "Remove the tag." if off.hidden else f"Remove {off.how}."
