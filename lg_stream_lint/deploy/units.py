"""Durations and numbers as deployment files write them. Everything comes back in seconds."""

from __future__ import annotations

import re

_NGINX = re.compile(
    r"(?:(?P<y>\d+)y)?\s*(?:(?P<M>\d+)M)?\s*(?:(?P<w>\d+)w)?\s*(?:(?P<d>\d+)d)?\s*(?:(?P<h>\d+)h)?\s*(?:(?P<m>\d+)m(?!s))?"
    r"\s*(?:(?P<s>\d+)(?:s|$))?\s*(?:(?P<ms>\d+)ms)?"
)
_NGINX_UNITS = {
    "y": 31_536_000, "M": 2_592_000, "w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001,
}  # fmt: skip
#: Letters; a longer number is none that anybody means, and Python refuses to read it.
_LONGEST = 60
_GO = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_DEFAULTED = re.compile(r"\$\{(?P<name>\w+):?-(?P<default>[^${}]*)\}")


def nginx_time(text: str) -> float | None:
    """``60``, ``60s``, ``1m30``, ``2000ms`` as nginx reads them; None for what it refuses.

    nginx's own rules: units from large to small, a bare number counts seconds, no fractions. Months are ``M``, which the
    read time-outs refuse (they count milliseconds), so it is refused here.
    """
    text = " ".join(text.split())  # of many blanks, each of the expression's would try each number
    match = _NGINX.fullmatch(text) if 0 < len(text) <= _LONGEST else None
    if match is None or match["M"] or match["y"]:
        return None
    parts = {unit: int(number) for unit, number in match.groupdict().items() if number}
    return sum(number * _NGINX_UNITS[unit] for unit, number in parts.items()) if parts else None


def go_duration(text: str) -> float | None:
    """``1m30s`` as Go's ``time.ParseDuration`` reads it (Kubernetes' Gateway API, Traefik, Caddy, Envoy's text); ``0`` is 0."""
    text = text.strip()
    if text in ("0", "+0", "-0"):
        return 0.0
    if len(text) > _LONGEST:
        return None
    position, total = 0, 0.0
    for match in _GO.finditer(text):
        if match.start() != position:
            return None
        total += float(match[1]) * _GO_UNITS[match[2]]
        position = match.end()
    return total if position and position == len(text) else None


def number(text: str) -> float | None:
    """A plain decimal number; None for anything else."""
    text = text.strip().strip("\"'")
    return float(text) if len(text) <= _LONGEST and re.fullmatch(r"[+-]?\d+(?:\.\d+)?", text, re.ASCII) else None


def with_default(text: str) -> tuple[str, bool]:
    """``${X:-45}`` (and ``${X-45}``) replaced by the default in it; the truth says that the environment can replace it.

    What has no default (``$X``, ``${X}``) stays as it is written.
    """
    replaced = _DEFAULTED.sub(lambda match: match["default"], text)
    return replaced, replaced != text
