"""One finding for one cause: where two rules apply to the same thing, the one that says what to repair stands alone."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.findings import everywhere, found_in
from tests.projects import Project

#: Two findings on one line that have two causes and two repairs.
TWO_CAUSES = {
    ("LGS101", "LGS107"): "no time limit, and an HTTP client in the wrong slot: two arguments",
    ("LGS109", "LGS405"): "content that may be a list, and a token without `data:`",
    ("LGS301", "LGS306"): "an answer that is awaited whole, and whose failure nobody is told",
    ("LGS310", "LGS406"): "no heartbeat, and a header that is missing",
    # Advice that is asked for: when the client leaves, the run goes on.
    ("LGS208", "LGS314"): "tokens of a sub-graph, and the run after a disconnect",
    ("LGS209", "LGS314"): "the shape of an item, and the run after a disconnect",
    ("LGS210", "LGS314"): "an unknown argument, and the run after a disconnect",
    ("LGS214", "LGS314"): "an interrupt, and the run after a disconnect",
    ("LGS215", "LGS314"): "a mode or node that is not there, and the run after a disconnect",
    ("LGS301", "LGS314"): "an error that nobody is told, and the run after a disconnect",
    ("LGS306", "LGS314"): "a collected answer, and the run after a disconnect",
}


@pytest.mark.xdist_group("findings")
def test_two_findings_on_one_line_have_two_causes() -> None:
    lines: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for fixture, finding in everywhere():
        if finding.path.endswith(".py"):
            lines[fixture, finding.path, finding.span.row].add(finding.code)
    pairs = {
        (first, second): f"{fixture}:{row}"
        for (fixture, _, row), codes in lines.items()
        for first in sorted(codes)
        for second in sorted(codes)
        if first < second
    }
    assert {pair: place for pair, place in pairs.items() if pair not in TWO_CAUSES} == {}


HEAD = """
import asyncio
import json

import httpx
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import EventSourceResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()
TOKENS = {"media_type": "text/event-stream", "headers": {"X-Accel-Buffering": "no"}}
"""
ROUTE = """

@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), **TOKENS)
"""
LOOP = "async for chunk in graph.astream({}, stream_mode='values')"
ERROR = "    except Exception:\n        yield 'event: error\\ndata: {}\\n\\n'\n"


def frames(body: str, more: str = "") -> str:
    """A generator that tells its failures, around a loop whose body is given."""
    return f"async def frames():\n    try:\n        {LOOP}:\n            {body}\n{more}{ERROR}"


#: Winner, losers, program: RULES' table of precedence.
PRECEDENCE = (
    (
        "LGS112",
        ("LGS101",),
        "from langchain_ollama import ChatOllama\n\nmodel = ChatOllama(model='x', timeout=60)\n",
    ),
    (
        "LGS202",
        ("LGS201",),
        "async def answer():\n    async for chunk in graph.stream({}):\n        print(chunk)\n",
    ),
    (
        "LGS403",
        ("LGS203",),
        "@app.get('/chat')\nasync def chat():\n    return StreamingResponse(graph.ainvoke({}), **TOKENS)\n",
    ),
    (
        "LGS209",
        ("LGS403",),
        frames("yield chunk['content']").replace("'values'", "'messages'") + ROUTE.replace("**TOKENS", "headers={}"),
    ),
    (
        "LGS303",
        ("LGS302",),
        frames(
            "yield f'data: {len(chunk)}\\n\\n'",
            "    except asyncio.CancelledError:\n        yield 'data: [DONE]\\n\\n'\n        await asyncio.sleep(0)\n",
        )
        + ROUTE,
    ),
    (
        "LGS307",
        ("LGS309",),
        "async def frames():\n    try:\n        async with asyncio.timeout(60):\n"
        f"            {LOOP}:\n                yield f'data: {{len(chunk)}}\\n\\n'\n{ERROR}{ROUTE}",
    ),
    (
        "LGS305",
        ("LGS311",),
        "from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker\n\nmaker = async_sessionmaker()\n\n\n"
        "async def get_db():\n    async with maker() as session:\n        yield session\n\n\n"
        "@app.get('/chat')\nasync def chat(session: AsyncSession = Depends(get_db)):\n"
        "    async with httpx.AsyncClient() as client:\n\n        async def frames():\n            try:\n"
        f"                {LOOP}:\n                    await session.execute('x')\n"
        "                    await client.get('x')\n                    yield f'data: {len(chunk)}\\n\\n'\n"
        "            except Exception:\n                yield 'event: error\\ndata: {}\\n\\n'\n\n"
        "        return StreamingResponse(frames(), **TOKENS)\n",
    ),
    (
        "LGS401",
        ("LGS403", "LGS404", "LGS405", "LGS406"),
        frames("yield f'data: {len(chunk)}\\n'") + "\n\n@app.get('/chat')\nasync def chat():\n    return frames()\n",
    ),
    (
        "LGS401",
        ("LGS403", "LGS404", "LGS405", "LGS406"),
        frames("yield f'data: {len(chunk)}\\n'")
        + "\n\n@app.get('/chat')\nasync def chat():\n    return JSONResponse(frames())\n",
    ),
    (
        "LGS402",
        ("LGS310", "LGS404", "LGS405", "LGS406", "LGS409"),
        "@app.get('/chat')\n" + frames("yield f'data: {len(chunk)}\\n\\n'").replace("frames()", "chat()"),
    ),
    (
        "LGS408",
        ("LGS310", "LGS403", "LGS405", "LGS406"),
        frames("yield {'count': len(chunk)}") + ROUTE.replace("StreamingResponse", "EventSourceResponse"),
    ),
    (
        "LGS408",
        ("LGS310", "LGS404", "LGS405", "LGS406"),
        frames("yield str(len(chunk))")
        + ROUTE.replace('"/chat"', '"/chat", response_class=EventSourceResponse').replace(", **TOKENS", ""),
    ),
    (
        "LGS202",
        ("LGS314",),
        frames("yield f'data: {len(chunk)}\\n\\n'").replace("async for", "for").replace("'values'", "'messages'") + ROUTE,
    ),
)  # fmt: skip


@pytest.mark.parametrize(("winner", "losers", "program"), PRECEDENCE, ids=lambda value: str(value)[:30])
def test_the_winner_stands_alone(winner: str, losers: tuple[str, ...], program: str, root: Path) -> None:
    project = Project("precedence", {"main.py": f"{HEAD}\n\n{program}".encode()})
    codes = {finding.code for finding in found_in(project, root)}
    assert winner in codes
    assert codes.isdisjoint(losers)
