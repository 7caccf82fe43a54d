"""The legacy token callback ends the stream after the first model call, or never.

## What it does
Reports an `AsyncIteratorCallbackHandler` whose `aiter()` a generator turns into a stream.

## Why it cuts the stream
The handler is done when the first model call of the chain or agent ends: with a tool, a retriever that rephrases the question,
or a second step, the answer stops cleanly in the middle. When something fails before the model is asked, it is never
done: the stream stays open and silent. One handler for all requests mixes their tokens, and one's end ends all.

## Example
```python
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_classic.callbacks import AsyncIteratorCallbackHandler
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

app = FastAPI()
chain = ChatPromptTemplate.from_template("Say {word}") | ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def tokens():
    handler = AsyncIteratorCallbackHandler()
    task = asyncio.create_task(chain.ainvoke({"word": "hello"}, {"callbacks": [handler]}))
    try:
        async for token in handler.aiter():
            yield token
    except Exception:
        yield "(the model failed)"
    finally:
        task.cancel()


@app.get("/chat")
async def chat():
    return StreamingResponse(tokens(), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

app = FastAPI()
model = ChatOpenAI(model="gpt-4o-mini", timeout=60)
chain = ChatPromptTemplate.from_template("Say {word}") | model | StrOutputParser()


async def tokens():
    try:
        async for token in chain.astream({"word": "hello"}):
            yield token
    except Exception:
        yield "(the model failed)"


@app.get("/chat")
async def chat():
    return StreamingResponse(tokens(), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Fix
None: iterate `astream()` or `astream_events()` of the chain or graph itself.

## Limits
A handler that one call of a bare model ends is right as long as the model does not fail: this is advice only. A subclass that
has its own `on_llm_end` decides itself when it is done: it is reported only when all requests share one. A handler that
reaches the generator through an annotation alone is not found.

## Evidence
`fixtures/LGS111/evidence.yaml` cites the handler's source: `on_llm_end` sets its `done`.

## References
- <https://reference.langchain.com/python/langchain_classic/callbacks/>
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python import types
from lg_stream_lint.python.producers import CALLBACK, Read, feeds, is_callback, reads, spawned
from lg_stream_lint.python.runnables import runnable_call
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import positional
from lg_stream_lint.python.value import Value
from lg_stream_lint.rules.base import Place, PythonRule

_MOST_FILES = 24


class LegacyIteratorCallback(PythonRule):
    """Looks at each construction of the handler, and for the generator that reads from it."""

    in_tests = False
    evidence = ((CALLBACK,),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one construction."""
        if positional(node):
            return  # the handler takes no positional argument; a quick way out for most calls
        made = next((v for v in self.values_of(node) if v.node is node and is_callback(self.facts, v)), None)
        if made is None:
            return
        for generator, read in self._readers(node):
            shared = self._is_shared(node, generator, read)
            if shared or not self._decides_itself(made):
                if not shared and self._has_one_call(generator, read):
                    self._advise(node, generator, read)
                else:
                    self._report(node, generator, read, shared=shared)
                return

    def _has_one_call(self, generator: Function, read: Read) -> bool:
        """Whether one call of a chat model itself is all that the handler hears of: then its end is the answer's."""
        module = generator.module
        work = [
            spawn.work
            for spawn in (spawned(self.facts, call, module) for call in generator.calls)
            if spawn is not None and feeds(self.facts, spawn, generator, read)
        ]
        if len(work) != 1 or not isinstance(work[0], cst.Call):
            return False
        asked = [found for call in generator.calls if (found := runnable_call(self.facts, call, module)) is not None]
        return len(asked) == 1 and asked[0].call is work[0] and asked[0].role == "model"

    def _readers(self, node: cst.Call) -> Iterator[tuple[Function, Read]]:
        """The generators that iterate this very handler."""
        for path in self.project.mentioning(b"aiter(")[:_MOST_FILES]:
            module = self.project.module(path)
            for function in module.functions if module is not None else ():
                if not (function.is_generator and function.is_async):
                    continue
                for read in reads(self.facts, function):
                    if read.callback and any(v.node is node for v in self.facts.infer.of(read.owner, function.module)):
                        yield function, read

    def _is_shared(self, node: cst.Call, generator: Function, read: Read) -> bool:
        """Whether the handler is a global of a module: one for all requests."""
        if self.function_of(node) is None:
            return True
        owner = read.owner
        if not isinstance(owner, cst.Name):
            return False
        holder = generator.module.scope_at(owner).holder_of(owner.value)
        return holder is not None and holder.kind == "module"

    def _decides_itself(self, made: Value) -> bool:
        return made.cls is not None and any(
            "on_llm_end" in cls.methods for cls in types.bases(self.facts.infer, made.cls)
        )

    def _advise(self, node: cst.Call, generator: Function, read: Read) -> None:
        self.report(
            node,
            f"{CALLBACK} is done when the model's one call ends, by an error too: half an answer then looks complete. "
            f"Iterate the model's astream() in {generator.name}() instead.",
            severity=Severity.INFO,
            related=[Place(generator.module, read.node, "its tokens are read here")],
        )

    def _report(self, node: cst.Call, generator: Function, read: Read, *, shared: bool) -> None:
        if shared:
            what = (
                f"One {CALLBACK} serves all requests: their tokens mix, and the first answer that ends ends the others "
                "in mid-sentence. "
            )
        else:
            what = (
                f"{CALLBACK} is done when the first model call ends, so an answer with tools or several steps stops cleanly "
                "in the middle; and when something fails before that call, the stream hangs. "
            )
        self.report(
            node,
            f"{what}Iterate astream() or astream_events() of the chain or graph in {generator.name}() instead.",
            related=[Place(generator.module, read.node, "its tokens are read here")],
        )
