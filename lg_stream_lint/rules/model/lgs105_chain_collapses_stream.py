"""A step behind the model turns a chain's stream into one piece.

## What it does
Reports a step of a chain that stands behind the model and waits for the whole answer, when the chain is streamed: a lambda or
function that is no generator, a `RunnableLambda` of one, `operator.attrgetter()`, or a `PydanticOutputParser` for a class with
several required fields.

## Why it cuts the stream
LangChain collects what comes in before it calls such a step. `chain.astream()` then gives one chunk when the model has finished:
the reader looks at an empty page and gets everything in one piece at the end, and an idle limit on the way may cut before.

## Example
```python
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

prompt = ChatPromptTemplate.from_template("Tell a story about {topic}")
chain = prompt | ChatOpenAI(model="gpt-4o-mini", timeout=60) | (lambda message: message.content)


async def tokens(topic):
    async for token in chain.astream({"topic": topic}):
        yield token
```

## Use instead
```python
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

prompt = ChatPromptTemplate.from_template("Tell a story about {topic}")
chain = prompt | ChatOpenAI(model="gpt-4o-mini", timeout=60) | StrOutputParser()


async def tokens(topic):
    async for token in chain.astream({"topic": topic}):
        yield token
```

## Fix
None yet: `StrOutputParser()` takes the place of `lambda m: m.content`; any other function becomes a generator, which is
given the stream and yields each piece (`async def clean(stream): async for chunk in stream: yield …`).

## Limits
Only chains whose steps are known, and that `stream()`, `astream()`, `transform()` or `atransform()` runs outside of nodes and
tools: `astream_events()` and a graph's `messages` tell of the model's tokens all the same. Functions from other packages, and
steps inside a dict or `assign()`, are not looked at. A `PydanticOutputParser` does stream from the moment its last required
field begins.

## Evidence
`fixtures/LGS105/evidence.yaml`, with langchain-core 1.8.3.

## References
- <https://reference.langchain.com/python/langchain-core/runnables/base/RunnableLambda>
- <https://reference.langchain.com/python/langchain-core/runnables/base/RunnableGenerator>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.python.streamed import Held
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.rules.base import Place, PythonRule

if TYPE_CHECKING:
    import libcst as cst

_PYDANTIC = "PydanticOutputParser"


class ChainCollapsesStream(PythonRule):
    """Looks at the steps of the chains that the project streams."""

    independent_of_async = True
    in_tests = False
    place = (("|", "pipe", "RunnableSequence"),)
    evidence = (("@langchain",),)

    def visit_Module(self, node: cst.Module) -> None:
        """Report the steps that stand in this file."""
        for held in self.facts.streamed.held:
            if held.step.module is self.module:
                self._report(held)

    def _report(self, held: Held) -> None:
        run = held.run
        what = f"{code_of(run.call.func, 40)}()"
        if held.step.name == _PYDANTIC:
            message = (
                f"{_PYDANTIC} has nothing to show before the last required field begins, so {what} is silent until then, and an "
                "idle limit on the way may cut it. Use JsonOutputParser, which gives each partial result."
            )
        else:
            name = held.step.name
            start = f"A{name[1:]}" if name.startswith("a ") else name  # code keeps its own letters
            message = (
                f"{start} behind the model waits for its whole answer: {what} gives one chunk, and the reader "
                "sees everything in one piece at the end. Use StrOutputParser() for the text, or a generator function."
            )
        self.report(held.step.node, message, related=[Place(run.module, run.call, "the chain is streamed here")])
