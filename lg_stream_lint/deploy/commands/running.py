"""Follows a command to the servers that it starts: through shells, wrappers, scripts and Python files of the repository."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lg_stream_lint.deploy.commands.carrier import Carrier, Word
from lg_stream_lint.deploy.commands.gather import gunicorn_start, other_start
from lg_stream_lint.deploy.commands.images import has_dash
from lg_stream_lint.deploy.commands.options import is_literal, spanning
from lg_stream_lint.deploy.commands.places import console_script, files_named, folders_named
from lg_stream_lint.deploy.commands.servers import Shell, hop_of
from lg_stream_lint.deploy.commands.words import Simple, simple_commands
from lg_stream_lint.deploy.commands.wrappers import Program, base_name, unwrap
from lg_stream_lint.deploy.files import DeployFile, NotRead
from lg_stream_lint.deploy.settings import Hop, Note, Reading, Target, Where
from lg_stream_lint.knowledge import knowledge

_DEEPEST = 5
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*w?")
_SCRIPT = re.compile(r"[\w./-]+\.(?:sh|bash)|(?:\.{0,2}/)?[\w./-]*(?:start|run|entrypoint|serve|prestart|launch|boot)")
_MODULES = {"gunicorn.app.wsgiapp": "gunicorn", "langgraph_cli": "langgraph"}
#: A script that is an image's own process: whatever its shell is, it passes no signal on (measured with bash and dash).
_AS_SCRIPT = "script"
_ARGUMENTS = frozenset({"$@", "${@}", "$*"})


class Runner:
    """Gathers what one command starts; ``trail`` are the files that led from it to where the runner is."""

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.notes: list[Note] = []
        self.trail: list[str] = []
        self._depth = 0
        self._init: Word | None = None  # the init process before what is being followed

    def reading(self) -> Reading:
        """Everything gathered."""
        return Reading(tuple(self.hops), tuple(dict.fromkeys(self.notes)))

    def text(self, text: str, carrier: Carrier, shell: str = "", arguments: Sequence[Word] = ()) -> None:
        """A shell's text. ``shell`` is the one that stands between the system and the program, if one does."""
        for simple in simple_commands(text, carrier):
            carrier = self._simple(simple, carrier, shell, arguments)

    def _simple(self, simple: Simple, carrier: Carrier, shell: str, arguments: Sequence[Word]) -> Carrier:
        """One simple command; the carrier for those behind it (``cd`` changes the folder)."""
        words = simple.words
        if base_name(words[0].text) in ("cd", "pushd") and len(words) > 1:
            return carrier._replace(bases=folders_named(words[1].text, carrier.bases))
        written: Sequence[Word] = ()
        if arguments and any(word.text in _ARGUMENTS for word in words):
            first = words[0]._replace(text=f'"{words[0].text}"') if words[0].text in _ARGUMENTS else words[0]
            written = (first, *words[1:])
            words = tuple(w for word in words for w in (arguments if word.text in _ARGUMENTS else (word,)))
        self.words(words, carrier._replace(env=simple.env), shell, piped=simple.piped, written=written)
        return carrier

    def words(
        self,
        words: Sequence[Word],
        carrier: Carrier,
        shell: str = "",
        *,
        piped: bool = False,
        written: Sequence[Word] = (),
    ) -> None:
        """A command in words; ``written`` is how it stands in a script that is given it (``"$@"``)."""
        program = unwrap(tuple(words), carrier.env)
        if not program.words:
            return
        carrier = carrier._replace(env=program.env)
        if program.folder:
            carrier = carrier._replace(bases=folders_named(program.folder, carrier.bases))
        between = self._between(program, written or words, carrier, shell, piped)
        outer, self._init = self._init, program.init or self._init
        self._follow(program, words, carrier, between)
        self._init = outer

    def _follow(self, program: Program, words: Sequence[Word], carrier: Carrier, between: Shell | None) -> None:
        """What a program starts: itself, where it is a server, or what it runs."""
        name = program.name
        if name in _SHELLS:
            self._shell(program, carrier)
        elif _PYTHON.fullmatch(name):
            self._python(program, carrier, between)
        elif name in knowledge().servers:
            self._server(name, program, carrier, between)
        elif name.endswith(".py") and program.words[0].text != words[0].text:  # `uv run main.py`
            self._python_file(files_named(program.words[0].text, carrier.bases, carrier.context), carrier, between)
        elif name == "gcloud":
            self._gcloud(program, carrier)
        elif name == "supervisord":
            self._supervisor(program, carrier)
        elif name == "concurrently":
            for word in program.words[1:]:
                self.text(word.text, carrier._replace(at=_inside(word), where=word.where))
        elif _SCRIPT.fullmatch(program.words[0].text):
            self._script(program.words[0], program.words[1:], carrier)
        elif module := console_script(name, carrier):
            self._module(module, (), program, carrier, between)

    def _between(
        self, program: Program, words: Sequence[Word], carrier: Carrier, shell: str, piped: bool
    ) -> Shell | None:
        """The shell of an image that stands between the system and a program, which gets no signal."""
        if not shell or (program.replaces and not piped):
            return None
        if shell == _AS_SCRIPT:
            where = spanning(words[0].where, words[-1].where)
            return Shell(where, "pipeline" if piped else "script", words[0].text, self._init)
        if self.trail:
            return None
        plain = base_name(shell) in ("sh", "dash")
        if piped or (plain and (has_dash(carrier.image) or base_name(shell) == "dash")):
            where = spanning(words[0].where, words[-1].where)
            return Shell(where, "pipeline" if piped else "", words[0].text, self._init) if carrier.image else None
        return None

    def _shell(self, program: Program, carrier: Carrier) -> None:
        """``sh -c text``, ``bash start.sh``."""
        words = program.words[1:]
        while words and words[0].text.startswith(("-", "+")) and words[0].text not in ("-", "--"):
            flags, words = words[0].text, words[1:]
            if not flags.startswith("--") and "c" in flags:
                if words and self._depth < _DEEPEST:
                    inner = carrier._replace(at=_inside(words[0]), where=words[0].where)
                    self._depth += 1
                    self.text(words[0].text, inner, program.words[0].text, words[2:])
                    self._depth -= 1
                return
            if flags in ("-o", "+o", "--rcfile", "--init-file"):
                words = words[1:]
        if words and words[0].text not in ("-", "--"):
            self._script(words[0], words[1:], carrier)

    def _script(self, name: Word, arguments: Sequence[Word], carrier: Carrier) -> None:
        """A shell script of the repository. What it is not in, its arguments may still say (``entrypoint.sh gunicorn …``)."""
        file = _named(name.text, carrier)
        if file is None or not self._enter(file):
            if arguments:
                self.words(arguments, carrier)
            return
        where = carrier._replace(at=file.at, where=file.row(1), known_as=(*carrier.known_as, Target("file", file.path)))
        if not _is_shell(file):
            self._python_file(file, carrier, None) if file.name.endswith(".py") else None
        else:
            alone = carrier.image and len(self.trail) == 1 and not _handles_signals(file)
            self.text(file.text, where, _AS_SCRIPT if alone else "", arguments)
        self.trail.pop()

    def _enter(self, file: DeployFile) -> bool:
        if file.path in self.trail or len(self.trail) >= _DEEPEST:
            return False
        self.trail.append(file.path)
        return True

    def _python(self, program: Program, carrier: Carrier, shell: Shell | None) -> None:
        """``python -m uvicorn …``, ``python -m app.main``, ``python main.py``."""
        words = program.words[1:]
        while words and words[0].text.startswith("-"):
            flag = words[0].text
            if flag.startswith("-m"):
                name = flag[2:] or (words[1].text if len(words) > 1 else "")
                self._module(name, words[1 if flag[2:] else 2 :], program, carrier, shell)
                return
            if flag == "-c":
                return
            words = words[2 if flag in ("-X", "-W") else 1 :]
        if words:
            self._python_file(files_named(words[0].text, carrier.bases, carrier.context), carrier, shell)

    def _module(
        self, name: str, rest: tuple[Word, ...], program: Program, carrier: Carrier, shell: Shell | None
    ) -> None:
        name = _MODULES.get(name, name)
        if name in knowledge().servers:
            inner = program._replace(words=(program.words[0]._replace(text=name), *rest))
            self._server(name, inner, carrier, shell)
            return
        path = name.replace(".", "/")
        for candidate in (f"{path}.py", f"{path}/__main__.py"):
            file = files_named(candidate, carrier.bases, carrier.context)
            if file is not None:
                self._python_file(file, carrier, shell)
                return

    def _python_file(self, file: DeployFile | None, carrier: Carrier, shell: Shell | None) -> None:
        if file is not None and self._enter(file):
            known = (*carrier.known_as, Target("file", file.path))
            self.python(file, carrier._replace(known_as=known, at=None), shell)
            self.trail.pop()

    def python(self, file: DeployFile, carrier: Carrier, shell: Shell | None = None) -> None:
        """The servers that a Python file starts by itself."""
        from lg_stream_lint.deploy.commands.python_code import PythonStarts

        try:
            starts = PythonStarts(file, carrier)
        except NotRead as reason:
            self.notes.append(file.note(1, str(reason)))
            return
        for start in starts.servers():
            self._add(hop_of(start._replace(shell=shell), carrier))
        for command in starts.commands():
            if isinstance(command, str):
                self.text(command, carrier)
            else:
                self.words(command, carrier)

    def _server(self, name: str, program: Program, carrier: Carrier, shell: Shell | None) -> None:
        table = knowledge().servers[name]
        gather: Callable[..., object] = gunicorn_start if name == "gunicorn" else other_start
        start = gather(table, program.words, carrier)
        if start is not None:
            self._add(hop_of(start._replace(shell=shell), carrier))  # type: ignore[attr-defined]

    def _supervisor(self, program: Program, carrier: Carrier) -> None:
        """``supervisord -c file``: the programs in that file."""
        from lg_stream_lint.deploy.readers.supervisor import programs

        texts = [word.text for word in program.words]
        path = texts[texts.index("-c") + 1] if "-c" in texts[:-1] else "supervisord.conf"
        file = _named(path, carrier)
        if file is not None and self._enter(file):
            for command, inner in programs(file, carrier):
                self.text(command, inner)
            self.trail.pop()

    def _gcloud(self, program: Program, carrier: Carrier) -> None:
        """``gcloud run deploy``: no server here, but what limits one elsewhere."""
        from lg_stream_lint.deploy.clouds.gcloud import run_hops

        self._add(run_hops(program.words, carrier))

    def _add(self, reading: Reading) -> None:
        self.hops += reading.hops
        self.notes += reading.notes


