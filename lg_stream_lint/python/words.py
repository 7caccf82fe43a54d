"""The words of the gate: plain ones are looked for in a file's bytes, those that begin with ``@`` in other ways too.

* ``@models``, ``@responses``: a name of that table, as a whole word. A class can reach a file under another name (an alias,
  a dict of classes, a getter), so every file that imports one where such a name stands *without being called* has it too.
* ``@feeding``: the file yields, and a module that builds a response imports it, or it holds a route itself.
* ``@run``: the file calls something by the name of a graph's method.
* ``@stream-from-elsewhere``: the file may get a stream under a name, as something of the project asks for one that it does
  not iterate itself.
* ``@langchain``: the project speaks of LangGraph or LangChain anywhere: where names count as evidence, that is enough.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lg_stream_lint.knowledge import Knowledge
    from lg_stream_lint.python.project import Project

_ROUTE = re.compile(
    rb"@[ \t]*[\w.]+\.(?:get|post|put|patch|delete|options|head|route|api_route|websocket)\b"
    rb"|@[ \t]*(?:get|post|put|patch|delete|route|websocket\w*)[ \t]*\(|add_api_route|add_route|Route\("
    rb"|[^.\w]re_path\(|[^.\w]path\("
)
_RUN = re.compile(rb"\b(?:a?stream|a?invoke|astream_events)[\s\\]*\(")
_STREAMS = frozenset({"stream", "astream", "astream_events"})
_LANGCHAIN = re.compile(rb"langgraph|langchain")
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+[.\w]+[ \t]+import[ \t]*(?:\([^)]*\)|[^\r\n]*)|import[^\r\n]*)", re.MULTILINE
)
#: What stands before and after a class that is handed on: assigned, passed, returned, put into a collection.
_HANDED_BEFORE = re.compile(
    rb"(?:[=(,\[{]|[\"'\])][ \t]*:|\breturn|\belse|\bif|\bor|\band|\byield|^)[ \t]*(?:[\w.]+\.)?$"
)
_HANDED_AFTER = re.compile(rb"[ \t]*(?:[,)\]}#\r\n]|$|if\b|else\b|or\b|and\b)")
_CALLED_AFTER = re.compile(rb"[ \t]*\(")
#: Response classes with names that every program uses: they count beside their framework's name only.
_PLAIN_CLIENTS = frozenset({"Client", "AsyncClient", "ClientV2", "AsyncClientV2", "client", "Router"})
_PLAIN_FRAMEWORKS = ("flask", "quart", "litestar", "aiohttp")


class Words:
    """Answers whether a file, or what it imports, holds a word; each answer is computed once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.closure = project.import_graph.closure
        self._here: dict[tuple[str, str], bool] = {}

    def any(self, path: str, group: tuple[str, ...]) -> bool:
        """Whether the file holds one of the words."""
        return any(self._holds(path, word) for word in group)

    def any_reached(self, path: str, group: tuple[str, ...]) -> bool:
        """Whether the file, or anything of the project that it imports, holds one of the words."""
        return self.any(path, group) or any(self.any(other, group) for other in self.closure(path))

    def _holds(self, path: str, word: str) -> bool:
        key = (path, word)
        known = self._here.get(key)
        if known is None:
            known = self._here[key] = self._look(path, word)
        return known

    def _look(self, path: str, word: str) -> bool:
        source = self.project.read(path) or b""
        if word == "@models":
            return self._table_word(path, source, self._models, self._models_handed_on)
        if word == "@responses":
            return self._table_word(path, source, self._responses, self._responses_handed_on)
        if word == "@feeding":
            return b"yield" in source and (path in self._imported_by_responses or _ROUTE.search(source) is not None)
        if word == "@run":
            return _RUN.search(source) is not None
        if word == "@stream-from-elsewhere":
            return self._hands_on_stream or any(self._holds(p, "@hands-on-stream") for p in self.closure(path) - {path})
        if word == "@hands-on-stream":
            return hands_on_stream(source)
        if word == "@langchain":
            return self._project_uses_langchain
        return word.encode() in source

    def _table_word(self, path: str, source: bytes, names: re.Pattern[bytes], handed_on: frozenset[str]) -> bool:
        if names.search(source) is not None or not handed_on.isdisjoint(self.closure(path)):
            return True
        return names is self._responses and self._holds_plain_response(source)

    def _holds_plain_response(self, source: bytes) -> bool:
        return (
            any(name.encode() in source for name in _PLAIN_FRAMEWORKS)
            and self._plain_responses.search(source) is not None
        )

    # What the tables stand for

    def any_own(self, path: str) -> bool:
        """Whether the file, or anything that it imports, speaks of what the configuration adds to the tables."""
        names = {name.rpartition(".")[2] for name in self.project.knowledge.own}
        return bool(names) and self.any_reached(path, tuple(sorted(names)))

    @cached_property
    def _models(self) -> re.Pattern[bytes]:
        return whole_words(model_names(self.project.knowledge))

    @cached_property
    def _responses(self) -> re.Pattern[bytes]:
        return whole_words(response_names(self.project.knowledge, plain=False))

    @cached_property
    def _plain_responses(self) -> re.Pattern[bytes]:
        return whole_words(response_names(self.project.knowledge, plain=True))

    @cached_property
    def _models_handed_on(self) -> frozenset[str]:
        return self._handing_on(self._models)

    @cached_property
    def _responses_handed_on(self) -> frozenset[str]:
        return self._handing_on(self._responses)

    def _handing_on(self, names: re.Pattern[bytes]) -> frozenset[str]:
        """The files in which a class is more than imported, annotated or called: others may get it under any name."""
        return frozenset(path for path in self.project.files() if hands_on(self.project.read(path) or b"", names))

    @cached_property
    def _imported_by_responses(self) -> frozenset[str]:
        """Every file that a module with a response's name imports, directly or not."""
        found: set[str] = set()
        for path in self.project.files():
            if self._holds(path, "@responses"):
                found |= self.closure(path)
        return frozenset(found)

    @cached_property
    def _hands_on_stream(self) -> bool:
        """Whether code that is no test hands on a stream: to what it calls, or to what calls it."""
        from lg_stream_lint.python.gate import is_test_module

        paths = (path for path in self.project.files() if not is_test_module(path))
        return any(self._holds(path, "@hands-on-stream") for path in paths)

    @cached_property
    def _project_uses_langchain(self) -> bool:
        return any(_LANGCHAIN.search(self.project.read(path) or b"") for path in self.project.files())


