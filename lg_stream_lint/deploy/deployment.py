"""The deployment of one repository: its files read once, the hops in them, the ways that they add up to."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.kinds import FileKind, kinds_of
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Where
from lg_stream_lint.finding import Span

if TYPE_CHECKING:
    from lg_stream_lint.config import Config
    from lg_stream_lint.deploy.code import CodeFacts, FileFacts
    from lg_stream_lint.deploy.ways import Way
    from lg_stream_lint.knowledge import Knowledge
    from lg_stream_lint.versions import Versions


class Inventory(NamedTuple):
    """The files of a repository, absolute and sorted: those that may be deployment files by their names, and Python's."""

    deployment: tuple[str, ...]
    python: tuple[str, ...]


class Deployment:
    """What a repository's files say about how it is run. Everything is read when it is first asked for.

    ``overrides`` are bytes that stand for a file: standard input, an editor's buffer. ``tables`` are those of the run.
    """

    def __init__(
        self,
        repository: str,
        inventory: Inventory,
        overrides: dict[str, bytes] | None = None,
        tables: Knowledge | None = None,
    ) -> None:
        self.repository = repository
        self.inventory = inventory
        self.tables = tables
        self.context = Context(repository, overrides, inventory.deployment)
        self.errors: list[str] = []
        self._facts: dict[str, FileFacts] = {}
        self._code: dict[str, CodeFacts] = {}

    def read_also(self, paths: Iterable[str]) -> None:
        """Count files to the repository that a walk over it leaves out, and that somebody named."""
        known = {*self.inventory.deployment, *self.inventory.python}
        more = {path for path in paths if path not in known and self.context.holds(path)}
        if not more:
            return
        python = {path for path in more if path.endswith(".py")}
        self.inventory = Inventory(
            tuple(sorted({*self.inventory.deployment, *(more - python)})),
            tuple(sorted({*self.inventory.python, *python})),
        )
        self.context.listed = self.inventory.deployment
        self._code.clear()
        for name in ("readings", "hops", "notes", "ways"):
            self.__dict__.pop(name, None)

    @cached_property
    def readings(self) -> dict[str, Reading]:
        """What each deployment file holds, by its absolute path; files that no reader claims are not in it."""
        found: dict[str, Reading] = {}
        for path in self._paths():
            reading = self._read(path)
            if reading is not None:
                found[path] = reading
        return found

    def _paths(self) -> Sequence[str]:
        paths = sorted({*self.inventory.deployment, *self.inventory.python, *self.context.overrides})
        return [path for path in paths if self.context.holds(path)]

    def _read(self, path: str) -> Reading | None:
        try:
            kinds = self._kinds(path)
            if not kinds:
                return None
            file = self.context.open(path)
        except NotRead as reason:
            return Reading((), (Note(Where(path, Span(1, 1, 1, 1)), str(reason)),))
        hops: list[Hop] = []
        notes: list[Note] = []
        for kind in kinds:
            reading = self._by(kind, file)
            hops += reading.hops
            notes += reading.notes
        return Reading(tuple(hops), tuple(notes))

    def _kinds(self, path: str) -> list[FileKind]:
        """The kinds that claim a file; its bytes are looked at before it is decoded."""
        try:
            source = self.context.bytes_of(path)
        except NotRead:
            if path.endswith(".py"):  # the run over Python says so
                return []
            raise
        return kinds_of(path, source)

    def _by(self, kind: FileKind, file: DeployFile) -> Reading:
        """One reader's answer; a reader that fails says so, and the others go on."""
        try:
            reader = importlib.import_module(f"lg_stream_lint.deploy.readers.{kind.reader}")
            reading: Reading = reader.read(file, self.context)
        except NotRead as reason:
            return Reading((), (file.note(1, str(reason)),))
        except RecursionError:
            return Reading((), (file.note(1, "nested too deeply"),))
        except Exception as error:  # noqa: BLE001 - whatever a reader does wrong, the run goes on
            self.errors.append(f"reader {kind.reader} failed in {file.path}: {type(error).__name__}: {error}")
            return Reading()
        return reading

    @cached_property
    def hops(self) -> tuple[Hop, ...]:
        """Every hop of the repository, in the order of files and rows."""
        from lg_stream_lint.deploy.doubles import without_doubles

        return without_doubles([hop for reading in self.readings.values() for hop in reading.hops])

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Everything that was not read, or not judged."""
        from lg_stream_lint.deploy.ways import MOST

        notes = [note for reading in self.readings.values() for note in reading.notes]
        if len(self.ways) == MOST:
            reason = f"the ways of a stream through the repository are judged up to {MOST}, and there may be more"
            notes.append(Note(self.ways[0].hops[0].where, reason))
        return tuple(notes)

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """The ways of a stream through the repository."""
        from lg_stream_lint.deploy.ways import ways_through

        return tuple(ways_through(self.hops, self.inventory.python, self.repository))

    def add_facts(self, facts: Iterable[FileFacts]) -> None:
        """Facts about Python files that a run has gathered already."""
        self._facts.update((fact.path, fact) for fact in facts)

    def code(self, way: Way) -> CodeFacts:
        """What the code of a way's application says; where the application is not known, that of the only one there is."""
        key = way.app.path if way.app is not None else ""
        if key not in self._code:
            from lg_stream_lint.deploy.code_reader import code_facts

            self._code[key] = code_facts(self, way.app, self._facts)
        return self._code[key]

    def versions(self, way: Way) -> Versions:
        """The versions of dependencies that hold for a way's application."""
        from lg_stream_lint.versions import versions_for

        path = way.app.path if way.app is not None else way.hops[0].where.path
        return versions_for(path, self.repository)

    def ways_of(self, path: str) -> Iterator[Way]:
        """The ways whose application a Python file belongs to."""
        from lg_stream_lint.deploy.code_reader import belongs

        for way in self.ways:
            if belongs(self, way.app, path):
                yield way


_deployments: dict[tuple[str, str], Deployment] = {}


def deployment_of(path: str, config: Config | None = None, overrides: dict[str, bytes] | None = None) -> Deployment:
    """The deployment of the repository (or, outside one, of the root) that a file belongs to, kept for the process.

    With ``overrides`` that change what it holds it is made anew; flake8 brings every file as it stands on the disk.
    """
    from lg_stream_lint import config as configuration
    from lg_stream_lint.discovery import inventory
    from lg_stream_lint.engine import tables_of
    from lg_stream_lint.roots import repository_of, root_of

    top = repository_of(path) or root_of(path)
    settings = config or configuration.Config()
    key = (top, settings.digest())
    found = _deployments.get(key)
    if found is None:
        found = _deployments[key] = Deployment(top, inventory(top, settings), None, tables_of(settings))
    if overrides and not all(found.context.has(path, source) for path, source in overrides.items()):
        return Deployment(top, inventory(top, settings), overrides, found.tables)
    return found


def forget_deployments() -> None:
    """Drop every deployment: for tests and for servers whose files change under them."""
    _deployments.clear()
