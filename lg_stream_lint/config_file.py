"""Reads settings: finds the configuration file, checks every key and code, and says where a wrong one stands.

``tomllib`` is imported only for a file that has our name in it, and the rules' registry only for codes that must be
checked: a run without configuration pays for neither.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from lg_stream_lint.config import DEFAULT_EXCLUDE, Config, ConfigError, Entries, Scoped

OWN_FILES = (".lg-stream-lint.toml", "lg-stream-lint.toml")
TABLE = ("tool", "lg-stream-lint")
COMMAND_LINE = "command line"


class Problem(Protocol):
    """Makes the error for a wrong value: it knows whether the value stands in a file or on the command line."""

    def __call__(self, message: str, *keys: str, value: str | None = None, field: str = "") -> ConfigError:
        """The error for ``message`` about the setting ``keys``, one item of its value, or a field of that item."""


def load(start: str, *, isolated: bool = False, explicit: str | None = None) -> Config:
    """See :func:`lg_stream_lint.config.load`."""
    start = os.path.abspath(start)
    path = None if isolated else os.path.abspath(explicit) if explicit is not None else find(start)
    if path is None:
        return _rooted(start)
    values, text, table = _read(path)
    if values is None:
        raise ConfigError(f"{path}: has no [{'.'.join(TABLE)}] table")
    root = os.path.dirname(path)

    def problem(message: str, *keys: str, value: str | None = None, field: str = "") -> ConfigError:
        return ConfigError(f"{path}:{find_line(text, (*table, *keys), value, field)}: {message}")

    return apply(_rooted(root)._replace(source=path), values, base=root, origin=path, problem=problem)


def _rooted(root: str) -> Config:
    """The defaults, with patterns relative to a folder."""
    return Config(root=root, exclude=tuple(Scoped(root, text) for text in DEFAULT_EXCLUDE))


def find(start: str) -> str | None:
    """The nearest configuration file from a folder upwards, within its repository.

    A ``pyproject.toml`` without our table is passed over; one that does not even hold our name is not parsed.
    """
    folder = start
    while True:
        for name in OWN_FILES:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return path
        path = os.path.join(folder, "pyproject.toml")
        if _mentions_us(path) and _read(path)[0] is not None:
            return path
        parent = os.path.dirname(folder)
        if parent == folder or os.path.lexists(os.path.join(folder, ".git")):
            return None
        folder = parent


def _mentions_us(path: str) -> bool:
    """Whether a file can hold our table: a search in its bytes, as parsing every project's file would cost too much."""
    try:
        with open(path, "rb") as file:
            return TABLE[1].encode() in file.read()
    except OSError:
        return False


