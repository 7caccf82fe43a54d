"""Which version of a dependency the project runs, and where that is written.

How a version is found. The folders from the analysed file up to its repository are asked, nearest first (without a
repository: up to the root of the file). Within one folder a lock file beats a pin (``==``), a pin beats a range; of
several lock files the first of uv.lock, pylock.toml, poetry.lock, pdm.lock, Pipfile.lock counts. The nearest folder that
names the dependency wins, with one exception: a range is made exact by a lock file further up whose version it allows,
as in a workspace whose members share one lock. A lock that the range does not allow belongs to somebody else.

For Python itself, what runs (a Dockerfile's image, runtime.txt, .python-version) beats what is allowed
(requires-python).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from lg_stream_lint import roots
from lg_stream_lint.manifests import LOCKS, READERS, Entry, Unreadable, normalise, read_text, requirements

LOCK, PIN, RANGE = "lock", "pin", "range"


class VersionFact(NamedTuple):
    """A dependency's version: ``exact``, or what ``specifier`` allows (alternatives between ``||``, empty: any)."""

    name: str
    exact: str | None
    specifier: str | None
    source_path: str
    row: int
    kind: str

    def always(self, specifier: str) -> bool | None:
        """Whether every version that this allows satisfies ``specifier``; ``None`` when only some do, or unknown."""
        return _always(self.exact, self.specifier or "", specifier)


#: How the names of distributions are written in a sentence, where that is not as they are installed.
_WRITTEN = {"fastapi": "FastAPI", "starlette": "Starlette", "python": "Python"}


def told(fact: VersionFact | None, name: str, otherwise: str, *, decided: bool = True) -> str:
    """The version that a finding rests on, for its message: ``FastAPI 0.110.3 in uv.lock:12``, or ``… assumed``.

    ``otherwise`` is what is assumed where nothing is written, or where that does not decide.
    """
    name = _WRITTEN.get(name, name)
    if fact is None or not decided:
        return f"{name} {otherwise} assumed"
    version = fact.exact or (fact.specifier or "").strip()
    if version.startswith("==") and "," not in version:
        version = version.strip("= ").removesuffix(".*")
    place = f"{os.path.basename(fact.source_path)}:{fact.row}" if fact.row else os.path.basename(fact.source_path)
    return f"{name} {version} in {place}" if version else f"{name}, any version, in {place}"


class Versions:
    """The versions that hold for the files of one folder; everything is read when it is first asked for."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._folders = folders
        self._facts: dict[str, VersionFact | None] = {}
        self._python: list[VersionFact | None] = []
        self._own_notes: list[str] = []
        self._own_sources: list[str] = []

    def of(self, name: str) -> VersionFact | None:
        """The version of a distribution, or ``None`` when nothing is written about it."""
        name = normalise(name)
        if name not in self._facts:
            self._facts[name] = self._find(name)
        return self._facts[name]

    def _find(self, name: str) -> VersionFact | None:
        nearest: VersionFact | None = None
        for folder in self._folders:
            files = _files_of(folder, self._folders[-1])
            locked = files.locked.get(name)
            if locked is not None and (nearest is None or _allows(nearest, locked)):
                return locked
            if nearest is None:
                nearest = files.declared.get(name)
                if nearest is not None and nearest.kind == PIN:
                    return nearest
        return nearest

    def python(self) -> VersionFact | None:
        """The Python that the project runs on (``pin``), or at least which ones it allows (``range``)."""
        if not self._python:
            self._python.append(self._find_python())
        return self._python[0]

    def _find_python(self) -> VersionFact | None:
        from lg_stream_lint.manifests import interpreters

        for read, kind in ((interpreters.pins_in, PIN), (interpreters.ranges_in, RANGE)):
            for folder in self._folders:
                for entry in read(folder, self._own_notes.append, self._own_sources.append):
                    actual = PIN if kind == PIN or entry.specifier.startswith("==") else RANGE
                    return VersionFact("python", entry.exact, entry.specifier, entry.path, entry.row, actual)
        return None

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read among the files asked so far, one sentence each."""
        found = [note for folder in self._folders if folder in _files for note in _files[folder].notes]
        return tuple(dict.fromkeys((*found, *self._own_notes)))

    @property
    def sources(self) -> tuple[str, ...]:
        """The files that were read so far: what a cached result depends on."""
        found = [path for folder in self._folders if folder in _files for path in _files[folder].sources]
        return tuple(dict.fromkeys((*found, *self._own_sources)))


