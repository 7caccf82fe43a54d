"""When a stream can fall silent, and who sends pings while it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.keywords import keywords_of
from lg_stream_lint.python.runnables import RunnableCall
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import Source
from lg_stream_lint.python.streams import Stream, frame_text
from lg_stream_lint.python.syntax import argument, called_name, string_value, walk
from lg_stream_lint.python.value import Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_PING = re.compile(r"(?:^|[^a-z])(?:pings?|heart_?beats?|keep[-_ ]?alives?)(?:$|[^a-z])", re.IGNORECASE)
_WAITS = frozenset({"wait", "wait_for", "timeout", "fail_after", "move_on_after"})
#: Models that think before the first token (OpenAI's o-series and GPT-5, DeepSeek's reasoner), by the names they are asked for.
_REASONING = re.compile(r"(?:^|[/:])(?:o[134](?:$|-)|gpt-5|deepseek-reasoner|deepseek-r1)")
_REASONING_KEYWORDS = ("reasoning", "reasoning_effort", "thinking", "thinking_budget", "include_thoughts")
_TOKEN_MODES = ("messages", "custom")


def pings(facts: Facts, function: Function) -> bool:
    """Whether a generator sends something while nothing else comes: a comment, a ping event, a branch for a time-out."""
    for node in walk(function.node):
        if isinstance(node, cst.Yield) and isinstance(node.value, cst.BaseExpression):
            text = frame_text(node.value)
            if text is not None and text.lstrip().startswith(":"):
                return True
        text = (
            node.value
            if isinstance(node, (cst.Name, cst.FormattedStringText))
            else string_value(node)
            if isinstance(node, cst.SimpleString)
            else None
        )
        if text is not None and _PING.search(text):
            return True
    return any(
        called_name(call) in _WAITS and _is_of_time(facts, call, function.module) for call in function.calls
    ) and any(_in_handler(function.module, node) for node in function.yields)


def _is_of_time(facts: Facts, call: cst.Call, module: Module) -> bool:
    return any(v.name.startswith(("asyncio.", "anyio.", "async_timeout.")) for v in facts.infer.of(call.func, module))


def _in_handler(module: Module, node: cst.CSTNode) -> bool:
    """Whether something is yielded where a time-out is handled."""
    for parent in module.ancestors(node):
        if isinstance(parent, cst.ExceptHandler) and parent.type is not None:
            names = {n.value for n in walk(parent.type) if isinstance(n, cst.Name)}
            if names & {"TimeoutError", "asyncio"}:
                return True
    return False


def may_be_silent(facts: Facts, source: Source) -> str:
    """Why the stream of a graph or model can be silent for long; empty when nothing says that it can."""
    call = source.runnable
    if call is None:
        return ""
    if call.by_name:
        return "while the model thinks or a tool runs"
    graph = call.receiver
    if graph is not None and call.role == "graph":
        if facts.graphs.has_tools(graph):
            return "while a tool runs or the model thinks"
        if not _shows_tokens(call):
            return "until a whole node is done"
        return ""
    if graph is not None and call.role in ("model", "chain") and _reasons(facts, graph):
        return "while the model thinks"
    return ""


def _shows_tokens(call: RunnableCall) -> bool:
    """Whether the stream can carry single tokens; modes that are not literal are taken to."""
    if call.method == "astream_events":
        return True
    if any(arg.star for arg in call.call.args):
        return True
    mode = argument(call.call, "stream_mode")
    if mode is None:
        return False
    listed = [e.value for e in mode.elements] if isinstance(mode, (cst.List, cst.Tuple)) else [mode]
    texts = [string_value(item) for item in listed]
    return any(text is None or text in _TOKEN_MODES for text in texts)


def _reasons(facts: Facts, value: Value) -> bool:
    """Whether a model, or one that a chain holds, is built to think before it answers."""
    return any(
        _is_reasoning(facts, call, home)
        for model in _models_of(facts, value)
        if isinstance(call := model.node, cst.Call) and (home := model.home) is not None
    )


def _models_of(facts: Facts, value: Value) -> list[Value]:
    current: Value | None = value
    while current is not None and current.role != "model":
        if current.role == "chain" and isinstance(current.node, cst.BinaryOperation) and current.home is not None:
            sides = (current.node.left, current.node.right)
            values = [v for side in sides for v in facts.infer.of(side, current.home) if v.is_runnable]
            return [model for v in values for model in _models_of(facts, v)]
        current = current.inner
    return [current] if current is not None else []


def _is_reasoning(facts: Facts, call: cst.Call, home: Module) -> bool:
    given = keywords_of(facts, call, home).given
    if any(name in given for name in _REASONING_KEYWORDS):
        return True
    texts = [string_value(given[name].node) for name in ("model", "model_name") if name in given]
    return any(text is not None and _REASONING.search(text) for text in texts)


def pings_by_itself(facts: Facts, stream: Stream) -> bool:
    """Whether the response's class pings: sse-starlette's, and FastAPI's for a handler that yields."""
    if stream.row is not None:
        return stream.row.pings
    handler = stream.handler
    for decorator in handler.decorators if handler is not None else ():
        given = argument(decorator, "response_class") if isinstance(decorator, cst.Call) else None
        for value in facts.infer.of(given, stream.module) if given is not None else ():
            row = facts.streams.response_class(value)
            if row is not None and row.framing in ("fastapi-sse-marker", "sse-starlette"):
                return True
    return False
