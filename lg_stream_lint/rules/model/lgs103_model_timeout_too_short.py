"""A model's time limit is shorter than the silences of a model.

## What it does
Reports a written time limit (a number, or `read` of `httpx.Timeout`) under 5 seconds on a chat model or SDK client that
streams.

## Why it cuts the stream
The limit counts the silence between two reads, not the length of the answer. Models are silent for longer than a few seconds
before the first token and while they think or prepare a tool call: the stream then ends in the middle (`ReadTimeout`,
`APITimeoutError`), and there is no retry in mid-stream.

## Example
```python
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=2)
```

## Use instead
```python
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60)
```

## Fix
None: how long your model may be silent is yours to say; 60 s is common. It does not cut answers longer than that.

## Limits
Only limits that are written as numbers, in a constant or as the default of an environment variable, in projects that stream.
A model that is bound to structured output where it is built is taken for a router or judge, and is silent.

## Evidence
`fixtures/LGS103/evidence.yaml`: the fake provider falls silent for 1.5 s in mid-stream.

## References
- <https://github.com/openai/openai-python#timeouts>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.python.keywords import keywords_of
from lg_stream_lint.python.model_builds import build_of, feeds_stream, read_limit
from lg_stream_lint.rules.base import PythonRule

#: Seconds of silence that every model may need.
_TOO_SHORT = 5


class ModelTimeoutTooShort(PythonRule):
    """Looks at the time limit of each construction of a model."""

    independent_of_async = True
    place = (("@models",),)
    in_tests = False

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one construction."""
        build = build_of(self.facts, node, self.module)
        if build is None or build.row.total_for == "both":
            return
        limit = read_limit(self.facts, build, keywords_of(self.facts, node, self.module))
        if limit is None or not 0 < limit < _TOO_SHORT or not feeds_stream(self.facts, build, node, self.module):
            return
        amount, unit = ("60_000", "milliseconds; ") if build.row.timeout_unit == "milliseconds" else ("60", "")
        self.report(
            node,
            f"{build.name} gives up after {limit:g} s of silence, and models are silent for longer before the first token and "
            f"while they think: the stream ends in the middle, without a retry. Write {build.row.timeout_keywords[0]}={amount} "
            f"({unit}it limits each silence, not the whole answer).",
        )