class _Files:
    """The dependency files of one folder, as facts by name."""

    def __init__(self, folder: str, inside: str) -> None:
        self.folder, self.inside = folder, inside
        self.notes: list[str] = []
        self.sources: list[str] = []
        self._locked: dict[str, VersionFact] | None = None
        self._declared: dict[str, VersionFact] | None = None

    @property
    def locked(self) -> dict[str, VersionFact]:
        """From the first lock file that can be read."""
        if self._locked is None:
            self._locked = {}
            for name in LOCKS:
                if name in roots.names_in(self.folder):
                    self._locked = _merged(self._read(name, READERS[name]), LOCK)
                    if self._locked:
                        break
        return self._locked

    @property
    def declared(self) -> dict[str, VersionFact]:
        """From requirements files, pyproject.toml and Pipfile: pins before ranges, in that order of files."""
        if self._declared is None:
            self._declared = {}
            names = roots.names_in(self.folder)
            groups = [_merged(self._read(name, self._requirements), PIN) for name in self._requirements_files()]
            groups += [
                _merged(self._read(name, READERS[name]), PIN) for name in ("pyproject.toml", "Pipfile") if name in names
            ]
            for wanted in (PIN, RANGE):
                for group in groups:
                    for name, fact in group.items():
                        if fact.kind == wanted:
                            self._declared.setdefault(name, fact)
        return self._declared

    def _requirements_files(self) -> Iterable[str]:
        names = [name for name in roots.names_in(self.folder) if roots.is_requirements(name)]
        if "requirements" in roots.names_in(self.folder):
            below = roots.names_in(os.path.join(self.folder, "requirements"))
            names += [f"requirements/{name}" for name in below if name.endswith((".txt", ".in"))]
        return sorted(names, key=_importance)

    def _requirements(self, path: str, text: str) -> Iterator[Entry]:
        return requirements(path, text, self.inside, self.notes.append)

    def _read(self, name: str, reader: Callable[[str, str], Iterable[Entry]]) -> list[Entry]:
        path = os.path.join(self.folder, name)
        self.sources.append(path)
        entries: list[Entry] = []
        try:
            for entry in reader(path, read_text(path)):
                entries.append(entry)
                if entry.path not in self.sources:
                    self.sources.append(entry.path)
        except Unreadable as error:
            self.notes.append(str(error))
        return entries


_files: dict[str, _Files] = {}
_versions: dict[tuple[str, ...], Versions] = {}


def clear() -> None:
    """Forget everything read; for long-lived processes and tests."""
    _files.clear()
    _versions.clear()
    roots.clear()


def versions_for(file_path: str, repo_root: str | None = None) -> Versions:
    """The versions that hold for a file, never read from above ``repo_root`` (by default the file's repository)."""
    folder = roots.folder_of(file_path)
    stop = os.path.abspath(repo_root) if repo_root is not None else roots.repository_of(folder) or roots.root_of(folder)
    folders = [folder]
    while folder != stop and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        folders.append(folder)
    key = tuple(folders if folder == stop else folders[:1])
    found = _versions.get(key)
    if found is None:
        found = _versions[key] = Versions(key)
    return found


def _files_of(folder: str, inside: str) -> _Files:
    files = _files.get(folder)
    if files is None:
        files = _files[folder] = _Files(folder, inside)
    return files


def _importance(name: str) -> tuple[int, str]:
    """Order of requirements files: the plain one, those for production, the others, those for development."""
    lowered = name.lower()
    if lowered in ("requirements.txt", "requirements/base.txt", "requirements/requirements.txt"):
        return (0, lowered)
    if any(word in lowered for word in ("dev", "test", "doc", "lint", "local")):
        return (3, lowered)
    return (1 if "prod" in lowered else 2, lowered)


def _merged(entries: Iterable[Entry], kind: str) -> dict[str, VersionFact]:
    """Facts by name. A name that is written more than once (markers, forks of a lock, constraints) allows either."""
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.name, []).append(entry)
    return {name: _fact(name, written, kind) for name, written in by_name.items()}


def _fact(name: str, written: list[Entry], kind: str) -> VersionFact:
    pins = [entry for entry in written if entry.exact is not None]
    first = (pins or written)[0]
    if pins and len({entry.exact for entry in pins}) == 1:
        return VersionFact(name, first.exact, f"=={first.exact}", first.path, first.row, kind)
    specifiers = list(dict.fromkeys(entry.specifier for entry in pins or written))
    specifier = "" if "" in specifiers else " || ".join(specifiers)
    return VersionFact(name, None, specifier, first.path, first.row, kind if kind == LOCK else RANGE)


def _allows(fact: VersionFact, locked: VersionFact) -> bool:
    """Whether a range allows a locked version (a range that cannot be understood does)."""
    return _always(locked.exact, locked.specifier or "", fact.specifier or "") is not False


def _always(exact: str | None, allowed: str, wanted: str) -> bool | None:
    """Whether all of ``allowed`` lies in ``wanted``: decided at and around every version that either of them names.

    Between two neighbouring versions named, neither can change its mind, so these samples are enough. Releases only: a
    pre-release is nothing that a project gets without asking for it.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        targets = [SpecifierSet(part) for part in wanted.split("||")]
        if exact is not None:
            return any(target.contains(Version(exact), prereleases=True) for target in targets)
        sets = [SpecifierSet(part) for part in allowed.split("||")]
        named = [specifier.version for group in (*sets, *targets) for specifier in group]
        samples = [Version(sample) for sample in _samples(named)]
        verdicts = {
            any(target.contains(sample) for target in targets)
            for sample in samples
            if any(group.contains(sample) for group in sets)
        }
    except (InvalidSpecifier, InvalidVersion):
        return None
    return verdicts.pop() if len(verdicts) == 1 else None


def _samples(named: Iterable[str]) -> Iterator[str]:
    from packaging.version import Version

    yield "0"
    yield "99999"
    for written in named:
        release = list(Version(written.replace(".*", "")).release)
        bounds = [release, [*release[:-1], release[-1] + 1]]
        if len(release) > 1:  # the upper bound of ~=
            bounds.append([*release[:-2], release[-2] + 1])
        for bound in bounds:
            plain = ".".join(map(str, bound))
            yield plain
            yield f"{plain}.0.0.0.1"
            while bound and bound[-1] == 0:
                bound.pop()
            if bound:
                yield ".".join(map(str, [*bound[:-1], bound[-1] - 1, 99999]))
