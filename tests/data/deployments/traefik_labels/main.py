"""The chat's API."""

import json

from fastapi import FastAPI
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from sse_starlette import EventSourceResponse
from sse_starlette.sse import AppStatus

AppStatus.disable_automatic_graceful_drain()
app = FastAPI()


def search(query: str) -> str:
    """Search the archive."""
    return query


agent = create_agent(ChatOpenAI(model="gpt-4o-mini", timeout=120, max_retries=1), tools=[search])


async def events(question: str):
    try:
        async for token, _ in agent.astream({"messages": [("user", question)]}, stream_mode="messages"):
            yield {"event": "token", "data": json.dumps({"token": token.text})}
    except Exception:
        yield {"event": "error", "data": json.dumps({"message": "the model failed"})}


@app.get("/api/chat")
async def chat(question: str):
    return EventSourceResponse(events(question), ping=15)


@app.get("/health")
async def health():
    return {"status": "up"}
