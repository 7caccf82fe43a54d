"""The timeline: the algorithm over hops made by hand, the forms it is shown in, and the command."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from lg_stream_lint.deploy.code import BlockFact, CodeFacts, DeadlineFact, ModelFact, StreamFact
from lg_stream_lint.deploy.deployment import Deployment, Inventory
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Role, Setting, Where
from lg_stream_lint.deploy.ways import App, Way
from lg_stream_lint.finding import Span
from lg_stream_lint.report.timeline import FORMATS, Terminal, View, render
from lg_stream_lint.timeline import Cut, Timeline, timeline_of
from tests.fronts import command
from tests.timeline_example import EXAMPLE, FORMS, PICTURE, files_of, said

ON = True
QUESTIONS = (30.0, 60.0, 120.0, 300.0)


def where(row: int = 1, path: str = "/repo/nginx.conf") -> Where:
    return Where(path, Span(row, 1, row, 9))


def limit(name: str, seconds: float | None, kind: str, key: str = "", **more: Any) -> Setting:
    return Setting(name, key or name, seconds, Origin.EXPLICIT, more.pop("where", where()), kind, **more)


def known(name: str, value: Any) -> Setting:
    return Setting(name, name, value, Origin.EXPLICIT, where())


def hop(layer: str, role: str, *settings: Setting, name: str = "") -> Hop:
    return Hop(layer, role, name, where(), settings)


def server(layer: str = "uvicorn", *settings: Setting) -> Hop:
    return hop(layer, Role.SERVER, *settings)


def gunicorn(worker: str, *settings: Setting) -> Hop:
    return server("gunicorn", known("worker_class", worker), *settings)


def host(layer: str, grace: float | None, *settings: Setting) -> Hop:
    return hop(layer, Role.HOST, limit("stop_grace", grace, Kind.GRACE), *settings)


def proxy(layer: str, *settings: Setting) -> Hop:
    return hop(layer, Role.PROXY, *settings)


def reads(seconds: float) -> Setting:
    return limit("read_timeout", seconds, Kind.IDLE)


def total(seconds: float) -> Setting:
    return limit("total_timeout", seconds, Kind.TOTAL)


def first_byte(seconds: float) -> Setting:
    return limit("first_byte_timeout", seconds, Kind.FIRST_BYTE)


BUFFERS = (known("buffering", ON), known("http_version", "1.0"))
DELAYS = (known("buffering", ON), known("http_version", "1.1"))
STREAM = StreamFact(
    where(7, "/repo/app.py"), ("/chat",), heartbeat=None, accel=False, sse=True, late_headers=False, tools=False
)


def code(stream: StreamFact = STREAM, **facts: Any) -> CodeFacts:
    return CodeFacts(streams=(stream,), complete=True)._replace(**facts)


def model(limit: float | None, **facts: Any) -> ModelFact:
    usual: dict[str, Any] = {"explicit": True, "total": False, "chunk": None, "attempts": 1}
    return ModelFact(**{"where": where(3, "/repo/app.py"), "name": "ChatOpenAI", "limit": limit, **usual, **facts})


class Given(Deployment):
    """A deployment that holds what a test says."""

    def __init__(self, facts: CodeFacts) -> None:
        super().__init__("/repo", Inventory((), ()))
        self.facts = facts

    def code(self, way: Way) -> CodeFacts:
        return self.facts


def line_of(
    *hops: Hop, facts: CodeFacts | None = None, sure: bool = True, asked: tuple[float, ...] = QUESTIONS
) -> Timeline:
    way = Way(hops, App("app:app", "/repo/app.py", "app"), sure)
    return timeline_of(Given(facts or code()), way, asked, asked)


def cut_of(line: Timeline, question: str, asked: float = 0) -> Cut:
    return next(cut for cut in line.cuts if (cut.question, cut.asked) == (question, asked))


def silence(*hops: Hop, seconds: float = 120, facts: CodeFacts | None = None) -> tuple[float | None, str | None, str]:
    cut = cut_of(line_of(*hops, facts=facts, asked=(seconds,)), "silence", seconds)
    return cut.at, cut.by, cut.seen


def length(*hops: Hop, seconds: float = 120, facts: CodeFacts | None = None) -> tuple[float | None, str | None, str]:
    cut = cut_of(line_of(*hops, facts=facts, asked=(seconds,)), "length", seconds)
    return cut.at, cut.by, cut.seen


def deploy(*hops: Hop, facts: CodeFacts | None = None) -> tuple[float | None, str | None]:
    cut = cut_of(line_of(*hops, facts=facts), "deploy")
    return cut.at, cut.by


EARLY = "200, then the connection closes early"


class TestSilence:
    """Nothing from the model, before the first token."""

    def test_the_shortest_idle_limit_cuts(self) -> None:
        assert silence(server(), proxy("nginx", reads(60)), proxy("haproxy", reads(90))) == (60, "nginx", EARLY)

    def test_of_equal_ones_the_outermost(self) -> None:
        assert silence(server(), proxy("nginx", reads(60)), proxy("haproxy", reads(60)))[:2] == (60, "haproxy")

    def test_a_limit_as_long_as_the_silence_does_not_cut(self) -> None:
        assert silence(server(), proxy("nginx", reads(60)), seconds=60) == (None, None, "")

    def test_no_limit_never_cuts(self) -> None:
        off = limit("read_timeout", None, Kind.IDLE)
        assert silence(server(), proxy("haproxy", off), seconds=9000)[0] is None

    def test_a_total_limit_counts_the_silence(self) -> None:
        assert silence(server(), proxy("envoy", total(15)))[:2] == (15, "envoy")

    def test_pings_reset_idle_limits_only(self) -> None:
        pinging = code(STREAM._replace(heartbeat=15))
        assert silence(server(), proxy("nginx", reads(60)), facts=pinging)[0] is None
        assert silence(server(), proxy("nginx", reads(10)), facts=pinging)[:2] == (10, "nginx")
        assert silence(server(), proxy("envoy", total(60)), facts=pinging)[:2] == (60, "envoy")
        line = line_of(server(), proxy("nginx", reads(60)), facts=pinging)
        assert "15 s between two pings" in cut_of(line, "silence", 120).why

    def test_pings_of_unknown_interval_are_taken_for_short_and_said_to_be_unknown(self) -> None:
        line = line_of(server(), proxy("nginx", reads(60)), facts=code(STREAM._replace(heartbeat=0)))
        assert cut_of(line, "silence", 120).by is None
        assert "how often the application pings" in line.not_visible

    def test_one_stream_without_pings_is_the_one_that_is_cut(self) -> None:
        both = CodeFacts(streams=(STREAM._replace(heartbeat=15), STREAM), complete=True)
        assert silence(server(), proxy("nginx", reads(60)), facts=both)[:2] == (60, "nginx")

    def test_pings_do_not_reset_the_models_own_limits(self) -> None:
        facts = code(STREAM._replace(heartbeat=15), models=(model(600, chunk=120),))
        line = line_of(server(), proxy("nginx", reads(60)), facts=facts)
        cut = cut_of(line, "silence", 300)
        assert (cut.at, cut.by) == (120, "model")
        assert "pings do not reset it" in cut.why
        assert cut_of(line, "length", 300).by is None

    def test_a_handler_that_waits_sends_no_pings(self) -> None:
        waiting = code(STREAM._replace(heartbeat=15, late_headers=True))
        assert silence(server(), proxy("nginx", reads(60)), facts=waiting) == (60, "nginx", "504")

    def test_a_blocked_loop_sends_no_pings_and_meets_the_watchdog(self) -> None:
        blocked = code(
            STREAM._replace(heartbeat=15), blocking=(BlockFact(where(), "LGS201", "graph.invoke()", in_stream=True),)
        )
        worker = gunicorn("uvicorn.workers.UvicornWorker", limit("timeout", 30, Kind.BLOCK))
        assert silence(worker, proxy("nginx", reads(60)), facts=blocked)[:2] == (30, "gunicorn")
        assert silence(worker, proxy("nginx", reads(60)))[:2] == (60, "nginx")
        for other in (
            BlockFact(where(), "LGS204", "time.sleep()", in_stream=True),
            BlockFact(where(), "LGS201", "elsewhere"),
        ):
            assert silence(worker, facts=code(blocking=(other,)))[0] is None

    @pytest.mark.parametrize(
        ("worker", "seen"),
        [
            ("uvicorn.workers.UvicornWorker", EARLY),
            ("uvicorn_worker.UvicornH11Worker", EARLY),
            ("asgi", "504"),
            ("gthread", "504"),
            ("gevent", "504"),
            ("app.workers.Own", f"504, or {EARLY}"),
        ],
    )
    def test_what_is_seen_depends_on_when_the_server_sends_the_headers(self, worker: str, seen: str) -> None:
        assert silence(gunicorn(worker), proxy("nginx", reads(60))) == (60, "nginx", seen)

    @pytest.mark.parametrize(("layer", "late"), [("uvicorn", 0), ("hypercorn", 0), ("granian", 0), ("daphne", 1)])
    def test_limits_until_the_headers(self, layer: str, late: bool) -> None:
        assert silence(server(layer), proxy("heroku", first_byte(30)))[1] == ("heroku" if late else None)

    def test_late_headers_come_with_the_first_ping(self) -> None:
        pinging = code(STREAM._replace(heartbeat=15))
        chain = server("daphne"), proxy("heroku", first_byte(30), reads(55))
        assert silence(*chain, facts=pinging)[0] is None
        assert silence(*chain) == (30, "heroku", "503 (H12)")
        assert silence(server("daphne"), proxy("heroku", first_byte(10)), facts=pinging)[:2] == (10, "heroku")
        assert silence(server("daphne"), proxy("envoy", total(60)), facts=pinging) == (60, "envoy", EARLY)

    def test_a_proxy_that_buffers_turns_a_closed_connection_into_a_504(self) -> None:
        outer = proxy("haproxy", reads(30))
        assert silence(server(), proxy("nginx", reads(90)), outer) == (30, "haproxy", EARLY)
        assert silence(server(), proxy("nginx", reads(90), *DELAYS), outer) == (30, "haproxy", "504")
        assert silence(server(), proxy("nginx", reads(90), *BUFFERS), outer) == (30, "haproxy", "504")

    def test_a_proxy_that_buffers_hides_the_pings(self) -> None:
        pinging = code(STREAM._replace(heartbeat=15))
        outer = proxy("haproxy", reads(30))
        assert silence(server(), proxy("nginx", reads(90), *DELAYS), outer, facts=pinging)[0] is None
        assert silence(server(), proxy("nginx", reads(90), *BUFFERS), outer, facts=pinging) == (30, "haproxy", "504")
        assert silence(server(), proxy("nginx", reads(20), *BUFFERS), facts=pinging)[0] is None, (
            "its own clock sees them"
        )

    def test_the_header_releases_the_first_nginx(self) -> None:
        telling = code(STREAM._replace(heartbeat=15, accel=True))
        outer = proxy("haproxy", reads(30))
        assert silence(server(), proxy("nginx", reads(90), *BUFFERS), outer, facts=telling)[0] is None
        ignoring = proxy("nginx", reads(90), *BUFFERS, known("ignores_accel", ON))
        assert silence(server(), ignoring, outer, facts=telling)[1] == "haproxy"
        line = line_of(server(), proxy("nginx", *BUFFERS), proxy("nginx", *BUFFERS), facts=telling)
        assert [held.whole for held in line.held] == [True], "the inner one takes the header away"

    def test_some_proxies_have_answers_of_their_own(self) -> None:
        late = gunicorn("asgi")
        assert silence(late, proxy("apache", reads(60)))[2] == "502"
        assert silence(late, proxy("cloudflare", first_byte(100)))[2] == "524"
        assert silence(server(), proxy("caddy", reads(60)))[2] == "200, then an end that looks complete"

    def test_a_limit_towards_the_client_is_none_of_a_stream(self) -> None:
        line = line_of(server(), proxy("haproxy", limit("send_timeout", 30, Kind.IDLE)))
        assert line.layers == ()

    def test_attempts_of_a_model_are_told(self) -> None:
        line = line_of(server(), facts=code(models=(model(60, attempts=3),)))
        cut = cut_of(line, "silence", 120)
        assert (cut.at, cut.by) == (60, "model")
        assert "up to 3 times" in cut.why


class TestLength:
    """An answer that takes long while its tokens flow."""

    def test_only_totals_count(self) -> None:
        chain = server(), proxy("nginx", reads(60)), proxy("envoy", total(90))
        assert length(*chain) == (90, "envoy", EARLY)
        assert length(*chain, seconds=90)[0] is None

    def test_a_total_of_the_server(self) -> None:
        assert length(gunicorn("sync", limit("timeout", 30, Kind.TOTAL))) == (30, "gunicorn", EARLY)
        daphne = server("daphne", limit("response_limit", 60, Kind.TOTAL))
        assert length(daphne) == (60, "daphne", "200, then an end that looks complete")

    def test_the_watchdog_of_an_async_worker_is_no_limit(self) -> None:
        assert length(gunicorn("asgi", limit("timeout", 30, Kind.BLOCK)), seconds=9000)[0] is None

    def test_behind_a_proxy_that_buffers_every_limit_counts_the_whole_answer(self) -> None:
        outer = proxy("haproxy", reads(30))
        assert length(server(), proxy("nginx", reads(60), *BUFFERS), outer) == (30, "haproxy", "504")
        assert length(server(), proxy("nginx", reads(60), *DELAYS), outer)[0] is None
        why = cut_of(line_of(server(), proxy("nginx", reads(60), *BUFFERS), outer), "length", 120).why
        assert "holds all of them back" in why

    def test_a_total_of_the_model(self) -> None:
        facts = code(models=(model(60, total=True),))
        assert length(server(), proxy("nginx", reads(10)), facts=facts)[:2] == (60, "model")

    def test_a_deadline_in_the_code(self) -> None:
        facts = code(
            STREAM._replace(heartbeat=15), deadlines=(DeadlineFact(where(9, "/repo/app.py"), "asyncio.timeout", 45),)
        )
        line = line_of(server(), proxy("envoy", total(90)), facts=facts)
        assert (cut_of(line, "length", 60).at, cut_of(line, "length", 60).by) == (45, "app")
        assert (cut_of(line, "silence", 60).at, cut_of(line, "silence", 60).by) == (45, "app")
        assert "asyncio.timeout() allows 45 s in all" in cut_of(line, "length", 60).why
        assert [layer.layer for layer in line.layers] == ["app", "envoy"]

    def test_a_platform_that_cannot_stream_hides_everything(self) -> None:
        chain = server(), proxy("lambda", known("cannot_stream", "buffered mode")), proxy("api-gateway", reads(29))
        assert length(*chain)[:2] == (29, "api-gateway")


class TestDeploy:
    """A new version in mid-stream."""

    def test_the_servers_grace_or_the_hosts(self) -> None:
        graceful = limit("graceful_timeout", 20, Kind.GRACE)
        assert deploy(gunicorn("asgi", graceful), host("kubernetes", 30)) == (20, "gunicorn")
        assert deploy(gunicorn("asgi", graceful), host("compose", 10)) == (10, "compose")

    def test_of_equal_ones_the_outermost(self) -> None:
        graceful = limit("graceful_timeout", 30, Kind.GRACE)
        assert deploy(gunicorn("asgi", graceful), host("kubernetes", 30)) == (30, "kubernetes")

    def test_a_pause_counts_for_the_host_and_not_for_the_server(self) -> None:
        graceful = limit("graceful_timeout", 20, Kind.GRACE)
        pausing = host("kubernetes", 30, known("pre_stop", 15))
        assert deploy(gunicorn("asgi", graceful), pausing) == (30, "kubernetes")
        longer = host("kubernetes", 60, known("pre_stop", 15))
        assert deploy(gunicorn("asgi", graceful), longer) == (35, "gunicorn")
        assert "15 s later" in cut_of(line_of(gunicorn("asgi", graceful), longer), "deploy").why

    def test_a_shell_keeps_the_signal_from_the_server(self) -> None:
        graceful = limit("graceful_timeout", 5, Kind.GRACE)
        deaf = host("kubernetes", 30, known("shell", ON))
        assert deploy(gunicorn("asgi", graceful), deaf) == (30, "kubernetes")
        assert "nothing drains" in cut_of(line_of(gunicorn("asgi", graceful), deaf), "deploy").why

    def test_an_unlimited_server_waits_for_its_host(self) -> None:
        patient = server("uvicorn", limit("graceful_timeout", None, Kind.GRACE))
        assert deploy(patient) == (None, None)
        assert deploy(patient, host("railway", 0)) == (0, "railway")
        assert deploy(patient, host("systemd", None)) == (None, None)

    def test_a_response_that_ends_itself(self) -> None:
        ending = code(at_shutdown=(where(),))
        assert deploy(server(), host("kubernetes", 30), facts=ending) == (0, "app")
        assert deploy(server(), host("kubernetes", 30, known("pre_stop", 5)), facts=ending) == (5, "app")
        assert deploy(server(), host("kubernetes", 30, known("shell", ON)), facts=ending) == (30, "kubernetes")

    def test_a_proxys_own_reload_is_no_deploy(self) -> None:
        assert deploy(server(), proxy("nginx", limit("stop_timeout", 3, Kind.GRACE))) == (None, None)


class TestWhatIsSaid:
    """Layers, and what is not visible."""

    def test_the_layers_go_outward(self) -> None:
        facts = code(models=(model(600, chunk=120), model(600, chunk=120), model(math.inf, name="ChatOllama")))
        line = line_of(
            server("uvicorn", limit("graceful_timeout", None, Kind.GRACE)), proxy("nginx", reads(60)), facts=facts
        )
        assert [(layer.layer, layer.setting, layer.seconds) for layer in line.layers] == [
            ("model", "timeout", 600),
            ("model", "stream_chunk_timeout", 120),
            ("model", "timeout", None),
            ("uvicorn", "graceful_timeout", None),
            ("nginx", "read_timeout", 60),
        ]

    def test_what_is_missing_is_said(self) -> None:
        line = line_of(proxy("nginx", reads(60)), facts=CodeFacts(), sure=False)
        text = "\n".join(line.not_visible)
        for words in ("streams a model's output", "model client's limits", "starts the server", "could not be read"):
            assert words in text
        assert "in front of the server" not in text
        assert "in front of the server" in "\n".join(line_of(server()).not_visible)

    def test_notes_are_part_of_it(self) -> None:
        given = Given(code())
        given.__dict__["notes"] = (Note(where(4), "a template"), Note(where(4), "a template"))
        line = timeline_of(given, Way((server(),), None, sure=True), (), ())
        assert line.not_visible.count("/repo/nginx.conf:4: a template") == 1


def view_of(*hops: Hop, **more: Any) -> View:
    facts = code(models=(model(600),))
    return View((line_of(*hops, facts=facts),), "/repo", **more)


NGINX = proxy("nginx", limit("read_timeout", 60, Kind.IDLE, "proxy_read_timeout", where=where(12), overridable=True))


class TestForms:
    """Text, JSON, SVG."""

    def test_json(self) -> None:
        document = json.loads(render("json", view_of(server(), NGINX)))
        assert document["ways"] == [{key: value for key, value in document.items() if key != "ways"}]
        assert document["layers"][-1] == {
            "layer": "nginx",
            "product": "nginx",
            "name": "",
            "setting": "proxy_read_timeout",
            "kind": "idle",
            "seconds": 60,
            "origin": "explicit",
            "overridable": True,
            "filename": "nginx.conf",
            "location": {"row": 12, "column": 1},
        }
        silences = [cut for cut in document["cuts"] if "silence" in cut]
        assert [(cut["silence"], cut["at"], cut["by"]) for cut in silences] == [
            (30, None, None),
            (60, None, None),
            (120, 60, "nginx"),
            (300, 60, "nginx"),
        ]
        assert silences[2]["why"].startswith("proxy_read_timeout allows 60 s without a byte")
        assert (silences[2]["filename"], silences[2]["location"]["row"]) == ("nginx.conf", 12)
        assert [cut["length"] for cut in document["cuts"] if "length" in cut] == [30, 60, 120, 300]
        (deployed,) = [cut for cut in document["cuts"] if "deploy" in cut]
        assert (deployed["deploy"], deployed["at"], deployed["by"]) == (True, None, None)
        assert "the client's own time-outs" in document["not_visible"]

    def test_json_has_no_limit_as_null(self) -> None:
        off = limit("read_timeout", None, Kind.IDLE)
        document = json.loads(render("json", view_of(server(), proxy("haproxy", off))))
        assert document["layers"][-1]["seconds"] is None

    def test_text(self) -> None:
        slow = proxy("envoy", total(900), limit("read_timeout", 0.5, Kind.IDLE), limit("x", None, Kind.GRACE))
        text = render("text", view_of(server(), NGINX, slow))
        assert text == (
            """\
