"""Where a file belongs: its repository, its root, and the folders from which its imports start.

* *Repository*: the nearest ancestor folder with ``.git`` (a folder, or the file that a worktree or submodule has).
* *Root of a file*: the nearest ancestor with a project file, never above the repository. Without one it is the
  repository; without a repository it is the first ancestor that is not a package.
* *Import roots*: the root, its ``src``, and the first ancestor without ``__init__.py``.

Pure ``os`` calls, one listing a folder, remembered for the process. Symbolic links are not resolved: a file belongs to
the project through which it was found.
"""

from __future__ import annotations

import os

PROJECT_FILES = frozenset(
    {
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "Pipfile",
        "Pipfile.lock",
        "pylock.toml",
    }
)

_names: dict[str, frozenset[str]] = {}
_repositories: dict[str, str | None] = {}
_roots: dict[str, str] = {}
_import_roots: dict[str, tuple[str, ...]] = {}


def clear() -> None:
    """Forget everything seen; for long-lived processes and tests."""
    for remembered in (_names, _repositories, _roots, _import_roots):
        remembered.clear()


def names_in(folder: str) -> frozenset[str]:
    """The names in a folder, read once; empty when it cannot be read."""
    names = _names.get(folder)
    if names is None:
        try:
            names = frozenset(os.listdir(folder))
        except (OSError, ValueError):
            names = frozenset()
        _names[folder] = names
    return names


def is_requirements(name: str) -> bool:
    """Whether a file name is that of a requirements file: ``requirements.txt``, ``requirements-dev.txt`` …"""
    return name.startswith("requirements") and name.endswith((".txt", ".in", ".lock"))


def folder_of(path: str) -> str:
    """The folder that a file or folder stands in (a folder stands in itself), absolute."""
    path = os.path.abspath(path)
    return path if os.path.isdir(path) else os.path.dirname(path)


def repository_of(path: str) -> str | None:
    """The repository that holds ``path``, or ``None``."""
    return _repository(folder_of(path))


def _repository(folder: str) -> str | None:
    if folder not in _repositories:
        parent = os.path.dirname(folder)
        if ".git" in names_in(folder):
            _repositories[folder] = folder
        else:
            _repositories[folder] = None if parent == folder else _repository(parent)
    return _repositories[folder]


def root_of(path: str) -> str:
    """The root of a file: where its project files stand."""
    folder = folder_of(path)
    root = _roots.get(folder)
    if root is None:
        root = _roots[folder] = _find_root(folder)
    return root


def _find_root(folder: str) -> str:
    for ancestor in ancestors(folder):
        if is_root(ancestor):
            return ancestor
    return package_root(folder)


def is_root(folder: str) -> bool:
    """Whether a folder is where a project of its own begins."""
    names = names_in(folder)
    return ".git" in names or not PROJECT_FILES.isdisjoint(names) or any(map(is_requirements, names))


def package_root(folder: str) -> str:
    """The first ancestor (or the folder itself) without ``__init__.py``."""
    for ancestor in ancestors(folder):
        if "__init__.py" not in names_in(ancestor):
            return ancestor
    return folder


def import_roots(path: str) -> tuple[str, ...]:
    """The folders in which a file's absolute imports are looked for, in order, each once."""
    folder = folder_of(path)
    found = _import_roots.get(folder)
    if found is None:
        root = root_of(folder)
        found = (root,)
        if "src" in names_in(root):
            found += (os.path.join(root, "src"),)
        first = package_root(folder)
        if first not in found:
            found += (first,)
        _import_roots[folder] = found
    return found


def ancestors(folder: str) -> list[str]:
    """A folder and those above it, nearest first, not above its repository."""
    stop = _repository(folder)
    found = [folder]
    while folder != stop:
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
        found.append(folder)
    return found
