"""A model's synchronous slot is given an asynchronous HTTP client, or the other way round.

## What it does
Reports an `httpx.AsyncClient` in a slot for synchronous calls (`http_client=` of LangChain's classes and of synchronous SDK
clients), and an `httpx.Client` in one for asynchronous calls (`http_async_client=`, `AsyncOpenAI(http_client=…)`).

## Why it cuts the stream
Nothing is streamed at all: the SDK refuses the client when the model is built (``TypeError: Invalid `http_client` argument``),
so the application does not start, or each request that builds a model ends in HTTP 500. A few classes fail at the first call.

## Example
```python
import httpx
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60, http_client=httpx.AsyncClient(verify=False))
```

## Use instead
```python
import httpx
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60, http_async_client=httpx.AsyncClient(verify=False))
```

## Fix
None yet: rename the keyword as the message says, or build the other client.

## Limits
Slots and clients of the table only, subclasses of the project included. A value that may be a client of either side is silent.

## Evidence
`fixtures/LGS107/evidence.yaml`: the application does not start. Refused when built: openai 3.57.0, anthropic 2.14.0, groq
0.37.1, langchain-openai 1.7.4, langchain-mistralai 1.1.6, and so by openai 1.30.0 and 1.55.0 (1.10.0 takes anything); cohere fails
at the first call.

## References
- <https://github.com/openai/openai-python#configuring-the-http-client>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.knowledge import Slot
from lg_stream_lint.python.keywords import Keyword, keywords_of
from lg_stream_lint.python.model_builds import Build, build_of
from lg_stream_lint.python.value import Kind, is_none
from lg_stream_lint.rules.base import Place, PythonRule


class WrongHttpClientSlot(PythonRule):
    """Looks at the HTTP clients that each construction of a model is given."""

    severity = Severity.ERROR
    independent_of_async = True
    place = (("@models",),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one construction."""
        build = build_of(self.facts, node, self.module)
        if build is None:
            return
        given = keywords_of(self.facts, node, self.module).given
        for name, slot in build.row.slots.items():
            wrong = self._refused(slot, given[name]) if slot.refuses and name in given else None
            if wrong is not None:
                self._say(node, build, slot, wrong, given)
                return

    def _refused(self, slot: Slot, given: Keyword) -> Place | None:
        """Where the client that a slot is given is built, when it is known to be of the wrong side; else None."""
        if given.among > 1:
            return None  # which of them it gets is a question of the conditions around
        values = [v for v in self.facts.infer.of(given.node, given.module) if not is_none(v)]
        if not values or not all(v.kind == Kind.INSTANCE and v.name in slot.refuses for v in values):
            return None
        value = values[0]
        home, node = value.home, value.node
        what = f"an {value.name}" if value.cls is None else f"{value.cls.name}, an {value.name}"
        return (
            Place(home, node, what) if home is not None and node is not None else Place(self.module, given.node, what)
        )

    def _say(self, node: cst.Call, build: Build, slot: Slot, wrong: Place, given: dict[str, Keyword]) -> None:
        side = "synchronous" if slot.side == "sync" else "asynchronous"
        # ChatAnthropicVertex has no type of its own in the table: httpx's names stand for the side.
        wanted = slot.type or ("httpx.Client" if slot.side == "sync" else "httpx.AsyncClient")
        other = next(
            (s.keyword for s in build.row.slots.values() if s.refuses and s.side not in (slot.side, "both")),
            "",
        )
        advice = f"Pass it as {other}=" if other and other not in given else f"Give {slot.keyword}= an {wanted}"
        self.report(
            node,
            f"{slot.keyword}= of {build.name} is for {side} calls, and is given {wrong.message}: it fails before the first "
            f"token, mostly with a TypeError when it is built. {advice}.",
            related=[wrong._replace(message="the client")],
        )
