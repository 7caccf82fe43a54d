"""Where the names of import statements lead: the files of a project, below its import roots and the folders around."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.knowledge import knowledge
from lg_stream_lint.roots import import_roots, names_in, repository_of

if TYPE_CHECKING:
    from lg_stream_lint.python.project import Project


class Located(NamedTuple):
    """Where a dotted name leads: a file, and the names below it that are left to look up in it."""

    path: str
    rest: tuple[str, ...]


class Locator:
    """Answers for one project; each is worked out once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._located: dict[tuple[str, str], Located | None] = {}

    def is_external(self, dotted: str) -> bool:
        """Whether the name belongs to a package that the tables know: a folder of that name does not hide it."""
        return dotted.partition(".")[0] in self._external_tops

    @cached_property
    def _external_tops(self) -> frozenset[str]:
        tables = knowledge()  # the built-in ones only: what the configuration adds may well lie in the project
        names = (tables.models, tables.graph_factories, tables.types, tables.savers, tables.responses, tables.apps)
        tops = {name.partition(".")[0] for table in names for name in table}
        return frozenset(
            tops | {"langgraph", "langchain", "langchain_core", "asyncio", "functools", "typing", "contextlib"}
        )

    def locate(self, dotted: str, importer: str, level: int = 0) -> Located | None:
        """The file that an import statement in ``importer`` leads to, and what is left of the name below it.

        Absolute names are looked for below the import roots and then below every folder between the file and the repository:
        services are started from another folder than the one with their project file more often than they say so.
        """
        if level:
            base = os.path.dirname(importer)
            for _ in range(level - 1):
                base = os.path.dirname(base)
            return self._below(base, dotted.split(".") if dotted else [], allow_base=True)
        if self.is_external(dotted):
            return None
        folder = os.path.dirname(importer)
        key = (folder, dotted)
        if key not in self._located:
            self._located[key] = self._search(dotted.split("."), importer, folder)
        return self._located[key]

    def _search(self, parts: list[str], importer: str, folder: str) -> Located | None:
        bases = list(import_roots(importer))
        top = repository_of(importer) or self.project.root
        current = folder
        while len(current) >= len(top):
            # A package's own folder is no place that absolute names are looked for in.
            if not self._is_file(os.path.join(current, "__init__.py")):
                bases.append(current)
            if current == os.path.dirname(current):
                break
            current = os.path.dirname(current)
        for base in dict.fromkeys(bases):
            found = self._below(base, parts, allow_base=False)
            if found is not None and found.path != importer:
                return self._beside(found, parts, importer, folder) or found
        member = self._workspace_member(parts)
        if member is not None or b"sys.path" not in (self.project.read(importer) or b""):
            return member
        return self._anywhere(parts, importer)

    def _beside(self, found: Located, parts: list[str], importer: str, folder: str) -> Located | None:
        """The module next to a script, where the package of that name has nothing of what is imported.

        ``assistant/server.py`` that imports ``send`` from ``assistant`` is run in its own folder, and means ``assistant.py``.
        """
        if not found.rest or os.path.basename(found.path) != "__init__.py" or os.path.dirname(found.path) != folder:
            return None
        package = self.project.read(found.path) or b""
        if found.rest[0].encode() in package or b"*" in package or b"__getattr__" in package:
            return None
        beside = self._below(folder, parts, allow_base=False)
        return beside if beside is not None and beside.path != importer else None

    def _workspace_member(self, parts: list[str]) -> Located | None:
        """A module of a project that lies below this one: a workspace's packages are installed beside each other."""
        for nested in self.project.workspace():
            for base in (nested, os.path.join(nested, "src")):
                if parts[0] in names_in(base) or f"{parts[0]}.py" in names_in(base):
                    return self._below(base, parts, allow_base=False)
        return None

    def _anywhere(self, parts: list[str], importer: str) -> Located | None:
        """The only file of the project of that name, for a module that changes ``sys.path`` itself."""
        for length in range(len(parts), 0, -1):
            stem = os.sep + os.path.join(*parts[:length])
            ends = (stem + ".py", os.path.join(stem, "__init__.py"))
            found = [path for path in self.project.files() if path.endswith(ends) and path != importer]
            if len(found) == 1:
                return Located(found[0], tuple(parts[length:]))
        return None

    def below(self, base: str, parts: list[str]) -> Located | None:
        """The file that a name leads to when it is imported from a folder."""
        return self._below(base, parts, allow_base=False)

    def _below(self, base: str, parts: list[str], *, allow_base: bool) -> Located | None:
        """The longest part of the name that is a file below ``base``."""
        best: Located | None = None
        folder = base
        if allow_base and self._is_file(os.path.join(base, "__init__.py")):
            best = Located(os.path.join(base, "__init__.py"), tuple(parts))
        for position, part in enumerate(parts):
            rest = tuple(parts[position + 1 :])
            package = os.path.join(folder, part, "__init__.py")
            module = os.path.join(folder, part + ".py")
            if self._is_file(package):
                best = Located(package, rest)
            elif self._is_file(module):
                return Located(module, rest)
            folder = os.path.join(folder, part)
        return best

    def _is_file(self, path: str) -> bool:
        return path in self.project.sources or os.path.isfile(path)
