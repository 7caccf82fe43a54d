"""Retries multiply a model's time limit beyond what anybody waits.

## What it does
Multiplies the written time limit of a chat model or SDK client by its attempts (retries and the first one), and reports more
than ten minutes. `max_retries=0` on a client that feeds a stream is advice: the first dropped connection ends the answer.

## Why it cuts the stream
Before the first byte every attempt waits the whole limit: the reader looks at an empty page, and something on the way gives
up first (`504 Gateway Time-out`). After the first byte there are no retries: they do not help a stream that is cut.

## Example
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=300, max_retries=5)
```

## Use instead
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)
```

## Fix
None: which of the two is too large is yours to say.

## Limits
Only limits that are written as numbers, in a constant or as the default of an environment variable; a client without a limit
is LGS101's. Retries that are not written count as the class's own. The pauses between attempts are not counted.

## Evidence
`fixtures/LGS102/evidence.yaml`: one refusal without retries, a late answer with them. That each attempt waits the whole
limit was measured apart: 2 s and two retries gave up after 7.4 s.

## References
- <https://github.com/openai/openai-python#retries>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.keywords import Keywords, keywords_of
from lg_stream_lint.python.model_builds import Build, build_of, feeds_stream, number, read_limit
from lg_stream_lint.rules.base import PythonRule

#: Seconds before the first byte that nobody waits for.
_TOO_LONG = 600


class ModelRetriesMultiply(PythonRule):
    """Looks at the time limit and the retries of each construction of a model."""

    independent_of_async = True
    place = (("@models",),)
    in_tests = False

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one construction."""
        build = build_of(self.facts, node, self.module)
        if build is None or not build.row.retries_keyword:
            return
        keywords = keywords_of(self.facts, node, self.module)
        retries = self._retries(build, keywords)
        if retries is None:
            return
        if retries == 0:
            if feeds_stream(self.facts, build, node, self.module):
                self._no_retries(node, build)
            return
        limit = read_limit(self.facts, build, keywords)
        if limit is None or limit * (retries + 1) <= _TOO_LONG:
            return
        total = limit * (retries + 1)
        self.report(
            node,
            f"{build.name} may wait {retries + 1} × {limit:g} s = {total / 60:.0f} min for the first byte, and everything on the "
            f"way gives up before ({build.row.retries_keyword} counts on top of the first attempt; there are no retries in "
            f"mid-stream). Lower the time limit or {build.row.retries_keyword}.",
        )

    def _retries(self, build: Build, keywords: Keywords) -> int | None:
        given = keywords.given.get(build.row.retries_keyword)
        if given is not None:
            written = number(self.facts, given)
            return int(written) if written is not None else None
        return None if keywords.unknown or keywords.from_caller else build.row.retries_default

    def _no_retries(self, node: cst.Call, build: Build) -> None:
        self.report(
            node,
            f"{build.name} gets {build.row.retries_keyword}=0: one dropped connection before the first byte, or one HTTP 429, ends "
            f"the answer. Leave it at its default.",
            severity=Severity.INFO,
        )
