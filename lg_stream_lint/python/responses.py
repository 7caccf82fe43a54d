"""What a streaming response says of itself: its media type and headers, wherever the project sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python import types
from lg_stream_lint.python.keywords import Keyword, keywords_of, mapping_of
from lg_stream_lint.python.middleware_headers import MiddlewareHeaders
from lg_stream_lint.python.outgoing import Outgoing, literal_text
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.sources import Source, sources
from lg_stream_lint.python.streams import Link, Stream
from lg_stream_lint.python.syntax import argument, string_value, walk
from lg_stream_lint.python.value import Kind, Value

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

EVENT_STREAM = "text/event-stream"
#: The header of the AI SDK's first protocol, whose lines (`0:"token"`) are no events whatever the media type says. Its second
#: one (`x-vercel-ai-ui-message-stream`) is made of events.
_DATA_STREAM = "x-vercel-ai-data-stream"
#: Frameworks that leave a written Content-Type alone, and drop the media type.
_HEADER_WINS = frozenset({"starlette", "fastapi"})
#: Starlette's order of positional arguments.
_ORDER = ("content", "status_code", "headers", "media_type")
#: Beginnings of media types that are downloads.
_FILES = (
    "audio/",
    "image/",
    "video/",
    "application/octet-stream",
    "application/zip",
    "application/pdf",
    "application/vnd.",
)


class Headers(NamedTuple):
    """The headers that are given or set, by lower-case name; ``unknown``: there may be more that cannot be seen."""

    given: dict[str, Keyword | None]
    unknown: bool

    def has(self, name: str) -> bool | None:
        """Whether the header is there; None when that cannot be told."""
        if name.lower() in self.given:
            return True
        return None if self.unknown else False


class Responses:
    """Answers about the responses of a project; each is computed once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.infer = facts.infer
        self._headers: dict[cst.Call, Headers] = {}
        self._middlewares = MiddlewareHeaders(facts)
        self._sources: dict[int, tuple[Function, Source] | None] = {}

    # The media type

    def media_type(self, stream: Stream) -> str | None:
        """The media type of the response, in lower case and without parameters; empty for none, None when not known."""
        found = self._media_type(stream)
        return found.partition(";")[0].strip().lower() if found is not None else None

    def _media_type(self, stream: Stream) -> str | None:
        row, call = stream.row, stream.call
        if row is None or call is None:
            return None
        given = self._given(stream, call)
        if given is None:
            return None
        headers = self.headers(stream)
        written = headers.given.get("content-type") if row.framework in _HEADER_WINS else None
        if written is not None:
            return self._text(written)
        for keyword in row.media_type_keywords:
            if keyword in given:
                return self._text(given[keyword])
        if "content-type" in headers.given:
            value = headers.given["content-type"]
            return self._text(value) if value is not None else None
        if headers.unknown:
            return None
        inherited = self._inherited(stream.class_value)
        return row.media_type if inherited == "" else inherited

    def is_event_stream(self, stream: Stream) -> bool:
        """Whether the response is known to be ``text/event-stream``, and no other protocol under that name."""
        return self.media_type(stream) == EVENT_STREAM and not self.headers(stream).has(_DATA_STREAM)

    def _given(self, stream: Stream, call: cst.Call) -> dict[str, Keyword] | None:
        """The arguments by name, those of ``**`` dicts and Starlette's positional ones included; None when not all are known."""
        keywords = keywords_of(self.facts, call, stream.module)
        if keywords.unknown or keywords.from_caller or any(arg.star == "*" for arg in call.args):
            return None
        given = dict(keywords.given)
        positions = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        if len(positions) > 1:
            if (
                stream.row is None
                or stream.row.framework not in ("starlette", "fastapi")
                or len(positions) > len(_ORDER)
            ):
                return None
            for name, value in zip(_ORDER, positions, strict=False):
                given.setdefault(name, Keyword(value, stream.module))
        return given

    def argument(self, stream: Stream, name: str) -> Keyword | None:
        """An argument of the response's construction, by name."""
        given = self._given(stream, stream.call) if stream.call is not None else None
        return given.get(name) if given is not None else None

    def _text(self, given: Keyword) -> str | None:
        if isinstance(given.node, cst.Name) and given.node.value == "None":
            return ""
        return self.text(given.node, given.module)

    def text(self, node: cst.CSTNode, module: Module) -> str | None:
        """The one string that an expression is known to be."""
        written = string_value(node)
        if written is not None:
            return written
        values = self.infer.of(node, module)
        texts = [string_value(v.node) if v.kind == Kind.LITERAL and v.name == "str" else None for v in values]
        return texts[0] if len(texts) == 1 else None

    def _inherited(self, value: Value | None) -> str | None:
        """The media type of a subclass; empty when it is the library's, None when the subclass may set it anywhere."""
        if value is None or value.kind != Kind.CLASS or value.cls is None:
            return ""
        for cls in types.bases(self.infer, value.cls):
            bindings = cls.scope.bindings.get("media_type", [])
            if len(bindings) == 1 and bindings[0].kind == "assign" and bindings[0].node is not None:
                return self.text(bindings[0].node, cls.module)
            if bindings or "__init__" in cls.methods or "init_headers" in cls.methods:
                return None
        return ""

    # The headers

    def headers(self, stream: Stream) -> Headers:
        """Every header that the response is given when it is built and on its way out of the handler."""
        call = stream.call
        if call is None:
            return Headers({}, unknown=True)
        known = self._headers.get(call)
        if known is None:
            self._headers[call] = Headers({}, unknown=True)
            known = self._headers[call] = self._find_headers(stream, call)
        return known

    def _find_headers(self, stream: Stream, call: cst.Call) -> Headers:
        row, module = stream.row, stream.module
        found: dict[str, Keyword | None] = {}
        given = self._given(stream, call)
        unknown = given is None
        if row is not None and given is not None and row.headers_keyword in given:
            value = given[row.headers_keyword]
            mapping = mapping_of(self.facts, value.node, value.module)
            found.update({name.lower(): item for name, item in mapping.given.items()})
            unknown = unknown or mapping.unknown or mapping.from_caller
        found.update(self._of_class(stream.class_value))
        later = Outgoing(self.facts)
        later.follow(call, module, 0)
        found.update(later.found)
        return Headers(found, unknown or later.unknown)

    def _of_class(self, value: Value | None) -> dict[str, Keyword | None]:
        """The names of headers that a response class of the project speaks of, and whatever else it spells like one."""
        found: dict[str, Keyword | None] = {}
        if value is None or value.kind != Kind.CLASS or value.cls is None:
            return found
        for cls in types.bases(self.infer, value.cls):
            for node in walk(cls.node.body):
                text = literal_text(node)
                if text is not None and "-" in text and " " not in text:
                    found[text.lower()] = None
        return found

    def project_sets(self, name: str) -> bool:
        """Whether a middleware of the project (or a hook after each request) speaks of the header."""
        return self._middlewares.speak_of(name)

    # What it streams

    def source(self, stream: Stream) -> tuple[Function, Source] | None:
        """The first iteration of a graph, chain or model among the generators of a stream, if there is one."""
        key = id(stream.call if stream.call is not None else stream.handler)
        if key not in self._sources:
            self._sources[key] = None
            for link in self.facts.streams.links(stream):
                found = next(sources(self.facts, link.function), None)
                if found is not None:
                    self._sources[key] = (link.function, found)
                    break
        return self._sources[key]

    def frame(self, stream: Stream) -> tuple[Function, cst.Yield] | None:
        """The generator that yields events to this response, looking through generators that only pass items on."""
        for link in self.facts.streams.links(stream):
            if not passes_on(link):
                continue
            found = self.facts.frames.yields_frames(link.function)
            if found is not None:
                return link.function, found
        return None

    def is_token_stream(self, stream: Stream) -> bool:
        """Whether the response is one that people watch grow: events, or a model's output that is no file."""
        media_type = self.media_type(stream)
        if media_type == EVENT_STREAM:
            return True
        if media_type is not None and media_type.startswith(_FILES):
            return False
        if self.headers(stream).has("content-disposition"):
            return False
        if self.source(stream) is not None or self.frame(stream) is not None:
            return True
        return any(self._asks_model(link.function) for link in self.facts.streams.links(stream))

    def _asks_model(self, function: Function) -> bool:
        """Whether a generator calls an SDK client, or an object of another library that was built around a graph or model."""
        module = function.module
        for call in function.calls:
            for value in self.infer.of(call.func, module):
                owner = value.inner
                if value.kind != Kind.METHOD or owner is None or owner.cls is not None:
                    continue
                made, home = owner.node, owner.home
                if isinstance(made, cst.Call) and home is not None and self._is_model_client(made, home):
                    return True
        return False

    def _is_model_client(self, made: cst.Call, home: Module) -> bool:
        if any(value.is_runnable for arg in made.args for value in self.infer.of(arg.value, home)):
            return True
        for value in self.infer.of(made.func, home):
            row = self.facts.project.knowledge.models.get(value.name)
            if row is not None and row.kind == "sdk":
                first = argument(made, "service_name", 0)
                return not row.when_argument or string_value(first) == row.when_argument
        return False

    # The route's response class

    def response_class(self, handler: Function) -> tuple[Module, cst.BaseExpression] | None:
        """The ``response_class`` of the route that a function is registered as, where it is written."""
        for decorator in handler.decorators:
            if isinstance(decorator, cst.Call):
                given = argument(decorator, "response_class")
                if given is not None:
                    return handler.module, given
        for module, call in self.facts.functions.registered_by(handler):
            given = argument(call, "response_class")
            if given is not None:
                return module, given
        return None

    def declared_framing(self, handler: Function) -> str:
        """How the route's response class frames what it is given; empty when there is none, or it cannot be told."""
        found = self.response_class(handler)
        if found is None:
            return ""
        module, node = found
        for value in self.infer.of(node, module):
            row = self.facts.streams.response_class(value)
            if row is not None:
                return row.framing
        return "?"

    def never_awaited(self, stream: Stream) -> bool:
        """Whether the response is built in a handler that FastAPI's SSE class turns into an empty answer anyway."""
        function = stream.module.function_at(stream.call) if stream.call is not None else None
        return (
            function is not None
            and not function.is_generator
            and self.declared_framing(function) == "fastapi-sse-marker"
            and self.facts.functions.is_handler(function)
        )


def passes_on(link: Link) -> bool:
    """Whether what a link yields reaches the response unchanged: it is the outermost, or is only passed on."""
    while link.outer is not None:
        loop, outer = link.loop, link.outer.function
        if isinstance(loop, cst.For) and isinstance(loop.target, cst.Name):
            name = loop.target.value
            if not any(isinstance(y.value, cst.Name) and y.value.value == name for y in outer.yields):
                return False
        elif not isinstance(loop, cst.Yield):
            return False
        link = link.outer
    return True


__all__ = ["EVENT_STREAM", "Headers", "Responses", "passes_on"]
