"""The evidence harness itself: the words for outcomes, the raw client, the fake model, and the evidence files."""

from __future__ import annotations

import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.evidence import harness, outcomes, table
from tests.evidence.cases import Case, EvidenceError, all_cases, read
from tests.evidence.client import HOST, Prober, ResponseReader, decoded, exchange, request_bytes
from tests.evidence.fake_model import FakeModel
from tests.evidence.observation import COMPLETE, CUT, LEFT, OPEN, ModelCall, Observation, Piece, Probe
from tests.evidence.outcomes import words
from tests.evidence.scenarios import SCENARIOS, Scenario, scenario, streamed, whole
from tests.evidence.servers import SERVERS, Target, free_port
from tests.need import need

EVENTS = (("Content-Type", "text/event-stream; charset=utf-8"),)
STREAMED = Observation(
    status=200,
    headers=EVENTS,
    headers_at=0.0,
    pieces=tuple(Piece(0.1 * number, b"data: token\n\n") for number in range(9)),
    ending=COMPLETE,
    ended_at=0.8,
    probes=tuple(Probe(0.05 * number, 0.01) for number in range(16)),
)


# Words


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (Observation(started=False), "not-started"),
        (Observation(), "no-answer"),
        (Observation(status=500, pieces=(Piece(0, b"Internal Server Error"),)), "http-500"),
        (Observation(status=404), "http-404"),
        (Observation(status=200), "empty-200"),
        (replace(STREAMED, pieces=(Piece(0.8, b"all"),)), "collected"),
        (replace(STREAMED, pieces=tuple(Piece(0.8 + at / 100, b"letter") for at in range(9))), "collected"),
        (STREAMED, "streams"),
    ],
)
def test_how_the_answer_came(seen: Observation, word: str) -> None:
    assert outcomes.delivery(seen) == word
    assert outcomes.is_word(word)


@pytest.mark.parametrize("ending", [COMPLETE, CUT, OPEN, LEFT])
def test_how_it_ended(ending: str) -> None:
    assert ending in words(replace(STREAMED, ending=ending))
    assert ending not in words(replace(STREAMED, ending=ending, status=500))


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        (EVENTS, "event-stream"),
        ((("content-type", "Text/Event-Stream"),), "event-stream"),
        ((("content-type", "application/json"),), "not-event-stream"),
        ((("x-accel-buffering", "no"),), "no-media-type"),
    ],
)
def test_what_it_says_it_is(headers: tuple[tuple[str, str], ...], word: str) -> None:
    assert outcomes.media(replace(STREAMED, headers=headers)) == word


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"data: x\n\nevent: error\ndata: {}\n\n", {"error-event"}),
        (b"event: error\r\ndata: {}\r\n\r\n", {"error-event"}),
        (b"data: [DONE]\n\n", {"done-mark"}),
        (b"data: [DONE]\r\n\r\n", {"done-mark"}),
        (b'data: {"text": "event: error, [DONE]"}\n\n', set()),
    ],
)
def test_what_the_body_tells_of_its_end(body: bytes, expected: set[str]) -> None:
    assert set(outcomes.marks(replace(STREAMED, pieces=(Piece(0.1, body),)))) == expected


@pytest.mark.parametrize(
    ("waits", "ended_at", "word"),
    [
        ((0.01, 0.02), 0.8, "others-served"),
        ((0.01, 0.75), 0.8, "stalls-others"),
        ((0.3,), 0.8, "others-served"),  # a busy machine
        ((0.5,), 5.0, "others-served"),  # a short part of a long answer
        ((0.01,), 0.1, None),  # too short to tell
        ((), 0.8, None),
    ],
)
def test_whether_others_had_to_wait(waits: tuple[float, ...], ended_at: float, word: str | None) -> None:
    probes = tuple(Probe(0, wait) for wait in waits)
    assert outcomes.others(replace(STREAMED, probes=probes, ended_at=ended_at)) == word


