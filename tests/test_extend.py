"""What a project adds to the tables in its configuration: its own classes and functions, and those of other packages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import fronts
from tests.fronts import command
from tests.projects import ROOT, Place, marks

TABLE = "[tool.lg-stream-lint.extend]\n"


class Case(NamedTuple):
    """A project, the entries of its configuration, and what its marks expect with them."""

    name: str
    entries: str
    files: dict[str, str]


HANDLER = """
from fastapi import FastAPI
from {module} import {name}

app = FastAPI()


@app.get("/")
async def answer():
"""

MODEL = """
from {module} import Chat

quick = Chat(timeout=30)
slow = Chat(model="large")  # expect: LGS101


async def answer(question):
    return slow.invoke(question)  # expect: LGS201
"""

GRAPH = """
from {module} import build

runner = build("support")


async def answer(question):
    return runner.invoke(question)  # expect: LGS201
"""

RESPONSE = """
from fastapi import FastAPI
from langgraph.graph import StateGraph
from {module} import Tokens

app = FastAPI()
graph = StateGraph(dict).compile()


async def frames():
    async for chunk in graph.astream({{}}, stream_mode="values"):  # expect: LGS301
        yield f"data: {{len(chunk)}}\\n\\n"


@app.get("/")
async def answer():
    return Tokens(frames())  # expect: LGS404, LGS406
"""

SAVER = """
from langgraph.graph import StateGraph
from {module} import Checkpoints

graph = StateGraph(dict).compile(checkpointer=Checkpoints())  # expect: LGS205


async def answer(question):
    return await graph.ainvoke(question)
"""

FETCH = HANDLER.format(module="{module}", name="fetch") + '    return fetch("select 1")  # expect: LGS204\n'
SESSION = HANDLER.format(module="{module}", name="Session") + (
    "    session = Session()\n"
    "    rows = session.query()  # expect: LGS204\n"
    "    await session.refresh()\n"
    "    return rows, session.name()\n"
)

OWN_MODEL = "class Chat:\n    def invoke(self, question):\n        return self.client.ask(question)\n"
OWN_GRAPH = "import registry\n\n\ndef build(name):\n    return registry.load(name)\n"
OWN_GRAPH_CLASS = "class build:\n    async def ainvoke(self, question): ...\n\n    def invoke(self, question): ...\n"
OWN_FETCH = "import _native\n\n\ndef fetch(query):\n    return _native.fetch(query)\n"
OWN_SESSION = (
    "class Session:\n    def query(self): ...\n\n    async def refresh(self): ...\n\n    def name(self): ...\n"
)
OWN_RESPONSE = "import _native\n\n\nclass Tokens(_native.Response):\n    def listen(self): ...\n"
OWN_SAVER = "import _native\n\n\nclass Checkpoints:\n    def put(self, checkpoint): ...\n"


def own(name: str, entries: str, use: str, definition: str, path: str = "app/own.py", imported: str = "") -> Case:
    """A case in which the project itself defines what it names."""
    module = imported or path.removesuffix(".py").removeprefix("src/").replace("/", ".")
    package = path.rpartition("/")[0]
    return Case(
        name,
        entries,
        {f"{package}/__init__.py": "", path: definition, f"{package}/main.py": use.format(module=module)},
    )


def foreign(name: str, entries: str, use: str) -> Case:
    """A case in which another package brings it."""
    return Case(name, entries, {"main.py": use.format(module="corp.kit")})


BLOCKING_CLASS = 'blocking = [{path = "%s.Session", methods = ["query", "refresh"]}]'
CASES = (
    foreign("model", 'models = ["corp.kit.Chat"]', MODEL),
    foreign("model-like", 'models = [{path = "corp.kit.Chat", like = "langchain_openai.ChatOpenAI"}]', MODEL),
    foreign("graph", 'graphs = ["corp.kit.build"]', GRAPH),
    foreign("blocking-function", 'blocking = ["corp.kit.fetch"]', FETCH),
    foreign("blocking-class", 'blocking = [{path = "corp.kit.Session", methods = ["query"]}]', SESSION),
    foreign("response", 'responses = ["corp.kit.Tokens"]', RESPONSE),
    foreign("saver", 'savers = [{path = "corp.kit.Checkpoints", mode = "sync"}]', SAVER),
    own("own-model", 'models = ["app.own.Chat"]', MODEL, OWN_MODEL),
    own("own-graph", 'graphs = ["app.own.build"]', GRAPH, OWN_GRAPH),
    own("own-graph-class", 'graphs = ["app.own.build"]', GRAPH, OWN_GRAPH_CLASS),
    own("own-blocking-function", 'blocking = ["app.own.fetch"]', FETCH, OWN_FETCH),
    own("own-blocking-class", BLOCKING_CLASS % "app.own", SESSION, OWN_SESSION),
    own("own-response", 'responses = ["app.own.Tokens"]', RESPONSE, OWN_RESPONSE),
    own("own-saver", 'savers = [{path = "app.own.Checkpoints", mode = "sync"}]', SAVER, OWN_SAVER),
    own("below-src", 'models = ["app.own.Chat"]', MODEL, OWN_MODEL, path="src/app/own.py"),
    own("service-folder", 'models = ["app.own.Chat"]', MODEL, OWN_MODEL, path="backend/app/own.py", imported="app.own"),
    own("relative-import", 'graphs = ["app.own.build"]', GRAPH, OWN_GRAPH, imported=".own"),
    Case(
        "passed-on-by-a-package",
        'models = ["app.kit.Chat"]',
        {
            "app/__init__.py": "",
            "app/kit/__init__.py": "from .chat import *\n",
            "app/kit/chat.py": OWN_MODEL,
            "app/main.py": MODEL.format(module="app.kit"),
        },
    ),
    Case(
        "in-the-defining-module",
        'models = ["app.Chat"]',
        {"app.py": OWN_MODEL + '\n\nslow = Chat(model="large")  # expect: LGS101\n'},
    ),
    Case(
        "a-factory-that-is-awaited",
        'graphs = ["app.own.build"]',
        {
            "app/__init__.py": "",
            "app/own.py": "import registry\n\n\nasync def build(name):\n    return await registry.load(name)\n",
            "app/main.py": (
                "from app.own import build\n\n\nasync def answer(question):\n"
                '    runner = await build("support")\n    return runner.invoke(question)  # expect: LGS201\n'
            ),
        },
    ),
)


def write(root: Path, files: dict[str, str], entries: str) -> Path:
    """The project on the disk, with the entries in its pyproject.toml."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    settings = f"{TABLE}{entries}\n" if entries else ""
    (root / "pyproject.toml").write_text(f'[project]\nname = "copied-out"\nversion = "0"\n\n{settings}')
    return root


