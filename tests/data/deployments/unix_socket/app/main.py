"""The chat's API."""

import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

app = FastAPI()


def search(query: str) -> str:
    """Search the archive."""
    return query


agent = create_agent(ChatOpenAI(model="gpt-4o-mini", timeout=120, max_retries=1), tools=[search])


async def events(question: str):
    try:
        async for token, _ in agent.astream({"messages": [("user", question)]}, stream_mode="messages"):
            yield f"data: {json.dumps({'token': token.text})}\n\n"
    except Exception:
        yield 'event: error\ndata: {"message": "the model failed"}\n\n'


@app.get("/api/chat")
async def chat(question: str):
    return StreamingResponse(
        events(question),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


@app.get("/health")
async def health():
    return {"status": "up"}
