"""What the deployment rules need to know of the code: the streams of an application, its models' limits, what blocks.

Filled by :mod:`lg_stream_lint.deploy.code_reader`; small enough to send between processes.
"""

from __future__ import annotations

from typing import NamedTuple

from lg_stream_lint.deploy.settings import Where

#: Seconds; the longest answer that is assumed where no model's limit is known.
LONGEST_ANSWER = 300.0


class StreamFact(NamedTuple):
    """One streaming response that carries a model's or graph's output.

    ``routes`` are the paths it answers, as far as they are literal. ``heartbeat`` is seconds between pings, None without.
    ``accel``: whether it sends ``X-Accel-Buffering: no`` (None: not known). ``sse``: whether it is an event stream.
    ``late_headers``: the handler waits for work before it returns the response. ``tools``: the graph can call tools.
    """

    where: Where
    routes: tuple[str, ...]
    heartbeat: float | None
    accel: bool | None
    sse: bool
    late_headers: bool
    tools: bool


class ModelFact(NamedTuple):
    """A model client's limit: seconds without a byte (``math.inf``: none, None: not known), and its chunk time-out.

    ``total``: the limit counts the whole answer (``idle`` otherwise). ``attempts`` is retries and the first attempt.
    """

    where: Where
    name: str
    limit: float | None
    explicit: bool
    total: bool
    chunk: float | None
    attempts: int


class BlockFact(NamedTuple):
    """A finding of LGS201 or LGS204: the event loop stands still there. ``seconds`` is how long at least, if known.

    ``in_stream``: it stands in the handler or a generator of a streaming response.
    """

    where: Where
    code: str
    what: str
    seconds: float | None = None
    in_stream: bool = False


class DeadlineFact(NamedTuple):
    """A limit in seconds that the code puts on a whole stream: ``name`` is the call, ``asyncio.timeout``."""

    where: Where
    name: str
    seconds: float


class FileFacts(NamedTuple):
    """What one Python file adds."""

    path: str
    streams: tuple[StreamFact, ...] = ()
    models: tuple[ModelFact, ...] = ()
    blocking: tuple[BlockFact, ...] = ()
    memory_savers: tuple[Where, ...] = ()
    mangum: tuple[Where, ...] = ()  # adapters between the application and Lambda, which collect the answer
    at_shutdown: tuple[Where, ...] = ()  # findings of LGS410: responses that end their streams at SIGTERM
    deadlines: tuple[DeadlineFact, ...] = ()


class CodeFacts(NamedTuple):
    """What the files of one application say together; ``complete`` is false when the application was not found."""

    streams: tuple[StreamFact, ...] = ()
    models: tuple[ModelFact, ...] = ()
    blocking: tuple[BlockFact, ...] = ()
    memory_savers: tuple[Where, ...] = ()
    mangum: tuple[Where, ...] = ()
    at_shutdown: tuple[Where, ...] = ()
    deadlines: tuple[DeadlineFact, ...] = ()
    interface: str = ""  # "asgi", "wsgi", empty where not known
    complete: bool = False

    @property
    def model_limit(self) -> ModelFact | None:
        """The largest finite limit of a model, per attempt; None where none is known."""
        known = [m for m in self.models if m.limit is not None and m.limit != float("inf")]
        return max(known, key=lambda model: model.limit or 0, default=None)

    @property
    def longest_answer(self) -> float:
        """Seconds: the largest model time-out found, per attempt; :data:`LONGEST_ANSWER` where none is known."""
        model = self.model_limit
        return model.limit if model is not None and model.limit is not None else LONGEST_ANSWER

    @property
    def heartbeat(self) -> float | None:
        """Seconds: the slowest heartbeat of the streams; None when one of them has none, or there is none."""
        beats = [stream.heartbeat for stream in self.streams]
        return max(b for b in beats if b is not None) if beats and None not in beats else None

    @property
    def sends_accel(self) -> bool | None:
        """Whether every stream sends ``X-Accel-Buffering: no``; None when it is not known of one, or there is none."""
        answers = [stream.accel for stream in self.streams]
        if not answers:
            return None
        return False if False in answers else None if None in answers else True
