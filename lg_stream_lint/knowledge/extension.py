"""The user's own rows, as they stand in the configuration.

    [tool.lg-stream-lint.extend]
    models = ["corp.llm.CorpChat", {path = "corp.llm.Client", like = "openai.OpenAI", timeout_keywords = ["wait"]}]
    graphs = ["corp.graphs.build_graph", {path = "corp.chains.build_chain", role = "chain"}]
    blocking = ["corp.db.fetch", {path = "corp.db.Session", methods = ["query", "commit"]}]
    responses = ["corp.http.Tokens", {path = "corp.http.Events", like = "sse_starlette.EventSourceResponse"}]
    savers = [{path = "corp.memory.Saver", mode = "async"}]

An entry is a dotted path, or a table with ``path`` and any fields of the row (see :mod:`.rows`). ``like`` takes all
other fields from a known row. A bare path behaves like a chat model with ``timeout`` that waits for ever without it, a
function or class that gives a compiled graph, a function that blocks, a ``StreamingResponse``, or a saver for both
colours. An entry whose path is known already replaces the built-in row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lg_stream_lint.knowledge.schema import SCHEMAS, Field

Raw = tuple[Any, ...]

#: Key of the configuration → (table, defaults of a bare path).
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "models": (
        "models",
        {
            "kind": "chat",
            "provider": "custom",
            "package": "",
            "timeout_keywords": ["timeout", "request_timeout"],
            "default_timeout": "none",
        },
    ),
    "graphs": ("graphs", {"role": "graph", "form": "function"}),
    "savers": ("savers", {"mode": "both", "package": ""}),
    "responses": (
        "responses",
        {
            "framework": "custom",
            "streams": True,
            "framing": "raw",
            "content": "content",
            "media_type_keywords": ["media_type"],
            "headers_keyword": "headers",
            "items": ["str", "bytes", "memoryview"],
        },
    ),
    "blocking": (
        "blocking_functions",
        {"category": "network", "instead": "an asynchronous call, or asyncio.to_thread"},
    ),
}
_ORIGIN = {"source": "the configuration", "date": ""}


class ExtensionError(ValueError):
    """An entry that cannot be understood; the message says which and why.

    ``path`` and ``key`` are the words of the entry by which its place in the file can be found, empty for none.
    """

    def __init__(self, message: str, path: str = "", key: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.key = key


def extended(
    tables: Mapping[str, tuple[Raw, ...]], extension: Mapping[str, Any]
) -> tuple[dict[str, tuple[Raw, ...]], frozenset[str]]:
    """``tables`` with the entries of ``extension`` added, and the paths of those; neither argument is changed."""
    result = dict(tables)
    own: set[str] = set()
    for key, entries in extension.items():
        if key not in KINDS:
            raise ExtensionError(f"extend.{key} is unknown; known are {', '.join(KINDS)}{_meant(key, KINDS)}")
        if not isinstance(entries, list):
            raise ExtensionError(f"extend.{key} should be a list")
        for entry in entries:
            table, row = _entry(key, entry, result)
            paths = {row[0], *row[1]}
            kept = tuple(_without(known, paths) for known in result.get(table, ()) if known[0] not in paths)
            result[table] = (*kept, row)
            own |= paths | _constructors(table, row)
    return result, frozenset(own)


def _constructors(table: str, row: Raw) -> set[str]:
    """The other functions whose result is an object of the row's class (where they are full paths)."""
    names = [field.name for field in SCHEMAS[table]]
    return set(row[names.index("constructors")]) if table == "blocking_classes" else set()


def _without(row: Raw, paths: set[str]) -> Raw:
    """A row that no longer answers to the aliases that another row has taken over."""
    if paths.isdisjoint(row[1]):
        return row
    return (row[0], tuple(alias for alias in row[1] if alias not in paths), *row[2:])


def _entry(key: str, entry: Any, tables: Mapping[str, tuple[Raw, ...]]) -> tuple[str, Raw]:
    """The table and the row that an entry stands for."""
    written = {"path": entry} if isinstance(entry, str) else dict(entry) if isinstance(entry, Mapping) else {}
    path = written.get("path")
    if not isinstance(path, str) or "." not in path or not all(part.isidentifier() for part in path.split(".")):
        hint = _meant(min(written), ("path",)) if "path" not in written and len(written) else ""
        raise ExtensionError(
            f"extend.{key}: {_shown(entry)} is neither a dotted path nor a table with a dotted path{hint}",
            entry if isinstance(entry, str) else path if isinstance(path, str) else "",
            "" if isinstance(entry, str) or "path" in written else min(written, default=""),
        )
    table, defaults = KINDS[key]
    like = written.pop("like", None)
    if like is not None and not isinstance(like, str):
        raise ExtensionError(
            f"extend.{key}: like of {path} should be a dotted path, found {_shown(like)}", path, "like"
        )
    if key == "blocking" and ("methods" in written or like in _paths(tables["blocking_classes"])):
        table = "blocking_classes"
    template: Raw | None = None
    if like is not None:
        template = _paths(tables.get(table, ())).get(like)
        if template is None:
            hint = _meant(like, _paths(tables.get(table, ())))
            raise ExtensionError(
                f"extend.{key}: {path} is said to be like {like}, which is not in the tables{hint}", path, "like"
            )
    fields = SCHEMAS[table]
    known = [field.name for field in fields if field.name not in _ORIGIN]
    unknown = written.keys() - {*known, *_ORIGIN}
    if unknown:
        wrong = min(unknown)
        names = [*known, "like"]
        if key == "blocking":
            names += [field.name for field in SCHEMAS["blocking_classes"] if field.name not in (*_ORIGIN, *known)]
        hint = _meant(wrong, names) or f"; known are {', '.join(names)}"
        raise ExtensionError(f'extend.{key}: {path} has an unknown key "{wrong}"{hint}', path, wrong)
    values = []
    for index, field in enumerate(fields):
        if field.name in written:
            values.append(_value(f"extend.{key}: {path}", path, field, written[field.name]))
        elif field.name in _ORIGIN:
            values.append(_ORIGIN[field.name])
        elif template is not None and field.name not in ("aliases", "constructors"):
            values.append(template[index])
        else:
            values.append(_constant(defaults.get(field.name, field.default)))
    return table, tuple(values)


def _paths(rows: tuple[Raw, ...]) -> dict[str, Raw]:
    return {path: row for row in rows for path in (row[0], *row[1])}


def _constant(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _value(where: str, path: str, field: Field, value: Any) -> Any:
    """A value of the configuration as the constant that a table holds."""
    from lg_stream_lint.knowledge.build import TableError, convert

    try:
        return convert(where, field, value)
    except TableError as error:
        raise ExtensionError(str(error), path, field.name) from None


def _meant(word: str, known: Iterable[str]) -> str:
    """``; did you mean "…"?`` when a known word is close, else nothing."""
    import difflib

    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.7)
    return f'; did you mean "{close[0]}"?' if close else ""


def _shown(value: Any) -> str:
    """A value of the configuration as TOML writes it, near enough to be recognised."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
