"""What a Python file says that the rules over settings ask: its streams, its models' limits, what blocks in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.deploy.code import BlockFact, DeadlineFact, FileFacts, ModelFact, StreamFact
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.finding import Finding, Severity, Span
from lg_stream_lint.python.deadlines import scopes_of
from lg_stream_lint.python.gate import is_test_module
from lg_stream_lint.python.keywords import Keywords, keywords_of
from lg_stream_lint.python.lengths import length_of
from lg_stream_lint.python.model_builds import Build, build_of, feeds_stream, number, read_limit
from lg_stream_lint.python.responses import EVENT_STREAM
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.silence import may_be_silent, pings, pings_by_itself
from lg_stream_lint.python.sources import model_stream, sources
from lg_stream_lint.python.streams import Stream
from lg_stream_lint.python.syntax import called_name, positional, string_value, walk_same_scope
from lg_stream_lint.python.unbuffered import asks_for_no_buffering

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

_BLOCKING = ("LGS201", "LGS204")
#: The rules whose findings are facts.
NEEDED = (*_BLOCKING, "LGS410")
#: Adapters between an application and Lambda: what they return is the whole answer.
_COLLECTING = (
    ("Mangum", "mangum."),
    ("make_lambda_handler", "apig_wsgi."),
    ("response", "awsgi."),
    ("handle_request", "serverless_wsgi."),
)
_WAITS = frozenset({"wait", "wait_for", "timeout", "fail_after", "move_on_after", "sleep", "timeout_at"})
#: Seconds between the pings of sse-starlette and of FastAPI's SSE class (measured: sse-starlette 3.7.0, fastapi 0.165.0).
_OWN_PING = 15.0


def file_facts(module: Module, findings: Sequence[Finding]) -> FileFacts | None:
    """The facts of one file, given its findings; None for tests and for files that say nothing."""
    if is_test_module(module.path):
        return None
    facts = module.project.facts
    found = FileFacts(
        module.path,
        streams=tuple(_streams(facts, module)),
        models=tuple(_models(facts, module)),
        blocking=tuple(_blocking(facts, module, findings)),
        memory_savers=tuple(_memory_savers(facts, module)),
        mangum=tuple(where for name, prefix in _COLLECTING for where in _named(facts, module, name, prefix)),
        at_shutdown=tuple(Where(module.path, found.span) for found in findings if found.code == "LGS410"),
        deadlines=tuple(dict.fromkeys(_deadlines(facts, module))),
    )
    return found if any(found[1:]) else None


def _where(module: Module, node: cst.CSTNode) -> Where:
    return Where(module.path, module.span(node))


def _blocking(facts: Facts, module: Module, findings: Sequence[Finding]) -> Iterator[BlockFact]:
    streaming = None
    for finding in findings:
        if finding.code in _BLOCKING and finding.severity != Severity.INFO:
            if streaming is None:
                streaming = list(_streaming(facts, module))
            what = _called(finding.message.partition(" blocks ")[0])
            inside = any(span.row <= finding.span.row <= span.end_row for span in streaming)
            seconds = _length(facts, module, finding.span)
            yield BlockFact(Where(module.path, finding.span), finding.code, what, seconds, inside)


def _called(start: str) -> str:
    """What blocks, and in which plain functions, from the start of a finding's message."""
    path, reaches, call = start.removesuffix(", which").partition(" reaches ")
    return f"{call} in {path}" if reaches else start


def _length(facts: Facts, module: Module, span: Span) -> float | None:
    """How long what is called there, or through it, blocks; None where that is not known."""
    call = next((call for call in module.calls if module.span(call) == span), None)
    function = module.function_at(call) if call is not None else None
    reached = facts.blocking.reached(function) if function is not None else ()
    return next((length_of(facts, each, module) for each in reached if each.node is call), None)


