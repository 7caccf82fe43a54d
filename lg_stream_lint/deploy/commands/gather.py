"""A server's options from everywhere they can be written, in the server's own order of precedence."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lg_stream_lint.deploy.commands.carrier import Carrier, Variable, Word
from lg_stream_lint.deploy.commands.gunicorn_conf import meant_by, read_conf
from lg_stream_lint.deploy.commands.options import Line, Option, is_literal, parse, spanning
from lg_stream_lint.deploy.commands.places import fastapi_entrypoint, files_named, folders_named
from lg_stream_lint.deploy.commands.servers import Start
from lg_stream_lint.deploy.commands.words import simple_commands
from lg_stream_lint.deploy.files import DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note, Origin, Setting, Target
from lg_stream_lint.knowledge import ServerOptions

_AUTOMATIC = "gunicorn.conf.py"
_FOLDERS = {"gunicorn": "chdir", "uvicorn": "app_dir", "granian": "working_dir"}
_FASTAPI_FILES = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")


def gunicorn_start(table: ServerOptions, words: Sequence[Word], carrier: Carrier) -> Start:
    """gunicorn: the command line over ``GUNICORN_CMD_ARGS`` over the configuration file over ``WEB_CONCURRENCY``."""
    line = parse(words[1:], table)
    environment = _environment_line(table, carrier)
    given = {**environment.options, **line.options}
    notes: list[Note] = []
    conf_options: dict[str, Option] = {}
    unknown: tuple[Setting, ...] = ()
    extra: tuple[Target, ...] = ()
    app, left = _application(line.arguments)
    open_ended = left or _is_open("GUNICORN_CMD_ARGS", carrier)
    file, missing = _conf_file(
        given.get("config"), carrier
    )  # looked for before `--chdir` takes effect (run: gunicorn 27.0.1)
    carrier = _moved(table, given, carrier)
    if missing is not None:
        notes.append(Note(missing.where, f"{missing.value} is not in this repository"))
        open_ended = True
    if file is not None:
        extra = (Target("file", file.path),)
        try:
            conf = read_conf(file, carrier.env)
            conf_options, unknown = dict(conf.options), conf.unknown
            open_ended |= conf.open_ended
        except NotRead as reason:
            notes.append(file.note(1, str(reason)))
            open_ended = True
    options = {**_concurrency(carrier), **conf_options, **given}
    if not app and "wsgi_app" in options:
        app = options["wsgi_app"].value
    where = spanning(words[0].where, words[-1].where)
    folder = _folder(given, table, carrier)
    lost = (
        *line.repeated,
        *environment.repeated,
        *_lost(line.options, environment.options),
        *_lost(given, conf_options),
    )
    return Start("gunicorn", where, options, app, open_ended, None, unknown, extra, folder, tuple(notes), lost)


def _lost(winners: dict[str, Option], losers: dict[str, Option]) -> list[Option]:
    return [option for name, option in losers.items() if name in winners]


def other_start(table: ServerOptions, words: Sequence[Word], carrier: Carrier) -> Start | None:
    """Every other server: the command line over the environment's variables with the server's prefix."""
    arguments = words[1:]
    if table.name in ("fastapi", "langgraph"):
        return _tool(table, words, carrier)
    line = parse(arguments, table)
    environment, unknown = _variables(table, carrier)
    app, left = _application(line.arguments)
    if table.name in ("uvicorn", "granian") and not app:
        app = _variable_text(f"{table.env_prefix}APP", carrier)
    options = {**environment, **line.options}
    if table.name == "uvicorn":
        options = {**_concurrency(carrier), **options}
    left |= table.name == "hypercorn" and "config" in options
    folder = _folder(options, table, carrier)
    where = spanning(words[0].where, words[-1].where)
    return Start(
        table.name,
        where,
        options,
        app,
        left,
        None,
        unknown,
        (),
        folder,
        overruled=(*line.repeated, *_lost(options, environment)),
    )


def _tool(table: ServerOptions, words: Sequence[Word], carrier: Carrier) -> Start | None:
    """``fastapi run``, ``fastapi dev``, ``langgraph dev``, ``langgraph up``."""
    command = words[1].text if len(words) > 1 else ""
    if command not in ("run", "dev", "up", "serve"):
        return None
    line = parse(words[2:], table)
    options = dict(line.options)
    where = spanning(words[0].where, words[-1].where)
    if command == "dev":
        place = spanning(words[0].where, words[1].where)
        options.setdefault("reload", Option("reload", f"{table.name} dev", "true", place))
    if table.name == "langgraph":
        port = "2024" if command == "dev" else "8123"
        options.setdefault("port", Option("port", "--port", port, where))
        return Start("langgraph", where, options)
    app = options["entrypoint"].value if "entrypoint" in options else _fastapi_app(line, options, carrier)
    return Start("fastapi", where, options, app)


def _fastapi_app(line: Line, options: dict[str, Option], carrier: Carrier) -> str:
    """The file that is named, or the first of those that FastAPI's command looks for, with its application's name."""
    attribute = options["app"].value if "app" in options else "app"
    named = line.arguments[0].text if line.arguments else ""
    if not named and "app" not in options and (entrypoint := fastapi_entrypoint(carrier)):
        return entrypoint
    for path in (named,) if named else _FASTAPI_FILES:
        file = files_named(path, carrier.bases, carrier.context)
        if file is not None:
            return f"{path.removeprefix('./')}:{attribute}"
    return f"{named}:{attribute}" if named.endswith(".py") else ""


def _application(arguments: Sequence[Word]) -> tuple[str, bool]:
    """The application among the words that are no options; the truth says that a variable among them may hold options."""
    literal = [word.text for word in arguments if is_literal(word.text)]
    variables = [word for word in arguments if not is_literal(word.text)]
    named = next((text for text in literal if ":" in text), None)
    if named is None and len(literal) == 1 and not variables:
        named = literal[0]
    if named is None and len(variables) == 1 and not literal and variables[0].text not in ("$@", "$*"):
        return variables[0].text, False  # `gunicorn $APP_MODULE`
    return named or "", bool(variables)


def _environment_line(table: ServerOptions, carrier: Carrier) -> Line:
    variable = carrier.env.get("GUNICORN_CMD_ARGS")
    if variable is None:
        return Line({}, ())
    words = [
        word._replace(overridable=variable.overridable)
        for simple in simple_commands(variable.value, carrier._replace(where=variable.where, at=None))
        for word in simple.words
    ]
    return parse(words, table)


def _is_open(name: str, carrier: Carrier) -> bool:
    variable = carrier.env.get(name)
    return variable is not None and not is_literal(variable.value)


def _conf_file(option: Option | None, carrier: Carrier) -> tuple[DeployFile | None, Option | None]:
    """Gunicorn's configuration file; the option that names one which is not found stands beside it."""
    if option is None:
        return files_named(_AUTOMATIC, carrier.bases[:1] or (carrier.context.repository,), carrier.context), None
    path = option.value.removeprefix("file:")
    if path.startswith("python:"):
        path = path.removeprefix("python:").replace(".", "/") + ".py"
    file = files_named(path, carrier.bases or (carrier.context.repository,), carrier.context)
    return file, option if file is None else None


