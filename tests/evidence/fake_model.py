"""A fake model on loopback that speaks the OpenAI protocol, so that real clients run without a key.

One thread, one event loop, raw sockets: it can be silent, fail, or close the connection at the byte it wants to.
``python -m tests.evidence.fake_model [PORT] [SCENARIO]`` serves one by hand.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tests.evidence.observation import ModelCall
from tests.evidence.scenarios import SCENARIOS, Scenario, streamed, whole

if TYPE_CHECKING:
    from typing_extensions import Self

HOST = "127.0.0.1"
REASONS = {200: "OK", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


class Call:
    """A request in progress; becomes a :class:`ModelCall` when somebody looks."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.model = str(request.get("model", ""))
        self.streamed = bool(request.get("stream"))
        self.tokens_sent = 0
        self.ended = "running"


class FakeModel:
    """The server, as a context manager: ``with FakeModel(scenario) as model: … model.url``."""

    def __init__(self, script: Scenario | None = None, *, port: int = 0) -> None:
        self.script = script or SCENARIOS["steady"]
        self.port = port
        self._calls: list[Call] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """The requests so far."""
        return tuple(ModelCall(call.model, call.streamed, call.tokens_sent, call.ended) for call in self._calls)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the fake model did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, HOST, self.port))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1]
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            content = await reader.readexactly(int(fields.get("content-length", "0")))
            if path.endswith("/chat/completions"):
                await self._complete(json.loads(content), reader, writer)
            else:
                await self._reply(writer, 404, b'{"error": {"message": "no such path"}}')
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left before it had asked anything, or the server is stopped
        finally:
            writer.close()

    async def _complete(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        call = Call(request)
        self._calls.append(call)
        try:
            await asyncio.sleep(self.script.headers_after)
            if self.script.status != 200:
                call.ended = "failed"
                await self._reply(writer, self.script.status, b'{"error": {"message": "the model failed"}}')
            elif call.streamed:
                await self._stream(call, request, reader, writer)
            else:
                await self._answer(call, request, reader, writer)
        except ConnectionError:
            call.ended = "left"

    async def _stream(
        self, call: Call, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        writer.write(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
        call.ended = "failed" if self.script.fails else "running"
        for step in streamed(self.script, request):
            await asyncio.sleep(step.wait)
            if reader.at_eof():
                call.ended = "left"
                return
            if step.data is None:
                return
            writer.write(f"{len(step.data):x}\r\n".encode() + step.data + b"\r\n")
            await writer.drain()
            call.tokens_sent += step.token
        if not self.script.fails:
            call.ended = "finished"  # before the client can know it
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _answer(
        self, call: Call, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        step = whole(self.script, request)
        await asyncio.sleep(step.wait)
        if reader.at_eof():
            call.ended = "left"
        elif step.data is None:
            call.ended = "failed"
        else:
            call.tokens_sent = len(self.script.tokens)
            call.ended = "finished"
            await self._reply(writer, 200, step.data)

    @staticmethod
    async def _reply(writer: asyncio.StreamWriter, status: int, content: bytes) -> None:
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content)
        await writer.drain()


def main(arguments: list[str]) -> None:
    """Serve one scenario until interrupted."""
    port, name = (arguments + ["0", "steady"][len(arguments) :])[:2]
    with FakeModel(SCENARIOS[name], port=int(port)) as model:
        print(f"OPENAI_BASE_URL={model.url} OPENAI_API_KEY=test", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("ended")


if __name__ == "__main__":
    main(sys.argv[1:])
