"""MongoDB's checkpointer under ``astream()``; a MongoDB in memory stands in for the server."""

import json
import logging

import mongomock
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.mongodb import MongoDBSaver
from langgraph.graph import START, MessagesState, StateGraph
from mongomock.collection import BulkOperationBuilder

logger = logging.getLogger(__name__)
app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)


class Indexes(list):
    """As many as the checkpointer wants, so that it makes none: the stand-in's keywords for that are other ones."""

    def to_list(self) -> list:
        return self


add_update = BulkOperationBuilder.add_update


def add_unsorted(*values, **named):
    named.pop("sort", None)
    return add_update(*values, **named)


mongomock.Collection.list_indexes = lambda *_: Indexes([{}, {}])
BulkOperationBuilder.add_update = add_unsorted


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
