"""The ways through a repository's hops: what stands in front of what, and what beside it."""

from __future__ import annotations

import os
from pathlib import Path

from lg_stream_lint.deploy.files import Context
from lg_stream_lint.deploy.kinds import is_candidate
from lg_stream_lint.deploy.readers import nginx, procfile
from lg_stream_lint.deploy.ways import Way, ways_through


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
