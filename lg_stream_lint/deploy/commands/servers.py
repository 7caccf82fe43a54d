"""A server's options as a hop: its settings, written or default, its application and its port."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lg_stream_lint.deploy.commands.carrier import Carrier, Word
from lg_stream_lint.deploy.commands.options import Option
from lg_stream_lint.deploy.commands.places import module_base
from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Reading, Role, Setting, Target, Where
from lg_stream_lint.deploy.units import go_duration, number
from lg_stream_lint.deploy.workers import Family, family_of
from lg_stream_lint.knowledge import ServerOptions, knowledge

_NUMBERS = frozenset(
    {"timeout", "graceful_timeout", "keep_alive", "max_requests", "workers", "threads", "response_limit"}
)
_KINDS = {"graceful_timeout": Kind.GRACE, "response_limit": Kind.TOTAL}
_WITH_DEFAULTS = ("graceful_timeout", "keep_alive", "response_limit")
_WORTH_A_NOTE = frozenset({"timeout", "graceful_timeout", "max_requests", "response_limit", "worker_class"})
_AT_A_DESK = frozenset({"port", "worker_class", "workers", "http_parser"})
_PORT = re.compile(r"(?:^|:)(\d{2,5})$")
_LAYERS = {"fastapi": "uvicorn"}
DEFAULT_PORT = "8000"


class Shell(NamedTuple):
    """A shell that stays between the system and a server, at the server's place; ``kind``: ``pipeline``, ``script`` or empty.

    ``program`` is the server's first word as it is written, with which the place begins where it is known to the letter.
    ``init`` is an init process before the shell (``tini``).
    """

    where: Where
    kind: str
    program: str
    init: Word | None = None


class Start(NamedTuple):
    """A server that is started, before it is a hop.

    ``options`` are those that hold after precedence, by the name that a configuration file uses. ``open_ended``: there may
    be options that nobody can see here, so that no default is sure. ``shell`` is one that stands between.
    ``unknown`` are settings of that name, ``extra`` other targets that it is known as, ``overruled`` options that lost.
    """

    server: str
    where: Where
    options: Mapping[str, Option]
    app: str = ""
    open_ended: bool = False
    shell: Shell | None = None
    unknown: tuple[Setting, ...] = ()
    extra: tuple[Target, ...] = ()
    folder: str = ""
    notes: tuple[Note, ...] = ()
    overruled: tuple[Option, ...] = ()


def hop_of(start: Start, carrier: Carrier) -> Reading:
    """The hop of a server, with the notes on what its options leave open."""
    table = knowledge().servers[start.server]
    settings: list[Setting] = []
    notes = list(start.notes)
    at_a_desk = not carrier.runs_in_production and _is_development(start, table)
    for name, word in table.words.items():
        option = start.options.get(name)
        if option is None or (at_a_desk and word not in _AT_A_DESK):
            continue
        setting = _written(word, option, table)
        if setting is not None:
            settings.append(setting)
        elif word in _WORTH_A_NOTE and not option.literal:
            notes.append(Note(option.where, f"the value of {_key(option, table)} is not written here"))
    settings = _with_worker(settings, start) if start.server == "gunicorn" else settings
    settings += _defaults(start, table, settings) if not at_a_desk else []
    settings += start.unknown
    settings += _overruled(start, table, settings)
    if start.shell is not None and not at_a_desk and not carrier.is_on_a_desk:
        settings += _shell(start.shell)
    layer = _LAYERS.get(start.server, start.server)
    leads_to, app_notes = _app(start, carrier)
    known_as = tuple(dict.fromkeys((*carrier.known_as, *start.extra, *_ports(start))))
    if at_a_desk or carrier.is_on_a_desk:  # a developer's own server says nothing of what production runs
        known_as = tuple(target for target in known_as if target.kind != "replaces")
    name = f"{start.server} {start.app}".strip()
    hop = Hop(layer, Role.SERVER, name, start.where, tuple(settings), leads_to, known_as)
    return Reading((hop,), (*notes, *app_notes))


def _shell(shell: Shell) -> Iterable[Setting]:
    yield Setting("shell", "shell", shell.kind or True, Origin.EXPLICIT, shell.where, written=shell.program)
    if shell.init is not None:
        yield Setting("init", shell.init.text, value=True, origin=Origin.EXPLICIT, where=shell.init.where)


def _is_development(start: Start, table: ServerOptions) -> bool:
    """Whether it is a development server, whose limits say nothing of production."""
    options = [option for name, option in start.options.items() if table.words.get(name) == "development"]
    return any(option.literal and option.value.lower() in ("true", "1") for option in options)


def _written(word: str, option: Option, table: ServerOptions) -> Setting | None:
    """The setting of an option; None when its value is not known."""
    value: Any = option.value.strip()
    if not option.literal:
        return None
    kind = _KINDS.get(word, "")
    if word in _NUMBERS:
        value = _seconds(value, table)
        if value is None:
            return None
        if word == "timeout" and value == 0:
            value = None  # never killed
    elif word == "development":
        value = option.value.lower() not in ("false", "0", "no", "off", "none", "")
    elif word == "port":
        match = _PORT.search(value)
        if match is None:
            return None
        value = match[1]
    return Setting(
        word, _key(option, table), value, Origin.EXPLICIT, option.where, kind, option.value, option.overridable
    )


def _overruled(start: Start, table: ServerOptions, settings: Iterable[Setting]) -> list[Setting]:
    """What another place sets and wins, of the same kind as what wins."""
    kinds = {setting.name: setting.kind for setting in settings}
    found = []
    for option in start.overruled:
        word = table.words.get(option.name, "")
        setting = _written(word, option, table) if word in kinds and word != "development" else None
        if setting is not None:
            found.append(setting._replace(kind=kinds[word], overruled=True))
    return found


def _seconds(text: str, table: ServerOptions) -> float | None:
    found = number(text)
    if found is None and table.name == "granian":
        found = go_duration(text)
    return found


def _key(option: Option, table: ServerOptions) -> str:
    """``--timeout`` for ``-t`` and ``--time`` on a command line; the option's name elsewhere."""
    if not option.flag.startswith("-"):
        return option.flag
    flags = table.options.get(option.name, "").split()
    return option.flag if option.flag.startswith("--") else next((f for f in flags if f.startswith("--")), option.flag)


