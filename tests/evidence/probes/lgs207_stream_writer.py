"""A node that writes to the stream with ``get_stream_writer()``."""

import asyncio
import json
import logging

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph

logger = logging.getLogger(__name__)
app = FastAPI()


async def work(state: MessagesState):
    writer = get_stream_writer()
    for step in range(5):
        await asyncio.sleep(0.1)
        writer({"question": state["messages"][-1].content, "step": step})
    return {"messages": [("assistant", "done")]}


builder = StateGraph(MessagesState)
builder.add_node("work", work)
builder.add_edge(START, "work")
graph = builder.compile()


async def frames(question: str):
    try:
        async for item in graph.astream({"messages": [("user", question)]}, stream_mode="custom"):
            yield f"data: {json.dumps(item)}\n\n"
    except Exception:
        logger.exception("the stream failed")
        yield 'event: error\ndata: {"detail": "the answer could not be finished"}\n\n'


@app.get("/chat")
async def chat(question: str = "Tell me a story"):
    return StreamingResponse(frames(question), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
