"""The project's own classes and functions that its configuration adds to the tables (``extend``), by their definitions.

A path is written as the project imports it: below an import root or the folder that a service is started from, and by a
package that only passes the name on as well as by the module that defines it. Names of other people's packages lead to
nothing here; the tables know them by their paths.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from lg_stream_lint.python.locating import Located
from lg_stream_lint.python.scopes import Binding, Class, Function

if TYPE_CHECKING:
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.project import Project

#: How many modules a name may be passed on through before its definition.
_MOST_HOPS = 6


class Own:
    """Answers under which of the user's paths a definition of the project stands in the tables."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def path_of(self, definition: Function | Class) -> str:
        """The path in the tables; empty for what the configuration does not name."""
        return self._paths.get(definition, "") if self.project.knowledge.own else ""

    @cached_property
    def _paths(self) -> dict[Function | Class, str]:
        found: dict[Function | Class, str] = {}
        for path in sorted(self.project.knowledge.own):
            for located in self._places(path.split(".")):
                module = self.project.module(located.path)
                definition = self._defined(module, located.rest, _MOST_HOPS) if module is not None else None
                if definition is not None:
                    found.setdefault(definition, path)
        return found

    def _places(self, parts: list[str]) -> Iterator[Located]:
        """Every file that the beginning of a path leads to, from whichever folder it is imported."""
        for base in sorted(self._bases.get(parts[0], ())):
            located = self.project.locate_below(base, parts)
            if located is not None and located.rest:
                yield located

    @cached_property
    def _bases(self) -> dict[str, set[str]]:
        """Names of modules and packages → the folders that they lie in, packages' own folders left out."""
        found: dict[str, set[str]] = {}
        for path in self.project.files():
            child, folder = path.removesuffix(".py"), os.path.dirname(path)
            while len(folder) >= len(self.project.root):
                if not os.path.isfile(os.path.join(folder, "__init__.py")):
                    found.setdefault(os.path.basename(child), set()).add(folder)
                child, folder = folder, os.path.dirname(folder)
        return found

    def _defined(self, module: Module, names: tuple[str, ...], hops: int) -> Function | Class | None:
        """The definition of a name in a module (``Class.method`` too), through the imports that pass it on."""
        for binding in reversed(module.scope.bindings.get(names[0], ())):
            owner = module.owners.get(binding.node) if binding.node is not None else None
            if owner is not None:
                if len(names) == 1:
                    return owner
                return owner.methods.get(names[1]) if isinstance(owner, Class) and len(names) == 2 else None
            if binding.kind == "import":
                return self._passed_on(module, binding, names[1:], hops)
        for star in module.scope.stars:
            found = self._passed_on(module, star, names, hops)
            if found is not None:
                return found
        return None

    def _passed_on(self, module: Module, binding: Binding, rest: tuple[str, ...], hops: int) -> Function | Class | None:
        located = self.project.leads_to(binding.target, module.path, binding.level) if hops else None
        target = self.project.module(located.path) if located is not None else None
        if target is None or located is None or not (*located.rest, *rest):
            return None
        return self._defined(target, (*located.rest, *rest), hops - 1)
