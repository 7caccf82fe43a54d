"""A database session of the request is kept for the whole stream, or used after it was closed.

## What it does
Reports a response whose generator uses an SQLAlchemy session that a `yield` dependency (`Depends(get_db)`) opened for the
request.

## Why it cuts the stream
Where FastAPI closes dependencies after the body (before 0.106 and from 0.118 on), every open stream holds a connection of
the pool for its whole length: a dozen readers exhaust it, and the next requests fail with `QueuePool limit of size 5
overflow 10 reached, connection timed out`. FastAPI 0.106 to 0.117 closes the session first: it then connects again behind
your back, and nobody closes that connection.

## Example
```python
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite:///app.db")


def get_db():
    with Session(engine) as session:
        yield session


def lines(session: Session):
    for row in session.execute(text("select id from answers")):
        yield f"{row.id}\\n"


@app.get("/chat")
def chat(session: Session = Depends(get_db)):
    return StreamingResponse(lines(session), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Use instead
```python
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite:///app.db")


def lines():
    with Session(engine) as session:
        rows = session.execute(text("select id from answers")).all()
    for row in rows:
        yield f"{row.id}\\n"


@app.get("/chat")
def chat():
    return StreamingResponse(lines(), media_type="text/plain", headers={"X-Accel-Buffering": "no"})
```

## Fix
None: open a short session inside the generator, where it is needed, and close it before the model is asked.

## Limits
SQLAlchemy's and SQLModel's sessions, opened by a function of the project that yields them. Connections, which do not open
again, are LGS305's. A session that the generator only closes over in a nested function is seen; one kept in an attribute
of another object is not.

## Evidence
`fixtures/LGS311/evidence.yaml` cites the pool's and FastAPI's documentation. That the order changed was run on FastAPI
0.105.0, 0.106.0, 0.117.1, 0.118.0 and 0.165.0, and that a closed session opens again on SQLAlchemy 2.0.

## References
- <https://docs.sqlalchemy.org/en/20/core/pooling.html>
- <https://fastapi.tiangolo.com/advanced/advanced-dependencies/#dependencies-with-yield-and-streamingresponse-technical-details>
"""

from __future__ import annotations

import libcst as cst

from lg_stream_lint.finding import Confidence
from lg_stream_lint.python.dependencies import Injected, closes_early, closes_late, injected
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.uses import Uses
from lg_stream_lint.python.value import Kind
from lg_stream_lint.rules.base import Place, PythonRule
from lg_stream_lint.versions import told

_SESSIONS = frozenset(
    {"sqlalchemy.orm.Session", "sqlalchemy.orm.session.Session", "sqlmodel.Session",
     "sqlalchemy.ext.asyncio.AsyncSession", "sqlalchemy.ext.asyncio.session.AsyncSession",
     "sqlmodel.ext.asyncio.session.AsyncSession"}
)  # fmt: skip
#: What makes sessions.
_MAKERS = ("async_sessionmaker", "sessionmaker")


class RequestSessionInStream(PythonRule):
    """Asks, for each streamed response, which sessions of its request the generator uses."""

    independent_of_async = True
    in_tests = False
    loses_to = ("LGS305", "LGS401", "LGS403")
    place = (("@responses",), ("Depends", "Annotated", ": "))
    evidence = (("Depends",), ("sqlalchemy", "sqlmodel"))

    def visit_Module(self, node: cst.Module) -> None:
        """Judge the responses that this file builds."""
        for stream in self.facts.streams.of(self.module):
            function = self.function_of(stream.call) if stream.call is not None else None
            if function is None or stream.content is None or stream.call is None or function.is_generator:
                continue
            for found in injected(self.facts, function):
                if self._is_session(found, function) and Uses(self.facts, function, found.parameter.name).reach(
                    stream.content
                ):
                    self._report(stream, stream.call, found)
                    break

    def _is_session(self, found: Injected, handler: Function) -> bool:
        """Whether a dependency yields a session of SQLAlchemy: by what it yields, its maker, or the parameter's annotation."""
        infer = self.facts.infer
        values = (*infer.yielded(found.function), *infer.name(found.parameter.name, handler.scope))
        if any(value.kind == Kind.INSTANCE and value.name in _SESSIONS for value in values):
            return True
        module = found.function.module
        return any(
            value.name.rpartition(".")[2] in _MAKERS
            for call in found.function.calls
            for value in infer.of(call.func, module)
            if value.kind in (Kind.RESULT, Kind.INSTANCE)
        )

    def _report(self, stream: Stream, call: cst.Call, found: Injected) -> None:
        early = closes_early(self.facts, self.module, found.call)
        late = closes_late(self.facts, self.module, found.call)
        name = found.parameter.name
        if early:
            what = f"{early}: the generator uses `{name}` afterwards, which opens it again for nobody to close. "
        else:
            fact = self.versions.of("fastapi")
            version = f" ({told(fact, 'fastapi', '0.118 or newer', decided=bool(late))})"
            what = (
                f"`{name}` from {found.function.name}() stays open for the whole stream{version}: each reader holds a connection "
                "of the pool, and when it is empty other requests wait and fail. "
            )
        self.report(
            call,
            f"{what}Open a short session inside the generator, and close it before the model is asked.",
            confidence=Confidence.HIGH if early or late else Confidence.MEDIUM,
            related=[Place(found.function.module, found.function.node, "the dependency")],
        )
