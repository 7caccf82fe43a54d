"""The whole answer is awaited or collected, and only then sent in pieces.

## What it does
Reports `await ….ainvoke()`, `list(….stream())`, `[chunk async for chunk in ….astream()]` and loops that only fill a string or
list, when a stream is then made of the finished answer: a loop that yields its words, letters or chunks.

## Why it cuts the stream
The reader sees nothing until the model has finished, then everything at once, or typed out by `sleep`: tokens arrive all at
once. Meanwhile the connection is silent, and the first idle limit on the way (60 s in nginx and ALB) ends it with a 504.

## Example
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def words(question: str):
    try:
        answer = await llm.ainvoke(question)
        for word in answer.text.split():
            yield word
    except Exception:
        yield "the model failed"


@app.get("/chat")
async def chat(question: str):
    return StreamingResponse(words(question), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def words(question: str):
    try:
        async for chunk in llm.astream(question):
            yield chunk.text
    except Exception:
        yield "the model failed"


@app.get("/chat")
async def chat(question: str):
    return StreamingResponse(words(question), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Fix
None: what is yielded changes with the way of asking. Iterate `astream()` (of a graph with `stream_mode="messages"`).

## Limits
An answer that is sent in one piece is silent, and so is one that is collected as well as streamed. Helpers are followed three
calls deep. A loop that asks a model itself, or awaits something unknown, is taken to make progress.

## Evidence
`fixtures/LGS306/evidence.yaml`.

## References
- <https://docs.langchain.com/oss/python/langgraph/streaming>
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lg_stream_lint.finding import Confidence
from lg_stream_lint.python.answers import Answer, answers, holding, mentions, streams_itself
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import sources
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import called_name, positional, walk_same_scope
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule

_PAUSES = frozenset({"sleep", "is_disconnected", "checkpoint"})


class CollectedBeforeSend(PythonRule):
    """Follows a whole answer from where it is awaited to a loop that yields pieces of it."""

    independent_of_async = True
    place = (("@feeding", "@responses"),)
    evidence = (("@langchain", "@models"), ("invoke", "stream", "create", "generate", "batch", "predict", "run"))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge one function: a generator that feeds a response, or one that builds responses."""
        function = self.module.owners.get(node)
        if not isinstance(function, Function):
            return
        if function.is_generator:
            if self.facts.streams.is_fed_by(function) and not streams_itself(self.facts, function):
                self._judge(function, answers(self.facts, function), function, ())
            return
        streams = [s for s in self.facts.streams.of(self.module) if s.call and self.function_of(s.call) is function]
        if streams:
            found = answers(self.facts, function)
            for stream in streams if found else ():
                self._judge_stream(function, found, stream)

    def _judge_stream(self, function: Function, found: list[Answer], stream: Stream) -> None:
        """What a handler has in hand, and the stream that it makes of it."""
        held = holding(function, found)
        outermost = [link.function for link in self.facts.streams.links(stream) if link.outer is None]
        for generator in outermost:
            if not streams_itself(self.facts, generator):
                given = set(self._passed(stream, generator, held, found))
                if generator.parent is function:
                    given |= {name for name in held if name not in generator.scope.bindings}
                self._judge(generator, [], function, given, found)
        if not outermost and stream.content is not None:
            pieces = self._pieces(stream.content, function)
            if pieces is not None and mentions(pieces, held, [answer.node for answer in found]):
                self._report(self._origin(function, found, pieces), stream.call or stream.content)

    def _passed(self, stream: Stream, generator: Function, held: frozenset[str], found: list[Answer]) -> Iterator[str]:
        """The parameters of a generator that are given a part of the answer."""
        if stream.content is None:
            return
        places = [answer.node for answer in found]
        for value in self.values_of(stream.content):
            if value.function is not generator or not isinstance(value.node, cst.Call):
                continue
            offset = 1 if generator.is_method else 0
            for number, arg in enumerate(value.node.args):
                if not mentions(arg.value, held, places):
                    continue
                if arg.keyword is not None:
                    yield arg.keyword.value
                elif number + offset < len(generator.parameters):
                    yield generator.parameters[number + offset].name

    def _pieces(self, content: cst.BaseExpression, function: Function) -> cst.CSTNode | None:
        """What a response iterates when it is no generator function: the argument of ``iter``, a comprehension's iterable."""
        node: cst.CSTNode | None = content
        if isinstance(node, cst.Name):
            bindings = function.scope.bindings.get(node.value, [])
            made = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "assign" else None
            if not isinstance(made, (cst.GeneratorExp, cst.ListComp, cst.Call)):
                return None
            node = made
        if isinstance(node, cst.Call) and called_name(node) in ("iter", "aiter", "list") and positional(node):
            inner = positional(node)[0]
            if isinstance(inner, (cst.List, cst.Tuple)) and len(inner.elements) < 2:
                return None
            return inner
        return node if isinstance(node, (cst.GeneratorExp, cst.ListComp)) else None

    def _judge(
        self,
        generator: Function,
        own: list[Answer],
        home: Function,
        given: set[str] | tuple[()],
        outer: list[Answer] | None = None,
    ) -> None:
        """Report the answer, in ``home``, of which a generator's loop yields pieces."""
        found = own or (outer or [])
        if not found or (not own and not given):
            return
        held = holding(generator, own, given)
        places = [answer.node for answer in own]
        for loop, pieces in _yielding_loops(generator):
            if mentions(pieces, held, places) and self._only_sends(generator, loop, held):
                origin = self._origin(home, found, pieces) if own else found[0]
                self._report(origin, loop, generator)
                return

    def _origin(self, function: Function, found: list[Answer], pieces: cst.CSTNode) -> Answer:
        """The answer that the pieces are made of: the last one that reaches them."""
        for answer in reversed(found):
            if mentions(pieces, holding(function, [answer]), [answer.node]):
                return answer
        return found[-1]

    def _only_sends(self, generator: Function, loop: cst.CSTNode, held: frozenset[str]) -> bool:
        """Whether a loop yields what it iterates and does nothing that takes the model's time."""
        if isinstance(loop, cst.Yield):
            return True
        module = generator.module
        inside = set(walk_same_scope(loop))
        if any(source.node in inside for source in sources(self.facts, generator)):
            return False
        if any(answer.node in inside for answer in answers(self.facts, generator)):
            return False
        for node in inside:
            if isinstance(node, cst.Await) and not self._is_harmless(node, module is self.module):
                return False
        return any(isinstance(n, cst.Yield) and n.value is not None and mentions(n.value, held) for n in inside)

    def _is_harmless(self, node: cst.Await, here: bool) -> bool:
        """Whether an awaited call is a pause, or a function of the project (which asks no model, as was seen before)."""
        call = node.expression
        if not isinstance(call, cst.Call):
            return False
        if called_name(call) in _PAUSES:
            return True
        return here and any(v.kind == Kind.FUNCTION and v.function is not None for v in self.values_of(call.func))

    def _report(self, answer: Answer, sent: cst.CSTNode, generator: Function | None = None) -> None:
        place = generator.module if generator is not None else self.module
        self.report(
            answer.node,
            f"The whole answer of {answer.label} is awaited here and only then sent in pieces: the reader sees nothing until "
            "the model has finished, and an idle limit on the way may cut the silence. "
            "Iterate astream() and yield each token as it comes.",
            confidence=Confidence.HIGH if generator is not None else Confidence.MEDIUM,
            related=[Place(place, sent, "sent in pieces here")],
        )


def _yielding_loops(generator: Function) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """The loops of a generator that yield, and ``yield from``, each with what is iterated (or asked by ``while``)."""
    for node in walk_same_scope(generator.node):
        if isinstance(node, (cst.For, cst.While)):
            if any(isinstance(n, cst.Yield) for n in walk_same_scope(node.body)):
                yield node, node.iter if isinstance(node, cst.For) else node.test
        elif isinstance(node, cst.Yield) and isinstance(node.value, cst.From):
            yield node, node.value.item
