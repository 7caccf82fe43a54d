"""Servers that Python code starts: ``uvicorn.run(…)``, ``uvicorn.Config(…)``, hypercorn's ``serve``, granian, lists of words."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.commands.carrier import Carrier, Word
from lg_stream_lint.deploy.commands.options import Option
from lg_stream_lint.deploy.commands.python_values import UNKNOWN, PythonFile, Value, dotted, is_true
from lg_stream_lint.deploy.commands.servers import Start
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.knowledge import knowledge

if TYPE_CHECKING:
    from lg_stream_lint.deploy.commands.python_settings import Elsewhere

_STARTERS = {
    "uvicorn.run": "uvicorn",
    "uvicorn.main.run": "uvicorn",
    "granian.Granian": "granian",
    "granian.server.Granian": "granian",
    "granian.server.Server": "granian",
}
#: What is only a set of values until the same file gives it to a server.
_CONFIGS = {"uvicorn.Config": "uvicorn", "uvicorn.config.Config": "uvicorn"}
_SERVERS = frozenset(
    {"uvicorn.Server", "uvicorn.server.Server", "uvicorn.supervisors.ChangeReload", "uvicorn.supervisors.Multiprocess"}
)
_SERVE = frozenset({"hypercorn.asyncio.serve", "hypercorn.trio.serve"})
_RUNNERS = frozenset(
    {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "os.system", "os.execvp"}
)


class PythonStarts:
    """The servers that one Python file starts, and the commands that it hands to the system."""

    def __init__(self, file: DeployFile, carrier: Carrier) -> None:
        self.python = PythonFile(file, carrier.env)
        self.file = file
        self._carrier = carrier
        self._others: Elsewhere | None = None
        self.imports = _imports(self.python.tree, file, carrier)
        self.python.elsewhere = self._elsewhere
        self.calls = [node for node in ast.walk(self.python.tree) if isinstance(node, ast.Call)]

    def servers(self) -> Iterator[Start]:
        """One start for each call that starts a server."""
        for call in self.calls:
            name = self._name(call.func)
            if name in _STARTERS or (name in _CONFIGS and self._has_server):
                yield self._start(_STARTERS.get(name) or _CONFIGS[name], call)
        yield from self._hypercorn()
        yield from self._own_gunicorn()

    @cached_property
    def _has_server(self) -> bool:
        """Whether the file makes a server, or a class of its own kind of one."""
        bases = [base for node in ast.walk(self.python.tree) if isinstance(node, ast.ClassDef) for base in node.bases]
        return any(self._name(node) in _SERVERS for node in (*bases, *(call.func for call in self.calls)))

    def commands(self) -> Iterator[tuple[Word, ...] | str]:
        """The commands that are handed to the system as they are written."""
        for call in self.calls:
            if self._name(call.func) not in _RUNNERS or not call.args:
                continue
            first = call.args[-1] if self._name(call.func) == "os.execvp" else call.args[0]
            value = self.python.value(first)
            if isinstance(value.value, str):
                yield value.value
            elif isinstance(first, (ast.List, ast.Tuple)):
                yield tuple(self._word(item) for item in first.elts)

    def _elsewhere(self, written: str) -> Value:
        """What an imported name, or an attribute of one, is in the module that it comes from."""
        head, _, attribute = written.partition(".")
        origin = self.imports.get(head)
        if origin is None or "." in attribute:
            return Value(UNKNOWN)
        if self._others is None:
            from lg_stream_lint.deploy.commands.python_settings import Elsewhere

            self._others = Elsewhere(self._carrier)
        path = origin if "." in origin or not attribute else f"{origin}.{attribute}"
        return self._others.value(path, attribute if path == origin else "")

    def _word(self, node: ast.expr) -> Word:
        value = self.python.value(node)
        text = str(value.value) if value.known and value.value is not None else "$?"
        return Word(text, self.python.where(node), value.overridable)

    def _name(self, node: ast.expr) -> str:
        """The import path of what is called."""
        written = dotted(node)
        head, dot, rest = written.partition(".")
        return self.imports.get(head, head) + dot + rest if written else ""

    def _start(self, server: str, call: ast.Call) -> Start:
        table = knowledge().servers[server]
        names = {**{name: name for name in table.options}, "address": "host"}
        options = {
            names[keyword.arg]: self._option(keyword.arg, keyword.value)
            for keyword in call.keywords
            if keyword.arg in names
        }
        target = (
            call.args[0] if call.args else next((k.value for k in call.keywords if k.arg in ("app", "target")), None)
        )
        spread = any(keyword.arg is None for keyword in call.keywords)
        app, folder = self._app(target)
        return Start(server, self.python.where(call), options, app, spread, folder=folder)

    def _option(self, name: str, node: ast.expr) -> Option:
        value: Value = self.python.value(node)
        known = value.known and value.value is not None
        text = str(is_true(value.value)).lower() if name == "reload" else str(value.value)
        keyword = self.python.where(node)
        span = keyword.span
        column = span.column - len(name) - 1
        if column > 0 and self.file.lines[span.row - 1][column - 1 :].startswith(f"{name}="):
            keyword = keyword._replace(span=span._replace(column=column))
        return Option(name, name, text if known else "", keyword, known, value.overridable)

    def _app(self, node: ast.expr | None) -> tuple[str, str]:
        """The application as ``module:attribute`` and the folder it is looked for in."""
        if node is None:
            return "", ""
        value = self.python.value(node)
        if isinstance(value.value, str):
            return value.value, ""
        called = "()" if isinstance(node, ast.Call) else ""
        written = dotted(node.func if isinstance(node, ast.Call) else node)
        head, _, rest = written.partition(".")
        origin = self.imports.get(head)
        if not written:
            return "", ""
        if origin is None:
            return f"{self.file.name}:{written}{called}", self.file.folder
        module, _, attribute = f"{origin}.{rest}".rstrip(".").rpartition(".")
        return (f"{module}:{attribute}{called}", "") if module else ("", "")

    def _hypercorn(self) -> Iterator[Start]:
        """``config = Config(); config.graceful_timeout = 5; serve(app, config)``: the assignments of the whole file."""
        serve = next((call for call in self.calls if self._name(call.func) in _SERVE), None)
        if serve is None:
            return
        table = knowledge().servers["hypercorn"]
        options: dict[str, Option] = {}
        for node in ast.walk(self.python.tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                target = node.targets[0]
                if target.attr in table.options:
                    value = self.python.value(node.value)
                    text = value.value[0] if isinstance(value.value, list) and value.value else value.value
                    known = value.known and text is not None
                    options[target.attr] = Option(
                        target.attr, target.attr, str(text), self.python.where(node), known, value.overridable
                    )
        app, folder = self._app(serve.args[0] if serve.args else None)
        yield Start("hypercorn", self.python.where(serve), options, app, folder=folder)

    def _own_gunicorn(self) -> Iterator[Start]:
        """An application of gunicorn's own kind: ``class Standalone(BaseApplication)``, and its options in a dict."""
        bases = {name for name, path in self.imports.items() if path.startswith("gunicorn.app.")}
        classes = {
            node.name
            for node in ast.walk(self.python.tree)
            if isinstance(node, ast.ClassDef) and any(self._is_gunicorns(base, bases) for base in node.bases)
        }
        made = next((c for c in self.calls if isinstance(c.func, ast.Name) and c.func.id in classes), None)
        table = knowledge().servers["gunicorn"]
        for node in ast.walk(self.python.tree) if classes else ():
            pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
            options = {
                key.value: self._option(key.value, value)
                for key, value in pairs
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in table.options
            }
            if len(options) > 1:
                app, folder = self._app(made.args[0] if made is not None and made.args else None)
                yield Start("gunicorn", self.python.where(node), options, app, open_ended=True, folder=folder)

    def _is_gunicorns(self, base: ast.expr, imported: set[str]) -> bool:
        return dotted(base) in imported or dotted(base).startswith("gunicorn.app.")


def _imports(tree: ast.Module, file: DeployFile, carrier: Carrier) -> dict[str, str]:
    """What each imported name of a file stands for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            package = package_of(node, file, carrier)
            for alias in node.names:
                found[alias.asname or alias.name] = f"{package}.{alias.name}".lstrip(".")
    return found


def package_of(node: ast.ImportFrom, file: DeployFile, carrier: Carrier) -> str:
    """The module that is imported from; a relative one is written from the repository's top."""
    if not node.level:
        return node.module or ""
    folder = file.folder
    for _ in range(node.level - 1):
        folder = os.path.dirname(folder)
    relative = os.path.relpath(folder, carrier.context.repository)
    parts = [] if relative == "." else relative.split(os.sep)
    return ".".join([*parts, *((node.module or "").split(".") if node.module else [])])