def by_command(root: Path) -> list[Place]:
    """What the command finds with the project's own configuration."""
    answer = command("--output-format", "json", ".", at=root)
    assert answer.err == "" or answer.code in {0, 1}, answer.err
    return [found.place for found in fronts.from_report(answer.report)]


def by_flake8(root: Path) -> list[Place]:
    """What flake8 finds with the project's own configuration."""
    return [found.place for found in fronts.by_flake8(root)]


def expected(files: dict[str, str]) -> list[Place]:
    """What the marks say."""
    return sorted(place for path, text in files.items() for place in marks(path, text.encode()))


@pytest.mark.parametrize("front", [by_command, by_flake8])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_entry_brings_the_findings(case: Case, front: Callable[[Path], list[Place]], root: Path) -> None:
    write(root, case.files, "")
    # A graph that only its use and its name tell is judged by name; nothing here is called like one.
    assert front(root) == []
    write(root, case.files, case.entries)
    assert front(root) == expected(case.files)


class TestWhatTheTextSays:
    """An entry adds to what can be read; it does not replace it."""

    def test_a_response_class_keeps_its_headers(self, root: Path) -> None:
        own_class = (
            "from starlette.responses import StreamingResponse\n\n\nclass Tokens(StreamingResponse):\n"
            '    media_type = "text/event-stream"\n\n    def __init__(self, content):\n'
            '        super().__init__(content, headers={"X-Accel-Buffering": "no"})\n'
        )
        files = {"own.py": own_class, "main.py": RESPONSE.format(module="own").replace("expect: LGS404", "sent:")}
        assert by_command(write(root, files, 'responses = ["own.Tokens"]')) == expected(files)

    def test_a_factory_keeps_its_checkpointer(self, root: Path) -> None:
        factory = (
            "from langgraph.checkpoint.sqlite import SqliteSaver\nfrom langgraph.graph import StateGraph\n\n\n"
            "def build():\n    return StateGraph(dict).compile(checkpointer=SqliteSaver(None))  # expect: LGS205\n"
        )
        use = "from own import build\n\ngraph = build()\n\n\nasync def answer():\n    return await graph.ainvoke({})\n"
        files = {"own.py": factory, "main.py": use}
        assert by_command(write(root, files, 'graphs = ["own.build"]')) == expected(files)

    def test_the_rest_of_the_package_is_still_read(self, root: Path) -> None:
        files = {
            "app/__init__.py": "",
            "app/own.py": OWN_MODEL,
            "app/graphs.py": "from langgraph.graph import StateGraph\n\nrunner = StateGraph(dict).compile()\n",
            "app/main.py": (
                "from app.graphs import runner\n\n\nasync def answer():\n"
                "    return runner.invoke({})  # expect: LGS201\n"
            ),
        }
        assert by_command(write(root, files, 'models = ["app.own.Chat"]')) == expected(files)