def called(ended: str, *, streamed: bool = True) -> ModelCall:
    """A call of the model that ended in that way."""
    return ModelCall("gpt-4o-mini", streamed, 8, ended)


def test_what_became_of_the_model() -> None:
    left = replace(STREAMED, ending=LEFT)
    assert outcomes.model(left) is None
    assert outcomes.model(replace(left, model_calls=(called("left"),))) == "model-stopped"
    assert outcomes.model(replace(left, model_calls=(called("finished"),))) == "model-ran-on"
    assert outcomes.model(replace(STREAMED, model_calls=(called("finished"),))) is None


def test_one_word_for_each_question() -> None:
    assert words(STREAMED) == {"streams", "complete", "event-stream", "others-served"}
    assert words(Observation(status=500, ended_at=0.01, probes=(Probe(0, 0.01),))) == {"http-500"}
    assert not any(map(outcomes.is_word, ("streaming", "http-200", "http-5000", "")))


# The raw client


def read_response(*parts: bytes, closed: bool = True) -> ResponseReader:
    """A response that arrives in these parts, a tenth of a second each."""
    reader = ResponseReader()
    for number, part in enumerate(parts):
        reader.feed(part, number / 10)
    if closed:
        reader.end()
    return reader


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n"


def test_reads_chunks_as_they_come() -> None:
    reader = read_response(CHUNKED[:20], CHUNKED[20:] + b"3\r\nabc\r\n", b"2\r\nde\r\n2\r", b"\nfg\r\n0\r\n\r\n")
    assert (reader.status, reader.headers_at, reader.whole) == (200, 0.1, True)
    assert reader.pieces == [Piece(0.1, b"abc"), Piece(0.2, b"de"), Piece(0.3, b"fg")]


def test_chunks_without_the_last_one_are_cut() -> None:
    assert not read_response(CHUNKED + b"3\r\nabc\r\n").whole
    assert not read_response(CHUNKED).whole


def test_reads_an_announced_length() -> None:
    head = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 5\r\n\r\n"
    assert read_response(head, b"abc", b"de", closed=False).whole
    assert not read_response(head, b"abc").whole


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
def test_reads_responses_without_a_body(head: bytes) -> None:
    reader = read_response(head, closed=False)
    assert reader.whole
    assert not reader.pieces


def test_a_body_of_unknown_length_ends_with_the_connection() -> None:
    head = b"HTTP/1.0 200 OK\r\n\r\n"
    assert not read_response(head, b"abc", closed=False).whole
    assert read_response(head, b"abc").whole


def test_reads_a_compressed_body_when_it_can() -> None:
    deflate = zlib.compressobj(wbits=31)
    held = (Piece(0.1, deflate.compress(b"a token")), Piece(0.8, deflate.flush()))
    assert held[0].data  # the head of the format, and nothing of the text
    gzip = (("Content-Encoding", "GZip"),)
    assert decoded(held, gzip) == (Piece(0.8, b"a token"),)
    assert decoded(held, ()) == held
    deflate = zlib.compressobj(wbits=31)
    flushed = [Piece(at, deflate.compress(b"token") + deflate.flush(zlib.Z_SYNC_FLUSH)) for at in (0.1, 0.2)]
    assert decoded(flushed, gzip) == (Piece(0.1, b"token"), Piece(0.2, b"token"))


