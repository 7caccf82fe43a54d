"""What Traefik's keys mean, wherever they are written: in its files, in labels, or on its command line.

What a middleware does to a stream was read in the sources: ``compress`` keeps up to 1024 bytes in the versions of the table of
defaults and flushes in all others; ``buffering`` (oxy's) reads the whole response before it passes it on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.settings import Kind, Origin, Route, Setting, Where
from lg_stream_lint.deploy.units import go_duration

_EVENT_STREAM = "text/event-stream"
_MATCHER = re.compile(
    r"(?P<not>!\s*)?\b(?P<how>Path|PathPrefix|PathRegexp|PathRegex)\((?P<paths>[^()]*(?:\([^()]*\)[^()]*)*)\)"
)
_PATH = re.compile(r"`([^`]*)`|\"([^\"]*)\"|'([^']*)'")
_HOW = {"Path": "exact", "PathPrefix": "prefix", "PathRegexp": "regex", "PathRegex": "regex"}
_YES: Any = True


def traefik_duration(text: str) -> float | None:
    """Go's durations; a bare number counts seconds."""
    return float(text) if re.fullmatch(r"\d{1,12}", text) else go_duration(text)


def routes_of_rule(rule: str) -> tuple[Route, ...]:
    """The paths that a router's rule names; what it forbids is left out."""
    return tuple(
        Route(_HOW[match["how"]], "".join(path.groups("")))
        for match in _MATCHER.finditer(rule)
        if not match["not"]
        for path in _PATH.finditer(match["paths"])
    )


def write_timeout(text: str, where: Where, *, overridable: bool = False) -> Setting | None:
    """``respondingTimeouts.writeTimeout``: a limit of the whole response, none when it is 0; None for what cannot be read."""
    return _limit("total_timeout", "respondingTimeouts.writeTimeout", Kind.TOTAL, text, where, overridable)


def header_timeout(text: str, where: Where, *, overridable: bool = False) -> Setting | None:
    """``forwardingTimeouts.responseHeaderTimeout``: a limit until the headers, none when it is 0."""
    key = "forwardingTimeouts.responseHeaderTimeout"
    return _limit("first_byte_timeout", key, Kind.FIRST_BYTE, text, where, overridable)


def grace_timeout(text: str, where: Where, *, overridable: bool = False) -> Setting | None:
    """``lifeCycle.graceTimeOut``: how long running responses get when Traefik stops; 0 is at once."""
    seconds = traefik_duration(text)
    if seconds is None:
        return None
    key = "lifeCycle.graceTimeOut"
    return Setting("stop_timeout", key, seconds, Origin.EXPLICIT, where, Kind.GRACE, text, overridable)


def _limit(name: str, key: str, kind: str, text: str, where: Where, overridable: bool) -> Setting | None:
    seconds = traefik_duration(text)
    if seconds is None:
        return None
    return Setting(name, key, seconds or None, Origin.EXPLICIT, where, kind, text, overridable)


def compression(
    where: Where, release: str, excluded: Iterable[str] = (), included: Iterable[str] = (), least: str = ""
) -> tuple[Setting, ...]:
    """What a ``compress`` middleware does to an event stream; nothing where it leaves it alone, or is flushed.

    ``release`` is Traefik's version; one that is not known counts as the newest. ``least``: ``minResponseBodyBytes``.
    """
    if default("traefik", "compression", where, version=release, when="compress") is None:
        return ()
    included = list(included)
    if any(_EVENT_STREAM in text for text in excluded) or (included and not any(_EVENT_STREAM in t for t in included)):
        return ()
    held = default("traefik", "compression_holds", where)
    if held is not None and least.isdecimal() and len(least) < 16:
        held = held._replace(value=int(least), origin=Origin.EXPLICIT)
    found = Setting("compression", "compress", _YES, Origin.EXPLICIT, where)
    return (found, held) if held is not None else (found,)


def buffering(where: Where, disabled: str = "") -> Setting | None:
    """What a ``buffering`` middleware does: it holds the whole response, unless ``disableResponseBuffer`` is true."""
    if disabled.lower() == "true":
        return None
    return Setting("buffering", "buffering", _YES, Origin.EXPLICIT, where)
