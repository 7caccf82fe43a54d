"""MongoDB's checkpointer under ``astream()``; a MongoDB in memory stands in for the server."""

import json
import logging

import mongomock
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.mongodb import MongoDBSaver
from langgraph.graph import START, MessagesState, StateGraph

logger = logging.getLogger(__name__)
app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)

list_indexes = mongomock.Collection.list_indexes


class Listed(list):
    """What the stand-in lacks: the driver's cursors know ``to_list()``."""

    def to_list(self) -> list:
        return self


mongomock.Collection.list_indexes = lambda self, session=None: Listed(list_indexes(self, session))


async def call_model(state: MessagesState):
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("model", call_model)
builder.add_edge(START, "model")
graph = builder.compile(checkpointer=MongoDBSaver(mongomock.MongoClient()))


async def frames(question: str):
    config = {"configurable": {"thread_id": "1"}}
    try:
        async for message, _ in graph.astream({"messages": [("user", question)]}, config, stream_mode="messages"):
            yield f"data: {json.dumps({'token': message.content})}\n\n"
    except Exception:
        logger.exception("the stream failed")
        yield 'event: error\ndata: {"detail": "the answer could not be finished"}\n\n'


@app.get("/chat")
async def chat(question: str = "Tell me a story"):
    return StreamingResponse(frames(question), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
