"""Messages whose words depend on what was found: number, unit, article, and the advice that fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.findings import found_in
from tests.projects import PROJECTS, Project

NAMED = {project.name: project for project in PROJECTS}


@pytest.mark.parametrize(
    ("fixture", "words"),
    [
        ("LGS103/bad_milliseconds", "Write timeout=60_000 (milliseconds; it limits each silence"),
        ("LGS105/bad_async_function", "tidy() behind the model"),
        ("LGS105/bad_lambda", "A lambda behind the model"),
        ("LGS107/bad_keyword_dict", "is given TracingClient, an httpx.Client: it fails"),
        ("LGS107/bad_async_client", "is given an httpx.AsyncClient: it fails"),
        ("LGS201/bad_stream_in_async_generator", "or Starlette's iterate_in_threadpool()."),
        ("LGS201/bad_invoke_in_async_route", "or asyncio.to_thread."),
        ("LGS209/bad_list_of_modes_not_unpacked", "takes the mode's name, a string, for an object"),
        ("LGS212/bad_pool_without_autocommit", 'kwargs={"autocommit": True, "prepare_threshold": 0}: '),
        ("LGS215/bad_filter_skips_all", 'no node "assistant" or "chatbot"'),
        ("LGS301/bad_sdk_stream", "If AsyncOpenAI's stream raises here"),
        ("LGS302/bad_around_yield", "the cancellation of this generator, and the loop takes another turn: "),
        ("LGS403/bad_sse_starlette_keys", "knows only the keys data, event, id and retry"),
        ("LGS403/bad_sse_starlette_updates", 'Pass a generator that yields {"data": json.dumps(…)}.'),
        ("LGS403/bad_updates_yielded", "a chunk of stream() as it came (dicts), but StreamingResponse"),
        ("LGS403/bad_none_and_list_items", "This yields None, but StreamingResponse sends only str and bytes: "),
        ("LGS410/bad_old_version", "(sse-starlette 3.2.1 or newer; here is sse-starlette 2.1.0 in requirements.txt:4)"),
    ],
)
def test_words_that_fit(fixture: str, words: str, root: Path) -> None:
    code = fixture.partition("/")[0]
    messages = [finding.message for finding in found_in(NAMED[fixture], root) if finding.code == code]
    assert any(words in message for message in messages), messages


@pytest.mark.parametrize(("limit", "calls"), [(3, "about 1 tool call with"), (5, "about 2 tool calls with")])
def test_one_tool_call_and_several(limit: int, calls: str, root: Path) -> None:
    source = f"""
from langchain.agents import create_agent

agent = create_agent("openai:gpt-5-mini", tools=[print])


async def answer(question: str):
    return await agent.ainvoke({{"messages": [question]}}, {{"recursion_limit": {limit}}})
"""
    (message,) = [
        f.message for f in found_in(Project("limit", {"main.py": source.encode()}), root) if f.code == "LGS213"
    ]
    assert calls in message


@pytest.mark.parametrize(("pinned", "told"), [("1.1.9", False), ("1.2.0", True)])
def test_a_limit_between_chunks_is_told_of_versions_that_have_one(pinned: str, told: bool, root: Path) -> None:
    files = {
        "main.py": b"from langchain_openai import ChatOpenAI\n\nllm = ChatOpenAI(model='gpt-5-mini')\n",
        "requirements.txt": f"langchain-openai=={pinned}\n".encode(),
    }
    (message,) = [f.message for f in found_in(Project("chunks", files), root) if f.code == "LGS101"]
    assert ("120 s between chunks" in message) is told


def test_a_client_without_a_limit_between_chunks_may_have_a_version(root: Path) -> None:
    files = {
        "main.py": b"from langchain_anthropic import ChatAnthropic\n\nllm = ChatAnthropic(model='claude-sonnet-4-5')\n",
        "requirements.txt": b"langchain-anthropic==1.0.0\n",
    }
    assert "LGS101" in [f.code for f in found_in(Project("anthropic", files), root)]