def test_writes_requests() -> None:
    plain = request_bytes("GET", "/chat", port=1, headers={"Accept-Encoding": "gzip"})
    assert plain.startswith(b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:1\r\n")
    assert plain.endswith(b"Accept-Encoding: gzip\r\n\r\n")
    posted = request_bytes("POST", "/chat", port=1, body={"text": "é"})
    head, _, body = posted.partition(b"\r\n\r\n")
    assert json.loads(body) == {"text": "é"}
    assert f"Content-Length: {len(body)}".encode() in head


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that answers each connection in its own thread; its port."""

    def answered(connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):
            connection.recv(65536)
            answer(connection)

    def accepted() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answered, args=(connection,), daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=accepted, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def three_chunks(connection: socket.socket) -> None:
    """Three chunks, and no last one."""
    connection.sendall(CHUNKED)
    for _ in range(3):
        time.sleep(0.1)
        connection.sendall(b"3\r\nabc\r\n")


@pytest.mark.parametrize(
    ("patience", "leave_after", "ending", "body"),
    [(5, None, CUT, b"abcabcabc"), (0.15, None, OPEN, b"abc"), (5, 0.15, LEFT, b"abc")],
)
def test_the_client_waits_as_long_as_it_is_told(
    patience: float, leave_after: float | None, ending: str, body: bytes
) -> None:
    with serving(three_chunks) as port:
        seen = exchange(port, request_bytes("GET", "/", port=port), patience=patience, leave_after=leave_after)
    assert (seen.status, seen.ending) == (200, ending)
    assert seen.body.startswith(body)
    assert outcomes.ending(seen) == ending


def test_a_closed_connection_is_no_answer() -> None:
    with serving(lambda _: None) as port:
        assert words(exchange(port, request_bytes("GET", "/", port=port), patience=5)) == {"no-answer"}


def test_the_prober_measures_and_gives_up() -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(0.2)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(slow) as port, Prober(port) as prober:
        time.sleep(0.3)
    assert prober.probes
    assert all(probe.took >= 0.19 for probe in prober.probes)
    with Prober(free_port()) as idle:
        time.sleep(0.1)
    assert not idle.probes


# The fake model

REQUEST = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
QUICK = replace(SCENARIOS["steady"], interval=0.0)


def sent(script: Scenario, request: dict[str, object] | None = None) -> list[dict[str, object] | str | None]:
    """The events of an answer: payloads, ``[DONE]``, ``None`` where the connection closes."""
    texts = [
        step.data and step.data.decode().removeprefix("data: ").strip() for step in streamed(script, request or REQUEST)
    ]
    return [text if text in {None, "[DONE]"} else json.loads(text or "") for text in texts]


def deltas(script: Scenario, request: dict[str, object] | None = None) -> list[object]:
    """What the chunks add."""
    payloads = [event for event in sent(script, request) if isinstance(event, dict) and event.get("choices")]
    return [payload["choices"][0]["delta"] for payload in payloads]  # type: ignore[index]


def test_a_steady_answer() -> None:
    steps = list(streamed(SCENARIOS["steady"], REQUEST))
    assert [step.wait for step in steps if step.token] == [0.1] * 8
    first, *tokens, last = deltas(QUICK)
    assert (first, last) == ({"role": "assistant", "content": ""}, {})
    assert len(tokens) == 8
    assert sent(QUICK)[-1] == "[DONE]"


def test_usage_comes_when_asked_for() -> None:
    *_, usage, done = sent(QUICK, {**REQUEST, "stream_options": {"include_usage": True}})
    assert isinstance(usage, dict)
    assert (usage["choices"], done) == ([], "[DONE]")


def test_failures() -> None:
    *before, error = sent(scenario({"scenario": "errors", "after": 2}))
    assert (len(before), error) == (3, {"error": {"message": "the model is overloaded", "type": "server_error"}})
    assert sent(SCENARIOS["dies"])[-1] is None
    assert "[DONE]" not in sent(SCENARIOS["no-done"])


def test_silences() -> None:
    waits = [
        step.wait for step in streamed(scenario({"scenario": "gap", "after": 1, "tokens": 3}), REQUEST) if step.token
    ]
    assert waits == [0.1, 1.6, 0.1]
    assert whole(SCENARIOS["gap"], REQUEST).wait == pytest.approx(2.3)


def test_a_tool_is_called_once() -> None:
    script = scenario({"scenario": "tool", "tool": {"name": "clock"}})
    asking = {**REQUEST, "tools": [{"type": "function"}]}
    call = deltas(script, asking)[1]["tool_calls"][0]  # type: ignore[index]
    assert (call["function"], call["index"]) == ({"name": "clock", "arguments": "{}"}, 0)
    answered = {**asking, "messages": [{"role": "tool", "content": "noon"}]}
    assert len(deltas(script, answered)) == len(deltas(script)) == 10
    assert b'"tool_calls"' in (whole(script, asking).data or b"")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("stady", "no scenario 'stady'"),
        ({"scenario": "x"}, "no scenario 'x'"),
        ({"intervall": 1}, "no key 'intervall'"),
    ],
)
def test_a_wrong_scenario_is_named(wanted: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scenario(wanted)  # type: ignore[arg-type]


def ask(model: FakeModel, request: dict[str, object], leave_after: float | None = None) -> Observation:
    """One completion over the wire."""
    wire = request_bytes("POST", "/v1/chat/completions", port=model.port, body=request)
    return exchange(model.port, wire, patience=5, leave_after=leave_after)


def test_the_fake_model_streams() -> None:
    with FakeModel(replace(SCENARIOS["steady"], interval=0.05)) as model:
        seen = ask(model, REQUEST)
        assert words(seen) == {"streams", "complete", "event-stream", "done-mark"}
        assert model.calls == (called("finished"),)
        answer = json.loads(ask(model, {**REQUEST, "stream": False}).text)
        assert answer["choices"][0]["message"]["content"].startswith("Once upon")
        assert model.calls[1] == called("finished", streamed=False)


@pytest.mark.parametrize(
    ("name", "expected", "ended"),
    [("refuses", {"http-500"}, "failed"), ("dies", {"cut"}, "failed"), ("errors", {"complete"}, "failed")],
)
def test_the_fake_model_fails(name: str, expected: set[str], ended: str) -> None:
    with FakeModel(replace(SCENARIOS[name], interval=0.0)) as model:
        assert words(ask(model, REQUEST)) >= expected
        assert [call.ended for call in model.calls] == [ended]


def test_the_fake_model_notices_that_its_client_left() -> None:
    with FakeModel() as model:
        ask(model, REQUEST, leave_after=0.25)
        time.sleep(0.3)
        (call,) = model.calls
    assert call.ended == "left"
    assert call.tokens_sent < 8


def test_the_fake_model_knows_one_path() -> None:
    with FakeModel() as model:
        assert exchange(model.port, request_bytes("GET", "/v1/models", port=model.port), patience=5).status == 404


# Evidence files


def evidence(folder: Path, text: str) -> Path:
    """An evidence file beside two fixtures."""
    rule = folder / "LGS999"
    (rule / "bad_folder").mkdir(parents=True)
    (rule / "bad_folder" / "main.py").write_text("import fastapi\nfrom streams import frames\n")
    (rule / "bad_folder" / "streams.py").write_text("from langgraph.graph import StateGraph\n")
    (rule / "good_file.py").write_text("import json, fastapi.responses\nfrom . import nothing\n")
    path = rule / "evidence.yaml"
    path.write_text(text)
    return path


def test_reads_a_case(tmp_path: Path) -> None:
    text = "runs:\n- {file: bad_folder, shows: a cut, expect: [cut], log: boom, json: {a: 1}, model: dies}\n"
    (case,) = read(evidence(tmp_path, text))
    assert (case.code, case.app, case.method, case.target) == ("LGS999", "main:app", "POST", "/chat")
    assert (case.log, case.expect, case.model.die) == (("boom",), ("cut",), True)
    assert case.modules() == {"fastapi", "langgraph"}


def test_fills_in_what_is_usual(tmp_path: Path) -> None:
    text = "runs:\n- {file: good_file.py, shows: tokens, expect: [streams], repairs: bad_folder}\n"
    (case,) = read(evidence(tmp_path, text))
    assert (case.app, case.method, case.target, case.server) == ("good_file:app", "GET", "/chat", "uvicorn")
    assert case.modules() == {"json", "fastapi"}


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("{shows: x, expect: [cut]}", "'file' is missing"),
        ("{file: good_file.py, shows: x, expect: []}", "'expect' is missing"),
        ("{file: other.py, shows: x, expect: [cut]}", "there is no other.py"),
        ("{file: good_file.py, repairs: bad.py, shows: x, expect: [cut]}", "there is no bad.py"),
        ("{file: good_file.py, shows: x, expect: [cutt]}", "unknown word 'cutt'"),
        ("{file: good_file.py, shows: x, expect: [cut], expects: [cut]}", "unknown key 'expects'"),
        ("{file: good_file.py, shows: x, expect: [cut], server: apache}", "unknown server 'apache'"),
        ("{file: good_file.py, shows: x, expect: [cut], model: deis}", "model: no scenario 'deis'"),
    ],
)
def test_a_mistake_is_said_with_its_place(run: str, message: str, tmp_path: Path) -> None:
    path = evidence(tmp_path, f"runs:\n- {run}\n")
    with pytest.raises(EvidenceError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: run 1: {message}" or str(caught.value).startswith(
        f"{path}: run 1: {message};"
    )


@pytest.mark.parametrize("text", ["", "[]\n", "runs: []\nwalks: []\n"])
def test_a_file_of_another_shape_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="a mapping with 'runs' or 'cited' is expected"):
        read(evidence(tmp_path, text))


def test_a_rule_may_cite_instead(tmp_path: Path) -> None:
    assert read(evidence(tmp_path, "cited: [{url: 'https://example.org', says: it cuts}]\n")) == []


CASE = Case("LGS999", Path("bad.py"), "a cut", ("cut", "streams"), ("error-event",), log=("boom",), no_body=("secret",))


def test_says_what_is_not_as_promised() -> None:
    assert CASE.complaints(replace(STREAMED, ending=CUT, log="boom")) == []
    wrong = replace(STREAMED, pieces=(*STREAMED.pieces, Piece(0.8, b"event: error\ndata: secret\n\n")))
    assert CASE.complaints(wrong) == [
        "'cut' does not hold",
        "'error-event' holds",
        "the log lacks 'boom'",
        "the body has 'secret'",
    ]


def test_names_of_cases_are_their_own() -> None:
    names = [case.id for case in all_cases()]
    assert len(names) == len(set(names))


def test_what_is_promised_can_be_true() -> None:
    """At most one word for each question, and a file does not promise what it excludes."""
    for case in all_cases():
        for group in (outcomes.DELIVERY, outcomes.ENDING, outcomes.MEDIA, outcomes.OTHERS, outcomes.MODEL):
            assert len(set(case.expect) & set(group)) <= 1, case.id
        assert not set(case.expect) & set(case.never), case.id


# Programs

ECHO = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


def echo_case(folder: Path, source: str = ECHO, app: str = "echo:app") -> Case:
    """A case whose application needs nothing but the server."""
    need("uvicorn")
    (folder / "echo.py").write_text(source)
    return Case("LGS999", folder / "echo.py", "the path", ("collected", "complete"), app=app, target="/here")


def test_runs_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGS_EVIDENCE_PYTHON", raising=False)
    case = echo_case(tmp_path)
    seen = harness.observe(case)
    assert seen.text == "/here"
    assert case.complaints(seen) == []
    assert "Application startup complete" in seen.log


def test_runs_a_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGS_EVIDENCE_PYTHON", raising=False)
    case = echo_case(tmp_path, ECHO + "\ndef create_app():\n    return app\n", "echo:create_app()")
    assert harness.observe(case).text == "/here"


def test_sees_a_program_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGS_EVIDENCE_PYTHON", raising=False)
    seen = harness.observe(echo_case(tmp_path, "raise RuntimeError('no such luck')\n"))
    assert words(seen) == {"not-started"}
    assert "no such luck" in seen.log


def test_gives_the_program_nothing_that_reaches_further(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "HTTPS_PROXY", "LANGSMITH_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "a secret")
    given = harness.environment("main:app", "http://127.0.0.1:1/v1")
    assert "a secret" not in given.values()
    assert given["OPENAI_BASE_URL"] == given["OPENAI_API_BASE"] == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_listens_where_it_is_told(name: str, tmp_path: Path) -> None:
    command = SERVERS[name].command(Target("python", "main:app", tmp_path, 4321))
    assert command[0] == "python"
    assert command[1] == "-m" or Path(command[1]).is_file()
    assert "4321" in command
    assert HOST in command or HOST in Path(command[1]).read_text("utf-8"), "on loopback alone"


# The table


def recorded(**changes: object) -> dict[str, object]:
    """An entry as the record keeps it."""
    seen = replace(STREAMED, ending=CUT, log="boom")
    return {**table.entry_of(CASE, seen), **changes}


def test_an_entry_keeps_what_was_seen() -> None:
    entry = recorded()
    assert (entry["status"], entry["first"], entry["last"], entry["others"]) == (200, 0.0, 0.8, None)
    assert entry["seen"] == ["cut", "event-stream", "others-served", "streams"]
    stalled = replace(STREAMED, probes=(Probe(0.0, 0.81),))
    assert table.entry_of(CASE, stalled)["others"] == 0.8


def test_small_differences_of_time_change_nothing() -> None:
    old = recorded(last=0.9, others=None)
    assert table.steadied(recorded(), old)["last"] == 0.9
    assert table.steadied(recorded(last=2.0), old)["last"] == 2.0
    assert table.steadied(recorded(others=0.8), old)["others"] == 0.8
    assert table.steadied(recorded(), None) == recorded()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "| `bad.py` | a cut | 200 | text/event-stream | from 0.0 to 0.8 s | **cut** | – | `boom` |"),
        (
            {"seen": ["collected", "complete", "done-mark", "error-event"], "media": None, "others": 0.8, "log": []},
            "| `bad.py` | a cut | 200 | none | all at 0.8 s | complete, error event, `[DONE]` | 0.8 s | – |",
        ),
        (
            {"seen": ["http-500"], "status": 500, "log": ["a | b"]},
            "| `bad.py` | a cut | 500 | – | – | – | – | `a \\| b` |",
        ),
        ({"seen": ["not-started"], "status": None, "log": []}, "| `bad.py` | a cut | – | – | – | – | – | – |"),
        (
            {"seen": ["empty-200", "cut"], "log": []},
            "| `bad.py` | a cut | 200 | text/event-stream | empty | **cut** | – | – |",
        ),
    ],
)
def test_writes_a_row(changes: dict[str, object], expected: str) -> None:
    assert table.row(recorded(**changes)) == expected


def test_names_every_disagreement() -> None:
    content = {"versions": {"python": "3.11"}, "runs": [recorded()]}
    page = table.page(content)
    assert table.disagreements(content, page, [CASE]) == []
    assert table.disagreements(content, page + "more", [CASE]) == ["evidence.md is stale"]
    other = replace(CASE, shows="something else")
    assert table.disagreements(content, page, [CASE, other]) == ["LGS999 bad.py something else: not recorded"]
    assert table.disagreements(content, page, []) == ["LGS999 bad.py a cut: recorded, and no longer a case"]
    failed = {**content, "runs": [recorded(seen=["complete"])]}
    assert table.disagreements(failed, page, [CASE]) == ["LGS999 bad.py a cut: recorded as complete"]


def test_the_table_of_the_docs_is_current() -> None:
    """Repair: ``python -m tests.evidence.table --record``, with the codes of the rules whose evidence changed."""
    assert table.disagreements(table.read_record(), table.read_page(table.PAGE), all_cases()) == []
