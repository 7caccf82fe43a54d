"""The static half of Traefik's configuration: its entry points, and what it waits for from servers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.kinds import kinds_of
from lg_stream_lint.deploy.settings import Note, Setting
from lg_stream_lint.deploy.traefik.keys import grace_timeout, header_timeout, write_timeout
from lg_stream_lint.deploy.traefik.nodes import child, entries, read_documents
from lg_stream_lint.deploy.units import with_default
from lg_stream_lint.deploy.yaml_marks import Node

#: Files in which entry points are looked for, and folders above a dynamic file.
MOST_FILES = 40
UPWARD = 3


class EntryPoint(NamedTuple):
    """An entry point: its name, its port (empty where it is not known), and the limits that are written for it."""

    name: str
    port: str
    settings: tuple[Setting, ...]


class Static(NamedTuple):
    """The entry points, and the limit until the headers that holds for all servers."""

    entry_points: tuple[EntryPoint, ...] = ()
    header: Setting | None = None

    def for_router(self, names: Sequence[str]) -> tuple[EntryPoint, ...]:
        """The entry points of a router; one that names none is reached through all."""
        return tuple(point for point in self.entry_points if not names or point.name in names)


NOTHING = Static()


def static_of(root: Node, notes: list[Note]) -> Static | None:
    """What a document says; None for one that is not static."""
    points = child(root, "entryPoints")
    transport = child(root, "serversTransport", "forwardingTimeouts", "responseHeaderTimeout")
    if points is None and transport is None:
        return None
    found = [_entry_point(key.text, node, notes) for key, node in entries(points)]
    header = _one(header_timeout, transport, notes)
    return Static(tuple(found), header)


def static_for(file: DeployFile, context: Context) -> Static:
    """The static configuration that belongs to a file: its own, or that of the nearest folder that has exactly one."""
    folder = file.folder
    for _ in range(UPWARD):
        if not context.holds(os.path.join(folder, "x")):
            break
        found = list(_in(folder, context))
        if found:
            return found[0] if len(found) == 1 else NOTHING
        folder = os.path.dirname(folder)
    return NOTHING


def _in(folder: str, context: Context) -> Iterator[Static]:
    paths = [p for p in context.listed if os.path.dirname(p) == folder and "traefik" in os.path.basename(p).lower()]
    for path in paths[:MOST_FILES]:
        try:
            other = context.open(path)
            if b"ntry" not in other.source or not any(
                k.reader == "traefik" for k in kinds_of(other.name, other.source)
            ):
                continue
            roots = read_documents(other, context).roots
        except NotRead:
            continue
        yield from (static for root in roots if (static := static_of(root, [])) is not None)


def _entry_point(name: str, node: Node, notes: list[Note]) -> EntryPoint:
    transport = child(node, "transport")
    write = _one(write_timeout, child(transport, "respondingTimeouts", "writeTimeout"), notes)
    grace = _one(grace_timeout, child(transport, "lifeCycle", "graceTimeOut"), notes)
    address = child(node, "address")
    port = with_default(address.text)[0].partition("/")[0].rpartition(":")[2] if address is not None else ""
    return EntryPoint(name, port if port.isdigit() else "", tuple(s for s in (write, grace) if s is not None))


def _one(read: object, node: Node | None, notes: list[Note]) -> Setting | None:
    """The setting of a node by one of the functions of :mod:`~lg_stream_lint.deploy.traefik.keys`."""
    if node is None:
        return None
    text, overridable = with_default(node.text)
    setting = None if node.unknown else read(text, node.where, overridable=overridable)  # type: ignore[operator]
    if setting is None:
        notes.append(Note(node.where, f"a duration that is not written here: {node.text[:60]}"))
    assert setting is None or isinstance(setting, Setting)
    return setting