def _streaming(facts: Facts, module: Module) -> Iterator[Span]:
    """Where the functions of a module stand that answer with a stream or feed one."""
    for stream in facts.streams.of(module):
        functions = [link.function for link in facts.streams.links(stream)]
        for function in (*functions, *([stream.handler] if stream.handler is not None else [])):
            if function.module is module:
                yield module.span(function.node)


# Streams


def _streams(facts: Facts, module: Module) -> Iterator[StreamFact]:
    for stream in facts.streams.of(module):
        node = stream.call if stream.call is not None else stream.handler.node if stream.handler is not None else None
        if node is None or not _carries_tokens(facts, stream):
            continue
        handler = stream.handler or module.function_at(node)
        functions = [link.function for link in facts.streams.links(stream)]
        found = [source for function in functions for source in sources(facts, function)]
        yield StreamFact(
            _where(module, node),
            tuple(routes_of(handler)) if handler is not None else (),
            heartbeat(facts, stream),
            asks_for_no_buffering(facts, stream),
            facts.responses.media_type(stream) == EVENT_STREAM or pings_by_itself(facts, stream),
            handler is not None and not handler.is_generator and _waits(facts, handler),
            any("tool" in may_be_silent(facts, source) for source in found),
        )


def _waits(facts: Facts, handler: Function) -> bool:
    """Whether a handler waits for a model before it answers: for a whole answer, or for the beginning of a stream."""
    if any(sources(facts, handler)):
        return True
    awaited = (handler.module.parents.get(call) for call in handler.calls)
    return any(
        model_stream(facts, value)
        for node in awaited
        if isinstance(node, cst.Await)
        for value in facts.infer.of(node, handler.module)
    )


def _carries_tokens(facts: Facts, stream: Stream) -> bool:
    return facts.responses.source(stream) is not None or facts.responses.is_token_stream(stream)


def routes_of(handler: Function) -> Iterator[str]:
    """The literal paths in a handler's decorators; prefixes of routers are not added."""
    for decorator in handler.decorators:
        if isinstance(decorator, cst.Call):
            for argument in positional(decorator)[:1]:
                text = string_value(argument)
                if text is not None and text.startswith("/"):
                    yield text


def heartbeat(facts: Facts, stream: Stream) -> float | None:
    """Seconds between the pings of a stream; None when it has none, and 0 when their interval cannot be read."""
    if pings_by_itself(facts, stream):
        given = facts.responses.argument(stream, "ping") if stream.call is not None else None
        written = number(facts, given) if given is not None else None
        return written if written is not None else _OWN_PING if given is None else 0.0
    intervals = [
        _interval(facts, link.function)
        for link in facts.streams.links(stream)
        if pings(facts, link.function)
    ]  # fmt: skip
    return max(intervals) if intervals else None


def _interval(facts: Facts, function: Function) -> float:
    """The longest wait that is written in a generator that pings; 0 when none is."""
    longest = 0.0
    for call in function.calls:
        if called_name(call) not in _WAITS:
            continue
        for given in keywords_of(facts, call, function.module).given.values():
            longest = max(longest, number(facts, given) or 0.0)
        for node in positional(call):
            if isinstance(node, (cst.Integer, cst.Float)):
                longest = max(longest, float(node.evaluated_value))
    return longest


# Models


def _is_tried_out(module: Module, node: cst.CSTNode) -> bool:
    """Whether a node stands below ``if __name__ == "__main__"``: what a server imports does not run it."""
    parent = module.parents.get(node)
    while parent is not None:
        if isinstance(parent, cst.If) and isinstance(parent.test, cst.Comparison):
            left = parent.test.left
            if isinstance(left, cst.Name) and left.value == "__name__":
                return True
        parent = module.parents.get(parent)
    return False


