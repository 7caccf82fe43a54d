"""A task that fills a streamed queue outlives the stream, or dies and leaves it waiting.

## What it does
Reports the `create_task` (or thread) that produces what a generator reads from a queue or a token callback, when the task is
not kept, when nothing cancels it as the generator ends, or when it can die without putting its end mark into the queue.

## Why it cuts the stream
After the client has gone, the run goes on to its end: it costs tokens and a slot of the worker. When the producer fails, the
generator waits in `await queue.get()` for ever: the stream stays open and silent until a proxy cuts it (`504`, `upstream
timed out`), and the log says nothing, or `Task exception was never retrieved` much later.

## Example
```python
import asyncio
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def produce(queue: asyncio.Queue):
    async for chunk in graph.astream({"messages": []}):
        await queue.put(f"data: {json.dumps(list(chunk))}\\n\\n")
    await queue.put(None)


async def frames():
    queue = asyncio.Queue()
    asyncio.create_task(produce(queue))
    while (frame := await queue.get()) is not None:
        yield frame


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Use instead
```python
import asyncio
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def produce(queue: asyncio.Queue):
    try:
        async for chunk in graph.astream({"messages": []}):
            await queue.put(f"data: {json.dumps(list(chunk))}\\n\\n")
    except Exception:
        await queue.put('event: error\\ndata: {"error": "the model failed"}\\n\\n')
    finally:
        queue.put_nowait(None)


async def frames():
    queue = asyncio.Queue()
    task = asyncio.create_task(produce(queue))
    try:
        while (frame := await queue.get()) is not None:
            yield frame
    finally:
        task.cancel()


@app.get("/chat")
async def chat():
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(frames(), media_type="text/event-stream", headers=headers)
```

## Fix
None yet: keep the task, cancel it in the generator's `finally`, and put the end mark in the producer's `finally`.

## Limits
A task that is handed to anything else (a set, an attribute, another function) is taken to be ended there, and so is one of a
`TaskGroup`. Threads cannot be cancelled: only their end mark is looked at. Producers that are not functions of the project
are taken to end well.

## Evidence
`fixtures/LGS308/evidence.yaml`: the client leaves, and the model's answer is read to its end or not; the model fails, and the
stream stays open or ends.

## References
- <https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence
from lg_stream_lint.python.keeping import Keeping, always_ends, keeping
from lg_stream_lint.python.producers import TASK, Read, Spawn, feeds, readers, reads, spawned
from lg_stream_lint.python.runnables import uses_langchain
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import code_of
from lg_stream_lint.rules.base import Place, PythonRule

_STARTERS = ("create_task", "ensure_future", "run_in_executor", "Thread")


class OrphanedProducer(PythonRule):
    """Pairs what is started with the generator that reads from it."""

    independent_of_async = True
    in_tests = False
    place = (_STARTERS,)
    evidence = (("@langchain", "@responses"),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge a call, if it starts a task or thread that feeds a generator."""
        spawn = spawned(self.facts, node, self.module)
        if spawn is None:
            return
        for generator in dict.fromkeys(readers(self.facts, spawn.function)):
            fed = self.facts.streams.is_fed_by(generator)
            if not fed and not uses_langchain(self.facts, self.module):
                continue
            read = next((r for r in reads(self.facts, generator) if feeds(self.facts, spawn, generator, r)), None)
            if read is not None:
                self._judge(spawn, generator, read, fed)
                return

    def _judge(self, spawn: Spawn, generator: Function, read: Read, fed: bool) -> None:
        held = keeping(spawn)
        hangs = self._hangs(spawn, read, held)
        runs_on = spawn.kind == TASK and not held.ended
        if not hangs and not runs_on:
            return
        sentences = []
        if runs_on:
            how = "is not cancelled when" if held.kept else "is not kept, so nothing can cancel it when"
            sentences.append(
                f"This task feeds {generator.name}() and {how} the client leaves: the run goes on to its end, unseen and paid for."
            )
        if hangs:
            name = spawn.targets[0].name
            sentences.append(
                f"If {name}() raises, nothing more comes through {code_of(read.owner, 30)} and {generator.name}() waits for "
                "ever: the stream stays open and silent."
            )
        sentences.append(self._advice(generator, held, runs_on, hangs))
        place = Place(generator.module, read.node, "it is read here")
        confidence = Confidence.HIGH if fed else Confidence.MEDIUM
        self.report(spawn.call, " ".join(sentences), confidence=confidence, related=[place])

    def _hangs(self, spawn: Spawn, read: Read, held: Keeping) -> bool:
        """Whether the reader waits for something that a failed producer never sends, and does not watch the producer."""
        if read.callback or read.bounded or held.watched or not spawn.targets:
            return False
        return not any(always_ends(self.facts, target) for target in spawn.targets)

    @staticmethod
    def _advice(generator: Function, held: Keeping, runs_on: bool, hangs: bool) -> str:
        cancel = f"cancel it in a `finally` of {generator.name}()"
        mark = "put the end mark in the producer's own `finally`"
        if runs_on and not held.kept:
            cancel = f"Keep it and {cancel}"
        if not runs_on:
            return f"{mark[0].upper()}{mark[1:]}."
        text = f"{cancel[0].upper()}{cancel[1:]}"
        return f"{text}, and {mark}." if hangs else f"{text}."
