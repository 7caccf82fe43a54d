"""Envoy between the client and the application, from a configuration of a fixture.

What the file says stays as it is. Only what belongs to the machine is replaced: the listener's address, the clusters' addresses,
and, by ``scale``, the seconds of the routes' and the connection manager's time-outs: a route's default of 15 s too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.evidence.servers import HOST

LOG = "envoy.log"
_DEFAULT = 15.0  # seconds of a route's time-out that is not written
_SCALED = frozenset({"timeout", "idle_timeout", "stream_idle_timeout", "max_stream_duration"})
_SECONDS = re.compile(r"(?P<number>\d+(?:\.\d+)?)s")
_ACCESS_LOG = {
    "name": "envoy.access_loggers.stdout",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        "log_format": {"text_format_source": {"inline_string": "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\n"}},
    },
}


class Envoy:
    """One Envoy: its configuration in the fixture's copy, and the folder in which it may write."""

    def __init__(self, config: Path, port: int, upstream: int, scale: float) -> None:
        self.config, self.port, self.upstream, self.scale = config, port, upstream, scale
        self.folder = config.parent / f".envoy-{port}"

    def command(self) -> list[str]:
        """Write the configuration that it is started with, and give the command line."""
        content = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        for listener in content["static_resources"]["listeners"]:
            listener["address"] = {"socket_address": {"address": HOST, "port_value": self.port}}
        for cluster in content["static_resources"]["clusters"]:
            cluster["type"] = "STATIC"
            for node in _below(cluster):
                if "socket_address" in node:
                    node["socket_address"] = {"address": HOST, "port_value": self.upstream}
        for node in _below(content["static_resources"]["listeners"]):
            self._scale(node)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "envoy.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return [program() or "envoy", "-c", str(path), "-l", "warning", "--concurrency", "1", "--use-dynamic-base-id"]

    def _scale(self, node: dict[str, Any]) -> None:
        if "stat_prefix" in node:
            node.setdefault("access_log", [_ACCESS_LOG])
        if "cluster" in node:
            node.setdefault("timeout", f"{_DEFAULT:g}s")
        for key in _SCALED & set(node):
            match = _SECONDS.fullmatch(str(node[key]))
            if match is not None:
                node[key] = f"{float(match['number']) / self.scale:g}s"


def _below(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for value in list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _below(value)


def program() -> str | None:
    """Envoy's program, or None."""
    from tests.evidence.chains import envoy  # it imports the harness, which imports this

    return envoy()
