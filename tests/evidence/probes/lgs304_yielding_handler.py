"""A handler that yields text under a raw response class, and raises before its first item."""

import logging

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

logger = logging.getLogger(__name__)
app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)


@app.get("/chat", response_class=StreamingResponse)
async def chat(question: str = ""):
    if not question:
        raise HTTPException(status_code=422, detail="no question")
    try:
        async for chunk in llm.astream(question):
            yield chunk.content
    except Exception:
        logger.exception("the stream failed")
        yield "[the answer could not be finished]"