def _with_worker(settings: list[Setting], start: Start) -> list[Setting]:
    """Gunicorn's worker class as it really is (threads make ``sync`` a ``gthread``), and the kind of its time-out."""
    threads = next((s.value for s in settings if s.name == "threads"), None if "threads" in start.options else 1)
    written = next((s for s in settings if s.name == "worker_class"), None)
    if written is None and "worker_class" not in start.options and not start.open_ended and threads is not None:
        value = Family.THREADS if threads > 1 else Family.SYNC
        written = Setting("worker_class", "worker_class", value, Origin.DEFAULT, start.where)
    elif written is not None and family_of(written.value) == Family.SYNC and threads != 1:
        written = written._replace(value=Family.THREADS) if threads is not None else None
    rest = [s for s in settings if s.name != "worker_class"]
    family = family_of(written.value) if written is not None else Family.UNKNOWN
    kind = Kind.TOTAL if family == Family.SYNC else Kind.BLOCK if family in Family.ASYNC else ""
    rest = [s._replace(kind=kind) if s.name == "timeout" else s for s in rest]
    return rest if written is None else [written, *rest]


def _defaults(start: Start, table: ServerOptions, settings: Iterable[Setting]) -> list[Setting]:
    """What holds for the options that are not written; nothing where others may be written elsewhere."""
    if start.open_ended:
        return []
    present = {table.words[name] for name in start.options if name in table.words}
    found = [
        default(_LAYERS.get(start.server, start.server), word, start.where)
        for word in _WITH_DEFAULTS
        if word not in present
    ]
    if start.server == "gunicorn" and "timeout" not in present:
        family = next((family_of(s.value) for s in settings if s.name == "worker_class"), Family.UNKNOWN)
        when = "sync" if family == Family.SYNC else "async" if family in Family.ASYNC else "other"
        found.append(default("gunicorn", "timeout", start.where, when=when))
    return [setting for setting in found if setting is not None]


def _app(start: Start, carrier: Carrier) -> tuple[tuple[Target, ...], tuple[Note, ...]]:
    """The application that is named, looked for in the folders that the command may run in."""
    text = start.app
    if not text:
        return (), ()
    if any(sign in text for sign in ("$", "`", "{{")):
        return (), (Note(start.where, "the application is not written here"),)
    module = text.partition(":")[0]
    base = start.folder or module_base(module, carrier.bases, carrier.context)
    return (Target("app", text, base),), ()


def _ports(start: Start) -> tuple[Target, ...]:
    """The port, or the socket, that it listens on; the default where none is written."""
    for name in ("bind", "port"):
        option = start.options.get(name)
        if option is None:
            continue
        text = option.value.strip()
        if text.startswith("unix:"):
            return (Target("address", text),)
        match = _PORT.search(text)
        return (Target("port", match[1]),) if match is not None and option.literal else ()
    return () if start.open_ended or "uds" in start.options else (Target("port", DEFAULT_PORT),)
