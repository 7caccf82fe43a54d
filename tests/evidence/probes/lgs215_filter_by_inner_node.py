"""The tokens are filtered by a node of the sub-graph, whose tokens nobody asked for."""

import json
import logging

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

logger = logging.getLogger(__name__)
app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)


async def call_model(state: MessagesState):
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("model", call_model)
builder.add_edge(START, "model")
team = builder.compile()

outside = StateGraph(MessagesState)
outside.add_node("team", team)
outside.add_edge(START, "team")
graph = outside.compile()


async def frames(question: str):
    try:
        async for message, metadata in graph.astream({"messages": [("user", question)]}, stream_mode="messages"):
            if metadata["langgraph_node"] == "model":
                yield f"data: {json.dumps({'token': message.content})}\n\n"
    except Exception:
        logger.exception("the stream failed")
        yield 'event: error\ndata: {"detail": "the answer could not be finished"}\n\n'
        return
    yield "data: [DONE]\n\n"


@app.get("/chat")
async def chat(question: str = "Tell me a story"):
    return StreamingResponse(frames(question), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
