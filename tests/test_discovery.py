"""Which files a run reads."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lg_stream_lint import config, discovery
from lg_stream_lint.config import Config, Scoped
from lg_stream_lint.patterns import Patterns
from tests.fronts import working_directory
from tests.need import need, require


def write(root: Path, *names: str, content: str = "") -> None:
    """Make files with the folders that they need."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def found(root: Path, *paths: str, settings: Config | None = None) -> list[str]:
    """What a run from a folder reads, relative to it."""
    with working_directory(root):
        result = discovery.discover(paths or ["."], settings or config.load(str(root), isolated=True))
    return [os.path.relpath(path, root).replace(os.sep, "/") for path in result.files]


def ignoring(root: Path, *lines: str) -> None:
    """Make the folder a repository with an ignore file."""
    (root / ".git").mkdir(exist_ok=True)
    (root / ".gitignore").write_text("\n".join(lines) + "\n")


def test_python_files_below_a_folder_in_order(root: Path) -> None:
    write(root, "b.py", "a/z.py", "a/a.py", "a/stub.pyi", "a/notes.txt", "script", "a/b/c/d.py")
    assert found(root) == ["a/a.py", "a/b/c/d.py", "a/z.py", "b.py"]


def test_paths_are_absolute_and_each_is_read_once(root: Path) -> None:
    write(root, "a/x.py", "a/y.py")
    with working_directory(root):
        result = discovery.discover([".", "a", "a/", "a/x.py", "./a/../a/y.py", str(root)], Config())
    assert result.files == (str(root / "a/x.py"), str(root / "a/y.py"))
    assert result.explicit == {str(root / "a/x.py"), str(root / "a/y.py")}


@pytest.mark.parametrize("name", [".venv", "venv", "node_modules", "build", "dist", "__pycache__", ".tox", ".git"])
def test_folders_left_out_by_default(root: Path, name: str) -> None:
    write(root, f"{name}/x.py", f"deep/{name}/x.py", "x.py")
    assert found(root) == ["x.py"]


def test_a_folder_above_the_run_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, "build/project/x.py")
    assert found(tmp_path / "build/project") == ["x.py"]


def test_what_is_named_is_read_whatever_it_is_called(root: Path) -> None:
    write(root, "build/x.py", "script", "page.txt")
    assert found(root, "build/x.py", "script", "page.txt") == ["build/x.py", "page.txt", "script"]
    assert found(root, "build") == ["build/x.py"]


def test_force_exclude_leaves_out_named_files_too(root: Path) -> None:
    write(root, "build/x.py", "app/x.py", "script")
    settings = config.load(str(root), isolated=True)._replace(force_exclude=True)
    assert found(root, "build/x.py", "app/x.py", "script", settings=settings) == ["app/x.py", "script"]


def test_exclude_replaces_and_extend_exclude_adds(root: Path) -> None:
    write(root, "build/x.py", "old/x.py", "x.py")
    settings = config.load(str(root), isolated=True)
    assert found(root, settings=settings._replace(exclude=(Scoped(str(root), "old"),))) == ["build/x.py", "x.py"]
    assert found(root, settings=settings._replace(extend_exclude=(Scoped(str(root), "old"),))) == ["x.py"]


def test_a_path_that_is_not_there(root: Path) -> None:
    with pytest.raises(discovery.MissingPathError, match="nowhere"):
        found(root, "nowhere")
    with working_directory(root):
        assert discovery.missing([".", "nowhere", "a\0b", "x" * 5000]) == ["nowhere", "a\0b", "x" * 5000]


def test_nothing_to_read_is_said(root: Path) -> None:
    (root / "empty").mkdir()
    result = discovery.discover([str(root / "empty")], Config())
    assert result.files == ()
    assert result.warnings == (f"no Python or deployment files under {root / 'empty'}",)


def test_links(root: Path, tmp_path: Path) -> None:
    write(root, "a/x.py")
    write(tmp_path, "elsewhere/y.py")
    (root / "a/loop").symlink_to(root)
    (root / "a/self.py").symlink_to(root / "a/self.py")
    (root / "a/dangling.py").symlink_to(root / "nowhere.py")
    (root / "a/dangling.txt").symlink_to(root / "nowhere.txt")
    (root / "a/linked.py").symlink_to(tmp_path / "elsewhere/y.py")
    (root / "a/folder.py").symlink_to(tmp_path / "elsewhere")
    result = discovery.discover([str(root)], Config())
    assert result.files == (str(root / "a/linked.py"), str(root / "a/x.py"))
    assert result.unreadable == (str(root / "a/dangling.py"), str(root / "a/self.py"))


def test_a_named_link_is_taken(root: Path, tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/y.py")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "self.py").symlink_to(root / "self.py")
    result = discovery.discover([str(root / "link"), str(root / "self.py")], Config())
    assert result.files == (str(root / "link/y.py"), str(root / "self.py"))
    assert result.explicit == {str(root / "self.py")}


def test_a_refused_folder_is_noted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "closed/x.py", "x.py")
    really = os.scandir

    def scandir(path: str) -> os._ScandirIterator[str]:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = discovery.discover([str(root)], Config())
    assert (result.files, result.unreadable) == ((str(root / "x.py"),), (str(root / "closed"),))


def test_special_files_are_passed_over(root: Path) -> None:
    require(hasattr(os, "mkfifo"), "needs named pipes")
    write(root, "x.py")
    os.mkfifo(root / "pipe.py")
    assert found(root) == ["x.py"]


