"""``--why``: words and seconds to causes, each checked against a small project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lg_stream_lint.knowledge import knowledge
from lg_stream_lint.rules.registry import rules
from lg_stream_lint.why import UNSEEN, ask
from tests import fronts
from tests.deploy.test_compounds import AGENT, COMPOSE, NGINX, UVICORN
from tests.projects import Project

#: Rules about what fails at once, at the first call or in this tool: nobody looks for them by a stream's symptom.
WITHOUT_SYMPTOM = {"LGS001", "LGS002", "LGS107", "LGS110", "LGS112", "LGS507", "LGS702"}

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
    ],
)
def test_words_lead_to_a_symptom(words: str, name: str, project: Path) -> None:
    assert name in {symptom["name"] for symptom in why("--why", words, at=project)["symptoms"]}


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("504 after 60 s", 60),
        ("stops after 60 seconds", 60),
        ("cut after 1.5 min", 90),
        ("dies at 2 minutes", 120),
        ("after 500ms", 0.5),
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


def test_the_ending_weighs(project: Path) -> None:
    clean = [cause["code"] for cause in why("--cut-at", "47", "--clean-end", at=project)["causes"]]
    reset = [cause["code"] for cause in why("--cut-at", "47", "--reset", at=project)["causes"]]
    assert "LGS502" in reset
    assert "LGS502" not in clean


def test_words_that_nobody_knows(project: Path) -> None:
    answer = fronts.command("--isolated", "--why", "purple elephants", at=project)
    assert answer.code == 0
    assert "No symptom that is known was named" in answer.out
    assert UNSEEN[0] in " ".join(answer.out.split())


def test_a_folder_without_anything(root: Path) -> None:
    document = why("--why", "WORKER TIMEOUT", at=root)
    assert set(verdicts(document).values()) == {"not visible"}


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
        (["--reset"], "--clean-end and --reset say how streams end"),
        (["--why", "504", "--statistics"], "answer a question of their own"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, root: Path) -> None:
    answer = fronts.command(*arguments, at=root)
    assert answer.code == 2
    assert message in answer.err
