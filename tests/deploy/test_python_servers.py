"""Python that starts a server, and gunicorn's configuration: read, never executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.readers import python_server
from lg_stream_lint.deploy.settings import Hop, Reading

CONF = "gunicorn.conf.py"


def read(text: str, folder: Path, name: str = "main.py") -> Reading:
    return python_server.read(DeployFile(str(folder / name), text.encode()), Context(str(folder)))


def hop(text: str, folder: Path, name: str = "main.py") -> Hop:
    (found,) = read(text, folder, name).hops
    return found


@pytest.mark.parametrize(
    ("written", "seconds", "overridable"),
    [
        ("45", 45, False),
        ('"45"', 45, False),
        ("60 * 5", 300, False),
        ('int(os.getenv("T", "45"))', 45, True),
        ('int(os.environ.get("T", 45))', 45, True),
        ('int(os.getenv("T") or 45)', 45, True),
        ('os.getenv("T", default=45)', 45, True),
        ("T", 45, False),
        ('os.environ["T"]', None, False),
        ('os.getenv("T")', None, False),
        ("multiprocessing.cpu_count() * 2 + 1", None, False),
        ("45 if x else 60", None, False),
        ("settings.timeout", None, False),
        ("int('x')", None, False),
    ],
)
def test_values(written: str, seconds: object, overridable: bool, tmp_path: Path) -> None:
    text = f'import os\nT = 45\nworker_class = "asgi"\ngraceful_timeout = {written}\n'
    grace = hop(text, tmp_path, CONF).get("graceful_timeout")
    assert (grace.value if grace is not None else None) == seconds
    assert grace is None or (grace.overridable, grace.where.span.row) == (overridable, 4)


def test_a_setting_on_a_condition_is_not_known(tmp_path: Path) -> None:
    text = (
        'worker_class = "asgi"\nkeepalive = 9\nif x:\n    keepalive = 5\n    timeout = 7\ntry:\n'
        "    workers = 3\nexcept E:\n    pass\n"
    )
    found = hop(text, tmp_path, CONF)
    assert [found.get(name) for name in ("keep_alive", "timeout", "workers")] == [None, None, None]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("keep_alive = 5", {"keep_alive": "keepalive"}),
        ("gracefull_timeout = 5", {"gracefull_timeout": "graceful_timeout"}),
        ("max_request = 5", {"max_request": "max_requests"}),
        ("keep_alive = 5\nkeepalive = 6", {}),
        ("keep_alive = 5\nkeepalive = keep_alive", {}),
        ("log_level = 'info'", {}),
        ("service = 5", {}),
        ("debug = True", {}),
        ("def keep_alive(): pass", {}),
    ],
)
def test_names_that_gunicorn_does_not_know(text: str, unknown: dict[str, str], tmp_path: Path) -> None:
    reading = read("bind = ':80'\n" + text, tmp_path, CONF)
    assert {s.key: s.value for found in reading.hops for s in found.settings if s.name == "unknown"} == unknown


@pytest.mark.parametrize(
    ("text", "app"),
    [
        ('import uvicorn\nuvicorn.run("app.main:app")', "app.main:app"),
        ('from uvicorn import run as go\ngo("app.main:app")', "app.main:app"),
        ("import uvicorn\napp = FastAPI()\nuvicorn.run(app)", "main.py:app"),
        ("import uvicorn\nuvicorn.run(create_app())", "main.py:create_app()"),
        ("import uvicorn\nfrom app.web import app\nuvicorn.run(app=app)", "app.web:app"),
        ("import uvicorn as u\nimport app.web\nu.run(app.web.app)", "app.web:app"),
        ("import uvicorn\nfrom .web import app\nuvicorn.run(app)", "web:app"),
        ('import uvicorn\nserver = uvicorn.Server(uvicorn.Config("a:b"))', "a:b"),
        ('from granian import Granian\nGranian("a:b", interface="asgi").serve()', "a:b"),
        (
            "from hypercorn.asyncio import serve\nfrom hypercorn.config import Config\nfrom x import app\n"
            "asyncio.run(serve(app, Config()))",
            "x:app",
        ),
        ('import subprocess\nsubprocess.run(["uvicorn", "a:b", "--port", str(port)])', "a:b"),
        ('import os\nos.system("uvicorn a:b")', "a:b"),
    ],
)
def test_servers_that_python_starts(text: str, app: str, tmp_path: Path) -> None:
    assert [target.value for target in hop(text, tmp_path).leads_to] == [app]


def test_places_and_values_of_keywords(tmp_path: Path) -> None:
    text = (
        'import os\nimport uvicorn\n\ndef main():\n    port = int(os.getenv("PORT", "9000"))\n'
        '    uvicorn.run("ä:b", port=port,\n        timeout_graceful_shutdown=5, log_level=x)\n'
    )
    found = hop(text, tmp_path)
    grace, port = found.get("graceful_timeout"), found.get("port")
    assert grace is not None
    assert port is not None
    assert (grace.value, grace.where.span) == (5, (7, 9, 7, 36))
    assert (port.value, port.overridable, port.where.span) == ("9000", True, (6, 24, 6, 33))


def test_hypercorns_configuration(tmp_path: Path) -> None:
    text = (
        "from hypercorn.asyncio import serve\nfrom hypercorn.config import Config\n"
        "config = Config()\nconfig.bind = ['0.0.0.0:9000']\nconfig.read_timeout = 5\n"
        "asyncio.run(serve(app, config))\n"
    )
    found = hop(text, tmp_path)
    assert (found.value("port"), found.value("response_limit"), found.value("graceful_timeout")) == ("9000", 5, 3)


def test_an_application_of_gunicorns_own_kind(tmp_path: Path) -> None:
    text = """from gunicorn.app.base import BaseApplication
from chat.web import app

class Standalone(BaseApplication):
    def __init__(self, app, options): ...

options = {"bind": "0.0.0.0:9000", "worker_class": "asgi", "graceful_timeout": 5, "workers": n()}
Standalone(app, options).run()
"""
    found = hop(text, tmp_path)
    assert (found.value("graceful_timeout"), found.value("port"), found.leads_to[0].value) == (
        5,
        "9000",
        "chat.web:app",
    )
    assert [s.name for s in found.settings if not s.explicit] == []


def test_files_that_pytest_collects_start_nothing(tmp_path: Path) -> None:
    assert read("import uvicorn\nuvicorn.run('a:b')", tmp_path, "test_server.py").hops == ()


def test_keywords_that_are_spread_leave_everything_open(tmp_path: Path) -> None:
    assert hop("import uvicorn\nuvicorn.run('a:b', **options)", tmp_path).settings == ()


@pytest.mark.parametrize(
    "text",
    [
        "uvicorn.run(",
        "(" * 500,
        "1+" * 5000 + "1",
        "[" * 150 + "]" * 150,
        "uvicorn = 1\nuvicorn.run()",
        "import uvicorn\nuvicorn.run()",
        "x = x\nimport uvicorn\nuvicorn.run(x, port=x)",
        "a = b\nb = a\ntimeout = a",
    ],
)
@pytest.mark.parametrize("name", ["main.py", CONF])
def test_odd_python_is_survived(text: str, name: str, tmp_path: Path) -> None:
    read(text, tmp_path, name)