def _read(path: str) -> tuple[dict[str, object] | None, str, tuple[str, ...]]:
    """The settings in a file, its text, and the table that they stand in; no settings when our table is missing."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:  # pragma: no cover (the tests run on one Python)
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    try:
        text = source.decode("utf-8")
        values: object = tomllib.loads(text.replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8, as TOML must be") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
        message = str(error)[: place.start()] if place else str(error)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        column = f":{place[2]}" if place and place[2] else ""
        raise ConfigError(f"{path}:{line}{column}: not valid TOML: {message}") from None
    own = os.path.basename(path) != "pyproject.toml"
    inside = values
    for key in TABLE:
        inside = inside.get(key) if isinstance(inside, dict) else None
    if inside is None:
        return (values if own and isinstance(values, dict) else None), text, ()
    if not isinstance(inside, dict):
        raise ConfigError(f"{path}:{find_line(text, TABLE)}: [{'.'.join(TABLE)}] must be a table")
    return inside, text, TABLE


def apply(config: Config, values: Mapping[str, object], *, base: str, origin: str, problem: Problem) -> Config:
    """Lays settings over a configuration after checking each; patterns become relative to ``base``."""
    changes: dict[str, object] = {}
    for key, value in values.items():
        if key not in READERS:
            raise problem(f"unknown setting {_quoted(key)}{suggestion(key, READERS)}", key)
        changes[key.replace("-", "_")] = READERS[key](value, _Setting(key, base, problem))
    origins = {**dict(config.origins), **dict.fromkeys(values, origin)}
    return config._replace(**changes, origins=tuple(origins.items()))  # type: ignore[arg-type]


def override(config: Config, options: Mapping[str, object], *, directory: str) -> Config:
    """Lays the options of the command line over a configuration; their patterns are relative to ``directory``.

    An option replaces the setting of its name. What ``--select`` and ``--extend-select`` name is not refused by the
    same code in the file's ``ignore``, and ``--select`` starts afresh from the file's ``extend-select``.
    """

    def problem(message: str, *keys: str, value: str | None = None, field: str = "") -> ConfigError:
        del value, field  # the option says where
        return ConfigError(f"--{keys[0]}: {message}")

    changed = apply(config, options, base=directory, origin=COMMAND_LINE, problem=problem)
    if "select" in options and "extend-select" not in options:
        changed = changed._replace(extend_select=())
    asked = {code for key in ("select", "extend-select") if key in options for code in _field(changed, key)}
    for key in ("ignore", "extend-ignore"):
        if key not in options:
            kept = tuple(code for code in _field(changed, key) if code not in asked)
            changed = changed._replace(**{key.replace("-", "_"): kept})  # type: ignore[arg-type]
    return changed


def _field(config: Config, key: str) -> tuple[str, ...]:
    """The codes of one setting."""
    codes: tuple[str, ...] = getattr(config, key.replace("-", "_"))
    return codes


class _Setting(NamedTuple):
    """A setting that is being read."""

    key: str
    base: str
    problem: Problem

    def error(self, message: str, *inside: str, value: str | None = None, field: str = "") -> ConfigError:
        """The error for a wrong value; ``inside`` is the way to it in the setting's table."""
        return self.problem(message, self.key, *inside, value=value, field=field)


def _texts(value: object, setting: _Setting, *inside: str) -> tuple[str, ...]:
    """A list of strings, as every list of ours is."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise setting.error(f"{_quoted((setting.key, *inside)[-1])} must be a list of strings", *inside)
    return tuple(value)


def _read_patterns(value: object, setting: _Setting) -> tuple[Scoped, ...]:
    """Patterns of paths."""
    return tuple(Scoped(setting.base, text) for text in _texts(value, setting))


def _read_codes(value: object, setting: _Setting, *inside: str) -> tuple[str, ...]:
    """Codes and prefixes of codes."""
    codes = []
    for text in _texts(value, setting, *inside):
        code = text.strip().upper()
        if code != "LGS":
            _check_code(text, code, setting, *inside)
        codes.append(code)
    return tuple(codes)


def _check_code(text: str, code: str, setting: _Setting, *inside: str) -> None:
    """Refuses a code with which no rule begins."""
    from lg_stream_lint.rules.registry import rules

    known = rules()
    if code and any(rule.startswith(code) for rule in known):
        return
    named = [rule for rule, info in known.items() if info.name == text.strip()]
    hint = f"; did you mean {_quoted(named[0])}?" if named else suggestion(code, known)
    raise setting.error(f"no rule has a code that begins with {_quoted(text)}{hint}", *inside, value=text)


def _read_per_file(value: object, setting: _Setting) -> tuple[tuple[Scoped, tuple[str, ...]], ...]:
    """``pattern = [codes]``."""
    if not isinstance(value, Mapping):
        raise setting.error(f"{_quoted(setting.key)} must be a table of patterns with a list of codes each")
    return tuple((Scoped(setting.base, text), _read_codes(codes, setting, text)) for text, codes in value.items())


def _read_per_resource(value: object, setting: _Setting) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """``resource = [codes]``."""
    if not isinstance(value, Mapping):
        raise setting.error(f"{_quoted(setting.key)} must be a table of resources with a list of codes each")
    return tuple((text, _read_codes(codes, setting, text)) for text, codes in value.items())


def _read_extend(value: object, setting: _Setting) -> tuple[tuple[str, Entries], ...]:
    """What the project adds to our tables of knowledge."""
    if not isinstance(value, Mapping):
        raise setting.error(f"{_quoted(setting.key)} must be a table of lists")
    return tuple((key, _entries(key, entries, setting)) for key, entries in value.items())


def _entries(key: str, entries: list[Any], setting: _Setting) -> Entries:
    """The entries for one table, which judges them itself."""
    from lg_stream_lint.knowledge import knowledge
    from lg_stream_lint.knowledge.extension import ExtensionError

    try:
        knowledge().extend({key: entries})
    except ExtensionError as error:
        raise setting.error(str(error), key, value=error.path or None, field=error.key) from None
    return Entries(entries)


def _read_count(value: object, setting: _Setting) -> int:
    """A whole number from 0 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise setting.error(f"{_quoted(setting.key)} must be a whole number, 0 for as many as there are processors")
    return value


