"""``--why``: words and seconds to causes, each checked against a small project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lg_stream_lint.knowledge import knowledge
from lg_stream_lint.rules.registry import rules
from lg_stream_lint.why import UNSEEN, ask, meant_by
from tests import fronts
from tests.deploy.test_compounds import AGENT, COMPOSE, NGINX, UVICORN
from tests.projects import Project

#: Rules about what fails at once, at the first call or in this tool: nobody looks for them by a stream's symptom.
WITHOUT_SYMPTOM = {"LGS001", "LGS002", "LGS107", "LGS507", "LGS702"}

WITHOUT_PINGS = """
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def frames():
    try:
        async for chunk in llm.astream("hi"):
            yield f"data: {chunk.model_dump_json()}\\n\\n"
    except Exception:
        yield "event: error\\ndata: {}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(frames(), media_type="text/event-stream")
"""
PATIENT = AGENT.replace("timeout=60", "timeout=240")


@pytest.fixture
def project(root: Path) -> Path:
    """An agent behind nginx: buffered by default, and cut after 60 s of silence."""
    files = {"app/__init__.py": "", "app/main.py": PATIENT, "Dockerfile": UVICORN, "compose.yaml": COMPOSE}
    nginx = NGINX.replace("SETTINGS", "proxy_buffering off;")
    return Project("why", {name: text.encode() for name, text in {**files, "nginx.conf": nginx}.items()}).write(root)


def why(*arguments: str, at: Path) -> dict[str, Any]:
    """The answer as a program reads it."""
    answer = fronts.command("--isolated", "--output-format", "json", *arguments, at=at)
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def verdicts(document: dict[str, Any]) -> dict[str, str]:
    """The verdict of each rule among the causes."""
    return {cause["code"]: cause["verdict"] for cause in document["causes"] if cause["code"]}


class TestTable:
    """The symptoms themselves."""

    def test_causes_are_rules(self) -> None:
        assert {code for row in knowledge().symptoms for code in row.causes} <= set(rules())

    def test_every_rule_about_a_stream_has_a_symptom(self) -> None:
        named = {code for row in knowledge().symptoms for code in row.causes}
        assert set(rules()) - named == WITHOUT_SYMPTOM

    def test_words_are_plain(self) -> None:
        for row in knowledge().symptoms:
            for word in row.words:
                assert word == word.lower().strip(), word


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("upstream prematurely closed connection while reading upstream", "upstream-prematurely-closed"),
        ("httpx.RemoteProtocolError: peer closed connection … (incomplete chunked read)", "incomplete-chunked-read"),
        ("[CRITICAL] WORKER TIMEOUT (pid:13821)", "worker-timeout"),
        ("504", "upstream-timed-out"),
        ("499", "client-closed"),
        ("Tokens arrive all at once", "all-at-once"),
        ("only final message", "all-at-once"),
        ("works locally not in production", "all-at-once"),
        ("stream stops mid-sentence", "half-an-answer"),
        ("EventSource's response has a MIME type", "wrong-media-type"),
        ("RuntimeError: async generator ignored GeneratorExit", "generator-exit"),
        ("INVALID_CHAT_HISTORY", "invalid-history"),
        ("net::ERR_INCOMPLETE_CHUNKED_ENCODING 200 (OK)", "incomplete-chunked-read"),
        ("FUNCTION_INVOCATION_TIMEOUT", "function-time-out"),
        # Clients, in several languages.
        ("httpx.RemoteProtocolError: Server disconnected without sending a response.", "bad-gateway"),
        ("aiohttp.client_exceptions.ClientPayloadError: Response payload is not completed", "incomplete-chunked-read"),
        ("requests.exceptions.ChunkedEncodingError: InvalidChunkLength(got length b'')", "incomplete-chunked-read"),
        ("curl: (28) Operation timed out after 30000 milliseconds with 0 bytes received", "client-time-out"),
        ("curl: (52) Empty reply from server", "bad-gateway"),
        ("TypeError: terminated [cause]: SocketError: other side closed", "incomplete-chunked-read"),
        ("UND_ERR_BODY_TIMEOUT", "client-time-out"),
        ("net::ERR_HTTP2_PING_FAILED", "incomplete-chunked-read"),
        ("net::ERR_EMPTY_RESPONSE", "bad-gateway"),
        ("Firefox: Error in input stream", "incomplete-chunked-read"),
        ("java.io.IOException: Premature EOF", "incomplete-chunked-read"),
        ("PrematureCloseException: Connection prematurely closed DURING response", "incomplete-chunked-read"),
        ("context deadline exceeded (Client.Timeout or context cancellation while reading body)", "client-time-out"),
        ("DOMException: The user aborted a request.", "client-closed"),
        # Servers, proxies and platforms.
        ("upstream timed out (110: Connection timed out) while reading upstream", "upstream-timed-out"),
        ("client prematurely closed connection", "client-closed"),
        ("an upstream response is buffered to a temporary file", "all-at-once"),
        ("Invalid HTTP request received.", "invalid-http-request"),
        ("error code: 524", "cloudflare-524"),
        ('at=error code=H28 desc="Client Connection Idle"', "heroku"),
        ('at=error code=H18 desc="Server Request Interrupted"', "heroku-server-closed"),
        ('{"message": "Endpoint request timed out"}', "api-gateway"),
        ("response_flags: UT", "envoy-flags"),
        ("Truncated response body. Usually implies that the request timed out", "function-time-out"),
        ("exit code 137", "killed"),
        # Python.
        ("asyncio.exceptions.CancelledError", "cancelled"),
        ("RuntimeError: generator didn't stop after athrow()", "generator-exit"),
        ("RuntimeError: Response content longer than Content-Length", "content-length"),
        ("h11._util.LocalProtocolError: Can't send data when our state is ERROR", "message-out-of-turn"),
        ("RuntimeWarning: coroutine 'Pregel.ainvoke' was never awaited", "wrong-kind-of-call"),
        ("AttributeError: 'tuple' object has no attribute 'content'", "wrong-shape"),
        ("AttributeError: 'dict' object has no attribute 'encode'", "not-text"),
        ("TypeError: Object of type AIMessageChunk is not JSON serializable", "wrong-shape"),
        ("AttributeError: '_AsyncGeneratorContextManager' object has no attribute 'aget_tuple'", "context-manager"),
        ("psycopg.OperationalError: SSL connection has been closed unexpectedly", "database-connection"),
        ("QueuePool limit of size 5 overflow 10 reached", "pool-exhausted"),
        ("Called get_config outside of a runnable context", "outside-a-run"),
        ("finish_reason: length", "length-limit"),
        ("An assistant message with 'tool_calls' must be followed by tool messages", "invalid-history"),
        ("openai.RateLimitError 429", "provider-error"),
        # Their own words.
        ("EventSource keeps reconnecting every 3 seconds", "reconnects"),
        ("duplicated tokens", "duplicates"),
        ("every token appears twice", "duplicates"),
        ("newlines are lost", "text-damaged"),
        ("SyntaxError: Unexpected token 'd', \"data: {\"... is not valid JSON", "text-damaged"),
        ("works in curl but not in the browser", "browser-only"),
        ("works on localhost, not behind nginx", "all-at-once"),
        ("the spinner never stops", "never-ends"),
        ("one request blocks the others", "blocking-call"),
        ("rolling update kills streams", "graceful-shutdown"),
        ("answer stops always at the same length", "length-limit"),
        ("first message works, the second does not", "only-the-first"),
        ("subgraph tokens not streamed", "subgraph-tokens"),
        ("first token takes ages", "slow-start"),
        ("stop button does not stop generation", "after-disconnect"),
        ("stops silently at the approval step", "interrupt"),
    ],
)
def test_words_lead_to_a_symptom(words: str, name: str) -> None:
    assert name in {match.symptom.name for match in meant_by(ask(words, None, ""))}


def test_the_command_names_the_symptom(project: Path) -> None:
    document = why("--why", "[CRITICAL] WORKER TIMEOUT (pid:13821)", at=project)
    assert [symptom["name"] for symptom in document["symptoms"]] == ["worker-timeout"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("Endpoint request timed out", ["api-gateway"]),  # and not the model's "request timed out"
        ("client prematurely closed connection", ["client-closed"]),
        ("sqlalchemy.exc.TimeoutError", ["pool-exhausted"]),
        ("DuplicatePreparedStatement", ["database-connection"]),
        ("remark 1504", []),
        ("", []),
    ],
)
def test_known_words_inside_longer_ones_do_not_count(words: str, names: list[str]) -> None:
    assert [match.symptom.name for match in meant_by(ask(words, None, ""))] == names


def test_the_most_exactly_named_comes_first() -> None:
    meant = meant_by(ask("slow, and then: async generator ignored GeneratorExit", None, ""))
    assert [match.symptom.name for match in meant] == ["generator-exit", "in-bursts"]


@pytest.mark.parametrize(
    ("words", "name", "taken_for"),
    [
        ("conection reset by peer", "incomplete-chunked-read", "connection reset"),
        ("incomplete chuncked read", "incomplete-chunked-read", "incomplete chunked read"),
        ("upsteam timed out", "upstream-timed-out", "upstream timed out"),
    ],
)
def test_misspelt_words_are_guessed_and_said_to_be(words: str, name: str, taken_for: str, project: Path) -> None:
    document = why("--why", words, at=project)
    assert [symptom["name"] for symptom in document["symptoms"]] == [name]
    assert [guess["taken_for"] for guess in document["guesses"]] == [taken_for]
    out = fronts.command("--isolated", "--why", words, at=project).out
    assert out.startswith(f'Taken for "{taken_for}": "')


@pytest.mark.parametrize("words", ["purple elephants", "the weather is fine", "cut", "error"])
def test_other_words_are_not_guessed(words: str) -> None:
    assert meant_by(ask(words, None, "")) == []


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("504 after 60 s", 60),
        ("stops after 60 seconds", 60),
        ("cut after 1.5 min", 90),
        ("dies at 2 minutes", 120),
        ("after 500ms", 0.5),
        ("after 30000 milliseconds", 30),
        ("closes after 1m30s", 90),
        ("after 1 min 30 s", 90),
        ("half a minute, then it dies", 30),
        ("two minutes in", 120),
        ("after an hour", 3600),
        ("exactly 60-second streams", 60),
        ("nach 60 Sekunden", 60),
        ("au bout de 1,5 minute", 90),
        ("reconnects every 3 seconds", None),
        ("every 3 s, and ends after 40 s", 40),
        ("HTTP/1.1 504, port 8000", None),
        ("30 streams", None),
        ("HTTP 504", None),
        ("v3 stopped", None),
    ],
)
def test_a_length_of_time_in_the_words(words: str, seconds: float | None) -> None:
    assert ask(words, None, "").cut_at == seconds


def test_what_is_given_counts_before_the_words() -> None:
    assert ask("504 after 60 s", 30.0, "").cut_at == 30


def test_found_here_with_its_place(project: Path) -> None:
    causes = why("--why", "504 after 60 s", at=project)["causes"]
    first = causes[0]
    assert (first["code"], first["title"], first["verdict"]) == (None, "nginx 1.25 proxy_read_timeout", "found")
    assert first["places"][0]["filename"] == "nginx.conf"
    assert first["places"][0]["location"]["row"] == 4
    found = [cause["code"] for cause in causes if cause["verdict"] == "found" and cause["code"]]
    assert found[:2] == ["LGS602", "LGS310"]


def test_ruled_out_by_its_place(project: Path) -> None:
    document = why("--why", "tokens arrive all at once", at=project)
    assert verdicts(document)["LGS601"] == "ruled out"
    (cause,) = [cause for cause in document["causes"] if cause["code"] == "LGS601"]
    assert [(place["filename"], place["location"]["row"]) for place in cause["places"]] == [("nginx.conf", 6)]


def test_not_visible_without_anything_to_judge(project: Path) -> None:
    assert verdicts(why("--why", "tokens arrive all at once", at=project))["LGS606"] == "not visible"


def test_what_another_finding_contains_is_not_ruled_out(root: Path) -> None:
    nginx = NGINX.replace("SETTINGS", "gzip on; gzip_types text/event-stream;")
    files = {"app/__init__.py": "", "app/main.py": PATIENT, "Dockerfile": UVICORN, "compose.yaml": COMPOSE}
    at = Project("gzip", {name: text.encode() for name, text in {**files, "nginx.conf": nginx}.items()}).write(root)
    found = verdicts(why("--why", "tokens arrive all at once", at=at))
    assert found["LGS604"] == "found"
    assert "LGS601" not in found  # buffering is on, and that is half of what LGS604 says


def test_a_missing_heartbeat_is_not_ruled_out_by_a_model_that_may_answer_at_once(root: Path) -> None:
    (root / "app.py").write_text(WITHOUT_PINGS)
    (cause,) = [c for c in why("--why", "curl: (28) Operation timed out", at=root)["causes"] if c["code"] == "LGS310"]
    assert cause["verdict"] == "not visible"
    assert cause["why"] == "the streams here send no pings, and how long they are silent is not known"


def test_a_clock_that_fits_comes_before_what_needs_none(project: Path) -> None:
    codes = [cause["code"] for cause in why("--why", "the stream is cut off after 60 s", at=project)["causes"]]
    assert codes.index("LGS602") < codes.index("LGS301")


@pytest.mark.parametrize(
    ("second", "text"),
    [
        (29, "api-gateway: timeoutInMillis is 29 s by default (total)"),
        (30, "heroku: the router's limit is 30 s and fixed (first byte)"),
        (100, "cloudflare: Proxy Read Timeout (in older pages of its documentation) is 100 s by default (idle)"),
        (120, "cloudflare: Proxy Read Timeout, which only Enterprise can change, is 120 s by default (idle)"),
        (300, "client: bodyTimeout of Node's fetch is 300 s by default (idle)"),
        (900, "lambda: the longest Timeout is 900 s and fixed (total)"),
    ],
)
def test_who_else_has_that_second(second: int, text: str, project: Path) -> None:
    assert text in why("--cut-at", str(second), at=project)["elsewhere"]


def test_models_clients_have_seconds_too(project: Path) -> None:
    (text,) = [text for text in why("--cut-at", "600", at=project)["elsewhere"] if text.startswith("model: ")]
    assert "OpenAI" in text
    assert text.endswith(" more: 600 s without a byte by default")


def test_found_before_not_visible_before_ruled_out(project: Path) -> None:
    shown = [cause["verdict"] for cause in why("--why", "incomplete chunked read", at=project)["causes"]]
    assert shown == sorted(shown, key=["found", "not visible", "ruled out"].index)


def test_defaults_of_products_that_are_not_here(project: Path) -> None:
    elsewhere = why("--cut-at", "60", at=project)["elsewhere"]
    assert any(text.startswith("alb: ") for text in elsewhere)
    assert not any(text.startswith("nginx: ") for text in elsewhere)


def test_a_second_that_nothing_fits(project: Path) -> None:
    document = why("--cut-at", "47", "--reset", at=project)
    assert document["cut_at"] == 47
    assert document["ending"] == "reset"
    assert not any(cause["verdict"] == "found" and cause["code"] is None for cause in document["causes"])


@pytest.mark.parametrize(
    ("ending", "name"), [("--clean-end", "half-an-answer"), ("--reset", "incomplete-chunked-read")]
)
def test_an_ending_alone_is_a_symptom(ending: str, name: str, root: Path) -> None:
    assert [symptom["name"] for symptom in why("--cut-at", "47", ending, at=root)["symptoms"]] == [name]


def test_a_limit_that_breaks_the_connection_off_causes_no_clean_end(project: Path) -> None:
    def limits(*arguments: str) -> list[str]:
        causes = why("--cut-at", "60", *arguments, at=project)["causes"]
        return [cause["title"] for cause in causes if cause["code"] is None and cause["verdict"] == "found"]

    assert limits("--reset") == limits() == ["nginx 1.25 proxy_read_timeout"]
    assert limits("--clean-end") == []


def test_an_error_that_nobody_is_told_is_likely_where_the_stream_ends_so(root: Path) -> None:
    untold = WITHOUT_PINGS.replace("    try:\n    ", "    if True:\n    ").replace(
        "    except Exception:\n    ", "    if True:\n    "
    )
    files = {"app.py": untold.replace("llm = ChatOpenAI(", "llm = ChatOpenAI(max_tokens=200, ").encode()}
    at = Project("untold", files).write(root)
    clean = [cause["code"] for cause in why("--cut-at", "47", "--clean-end", at=at)["causes"]]
    assert clean[:2] == ["LGS106", "LGS301"]  # without a middleware the connection breaks off
    assert why("--cut-at", "47", "--reset", at=at)["causes"][0]["code"] == "LGS301"


def test_the_ending_weighs(project: Path) -> None:
    clean = [cause["code"] for cause in why("--cut-at", "47", "--clean-end", at=project)["causes"]]
    reset = [cause["code"] for cause in why("--cut-at", "47", "--reset", at=project)["causes"]]
    assert "LGS502" in reset
    assert "LGS502" not in clean


def test_words_that_nobody_knows(project: Path) -> None:
    answer = fronts.command("--isolated", "--why", "purple elephants", at=project)
    assert answer.code == 0
    assert answer.out.startswith("No symptom that is known was named. ")
    assert "Found here" not in answer.out
    assert UNSEEN[0] in " ".join(answer.out.split())


@pytest.mark.parametrize("words", ["cut off", "all at once", "half an answer"])
def test_the_words_that_are_proposed_are_known(words: str) -> None:
    assert meant_by(ask(words, None, ""))


def test_a_folder_without_anything(root: Path) -> None:
    document = why("--why", "WORKER TIMEOUT", at=root)
    assert set(verdicts(document).values()) == {"not visible"}


def test_what_is_ruled_out_at_one_place_is_one_item(project: Path) -> None:
    out = fronts.command("--isolated", "--why", "tokens arrive all at once", at=project).out
    ruled_out = out.partition("Ruled out:\n")[2].partition("\n\n")[0]
    assert ruled_out.count("this stream was looked at") == 1
    assert "LGS404 sse-media-type-missing, " in " ".join(ruled_out.split())


def test_the_text(project: Path) -> None:
    out = fronts.command("--isolated", "--why", "504 after 60 s", at=project).out
    assert out.startswith("upstream-timed-out: A proxy waited for a byte and none came.")
    assert (
        "\nStreams end after 60 s.\n\nFound here:\n  1. nginx 1.25 proxy_read_timeout\n     nginx.conf:4: 60 s by default"
        in out
    )
    assert max(map(len, out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--why", " "], "--why takes the words"),
        (["--why", "504", "a", "b"], "--why takes one PATH"),
        (["--why", "504", "--output-format", "sarif"], "--why has no sarif format; use text or json"),
        (["--why", "504", "nowhere"], "nowhere: no such file or folder"),
        (["--timeline", "--cut-at", "30"], "--cut-at asks for causes"),
        (["--list-rules", "--cut-at", "30"], "--cut-at asks for causes"),
        (["--reset"], "--clean-end and --reset say how streams end"),
        (["--why", "504", "--statistics"], "answer a question of their own"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, root: Path) -> None:
    answer = fronts.command(*arguments, at=root)
    assert answer.code == 2
    assert message in answer.err
