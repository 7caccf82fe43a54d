"""What stands before the program that a command really starts: ``exec``, ``env``, ``uv run``, ``tini -- …``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from lg_stream_lint.deploy.commands.carrier import Variable, Word

#: Wrappers whose own words end where the program begins; their options that take a value.
_PLAIN = {
    "exec": "-a",
    "command": "",
    "builtin": "",
    "nohup": "",
    "setsid": "",
    "time": "",
    "nice": "-n --adjustment",
    "ionice": "-c -n",
    "stdbuf": "-o -e -i",
    "unbuffer": "",
    "catchsegv": "",
    "sudo": "-u -g -h -p",
    "tini": "-p -e",
    "tini-static": "-p -e",
    "docker-init": "-p -e",
    "dumb-init": "-r --rewrite",
    "catatonit": "",
    "opentelemetry-instrument": "--traces_exporter --metrics_exporter --logs_exporter --service_name",
    "ddtrace-run": "",
    "cross-env": "",
    "dotenvx": "-f",
    "npx": "-p --package",
    "uvx": "--from --with -p --python",
    "xvfb-run": "-s",
}
#: Of these, process 1 of a container that hands signals on to what it started, and ends when that ends.
_INITS = frozenset({"tini", "tini-static", "docker-init", "dumb-init", "catatonit"})
#: Tools with a subcommand that runs the rest.
_RUNNERS = {
    "uv": ("run", "--with -w --with-requirements --with-editable -p --python --project --directory --env-file --extra "
           "--no-extra --group --no-group --only-group --package --index --index-url -i --cache-dir --config-file"),
    "poetry": ("run", "-C --directory -P --project"),
    "pipenv": ("run", ""),
    "pdm": ("run", "-p --project"),
    "hatch": ("run", "-e"),
    "rye": ("run", "--pyproject"),
    "pixi": ("run", "-e --environment --manifest-path"),
    "conda": ("run", "-n --name -p --prefix --cwd"),
    "mamba": ("run", "-n --name -p --prefix --cwd"),
    "micromamba": ("run", "-n --name -p --prefix --cwd"),
    "newrelic-admin": ("run-program", ""),
    "doppler": ("run", "-p --project -c --config -t --token"),
    "infisical": ("run", "--env --path --projectId --token"),
    "dotenv": ("run", "-f --file"),
    "chamber": ("exec", ""),
    "op": ("run", "--env-file"),
    "coverage": ("run", "--source --rcfile"),
}  # fmt: skip
#: Wrappers with so many arguments of their own before the program.
_POSITIONAL = {"gosu": 1, "su-exec": 1, "timeout": 1, "flock": 1, "chroot": 1, "setpriv": 0, "runuser": 0}
#: What waits for something else first; the program stands behind ``--``.
_WAITERS = re.compile(r"wait-?for.*|dockerize|aws-vault|with-contenv|run-one|retry")
_FOLDERS = frozenset({"--directory", "--project", "--cwd", "-C"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


class Program(NamedTuple):
    """What a command starts. ``words`` begin with the program itself; ``replaces``: ``exec`` was written.

    ``folder`` is the one that a wrapper changes to; ``init``: an init process (``tini --``) stands before the program.
    """

    words: tuple[Word, ...]
    env: Mapping[str, Variable]
    replaces: bool = False
    folder: str = ""
    init: Word | None = None

    @property
    def name(self) -> str:
        """The program's name without folders."""
        return base_name(self.words[0].text) if self.words else ""


def base_name(text: str) -> str:
    """``/opt/venv/bin/uvicorn`` is ``uvicorn``."""
    return re.split(r"[/\\]", text)[-1].removesuffix(".exe")


def unwrap(words: tuple[Word, ...], env: Mapping[str, Variable]) -> Program:
    """The program behind all wrappers."""
    program = Program(words, env)
    for _ in range(12):  # nobody wraps deeper, and each turn takes a word at least
        inner = _one(program)
        if inner is None:
            break
        program = inner
    return program


def _one(program: Program) -> Program | None:
    """The command without its outermost wrapper; None when there is none."""
    words, name = program.words, program.name
    if not words:
        return None
    if name == "env" or _ASSIGNMENT.match(words[0].text):
        return _environment(program)
    if name in _PLAIN:
        rest, folder = _options(words[1:], _PLAIN[name])
        init = words[0] if name in _INITS else program.init
        return program._replace(words=rest, replaces=program.replaces or name == "exec", init=init)
    if name in _RUNNERS:
        command, valued = _RUNNERS[name]
        before, folder = _options(words[1:], valued)
        if not before or before[0].text != command:
            return None
        after, inner = _options(before[1:], valued, stop=("-m", "--module"))
        return program._replace(words=_behind_dashes(after, name), folder=inner or folder or program.folder)
    if name in _POSITIONAL:
        rest, _ = _options(words[1:], "-k -s --kill-after --signal -u")
        return program._replace(words=rest[_POSITIONAL[name] :])
    if _WAITERS.fullmatch(name):
        after = next((words[i + 1 :] for i, word in enumerate(words) if word.text == "--"), ())
        return program._replace(words=after) if after else None
    return None


def _behind_dashes(words: tuple[Word, ...], name: str) -> tuple[Word, ...]:
    """``chamber exec service -- program``; ``uv run -m module`` is Python's own ``-m``."""
    if name == "chamber":
        return next((words[i + 1 :] for i, word in enumerate(words) if word.text == "--"), words)
    if words and words[0].text in ("-m", "--module"):
        return (words[0]._replace(text="python"), words[0]._replace(text="-m"), *words[1:])
    return words


def _environment(program: Program) -> Program:
    """``env -i A=1 B=2 program`` and ``A=1 program``."""
    words, env = program.words, dict(program.env)
    position = 0 if _ASSIGNMENT.match(words[0].text) else 1
    while position < len(words):
        text = words[position].text
        if _ASSIGNMENT.match(text):
            name, _, value = text.partition("=")
            env[name] = Variable(value, words[position].where, words[position].overridable)
        elif text in ("-u", "-C", "--unset", "--chdir"):
            position += 1
        elif not text.startswith("-"):
            break
        position += 1
    return program._replace(words=words[position:], env=env)


def _options(words: tuple[Word, ...], valued: str, stop: tuple[str, ...] = ()) -> tuple[tuple[Word, ...], str]:
    """The words behind a wrapper's own options, and the folder that one of them names."""
    takes = valued.split()
    folder = ""
    position = 0
    while position < len(words):
        text = words[position].text
        if text == "--":
            return words[position + 1 :], folder
        if not text.startswith("-") or text == "-" or text in stop:
            break
        flag, equals, value = text.partition("=")
        if flag in takes and not equals and position + 1 < len(words):
            position += 1
            value = words[position].text
        if flag in _FOLDERS:
            folder = value
        position += 1
    return words[position:], folder
