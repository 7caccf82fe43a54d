"""sse-starlette's response with a grace period, on a server that gets SIGTERM in mid-answer."""

import asyncio
import json
import logging
import signal

import anyio
from fastapi import FastAPI
from langchain_openai import ChatOpenAI
from sse_starlette.sse import EventSourceResponse

logger = logging.getLogger(__name__)
app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)


async def events(question: str):
    try:
        async for chunk in llm.astream(question):
            yield {"data": json.dumps({"token": chunk.content})}
    except Exception:
        logger.exception("the stream failed")
        yield {"event": "error", "data": "the answer could not be finished"}


@app.get("/chat")
async def chat(question: str = "Tell me a story"):
    asyncio.get_running_loop().call_later(0.5, signal.raise_signal, signal.SIGTERM)  # a deploy
    return EventSourceResponse(events(question), shutdown_event=anyio.Event(), shutdown_grace_period=60)
