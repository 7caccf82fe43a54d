"""The ways through a repository's hops: what stands in front of what, and what beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lg_stream_lint import engine
from lg_stream_lint.config import Config
from lg_stream_lint.deploy.deployment import forget_deployments
from lg_stream_lint.deploy.files import Context
from lg_stream_lint.deploy.kinds import is_candidate
from lg_stream_lint.deploy.readers import nginx, procfile
from lg_stream_lint.deploy.ways import Way, ways_through
from lg_stream_lint.finding import Finding


def ways(folder: Path, nginx_conf: str) -> list[Way]:
    """The ways through a small project: one application, a Procfile that runs it on port 8000, and an nginx."""
    files = {"main.py": "app = object()\n", "Procfile": "web: uvicorn main:app --port 8000\n", "nginx.conf": nginx_conf}
    for name, text in files.items():
        (folder / name).write_text(text)
    context = Context(str(folder))
    hops = [
        hop
        for reader, name in ((procfile, "Procfile"), (nginx, "nginx.conf"))
        for hop in reader.read(context.open(str(folder / name)), context).hops
    ]
    return ways_through(hops, [os.path.join(folder, "main.py")], str(folder))


def names(way: Way) -> list[str]:
    """The proxies of a way, innermost first."""
    return [hop.name for hop in way.proxies]


def test_unknown_target_joins_the_only_application(tmp_path: Path) -> None:
    found = ways(tmp_path, "server { location /chat { proxy_pass http://$backend; } }")
    assert [(names(way), way.sure) for way in found] == [(["location /chat"], False)]


def test_unknown_target_is_not_in_front_of_its_neighbour(tmp_path: Path) -> None:
    """Nobody goes through two locations of one server, one after the other."""
    known = "location / { proxy_pass http://127.0.0.1:8000; }"
    found = ways(tmp_path, f"server {{ {known} location /chat {{ proxy_pass http://$backend; }} }}")
    assert [(names(way), way.sure) for way in found] == [(["location /"], True), (["location /chat"], False)]
    assert all(way.server is not None for way in found)


def test_sites_of_a_machine_are_configurations_whatever_their_names() -> None:
    for name in ("nginx/sites-available/chat", "nginx/sites-enabled/chat.example.org", "sites-enabled/default"):
        assert is_candidate(name), name
    for name in ("sites/chat", "sites-enabled/README.md", "sites-enabled/old/chat"):
        assert not is_candidate(name), name


APP = (Path(__file__).parents[2] / "fixtures" / "LGS511" / "bad_shell_form" / "main.py").read_text(encoding="utf-8")
COMPOSE = """\
services:
  api:
    build: .
    stop_grace_period: 310s
    command: COMMAND
  web:
    image: nginx:1.25
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf"]
"""
ASSUMED = "(that this leads to main:app is assumed)."


def found_in(folder: Path, locations: dict[str, str], command: str = "uvicorn main:app --port 8000") -> list[Finding]:
    """The findings over settings in a project whose nginx passes these locations on."""
    written = "".join(f"location {path} {{\nproxy_pass {to};\n}}\n" for path, to in locations.items())
    files = {
        "main.py": APP.replace(', "X-Accel-Buffering": "no"', ""),
        "pyproject.toml": "",
        "compose.yaml": COMPOSE.replace("COMMAND", command),
        "nginx.conf": f"http {{ server {{\n{written}}} }}\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    forget_deployments()
    return [f for f in engine.run([str(folder)], Config(jobs=1)).findings if f.code >= "LGS5"]


@pytest.mark.parametrize("address", ["http://legacy:9000", "http://api:9000", "http://127.0.0.1:9000", "http://$there"])
def test_what_nobody_listens_on_is_assumed_to_be_the_only_application(address: str, root: Path) -> None:
    found = found_in(root, {"/": address})
    assert [(f.code, f.confidence, f.message.endswith(ASSUMED)) for f in found] == [
        ("LGS601", "medium", True),
        ("LGS602", "medium", True),
    ]


def test_what_is_listened_on_is_no_assumption(root: Path) -> None:
    found = found_in(root, {"/": "http://api:8000"})
    assert [(f.code, f.confidence, "assumed" in f.message) for f in found] == [
        ("LGS601", "high", False),
        ("LGS602", "high", False),
    ]


@pytest.mark.parametrize("other", ["http://legacy:9000", "http://10.0.0.7:8000", "http://127.0.0.1:9000"])
def test_who_names_the_application_means_something_else_by_another_name(other: str, root: Path) -> None:
    found = found_in(root, {"/": "http://api:8000", "/api/old": other, "/agent/": other})
    assert {f.span.row for f in found} == {3}


def test_tools_are_not_the_application(root: Path) -> None:
    assert found_in(root, {"/api/search": "http://elasticsearch:9200", "/llm/": "http://ollama:11434"}) == []


def test_a_server_is_known_whatever_may_stand_in_front_of_it(root: Path) -> None:
    found = found_in(root, {"/": "http://legacy:9000"}, "gunicorn main:app")
    assert [(f.code, f.severity, f.confidence) for f in found if f.code.startswith("LGS5")] == [
        ("LGS501", "error", "high")
    ]
