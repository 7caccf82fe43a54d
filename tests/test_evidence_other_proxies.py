"""The other proxies of the evidence harness: what is replaced in a fixture's configuration, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.other_proxies import Apache, Caddy, Haproxy, Varnish, product_of
from tests.evidence.proxies import programs_of


@pytest.mark.parametrize(
    ("config", "program"),
    [
        ("haproxy.cfg", "haproxy"),
        ("Caddyfile", "caddy"),
        ("httpd.conf", "apache2"),
        ("default.vcl", "varnishd"),
        ("nginx.conf", "nginx"),
        ("envoy.yaml", "envoy"),
    ],
)
def test_the_name_tells_the_program(config: str, program: str) -> None:
    assert programs_of([config]) == [program]
    assert (product_of(config) is None) is (program in {"nginx", "envoy"})


def test_haproxy(tmp_path: Path) -> None:
    text = (
        "defaults\n    timeout server 60s\nfrontend a\n    bind *:80\n"
        "backend b\n    timeout server 60\n    server x api:8000 check\n"
    )
    written = Haproxy(tmp_path / "haproxy.cfg", 4444, 8888, 60).whole(text)
    assert "    timeout server 1000ms\n" in written
    assert "    timeout server 60\n" in written
    assert "    bind 127.0.0.1:4444\n" in written
    assert "    server x 127.0.0.1:8888 check\n" in written
    assert written.startswith("global\n")


def test_caddy(tmp_path: Path) -> None:
    text = ":80 {\n\treverse_proxy /chat api:8000 {\n\t\ttransport http {\n\t\t\tread_timeout 30s\n\t\t}\n\t}\n}\n"
    written = Caddy(tmp_path / "Caddyfile", 4444, 8888, 30).whole(text)
    assert "http://127.0.0.1:4444 {\n\treverse_proxy /chat 127.0.0.1:8888 {" in written
    assert "read_timeout 1000ms\n" in written
    options = "{\n\tservers {\n\t\ttimeouts {\n\t\t\twrite 2m\n\t\t}\n\t}\n}\n\n"
    written = Caddy(tmp_path / "Caddyfile", 4444, 8888, 120).whole(options + text)
    assert written.startswith("{\n\tadmin off\n")
    assert "\tservers {\n\t\ttimeouts {\n\t\t\twrite 1000ms\n" in written


def test_apache(tmp_path: Path) -> None:
    text = (
        'ServerRoot "/x"\nListen 80\nLoadModule nowhere_module modules/mod_nowhere.so\nProxyTimeout 600\n'
        "<VirtualHost *:80>\nProxyPass /a http://api:8000/a timeout=30\n</VirtualHost>\n"
    )
    written = Apache(tmp_path / "httpd.conf", 4444, 8888, 30).whole(text)
    assert "<VirtualHost *:4444>\nProxyPass /a http://127.0.0.1:8888/a timeout=1\n" in written
    assert "ProxyTimeout 20\n" in written
    assert "\nTimeout 2\n" in written  # the default
    assert "nowhere" not in written
    assert "Listen 80" not in written


def test_varnish(tmp_path: Path) -> None:
    text = 'backend a { .host = "api"; .port = "8000"; .between_bytes_timeout = 10m; }\n'
    varnish = Varnish(tmp_path / "default.vcl", 4444, 8888, 60)
    assert varnish.whole(text) == (
        'backend a { .host = "127.0.0.1"; .port = "8888"; .between_bytes_timeout = 10.000s; }\n'
    )
    assert "-pbetween_bytes_timeout=1.000" in varnish.line(tmp_path / "x.vcl")
