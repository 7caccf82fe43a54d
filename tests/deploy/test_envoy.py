"""The reader of Envoy's files: routes, which limit holds, clusters, spellings, notes, and hostile input."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Route, Target
from tests.deploy.repositories import reading

HEAD = """\
static_resources:
  listeners:
  - address:
      socket_address: {address: 0.0.0.0, port_value: 10000}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          stat_prefix: web
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
"""
CLUSTERS = """\
  clusters:
  - name: api
    load_assignment:
      cluster_name: api
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: api, port_value: 8000}}}
"""


def read(folder: Path, text: str | bytes, name: str = "envoy.yaml") -> Reading:
    """What the reader finds in one file."""
    return reading("envoy", folder, {name: text})


def route(folder: Path, action: str, match: str = "{prefix: /}", more: str = "") -> Hop:
    """The hop of one route; ``more`` is said of the connection manager."""
    head = HEAD.replace("          stat_prefix: web\n", f"          stat_prefix: web\n{more}")
    (hop,) = read(folder, f"{head}              - match: {match}\n                route: {action}\n{CLUSTERS}").hops
    return hop


def test_a_route(tmp_path: Path) -> None:
    hop = route(tmp_path, "{cluster: api, timeout: 30s}", "{prefix: /chat}")
    assert (hop.layer, hop.role, hop.name) == ("envoy", Role.PROXY, "route /chat")
    assert hop.where.span == (16, 17, 16, 22)
    assert hop.leads_to == (Target("address", "api:8000"),)
    assert hop.known_as == (Target("file", str(tmp_path / "envoy.yaml")), Target("port", "10000"))
    assert hop.routes == (Route("prefix", "/chat"),)
    total = hop.get("total_timeout")
    assert total is not None
    assert (total.value, total.kind, total.key, total.written) == (30, Kind.TOTAL, "timeout", "30s")
    assert total.where.span == (16, 48, 16, 51)


def test_defaults_stand_at_the_route(tmp_path: Path) -> None:
    hop = route(tmp_path, "{cluster: api}")
    total, idle = hop.get("total_timeout"), hop.get("read_timeout")
    assert total is not None
    assert idle is not None
    assert (total.value, total.origin, total.where) == (15, Origin.DEFAULT, hop.where)
    assert (idle.value, idle.kind, idle.key, idle.where) == (300, Kind.IDLE, "stream_idle_timeout", hop.where)


@pytest.mark.parametrize(
    ("action", "more", "totals"),
    [
        ("{cluster: api, timeout: 0s}", "", [("timeout", None)]),
        ("{cluster: api, timeout: 0.5s}", "", [("timeout", 0.5)]),
        (
            "{cluster: api, max_stream_duration: {max_stream_duration: 5s}}",
            "",
            [("max_stream_duration", 5), ("timeout", 15)],
        ),
        (
            "{cluster: api, timeout: 0s}",
            "          common_http_protocol_options: {max_stream_duration: 60s}\n",
            [("max_stream_duration", 60), ("timeout", None)],
        ),
        (
            "{cluster: api, timeout: 0s, max_stream_duration: {max_stream_duration: 0s}}",
            "          common_http_protocol_options: {max_stream_duration: 60s}\n",
            [("timeout", None), ("max_stream_duration", None)],
        ),
    ],
)
def test_limits_of_the_whole_response(tmp_path: Path, action: str, more: str, totals: list[tuple[str, Any]]) -> None:
    hop = route(tmp_path, action, more=more)
    assert [(s.key, s.value) for s in hop.settings if s.name == "total_timeout"] == totals


@pytest.mark.parametrize(
    ("action", "more", "key", "seconds"),
    [
        ("{cluster: api, idle_timeout: 10s}", "          stream_idle_timeout: 20s\n", "idle_timeout", 10),
        ("{cluster: api}", "          stream_idle_timeout: 20s\n", "stream_idle_timeout", 20),
        ("{cluster: api}", "          stream_idle_timeout: 0s\n", "stream_idle_timeout", None),
    ],
)
def test_limits_on_silence(tmp_path: Path, action: str, more: str, key: str, seconds: float | None) -> None:
    idle = route(tmp_path, action, more=more).get("read_timeout")
    assert idle is not None
    assert (idle.key, idle.value) == (key, seconds)


def test_a_try_is_a_limit_until_the_headers(tmp_path: Path) -> None:
    first = route(tmp_path, "{cluster: api, retry_policy: {per_try_timeout: 2s}}").get("first_byte_timeout")
    assert first is not None
    assert (first.value, first.kind) == (2, Kind.FIRST_BYTE)


@pytest.mark.parametrize(
    ("match", "action", "routes"),
    [
        ("{prefix: /api}", "{cluster: api}", [Route("prefix", "/api")]),
        ("{path: /api}", "{cluster: api}", [Route("exact", "/api")]),
        ("{path_separated_prefix: /api}", "{cluster: api}", [Route("prefix", "/api")]),
        ("{safe_regex: {regex: '/a.*'}}", "{cluster: api}", [Route("regex", "/a.*")]),
        ("{prefix: /api/}", "{cluster: api, prefix_rewrite: /}", [Route("prefix", "/api/", "/")]),
        ("{connect_matcher: {}}", "{cluster: api}", []),
    ],
)
def test_paths(tmp_path: Path, match: str, action: str, routes: list[Route]) -> None:
    assert list(route(tmp_path, action, match).routes) == routes


def test_several_clusters_and_none(tmp_path: Path) -> None:
    hop = route(tmp_path, "{weighted_clusters: {clusters: [{name: api, weight: 1}, {name: gone, weight: 1}]}}")
    assert hop.leads_to == (Target("address", "api:8000"),)
    text = HEAD + "              - match: {prefix: /}\n                route: {cluster_header: x}\n"
    assert read(tmp_path, text).notes[0].reason == "which cluster is used is decided with each request"


def test_redirects_are_no_hops(tmp_path: Path) -> None:
    text = HEAD + "              - match: {prefix: /}\n                redirect: {path_redirect: /x}\n"
    assert read(tmp_path, text).hops == ()


def test_what_is_not_written_is_a_note(tmp_path: Path) -> None:
    text = (
        HEAD
        + "              - match: {prefix: /}\n                route: {cluster: api, timeout: '${LIMIT}'}\n"
        + CLUSTERS
    )
    found = read(tmp_path, text.replace("address: api,", "address: $API,"))
    assert found.hops[0].get("total_timeout") is None
    assert {note.reason for note in found.notes} == {"timeout: ${LIMIT}", "an address that is not written here"}


def test_a_default_for_envsubst_is_overridable(tmp_path: Path) -> None:
    total = route(tmp_path, "{cluster: api, timeout: '${LIMIT:-20s}'}").get("total_timeout")
    assert total is not None
    assert (total.value, total.overridable) == (20, True)


def test_json_and_the_other_spelling(tmp_path: Path) -> None:
    text = (
        HEAD
        + "              - match: {prefix: /}\n                route: {cluster: api, idle_timeout: 7s}\n"
        + CLUSTERS
    )
    named = {"virtual_hosts": "virtualHosts", "route_config": "routeConfig", "idle_timeout": "idleTimeout"}
    named |= {"socket_address": "socketAddress", "port_value": "portValue", "load_assignment": "loadAssignment"}
    written = json.dumps(yaml.safe_load(text), indent=1)
    for snake, camel in {**named, "lb_endpoints": "lbEndpoints", "filter_chains": "filterChains"}.items():
        written = written.replace(snake, camel)
    (hop,) = read(tmp_path, written, "envoy.json").hops
    assert (hop.value("read_timeout"), hop.leads_to) == (7, (Target("address", "api:8000"),))
    assert hop.known_as[-1] == Target("port", "10000")


def test_a_table_of_routes_by_itself(tmp_path: Path) -> None:
    text = "resources:\n- virtual_hosts:\n  - name: all\n    routes:\n    - match: {prefix: /}\n      route: {cluster: api}\n"
    (hop,) = read(tmp_path, text, "envoy-rds.yaml").hops
    assert hop.value("total_timeout") == 15
    assert hop.get("read_timeout") is None  # its connection manager is not here


def test_resources_of_kubernetes_are_not_meant(tmp_path: Path) -> None:
    assert read(tmp_path, "apiVersion: v1\nvirtual_hosts: [{routes: [{route: {cluster: a}}]}]\n").hops == ()


@pytest.mark.parametrize(
    "text",
    [
        "virtual_hosts: 1",
        "virtual_hosts: [1, {routes: 2}, {routes: [3, {route: 4, match: 5}]}]",
        "a: &a [*a]\nvirtual_hosts: *a\n",
        "virtual_hosts: &v [{routes: [{route: {cluster: *v}, match: *v}]}]",
        "virtual_hosts:\n" + "".join(" " * n + "- a:\n" for n in range(300)),
        "virtual_hosts: [" + "{routes: [{route: {cluster: a}}]}," * 5_000 + "]",
        b"virtual_hosts: [\xff]",
        "virtual_hosts: {{ .Values.hosts }}",
        "{" * 10_000 + "virtual_hosts",
        "virtual_hosts: !x {routes: !y [{route: !z {timeout: !w 5s}}]}",
    ],
)
def test_odd_files_are_read_in_time(tmp_path: Path, text: str | bytes) -> None:
    began = time.process_time()
    read(tmp_path, text)
    assert time.process_time() - began < 10