def _concurrency(carrier: Carrier) -> dict[str, Option]:
    variable = carrier.env.get("WEB_CONCURRENCY")
    if variable is None:
        return {}
    return {"workers": _from_variable("workers", "WEB_CONCURRENCY", variable)}


def _variables(table: ServerOptions, carrier: Carrier) -> tuple[dict[str, Option], tuple[Setting, ...]]:
    """The options in the environment, and the names there that the server does not know."""
    options: dict[str, Option] = {}
    unknown: list[Setting] = []
    if not table.env_prefix:
        return options, ()
    for name, variable in carrier.env.items():
        if not name.startswith(table.env_prefix):
            continue
        option = name.removeprefix(table.env_prefix).lower()
        if option in table.options:
            options[option] = _from_variable(option, name, variable)
        elif table.name == "uvicorn" and (meant := meant_by(option, table)):
            unknown.append(Setting("unknown", name, table.env_prefix + meant.upper(), Origin.EXPLICIT, variable.where))
    return options, tuple(unknown)


def _from_variable(option: str, name: str, variable: Variable) -> Option:
    return Option(option, name, variable.value, variable.where, is_literal(variable.value), variable.overridable)


def _variable_text(name: str, carrier: Carrier) -> str:
    variable = carrier.env.get(name)
    return variable.value if variable is not None else ""


def _moved(table: ServerOptions, options: dict[str, Option], carrier: Carrier) -> Carrier:
    option = options.get(_FOLDERS.get(table.name, ""))
    if option is None or not option.literal:
        return carrier
    return carrier._replace(bases=folders_named(option.value, carrier.bases))


def _folder(options: dict[str, Option], table: ServerOptions, carrier: Carrier) -> str:
    """The folder that an option says the application is in; empty where none does."""
    option = options.get(_FOLDERS.get(table.name, ""))
    if option is None or not option.literal:
        return ""
    found = folders_named(option.value, carrier.bases)
    return found[0] if found and os.path.isdir(found[0]) else ""
