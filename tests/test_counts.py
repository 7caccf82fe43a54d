"""How much a run reads and parses, counted: nothing is measured in seconds, so that it fails on no slow machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lg_stream_lint import config, engine
from lg_stream_lint.python import project as projects
from lg_stream_lint.python.words import hands_on_stream

#: A service that streams, a helper of its own, and modules that have nothing to do with it.
STREAMING = """\
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.prebuilt import create_react_agent

from service.text import shown

app = FastAPI()
agent = create_react_agent("openai:gpt-5", [])


@app.post("/chat")
async def chat(question: str):
    async def answer():
        async for message, _ in agent.astream({"messages": [question]}, stream_mode="messages"):
            yield shown(message)

    return StreamingResponse(answer(), media_type="text/plain")
"""
HELPER = "def shown(message):\n    return message.content\n"
OTHER = "import json\n\n\ndef load_{0}(text):\n    return json.loads(text)\n"
#: Tests of the service: one that runs a graph, and others that only ask what the service exports.
RUNNING_TEST = """\
from service.web import agent


def test_answers():
    for update in agent.stream({"messages": []}):
        assert update["agent"]
"""
OTHER_TEST = "from service.web import app\n\n\ndef test_routes():\n    for route in app.routes:\n        assert route\n"
OTHERS, OTHER_TESTS = 20, 5


@pytest.fixture
def repository(root: Path) -> Path:
    """A repository of which few files are about streams."""
    (root / "pyproject.toml").write_text('[project]\nname = "service"\ndependencies = ["langgraph>=1"]\n')
    (root / "service").mkdir()
    (root / "tests").mkdir()
    (root / "service/__init__.py").write_text("")
    (root / "service/web.py").write_text(STREAMING)
    (root / "service/text.py").write_text(HELPER)
    for number in range(OTHERS):
        (root / f"service/other_{number}.py").write_text(OTHER.format(number))
    (root / "tests/test_web.py").write_text(RUNNING_TEST)
    for number in range(OTHER_TESTS):
        (root / f"tests/test_other_{number}.py").write_text(OTHER_TEST)
    return root


def run(repository: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[str], Counter[str], engine.Coverage]:
    """How often each file is opened by the project and parsed, and what the run says of itself."""
    read, parsed = Counter[str](), Counter[str]()
    build, look = projects.Project._build, projects.Project.read

    def counted_build(project: projects.Project, path: str, source: bytes) -> object:
        parsed[Path(path).name] += 1
        return build(project, path, source)

    def counted_read(project: projects.Project, path: str) -> bytes | None:
        if path not in project.sources and path not in project._bytes:
            read[Path(path).name] += 1
        return look(project, path)

    monkeypatch.setattr(projects.Project, "_build", counted_build)
    monkeypatch.setattr(projects.Project, "read", counted_read)
    monkeypatch.chdir(repository)
    projects.forget_projects()
    settings = config.load(str(repository), isolated=True)._replace(jobs=1)
    return read, parsed, engine.run(["."], settings).coverage


def test_each_file_is_read_once_and_few_are_parsed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, parsed, coverage = run(repository, monkeypatch)
    assert coverage.files_read == 3 + OTHERS + 1 + OTHER_TESTS
    assert set(read.values()) == {1}
    assert set(parsed.values()) == {1}
    assert {"web.py", "test_web.py"} <= set(parsed) <= {"__init__.py", "web.py", "text.py", "test_web.py"}


def test_a_test_that_may_loop_over_a_stream_of_others_is_parsed(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (repository / "service/web.py").open("a") as file:
        file.write("\n\ndef updates():\n    return agent.stream({'messages': []})\n")
    text = "from service.web import updates\n\n\ndef test_updates():\n    for update in updates():\n        assert update\n"
    (repository / "tests/test_updates.py").write_text(text)
    assert "test_updates.py" in run(repository, monkeypatch)[1]


@pytest.mark.parametrize(
    ("source", "handed_on"),
    [
        ("for item in graph.stream(state):\n    print(item)\n", False),
        ("with client.stream('GET', url) as answer:\n    print(answer)\n", False),
        ("items = [item for item in graph.stream(state)]\n", False),
        ("# return graph.stream(state)\nstream(state)\n", False),
        ("items = graph.stream(state)\n", True),
        ("show(graph.astream (state))\n", True),
        ("run = lambda: graph.\\\n    astream_events(state)\n", True),
        ("return graph.stream(\n", True),
    ],
)
def test_what_hands_on_a_stream(source: str, handed_on: bool) -> None:
    assert hands_on_stream(source.encode()) is handed_on
