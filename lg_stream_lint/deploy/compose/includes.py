"""``include``: the files that a compose file takes in, with their services.

A file whose name says that it is compose's is read by itself wherever it lies; the others are read where they are taken in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from lg_stream_lint.deploy.compose.environment import dotenv_of, interpolate
from lg_stream_lint.deploy.compose.services import Service, is_compose_name, own_services, read_documents
from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node

#: Files that one compose file takes in, those that they take in among them.
MOST = 60


class Included(NamedTuple):
    """The services of the files that a compose file takes in and that are not read by themselves, and what was not read."""

    services: tuple[Service, ...] = ()
    notes: tuple[Note, ...] = ()


def services_of(file: DeployFile, context: Context) -> list[Service]:
    """The services of a compose file, put together, and those that it takes in."""
    return [*own_services((file,), context), *included(file, context).services]


def included(file: DeployFile, context: Context) -> Included:
    """What a compose file takes in."""
    return _Includes(context).run(file)


class _Includes:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.seen: set[str] = set()
        self.services: list[Service] = []
        self.notes: list[Note] = []

    def run(self, file: DeployFile) -> Included:
        waiting = [file]
        while waiting:
            current = waiting.pop(0)
            if current.path not in self.seen and len(self.seen) < MOST:
                self.seen.add(current.path)
                waiting += self._taken_in(current)
        return Included(tuple(self.services), tuple(self.notes))

    def _taken_in(self, file: DeployFile) -> Iterator[DeployFile]:
        """The files that one takes in and that may take in others."""
        for root in read_documents(file, self.context).roots:
            node = root.get("include")
            for entry in node.elements() if node is not None and node.kind == LIST else ():
                try:
                    yield from self._entry(entry, file)
                except NotRead as reason:  # noqa: PERF203 - a handful of files
                    self.notes.append(Note(entry.where, str(reason)))

    def _entry(self, entry: Node, file: DeployFile) -> list[DeployFile]:
        """One entry, short (a path) or long; the files of a long one with several paths are put together."""
        files = [self._found(path, file) for path in _paths(entry)]
        if not files or (len(files) == 1 and is_compose_name(files[0].name)):
            return []
        folder = entry.string("project_directory") if entry.kind == MAP else ""
        if folder and os.path.normpath(os.path.join(file.folder, folder)) != files[0].folder:
            raise NotRead("an included file with a project directory of its own")
        named = _texts(entry.get("env_file")) if entry.kind == MAP else []
        environment = tuple(self._found(path, file) for path in named)
        for service in own_services(files, self.context):
            self.services.append(service._replace(environment=environment))
        return files

    def _found(self, path: Node, file: DeployFile) -> DeployFile:
        """A file that is named. Raises :class:`NotRead`."""
        name = interpolate(path.text, dotenv_of(file, self.context)).text
        found = self.context.find(name, file.folder)
        if found is None:
            raise NotRead(f"included file {name[:80]} is not in the repository")
        read_documents(found, self.context)
        return found


def _paths(entry: Node) -> list[Node]:
    return [entry] if entry.kind == TEXT else _texts(entry.get("path"))


def _texts(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return [node] if node.kind == TEXT else [element for element in node.elements() if element.kind == TEXT]
