"""A graph of thirty steps, run without a recursion limit of its own."""

from typing import TypedDict

from fastapi import FastAPI
from langgraph.graph import END, START, StateGraph

app = FastAPI()


class State(TypedDict):
    steps: int


async def work(state: State):
    return {"steps": state["steps"] + 1}


builder = StateGraph(State)
builder.add_node("work", work)
builder.add_edge(START, "work")
builder.add_conditional_edges("work", lambda state: "work" if state["steps"] < 30 else END)
graph = builder.compile()


@app.get("/chat")
async def chat():
    return await graph.ainvoke({"steps": 0})
