"""The record of one run: what a client, a prober, the server's log and the model saw."""

from __future__ import annotations

from dataclasses import dataclass

COMPLETE = "complete"  # the last chunk, or the announced length, was there
CUT = "cut"  # the connection was closed before that
OPEN = "open"  # it had not ended when patience did
LEFT = "left"  # the client went away, as it was told to


@dataclass(frozen=True)
class Piece:
    """A part of the body as it came off the socket; ``at`` counts seconds from the request."""

    at: float
    data: bytes


@dataclass(frozen=True)
class Probe:
    """Another request to the same process: when it was sent, and how long its answer took."""

    at: float
    took: float


@dataclass(frozen=True)
class ModelCall:
    """One request to the fake model; it is ``running``, ``finished``, ``failed``, or ``left`` by its client."""

    model: str
    streamed: bool
    tokens_sent: int
    ended: str


@dataclass(frozen=True)
class Observation:
    """All that was seen of one run. Times are seconds from the moment the request was sent."""

    started: bool = True
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    headers_at: float | None = None
    pieces: tuple[Piece, ...] = ()
    ending: str = CUT
    ended_at: float = 0.0
    probes: tuple[Probe, ...] = ()
    log: str = ""
    model_calls: tuple[ModelCall, ...] = ()

    def header(self, name: str) -> str | None:
        """The value of a response header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def body(self) -> bytes:
        """The whole body, without its transfer coding."""
        return b"".join(piece.data for piece in self.pieces)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def first_at(self) -> float | None:
        """When the first byte of the body came."""
        return self.pieces[0].at if self.pieces else None

    @property
    def last_at(self) -> float | None:
        """When the last byte of the body came."""
        return self.pieces[-1].at if self.pieces else None

    @property
    def spread(self) -> float:
        """Seconds between the first and the last byte of the body."""
        return self.pieces[-1].at - self.pieces[0].at if self.pieces else 0.0

    @property
    def worst_probe(self) -> float | None:
        """The longest that another request had to wait."""
        return max((probe.took for probe in self.probes), default=None)
