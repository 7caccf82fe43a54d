"""A Dockerfile as the image that it makes: instructions with places, stages, variables, folders."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from lg_stream_lint.deploy.commands.carrier import Carrier, Variable, Word, shifted
from lg_stream_lint.deploy.commands.words import expand, simple_commands
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.images.folders import Copy, bases_of, copied_scripts, in_image
from lg_stream_lint.deploy.images.written import Piece, WrittenFile, by_copy, by_run
from lg_stream_lint.deploy.settings import Where

_INSTRUCTION = re.compile(r"[ \t]*([A-Za-z]+)(?=[ \t\r\n\\`]|$)[ \t]*")
_COMMENT = re.compile(r"[ \t]*#[^\n]*(?:\n|$)")
_ESCAPE = re.compile(r"(?i)#[ \t]*escape[ \t]*=[ \t]*([\\`])")
_HEREDOC = re.compile(r"""<<-?[ \t]*(['"]?)([A-Za-z_]\w*)\1""")
_FLAGS = re.compile(r"(?:[ \t]*--\S+)*[ \t]*")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_MOST = 5_000  # instructions


class Command(NamedTuple):
    """A command in shell form: its text, its place, and the places of what is in it."""

    text: str
    where: Where
    at: Callable[[int, int], Where]


class Image(NamedTuple):
    """What the last stage of a Dockerfile is. ``entrypoint`` and ``command`` are words (exec form) or a text (shell form)."""

    path: str
    base: str
    env: Mapping[str, Variable]
    bases: tuple[str, ...]
    shell: tuple[str, ...]
    entrypoint: Command | tuple[Word, ...] | None
    command: Command | tuple[Word, ...] | None
    ports: tuple[str, ...]
    written: Mapping[str, DeployFile]


class Instruction(NamedTuple):
    """One instruction: ``text`` is what stands behind its name, as long as it is in the file, from ``start`` on."""

    name: str
    text: str
    start: int


class Stage:
    """A stage while it is being read."""

    def __init__(self, name: str, base: str, parent: Stage | None) -> None:
        self.name = name
        self.base: str = parent.base if parent is not None else base
        self.env: dict[str, Variable] = dict(parent.env) if parent is not None else {}
        self.folder: str = parent.folder if parent is not None else "/"
        self.shell: tuple[str, ...] = parent.shell if parent is not None else ("/bin/sh", "-c")
        self.entrypoint: Command | tuple[Word, ...] | None = parent.entrypoint if parent is not None else None
        self.command: Command | tuple[Word, ...] | None = parent.command if parent is not None else None
        self.written: dict[str, list[Piece]] = dict(parent.written) if parent is not None else {}
        self.ports: list[str] = list(parent.ports) if parent is not None else []


def image_of(file: DeployFile, context: Context, target: str = "") -> Image:
    """The image that a Dockerfile makes; ``target`` names another stage than the last."""
    reader = _Reader(file, context)
    for instruction in instructions(file):
        reader.take(instruction)
    stage = next((s for s in reader.stages if target and s.name == target.lower()), None)
    stage = stage or (reader.stages[-1] if reader.stages else Stage("", "", None))
    bases = bases_of(file.folder, context.repository, stage.folder, reader.copies)
    written: dict[str, DeployFile] = copied_scripts(file.folder, context, reader.copies)
    written |= {path: WrittenFile(file, pieces) for path, pieces in stage.written.items() if pieces}
    start = (stage.entrypoint, stage.command)
    return Image(file.path, stage.base, stage.env, bases, stage.shell, *start, tuple(stage.ports), written)


def instructions(file: DeployFile) -> Iterator[Instruction]:
    """The instructions in order. Comment lines inside one are blanked, so that offsets stay what they are."""
    text = file.text
    match = _ESCAPE.match(text.lstrip())
    escape = match[1] if match else "\\"
    position, count = 0, 0
    while position < len(text) and count < _MOST:
        count += 1
        if skipped := _COMMENT.match(text, position):
            position = skipped.end()
            continue
        name = _INSTRUCTION.match(text, position)
        start = name.end() if name else position
        body, position = _body(text, start, escape)
        if name:
            behind = _behind_heredocs(name[1].upper(), body, text, position)
            if behind > position:  # the here documents belong to the text
                body, position = body + text[start + len(body) : behind], behind
            yield Instruction(name[1].upper(), body, start)


def _body(text: str, start: int, escape: str) -> tuple[str, int]:
    """An instruction's text over all its continued lines, and where the next one begins."""
    parts: list[str] = []
    position = start
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end]
        inside = position > start
        if inside and (not line.strip() or line.lstrip().startswith("#")):
            parts.append(" " * (min(end + 1, len(text)) - position))
            position = end + 1
            continue
        position = end + 1
        continued = line.rstrip().endswith(escape)
        parts.append(_continued(line, escape) + "\n" if continued else line)
        if not continued:
            break
    return "".join(parts), min(position, len(text))


def _continued(line: str, escape: str) -> str:
    """A continued line with the backslash that a shell knows, right before its end."""
    stripped = line.rstrip()
    body = stripped[: -len(escape)]
    return body + " " * (len(line) - len(body) - 1) + "\\"


def _behind_heredocs(name: str, body: str, text: str, position: int) -> int:
    """Where the next instruction begins, after the here documents of this one."""
    if name not in ("RUN", "COPY", "ADD"):
        return position
    for mark in _HEREDOC.finditer(body):
        end = re.compile(rf"^\t*{mark[2]}\r?$", re.MULTILINE).search(text, position)
        if end is None:
            return position
        position = min(end.end() + 1, len(text))
    return position


class _Reader:
    """Reads the instructions into stages."""

    def __init__(self, file: DeployFile, context: Context) -> None:
        self.file = file
        self.context = context
        self.stages: list[Stage] = []
        self.copies: list[Copy] = []
        self.arguments: dict[str, Variable] = {}

    def take(self, instruction: Instruction) -> None:
        """The next instruction."""
        name = instruction.name
        if name == "FROM":
            self._from(instruction)
        elif name == "ARG" and not self.stages:
            self.arguments.update(self._pairs(instruction, self.arguments, overridable=True))
        elif self.stages:
            self._in_stage(name, instruction, self.stages[-1])

    def _in_stage(self, name: str, instruction: Instruction, stage: Stage) -> None:
        if name == "ARG":
            known = {k: v for k, v in self.arguments.items() if k in instruction.text.split()}
            stage.env.update(known | self._pairs(instruction, stage.env, overridable=True))
        elif name == "ENV":
            stage.env.update(self._pairs(instruction, stage.env))
        elif name == "WORKDIR":
            folder = expand(instruction.text.strip().strip("\"'"), stage.env)[0]
            stage.folder = in_image(folder, stage.folder)
        elif name in ("COPY", "ADD"):
            self._copy(instruction, stage)
            self._write(by_copy(instruction.text, instruction.start), stage)
        elif name == "RUN":
            self._write(by_run(instruction.text, instruction.start, self.file, self.context), stage)
        elif name == "SHELL":
            words = self._exec(instruction)
            stage.shell = tuple(word.text for word in words) if words else stage.shell
        elif name == "ENTRYPOINT":
            stage.entrypoint, stage.command = self._command(instruction), None
        elif name == "CMD":
            stage.command = self._command(instruction)
        elif name == "EXPOSE":
            stage.ports += re.findall(r"\b\d{2,5}\b", expand(instruction.text, stage.env)[0])

    def _from(self, instruction: Instruction) -> None:
        words = [word for word in instruction.text.split() if not word.startswith("--")]
        if not words:
            return
        base = expand(words[0], self.arguments)[0].strip("\"'")
        parent = next((stage for stage in self.stages if stage.name == base.lower()), None)
        name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
        self.stages.append(Stage(name, "" if "$" in base else base, parent))

    def _pairs(
        self, instruction: Instruction, env: Mapping[str, Variable], *, overridable: bool = False
    ) -> dict[str, Variable]:
        """``A=1 B="x y"``, and the old ``A some value``. An ``ARG`` without a value says nothing."""
        place = self._place(instruction.start - 2)
        carrier = Carrier(self.context, self.file.row(1), env=env, at=place)
        found = simple_commands("x " + instruction.text.replace(";", ",").replace("&", "+").replace("|", "!"), carrier)
        words = found[0].words[1:] if found else ()
        if words and "=" not in words[0].text:
            name, _, value = instruction.text.strip().partition(" ")
            value = expand(value.strip(), env)[0]
            return {} if overridable or not value else {name: Variable(value, words[0].where)}
        pairs = [(word, *word.text.partition("=")) for word in words]
        return {
            name: Variable(value, w.where, overridable or w.overridable) for w, name, equals, value in pairs if equals
        }

    def _copy(self, instruction: Instruction, stage: Stage) -> None:
        flags = _FLAGS.match(instruction.text)
        start = flags.end() if flags is not None else 0
        words = self._exec(Instruction("", instruction.text[start:], instruction.start + start))
        texts = instruction.text.replace("\\\n", " ").split()
        if words:
            texts = [*instruction.text[:start].split(), *(word.text for word in words)]
        if any(text.startswith("--from") for text in texts):
            return
        texts = [expand(text, stage.env)[0] for text in texts if not text.startswith("--")]
        if len(texts) > 1 and not texts[0].startswith("<<"):
            target = in_image(texts[-1], stage.folder)
            inside = texts[-1].endswith(("/", ".")) or len(texts) > 2
            self.copies += [Copy(source, target, inside) for source in texts[:-1]]

    def _write(self, files: Iterable[tuple[str, bool, list[Piece]]], stage: Stage) -> None:
        """Files that the build writes by itself."""
        for path, appends, pieces in files:
            place = in_image(expand(path, stage.env)[0], stage.folder)
            stage.written[place] = [*(stage.written.get(place, []) if appends else []), *pieces]

    def _command(self, instruction: Instruction) -> Command | tuple[Word, ...] | None:
        words = self._exec(instruction)
        if words is not None:
            return words or None
        text = instruction.text.rstrip()
        where = self.file.at(instruction.start, instruction.start + len(text))
        return Command(text, where, self._place(instruction.start))

    def _exec(self, instruction: Instruction) -> tuple[Word, ...] | None:
        """The words of an instruction in exec form; None for any other form."""
        text = instruction.text.replace("\\\n", " \n").strip()
        if not text.startswith("["):
            return None
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            return None
        places = [match.span() for match in _STRING.finditer(instruction.text)]
        at = self._place(instruction.start)
        return tuple(Word(value, at(*place)) for value, place in zip(values, places, strict=False))

    def _place(self, shift: int) -> Callable[[int, int], Where]:
        return shifted(self.file, shift)
