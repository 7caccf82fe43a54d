"""What the evidence harness makes of a fixture's nginx configuration, and that nginx takes it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.evidence import proxies
from tests.evidence.cases import EvidenceError, case_of
from tests.evidence.client import HOST, exchange, request_bytes
from tests.evidence.servers import free_port
from tests.need import need


def nginx(folder: Path, text: str = "", scale: float = 1) -> proxies.Nginx:
    """An nginx with that configuration, not started."""
    (folder / "nginx.conf").write_text(text)
    return proxies.Nginx(folder / "nginx.conf", 4444, 8888, scale)


@pytest.mark.parametrize(
    ("written", "rewritten"),
    [
        ("listen 80;", "listen 127.0.0.1:4444;"),
        ("listen [::]:443 ssl http2 default_server;", "listen 127.0.0.1:4444 http2;"),
        ("proxy_pass http://api:8000/v1/;", "proxy_pass http://127.0.0.1:8888/v1/;"),
        ("proxy_pass $upstream;", "proxy_pass http://127.0.0.1:8888;"),
        ("uwsgi_pass api;", "uwsgi_pass 127.0.0.1:8888;"),
        ("upstream api { server api:8000 weight=2; }", "upstream api { server 127.0.0.1:8888 weight=2; }"),
        ("server { server_name a; }", "server { server_name a; }"),
        ("proxy_buffering off;", "proxy_buffering off;"),
        ("user nginx; ", " "),
        ("access_log /var/log/x combined;", ""),
    ],
)
def test_only_what_belongs_to_the_machine_is_replaced(tmp_path: Path, written: str, rewritten: str) -> None:
    assert nginx(tmp_path).rewritten(written) == rewritten


@pytest.mark.parametrize(("written", "scaled"), [("60s", "1000ms"), ("2m", "2000ms"), ("90", "1500ms"), ("0", "1ms")])
def test_seconds_are_scaled(tmp_path: Path, written: str, scaled: str) -> None:
    text = f"proxy_read_timeout {written}; proxy_send_timeout 5s;"
    assert nginx(tmp_path, scale=60).rewritten(text) == f"proxy_read_timeout {scaled}; proxy_send_timeout 5s;"


def test_the_default_is_scaled_where_it_would_be_written(tmp_path: Path) -> None:
    assert "proxy_read_timeout 1000ms;" in nginx(tmp_path, scale=60).whole("http { }")
    assert "proxy_read_timeout" not in nginx(tmp_path).whole("http { }")
    inside = nginx(tmp_path, scale=60).whole("http { server { proxy_read_timeout 2m; } }")
    assert inside.count("proxy_read_timeout") == 2
    above = nginx(tmp_path, scale=60).whole("http { proxy_read_timeout 2m; }")
    assert above.count("proxy_read_timeout") == 1


def test_an_answer_comes_through_two_nginx(tmp_path: Path) -> None:
    need("nginx")
    inner, outer = tmp_path / "inner.conf", tmp_path / "outer.conf"
    inner.write_text("server { listen 80; location / { include /etc/nginx/parts/pass.conf; } }")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/pass.conf").write_text("proxy_pass http://api:8000; proxy_http_version 1.1;")
    outer.write_text("events {} http { server { listen 443; location / { proxy_pass http://inner/; } } }")
    with socket.create_server((HOST, free_port())) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        with proxies.proxied([inner, outer], server.getsockname()[1], 1) as (port, logs):
            seen = exchange(port, request_bytes("GET", "/", port=port), patience=5)
    assert (seen.status, seen.text) == (200, "hello")
    assert len(logs) == 2


def answer(server: socket.socket) -> None:
    """Answer one request, as an application does."""
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")


def test_what_nginx_refuses_is_said(tmp_path: Path) -> None:
    need("nginx")
    config = tmp_path / "nginx.conf"
    config.write_text("server { listen 80; no_such_directive on; }")
    with pytest.raises(RuntimeError, match="no_such_directive"), proxies.proxied([config], 1, 1):
        pass


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "bad_x").mkdir()
    entry = {"file": "bad_x", "shows": "nothing", "expect": ["streams"], "proxy": "nginx.conf"}
    with pytest.raises(EvidenceError, match=r"there is no nginx\.conf in bad_x"):
        case_of("LGS601", tmp_path, entry)
