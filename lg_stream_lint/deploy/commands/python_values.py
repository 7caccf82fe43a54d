"""What a Python expression is without running it: literals, names of the module, environment variables with a default."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lg_stream_lint.deploy.commands.carrier import Variable
from lg_stream_lint.deploy.files import DeployFile, NotRead
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.syntax_tree import tree_of

if TYPE_CHECKING:
    from typing import TypeGuard


class Unknown:
    """The value of an expression that cannot be told."""


UNKNOWN = Unknown()
_GETENV = frozenset({"os.getenv", "os.environ.get", "getenv", "environ.get", "env.get"})
_CASTS = {"int": int, "float": float, "str": str}
_TRUE = frozenset({"true", "1", "yes", "on"})


class Value(NamedTuple):
    """A value, or :data:`UNKNOWN`; ``overridable``: the environment can replace it."""

    value: Any
    overridable: bool = False

    @property
    def known(self) -> bool:
        """Whether it can be told."""
        return self.value is not UNKNOWN


_UNKNOWN = Value(UNKNOWN)


class PythonFile:
    """A parsed Python file with the literal values of its module's names. Raises :class:`NotRead` when it cannot be parsed."""

    def __init__(self, file: DeployFile, env: Mapping[str, Variable]) -> None:
        self.file = file
        self.env = env
        try:
            self.tree = tree_of(file.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise NotRead(f"Python that cannot be parsed ({type(error).__name__})") from None
        self.assigned = _assigned(self.tree)
        #: What a name of another module is, or an attribute of one, as it is written here.
        self.elsewhere: Callable[[str], Value] | None = None
        self._depth = 0

    def value(self, node: ast.expr | None) -> Value:
        """What an expression is."""
        if node is None or self._depth > 30:
            return _UNKNOWN
        self._depth += 1
        try:
            return self._value(node)
        finally:
            self._depth -= 1

    def where(self, node: ast.AST) -> Where:
        """The place of a node."""
        row, end_row = node.lineno, node.end_lineno or node.lineno  # type: ignore[attr-defined]
        start = self._column(row, node.col_offset)  # type: ignore[attr-defined]
        return self.file.between(row, start, end_row, self._column(end_row, node.end_col_offset or 0))  # type: ignore[attr-defined]

    def _column(self, row: int, offset: int) -> int:
        """The column, from 1, of an offset in bytes."""
        line = self.file.lines[row - 1] if row <= len(self.file.lines) else ""
        if line.isascii():
            return offset + 1
        return len(line.encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")) + 1

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            return Value(node.value)
        if isinstance(node, ast.Name):
            if node.id not in self.assigned:
                return self.elsewhere(node.id) if self.elsewhere is not None else _UNKNOWN
            return self.value(self.assigned[node.id])
        if isinstance(node, ast.Attribute):
            written = dotted(node)
            own = written.partition(".")[0] in self.assigned
            return self.elsewhere(written) if written and not own and self.elsewhere is not None else _UNKNOWN
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            return self._either(node.values)
        if isinstance(node, (ast.List, ast.Tuple)):
            values = [self.value(item) for item in node.elts]
            known = all(value.known for value in values)
            return Value([v.value for v in values], any(v.overridable for v in values)) if known else _UNKNOWN
        if isinstance(node, ast.JoinedStr):
            return self._joined(node)
        if isinstance(node, ast.Compare):
            return self._compared(node)
        return self._arithmetic(node)

    def _either(self, values: list[ast.expr]) -> Value:
        """``x or y``: the first that is known to be true; what the environment may give comes first, and may be nothing."""
        overridable = False
        for node in values:
            found = self.value(node)
            if not found.known:
                return _UNKNOWN
            overridable |= found.overridable
            if found.value:
                return Value(found.value, overridable)
        return Value(found.value, overridable)

    def _call(self, node: ast.Call) -> Value:
        name = dotted(node.func)
        if name in _GETENV and node.args:
            return self._environment(node)
        if name in _CASTS and len(node.args) == 1 and not node.keywords:
            inner = self.value(node.args[0])
            try:
                return Value(_CASTS[name](inner.value), inner.overridable) if inner.known else _UNKNOWN
            except (TypeError, ValueError, OverflowError):
                return _UNKNOWN
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("lower", "strip", "upper") and not node.args:
            inner = self.value(node.func.value)
            return (
                Value(getattr(inner.value, node.func.attr)(), inner.overridable)
                if isinstance(inner.value, str)
                else _UNKNOWN
            )
        return _UNKNOWN

    def _environment(self, node: ast.Call) -> Value:
        name = self.value(node.args[0])
        if not isinstance(name.value, str):
            return _UNKNOWN
        if name.value in self.env:
            return Value(self.env[name.value].value, overridable=True)
        default = (
            node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "default"), None)
        )
        if default is None:
            return Value(None, overridable=True)
        return self.value(default)._replace(overridable=True)

    def _joined(self, node: ast.JoinedStr) -> Value:
        text, overridable = "", False
        for part in node.values:
            inner = self.value(part.value if isinstance(part, ast.FormattedValue) else part)
            if not inner.known or inner.value is None:
                return _UNKNOWN
            text += str(inner.value)
            overridable |= inner.overridable
        return Value(text, overridable)

    def _compared(self, node: ast.Compare) -> Value:
        """``os.getenv("RELOAD", "false") == "true"``, and ``in ("1", "true")``."""
        left, right = self.value(node.left), self.value(node.comparators[0])
        if len(node.ops) != 1 or not left.known or not right.known:
            return _UNKNOWN
        overridable = left.overridable or right.overridable
        if isinstance(node.ops[0], ast.Eq):
            return Value(left.value == right.value, overridable)
        if isinstance(node.ops[0], ast.In) and isinstance(right.value, list):
            return Value(left.value in right.value, overridable)
        return _UNKNOWN

    def _arithmetic(self, node: ast.expr) -> Value:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.value(node.operand)
            return Value(-inner.value, inner.overridable) if is_number(inner.value) else _UNKNOWN
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult, ast.Sub)):
            left, right = self.value(node.left), self.value(node.right)
            if not (is_number(left.value) and is_number(right.value)):
                return _UNKNOWN
            result = {ast.Add: left.value + right.value, ast.Sub: left.value - right.value}.get(
                type(node.op), left.value * right.value if max(abs(left.value), abs(right.value)) < 1e9 else UNKNOWN
            )
            return Value(result, left.overridable or right.overridable)
        return _UNKNOWN


def is_number(value: object) -> bool:
    """Whether it is a number, and no truth."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_true(value: object) -> bool:
    """What the environment's texts for a truth mean."""
    return value.lower() in _TRUE if isinstance(value, str) else value is True


def dotted(node: ast.AST) -> str:
    """``os.environ.get`` of nested attributes; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _assigned(tree: ast.Module) -> dict[str, ast.expr | None]:
    """The values of names that are assigned once in the file, and on no condition; None for all others that it assigns."""
    found: dict[str, ast.expr | None] = {}
    plain = {id(statement) for body in _bodies(tree) for statement in body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            pairs = [(node.target, node.value)] if node.value is not None else []
        else:
            continue
        for target, value in pairs:
            if isinstance(target, ast.Name):
                once = target.id not in found and id(node) in plain and not isinstance(node, ast.AugAssign)
                found[target.id] = value if once else None
    return found


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """The bodies of the module, of its functions, and of ``if __name__ == "__main__"``."""
    yield tree.body
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or is_main_guard(node):
            yield node.body


def is_main_guard(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether it is ``if __name__ == "__main__"``."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and dotted(node.test.left) == "__name__"
