"""The project around a file: its modules, found by name, parsed once, never imported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from lg_stream_lint.knowledge import Knowledge, knowledge
from lg_stream_lint.python.gate import is_test_module
from lg_stream_lint.python.import_graph import ImportGraph
from lg_stream_lint.python.locating import Located, Locator
from lg_stream_lint.python.parsing import NotAnalysed, parse
from lg_stream_lint.roots import import_roots, is_root, names_in, repository_of, root_of

if TYPE_CHECKING:
    from lg_stream_lint.config import Config
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.versions import Versions

#: Folders that hold other people's code or copies of this one.
SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", ".venv", "venv", "env", ".env", "node_modules", "__pycache__", "site-packages", "build", "dist",
        ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".ipynb_checkpoints", ".eggs", "__pypackages__",
    }
)  # fmt: skip

#: More than any hand-written module; a larger file is data or generated.
LARGEST = 5_000_000


_IDENTIFIER = re.compile(rb"[^\W\d]\w*")


class Project:
    """Everything below one root: the modules found so far, and the facts that span them.

    ``sources`` overrides what is on the disk (standard input, an editor's buffer).
    """

    def __init__(self, root: str, tables: Knowledge | None = None) -> None:
        self.root = root
        self.knowledge = tables or knowledge()
        self.config: Config | None = None
        self.sources: dict[str, bytes] = {}
        self._modules: dict[str, Module | None] = {}
        self._bytes: dict[str, bytes | None] = {}
        self._locator = Locator(self)
        self._files: list[str] | None = None
        self._nested: list[str] = []
        self._mentions: dict[bytes, list[str]] = {}
        self._names: dict[bytes, list[int]] | None = None
        self._facts: Facts | None = None
        self._versions: dict[str, Versions] = {}

    # Files

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None when it cannot be read or is too large to be a module."""
        if path in self.sources:
            return self.sources[path]
        if path not in self._bytes:
            try:
                data: bytes | None = None
                if os.path.getsize(path) <= LARGEST:
                    with open(path, "rb") as file:
                        data = file.read()
            except OSError:
                data = None
            self._bytes[path] = data
        return self._bytes[path]

    def files(self) -> list[str]:
        """Every Python file below the root, sorted; other people's code, virtual environments and other projects left out."""
        if self._files is None:
            self._nested = []
            self._files = sorted({*_python_files(self.root, self._nested), *self.sources})
        return self._files

    def mentioning(self, word: bytes) -> list[str]:
        """The files whose bytes hold the word."""
        found = self._mentions.get(word)
        if found is None:
            found = [path for path in self.files() if word in (self.read(path) or b"")]
            self._mentions[word] = found
        return found

    def naming(self, name: str) -> frozenset[int]:
        """The numbers (places in :meth:`files`) of the files in which an identifier occurs, comments and strings included.

        Test modules are left out.

        Asked for thousands of names, so the identifiers of all files are indexed once, in one pass over their bytes.
        """
        if self._names is None:
            index: dict[bytes, list[int]] = {}
            for number, path in enumerate(self.files()):
                if is_test_module(path):
                    continue  # what tests call and pass says nothing about a server
                for word in set(_IDENTIFIER.findall(self.read(path) or b"")):
                    index.setdefault(word, []).append(number)
            self._names = index
        return frozenset(self._names.get(name.encode(), ()))

    # Modules

    def module(self, path: str) -> Module | None:
        """The parsed module, or None when it cannot be analysed. A module of another project is that project's."""
        home = self._home_of(path)
        if home is not self:
            return home.module(path)
        if path not in self._modules:
            source = self.read(path)
            try:
                self._modules[path] = self._build(path, source) if source is not None else None
            except NotAnalysed:
                self._modules[path] = None
        return self._modules[path]

    def _home_of(self, path: str) -> Project:
        root = root_of(path)
        return self if root == self.root else project_of(path, self.knowledge)

    def load(self, path: str, source: bytes) -> Module:
        """The module made of these bytes. Raises :class:`NotAnalysed` with the reason."""
        known = self._modules.get(path)
        if known is not None and known.source == source:
            return known
        module = self._build(path, source)
        self._modules[path] = module
        return module

    def override(self, path: str, source: bytes) -> None:
        """Let these bytes stand for a file; every fact that may rest on what it held is dropped."""
        self.sources[path] = source
        self._modules.clear()
        self._locator = Locator(self)
        self._mentions.clear()
        self._names = None
        self._files = None
        self._facts = None
        self.__dict__.pop("import_graph", None)

    def _build(self, path: str, source: bytes) -> Module:
        from lg_stream_lint.python.module import Module

        return Module(path, source, parse(source), self, self.name_of(path))

    def name_of(self, path: str) -> str:
        """The dotted name of a file below the nearest import root that holds it."""
        for base in import_roots(path):
            if path.startswith(base.rstrip(os.sep) + os.sep):
                parts = os.path.relpath(path, base)[: -len(".py")].split(os.sep)
                if parts[-1] == "__init__":
                    parts.pop()
                return ".".join(parts)
        return os.path.basename(path).removesuffix(".py")

    def is_external(self, dotted: str) -> bool:
        """Whether the name belongs to a package that the tables know: a folder of that name does not hide it."""
        return self._locator.is_external(dotted)

    def locate(self, dotted: str, importer: str, level: int = 0) -> Located | None:
        """The file that an import statement in ``importer`` leads to, and what is left of the name below it."""
        return self._locator.locate(dotted, importer, level)

    def leads_to(self, dotted: str, importer: str, level: int = 0) -> Located | None:
        """Like :meth:`locate`, for an imported name whose package may bind it to something else than its submodule.

        After ``from .graph import graph`` in a package's ``__init__.py``, ``from package import graph`` gives the object: the
        attribute is set anew once the submodule has been imported. The file itself still finds the submodule.
        """
        located = self.locate(dotted, importer, level)
        if located is None or located.rest:
            return located
        folder, name = os.path.split(located.path.removesuffix(".py"))
        if name == "__init__":
            folder, name = os.path.split(folder)
        package = os.path.join(folder, "__init__.py")
        if package == importer or name.encode() not in (self.read(package) or b""):
            return located
        module = self.module(package)
        return Located(package, (name,)) if module is not None and self._binds(module, name) else located

    def _binds(self, module: Module, name: str) -> bool:
        """Whether a package binds a name itself, or takes it from one of its modules by a star."""
        if name in module.scope.bindings:
            return True
        for star in module.scope.stars:
            located = self.locate(star.target, module.path, star.level)
            source = self.module(located.path) if located is not None and not located.rest else None
            if source is not None and name in source.scope.bindings:
                return True
        return False

    def locate_below(self, base: str, parts: list[str]) -> Located | None:
        """The file that a name leads to when it is imported from a folder."""
        return self._locator.below(base, parts)

    def workspace(self) -> list[str]:
        """The roots of other projects below this one: a workspace's packages are installed beside each other."""
        self.files()
        return self._nested

    @cached_property
    def import_graph(self) -> ImportGraph:
        """Which files import which."""
        return ImportGraph(self)

    @cached_property
    def deployment(self) -> Deployment:
        """What the files around the code of this project's repository say; read when a finding depends on it."""
        from lg_stream_lint.deploy.deployment import deployment_of

        return deployment_of(os.path.join(self.root, "_"), self.config)

    # Facts

    @property
    def facts(self) -> Facts:
        """The facts that need more than one module."""
        if self._facts is None:
            from lg_stream_lint.python.facts import Facts

            self._facts = Facts(self)
        return self._facts

    def versions(self, path: str) -> Versions:
        """The versions of dependencies that hold for a file."""
        folder = os.path.dirname(path)
        if folder not in self._versions:
            from lg_stream_lint.versions import versions_for

            self._versions[folder] = versions_for(path, repository_of(path))
        return self._versions[folder]


def _python_files(root: str, nested: list[str]) -> Iterator[str]:
    """The Python files below a root; the roots of other projects that are met on the way are added to ``nested``."""
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name in SKIPPED or "pyvenv.cfg" in names_in(entry.path):
                        continue
                    # A folder with project files of its own is another project: another service, a package beside this one.
                    (nested if is_root(entry.path) else folders).append(entry.path)
                elif entry.name.endswith(".py") and entry.is_file():
                    yield entry.path
            except OSError:
                continue


_projects: dict[tuple[str, int], Project] = {}


def project_of(path: str, tables: Knowledge | None = None) -> Project:
    """The project that a file belongs to: one per root and set of tables, kept for the process."""
    tables = tables or knowledge()
    root = root_of(path)
    key = (root, id(tables))
    found = _projects.get(key)
    if found is None:
        found = _projects[key] = Project(root, tables)
    return found


def forget_projects() -> None:
    """Drop every project: for tests and for servers whose files change under them."""
    _projects.clear()
