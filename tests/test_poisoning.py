"""Where a cut spoils the thread: said for graphs that are known to have a checkpointer and may call tools, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.findings import found_in
from tests.projects import Project

HEAD = """
import asyncio

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent
from sse_starlette import EventSourceResponse

app = FastAPI()
model = ChatOpenAI(model="gpt-4o-mini", timeout=60)


def search(query: str) -> str:
    return query


async def answer(state: dict) -> dict:
    return state

"""
ROUTE = """

@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
"""
AGENT = "graph = create_agent(model, tools=[search], checkpointer=InMemorySaver())\n"
REACT = "graph = create_react_agent(model, [search], checkpointer=InMemorySaver())\n"
BUILDER = (
    "builder = StateGraph(dict)\nbuilder.add_node('answer', answer)\nbuilder.add_node('tools', ToolNode([search]))\n"
)
BUILT = BUILDER + "graph = builder.compile(checkpointer=InMemorySaver())\n"
LOOP = """

async def frames():
    async for chunk in graph.astream({}, stream_mode="updates"):
        yield f"data: {len(chunk)}\\n\\n"
"""
TOLD = """

async def frames():
    try:
        async for chunk in graph.astream({}, stream_mode="updates"):
            yield f"data: {len(chunk)}\\n\\n"
    except Exception:
        yield "event: error\\ndata: {}\\n\\n"
"""
AROUND = TOLD.replace("        async for", "        async with asyncio.timeout(60):\n          async for").replace(
    "            yield f", "              yield f"
)
POLLED = """

async def frames():
    run = graph.astream({}, stream_mode="updates")
    while True:
        try:
            chunk = await asyncio.wait_for(run.__anext__(), timeout=15)
        except asyncio.TimeoutError:
            yield ": ping\\n\\n"
            continue
        except StopAsyncIteration:
            break
        yield f"data: {len(chunk)}\\n\\n"
"""
REFUSED = TOLD.replace(
    "            yield f", "            if not chunk:\n                raise HTTPException(404)\n            yield f"
).replace("except Exception", "except ValueError")
REFUSED_BEFORE = REFUSED.replace(
    "    try:\n", "    if not app:\n        raise HTTPException(404)\n    try:\n", 1
).replace("            if not chunk:\n                raise HTTPException(404)\n", "")
PINGED = (
    ROUTE.replace("StreamingResponse", "EventSourceResponse")
    .replace(', media_type="text/event-stream"', "")
    .replace(', headers={"X-Accel-Buffering": "no"}', "")
)
REACT_SAYS = "the thread will reject later turns (INVALID_CHAT_HISTORY)."
OTHERS_SAY = "the thread will reject later turns (INVALID_CHAT_HISTORY, or the provider's HTTP 400)."

SPOILT = {
    "an-agent-of-langgraph": ("LGS301", REACT + LOOP + ROUTE, REACT_SAYS),
    "an-agent-of-langchain": ("LGS301", AGENT + LOOP + ROUTE, OTHERS_SAY),
    "a-graph-with-a-tool-node": ("LGS301", BUILT + LOOP + ROUTE, OTHERS_SAY),
    "raised-in-the-loop": ("LGS304", AGENT + REFUSED + ROUTE, OTHERS_SAY),
    "a-deadline": ("LGS307", AGENT + AROUND + ROUTE, OTHERS_SAY.removesuffix(".")),
    "a-deadline-for-each-step": ("LGS307", AGENT + "graph.step_timeout = 30\n" + TOLD + ROUTE, OTHERS_SAY),
    "a-poll": ("LGS312", AGENT + POLLED + ROUTE, OTHERS_SAY),
    "a-deploy": ("LGS410", AGENT + TOLD.replace('f"data: {len(chunk)}\\n\\n"', "str(len(chunk))") + PINGED, OTHERS_SAY),
}
UNSPOILT = {
    "no-checkpointer": ("LGS301", AGENT.replace(", checkpointer=InMemorySaver()", "") + LOOP + ROUTE),
    "none-for-a-checkpointer": ("LGS301", AGENT.replace("InMemorySaver()", "None") + LOOP + ROUTE),
    "maybe-a-checkpointer": (
        "LGS301",
        AGENT.replace("InMemorySaver()", "InMemorySaver() if app else None") + LOOP + ROUTE,
    ),
    "an-unknown-checkpointer": (
        "LGS301",
        "import kit\n" + AGENT.replace("InMemorySaver()", "kit.saver") + LOOP + ROUTE,
    ),
    "no-tools": ("LGS301", AGENT.replace("[search]", "[]") + LOOP + ROUTE),
    "no-node-for-tools": (
        "LGS301",
        BUILT.replace("builder.add_node('tools', ToolNode([search]))\n", "") + LOOP + ROUTE,
    ),
    "raised-before-the-run": ("LGS304", AGENT + REFUSED_BEFORE + ROUTE),
}


def message_of(code: str, program: str, root: Path) -> str:
    """The message of the only finding of a code."""
    findings = found_in(Project("poisoning", {"main.py": (HEAD + program).encode()}), root)
    messages = [finding.message for finding in findings if finding.code == code]
    assert len(messages) == 1, [str(finding) for finding in findings]
    return messages[0]


@pytest.mark.parametrize(("code", "program", "said"), SPOILT.values(), ids=SPOILT)
def test_a_cut_spoils_the_thread(code: str, program: str, said: str, root: Path) -> None:
    assert f"; if a tool call was still unanswered, {said}" in message_of(code, program, root)


@pytest.mark.parametrize(("code", "program"), UNSPOILT.values(), ids=UNSPOILT)
def test_it_does_not(code: str, program: str, root: Path) -> None:
    assert "INVALID_CHAT_HISTORY" not in message_of(code, program, root)


def test_the_checkpointer_is_pointed_at(root: Path) -> None:
    found = found_in(Project("poisoning", {"main.py": (HEAD + AGENT + LOOP + ROUTE).encode()}), root)
    related = next(finding.related for finding in found if finding.code == "LGS301")
    row = HEAD.count("\n") + 1
    assert [(place.span.row, place.message.partition(":")[0]) for place in related] == [
        (row, "this checkpointer keeps the open tool call")
    ]