app:app through envoy
The application sends no pings; its headers leave at once.

layer  limit               kind   value  where                       0             150         300 s
model  ChatOpenAI timeout  idle   600 s  app.py:3                    ==============================>
nginx  proxy_read_timeout  idle    60 s  nginx.conf:12, overridable  ======
envoy  total_timeout       total  900 s  nginx.conf:1                ##############################>
envoy  read_timeout        idle   0.5 s  nginx.conf:1                |
envoy  x                   grace   none  nginx.conf:1

= idle: seconds without a byte
# total: seconds in all, whatever flows
~ grace: seconds after the signal to stop

a silence of 30 s   meets envoy after 0.5 s: read_timeout allows 0.5 s without a byte (nginx.conf:1). \
The client gets 200, then the connection closes early.
a silence of 60 s   meets envoy after 0.5 s: read_timeout allows 0.5 s without a byte (nginx.conf:1). \
The client gets 200, then the connection closes early.
a silence of 120 s  meets envoy after 0.5 s: read_timeout allows 0.5 s without a byte (nginx.conf:1). \
The client gets 200, then the connection closes early.
a silence of 300 s  meets envoy after 0.5 s: read_timeout allows 0.5 s without a byte (nginx.conf:1). \
The client gets 200, then the connection closes early.
an answer of 30 s   meets nothing: no limit in sight counts the whole answer and is shorter.
an answer of 60 s   meets nothing: no limit in sight counts the whole answer and is shorter.
an answer of 120 s  meets nothing: no limit in sight counts the whole answer and is shorter.
an answer of 300 s  meets nothing: no limit in sight counts the whole answer and is shorter.
a deploy            meets nothing: nothing in sight ends a stream at a deploy.

