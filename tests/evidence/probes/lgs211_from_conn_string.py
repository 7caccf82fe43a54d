"""What ``SqliteSaver.from_conn_string()`` gives, compiled into a graph."""

from fastapi import FastAPI
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)


def call_model(state: MessagesState):
    return {"messages": [llm.invoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("model", call_model)
builder.add_edge(START, "model")
graph = builder.compile(checkpointer=SqliteSaver.from_conn_string(":memory:"))


@app.get("/chat")
def chat(question: str = "Tell me a story"):
    result = graph.invoke({"messages": [("user", question)]}, {"configurable": {"thread_id": "1"}})
    return {"text": result["messages"][-1].content}
