"""A time limit is given in a keyword that the model's class does not read.

## What it does
Reports a time-out keyword that a chat model's class swallows without effect: `ChatOllama(timeout=…)`,
`ChatLiteLLM(timeout=…)`, `ChatAnthropic(request_timeout=…)`, `ChatCohere(timeout=…)` and others of the table.

## Why it cuts the stream
The client looks protected and is not: when the provider goes silent, the stream hangs until something else cuts it (`504
Gateway Time-out`). Some classes hand the keyword on to each request, which then fails with `unexpected keyword argument`.

## Example
```python
from langchain_ollama import ChatOllama

model = ChatOllama(model="llama3.1", timeout=60)
```

## Use instead
```python
from langchain_ollama import ChatOllama

model = ChatOllama(model="llama3.1", client_kwargs={"timeout": 60})
```

## Fix
None yet: write the keyword that the message names.

## Limits
Classes and keywords of the table only. A model that is given its limit in an effective keyword as well is silent, and so is
`None`, which claims no protection.

## Evidence
`fixtures/LGS112/evidence.yaml`: the documentation and sources cited there. The effective limits were read from constructed
clients (langchain-ollama 1.1.0, langchain-anthropic 1.7.7, langchain-litellm 0.11.2, langchain-cohere 0.6.0).

## References
- <https://docs.langchain.com/oss/python/integrations/chat>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.keywords import Keyword, keywords_of
from lg_stream_lint.python.model_builds import Build, build_of
from lg_stream_lint.python.value import is_none
from lg_stream_lint.rules.base import PythonRule


class IneffectiveModelArgument(PythonRule):
    """Looks at the keywords of each construction of a model."""

    severity = Severity.ERROR
    independent_of_async = True
    place = (("@models",),)
    in_tests = False

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one construction."""
        build = build_of(self.facts, node, self.module)
        if build is None or not build.row.ineffective:
            return
        given = keywords_of(self.facts, node, self.module).given
        wrong = next((name for name in build.row.ineffective if name in given and not self._is_none(given[name])), None)
        fails = "TypeError" in build.row.note
        if wrong is None or (
            not fails and any(name in given for name in (*build.row.timeout_keywords, *build.row.slots))
        ):
            return
        self._report(node, build, wrong, fails=fails)

    def _is_none(self, given: Keyword) -> bool:
        values = self.facts.infer.of(given.node, given.module)
        return bool(values) and all(is_none(value) for value in values)

    def _report(self, node: cst.Call, build: Build, wrong: str, *, fails: bool) -> None:
        instead = build.row.ineffective[wrong]
        advice = instead if "=" in instead else f"{instead}="
        what = f"{build.name} swallows {wrong}= without effect"
        seen = "when the provider goes silent, the stream hangs as if no limit were set"
        if fails:
            what = f"{build.name} hands {wrong}= on to each request, which then fails with a TypeError"
            seen = "no call can stream"
        self.report(node, f"{what}: {seen}. Write {advice} instead.")
