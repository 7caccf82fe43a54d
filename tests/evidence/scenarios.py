"""What the fake model says, and when: scenarios as data, and the steps of an answer as a pure function."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

TEXT = "Once upon a time there was a stream that reached its reader token by token and nobody had to wait for it"
STORY = TEXT.split()


@dataclass(frozen=True)
class Scenario:
    """How the model behaves; see the table in README.md."""

    tokens: tuple[str, ...] = tuple(f"{word} " for word in STORY[:8])
    interval: float = 0.1  # seconds before each token
    after: int = 5  # tokens before the gap or the failure
    gap: float = 0.0  # seconds of silence there
    headers_after: float = 0.0  # seconds before the status line
    status: int = 200
    error: str = ""  # message of an error event
    die: bool = False  # close the connection without the last chunk
    finish: str | None = "stop"
    done: bool = True  # send [DONE]
    tool: Mapping[str, Any] | None = None  # {"name": …, "arguments": {…}}: asked for first

    @property
    def fails(self) -> bool:
        """Whether the stream breaks off after some tokens."""
        return bool(self.error) or self.die


SCENARIOS = {
    "steady": Scenario(),
    "refuses": Scenario(status=500),
    "errors": Scenario(error="the model is overloaded"),
    "dies": Scenario(die=True),
    "gap": Scenario(gap=1.5),
    "late": Scenario(headers_after=1.5),
    "no-done": Scenario(finish=None, done=False),
    "tool": Scenario(tool={"name": "search", "arguments": {"query": "streams"}}),
}
KEYS = frozenset(Scenario.__dataclass_fields__) | {"scenario"}


def scenario(wanted: str | Mapping[str, Any] | None) -> Scenario:
    """The scenario an evidence file asks for: a name, or a mapping that starts from one."""
    if wanted is None or isinstance(wanted, str):
        name, changes = wanted or "steady", {}
    else:
        changes = dict(wanted)
        name = changes.pop("scenario", "steady")
    if name not in SCENARIOS:
        raise ValueError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    if unknown := sorted(set(changes) - KEYS):
        raise ValueError(f"no key {unknown[0]!r} in a scenario; there are {', '.join(sorted(KEYS))}")
    tokens = changes.get("tokens")
    if isinstance(tokens, int):
        changes["tokens"] = tuple(f"{STORY[index % len(STORY)]} " for index in range(tokens))
    elif tokens is not None:
        changes["tokens"] = tuple(tokens)
    return replace(SCENARIOS[name], **changes)


class Step(NamedTuple):
    """Wait, then send ``data``; ``None`` closes the connection on the spot. ``token`` says that a token goes out."""

    wait: float
    data: bytes | None
    token: bool = False


def calls_tool(script: Scenario, request: Mapping[str, Any]) -> bool:
    """Whether this turn asks for the tool: tools are offered, and none has answered yet."""
    if script.tool is None or not request.get("tools"):
        return False
    return all(message.get("role") != "tool" for message in request.get("messages", ()))


def tool_call(script: Scenario) -> dict[str, Any]:
    """The tool call in the protocol's words."""
    assert script.tool is not None
    function = {"name": script.tool["name"], "arguments": json.dumps(script.tool.get("arguments", {}))}
    return {"id": "call_1", "type": "function", "function": function}


def event(payload: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def chunk(request: Mapping[str, Any], delta: Mapping[str, Any] | None, finish: str | None = None) -> bytes:
    """One chunk of a streamed completion; without a delta, the one that carries the usage."""
    payload: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": request.get("model", ""),
        "choices": [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    if delta is None:
        payload["usage"] = USAGE
    return event(payload)


USAGE = {"prompt_tokens": 1, "completion_tokens": 8, "total_tokens": 9}


def streamed(script: Scenario, request: Mapping[str, Any]) -> Iterator[Step]:
    """The steps of a streamed answer, after the status line."""
    yield Step(0, chunk(request, {"role": "assistant", "content": ""}))
    finish = script.finish
    if calls_tool(script, request):
        yield Step(script.interval, chunk(request, {"tool_calls": [{"index": 0, **tool_call(script)}]}), token=True)
        finish = "tool_calls"
    else:
        for number, token in enumerate(script.tokens):
            if number == script.after and script.fails:
                if script.error:
                    yield Step(0, event({"error": {"message": script.error, "type": "server_error"}}))
                else:
                    yield Step(0, None)
                return
            wait = script.interval + (script.gap if number == script.after else 0)
            yield Step(wait, chunk(request, {"content": token}), token=True)
    if finish is not None:
        yield Step(0, chunk(request, {}, finish))
    if (request.get("stream_options") or {}).get("include_usage"):
        yield Step(0, chunk(request, None))
    if script.done:
        yield Step(0, b"data: [DONE]\n\n")


def whole(script: Scenario, request: Mapping[str, Any]) -> Step:
    """The answer in one piece, after the time that its stream would have taken."""
    if calls_tool(script, request):
        message: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [tool_call(script)]}
        finish, wait = "tool_calls", script.interval
    else:
        message = {"role": "assistant", "content": "".join(script.tokens)}
        finish, wait = script.finish or "stop", script.interval * len(script.tokens) + script.gap
    payload = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": request.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": USAGE,
    }
    return Step(wait, None if script.fails else json.dumps(payload).encode())