NO_PATH = "is neither a dotted path nor a table with a dotted path"
BLOCKING_HEADER = "[[tool.lg-stream-lint.extend.blocking]]\n"
MISTAKES = (
    (
        'modles = ["a.B"]',
        "6: extend.modles is unknown; known are models, graphs, savers, responses, blocking",
        "models",
    ),
    (
        'models = [\n  "a.B",\n  {path = "a.C", timeout_keyword = ["wait"]},\n]',
        '8: extend.models: a.C has an unknown key "timeout_keyword"',
        "timeout_keywords",
    ),
    (
        f'{BLOCKING_HEADER}path = "a.C"\n\n{BLOCKING_HEADER}path = "a.D"\nmethod = ["x"]',
        '11: extend.blocking: a.D has an unknown key "method"',
        "methods",
    ),
    ('graphs = [{pth = "a.b"}]', f'6: extend.graphs: {{pth = "a.b"}} {NO_PATH}', "path"),
    (
        'responses = [{path = "a.B", like = "sse_starlet.EventSourceResponse"}]',
        "6: extend.responses: a.B is said to be like sse_starlet.EventSourceResponse, which is not in the tables",
        "sse_starlette.EventSourceResponse",
    ),
    (
        'savers = [{path = "a.B", mode = "asynchronous"}]',
        "6: extend.savers: a.B: mode is 'asynchronous', not one of sync, async, both",
        "",
    ),
    ('savers = ["Checkpoints"]', f'6: extend.savers: "Checkpoints" {NO_PATH}', ""),
)


@pytest.mark.parametrize(("entries", "message", "meant"), MISTAKES, ids=[message for _, message, _ in MISTAKES])
def test_a_misspelt_entry_is_one_error(root: Path, entries: str, message: str, meant: str) -> None:
    message += f'; did you mean "{meant}"?' if meant else ""
    write(root, {"main.py": ""}, entries)
    answer = command(".", at=root)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.splitlines() == [f"lg-stream-lint: error: {root}/pyproject.toml:{message}"]
    told = fronts.process("main.py", at=root, program=(str(Path(fronts.SCRIPT).parent / "flake8"), "--isolated"))
    assert told.code == 1
    assert f"pyproject.toml:{message}" in told.out + told.err
    assert "Traceback" not in told.out + told.err


class TestDocumentation:
    """The examples of docs/configuration.md do what they say."""

    PAGE = (ROOT / "docs/configuration.md").read_text()
    SECTIONS = re.split(r"^### (.+)$", PAGE, flags=re.MULTILINE)[1:]
    EXAMPLES = tuple(zip(SECTIONS[::2], SECTIONS[1::2], strict=True))

    def test_every_kind_has_one(self) -> None:
        from lg_stream_lint.knowledge.extension import KINDS

        assert [re.findall(r"^(\w+) = \[", text, re.MULTILINE) for _, text in self.EXAMPLES] == [
            ["models"],
            ["graphs"],
            ["blocking"],
            ["responses"],
            ["savers"],
        ]
        assert len(self.EXAMPLES) == len(KINDS)

    @pytest.mark.parametrize(("title", "text"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
    def test_an_example(self, title: str, text: str, root: Path) -> None:
        del title
        settings = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
        blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", text, re.DOTALL)
        files = {path: re.sub(r"# (LGS\d{3})$", r"# expect: \1", code, flags=re.MULTILINE) for path, code in blocks}
        assert len(settings) == 1
        assert expected(files)
        assert by_command(write(root, files, "")) == []
        write(root, files, settings[0].removeprefix(TABLE))
        assert by_command(root) == by_flake8(root) == expected(files)

    def test_the_summary_of_all_kinds_is_accepted(self, root: Path) -> None:
        example = next(block for block in re.findall(r"```toml\n(.*?)```", self.PAGE, re.DOTALL) if "savers" in block)
        write(root, {"main.py": ""}, example.removeprefix(TABLE))
        assert command(".", at=root).code == 0

    def test_the_error_is_the_one_that_is_shown(self, root: Path) -> None:
        shown = re.search(r"```text\npyproject\.toml:\d+: (.*)\n```", self.PAGE)
        assert shown is not None
        write(root, {"main.py": ""}, 'models = [{path = "corp.llm.CorpChat", timeout_keyword = ["wait"]}]')
        assert command(".", at=root).err.rstrip().endswith(shown[1])