Not visible from here:
- what stops the server at a deploy
- settings that are changed in a console or by environment variables at run time
- the client's own time-outs
"""
        )

    def test_text_is_plain_unless_a_terminal_can_draw(self) -> None:
        assert render("text", view_of(server(), NGINX)).isascii()
        drawn = render("text", view_of(server(), NGINX, terminal=Terminal(graphic=True, columns=140)))
        assert "█" in drawn
        assert "▶" in drawn

    def test_a_terminal_gets_what_fits_and_a_file_whole_paths(self) -> None:
        far = proxy(
            "nginx", limit("read_timeout", 60, Kind.IDLE, where=where(12, "/repo/" + "deploy/" * 20 + "nginx.conf"))
        )
        narrow = render("text", view_of(server(), far, terminal=Terminal(graphic=True, columns=100)))
        table, answers = narrow.split("\n\n")[1], narrow.split("\n\n")[3]
        assert all(len(line) <= 100 for line in table.splitlines())
        assert "…" in table
        assert "nginx.conf:12" in table
        assert answers.count("\n                    ") >= 2, "sentences go on below their beginning"
        assert "deploy/" * 20 in render("text", view_of(server(), far)).split("\n\n")[1]

    def test_what_the_application_sends_is_said_only_where_it_is_known(self) -> None:
        known, unknown = (render("text", View((line_of(server(), facts=f),), "/repo")) for f in (code(), CodeFacts()))
        assert "The application sends no pings; its headers leave at once." in known
        assert "No response that streams a model's output was found" in unknown

    def test_text_in_colour_says_the_same(self) -> None:
        plain, colored = (render("text", view_of(server(), NGINX, color=color)) for color in (False, True))
        assert colored != plain
        assert re.sub("\033\\[[0-9;]*m", "", colored) == plain

    def test_what_two_ways_share_is_said_once(self) -> None:
        first, second = line_of(server()), line_of(server(), proxy("nginx", reads(60)))
        text = render("text", View((first, second), "/repo"))
        assert text.count("the client's own time-outs") == 1
        assert "way 2 of 2: app:app through nginx (nginx.conf:1)" in text
        assert text.count("on this way") == 1

    def test_a_long_list_is_cut_short_unless_asked(self) -> None:
        line = line_of(server())._replace(
            not_visible=tuple(f"/repo/x{number}.yaml:1: a template" for number in range(40))
        )
        assert "and 28 more (--verbose lists them)" in render("text", View((line,), "/repo"))
        assert "- x39.yaml:1: a template" in render("text", View((line,), "/repo", verbose=True))

    def test_what_is_held_back_is_said(self) -> None:
        whole = render("text", view_of(server(), proxy("nginx", *BUFFERS)))
        assert "nginx (nginx.conf:1) holds back the whole answer until its end." in whole
        headers = render("text", view_of(server(), proxy("nginx", *DELAYS)))
        assert "nginx (nginx.conf:1) holds back the headers until the first chunk." in headers

    @pytest.mark.parametrize("form", FORMATS)
    @pytest.mark.parametrize("heartbeat", [None, 0, 15])
    @pytest.mark.parametrize("waits", [True, False])
    def test_every_form_bears_every_stream(self, form: str, heartbeat: float | None, waits: bool) -> None:
        facts = code(STREAM._replace(heartbeat=heartbeat, late_headers=waits))
        assert render(form, View((line_of(proxy("nginx", reads(60)), facts=facts),), "/repo"))

    def svg(self, view: View) -> ET.Element:
        return ET.fromstring(render("svg", view))

    def test_svg_stands_alone(self) -> None:
        text = render("svg", view_of(server(), NGINX))
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not re.search(r"href|url\(|@import|<script|<image|<use|<foreignObject", text)
        assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
        assert "prefers-color-scheme: dark" in text

    def test_svg_escapes_what_files_hold(self) -> None:
        odd = hop("nginx", Role.PROXY, limit("read_timeout", 60, Kind.IDLE, '"><script>&\x00\udcff'), name="</svg>]]>&")
        root = self.svg(view_of(server(), odd))
        words = "".join(root.itertext())
        assert "<script>&" in words
        assert "</svg>]]>&" in words
        assert root.findall(".//{*}script") == []

    def test_svg_keeps_inside_its_frame(self) -> None:
        long = proxy(
            "gateway-api", limit("total_timeout", 9999, Kind.TOTAL, "k" * 200, where=where(1, "/repo/" + "d" * 300))
        )
        root = self.svg(view_of(server(), NGINX, long))
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        assert root.attrib["viewBox"] == f"0 0 {width:g} {height:g}"
        for text in root.iter("{*}text"):
            assert 0 < float(text.attrib["x"]) < width
            assert 0 < float(text.attrib["y"]) < height
            assert len("".join(text.itertext())) < 145
        for bar in root.iter("{*}rect"):
            assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width

    def test_svg_of_many_ways_says_how_many_it_leaves_out(self) -> None:
        lines = tuple(line_of(server(), proxy("nginx", reads(number))) for number in range(1, 12))
        assert "and 3 more ways" in "".join(self.svg(View(lines, "/repo")).itertext())


class TestTheCommand:
    """``lg-stream-lint --timeline``."""

    def test_the_documented_example(self, root: Path) -> None:
        """docs/timeline.md says what is printed; ``python -m tests.timeline_example`` writes it anew."""
        text = EXAMPLE.read_text("utf-8")
        for form, fence in FORMS.items():
            assert f"```{fence}\n{said(files_of(text), root, form)}```" in text
        assert said(files_of(text), root, "svg") == PICTURE.read_text("utf-8")

    def test_a_file_or_a_folder_picks_the_repository(self, root: Path) -> None:
        said(files_of(EXAMPLE.read_text("utf-8")), root, "json")
        whole = json.loads(command("--timeline", "--isolated", "--output-format", "json", at=root).out)
        for path in ("app", "app/main.py", "nginx.conf"):
            asked = command("--timeline", "--isolated", "--output-format", "json", path, at=root)
            assert asked.code == 0
            assert json.loads(asked.out)["layers"] == whole["layers"]

    def test_the_questions(self, root: Path) -> None:
        given = ("--timeline", "--output-format", "json", "--silence", "45", "--silence", "1.5", "--length", "600")
        cuts = json.loads(command(*given, at=root).out)["cuts"]
        assert [cut.get("silence") for cut in cuts] == [45, 1.5, None, None]
        assert [cut.get("length") for cut in cuts] == [None, None, 600, None]

    def test_without_deployment_files_the_models_limits_are_left(self, root: Path) -> None:
        files = files_of(EXAMPLE.read_text("utf-8"))
        said({path: text for path, text in files.items() if path.endswith((".py", ".txt"))}, root, "json")
        document = json.loads(command("--timeline", "--isolated", "--output-format", "json", at=root).out)
        assert {layer["layer"] for layer in document["layers"]} == {"model"}
        assert "the command that starts the server" in document["not_visible"]
        assert document["title"].startswith("the code alone")

    def test_a_deadline_of_the_code_is_a_layer(self, root: Path) -> None:
        files = files_of(EXAMPLE.read_text("utf-8"))
        loop = "    async for token"
        inside = files["app/main.py"].replace(loop, "    async with asyncio.timeout(45):\n        async for token")
        inside = inside.replace("        yield f", "            yield f").replace(
            "import json\n", "import asyncio\nimport json\n"
        )
        said({**files, "app/main.py": inside}, root, "json")
        layers = json.loads(command("--timeline", "--isolated", "--output-format", "json", at=root).out)["layers"]
        (found,) = [layer for layer in layers if layer["layer"] == "app"]
        assert (found["setting"], found["kind"], found["seconds"]) == ("asyncio.timeout()", "total", 45)
        assert (found["filename"], found["location"]["row"]) == ("app/main.py", 21)

    def test_a_graph_that_blocks_the_loop_meets_the_watchdog(self, root: Path) -> None:
        files = files_of(EXAMPLE.read_text("utf-8"))
        blocking = files["app/main.py"].replace(
            "    async for token, _ in graph.astream(", "    for token, _ in graph.stream("
        )
        said({**files, "app/main.py": blocking}, root, "json")
        document = json.loads(command("--timeline", "--isolated", "--output-format", "json", at=root).out)
        assert [(cut["at"], cut["by"]) for cut in document["cuts"][1:3]] == [(30, "gunicorn"), (30, "gunicorn")]

    def test_an_empty_folder_is_no_error(self, root: Path) -> None:
        for form in FORMATS:
            assert command("--timeline", "--output-format", form, at=root).code == 0

    @pytest.mark.parametrize(
        "given",
        [
            ("--timeline", "nowhere"),
            ("--timeline", "a", "b"),
            ("--timeline", "-"),
            ("--timeline", "--output-format", "sarif"),
            ("--timeline", "--statistics"),
            ("--timeline", "--silence", "soon"),
            ("--timeline", "--length", "0"),
            ("--timeline", "--length", "nan"),
            ("--timeline", "--list-rules"),
            ("--silence", "30"),
            ("--length", "30"),
            ("--output-format", "svg"),
        ],
    )
    def test_wrong_usage(self, given: tuple[str, ...], root: Path) -> None:
        answer = command(*given, at=root)
        assert answer.code == 2
        assert answer.out == ""
        assert answer.err
