"""``gcloud run deploy``: a Cloud Run service as a command makes it, wherever the command stands.

What a command leaves out stays as it was: the default counts only where nothing else in the repository describes the service.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.clouds.aws import ANYTHING
from lg_stream_lint.deploy.commands.carrier import Carrier, Stands, Variable, Word
from lg_stream_lint.deploy.commands.options import is_literal, spanning
from lg_stream_lint.deploy.commands.places import folders_named
from lg_stream_lint.deploy.containers import Start, dockerfile_for, image_name, is_public, servers_in
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import DeployFile, NotRead
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Reading, Role, Setting, Target
from lg_stream_lint.deploy.units import go_duration, number

_COMMANDS = (("run", "deploy"), ("run", "services", "update"))
#: Words between the program and its command: a release, flags for all commands.
_MOST_BEFORE = 6
_VALUED = frozenset({"--timeout", "--image", "--source", "--command", "--args", "--set-env-vars", "--update-env-vars"})
_IMAGES = re.compile(r"""(?:--image[=\s,'"]|\bimage:[ \t'"])[\s,'"]*([^\s,'"]+)""")
_EXPRESSION = re.compile(r"\$\{\{[^{}\r\n]{0,500}\}\}")
#: What describes a service elsewhere: the default is not known to hold there.
_ELSEWHERE = (b"google_cloud_run", b"serving.knative.dev", b"services update", b"services replace")
_MOST_FILES = 400
_BUILT = ("Dockerfile", "Procfile")
#: What Google's builder takes a folder without a Dockerfile for Python's by.
_PYTHON = ("requirements.txt", "pyproject.toml", "main.py", "Pipfile")


class Flag(NamedTuple):
    """A flag with its value, at their place."""

    value: Word
    place: Word


def run_hops(words: Sequence[Word], carrier: Carrier) -> Reading:
    """What a command of ``gcloud`` makes of a Cloud Run service; nothing for its other commands."""
    found = _command(words)
    if found is None or carrier.is_on_a_desk:
        return Reading()
    return _Reader(words, found, carrier).read()


def _command(words: Sequence[Word]) -> int | None:
    """The number of words that make the command."""
    texts = [word.text for word in words]
    for start in range(1, min(_MOST_BEFORE, len(texts))):
        for command in _COMMANDS:
            if tuple(texts[start : start + len(command)]) == command:
                return start + len(command)
    return None


class _Reader:
    def __init__(self, words: Sequence[Word], start: int, carrier: Carrier) -> None:
        self.carrier, self.context = carrier, carrier.context
        self.updates = words[start - 1].text == "update"
        self.where = spanning(words[0].where, words[start - 1].where)
        self.flags: dict[str, Flag] = {}
        self.variables: list[Flag] = []
        self.arguments: list[Word] = []
        self.open_ended = False
        self._parse(words[start:])
        self.notes: list[Note] = []

    def _parse(self, words: Sequence[Word]) -> None:
        position = 0
        while position < len(words):
            word = words[position]
            name, equals, value = word.text.partition("=")
            if name in _VALUED and equals:
                self._take(name, Flag(word._replace(text=value), word))
            elif name in _VALUED and position + 1 < len(words):
                position += 1
                behind = words[position]
                self._take(name, Flag(behind, behind._replace(where=spanning(word.where, behind.where))))
            elif name == "--flags-file":
                self.open_ended = True
            elif name.startswith("-"):
                if not equals and position + 1 < len(words) and not is_literal(words[position + 1].text):
                    position += 1  # most likely its value
            elif is_literal(word.text) or not self.arguments:
                self.arguments.append(word)
            else:
                self.open_ended = True  # `"${FLAGS[@]}"`
            position += 1

    def _take(self, name: str, flag: Flag) -> None:
        """Of a flag that is given twice the last one holds; variables are added to each other."""
        self.flags[name] = flag
        if name.endswith("env-vars"):
            self.variables.append(flag)

    def read(self) -> Reading:
        limit = self._limit()
        if limit is None:
            return Reading((), tuple(self.notes))
        name = self.arguments[0].text if self.arguments else "cloud-run"
        unit = f"{self.where.path}#{self.where.span.row}:{self.where.span.column}"
        inner = self._container(Target("unit", f"{unit}/run"))
        hops: list[Hop] = []
        front: tuple[Target, ...] = (ANYTHING,)
        if inner is not None:
            reading, leads_to = inner
            hops += reading.hops
            self.notes += reading.notes
            front = (Target("unit", unit),)
            host = (Target("unit", f"{unit}/run"), *leads_to)
            hops.append(Hop("cloud-run", Role.HOST, name, self.where, (), host, front, resource=f"service {name}"))
        hops.append(Hop("cloud-run", Role.PROXY, name, self.where, (limit,), front, resource=f"service {name}"))
        return Reading(tuple(hops), tuple(self.notes))

    def _limit(self) -> Setting | None:
        flag = self.flags.get("--timeout")
        if flag is None:
            if self.updates or self.open_ended or _is_described(self.carrier):
                return None
            usual = default("cloud-run", "total_timeout", self.where)
            return usual._replace(key="--timeout") if usual is not None else None
        text = flag.value.text
        seconds = number(text) if number(text) is not None else go_duration(text)
        if seconds is None:
            self.notes.append(Note(flag.place.where, "the value of --timeout is not written here"))
            return None
        return Setting(
            *("total_timeout", "--timeout", seconds, Origin.EXPLICIT, flag.place.where, Kind.TOTAL, text),
            overridable=flag.value.overridable,
        )

    def _container(self, known: Target) -> tuple[Reading, tuple[Target, ...]] | None:
        """What the service runs: its servers, or where they are described; None where nobody can tell."""
        dockerfile: DeployFile | None = None
        leads_to: tuple[Target, ...] = ()
        source, image = self.flags.get("--source"), self.flags.get("--image")
        folder = self._source(source.value.text) if source is not None else ""
        if folder:
            built = next((f for n in _BUILT if (f := self.context.find(n, folder))), None)
            if built is None and any(os.path.exists(os.path.join(folder, name)) for name in _PYTHON):
                return None  # Google's builder chooses the command
            dockerfile = built if built is not None and built.name == "Dockerfile" else None
            leads_to = (Target("file", built.path),) if built is not None else ()
        elif image is not None and (name := _image(image.value.text)):
            dockerfile = dockerfile_for(name, self.context, _images(name, self.carrier))
            leads_to = (Target("file", dockerfile.path),) if dockerfile is not None else (Target("image", name),)
        else:
            return None
        start = Start(self._list("--command"), self._list("--args"))
        bases = (folder, *self.carrier.bases) if folder else self.carrier.bases
        inside = Carrier(self.context, self.where, Stands.MANIFEST, self._environment(), bases, (known,))
        reading = servers_in(start, inside, dockerfile)
        return (reading, ()) if reading is not None else (Reading(), leads_to)

    def _source(self, text: str) -> str:
        """The folder of the repository that is built; empty where it is not known."""
        if not is_literal(text):
            return ""
        found = folders_named(text, self.carrier.bases) if text not in (".", "./") else self.carrier.bases
        likely = (f for f in found if any(os.path.exists(os.path.join(f, name)) for name in (*_BUILT, *_PYTHON)))
        return next(likely, found[0] if found else "")

    def _list(self, name: str) -> list[str | Word] | None:
        flag = self.flags.get(name)
        return [Word(text, flag.place.where) for text in _split(flag.value.text)] if flag is not None else None

    def _environment(self) -> dict[str, Variable]:
        pairs = ((*text.partition("="), flag) for flag in self.variables for text in _split(flag.value.text))
        return {key: Variable(value, flag.place.where) for key, equals, value, flag in pairs if equals}


def _split(text: str) -> list[str]:
    """The elements of a list: commas stand between them, or what ``^:^`` at the beginning says."""
    match = re.match(r"\^([^^]{1,3})\^", text)
    return [part for part in text[match.end() :].split(match[1]) if part] if match else text.split(",")


def _image(text: str) -> str:
    """The name of an image; registry and tag may be variables."""
    return image_name(re.sub(r"[:@][^/]*$", "", re.sub(r"\$\{[^}]*\}", "$", text)).rsplit("/", 1)[-1])


def _images(name: str, carrier: Carrier) -> frozenset[str]:
    """The images that the same file deploys, as far as they have names: one Dockerfile makes them all only where they are one."""
    file = carrier.context.find(carrier.where.path, "")
    text = _EXPRESSION.sub("$", file.text) if file is not None else ""
    found = {match[1] for match in _IMAGES.finditer(text) if not is_public(_image(match[1]))}
    return frozenset(_image(image) for image in found) if len(found) > 1 else frozenset({name})


def _is_described(carrier: Carrier) -> bool:
    """Whether something else of the repository describes Cloud Run services, or changes one later."""
    paths = (path for path in carrier.context.listed if path.endswith((".tf", ".yaml", ".yml", ".sh")))
    for _, path in zip(range(_MOST_FILES), paths, strict=False):
        try:
            source = carrier.context.bytes_of(path)
        except NotRead:
            continue
        told = b"--timeout" in source and (b"gcloud" in source or b"deploy-cloudrun" in source)
        if told or any(word in source for word in _ELSEWHERE):
            return True
    return False
