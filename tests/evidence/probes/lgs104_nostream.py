"""A model with the tag ``nostream``, in a graph whose tokens are streamed."""

import json
import logging

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

logger = logging.getLogger(__name__)
app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2, tags=["nostream"])


async def call_model(state: MessagesState):
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("model", call_model)
builder.add_edge(START, "model")
graph = builder.compile()


async def frames(question: str):
    try:
        async for message, _ in graph.astream({"messages": [("user", question)]}, stream_mode="messages"):
            yield f"data: {json.dumps({'token': message.content})}\n\n"
    except Exception:
        logger.exception("the stream failed")
        yield 'event: error\ndata: {"detail": "the answer could not be finished"}\n\n'


@app.get("/chat")
async def chat(question: str = "Tell me a story"):
    return StreamingResponse(frames(question), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
