"""The answering model may write too few tokens, and its answers end in the middle.

## What it does
Points at a written limit of the answer's length (`max_tokens`, `max_completion_tokens`, `max_output_tokens`, `num_predict`)
of 64 to 1023 tokens on a model whose answers are streamed.

## Why it cuts the stream
A limit of 256 tokens is some 190 words: a longer answer stops in the middle of a sentence. The stream ends as if all was well
(`finish_reason="length"`; Anthropic: `stop_reason="max_tokens"`): it looks like a cut connection, and no time-out helps.

## Example
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

app = FastAPI()
model = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_tokens=256)


async def tokens(question: str):
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception:
        yield "[the answer could not be finished]"


@app.get("/chat")
async def chat(question: str):
    return StreamingResponse(tokens(question), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

app = FastAPI()
model = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_tokens=4096)


async def tokens(question: str):
    try:
        async for chunk in model.astream(question):
            yield chunk.text
    except Exception:
        yield "[the answer could not be finished]"


@app.get("/chat")
async def chat(question: str):
    return StreamingResponse(tokens(question), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Fix
None: how long an answer may be is yours to say. Where short answers are meant, say so in the prompt as well, and show the reader
that an answer was cut (`finish_reason` is in the last chunk).

## Limits
The model must be known to answer: it is streamed itself, in a chain, by an agent, or by a graph's node that puts what it says into
the messages. Routers, judges, summaries and titles are silent, and so are limits under 64 tokens, which are meant. Limits that
are given by `bind` or in the run's configuration are not looked at.

## Evidence
`fixtures/LGS106/evidence.yaml`: the provider's documentation. The keywords were read from the classes (see the table of models).

## References
- <https://platform.openai.com/docs/api-reference/chat/object>
- <https://docs.anthropic.com/en/api/handling-stop-reasons>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.knowledge import Model
from lg_stream_lint.python.keywords import Keyword, keywords_of
from lg_stream_lint.python.model_asks import answering
from lg_stream_lint.python.model_builds import build_of, feeds_stream, number
from lg_stream_lint.python.syntax import argument, called_name
from lg_stream_lint.python.uses import is_true
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import PythonRule

#: Tokens: less than the smallest is meant to be a word or a label, more than the largest is an answer.
_SMALLEST, _LARGEST = 64, 1023
#: Words of English that a token is, about.
_WORDS = 0.75


class OutputBudgetTooSmall(PythonRule):
    """Looks at the construction of models that answer, and at the streaming calls of SDK clients."""

    severity = Severity.INFO
    independent_of_async = True
    in_tests = False
    place = (("max_", "num_predict", "@models"),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one construction, or one call of an SDK."""
        build = build_of(self.facts, node, self.module)
        if build is not None:
            if build.row.kind == "sdk" or not build.row.budget_keywords:
                return
            given = keywords_of(self.facts, node, self.module).given
            found = self._budget(build.row.budget_keywords, given)
            if found and feeds_stream(self.facts, build, node, self.module) and node in answering(self.facts):
                self._say(node, build.name, *found)
            return
        if is_true(argument(node, "stream")) or called_name(node) == "stream":
            self._judge_request(node)

    def _judge_request(self, node: cst.Call) -> None:
        """``client.chat.completions.create(…, stream=True)``, ``litellm.acompletion(…, stream=True)``."""
        for value in self.values_of(node.func):
            row = self._asked(value)
            if row is not None:
                found = self._budget(row.budget_keywords, keywords_of(self.facts, node, self.module).given)
                if found:
                    self._say(node, row.path.rpartition(".")[2], *found)
                return

    def _asked(self, value: Value) -> Model | None:
        """The client or function that a call asks."""
        root: Value | None = value
        while root is not None and root.kind not in (Kind.INSTANCE, Kind.EXTERNAL):
            root = root.inner
        row = self.tables.models.get(root.name) if root is not None else None
        if row is None or root is None:
            return None
        return row if row.kind == ("sdk" if root.kind == Kind.INSTANCE else "function") else None

    def _budget(self, names: Iterable[str], given: Mapping[str, Keyword]) -> tuple[str, int] | None:
        """The keyword and the number of a limit that is too small for an answer."""
        for name in names:
            written = number(self.facts, given[name]) if name in given else None
            if written is not None and _SMALLEST <= written <= _LARGEST:
                return name, int(written)
        return None

    def _say(self, node: cst.Call, name: str, keyword: str, tokens: int) -> None:
        self.report(
            node,
            f"{name} may write {tokens} tokens ({keyword}={tokens}), some {int(tokens * _WORDS / 10) * 10} words: longer answers "
            f'stop in mid-sentence with finish_reason="length", and no time-out helps. Raise {keyword}, or leave it out.',
        )
