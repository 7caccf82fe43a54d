"""Whether a streaming response asks proxies not to hold it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.streams import Stream

HEADER = "X-Accel-Buffering"


def asks_for_no_buffering(facts: Facts, stream: Stream) -> bool | None:
    """Whether the response carries ``X-Accel-Buffering: no``; None when that cannot be told.

    sse-starlette's response sends it by itself, and so does a handler that yields under FastAPI's SSE class (``pings`` and
    ``unbuffered`` in the table of responses).
    """
    if stream.row is None:  # a handler that itself yields
        from lg_stream_lint.python.silence import pings_by_itself

        return pings_by_itself(facts, stream) or (None if facts.responses.project_sets(HEADER) else False)
    if stream.row.unbuffered:
        return True
    responses = facts.responses
    headers = responses.headers(stream)
    given = headers.given.get(HEADER.lower())
    said = responses.text(given.node, given.module) if given is not None else None
    has = headers.has(HEADER)
    if has is True and said is not None:
        return said.lower() == "no"
    if has is not False:
        return None
    return responses.project_sets(HEADER)
