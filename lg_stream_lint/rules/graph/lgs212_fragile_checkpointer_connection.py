"""The checkpointer's connection does not survive being idle.

## What it does
Reports a `PostgresSaver` or `AsyncPostgresSaver` that lives as long as the process on one connection (`from_conn_string()` or
`connect()` in a lifespan or at the top of a module), on a pipeline, or on a pool that does not check its connections, or
opens them without `autocommit` and `prepare_threshold`.

## Why it cuts the stream
Servers, proxies and firewalls close connections that are idle. The next run writes its first checkpoint to a dead one: `the
connection is closed`, in mid-stream, and with a single connection for every request until the next deploy.

## Example
```python
from contextlib import asynccontextmanager

from fastapi import FastAPI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import StateGraph


@asynccontextmanager
async def lifespan(app):
    async with AsyncPostgresSaver.from_conn_string("postgresql://db/threads") as saver:
        yield {"graph": StateGraph(dict).compile(checkpointer=saver)}


app = FastAPI(lifespan=lifespan)
```

## Use instead
```python
from contextlib import asynccontextmanager

from fastapi import FastAPI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import StateGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

SETTINGS = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}


@asynccontextmanager
async def lifespan(app):
    async with AsyncConnectionPool(
        "postgresql://db/threads", kwargs=SETTINGS, check=AsyncConnectionPool.check_connection
    ) as pool:
        yield {"graph": StateGraph(dict).compile(checkpointer=AsyncPostgresSaver(pool))}


app = FastAPI(lifespan=lifespan)
```

## Fix
None: the size of the pool is for the application to decide.

## Limits
PostgreSQL only. A pool that lacks `prepare_threshold` alone is advice: it matters only behind a pooler. A connection or pool
that a request opens for itself is silent; so is a pool whose arguments cannot be read, or that configures its connections
by a function.

## Evidence
No database server takes part in the evidence: the documents cited in `fixtures/LGS212/evidence.yaml`.

## References
- <https://www.psycopg.org/psycopg3/docs/advanced/pool.html#connection-quality>
- <https://docs.langchain.com/oss/python/langgraph/add-memory#use-in-production>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.keywords import items_of, keywords_of
from lg_stream_lint.python.marks import HANDLERS
from lg_stream_lint.python.module import Module
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.syntax import argument, called_name, walk_same_scope
from lg_stream_lint.python.value import Kind, Value
from lg_stream_lint.rules.base import Place, PythonRule

_PACKAGE = "langgraph-checkpoint-postgres"
_POOLS = frozenset({"psycopg_pool.ConnectionPool", "psycopg_pool.AsyncConnectionPool"})
_CONNECTIONS = ("psycopg.connect", "psycopg.Connection", "psycopg.AsyncConnection")
_BY_HAND = frozenset({"__enter__", "__aenter__", "enter_context", "enter_async_context"})
#: What is seen, by the first thing that is missing. Prepared statements only fail where a pooler is in between.
_SEEN = {
    "check=": 'a run that gets one which was closed while idle is cut ("the connection is closed")',
    "autocommit": "checkpoints stay in open transactions, and setup() fails",
    "prepare_threshold": "behind a pooler such as PgBouncer or Supabase, prepared statements fail in mid-stream",
}
_PROCESS = frozenset({"lifespan", "startup"})
_OF_A_REQUEST = HANDLERS | {"dependency"}
#: How many context managers and helpers may lie between the request and the pool.
_MOST_CALLERS = 3


class FragileCheckpointerConnection(PythonRule):
    """Looks at how the connections of PostgreSQL checkpointers are made."""

    independent_of_async = True
    in_tests = False
    evidence = (("PostgresSaver",),)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge a checkpointer where it is made."""
        for value in self.values_of(node):
            made = value.inner if value.kind == Kind.CONTEXT else value
            if made is None or made.role != "saver" or made.cls is not None or made.node is not node:
                continue
            if self.tables.savers[made.name].package != _PACKAGE:
                continue
            name = made.name.rpartition(".")[2]
            if value.kind == Kind.CONTEXT:
                self._judge_entered(node, name)
            else:
                self._judge_constructed(node, name)
            return

    # One connection

    def _judge_entered(self, node: cst.Call, name: str) -> None:
        if not self._is_for_the_process(node):
            return
        pipeline = argument(node, "pipeline")
        if isinstance(pipeline, cst.Name) and pipeline.value == "True":
            self.report(
                node,
                f"This {name} keeps one pipeline open for the life of the process: requests share its transaction, and when "
                'it breaks, every run fails ("the connection is closed"). Use a connection pool without a pipeline.',
                severity=Severity.ERROR,
            )
            return
        self._say_single(node, name)

    def _say_single(self, node: cst.Call, name: str) -> None:
        pool = "AsyncConnectionPool" if name.startswith("Async") else "ConnectionPool"
        self.report(
            node,
            f"This {name} lives on one connection for the life of the process: when the server or a proxy closes it, running "
            'streams are cut and every later run fails ("the connection is closed"). '
            f"Use {name}({pool}(…, check={pool}.check_connection)).",
        )

    def _is_for_the_process(self, node: cst.Call) -> bool:
        """Whether the context is entered in a lifespan around its ``yield``, or by hand when the process starts."""
        parent = self.parent_of(node)
        function = self.function_of(node)
        if isinstance(parent, cst.WithItem):
            block = self.parent_of(parent)
            return (
                function is not None
                and isinstance(block, cst.With)
                and self._starts_process(function)
                and any(isinstance(item, cst.Yield) for item in walk_same_scope(block.body))
            )
        if isinstance(parent, cst.Arg):
            parent = self.parent_of(parent)
            by_hand = isinstance(parent, cst.Call) and called_name(parent) in _BY_HAND
        else:
            by_hand = isinstance(parent, cst.Attribute) and parent.attr.value in _BY_HAND
        return by_hand and (function is None or self._starts_process(function))

    def _starts_process(self, function: Function) -> bool:
        functions = self.facts.functions
        if functions.marks(function) & _PROCESS:
            return True
        if not functions.is_context_manager(function):
            return False
        callers = [module.function_at(call) for module, call in self.facts.callers(function)]
        return any(caller is not None and functions.marks(caller) & _PROCESS for caller in callers)

    # A pool, or a connection that is handed in

    def _judge_constructed(self, node: cst.Call, name: str) -> None:
        given = argument(node, "conn", 0)
        if given is None:
            return
        for value in self.values_of(given):
            if value.name in _POOLS and isinstance(value.node, cst.Call) and value.home is not None:
                self._judge_pool(node, name, value, value.node, value.home)
            elif value.name.startswith(_CONNECTIONS) and "ool" not in value.name:
                function = self.function_of(node)
                if function is None or self._starts_process(function):
                    self._say_single(node, name)

    def _judge_pool(self, node: cst.Call, name: str, value: Value, pool: cst.Call, home: Module) -> None:
        function = home.function_at(pool)
        closed = isinstance(home.parents.get(pool), cst.WithItem)
        if function is not None and self._is_of_one_request(function, _MOST_CALLERS if closed else 0):
            return
        keywords = keywords_of(self.facts, pool, home)
        if keywords.unknown or keywords.from_caller:
            return
        missing: list[str] = []
        if "check" not in keywords.given and "max_idle" not in keywords.given:
            missing.append(f"check={value.name.rpartition('.')[2]}.check_connection")
        missing += self._missing_settings(pool, home)
        if not missing:
            return
        seen = next(text for word, text in _SEEN.items() if word in missing[0])
        self.report(
            pool if home is self.module else node,
            f"The connections of this pool serve {name} without {' and '.join(missing)}: {seen}. "
            f"Pass {'it' if len(missing) == 1 else 'them'} to the pool.",
            severity=Severity.INFO if missing[0].startswith('kwargs={"prepare_threshold"') else None,
            related=[Place(self.module, node, f"{name} uses the pool")]
            if home is self.module
            else [Place(home, pool, "the pool is made here")],
        )

    def _is_of_one_request(self, function: Function, hops: int) -> bool:
        """Whether what a function opens lives as long as a request, so that nothing of it is idle between two of them.

        It answers the request, or it closes what it opened and all that call it do.
        """
        marks = self.facts.functions.marks(function)
        if marks & _OF_A_REQUEST or self.facts.streams.is_fed_by(function):
            return True
        if not hops or marks & _PROCESS:
            return False
        callers = [module.function_at(call) for module, call in self.facts.callers(function)]
        return bool(callers) and all(c is not None and self._is_of_one_request(c, hops - 1) for c in callers)

    def _missing_settings(self, pool: cst.Call, home: Module) -> list[str]:
        """The settings of a connection that the checkpointer needs, and that the pool does not make."""
        keywords = keywords_of(self.facts, pool, home).given
        if "configure" in keywords or "connection_class" in keywords or len(pool.args) == 0:
            return []
        missing = ['"autocommit": True', '"prepare_threshold": 0']
        given = keywords.get("kwargs")
        if given is None:
            return [f"kwargs={{{', '.join(missing)}}}"]
        settings = items_of(self.facts, given.node, given.module)
        if settings.unknown or settings.from_caller:
            return []
        autocommit = settings.given.get("autocommit")
        off = autocommit is None or (isinstance(autocommit.node, cst.Name) and autocommit.node.value == "False")
        missing = [*(missing[:1] if off else []), *(missing[1:] if "prepare_threshold" not in settings.given else [])]
        return [f"kwargs={{{', '.join(missing)}}}"] if missing else []
