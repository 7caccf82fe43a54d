"""The same statements in other modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from tests.projects import Project, text_of

FRAMEWORKS = re.compile(r"^(langgraph|langchain\w*|openai|anthropic)(\.|$)")
APPLICATIONS = frozenset({"FastAPI", "Starlette", "Flask", "Litestar", "APIRouter", "Blueprint", "Quart"})


def in_a_package(project: Project) -> Project | None:
    """A single file goes into a package's sub-package, a project's files below ``src``."""
    if len(project.files) > 1:
        return project.with_files({_below_src(path): content for path, content in project.files.items()})
    (path,) = project.files
    packages = {"service/__init__.py": b"", "service/api/__init__.py": b""}
    return project.with_files({**packages, f"service/api/{path}": project.files[path]})


def _below_src(path: str) -> str:
    return f"src/{path}" if path.endswith(".py") else path


def split(project: Project) -> Project | None:
    """What builds models and graphs goes into a module beside it, and is imported from there."""
    return _split(project, "{stem}_parts.py", "{stem}_parts", {})


def split_in_a_package(project: Project) -> Project | None:
    """The same in a package, with a relative import."""
    found = _split(project, "{stem}_parts.py", ".{stem}_parts", {})
    return found and found.with_files(
        {"service/__init__.py": b"", **{f"service/{path}": content for path, content in found.files.items()}}
    )


def split_and_re_exported(project: Project) -> Project | None:
    """The same, by way of a package that re-exports the names."""
    return _split(project, "parts/building.py", "parts", {"parts/__init__.py": "from parts.building import {names}\n"})


def split_with_a_star(project: Project) -> Project | None:
    """The same, with a star import."""
    return _split(project, "{stem}_parts.py", "{stem}_parts", {}, star=True)


def _split(
    project: Project, target: str, module: str, more: Mapping[str, str], *, star: bool = False
) -> Project | None:
    """One file in two; projects of several files are split already."""
    if len(project.files) > 1:
        return None
    (path,) = project.files
    parts = _Parts(text_of(project.files[path]))
    if not parts.moved or not parts.taken:
        return None
    stem = PurePosixPath(path).stem
    names = ", ".join(sorted(parts.taken))
    imported = f"from {module.format(stem=stem)} import {'*' if star else names}\n"
    files = {
        path: parts.remaining(imported).encode(),
        target.format(stem=stem): parts.extracted().encode(),
        **{other: text.format(names=names).encode() for other, text in more.items()},
    }
    return project.with_files(files)


class _Parts:
    """The top-level statements of a file: which of them build models and graphs, and what those need."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines(keepends=True)
        tree = ast.parse(source)
        self.statements = tree.body
        self.starts: dict[ast.stmt, int] = {}
        line = 0
        for statement in tree.body:
            self.starts[statement] = line
            line = statement.end_lineno or line
        self.tail = line
        self.bound = {statement: frozenset(_bound(statement)) for statement in tree.body}
        self.used = {statement: frozenset(_used(statement)) for statement in tree.body}
        self.imports = [statement for statement in tree.body if _imports(statement)]
        self.frameworks = {name for statement in self.imports for name in _framework_names(statement)}
        self.moved = self._closure([statement for statement in tree.body if self._builds(statement)])
        if any(self._belongs_to_the_application(statement) for statement in self.moved):
            self.moved = []
        stay = [statement for statement in tree.body if statement not in self.moved and statement not in self.imports]
        given = {name for statement in self.moved for name in self.bound[statement]}
        self.taken = given & {name for statement in stay for name in self.used[statement]}

    def _builds(self, statement: ast.stmt) -> bool:
        """Whether it assigns something that a framework's name, or ``.compile()``, makes."""
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
            return False
        calls = [node for node in ast.walk(statement.value) if isinstance(node, ast.Call)]
        return any(_root(call.func) in self.frameworks or _attribute(call.func) == "compile" for call in calls)

    def _closure(self, seeds: list[ast.stmt]) -> list[ast.stmt]:
        """With all that they need, and all that is done to them at top level; in the file's order."""
        chosen = set(seeds)
        while True:
            names = {name for statement in chosen for name in self.bound[statement]}
            needed = {name for statement in chosen for name in self.used[statement]}
            more = {
                statement
                for statement in self.statements
                if statement not in self.imports
                and (self.bound[statement] & needed or (_mutates(statement) and self._subject(statement) in names))
            }
            if more <= chosen:
                return [statement for statement in self.statements if statement in chosen]
            chosen |= more

    def _subject(self, statement: ast.stmt) -> str | None:
        return _root(statement.value) if isinstance(statement, ast.Expr) else None

    def _belongs_to_the_application(self, statement: ast.stmt) -> bool:
        calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
        return any((_attribute(call.func) or _root(call.func)) in APPLICATIONS for call in calls) or any(
            _root(decorator) not in self.frameworks
            for decorator in getattr(statement, "decorator_list", ())
            if isinstance(decorator, ast.Call)
        )

    def _text(self, statement: ast.stmt) -> str:
        return "".join(self.lines[self.starts[statement] : statement.end_lineno])

    def remaining(self, imported: str) -> str:
        """The file without what moved, importing it right after the other imports."""
        text = ""
        last = self.imports[-1] if self.imports else None
        for statement in self.statements:
            if statement not in self.moved:
                text += self._text(statement)
            if statement is last:
                text += imported
        return text + "".join(self.lines[self.tail :])

    def extracted(self) -> str:
        """The new module: all imports of the old one, and what moved."""
        return "".join(self._text(statement) for statement in self.statements if statement in self.imports) + "".join(
            self._text(statement) for statement in self.moved
        )


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Names that a top-level statement binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _used(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement reads, local ones among them: more than needed does no harm."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id


def _imports(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.If, ast.Try)):
        return all(_imports(inner) for inner in statement.body)
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def _framework_names(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and FRAMEWORKS.match(node.module or ""):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if FRAMEWORKS.match(alias.name):
                    yield alias.asname or alias.name.partition(".")[0]


def _mutates(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _attribute(node: ast.expr) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else None
