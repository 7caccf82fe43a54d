"""A ``gunicorn.conf.py`` as options, read and never executed; and the names in it that gunicorn does not know."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from typing import NamedTuple

from lg_stream_lint.deploy.commands.carrier import Variable
from lg_stream_lint.deploy.commands.options import Option
from lg_stream_lint.deploy.commands.python_values import PythonFile, Value
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Origin, Setting, Where
from lg_stream_lint.knowledge import ServerOptions, knowledge

_CLOSE = 0.82
#: Words of the settings that a stream depends on: only their misspelt names are worth a finding.
_WORDS = frozenset({"timeout", "graceful_timeout", "keep_alive", "max_requests", "workers", "threads", "worker_class"})


class Conf(NamedTuple):
    """What a configuration file holds. ``open_ended``: there is more in it than can be read (a star import, ``exec``)."""

    options: Mapping[str, Option]
    unknown: tuple[Setting, ...]
    open_ended: bool
    first: Where


def read_conf(file: DeployFile, env: Mapping[str, Variable]) -> Conf:
    """The settings of a gunicorn configuration file. Raises :class:`~lg_stream_lint.deploy.files.NotRead`."""
    python = PythonFile(file, env)
    table = knowledge().servers["gunicorn"]
    options: dict[str, Option] = {}
    strangers: list[ast.Name] = []
    for target, value, sure in _assignments(python.tree):
        if target.id in table.options:
            options[target.id] = _option(target, python.value(value) if sure else None, python)
        elif target.id not in table.former:
            strangers.append(target)
    used = {node.id for node in ast.walk(python.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    unknown = tuple(
        Setting("unknown", name.id, meant, Origin.EXPLICIT, python.where(name))
        for name in strangers
        if name.id not in used and (meant := meant_by(name.id, table)) and meant not in options
    )
    first = min((option.where for option in options.values()), default=file.row(1), key=lambda where: where.span)
    return Conf(options, unknown, _is_open(python.tree), first)


def meant_by(name: str, table: ServerOptions) -> str:
    """The option that a misspelt name means: the one whose flag reads so, or the closest; empty when it is none of interest."""
    wanted = {option for option, word in table.words.items() if word in _WORDS}
    for option in wanted:
        if any(flag.lstrip("-").replace("-", "_") == name for flag in table.options[option].split()):
            return option
    if len(name) < 5 or name != name.lower() or name in table.options:
        return ""
    close = difflib.get_close_matches(name, sorted(table.options), n=1, cutoff=_CLOSE)
    return close[0] if close and close[0] in wanted else ""


def _assignments(tree: ast.Module) -> list[tuple[ast.Name, ast.expr, bool]]:
    """The names that the module assigns, with the value; the truth is false for one that depends on a condition."""
    found: list[tuple[ast.Name, ast.expr, bool]] = []
    pending = [(statement, True) for statement in reversed(tree.body)]
    while pending:
        statement, sure = pending.pop()
        if isinstance(statement, ast.Assign):
            found += [(t, statement.value, sure) for t in statement.targets if isinstance(t, ast.Name)]
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            found.append((statement.target, statement.value, sure))
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            found.append((statement.target, statement.value, False))
        elif isinstance(statement, (ast.If, ast.Try, ast.For, ast.While, ast.With)):
            parts = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody")]
            parts += [handler.body for handler in getattr(statement, "handlers", [])]
            pending += [(inner, False) for part in reversed(parts) for inner in reversed(part)]
    return found


def _option(target: ast.Name, value: Value | None, python: PythonFile) -> Option:
    """An option at its whole line ``name = value``; not literal where its value is not known."""
    where = python.file.row(target.lineno)
    known = value is not None and value.known and value.value is not None
    text = value.value if known and value is not None else ""
    if isinstance(text, list):
        text = text[0] if text else ""
    return Option(target.id, target.id, str(text), where, known, value is not None and value.overridable)


def _is_open(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("exec", "globals", "locals")
        ):
            return True
    return False


def is_conf(file: DeployFile) -> bool:
    """Whether a Python file is a configuration of gunicorn, by its name."""
    if file.name in ("gunicorn.conf.py", "gunicorn_conf.py", "gunicorn_config.py", "gunicorn.py", "gconf.py"):
        return True
    return "gunicorn" in file.name and file.name.endswith(".py") and "import gunicorn" not in file.text
