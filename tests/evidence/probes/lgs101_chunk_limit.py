"""The limit between two chunks that ChatOpenAI has by itself, shortened from 120 s to one by its environment variable."""

import json
import logging
import os

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

os.environ["LANGCHAIN_OPENAI_STREAM_CHUNK_TIMEOUT_S"] = "1"

logger = logging.getLogger(__name__)
app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", max_retries=0)


async def frames(question: str):
    try:
        async for chunk in llm.astream(question):
            yield f"data: {json.dumps({'text': chunk.content})}\n\n"
    except Exception:
        logger.exception("the stream failed")
        yield 'event: error\ndata: {"detail": "the answer could not be finished"}\n\n'


@app.get("/chat")
async def chat(question: str = "Why is the sky blue?") -> StreamingResponse:
    return StreamingResponse(frames(question), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
