"""A raw HTTP client, which sees what a browser's library hides: when each byte came, and whether the end was proper."""

from __future__ import annotations

import json
import socket
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from tests.evidence.observation import COMPLETE, CUT, LEFT, OPEN, Observation, Piece, Probe

if TYPE_CHECKING:
    from typing_extensions import Self

HOST = "127.0.0.1"
HEALTH = "/__health"
GZIP = zlib.MAX_WBITS | 16
PROBE_EVERY = 0.05
PROBE_PATIENCE = 10.0


class ResponseReader:
    """Takes an HTTP/1.1 response apart as it arrives: status, headers, pieces of the body, and whether it is whole."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self.headers_at: float | None = None
        self.pieces: list[Piece] = []
        self.whole = False
        self._rest = b""
        self._length: int | None = None  # bytes of the body still to come, when announced
        self._chunked = False

    def feed(self, data: bytes, at: float) -> None:
        """Take what the socket gave at that time."""
        self._rest += data
        if self.headers_at is None and not self._read_head(at):
            return
        if self._chunked:
            self._read_chunks(at)
        elif self._rest:
            self._take(self._rest, at)
            self._rest = b""
        if self._length is not None and self._length <= 0:
            self.whole = True

    def end(self) -> None:
        """The peer closed: proper for a body that announced neither its length nor chunks."""
        if self.headers_at is not None and self._length is None and not self._chunked:
            self.whole = True

    def _read_head(self, at: float) -> bool:
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        if not found:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = tuple((key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines))
        self.headers_at = at
        self._rest = rest
        fields = {key.lower(): value for key, value in self.headers}
        self._chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        if not self._chunked and "content-length" in fields:
            self._length = int(fields["content-length"])
        if self.status in (204, 304):
            self._length = 0
        return True

    def _read_chunks(self, at: float) -> None:
        """Whole chunks only; a cut in the middle of one loses it, as it does for every HTTP client."""
        while not self.whole:
            size_line, found, rest = self._rest.partition(b"\r\n")
            if not found:
                return
            size = int(size_line.partition(b";")[0], 16)
            if len(rest) < size + 2:
                return
            if size == 0:
                self.whole = True
            else:
                self.pieces.append(Piece(at, rest[:size]))
            self._rest = rest[size + 2 :]

    def _take(self, data: bytes, at: float) -> None:
        self.pieces.append(Piece(at, data))
        if self._length is not None:
            self._length -= len(data)


def request_bytes(
    method: str, path: str, *, port: int, headers: Mapping[str, str] | None = None, body: object = None
) -> bytes:
    """The request as it goes over the wire."""
    fields = {"Host": f"{HOST}:{port}", "Accept": "text/event-stream, */*", "Connection": "close"}
    content = b""
    if body is not None:
        content = json.dumps(body).encode()
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    fields |= headers or {}
    head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content


def exchange(port: int, request: bytes, *, patience: float, leave_after: float | None = None) -> Observation:
    """Send one request and note everything until the response ends, patience does, or it is time to leave."""
    reader = ResponseReader()
    limit = patience if leave_after is None else min(leave_after, patience)
    with socket.create_connection((HOST, port), timeout=5) as connection:
        start = time.monotonic()
        connection.sendall(request)
        ending = CUT
        while not reader.whole:
            remaining = limit - (time.monotonic() - start)
            if remaining <= 0:
                ending = OPEN if leave_after is None else LEFT
                break
            connection.settimeout(remaining)
            try:
                data = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not data:
                reader.end()
                break
            reader.feed(data, time.monotonic() - start)
        ended_at = time.monotonic() - start
    return Observation(
        status=reader.status,
        headers=reader.headers,
        headers_at=reader.headers_at,
        pieces=decoded(reader.pieces, reader.headers),
        ending=COMPLETE if reader.whole else ending,
        ended_at=ended_at,
    )


def decoded(pieces: Sequence[Piece], headers: Sequence[tuple[str, str]]) -> tuple[Piece, ...]:
    """What a client can read of a compressed body, and when: the compressor's first bytes say nothing yet."""
    if ("content-encoding", "gzip") not in [(name.lower(), value.strip().lower()) for name, value in headers]:
        return tuple(pieces)
    inflate = zlib.decompressobj(GZIP)
    read = (Piece(piece.at, inflate.decompress(piece.data)) for piece in pieces)
    return tuple(piece for piece in read if piece.data)


class Prober:
    """Asks ``/__health`` again and again while a stream runs: the loop that serves both is stalled when it waits."""

    def __init__(self, port: int) -> None:
        self._request = request_bytes("GET", HEALTH, port=port)
        self._port = port
        self._stop = threading.Event()
        self._probes: list[Probe] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def probes(self) -> tuple[Probe, ...]:
        """What was measured."""
        return tuple(self._probes)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=PROBE_PATIENCE + 1)

    def _run(self) -> None:
        start = time.monotonic()
        while not self._stop.is_set():
            at = time.monotonic() - start
            try:
                exchange(self._port, self._request, patience=PROBE_PATIENCE)
            except OSError:  # the server is gone: nothing to measure any more
                return
            self._probes.append(Probe(at, time.monotonic() - start - at))
            self._stop.wait(PROBE_EVERY)
