"""Resources that are closed when a block ends: which they are, and which ones end around a place in a function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, dotted_text, walk_same_scope
from lg_stream_lint.python.uses import Uses, is_true
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_CLIENT = "Cannot send a request, as the client has been closed"
_BODY = "Attempted to read or stream content, but the stream has been closed"
_FILE = "I/O operation on closed file"
_CONNECTION = "the connection is closed"
_MCP = "ClosedResourceError"

#: Classes whose objects are dead once their block has ended, with what the log then says (measured, November 2026: httpx
#: 0.28.1, aiohttp 3.14.5, SQLAlchemy 2.0, langgraph-checkpoint-sqlite 3.1.2). SQLAlchemy's sessions, `requests.Session` and Redis
#: clients connect again, and `with` on a `sqlite3.Connection` ends a transaction only: none of them is here.
_CLASSES = {
    "httpx.AsyncClient": _CLIENT,
    "httpx.Client": _CLIENT,
    "httpx2.AsyncClient": _CLIENT,
    "httpx2.Client": _CLIENT,
    "aiohttp.ClientSession": "Session is closed",
    "contextlib.AsyncExitStack": "",
    "contextlib.ExitStack": "",
    "mcp.ClientSession": _MCP,
    "mcp.client.session.ClientSession": _MCP,
    "langchain_mcp_adapters.client.MultiServerMCPClient": _MCP,
    "fastmcp.Client": _MCP,
    "sqlalchemy.Connection": "This Connection is closed",
    "sqlalchemy.ext.asyncio.AsyncConnection": "This Connection is closed",
    "psycopg.Connection": _CONNECTION,
    "psycopg.AsyncConnection": _CONNECTION,
    "psycopg_pool.ConnectionPool": "the pool is already closed",
    "psycopg_pool.AsyncConnectionPool": "the pool is already closed",
    "asyncpg.Pool": "pool is closed",
    "pymongo.MongoClient": "Cannot use MongoClient after close",
    "pymongo.AsyncMongoClient": "Cannot use AsyncMongoClient after close",
}
#: The same for what calls of functions and methods give.
_RESULTS = {
    "httpx.stream": _BODY,
    "httpx2.stream": _BODY,
    "httpx.AsyncClient.stream": _BODY,
    "httpx.Client.stream": _BODY,
    "httpx2.AsyncClient.stream": _BODY,
    "httpx2.Client.stream": _BODY,
    "aiohttp.ClientSession.get": "Connection closed",
    "aiohttp.ClientSession.post": "Connection closed",
    "aiohttp.ClientSession.request": "Connection closed",
    "builtins.open": _FILE,
    "io.open": _FILE,
    "aiofiles.open": _FILE,
    "anyio.open_file": _FILE,
    "mcp.client.stdio.stdio_client": _MCP,
    "mcp.client.sse.sse_client": _MCP,
    "mcp.client.streamable_http.streamablehttp_client": _MCP,
    "mcp.client.streamable_http.streamable_http_client": _MCP,
    "mcp.stdio_client": _MCP,
    "langchain_mcp_adapters.client.MultiServerMCPClient.session": _MCP,
    "psycopg.connect": _CONNECTION,
    "psycopg.Connection.connect": _CONNECTION,
    "psycopg.AsyncConnection.connect": _CONNECTION,
    "psycopg_pool.AsyncConnectionPool.connection": _CONNECTION,
    "psycopg_pool.ConnectionPool.connection": _CONNECTION,
    "aiosqlite.connect": "Connection closed",
    "asyncpg.create_pool": "pool is closed",
    "asyncpg.create_pool().acquire": "cannot call Connection methods after the connection has been released",
    "asyncpg.Pool.acquire": "cannot call Connection methods after the connection has been released",
    "asyncpg.connect": _CONNECTION,
    "sqlalchemy.ext.asyncio.create_async_engine.connect": "This Connection is closed",
    "sqlalchemy.ext.asyncio.create_async_engine.begin": "This Connection is closed",
    "sqlalchemy.ext.asyncio.AsyncEngine.connect": "This Connection is closed",
    "sqlalchemy.ext.asyncio.AsyncEngine.begin": "This Connection is closed",
}
_REQUESTS = frozenset({"requests.get", "requests.post", "requests.put", "requests.request", "requests.Session.get",
                       "requests.Session.post", "requests.Session.request"})  # fmt: skip
#: A closed body of `requests` ends quietly.
QUIET = "no error is raised"
_CLOSERS = frozenset({"close", "aclose", "disconnect", "__aexit__", "__exit__", "cleanup", "stop"})


class Closing(NamedTuple):
    """A resource that ends with a block: the name that holds it, what it is, what using it afterwards says, where it opens."""

    name: str
    what: str
    error: str
    node: cst.CSTNode
    module: Module


def closed_around(facts: Facts, node: cst.CSTNode, function: Function) -> Iterator[Closing]:
    """The resources that are closed before anything that is returned (or yielded once) at a node of a function is used."""
    module = function.module
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
        if isinstance(parent, cst.With) and parent.body is child:
            for item in parent.items:
                found = _of_item(facts, item, module)
                if found is not None:
                    yield found
        elif isinstance(parent, (cst.Try, cst.TryStar)) and parent.body is child and parent.finalbody is not None:
            yield from _closed_finally(facts, parent.finalbody, function)
        child, parent = parent, module.parents.get(parent)


def _of_item(facts: Facts, item: cst.WithItem, module: Module) -> Closing | None:
    name = _held(item)
    if not name:
        return None
    for value in facts.infer.of(item.item, module):
        what, error = closable(facts, value)
        if what:
            return Closing(name, what, error, item, module)
    return None


def _held(item: cst.WithItem) -> str:
    """The local name of what a ``with`` opens: its target, or the object itself where there is none."""
    target = item.asname.name if item.asname is not None else item.item
    while isinstance(target, (cst.Tuple, cst.List)) and target.elements:
        target = target.elements[0].value  # `as (read, write, _)`: one of the streams stands for all
    return target.value if isinstance(target, cst.Name) else ""


def _closed_finally(facts: Facts, block: cst.Finally, function: Function) -> Iterator[Closing]:
    """``finally: await client.aclose()`` for a local name that holds something closable."""
    for node in walk_same_scope(block):
        if isinstance(node, cst.Call) and called_name(node) in _CLOSERS and isinstance(node.func, cst.Attribute):
            owner = node.func.value
            if not isinstance(owner, cst.Name) or owner.value not in function.scope.bindings:
                continue
            if all(binding.kind == "param" for binding in function.scope.bindings[owner.value]):
                continue  # somebody else's: said where it is made
            for value in facts.infer.of(owner, function.module):
                what, error = closable(facts, value)
                if what:
                    yield Closing(owner.value, what, error, node, function.module)
                    break


def closable(facts: Facts, value: Value, depth: int = 3) -> tuple[str, str]:
    """What a value is, and what its use says after it was closed; empty when it lives on, or nothing is known."""
    tables = facts.project.knowledge
    if value.kind == Kind.COROUTINE and value.inner is not None:
        return closable(facts, value.inner, depth)
    if value.kind == Kind.CONTEXT:
        if value.inner is not None and value.inner.role == "saver":
            return _last(value.inner.name), _saver_error(value.inner.name)
        return _own_context(facts, value.function, depth) if value.function is not None else ("", "")
    name = value.name.removesuffix("()")
    if isinstance(value.node, cst.Call) and is_true(argument(value.node, "stream")):
        called = dotted_text(value.node.func)
        if value.name.endswith("requests.Response") or name in _REQUESTS:
            return f"{called}() response", QUIET
    if value.kind == Kind.INSTANCE:
        row = tables.models.get(name)
        if row is not None and row.kind == "sdk":
            return _last(name), _CLIENT
        error = _CLASSES.get(name)
        return (_last(name), error) if error is not None else ("", "")
    if value.kind == Kind.RESULT:
        error = _RESULTS.get(name)
        if error is not None:
            return ("file" if error == _FILE else f"{_short(name)}()"), error
    return "", ""


def _own_context(facts: Facts, function: Function, depth: int) -> tuple[str, str]:
    """A context manager of the project that yields something its own block closes."""
    if depth <= 0:
        return "", ""
    for node in function.yields:
        if not isinstance(node.value, cst.BaseExpression):
            continue
        for closing in closed_around(facts, node, function):
            if Uses(facts, function, closing.name).reach(node.value):
                return closing.what, closing.error
    return "", ""


def _saver_error(name: str) -> str:
    if name.endswith(".AsyncSqliteSaver"):
        return "threads can only be started once"
    return "Cannot operate on a closed database" if name.endswith(".SqliteSaver") else _CONNECTION


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _short(name: str) -> str:
    return ".".join(name.split(".")[-2:])
