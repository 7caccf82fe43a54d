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

from typing import NamedTuple

import libcst as cst

from lg_stream_lint.finding import Confidence, Severity
from lg_stream_lint.knowledge import UNLIMITED, Model, Slot
from lg_stream_lint.python.keywords import Keyword, Keywords, keywords_of
from lg_stream_lint.python.syntax import argument, called_name, positional, string_value
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import PythonRule

#: Seconds. A class whose own default is not above this protects a stream, if late.
_BEARABLE = 300
_SUGGESTED = 60
_LIMITERS = ("timeout", "wait_for", "fail_after", "move_on_after", "timeout_at")


class _Built(NamedTuple):
    """A construction: the class's row (None when a model is picked at run time) and the name it is shown by."""

    row: Model | None
    name: str


class ModelTimeoutMissing(PythonRule):
    """Looks at each construction of a model or client that the tables know."""

    independent_of_async = True
    loses_to = ("LGS112",)
    place = (("@models",),)
    in_tests = False

    def visit_Call(self, node: cst.Call) -> None:
        """Judge one call, if it builds a model."""
        built = self._built(node)
        if built is None:
            return
        row = built.row
        if row is None:
            self._unknown_provider(node)
            return
        if row.default_timeout is None and not row.timeout_keywords:
            return
        keywords = keywords_of(self.facts, node, self.module)
        if self._has_limit(row, keywords):
            self._report_void_limit(node, row, keywords)
            return
        if row.default_timeout is None:
            return
        if keywords.unknown and not keywords.from_caller:
            return
        if self._limited_per_call(node, row):
            return
        advice = keywords.from_caller or row.default_timeout <= _BEARABLE or self._wrapped(node)
        self.report(node, self._message(built, keywords), severity=Severity.INFO if advice else Severity.WARNING)

    # What is built

    def _built(self, node: cst.Call) -> _Built | None:
        for value in self.values_of(node.func):
            if value.kind == Kind.EXTERNAL:
                if value.name == "functools.partial":
                    return self._partial(node)
                if value.name.endswith(".init_chat_model") and value.name.startswith("langchain"):
                    return self._init_chat_model(node)
                row = self.tables.models.get(value.name)
                if row is not None and row.kind in ("chat", "llm", "sdk") and self._is_model(row, node):
                    return _Built(row, row.path.rpartition(".")[2])
        return None

    def _is_model(self, row: Model, node: cst.Call) -> bool:
        """Whether a constructor of many things (``boto3.client``) is asked for the one that is a model."""
        return not row.when_argument or self._text(argument(node, "service_name", 0)) == row.when_argument

    def _partial(self, node: cst.Call) -> _Built | None:
        """``partial(ChatOpenAI, …)``, unless a later call of it gives the limit."""
        args = positional(node)
        for value in self.values_of(args[0]) if args else ():
            row = self.tables.models.get(value.name) if value.kind == Kind.EXTERNAL else None
            if row is not None and row.kind in ("chat", "llm", "sdk"):
                name = row.path.rpartition(".")[2]
                return None if self._completed_later(node, row) else _Built(row, name)
        return None

    def _completed_later(self, node: cst.Call, row: Model) -> bool:
        wanted = {*row.timeout_keywords, *row.slots}
        return any(
            any(v.kind == Kind.PARTIAL and v.node is node for v in self.values_of(call.func))
            for call in self.module.calls
            if call is not node and any(a.keyword is not None and a.keyword.value in wanted for a in call.args)
        )

    def _init_chat_model(self, node: cst.Call) -> _Built | None:
        """The class that ``init_chat_model`` picks for a literal model or provider name."""
        given = string_value(argument(node, "model_provider"))
        model = self._text(argument(node, "model", 0))
        provider = self.tables.providers.get(given) if given else self.tables.provider_of(model) if model else None
        row = self.tables.models.get(provider.model) if provider is not None else None
        return _Built(row, "init_chat_model")

    def _unknown_provider(self, node: cst.Call) -> None:
        """``init_chat_model`` with a model picked at run time: the class is not known, but most have no limit of their own."""
        keywords = keywords_of(self.facts, node, self.module)
        fields = keywords.given.get("configurable_fields")
        if "timeout" in keywords.given or "request_timeout" in keywords.given or keywords.unknown:
            return
        if fields is not None and not self._fields_without_timeout(fields):
            return
        if self._limited_later(node):
            return
        advice = keywords.from_caller or self._wrapped(node)
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

    def _text(self, node: cst.BaseExpression | None) -> str | None:
        if node is None:
            return None
        literal = string_value(node)
        if literal is None:
            texts = {string_value(v.node) for v in self.values_of(node) if v.kind == Kind.LITERAL and v.name == "str"}
            literal = texts.pop() if len(texts) == 1 else None
        return literal

    # Whether it has a limit

    def _has_limit(self, row: Model, keywords: Keywords) -> bool:
        for name in row.timeout_keywords:
            given = keywords.given.get(name)
            if given is not None and not self._is_none(given) and not self._is_unlimited(given):
                return True
        for name, slot in row.slots.items():
            given = keywords.given.get(name)
            if given is not None and self._slot_limits(slot, given):
                return True
        return False

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

    def _is_none(self, given: Keyword) -> bool:
        """Whether a value is the literal ``None``, or a constant that is."""
        node = given.node
        if isinstance(node, cst.Name) and node.value == "None":
            return True
        if isinstance(node, cst.Name):
            bindings = given.module.scope.bindings.get(node.value, [])
            if len(bindings) == 1 and given.module.scope_at(node).holder_of(node.value) is given.module.scope:
                value = bindings[0].node
                return bindings[0].kind == "assign" and isinstance(value, cst.Name) and value.value == "None"
        return False

    def _is_unlimited(self, given: Keyword) -> bool:
        """``httpx.Timeout(None, connect=5)``: a limit in name only, as reading has none."""
        for value in self.facts.infer.of(given.node, given.module):
            if not value.name.endswith(".Timeout") or not isinstance(value.node, cst.Call) or value.home is None:
                continue
            default, read = argument(value.node, "timeout", 0), argument(value.node, "read")
            written = read if read is not None else default
            return isinstance(written, cst.Name) and written.value == "None"
        return False

    def _slot_limits(self, slot: Slot, given: Keyword) -> bool:
        """Whether what is given through another keyword carries a limit; what cannot be resolved is taken to."""
        if self._is_none(given):
            return False
        values = self.facts.infer.of(given.node, given.module)
        return not values or any(self._value_limits(slot, value, given) for value in values)

    def _value_limits(self, slot: Slot, value: Value, given: Keyword) -> bool:
        if slot.kind == "client" or value.home is None:
            return True
        if isinstance(value.node, cst.Call):
            inner = keywords_of(self.facts, value.node, value.home)
        elif isinstance(value.node, cst.Dict):
            spread = cst.Call(func=cst.Name("dict"), args=[cst.Arg(value.node, star="**")])
            inner = keywords_of(self.facts, spread, value.home)
        else:
            return True
        if inner.unknown or inner.from_caller:
            return True
        written = [inner.given[key] for key in slot.keys if key in inner.given]
        if written:
            return not all(self._is_none(item) for item in written)
        # An HTTP client's own default does not count: LangChain's classes pass `None` over it, and the SDKs take it for unset.
        return False

    def _limited_per_call(self, node: cst.Call, row: Model) -> bool:
        """Whether a limit is bound to the model (``.bind(timeout=…)``) or given with each request."""
        return self._limited_later(node, *row.timeout_keywords, row.call_timeout)

    def _limited_later(self, node: cst.Call, *names: str) -> bool:
        wanted = {*names, "timeout"} - {""}
        for call in self.module.calls:
            if call is node or not any(a.keyword is not None and a.keyword.value in wanted for a in call.args):
                continue
            if isinstance(call.func, cst.Attribute) and self._starts_at(call.func.value, node):
                return True
        return False

    def _starts_at(self, receiver: cst.BaseExpression, node: cst.Call) -> bool:
        current: cst.CSTNode = receiver
        while True:
            if current is node:
                return True
            for value in self.values_of(current):
                origin: Value | None = value
                while origin is not None:
                    if origin.node is node:
                        return True
                    origin = origin.inner
            if not isinstance(current, cst.Attribute):
                return False
            current = current.value

    def _wrapped(self, node: cst.Call) -> bool:
        """Whether every use of the model in this file stands inside ``asyncio.timeout`` or ``wait_for``."""
        uses = [
            call
            for call in self.module.calls
            if isinstance(call.func, cst.Attribute) and call is not node and self._starts_at(call.func.value, node)
        ]
        return bool(uses) and all(self._inside_limit(call) for call in uses)

    def _inside_limit(self, call: cst.Call) -> bool:
        for parent in self.module.ancestors(call):
            if isinstance(parent, cst.With) and any(_limits(item.item) for item in parent.items):
                return True
            if isinstance(parent, cst.Call) and _limits(parent):
                return True
            if isinstance(parent, cst.FunctionDef):
                return False
        return False

    # The message

    def _message(self, built: _Built, keywords: Keywords) -> str:
        row = built.row
        assert row is not None
        default = row.default_timeout
        wrong = next((name for name in row.ineffective if name in keywords.given), None)
        if wrong:
            start = f"{built.name} ignores {wrong}=, so it has no time limit"
        elif default == UNLIMITED or default is None:
            start = f"{built.name} has no time limit: when the provider goes silent, the stream hangs until something else cuts it"
        else:
            start = f"{built.name} waits {default:g} s for a silent provider, its own default, before anyone is told"
        if row.chunk_timeout and default == UNLIMITED:
            start += f" (only {row.chunk_timeout:g} s between chunks of async calls, since {row.package} {row.chunk_timeout_since})"
        return f"{start}. {self._advice(row)}."

    def _advice(self, row: Model) -> str:
        if not row.timeout_keywords:
            slot = next(iter(row.slots.values()), None)
            if slot is None:
                return "Give each call a limit, with asyncio.timeout()"
            inner = f'{{"{slot.keys[0]}": {_SUGGESTED}}}' if slot.kind == "mapping" and slot.keys else "…"
            return f"Pass {slot.keyword}={inner}; it limits each silence, not the whole answer"
        limits = "it limits the whole answer" if row.total_for else "it limits each silence, not the whole answer"
        amount = _SUGGESTED * 1000 if row.timeout_unit == "milliseconds" else _SUGGESTED
        unit = "milliseconds" if row.timeout_unit == "milliseconds" else "seconds"
        return f"Pass {row.timeout_keywords[0]}={amount} ({unit}; {limits})"


def _limits(node: cst.BaseExpression) -> bool:
    if not isinstance(node, cst.Call):
        return False
    name = called_name(node)
    return name in _LIMITERS
