"""systemd units: what they start, and how long they wait when they stop it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, server_hops
from lg_stream_lint.deploy.commands.carrier import shifted
from lg_stream_lint.deploy.commands.places import folders_named, upward
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Reading, Role, Setting, Target, Where

_TIME = re.compile(
    r"(\d+(?:\.\d+)?)\s*(us|usec|ms|msec|seconds?|secs?|s|minutes?|mins?|min|m|hours?|hrs?|hr|h|days?|d|weeks?|w|)(?=\s|\d|$)"
)
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PREFIX = re.compile(r"[-@:+!|]+")
_PAIR = re.compile(r"""(?:^|\s)("|')?(\w+)=((?:(?!\1).)*?)\1(?=\s|$)|(?:^|\s)(\w+)=(\S*)""")


def read(file: DeployFile, context: Context) -> Reading:
    """The server that a service starts, and the service as its host."""
    entries = [entry for entry in _entries(file) if entry[0] == "Service"]
    starts = [entry for entry in entries if entry[1] == "ExecStart" and entry[2]]
    if not starts:
        return Reading()
    env = {
        name: Variable(value, where)
        for _, key, text, where, _ in entries
        if key == "Environment"
        for name, value in _pairs(text)
    }
    work = next((text for _, key, text, _, _ in reversed(entries) if key == "WorkingDirectory"), "")
    above = upward(file.folder, context.repository)
    bases = folders_named(work.lstrip("-~"), above) if work else above
    _, _, text, where, start = starts[-1]
    prefix = _PREFIX.match(text)
    shift = prefix.end() if prefix else 0
    unit = Target("unit", f"systemd:{file.path}")
    carrier = Carrier(
        context, where, Stands.UNIT, env, bases, (unit, Target("file", file.path)),
        at=shifted(file, start + shift),
    )  # fmt: skip
    reading = server_hops(text[shift:], carrier)
    if not reading.hops:
        return reading
    grace, notes = _grace(entries, where)
    host = Hop("systemd", Role.HOST, file.name, where, grace, (unit,))
    return Reading((*reading.hops, host), (*reading.notes, *notes))


def _grace(
    entries: list[tuple[str, str, str, Where, int]], where: Where
) -> tuple[tuple[Setting, ...], tuple[Note, ...]]:
    """The time between SIGTERM and SIGKILL."""
    for _, key, text, place, _ in reversed(entries):
        if key in ("TimeoutStopSec", "TimeoutSec"):
            seconds = time_span(text)
            if seconds is None and text.strip() != "infinity":
                return (), (Note(place, f"{key} is no time that systemd knows"),)
            return (Setting("stop_grace", key, seconds, Origin.EXPLICIT, place, Kind.GRACE, text),), ()
    found = default("systemd", "stop_grace", where)
    return (found,) if found is not None else (), ()


def time_span(text: str) -> float | None:
    """``90``, ``5min 20s`` in seconds; None for ``infinity``, and for what systemd refuses. ``0`` is no limit either."""
    text = text.strip()
    position, total = 0, 0.0
    for match in _TIME.finditer(text):
        if text[position : match.start()].strip():
            return None
        unit = match[2]
        unit = unit[:2] if unit[:2] in ("us", "ms") else unit[:1]
        total += float(match[1]) * _UNITS[unit or "s"]
        position = match.end()
    return total if position and position == len(text) and total else None


def _entries(file: DeployFile) -> Iterator[tuple[str, str, str, Where, int]]:
    """Section, key, value, the place of the whole line, and the offset of the value."""
    section, offset = "", 0
    lines = file.text.splitlines(keepends=True)
    position = 0
    while position < len(lines):
        start, line = offset, lines[position]
        while line.rstrip("\r\n").endswith("\\") and position + 1 < len(lines):
            position += 1
            line += lines[position]
        offset += len(line)
        position += 1
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped.strip("[]")
        elif "=" in line and not stripped.startswith(("#", ";")):
            key, _, value = line.partition("=")
            lead = len(value) - len(value.lstrip())
            begin = start + len(key) + 1 + lead
            yield section, key.strip(), value.strip(), file.at(start, start + len(line.rstrip())), begin


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for match in _PAIR.finditer(text):
        yield (match[2], match[3]) if match[2] else (match[4], match[5])
