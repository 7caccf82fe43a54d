"""The hook, as pre-commit runs it for somebody who has just added it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lg_stream_lint.deploy.kinds import is_candidate
from tests.need import need, require
from tests.projects import ROOT

PACKAGED = ("lg_stream_lint", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
BAD = """\
from fastapi import FastAPI
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


@app.get("/chat")
async def chat():
    return graph.invoke({"messages": []})
"""
NO_NETWORK = (
    "Could not find a version",
    "No matching distribution",
    "Failed to establish",
    "Name or service not known",
)


def git(folder: Path, *arguments: str) -> None:
    """Run git with no settings but these."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    options = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def repository(folder: Path) -> None:
    """Make a folder a repository with everything committed."""
    git(folder, "init", "-q", "-b", "main", ".")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "All")


def test_the_hooks_file() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == "lg-stream-lint"
    assert hook["entry"].split() == ["lg-stream-lint", "--force-exclude"]
    assert (hook["language"], hook["types"], hook["require_serial"]) == ("python", ["text"], True)


def test_the_hooks_file_is_valid() -> None:
    need("pre_commit")
    from pre_commit.clientlib import load_manifest

    assert [hook["id"] for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))] == ["lg-stream-lint"]


@pytest.mark.slow
def test_try_repo(tmp_path: Path) -> None:
    need("git", "pre_commit")
    tool, project = tmp_path / "tool", tmp_path / "project"
    tool.mkdir()
    for name in PACKAGED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tool / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tool / name)
    repository(tool)
    (project / "old").mkdir(parents=True)
    (project / "app.py").write_text(BAD)
    (project / "old/app.py").write_text(BAD)
    (project / "notes.txt").write_text("graph.invoke()\n")
    (project / "pyproject.toml").write_text("[tool.lg-stream-lint]\nextend-exclude = ['old']\n")
    repository(project)

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "PRE_COMMIT_COLOR": "never", "NO_COLOR": "1"}
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", str(tool), "lg-stream-lint", *more],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **home, "GIT_CONFIG_GLOBAL": os.devnull},
            timeout=300,
        )

    answer = run("--all-files", "--verbose")
    require(not any(sign in answer.stdout for sign in NO_NETWORK), "needs a package index to install the hook from")
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "error[LGS201]" in answer.stdout
    assert "app.py:10:12" in answer.stdout
    assert "old/app.py" not in answer.stdout, "excluded by the project, though pre-commit names it"
    assert "1 file read" in answer.stdout

    answer = run("--files", "old/app.py", "notes.txt")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Passed" in answer.stdout


def test_the_hook_takes_what_a_reader_may_claim() -> None:
    """Every name that a walk would read, and nothing that is certainly none of ours."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    pattern = re.compile(hook["files"])
    for name in (
        *(
            "app/main.py",
            "Dockerfile",
            "docker/api.Dockerfile",
            "compose.yaml",
            "k8s/deployment.yml",
            "nginx/default.conf",
        ),
        *(
            "nginx.conf.template",
            "Procfile",
            "deploy/app.service",
            "supervisord.conf",
            "start.sh",
            "Makefile",
            "fly.toml",
        ),
        *("vercel.json", "main.tf", "Caddyfile", "haproxy.cfg", "default.vcl", "gunicorn.conf.py"),
        *(
            "bin/start",
            "entrypoint",
            "run.bash",
            "Justfile",
            "chat.vhost",
            "app.service.j2",
            "site/.htaccess",
            "my-nginx",
        ),
    ):
        assert pattern.search(name), name
        assert name.endswith(".py") or is_candidate(name.rpartition("/")[2]), name
    # A file that is named and that no reader may claim would be taken for Python.
    for name in (
        "README.md",
        "image.png",
        "app/main.ts",
        "LICENSE",
        "nginx/README",
        "nginx/mime.types",
        "docs/nginx-notes.txt",
    ):
        assert not pattern.search(name), name
    for name in ("Makefile.am", "DockerfileNotes.txt", "docs/procfile-howto.txt", "run/notes", "restart"):
        assert not pattern.search(name), name
