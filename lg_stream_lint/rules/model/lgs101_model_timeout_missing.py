"""A chat model or LLM client is built without a time limit.

## What it does
Reports the construction of a chat model or SDK client that gets no time-out, or `None`, in the keyword that its class
reads.

## Why it cuts the stream
When the provider goes silent, the stream hangs until something else cuts it: nginx after 60 s (`504`, `upstream prematurely
closed connection`), a load balancer, the user. Most LangChain classes pass `None` on, which means no limit at all, not the
SDK's 600 s.

## Example
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini")
```

## Use instead
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60)
```

## Fix
None yet: pass the limit in the class's own keyword and unit. It limits each silence, not the answer: `timeout=60` does not
cut a stream that is longer than 60 s.

## Limits
Classes of the table only; users add their own with `extend.models`. A `**kwargs` dict is followed through local
variables, item assignments, one-hop helpers and module constants; one that cannot be followed silences the rule, one that
is the caller's makes it advice. Classes whose own default is at most 300 s are advice too.

## Evidence
`fixtures/LGS101/evidence.yaml`: the fake provider goes silent in mid-stream. The effective limits were read from
the constructed clients (langchain-openai 1.7.3, langchain-anthropic 1.7.7 and others; see the table of models).

## References
- <https://docs.langchain.com/oss/python/integrations/chat>
- <https://github.com/openai/openai-python#timeouts>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.knowledge import UNLIMITED, Model
from lg_stream_lint.python.keywords import Keyword, Keywords, keywords_of
from lg_stream_lint.python.model_builds import Build, build_of, is_init_chat_model
from lg_stream_lint.python.model_limits import always_wrapped, completed_later, has_limit, limited_later
from lg_stream_lint.python.syntax import string_value
from lg_stream_lint.rules.base import PythonRule

#: Seconds. A class whose own default is not above this protects a stream, if late.
_BEARABLE = 300
_SUGGESTED = 60
#: Where the limit counts the whole answer: what an answer may well take (LGS307 asks for no less).
_SUGGESTED_IN_ALL = 300
#: Class names that say nothing without their package.
_PLAIN = frozenset({"Client", "AsyncClient", "ClientV2", "AsyncClientV2"})


class ModelTimeoutMissing(PythonRule):
    """Looks at each construction of a model or client that the tables know."""

    independent_of_async = True
    loses_to = ("LGS112",)
    place = (("@models",),)
    in_tests = False

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one call, if it builds a model."""
        built = build_of(self.facts, node, self.module)
        if built is None:
            if is_init_chat_model(self.facts, node, self.module):
                self._unknown_provider(node)
            return
        row = built.row
        if row.default_timeout is None and not row.timeout_keywords:
            return
        keywords = keywords_of(self.facts, node, self.module)
        if has_limit(self.facts, row, keywords):
            self._report_void_limit(node, row, keywords)
            return
        if row.default_timeout is None or (keywords.unknown and not keywords.from_caller):
            return
        if self._limited_per_call(node, row) or completed_later(self.facts, node, self.module, row):
            return
        wrapped = always_wrapped(self.facts, node, self.module)
        advice = keywords.from_caller or row.default_timeout <= _BEARABLE or wrapped
        self.report(node, self._message(built, keywords), severity=Severity.INFO if advice else Severity.WARNING)

    def _unknown_provider(self, node: cst.Call) -> None:
        """``init_chat_model`` with a model picked at run time: the class is not known, but most have no limit of their own."""
        keywords = keywords_of(self.facts, node, self.module)
        fields = keywords.given.get("configurable_fields")
        if "timeout" in keywords.given or "request_timeout" in keywords.given or keywords.unknown:
            return
        if fields is not None and not self._fields_without_timeout(fields):
            return
        if limited_later(self.facts, node, self.module):
            return
        advice = keywords.from_caller or always_wrapped(self.facts, node, self.module)
        message = (
            "init_chat_model gets no time limit, and most chat models have none of their own: when the provider goes silent, "
            f"the stream hangs until something else cuts it. Pass timeout={_SUGGESTED} (seconds; it limits each silence, "
            "not the whole answer)."
        )
        severity = Severity.INFO if advice else Severity.WARNING
        self.report(node, message, severity=severity, confidence=Confidence.MEDIUM)

    def _fields_without_timeout(self, fields: Keyword) -> bool:
        """Whether the configurable fields are written out and a time-out is none of them."""
        values = self.facts.infer.of(fields.node, fields.module)
        if len(values) != 1 or not isinstance(values[0].node, (cst.Tuple, cst.List)):
            return False
        return all(string_value(e.value) not in (None, "timeout", "request_timeout") for e in values[0].node.elements)

    def _report_void_limit(self, node: cst.Call, row: Model, keywords: Keywords) -> None:
        """Advice for a limit that only the HTTP client has, under a class that passes its own ``None`` over it.

        Measured: langchain-openai 1.7.4 with ``http_async_client=httpx2.AsyncClient(timeout=3)`` sends its requests with
        ``read: None``; the SDK's own class takes the client's 3 s.
        """
        slot = next((name for name, s in row.slots.items() if name in keywords.given and not s.effective), None)
        if slot is None or any(name in keywords.given for name in row.timeout_keywords):
            return
        name = row.path.rpartition(".")[2]
        self.report(
            node,
            f"{name} passes timeout=None over the limit of its {slot}, so requests have none. "
            f"Pass {row.timeout_keywords[0]}={_SUGGESTED} to {name} itself.",
            severity=Severity.INFO,
        )

    def _limited_per_call(self, node: cst.Call, row: Model) -> bool:
        """Whether a limit is bound to the model (``.bind(timeout=…)``) or given with each request."""
        return limited_later(self.facts, node, self.module, *row.timeout_keywords, row.call_timeout)

    # The message

    def _message(self, built: Build, keywords: Keywords) -> str:
        row = built.row
        name = row.path if built.name in _PLAIN else built.name
        default = row.default_timeout
        wrong = next((name for name in row.ineffective if name in keywords.given), None)
        if wrong:
            start = f"{name} ignores {wrong}=, so it has no time limit"
        elif default == UNLIMITED or default is None:
            start = f"{name} has no time limit: when the provider goes silent, the stream hangs until something else cuts it"
        else:
            start = f"{name} waits {default:g} s for a silent provider, its own default, before anyone is told"
        if row.chunk_timeout and default == UNLIMITED and not self._is_older(row.package, row.chunk_timeout_since):
            start += f" (only {row.chunk_timeout:g} s between chunks of async calls, since {row.package} {row.chunk_timeout_since})"
        return f"{start}. {self._advice(row)}."

    def _is_older(self, package: str, since: str) -> bool:
        version = self.versions.of(package)
        return version is not None and version.always(f"<{since}") is True

    def _advice(self, row: Model) -> str:
        limits = "it limits the whole answer" if row.total_for else "it limits each silence, not the whole answer"
        if not row.timeout_keywords:
            slot = next(iter(row.slots.values()), None)
            if slot is None:
                return "Give each call a limit, with asyncio.timeout()"
            if slot.kind != "mapping" or not slot.keys:
                return f"Pass {slot.keyword}=…; {limits}"
            amount, unit = _suggested(row, slot.unit)
            told = f"{unit}; " if slot.unit == "milliseconds" else ""
            return f'Pass {slot.keyword}={{"{slot.keys[0]}": {amount}}} ({told}{limits})'
        amount, unit = _suggested(row, row.timeout_unit)
        return f"Pass {row.timeout_keywords[0]}={amount} ({unit}; {limits})"


def _suggested(row: Model, unit: str) -> tuple[int, str]:
    """The limit that a message proposes, in the unit that the keyword counts, and that unit's name."""
    seconds = _SUGGESTED_IN_ALL if row.total_for else _SUGGESTED
    return (seconds * 1000, unit) if unit == "milliseconds" else (seconds, "seconds")