def whole_words(names: set[str]) -> re.Pattern[bytes]:
    """A pattern for any of the names as a whole word."""
    return re.compile(rb"\b(?:" + b"|".join(sorted(re.escape(name).encode() for name in names)) + rb")\b")


def model_names(tables: Knowledge) -> set[str]:
    """The last parts of the paths by which a model or client is built."""
    names: set[str] = {"init_chat_model"}
    for path, row in tables.models.items():
        last = path.rpartition(".")[2]
        if row.kind != "function":
            # `Client` is a word of every program: there, the package's name is what counts.
            names.add(path.partition(".")[0] if last in _PLAIN_CLIENTS else last)
    return names


def response_names(tables: Knowledge, *, plain: bool) -> set[str]:
    """The names of the classes that stream: those of frameworks whose class is called ``Response``, or all the others."""
    return {
        path.rpartition(".")[2]
        for path, row in tables.responses.items()
        if row.streams and (row.framework in _PLAIN_FRAMEWORKS) is plain
    }


def hands_on(source: bytes, names: re.Pattern[bytes]) -> bool:
    """Whether a class's name stands where it is neither called, annotated nor imported under itself, but handed on."""
    if names.search(source) is None:
        return False
    for statement in _IMPORT.finditer(source):
        if b" as " in statement.group() and names.search(statement.group()):
            return True
    rest = _IMPORT.sub(b"", source)
    for match in names.finditer(rest):
        start, end = match.span()
        line = rest[rest.rfind(b"\n", 0, start) + 1 : start]
        if _CALLED_AFTER.match(rest, end) or not _HANDED_AFTER.match(rest, end) or not _HANDED_BEFORE.search(line):
            continue
        if line.lstrip().startswith(b"class "):
            continue
        if line.count(b'"') % 2 == 0 and line.count(b"'") % 2 == 0 and b"#" not in line:
            return True
    return False


def hands_on_stream(source: bytes) -> bool:
    """Whether a stream is asked for and neither iterated nor entered on the spot: others may iterate it under any name."""
    if _RUN.search(source) is None:
        return False
    import ast

    from lg_stream_lint.syntax_tree import tree_of

    try:
        tree = tree_of(source)
    except Exception:  # noqa: BLE001 - unknown: it may
        return True
    nodes = list(ast.walk(tree))
    on_the_spot = {id(node.iter) for node in nodes if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension))}
    on_the_spot |= {id(node.context_expr) for node in nodes if isinstance(node, ast.withitem)}  # HTTP clients' streams
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _STREAMS
        and id(node) not in on_the_spot
        for node in nodes
    )
