"""A request's session, used by the generator: whether it was closed before, and the connections that it holds."""

import json
import time
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

app = FastAPI()
engine = create_engine("sqlite:///answers.db", poolclass=QueuePool)
SessionLocal = sessionmaker(engine)
closed = []


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()
        closed.append(session)


def frames(session: Session):
    session.execute(text("select 1"))
    for _ in range(5):
        time.sleep(0.1)
        yield f"data: {json.dumps({'closed before': session in closed, 'connections held': engine.pool.checkedout()})}\n\n"


@app.get("/chat")
def chat(session: Annotated[Session, Depends(get_db)]):
    return StreamingResponse(frames(session), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
