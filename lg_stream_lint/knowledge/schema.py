"""The fields of each table, in the order of the row types in :mod:`.rows`; used by ``build`` and by ``extension``."""

from __future__ import annotations

from typing import Any, NamedTuple


class Field(NamedTuple):
    """One field of a row as it is written in YAML.

    ``kind``: ``str``, ``bool``, ``int``, ``number``, ``timeout`` (a number or ``none``), ``list`` (of strings), ``map``
    (of strings), ``slots``, ``mark`` or ``marks``.
    """

    name: str
    kind: str = "str"
    default: Any = ""
    required: bool = False
    choices: tuple[str, ...] = ()


def _required(name: str, kind: str = "str", *choices: str) -> Field:
    return Field(name, kind, required=True, choices=choices)


def _list(name: str) -> Field:
    return Field(name, "list", ())


def _map(name: str) -> Field:
    return Field(name, "map", ())


def _flag(name: str) -> Field:
    return Field(name, "bool", default=False)


_PATHS = (_required("path"), _list("aliases"))
_ORIGIN = (Field("note"), _required("source"), _required("date"))
_UNIT = ("seconds", "milliseconds")
_ROLES = ("graph", "builder", "chain", "prompt", "parser", "retriever", "model", "tool")
_MARKS = (
    "route",
    "websocket",
    "middleware",
    "exception-handler",
    "lifespan",
    "startup",
    "dependency",
    "background",
    "node",
    "edge",
    "tool",
    "task",
    "entrypoint",
    "runnable",
    "callback",
    "thread",
    "loop",
    "process",
    "context-manager",
    "fixture",
    "transparent",
)
_KINDS = ("async-generator", "awaitable", "generator", "blocking", "value")
_CATEGORIES = (
    "sleep",
    "http",
    "llm",
    "database",
    "subprocess",
    "thread",
    "cloud",
    "vector-store",
    "embeddings",
    "network",
    "mail",
    "cache",
    "queue",
    "terminal",
    "document-loader",
)

SCHEMAS: dict[str, tuple[Field, ...]] = {
    "slot": (
        _required("keyword"),
        _required("kind", "str", "http-client", "mapping", "config", "client"),
        _list("keys"),
        Field("unit", default="seconds", choices=_UNIT),
        Field("side", default="both", choices=("sync", "async", "both")),
        Field("effective", "bool", default=True),
        Field("type"),
        _list("refuses"),
        Field("note"),
    ),
    "mark": (
        _required("mark", "str", *_MARKS),
        Field("position", "int", 0),
        Field("keyword"),
    ),
    "models": (
        *_PATHS,
        _required("kind", "str", "chat", "llm", "sdk", "function"),
        _required("provider"),
        _required("package"),
        _list("timeout_keywords"),
        Field("timeout_unit", default="seconds", choices=_UNIT),
        Field("default_timeout", "timeout", None),
        Field("slots", "slots", ()),
        _map("ineffective"),
        Field("retries_keyword"),
        Field("retries_default", "int", None),
        Field("call_timeout"),
        Field("total_for", choices=("", "async", "both")),
        Field("chunk_timeout_keyword"),
        Field("chunk_timeout", "number", None),
        Field("chunk_timeout_since"),
        _flag("asynchronous"),
        Field("list_content", choices=("", "always", "tools")),
        _list("list_keywords"),
        _list("list_models"),
        _list("budget_keywords"),
        _flag("takes_streaming"),
        Field("when_argument"),
        _list("constructors"),
        *_ORIGIN,
    ),
    "providers": (
        _required("name"),
        _required("model"),
        _list("prefixes"),
        _required("source"),
        _required("date"),
    ),
    "graphs": (
        *_PATHS,
        _required("role", "str", *_ROLES),
        _required("form", "str", "class", "type", "function", "decorator"),
        _list("constructors"),
        _flag("awaited"),
        _map("overrides"),
        Field("checkpointer_keyword"),
        _list("nodes"),
        *_ORIGIN,
    ),
    "methods": (
        _required("name"),
        _required("roles", "list"),
        _required("kind", "str", *_KINDS),
        Field("returns"),
        Field("twin"),
        _flag("distinct"),
        Field("unless_keyword"),
        Field("unless_value"),
        Field("unless_kind"),
        Field("unless_since"),
        *_ORIGIN,
    ),
    "stream_modes": (
        _required("name"),
        _required("item", "str", "message", "update", "state", "event", "any"),
        Field("since"),
        *_ORIGIN,
    ),
    "stream_arguments": (
        _required("name"),
        _list("methods"),
        Field("since"),
        *_ORIGIN,
    ),
    "stream_mistakes": (
        _required("kind", "str", "mode", "argument"),
        _required("written"),
        Field("instead"),
        *_ORIGIN,
    ),
    "savers": (
        *_PATHS,
        _required("mode", "str", "sync", "async", "both"),
        _required("package"),
        _flag("in_memory"),
        Field("both_since"),
        _list("entered"),
        *_ORIGIN,
    ),
    "resources": (
        *_PATHS,
        _required("form", "str", "class", "result", "context"),
        Field("error"),
        Field("label"),
        Field("when_true"),
        _flag("quiet"),
        _flag("tools"),
        *_ORIGIN,
    ),
    "responses": (
        *_PATHS,
        _required("framework"),
        _required("streams", "bool"),
        _required("framing", "str", "raw", "sse-starlette", "fastapi-sse-marker", "litestar-sse", "manual", "none"),
        Field("content"),
        Field("position", "int", 0),
        Field("media_type"),
        _list("media_type_keywords"),
        Field("headers_keyword"),
        _list("items"),
        _flag("takes_function"),
        _flag("pings"),
        _flag("unbuffered"),
        *_ORIGIN,
    ),
    "apps": (
        *_PATHS,
        _required("framework"),
        _required("kind", "str", "app", "router", "builder", "other"),
        _map("decorators"),
        Field("calls", "marks", ()),
        _map("constructor_calls"),
        *_ORIGIN,
    ),
    "markers": (
        *_PATHS,
        _required("framework"),
        _required("form", "str", "decorator", "call", "base"),
        Field("mark", "mark", ("callback", -1, "")),
        _map("methods"),
        *_ORIGIN,
    ),
    "symptoms": (
        _required("name"),
        _required("words", "list"),
        _required("ending", "str", "reset", "clean", "late", "held", "any"),
        _required("says"),
        _required("causes", "list"),
        *_ORIGIN,
    ),
    "layers": (
        _required("layer"),
        _required("name"),
        Field("kind", choices=("", "idle", "total", "first_byte", "grace", "block")),
        _required("key"),
        _required("value", "timeout"),
        Field("since"),
        Field("before"),
        Field("when"),
        *_ORIGIN,
    ),
    "servers": (
        _required("name"),
        _map("options"),
        _list("switches"),
        _map("words"),
        _list("former"),
        Field("env_prefix"),
        _flag("abbreviated"),
        *_ORIGIN,
    ),
    "blocking_functions": (
        *_PATHS,
        _required("category", "str", *_CATEGORIES),
        _required("instead"),
        Field("longest", "number", None),
        *_ORIGIN,
    ),
    "blocking_classes": (
        *_PATHS,
        _required("category", "str", *_CATEGORIES),
        _required("instead"),
        _list("methods"),
        _list("harmless"),
        _list("class_methods"),
        _list("constructors"),
        _map("derived"),
        *_ORIGIN,
    ),
}
