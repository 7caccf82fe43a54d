"""``python -m lg_stream_lint.knowledge.build`` writes ``_tables.py`` from the YAML files beside it.

This is also where the YAML is validated: an unknown key, a missing source, a wrong type or a path that stands twice is
an error that names the file and the row. ``--check`` writes nothing and fails when ``_tables.py`` is not current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lg_stream_lint.knowledge.schema import SCHEMAS, Field

HERE = Path(__file__).parent
GENERATED = HERE / "_tables.py"
DATE = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
SOURCE = re.compile(r"https://\S+|measured: \S+ \S+.*")


class TableError(ValueError):
    """A row that is not as the schema says."""


class Section(NamedTuple):
    """One list of rows: ``file``'s top-level ``key`` becomes the table ``name``."""

    file: str
    key: str
    name: str


SECTIONS = (
    Section("models.yaml", "models", "models"),
    Section("models.yaml", "providers", "providers"),
    Section("graphs.yaml", "factories", "graphs"),
    Section("methods.yaml", "methods", "methods"),
    Section("streaming.yaml", "modes", "stream_modes"),
    Section("streaming.yaml", "arguments", "stream_arguments"),
    Section("streaming.yaml", "mistakes", "stream_mistakes"),
    Section("savers.yaml", "savers", "savers"),
    Section("resources.yaml", "resources", "resources"),
    Section("responses.yaml", "responses", "responses"),
    Section("frameworks.yaml", "apps", "apps"),
    Section("frameworks.yaml", "markers", "markers"),
    Section("blocking.yaml", "functions", "blocking_functions"),
    Section("blocking.yaml", "classes", "blocking_classes"),
    Section("layers.yaml", "defaults", "layers"),
    Section("symptoms.yaml", "symptoms", "symptoms"),
    Section("servers.yaml", "servers", "servers"),
)


def convert(where: str, field: Field, value: Any) -> Any:
    """A YAML (or TOML) value as the constant that stands for it in the generated module."""
    if value is None:
        return field.default
    kind = field.kind
    if kind == "list" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if kind == "map" and isinstance(value, dict) and all(isinstance(item, str) for item in (*value, *value.values())):
        return tuple(value.items())
    if kind == "slots" and isinstance(value, dict):
        return tuple(_row(f"{where}, slot {key}", "slot", {"keyword": key, **slot}) for key, slot in value.items())
    if kind == "marks" and isinstance(value, dict):
        return tuple((key, _row(f"{where}, {key}", "mark", mark)) for key, mark in value.items())
    if kind == "mark" and isinstance(value, dict):
        return _row(f"{where}, mark", "mark", value)
    if kind == "number" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if kind == "timeout" and (value == "none" or (isinstance(value, (int, float)) and not isinstance(value, bool))):
        return value
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "str" and isinstance(value, str):
        if field.choices and value not in field.choices:
            raise TableError(f"{where}: {field.name} is {value!r}, not one of {', '.join(field.choices)}")
        return value
    raise TableError(f"{where}: {field.name} should be of kind {kind}, found {value!r}")


def _row(where: str, schema: str, row: Any) -> tuple[Any, ...]:
    fields = SCHEMAS[schema]
    if not isinstance(row, dict):
        raise TableError(f"{where}: a row is a mapping, found {row!r}")
    unknown = set(row) - {field.name for field in fields}
    if unknown:
        raise TableError(f"{where}: unknown key {min(unknown)!r}")
    values = []
    for field in fields:
        if field.required and row.get(field.name) is None:
            raise TableError(f"{where}: {field.name} is missing")
        values.append(convert(where, field, row.get(field.name)))
    return tuple(values)


def _check(where: str, row: Mapping[str, Any], seen: dict[str, str]) -> None:
    """Source, date and paths of one row."""
    if not SOURCE.fullmatch(str(row.get("source", ""))):
        found = row.get("source")
        raise TableError(f"{where}: source should be an address or 'measured: package version', found {found!r}")
    if not DATE.fullmatch(str(row.get("date", ""))):
        raise TableError(f"{where}: date should be YYYY-MM, found {row.get('date')!r}")
    paths = (row["path"], *row.get("aliases", ())) if "path" in row else ()
    for path in paths:
        if not DOTTED.fullmatch(path):
            raise TableError(f"{where}: {path!r} is not a dotted path")
        if path in seen:
            raise TableError(f"{where}: {path} stands already in {seen[path]}")
        seen[path] = where


def read_tables(folder: Path = HERE) -> dict[str, tuple[tuple[Any, ...], ...]]:
    """All tables, validated, as constants."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents: dict[str, Any] = {}
    tables: dict[str, tuple[tuple[Any, ...], ...]] = {}
    for section in SECTIONS:
        if section.file not in documents:
            text = (folder / section.file).read_text(encoding="utf-8")
            documents[section.file] = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader, either way
        rows = []
        seen: dict[str, str] = {}
        for number, row in enumerate(documents[section.file][section.key], 1):
            label = row.get("path") or row.get("name") or row.get("written") if isinstance(row, dict) else ""
            where = f"{section.file}: {section.key} row {number} ({label})"
            rows.append(_row(where, section.name, row))
            _check(where, row, seen)
        tables[section.name] = tuple(rows)
    for name, document in documents.items():
        known = {section.key for section in SECTIONS if section.file == name} | {"sources"}
        if set(document) - known:
            raise TableError(f"{name}: unknown section {min(set(document) - known)!r}")
    return tables


def _lines(tables: Mapping[str, tuple[tuple[Any, ...], ...]]) -> Iterable[str]:
    yield '"""Generated from the YAML files by ``python -m lg_stream_lint.knowledge.build``. Do not edit."""'
    yield ""
    yield "# ruff: noqa: E501"
    yield "# fmt: off"
    yield "from __future__ import annotations"
    yield ""
    yield "from typing import Any"
    yield ""
    yield "TABLES: dict[str, tuple[tuple[Any, ...], ...]] = {"
    for name, rows in tables.items():
        yield f"    {_literal(name)}: ("
        for row in rows:
            yield f"        {_literal(row)},"
        yield "    ),"
    yield "}"


def _literal(value: Any) -> str:
    """``repr`` with double quotes, so that the generated file is like the rest."""
    if isinstance(value, tuple):
        inner = ", ".join(map(_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return repr(value)


def generated_source(folder: Path = HERE) -> str:
    """The text that ``_tables.py`` should have."""
    return "\n".join(_lines(read_tables(folder))) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the generated module, or with ``--check`` say whether it is current."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        source = generated_source()
    except TableError as error:
        print(error, file=sys.stderr)
        return 1
    if "--check" in arguments:
        current = GENERATED.exists() and GENERATED.read_text(encoding="utf-8") == source
        if not current:
            print("_tables.py is not current: run python -m lg_stream_lint.knowledge.build", file=sys.stderr)
        return 0 if current else 1
    GENERATED.write_text(source, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