def _models(facts: Facts, module: Module) -> Iterator[ModelFact]:
    for call in module.calls:
        build = build_of(facts, call, module)
        if build is None or _is_tried_out(module, call) or not feeds_stream(facts, build, call, module):
            continue
        keywords = keywords_of(facts, call, module)
        limit, explicit = _limit(facts, build, keywords)
        retries = _retries(facts, build, keywords)
        total = build.row.total_for in ("async", "both")
        yield ModelFact(
            _where(module, call),
            build.name,
            limit,
            explicit,
            total,
            _chunk(facts, build, keywords, module),
            retries + 1,
        )


def _limit(facts: Facts, build: Build, keywords: Keywords) -> tuple[float | None, bool]:
    row = build.row
    for name in row.timeout_keywords:
        if name in keywords.given:
            node = keywords.given[name].node
            if isinstance(node, cst.Name) and node.value == "None":
                return (row.default_timeout if row.kind == "sdk" else math.inf), True
            return read_limit(facts, build, keywords), True
    if keywords.unknown or keywords.from_caller or any(slot in keywords.given for slot in row.slots):
        return None, False
    return row.default_timeout, False


def _retries(facts: Facts, build: Build, keywords: Keywords) -> int:
    given = keywords.given.get(build.row.retries_keyword)
    written = number(facts, given) if given is not None else build.row.retries_default
    return int(written or 0)


def _chunk(facts: Facts, build: Build, keywords: Keywords, module: Module) -> float | None:
    """Seconds between two chunks after which the client gives up; pings of the application do not reset it."""
    row = build.row
    if not row.chunk_timeout_keyword:
        return None
    given = keywords.given.get(row.chunk_timeout_keyword)
    if given is not None:
        return number(facts, given)
    version = module.project.versions(module.path).of(row.package)
    since = row.chunk_timeout_since
    if version is not None and since and version.always(f">={since}") is False:
        return None
    return row.chunk_timeout


# What else matters to a deployment


def _deadlines(facts: Facts, module: Module) -> Iterator[DeadlineFact]:
    """The limits around loops that yield, in the generators of the streams of a file."""
    for stream in facts.streams.of(module):
        for link in facts.streams.links(stream):
            for block in link.function.withs:
                for _, limit in scopes_of(facts, block, link.function.module):
                    if limit.seconds is not None and _yields_in_a_loop(block):
                        yield DeadlineFact(_where(link.function.module, limit.call), limit.name, limit.seconds)


def _yields_in_a_loop(block: cst.With) -> bool:
    return any(
        isinstance(node, (cst.For, cst.While)) and any(isinstance(y, cst.Yield) for y in walk_same_scope(node.body))
        for node in walk_same_scope(block.body)
    )


def _memory_savers(facts: Facts, module: Module) -> Iterator[Where]:
    rows = facts.project.knowledge.savers
    names = {path.rpartition(".")[2] for path, row in rows.items() if row.in_memory}
    for call in module.calls:
        if called_name(call) in names and any(
            (row := rows.get(value.name)) is not None and row.in_memory for value in facts.infer.of(call.func, module)
        ):
            yield _where(module, call)


def _named(facts: Facts, module: Module, name: str, prefix: str) -> Iterator[Where]:
    for call in module.calls_of(name):
        if any(value.name.startswith(prefix) for value in facts.infer.of(call.func, module)):
            yield _where(module, call)


def interface(module: Module, attribute: str) -> str:
    """``asgi`` or ``wsgi``, by the class of the application that a module holds under a name; empty when not known."""
    facts = module.project.facts
    found = {_INTERFACES.get(_framework(facts, value.name), "") for value in facts.infer.member(module, attribute)}
    return found.pop() if len(found) == 1 else ""


_INTERFACES = {
    **dict.fromkeys(("fastapi", "starlette", "litestar", "quart", "sanic", "django-ninja"), "asgi"),
    "flask": "wsgi",
}


def _framework(facts: Facts, path: str) -> str:
    row = facts.project.knowledge.apps.get(path)
    return row.framework if row is not None and row.kind == "app" else ""
