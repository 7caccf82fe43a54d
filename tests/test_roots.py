"""Where a file belongs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lg_stream_lint import roots


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    roots.clear()
    yield
    roots.clear()


def make(base: Path, *names: str) -> None:
    """Files, and folders where a name ends in a slash."""
    for name in names:
        path = base / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    make(tmp_path, ".git/")
    return tmp_path


def test_repository(repository: Path) -> None:
    make(repository, "a/b/c.py")
    assert roots.repository_of(str(repository / "a/b/c.py")) == str(repository)
    assert roots.repository_of(str(repository)) == str(repository)


def test_a_worktree_has_a_git_file(tmp_path: Path) -> None:
    make(tmp_path, "outer/.git/", "outer/inner/.git", "outer/inner/x.py")
    assert roots.repository_of(str(tmp_path / "outer/inner/x.py")) == str(tmp_path / "outer/inner")


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "Pipfile.lock",
        "requirements.txt",
        "requirements-dev.txt",
        "requirements.in",
    ],
)
def test_project_files_make_a_root(repository: Path, name: str) -> None:
    make(repository, f"backend/{name}", "backend/app/deep/x.py")
    assert roots.root_of(str(repository / "backend/app/deep/x.py")) == str(repository / "backend")


def test_the_nearest_project_file_counts(repository: Path) -> None:
    make(repository, "pyproject.toml", "services/chat/requirements.txt", "services/chat/app/x.py", "services/y.py")
    assert roots.root_of(str(repository / "services/chat/app/x.py")) == str(repository / "services/chat")
    assert roots.root_of(str(repository / "services/y.py")) == str(repository)


def test_never_above_the_repository(tmp_path: Path) -> None:
    make(tmp_path, "pyproject.toml", "repo/.git/", "repo/app/x.py")
    assert roots.root_of(str(tmp_path / "repo/app/x.py")) == str(tmp_path / "repo")
    assert roots.ancestors(str(tmp_path / "repo/app")) == [str(tmp_path / "repo/app"), str(tmp_path / "repo")]


def test_import_roots(repository: Path) -> None:
    make(repository, "pyproject.toml", "src/pkg/__init__.py", "src/pkg/sub/__init__.py", "src/pkg/sub/x.py")
    assert roots.import_roots(str(repository / "src/pkg/sub/x.py")) == (str(repository), str(repository / "src"))
    make(repository, "tools/pkg/__init__.py", "tools/pkg/y.py")
    assert roots.import_roots(str(repository / "tools/pkg/y.py")) == (
        str(repository),
        str(repository / "src"),
        str(repository / "tools"),
    )


def test_import_roots_of_a_script_beside_its_project(repository: Path) -> None:
    make(repository, "requirements.txt", "scripts/x.py")
    assert roots.import_roots(str(repository / "scripts/x.py")) == (str(repository), str(repository / "scripts"))


def test_a_file_that_is_not_there_counts_by_its_folder(repository: Path) -> None:
    make(repository, "app/requirements.txt")
    assert roots.root_of(str(repository / "app/unsaved.py")) == str(repository / "app")
    assert roots.repository_of(str(repository / "no/such/folder/x.py")) == str(repository)


def test_relative_paths(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(repository, "app/pyproject.toml", "app/x.py")
    monkeypatch.chdir(repository)
    assert roots.root_of("app/x.py") == str(repository / "app")


def test_each_folder_is_listed_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(repository, "pyproject.toml", *(f"app/sub/x{number}.py" for number in range(20)))
    listed: list[str] = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: (listed.append(folder), real(folder))[1])
    for number in range(20):
        path = str(repository / f"app/sub/x{number}.py")
        roots.root_of(path)
        roots.repository_of(path)
        roots.import_roots(path)
    assert len(listed) == len(set(listed)) <= 4


def test_links_that_go_round_in_circles(repository: Path) -> None:
    (repository / "loop").symlink_to(repository / "loop")
    (repository / "app").mkdir()
    (repository / "app/up").symlink_to(repository)
    make(repository, "pyproject.toml", "app/x.py")
    assert roots.root_of(str(repository / "loop/x.py")) == str(repository)
    deep = repository / "app/up/app/up/app/x.py"
    assert roots.root_of(str(deep)) == str(repository / "app/up/app/up")


@pytest.mark.parametrize("path", ["\0", "a\0b/c.py", "", "/", "//", "x" * 5000])
def test_odd_paths_never_raise(path: str) -> None:
    roots.root_of(path)
    roots.repository_of(path)
    roots.import_roots(path)
