"""The reader of Apache's configurations: places, which time-out holds, paths, variables, notes, and hostile input."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Route, Target
from tests.deploy.repositories import proxies, reading, values

PASS = "ProxyPass /chat http://api:8000/chat"


def read(folder: Path, text: str | bytes, name: str = "httpd.conf", **more: str | bytes) -> Reading:
    """What the reader finds in one configuration."""
    return reading("apache", folder, {name: text, **more})


def only(folder: Path, text: str) -> Hop:
    """The only hop of a configuration."""
    (hop,) = read(folder, text).hops
    return hop


def test_a_place_that_passes_requests_on(tmp_path: Path) -> None:
    text = f"Listen 80\n<VirtualHost *:80>\n  ServerName x.example\n  {PASS} timeout=30 keepalive=On\n</VirtualHost>\n"
    hop = only(tmp_path, text)
    assert (hop.layer, hop.role, hop.name) == ("apache", Role.PROXY, "ProxyPass /chat")
    assert hop.where.span == (4, 3, 4, 63)
    assert hop.leads_to == (Target("address", "api:8000"),)
    assert hop.known_as == (Target("file", str(tmp_path / "httpd.conf")), Target("port", "80"))
    assert hop.routes == (Route("prefix", "/chat", "/chat"),)
    idle = hop.get("read_timeout")
    assert idle is not None
    assert (idle.value, idle.kind, idle.key, idle.written) == (30, Kind.IDLE, "ProxyPass timeout", "30")
    assert idle.where.span == (4, 40, 4, 50)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"Timeout 10\nProxyTimeout 20\n<VirtualHost *>\nProxyTimeout 30\n{PASS} timeout=40\n</VirtualHost>", 40),
        (f"Timeout 10\nProxyTimeout 20\n<VirtualHost *>\nProxyTimeout 30\n{PASS}\n</VirtualHost>", 30),
        (f"Timeout 10\nProxyTimeout 20\n<VirtualHost *>\nTimeout 30\n{PASS}\n</VirtualHost>", 20),
        (f"Timeout 10\n<VirtualHost *>\n{PASS}\n</VirtualHost>", 10),
        (f"<VirtualHost *>\n{PASS}\nTimeout 7\n</VirtualHost>\n<VirtualHost *>\nTimeout 8\n</VirtualHost>", 7),
        (f"timeout 5\nTIMEOUT 6\n{PASS}", 6),
        (f"ProxyTimeout 1500ms\n{PASS}", 1.5),
        (f"ProxyTimeout 2mi\n{PASS}", 120),
        (f"<IfModule mod_proxy.c>\n<IfModule !mod_x.c>\nProxyTimeout 9\n</IfModule>\n</IfModule>\n{PASS}", 9),
        (f"ServerRoot /srv\n{PASS}", 60),
        (f"LoadModule proxy_module modules/mod_proxy.so\n{PASS}", 60),
    ],
)
def test_which_limit_holds(tmp_path: Path, text: str, seconds: float) -> None:
    assert only(tmp_path, text).value("read_timeout") == seconds


def test_the_default_stands_where_the_limit_would_be_written(tmp_path: Path) -> None:
    idle = only(tmp_path, f"ServerRoot /srv\n{PASS}\n").get("read_timeout")
    assert idle is not None
    assert (idle.origin, idle.key) == (Origin.DEFAULT, "ProxyTimeout")
    assert idle.where.span == (2, 1, 2, 37)


def test_a_piece_may_be_included_where_another_default_holds(tmp_path: Path) -> None:
    """Debian's main file says 300 s, the one of Apache's image nothing."""
    assert only(tmp_path, PASS).get("read_timeout") is None
    compose = "services:\n  web:\n    image: httpd:2.4\n    volumes: ['./site.conf:/usr/local/apache2/conf/extra/site.conf']\n"
    (hop,) = read(tmp_path, PASS, "site.conf", **{"compose.yaml": compose}).hops
    assert (hop.value("read_timeout"), hop.version) == (60, "2.4")


SITE = f"<VirtualHost *:80>\n{PASS}\n</VirtualHost>\n"


def test_included_files_are_read_with_what_holds_around_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "httpd.conf": "ServerRoot /srv\nProxyTimeout 45\nInclude conf/extra/httpd-vhosts.conf\n"
        "IncludeOptional sites-enabled/*.conf\n",
        "extra/httpd-vhosts.conf": SITE,
        "sites-available/b.conf": SITE.replace("/chat", "/other"),
    }
    found = reading("apache", tmp_path, files)
    assert [(hop.name, hop.value("read_timeout")) for hop in found.hops] == [
        ("ProxyPass /chat", 45),
        ("ProxyPass /other", 45),
    ]
    assert [Path(hop.where.path).name for hop in found.hops] == ["httpd-vhosts.conf", "b.conf"]
    assert len({hop.group for hop in found.hops}) == 2
    assert found.notes == ()
    for piece in ("extra/httpd-vhosts.conf", "sites-available/b.conf"):
        assert reading("apache", tmp_path, files, piece) == Reading()


def test_the_defaults_reach_included_files(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"httpd.conf": "LoadModule a b\nInclude sites/\n", "sites/a.conf": SITE}
    (hop,) = reading("apache", tmp_path, files).hops
    assert (hop.value("read_timeout"), hop.get("read_timeout").where.path) == (60, str(tmp_path / "sites/a.conf"))


def test_what_is_not_included_is_a_note_and_leaves_no_default_certain(tmp_path: Path) -> None:
    found = read(tmp_path, f"ServerRoot /srv\nInclude conf/site.conf\n{PASS}\n")
    assert [(note.reason, note.where.span.row) for note in found.notes] == [
        ("included file conf/site.conf is not in the repository", 2)
    ]
    assert found.hops[0].get("read_timeout") is None


@pytest.mark.parametrize("include", ["IncludeOptional a.conf", "Include mods-enabled/*.conf", "Include ports.conf"])
def test_what_a_machine_brings_along_is_not_missed(tmp_path: Path, include: str) -> None:
    found = read(tmp_path, f"ServerRoot /srv\n{include}\n{PASS}\n")
    assert (found.notes, found.hops[0].value("read_timeout")) == ((), 60)


def test_circles_of_includes_end(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.conf": f"Include b.conf\n{PASS}\n", "b.conf": f"Include a.conf\n{PASS}\n"}
    assert len(reading("apache", tmp_path, files).hops) == 2
    itself = read(tmp_path / "c", f"Include httpd.conf\n{PASS}\n")
    assert (len(itself.hops), len(itself.notes)) == (1, 1)


def test_balancers(tmp_path: Path) -> None:
    text = (
        "<Proxy balancer://app>\n  BalancerMember http://a:8000\n  BalancerMember http://b:8000 status=+H\n"
        '  BalancerMember "http://c:8000" route=c\n  ProxySet timeout=90 lbmethod=byrequests\n</Proxy>\n'
        "ProxyPass /api/ balancer://app/\n"
    )
    hop = only(tmp_path, text)
    assert [target.value for target in hop.leads_to] == ["a:8000", "c:8000"]
    idle = hop.get("read_timeout")
    assert idle is not None
    assert (idle.value, idle.key, idle.where.span) == (90, "ProxySet timeout", (5, 12, 5, 22))
    assert hop.routes == (Route("prefix", "/api/", "/"),)


def test_a_balancer_that_is_elsewhere_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, "ProxyPass / balancer://app/\n")
    assert found.hops[0].leads_to == ()
    assert found.notes[0].reason == "the address in balancer://app/ is not known here"


@pytest.mark.parametrize(
    ("text", "name", "routes"),
    [
        ("<Location /api>\nProxyPass http://api:8000\n</Location>", "ProxyPass /api", [Route("prefix", "/api", "/")]),
        (
            '<Location "/api/">\nProxyPass "http://api:8000/v1/"\n</Location>',
            "ProxyPass /api/",
            [Route("prefix", "/api/", "/v1/")],
        ),
        (
            "<LocationMatch ^/(a|b)>\nProxyPass http://api:8000\n</LocationMatch>",
            "ProxyPass ^/(a|b)",
            [Route("regex", "^/(a|b)")],
        ),
        ("<Location ~ ^/a>\nProxyPass http://api:8000\n</Location>", "ProxyPass ^/a", [Route("regex", "^/a")]),
        (
            "ProxyPassMatch ^/chat/(.*)$ http://api:8000/$1",
            "ProxyPassMatch ^/chat/(.*)$",
            [Route("regex", "^/chat/(.*)$")],
        ),
        (
            "RewriteRule ^/?api/(.*)$ http://api:8000/$1 [P,L]",
            "RewriteRule ^/?api/(.*)$",
            [Route("regex", "^/?api/(.*)$")],
        ),
        (
            "RewriteRule ^api/(.*)$ http://api:8000/v1/$1 [L,P]",
            "RewriteRule /api/",
            [Route("prefix", "/api/", "/v1/")],
        ),
        (
            "<Location /x>\nSetHandler proxy:http://api:8000\n</Location>",
            "SetHandler /x",
            [Route("prefix", "/x")],
        ),
    ],
)
def test_paths(tmp_path: Path, text: str, name: str, routes: list[Route]) -> None:
    hop = only(tmp_path, text)
    assert (hop.name, list(hop.routes)) == (name, routes)
    assert hop.leads_to == (Target("address", "api:8000"),)


@pytest.mark.parametrize(
    "text",
    [
        "ProxyPass /static !",
        "RewriteRule ^/ws/(.*) ws://api:8000/$1 [P,L]",
        "ProxyPass /ws wss://api/ws",
        "# ProxyPass / http://api:8000/",
        "RewriteRule ^/a$ /b [R,L]\nProxyPreserveHost On",
        "ProxyPassReverse / http://api:8000/",
    ],
)
def test_what_carries_no_stream(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).hops == ()


def test_the_hosts_of_one_file(tmp_path: Path) -> None:
    text = (
        f"<VirtualHost *:80>\n{PASS}\nProxyPass / http://web:3000/\n</VirtualHost>\n"
        "<VirtualHost *:443>\nProxyPass /x http://api:8000/x\n</VirtualHost>\n"
    )
    hops = proxies(read(tmp_path, text))
    assert hops["ProxyPass /chat"].group == hops["ProxyPass /"].group != hops["ProxyPass /x"].group
    assert Target("port", "443") in hops["ProxyPass /x"].known_as


def test_definitions_and_what_the_environment_gives(tmp_path: Path) -> None:
    text = "Define HOST api\nDefine URL http://${HOST}:8000\nProxyPass /a ${URL}/a\nProxyPass /b http://${OTHER}:1/\n"
    found = read(tmp_path, text)
    assert [target.value for hop in found.hops for target in hop.leads_to] == ["api:8000"]
    assert [(note.where.span.row, note.reason) for note in found.notes] == [
        (4, "the address in http://${OTHER}:1/ is not known here")
    ]


def test_definitions_in_a_circle(tmp_path: Path) -> None:
    found = read(tmp_path, "Define A ${B}\nDefine B ${A}${A}\nProxyPass /a http://${A}/\n")
    assert len(found.notes) == 1


def test_a_default_for_envsubst_is_overridable(tmp_path: Path) -> None:
    setting = only(tmp_path, f"ProxyTimeout ${{IDLE:-45}}\n{PASS}").get("read_timeout")
    assert setting is not None
    assert (setting.value, setting.overridable) == (45, True)


def test_a_value_that_is_no_time_is_a_note(tmp_path: Path) -> None:
    for written in ("soon", "0", "-1"):
        found = read(tmp_path, f"ProxyTimeout {written}\n{PASS}")
        assert found.hops[0].get("read_timeout") is None
        assert found.notes[0].reason == f"ProxyTimeout {written}"


@pytest.mark.parametrize(
    ("url", "address", "protocol"),
    [
        ("https://api", "api", "https"),
        ("http://localhost/", "localhost:80", "http"),
        ("fcgi://127.0.0.1:9000/app", "127.0.0.1:9000", "fastcgi"),
        ("uwsgi://127.0.0.1:9000/", "127.0.0.1:9000", "uwsgi"),
        ("unix:/run/app.sock|http://localhost/", "unix:/run/app.sock", "http"),
        ("http://[::1]:8000/", "[::1]:8000", "http"),
    ],
)
def test_addresses(tmp_path: Path, url: str, address: str, protocol: str) -> None:
    hop = only(tmp_path, f"ProxyPass / {url}")
    assert hop.leads_to == (Target("address", address),)
    assert hop.value("protocol") == protocol


def test_what_does_no_harm_is_not_read(tmp_path: Path) -> None:
    text = f"SetOutputFilter DEFLATE\nProxyIOBufferSize 65536\nKeepAliveTimeout 1\n{PASS} flushpackets=off"
    assert values(only(tmp_path, text)) == {"protocol": "http"}


def test_a_limit_of_the_graceful_stop(tmp_path: Path) -> None:
    assert only(tmp_path, f"GracefulShutDownTimeout 0\n{PASS}").get("stop_timeout") is None
    stop = only(tmp_path, f"GracefulShutDownTimeout 20\n{PASS}").get("stop_timeout")
    assert stop is not None
    assert (stop.value, stop.kind) == (20, Kind.GRACE)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_do_not_depend_on_line_ends(tmp_path: Path, end: str) -> None:
    setting = only(tmp_path, f"ProxyTimeout \\\n  30\n{PASS}\n".replace("\n", end)).get("read_timeout")
    assert setting is not None
    assert setting.where.span == (1, 1, 2, 5)


def test_a_template_is_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, f"ServerName {{{{ name }}}}\n{PASS}\n")
    assert (found.hops, found.notes[0].where.span.row) == ((), 1)


@pytest.mark.parametrize(
    "text",
    [
        f"</VirtualHost>\n<VirtualHost\n<Location>\n{PASS}\n",
        "<Location /a>\n" * 5_000 + PASS,
        f"<Proxy balancer://a>\nBalancerMember balancer://a\n</Proxy>\nProxyPass / balancer://a\n{PASS}",
        f"{PASS}\n" * 20_000,
        "ProxyPass\nProxyPass /\nProxyPassMatch\nRewriteRule\nRewriteRule a b [P\nSetHandler\nDefine\n" + PASS,
        f"{PASS} timeout=\n{PASS} =\nProxyTimeout\nTimeout\n",
        "Define A " + "x" * 100_000 + "\n" + f"ProxyPass / http://{'${A}' * 1000}/",
        b"\xff ProxyPass\nProxyPass /\xe9 http://api:8000/\n",
        "RewriteRule " + "(" * 50_000 + " http://x/ [P]",
        "ProxyPass / " + "[" * 100_000,
        "RewriteRule " + "[" * 100_000,
        "RewriteRule a b [\n" * 20_000,
    ],
)
def test_odd_files_are_read_in_time(tmp_path: Path, text: str | bytes) -> None:
    began = time.process_time()
    read(tmp_path, text)
    assert time.process_time() - began < 10