def test_what_git_ignores(root: Path) -> None:
    ignoring(root, "gen/", "*_pb2.py", "!keep_pb2.py", "/top.py")
    write(root, "gen/x.py", "a/gen/x.py", "a/x_pb2.py", "a/keep_pb2.py", "top.py", "a/top.py")
    assert found(root) == ["a/keep_pb2.py", "a/top.py"]
    assert found(root, "a") == ["a/keep_pb2.py", "a/top.py"], "the repository's file counts below it too"
    assert found(root, "gen/x.py") == ["gen/x.py"], "named"
    everything = config.load(str(root), isolated=True)._replace(respect_gitignore=False)
    assert len(found(root, settings=everything)) == 6


def test_the_nearest_ignore_file_decides(root: Path) -> None:
    ignoring(root, "*.py")
    write(root, "a/x.py", "b/x.py")
    (root / "a/.gitignore").write_text("!x.py\n")
    assert found(root) == ["a/x.py"]


def test_ignore_files_above_the_repository_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, "repository/x.py")
    (tmp_path / ".gitignore").write_text("*.py\n")
    (tmp_path / "repository/.git").mkdir()
    assert found(tmp_path / "repository") == ["x.py"]


def test_an_ignore_file_without_a_repository_counts_below_the_folder(root: Path) -> None:
    write(root, "gen/x.py", "x.py")
    (root / ".gitignore").write_text("gen\n")
    assert found(root) == ["x.py"]


def test_the_repositorys_private_excludes(root: Path) -> None:
    write(root, ".git/info/exclude", content="private.py\n")
    write(root, "private.py", "a/private.py", "x.py")
    assert found(root, "a", "x.py") == ["x.py"]


def test_an_ignore_file_that_is_no_text(root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".gitignore").write_bytes(b"\xef\xbb\xbfgen\n\xff\xfe\n[z-a]\n\\\n")
    write(root, "gen/x.py", "x.py")
    assert found(root) == ["x.py"]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("x.py", "x.py", True),
        ("x.py", "a/x.py", True),
        ("/x.py", "a/x.py", False),
        ("a/x.py", "b/a/x.py", False),
        ("a/", "a/x.py", True),
        ("a", "b/a/c/x.py", True),
        ("*.py", "a/b/x.py", True),
        ("a/*.py", "a/b/x.py", False),
        ("a/**", "a/b/x.py", True),
        ("a/**/x.py", "a/x.py", True),
        ("**/b/x.py", "a/b/x.py", True),
        ("**/x.py", "x.py", True),
        ("x?.py", "xy.py", True),
        ("x?.py", "x/.py", False),
        ("[xy].py", "y.py", True),
        ("[!xy].py", "y.py", False),
        ("[!xy].py", "z.py", True),
        ("[]x].py", "].py", True),
        ("[x.py", "[x.py", True),
        (r"\#x.py", "#x.py", True),
        (r"\!x.py", "!x.py", True),
        ("#x.py", "#x.py", False),
        ("x.py  ", "x.py", True),
        ("./x.py", "x.py", True),
        ("./x.py", "a/x.py", False),
        ("{root}/a/x.py", "a/x.py", True),
        ("*", "a/x.py", True),
        ("", "x.py", False),
        ("/", "x.py", False),
    ],
)
def test_patterns(root: Path, pattern: str, path: str, expected: bool) -> None:
    patterns = Patterns(str(root), [pattern.format(root=root) if "{root}" in pattern else pattern])
    assert patterns.covers(str(root / path)) is expected


def test_outside_their_folder_only_names_match(root: Path) -> None:
    assert Patterns(str(root / "a"), ["x.py"]).covers(str(root / "x.py"))
    assert not Patterns(str(root / "a"), ["/x.py", "project/x.py"]).covers(str(root / "x.py"))
    assert not Patterns(str(root / "a"), ["project"]).covers(str(root / "x.py"))


FILES = ["x.py", "y.py", "a/x.py", "a/b/x.py", "a/b/y.py", "b/x.py", "b/a/y.py", "ab/xy.py", "a b/x y.py", "c/d/e/x.py"]
PIECES = ["a", "b", "ab", "x.py", "y.py", "*.py", "*", "**", "?", "a*", "[ab]", "[!a]", "x*", "c", "d", "*b", "a b"]


def random_lines(random: random.Random) -> list[str]:
    """An ignore file as nobody would write it."""
    lines = []
    for _ in range(random.randint(1, 4)):
        line = "/".join(random.choices(PIECES, k=random.randint(1, 3)))
        line = random.choice(["", "", "", "/", "!"]) + line + random.choice(["", "", "/", " "])
        lines.append(line)
    return lines


def by_git(root: Path) -> list[str]:
    """The files that git does not ignore."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard", "--", "*.py"],
        cwd=root,
        capture_output=True,
        check=True,
        env=without_settings(root),
    ).stdout.decode()
    return sorted(name for name in listing.split("\0") if name)


def without_settings(root: Path) -> Mapping[str, str]:
    """An environment in which only the repository's own settings count."""
    return {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(root)}


@pytest.mark.parametrize("seed", range(8))
def test_ignore_files_mean_what_they_mean_to_git(root: Path, seed: int) -> None:
    need("git")
    write(root, *FILES)
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True, env=without_settings(root))
    chance = random.Random(seed)
    for _ in range(25):
        top, nested = random_lines(chance), random_lines(chance) if chance.random() < 0.4 else []
        (root / ".gitignore").write_text("\n".join(top) + "\n")
        (root / "a/.gitignore").write_text("\n".join(nested) + "\n")
        assert found(root) == by_git(root), (top, nested)
