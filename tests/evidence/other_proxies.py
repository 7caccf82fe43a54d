"""HAProxy, Apache, Caddy and Varnish between the client and the application, from the configurations of a fixture.

As with nginx (:mod:`.proxies`) only addresses, ports, paths and the seconds of limits are replaced, and what a whole
configuration needs is put around a piece. Each class knows one product.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.evidence.servers import HOST

LOG = "nginx.log"
_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_ADDRESS = r"(?:https?://)?[A-Za-z][\w.-]*:\d+"


class _Product:
    """One proxy: its configuration in the fixture's copy, and the folder in which it may write."""

    program = ""

    def __init__(self, config: Path, port: int, upstream: int, scale: float) -> None:
        self.config, self.port, self.upstream, self.scale = config, port, upstream, scale
        self.folder = config.parent / f".{self.program}-{port}"

    def command(self) -> list[str]:
        """Write the configuration that it is started with, and give the command line."""
        self.folder.mkdir()
        path = self.folder / self.config.name
        path.write_text(self.whole(self.config.read_text(encoding="utf-8")), encoding="utf-8")
        return self.line(path)

    def whole(self, text: str) -> str:
        """The configuration as this run needs it."""
        raise NotImplementedError

    def line(self, path: Path) -> list[str]:
        """The command line."""
        raise NotImplementedError

    def shorter(self, number: str, unit: str) -> float:
        """Seconds, divided by the scale."""
        return float(number) * _UNITS[unit] / self.scale


class Haproxy(_Product):
    """HAProxy; a number without a unit stays what it is, whatever the scale."""

    program = "haproxy"

    def whole(self, text: str) -> str:
        """Its log goes to standard output."""
        text = re.sub(r"(?m)^(\s*bind\s+)\S+", rf"\g<1>{HOST}:{self.port}", text)
        text = re.sub(r"(?m)^(\s*server\s+\S+\s+)\S+", rf"\g<1>{HOST}:{self.upstream}", text)
        text = re.sub(r"\b(timeout server\s+)(\d+)(ms|s|m|h)\b", self._limit, text)
        text = re.sub(r"(?m)^defaults.*$", r"\g<0>\n    log global\n    option httplog", text)
        return f"global\n    log stdout format raw local0\n{text}"

    def _limit(self, match: re.Match[str]) -> str:
        return f"{match[1]}{max(1, round(self.shorter(match[2], match[3]) * 1000))}ms"

    def line(self, path: Path) -> list[str]:
        """In the foreground."""
        return [self.program, "-db", "-f", str(path)]


class Caddy(_Product):
    """Caddy, without its administration and without certificates."""

    program = "caddy"

    def whole(self, text: str) -> str:
        """Every site listens on this run's port."""
        text = re.sub(r"(?m)^:\d+ \{", f"http://{HOST}:{self.port} {{", text)
        text = re.sub(rf"(?<=\s){_ADDRESS}(?=\s)", f"{HOST}:{self.upstream}", text)
        text = re.sub(r"\b(read_timeout|write) (\d+)(s|m|h)\b", self._limit, text)
        options = f"admin off\n\tauto_https off\n\tlog {{\n\t\toutput file {self.folder / LOG}\n\t}}\n"
        if text.startswith("{\n"):
            return f"{{\n\t{options}{text[2:]}"
        return f"{{\n\t{options}}}\n{text}"

    def _limit(self, match: re.Match[str]) -> str:
        return f"{match[1]} {round(self.shorter(match[2], match[3]) * 1000)}ms"

    def line(self, path: Path) -> list[str]:
        """What it wants to keep, it keeps in its folder."""
        home = f"XDG_DATA_HOME={self.folder} XDG_CONFIG_HOME={self.folder}".split()
        return ["env", *home, self.program, "run", "--adapter", "caddyfile", "--config", str(path)]


class Apache(_Product):
    """Apache with the modules that this machine has."""

    program = "apache2"
    modules = Path("/usr/lib/apache2/modules")

    def whole(self, text: str) -> str:
        """Modules are loaded from where they are; limits are whole seconds."""
        names = re.findall(r"(?m)^LoadModule\s+(\w+)_module\b.*$", text)
        text = re.sub(r"(?m)^(?:LoadModule|Listen|ServerRoot)\b.*\n", "", text)
        text = re.sub(r"<VirtualHost [^>]*>", f"<VirtualHost *:{self.port}>", text)
        text = re.sub(_ADDRESS, f"http://{HOST}:{self.upstream}", text)
        text = re.sub(r"\b(timeout=|(?:Proxy)?Timeout\s+)(\d+)", self._limit, text)
        loaded = "".join(f"LoadModule {name}_module {self._module(name)}\n" for name in names if self._module(name))
        default = f"Timeout {round(60 / self.scale)}\n" if not re.search(r"(?m)^Timeout", text) else ""
        here = f"ServerRoot {self.folder}\nPidFile {self.folder / 'pid'}\nErrorLog {self.folder / LOG}\nListen {HOST}:{self.port}\n"
        user = "User www-data\nGroup www-data\n<Directory />\nRequire all granted\n</Directory>\n"
        return f"{here}{loaded}{user}{default}DefaultRuntimeDir {self.folder}\nServerName {HOST}\nLogLevel info\n{text}"

    def _module(self, name: str) -> Path | None:
        """A module's file; None for what is built in."""
        path = self.modules / f"mod_{name}.so"
        return path if path.exists() else None

    def _limit(self, match: re.Match[str]) -> str:
        return f"{match[1]}{max(1, round(int(match[2]) / self.scale))}"

    def line(self, path: Path) -> list[str]:
        """In the foreground."""
        return [self.program, "-DFOREGROUND", "-f", str(path)]


class Varnish(_Product):
    """Varnish with a memory of its own."""

    program = "varnishd"

    def whole(self, text: str) -> str:
        """One backend: the application."""
        text = re.sub(r'(\.host = )"[^"]*"', rf'\g<1>"{HOST}"', text)
        text = re.sub(r'(\.port = )"[^"]*"', rf'\g<1>"{self.upstream}"', text)
        return re.sub(r"(_timeout = )(\d+)(s|m|h)", self._limit, text)

    def _limit(self, match: re.Match[str]) -> str:
        return f"{match[1]}{self.shorter(match[2], match[3]):.3f}s"

    def line(self, path: Path) -> list[str]:
        """The defaults are parameters of the program."""
        short = f"{60 / self.scale:.3f}"
        limits = [f"-p{name}={short}" for name in ("between_bytes_timeout", "first_byte_timeout")]
        place = ["-n", str(self.folder / "run"), "-a", f"{HOST}:{self.port}", "-s", "malloc,16m", "-j", "none"]
        return [self.program, "-F", *place, *limits, "-f", str(path)]


Proxy = Haproxy | Caddy | Apache | Varnish
_NAMES: tuple[tuple[str, Callable[[Path, int, int, float], Proxy], str], ...] = (
    (r".*haproxy.*\.cfg", Haproxy, Haproxy.program),
    (r"Caddyfile.*", Caddy, Caddy.program),
    (r"(?:httpd|apache).*\.conf", Apache, Apache.program),
    (r".*\.vcl", Varnish, Varnish.program),
)


def product_of(config: str) -> tuple[Callable[[Path, int, int, float], Proxy], str] | None:
    """The class for a configuration of that name and its program; None for what is nginx's or Envoy's."""
    return next(((kind, program) for name, kind, program in _NAMES if re.fullmatch(name, config)), None)
