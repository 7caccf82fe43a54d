"""Generated from the YAML files by ``python -m lg_stream_lint.knowledge.build``. Do not edit."""

# ruff: noqa: E501
# fmt: off
from __future__ import annotations

from typing import Any

TABLES: dict[str, tuple[tuple[Any, ...], ...]] = {
    "models": (
        ("langchain_openai.ChatOpenAI", ("langchain_openai.chat_models.ChatOpenAI", "langchain_openai.chat_models.base.ChatOpenAI"), "chat", "openai", "langchain-openai", ("timeout", "request_timeout"), "seconds", "none", (("http_client", "http-client", ("timeout",), "seconds", "sync", "httpx.Client", "used by invoke and stream only"), ("http_async_client", "http-client", ("timeout",), "seconds", "async", "httpx.AsyncClient", "used by ainvoke and astream only"), ("client", "client", (), "seconds", "sync", "", "a ready-made chat.completions resource"), ("async_client", "client", (), "seconds", "async", "", "a ready-made chat.completions resource"), ("root_client", "client", (), "seconds", "sync", "openai.OpenAI", ""), ("root_async_client", "client", (), "seconds", "async", "openai.AsyncOpenAI", "")), (), "max_retries", 2, "", "stream_chunk_timeout", 120, "1.2.0", False, False, (), "None is passed on and means no limit, not the SDK's 600 s; stream_chunk_timeout covers the gaps of async streams only.", "measured: langchain-openai 1.7.4", "2026-11"),
        ("langchain_openai.AzureChatOpenAI", ("langchain_openai.chat_models.AzureChatOpenAI", "langchain_openai.chat_models.azure.AzureChatOpenAI"), "chat", "azure_openai", "langchain-openai", ("timeout", "request_timeout"), "seconds", "none", (("http_client", "http-client", ("timeout",), "seconds", "sync", "httpx.Client", "used by invoke and stream only"), ("http_async_client", "http-client", ("timeout",), "seconds", "async", "httpx.AsyncClient", "used by ainvoke and astream only"), ("client", "client", (), "seconds", "sync", "", "a ready-made chat.completions resource"), ("async_client", "client", (), "seconds", "async", "", "a ready-made chat.completions resource"), ("root_client", "client", (), "seconds", "sync", "openai.OpenAI", ""), ("root_async_client", "client", (), "seconds", "async", "openai.AsyncOpenAI", "")), (), "max_retries", 2, "", "stream_chunk_timeout", 120, "1.2.0", False, False, (), "", "measured: langchain-openai 1.7.4", "2026-11"),
    ),
    "providers": (
        ("openai", "langchain_openai.ChatOpenAI", ("gpt-", "o1", "o3", "o4", "chatgpt", "text-davinci"), "https://github.com/langchain-ai/langchain/blob/master/libs/langchain_v1/langchain/chat_models/base.py", "2026-11"),
    ),
    "graphs": (
        ("langgraph.graph.StateGraph", ("langgraph.graph.state.StateGraph",), "builder", "class", (), False, (), "", "", "measured: langgraph 1.2.24", "2026-11"),
        ("langgraph.prebuilt.create_react_agent", ("langgraph.prebuilt.chat_agent_executor.create_react_agent",), "graph", "function", (), False, (), "checkpointer", "", "measured: langgraph 1.2.24", "2026-11"),
    ),
    "methods": (
        ("astream", ("graph", "chain", "prompt", "parser", "retriever", "model", "tool"), "async-generator", "", "stream", True, "", "", "", "", "", "measured: langchain-core 1.8.3", "2026-11"),
        ("stream", ("graph", "chain", "prompt", "parser", "retriever", "model", "tool"), "generator", "", "astream", False, "", "", "", "", "", "measured: langchain-core 1.8.3", "2026-11"),
    ),
    "savers": (
        ("langgraph.checkpoint.memory.InMemorySaver", ("langgraph.checkpoint.memory.MemorySaver",), "both", True, (), "", "measured: langgraph-checkpoint 4.3.2", "2026-11"),
        ("langgraph.checkpoint.sqlite.SqliteSaver", (), "sync", False, ("from_conn_string",), "async methods raise NotImplementedError at the first step; the client gets an empty 200.", "measured: langgraph-checkpoint-sqlite 3.1.2", "2026-11"),
        ("langgraph.checkpoint.sqlite.aio.AsyncSqliteSaver", (), "async", False, ("from_conn_string",), "sync methods work from another thread, and raise InvalidStateError on the event loop's.", "measured: langgraph-checkpoint-sqlite 3.1.2", "2026-11"),
        ("langgraph.checkpoint.postgres.PostgresSaver", (), "sync", False, ("from_conn_string",), "async methods raise a bare NotImplementedError.", "https://github.com/langchain-ai/langgraph/tree/main/libs/checkpoint-postgres/langgraph/checkpoint/postgres", "2026-11"),
        ("langgraph.checkpoint.postgres.aio.AsyncPostgresSaver", (), "async", False, ("from_conn_string",), "", "https://github.com/langchain-ai/langgraph/tree/main/libs/checkpoint-postgres/langgraph/checkpoint/postgres", "2026-11"),
    ),
    "responses": (
        ("starlette.responses.StreamingResponse", ("fastapi.responses.StreamingResponse",), "starlette", True, "raw", "content", 0, "", ("media_type",), "headers", ("str", "bytes", "memoryview"), False, False, False, "", "measured: starlette 1.10.0", "2026-11"),
    ),
    "apps": (
        ("fastapi.FastAPI", ("fastapi.applications.FastAPI",), "fastapi", "app", (("get", "route"), ("post", "route"), ("put", "route"), ("patch", "route"), ("delete", "route")), (), (), "", "measured: fastapi 0.165.0", "2026-11"),
    ),
    "markers": (
        ("fastapi.Depends", (), "fastapi", "call", ("dependency", 0, "dependency"), (), "", "measured: fastapi 0.165.0", "2026-11"),
    ),
    "blocking_functions": (
        ("time.sleep", (), "sleep", "await asyncio.sleep(...)", "", "https://docs.python.org/3/library/time.html#time.sleep", "2026-11"),
    ),
    "blocking_classes": (
        ("requests.Session", ("requests.sessions.Session",), "http", "httpx.AsyncClient", ("request", "get", "post", "put", "patch", "delete", "head", "options", "send"), (), (), ("requests.session",), (), "", "https://requests.readthedocs.io/en/latest/api/", "2026-11"),
    ),
}
