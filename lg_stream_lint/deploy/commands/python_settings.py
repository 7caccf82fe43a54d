"""Values that another module of the project holds: its constants, and the fields of its settings class.

``settings.PORT`` of ``class Settings(BaseSettings): PORT: int = 8000`` is what the environment says, and the field's default
where it says nothing.
"""

from __future__ import annotations

import ast
import os
from typing import NamedTuple

from lg_stream_lint.deploy.commands.carrier import Carrier
from lg_stream_lint.deploy.commands.python_values import UNKNOWN, PythonFile, Value, dotted
from lg_stream_lint.deploy.files import NotRead

_UNKNOWN = Value(UNKNOWN)
#: Imports, functions and base classes that are followed from one to the next.
_MOST_HOPS = 5
_MODELS = frozenset({"BaseSettings"})


class _Place(NamedTuple):
    """A class, and the file that holds it."""

    file: PythonFile
    node: ast.ClassDef


class Elsewhere:
    """What imported names stand for, looked for in the files of the repository. Nothing is imported."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._files: dict[str, PythonFile | None] = {}

    def value(self, path: str, attribute: str = "") -> Value:
        """A constant of a module (``config.TIMEOUT``), or with ``attribute`` that of an object or class in it."""
        module, _, name = path.rpartition(".")
        return self._of_name(module, name, attribute, _MOST_HOPS) if module else _UNKNOWN

    def _of_name(self, module: str, name: str, attribute: str, hops: int) -> Value:
        file = self._file(module)
        found = self._in_file(file, name, attribute, hops) if file is not None else None
        if found is None and attribute:  # the name is no object, but a module
            inner = self._file(f"{module}.{name}")
            found = self._in_file(inner, attribute, "", hops) if inner is not None else None
        return found or _UNKNOWN

    def _in_file(self, file: PythonFile, name: str, attribute: str, hops: int) -> Value | None:
        """None when the file knows no such name."""
        if hops == 0:
            return _UNKNOWN
        imported = self._imported(file, name)
        if imported:
            module, _, original = imported.rpartition(".")
            return self._of_name(module, original, attribute, hops - 1)
        if attribute:
            made = self._class(file, name, hops)
            if made is None:
                return _UNKNOWN if name in file.assigned else None
            return self._field(made, attribute, hops)
        return file.value(ast.Name(name)) if name in file.assigned else None

    def _class(self, file: PythonFile, name: str, hops: int) -> _Place | None:
        """The class of that name, or of the object that a name of the module is made of by a call without arguments."""
        if hops == 0:
            return None
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return _Place(file, node)
            if isinstance(node, ast.FunctionDef) and node.name == name:
                returned = [item.value for item in ast.walk(node) if isinstance(item, ast.Return)]
                return self._made(file, returned[0], hops - 1) if len(returned) == 1 else None
        return self._made(file, file.assigned.get(name), hops - 1)

    def _made(self, file: PythonFile, node: ast.expr | None, hops: int) -> _Place | None:
        if not isinstance(node, ast.Call) or node.args or node.keywords or not isinstance(node.func, ast.Name):
            return None
        imported = self._imported(file, node.func.id)
        if not imported:
            return self._class(file, node.func.id, hops)
        module, _, name = imported.rpartition(".")
        other = self._file(module)
        return self._class(other, name, hops - 1) if other is not None and hops > 0 else None

    def _field(self, place: _Place, name: str, hops: int) -> Value:
        if hops == 0 or _is_changed(place.node, name):
            return _UNKNOWN
        bases = [dotted(base).rpartition(".")[2] for base in place.node.bases]
        written = _written(place.node, name)
        if written is not None:
            found = place.file.value(_default(written))
            return self._by_environment(name, found) if self._is_settings(place, hops) else found
        for base in bases:
            parent = self._class(place.file, base, hops - 1)
            if parent is not None:
                return self._field(parent, name, hops - 1)
        return _UNKNOWN

    def _is_settings(self, place: _Place, hops: int) -> bool:
        bases = [dotted(base).rpartition(".")[2] for base in place.node.bases]
        if not _MODELS.isdisjoint(bases):
            return True
        parents = [self._class(place.file, base, hops - 1) for base in bases]
        return any(parent is not None and self._is_settings(parent, hops - 1) for parent in parents)

    def _by_environment(self, name: str, default: Value) -> Value:
        """What pydantic reads: a variable called as the field, in any case; one with a prefix may be it, too."""
        names = {variable.upper(): variable for variable in self.carrier.env}
        if name.upper() in names:
            return Value(self.carrier.env[names[name.upper()]].value, overridable=True)
        if any(variable.endswith(f"_{name.upper()}") for variable in names):
            return _UNKNOWN
        return default._replace(overridable=True) if default.known else _UNKNOWN

    def _imported(self, file: PythonFile, name: str) -> str:
        """The import path of a name that a file imports from; empty for any other."""
        from lg_stream_lint.deploy.commands.python_code import package_of

        for node in file.tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return f"{package_of(node, file.file, self.carrier)}.{alias.name}".lstrip(".")
        return ""

    def _file(self, module: str) -> PythonFile | None:
        if module not in self._files:
            self._files[module] = self._read(module)
        return self._files[module]

    def _read(self, module: str) -> PythonFile | None:
        parts = os.path.join(*module.split("."))
        folders = (*self.carrier.bases, self.carrier.context.repository)
        for path in (os.path.join(parts, "__init__.py"), f"{parts}.py"):
            file = self.carrier.context.find(path, *folders)
            if file is not None:
                try:
                    return PythonFile(file, self.carrier.env)
                except NotRead:
                    return None
        return None


def _written(node: ast.ClassDef, name: str) -> ast.expr | None:
    """What the body of a class gives a field."""
    for statement in node.body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        elif isinstance(statement, ast.Assign):
            targets = statement.targets
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return statement.value
    return None


def _default(node: ast.expr | None) -> ast.expr | None:
    """A field's default: the value itself, or what ``Field(…)`` is given."""
    if not (isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "Field"):
        return node
    if node.args:
        return node.args[0]
    return next((keyword.value for keyword in node.keywords if keyword.arg == "default"), None)


def _is_changed(node: ast.ClassDef, name: str) -> bool:
    """Whether a validator or a method of the class may give a field another value."""
    for item in ast.walk(node):
        if isinstance(item, ast.Attribute) and item.attr == name and isinstance(item.ctx, ast.Store):
            return True
        if isinstance(item, ast.FunctionDef):
            named = [n for decorator in item.decorator_list for n in ast.walk(decorator)]
            if any(isinstance(n, ast.Constant) and n.value in (name, "*") for n in named):
                return True
    return False