def _named(path: str, carrier: Carrier) -> DeployFile | None:
    """The file that a command names: one that the image's build writes, or one of the repository."""
    for place, file in carrier.written.items():
        if place == path or (not path.startswith("/") and base_name(place) == base_name(path)):
            return file
    return files_named(path, carrier.bases, carrier.context)


def _handles_signals(file: DeployFile) -> bool:
    """Whether a script passes signals on itself, or may: it sets a trap, or another program runs it."""
    return re.search(r"^[ \t]*trap\b|\b(?:tini|dumb-init|s6-|gosu)\b", file.text, re.MULTILINE) is not None


def _is_shell(file: DeployFile) -> bool:
    first = file.lines[0] if file.lines else ""
    return "python" not in first and not file.name.endswith(".py")


def _inside(word: Word) -> Callable[[int, int], Where] | None:
    """The places inside a word that is a text of its own, where quotes of one letter are all that stands around it."""
    span = word.where.span
    width = span.end_column - span.column
    shift = {len(word.text): 0, len(word.text) + 2: 1}.get(width)
    if span.row != span.end_row or shift is None or word.overridable or not is_literal(word.text):
        return None
    return lambda start, end: word.where._replace(
        span=span._replace(column=span.column + shift + start, end_column=span.column + shift + end)
    )
