"""Conversations are kept in one process' memory, and several processes serve them.

## What it does
Reports more than one worker or replica for an application whose graph keeps its threads in an in-memory checkpointer
(`InMemorySaver`, `MemorySaver`).

## Why it cuts the stream
The next turn of a conversation reaches another process, which has never heard of the thread: the answer starts from nothing,
`interrupt()` cannot be resumed, and `Command(resume=…)` ends the stream at once. With *n* processes it goes well in one of
*n* turns, and always on the developer's machine.

## Example
```python title="app/main.py"
from fastapi import FastAPI
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

app = FastAPI()
model = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)
agent = create_agent(model, tools=[], checkpointer=InMemorySaver())


@app.get("/chat")
async def chat(question: str, thread: str):
    config = {"configurable": {"thread_id": thread}}
    return await agent.ainvoke({"messages": [("user", question)]}, config)
```

```dockerfile title="Dockerfile"
FROM python:3.12-slim
WORKDIR /srv
COPY app app
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--workers", "4"]
```

## Use instead
Keep the threads where every process finds them (`AsyncPostgresSaver`, `AsyncRedisSaver`), or serve from one process:

```python title="app/main.py"
from fastapi import FastAPI
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

app = FastAPI()
model = ChatOpenAI(model="gpt-4o-mini", timeout=60, max_retries=2)
agent = create_agent(model, tools=[], checkpointer=InMemorySaver())


@app.get("/chat")
async def chat(question: str, thread: str):
    config = {"configurable": {"thread_id": thread}}
    return await agent.ainvoke({"messages": [("user", question)]}, config)
```

```dockerfile title="Dockerfile"
FROM python:3.12-slim
WORKDIR /srv
COPY app app
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--workers", "1"]
```

## Fix
None: where conversations are kept is your choice.

## Limits
One response lives in one process from its first to its last byte: many workers alone cut no stream. Sticky sessions help until
a worker is replaced. Savers in tests are not meant.

## Evidence
`fixtures/LGS509/evidence.yaml`: what LangGraph says of the saver.

## References
- <https://reference.langchain.com/python/langgraph.checkpoint/memory/InMemorySaver>
- <https://docs.langchain.com/oss/python/langgraph/persistence>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.answers import confidence_of, place
from lg_stream_lint.rules.deployment import DeployRule, Nearby

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Setting
    from lg_stream_lint.deploy.ways import Way

#: What a setting counts, in the message's words.
_COUNTED = {"workers": "workers", "replicas": "replicas"}


class InMemoryStateManyWorkers(DeployRule):
    """Counts the processes of an application that keeps its conversations in memory."""

    about = ("workers", "replicas")

    def check_way(self, way: Way) -> None:
        """Judge the server's workers and its hosts' replicas."""
        code = self.deployment.code(way)
        if way.app is None or not code.memory_savers:
            return
        saver = code.memory_savers[0]
        hops = (*([way.server] if way.server is not None else []), *way.hosts)
        several = [
            (hop, setting, counted)
            for hop in hops
            for name, counted in _COUNTED.items()
            if (setting := hop.get(name)) is not None and _several(setting)
        ]
        for hop, setting, counted in several[:1]:
            others = [
                Nearby(other.where, f"{other.value:g} {name} ({other.key}), too") for _, other, name in several[1:]
            ]
            self.report(
                setting.where,
                f"The next turn of a conversation mostly reaches another of the {setting.value:g} {counted} "
                f"({setting.key}), and the in-memory checkpointer at {place(saver)} knows its threads in one process only: "
                "the answer forgets what was said, and an interrupt cannot be resumed. Use a checkpointer that all processes "
                "share, such as AsyncPostgresSaver, or a single process.",
                way=way,
                hop=hop,
                confidence=confidence_of(setting),
                related=[*others, *(Nearby(where, "keeps the threads in memory") for where in code.memory_savers[:5])],
            )


def _several(setting: Setting) -> bool:
    return setting.explicit and isinstance(setting.value, (int, float)) and setting.value > 1
