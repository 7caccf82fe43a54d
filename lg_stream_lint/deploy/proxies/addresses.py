"""Addresses as proxies write them, as ``host:port``."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.units import with_default

_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][\w+.-]*)://)?(?P<authority>\[[^\]]*\](?::\d+)?|[^/?#]*)(?P<path>[^?#]*).*", re.DOTALL
)
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]", "0.0.0.0", "*", ""})  # noqa: S104
_DEFAULT_PORTS = {"https": "443", "wss": "443", "h2": "443"}
_VARIABLE = re.compile(r"\$\{|\{\$|\$\w|%[\[{]|\{\{")


class Url:
    """A URL's scheme (small letters, empty where none is written), ``host:port`` and path."""

    def __init__(self, text: str) -> None:
        match = _URL.fullmatch(text)
        assert match is not None
        self.scheme = (match["scheme"] or "").lower()
        self.authority = match["authority"].rpartition("@")[2]
        self.path = match["path"]

    @property
    def address(self) -> str:
        """``host:port``: an address of this machine gets the port that its scheme means, as several programs answer there."""
        host, colon, port = self.authority.rpartition(":")
        if not colon or not port.isdigit():
            host, port = self.authority, ""
        if host.lower() in _THIS_MACHINE:
            return f"{host.lower() or 'localhost'}:{port or _DEFAULT_PORTS.get(self.scheme, '80')}".replace(
                "*:", "localhost:"
            )
        return self.authority


def is_open(text: str) -> bool:
    """Whether a text has a variable in it that nothing here gives a value."""
    return _VARIABLE.search(text) is not None


def filled(text: str) -> str:
    """A text with ``${X:-default}`` replaced by the defaults."""
    return with_default(text)[0]