def _read_switch(value: object, setting: _Setting) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise setting.error(f"{_quoted(setting.key)} must be true or false")
    return value


READERS: dict[str, Callable[[object, _Setting], object]] = {
    "select": _read_codes,
    "ignore": _read_codes,
    "extend-select": _read_codes,
    "extend-ignore": _read_codes,
    "per-file-ignores": _read_per_file,
    "per-resource-ignores": _read_per_resource,
    "pedantic": _read_switch,
    "exclude": _read_patterns,
    "extend-exclude": _read_patterns,
    "force-exclude": _read_switch,
    "respect-gitignore": _read_switch,
    "jobs": _read_count,
    "extend": _read_extend,
}

_KEY = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_HEADER = r"\s*\[\[?([^\]]+)\]"
_ASSIGNMENT = rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*="


def find_line(text: str, keys: tuple[str, ...], value: str | None = None, field: str = "") -> int:
    """The line (1-based) where a setting, an item of its list or that item's field most likely stands.

    ``tomllib`` keeps no places.
    """
    lines = text.splitlines()
    table: tuple[str, ...] = ()
    best, longest = 0, 0
    for index, line in enumerate(lines):
        if header := re.match(_HEADER, line):
            here = table = _key_parts(header[1])
        elif assignment := re.match(_ASSIGNMENT, line):
            here = (*table, *_key_parts(assignment[1]))
        else:
            continue
        shared = 0
        while shared < min(len(here), len(keys)) and here[shared] == keys[shared]:
            shared += 1
        if shared > longest:
            best, longest = index, shared
    if value is not None:
        for index in range(best, len(lines)):
            if f'"{value}"' in lines[index] or f"'{value}'" in lines[index]:
                best = index
                break
    return (_field_line(lines, best, field) if field else best) + 1


def _field_line(lines: list[str], start: int, field: str) -> int:
    """The first line from ``start`` on that assigns the field, within the same table; else ``start`` itself."""
    for index in range(start, len(lines)):
        if index > start and re.match(_HEADER, lines[index]):
            break
        if re.search(rf"""(?:^|[\s{{,])["']?{re.escape(field)}["']?\s*=""", lines[index]):
            return index
    return start


def _key_parts(dotted: str) -> tuple[str, ...]:
    """The parts of a dotted TOML key, without their quotes."""
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean "…"?`` when a known word is close, else nothing."""
    import difflib

    written = word.replace("_", "-")
    close = difflib.get_close_matches(written, sorted(known), n=50, cutoff=0.6)
    # Codes differ in one place: among words equally close, the one that keeps most letters where they are is meant.
    best = min(close, key=lambda name: (-sum(a == b for a, b in zip(written, name, strict=False)), name), default="")
    return f"; did you mean {_quoted(best)}?" if best else ""


def _quoted(text: str) -> str:
    """A word in double quotes."""
    return f'"{text}"'
