"""The hops of a VCL file: one for each backend, with what the routines decide for its responses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.addresses import Url, is_open
from lg_stream_lint.deploy.proxies.carried import Carried
from lg_stream_lint.deploy.settings import Hop, Kind, Note, Origin, Reading, Role, Route, Setting, Target
from lg_stream_lint.deploy.units import with_default
from lg_stream_lint.deploy.varnish.tree import Statement

#: Backends of one file.
MOST = 200
_TIME = re.compile(r"(\d{1,12}(?:\.\d{0,6})?)(ms|s|m|h|d|w|y)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_URL_TEST = re.compile(r'(?:req|bereq)\.url\s*(?P<how>~|==)\s*"(?P<value>[^"]*)"')
_TYPE_TEST = re.compile(r'beresp\.http\.content-type\s*(?P<how>~|==)\s*"(?P<value>[^"]*)"', re.IGNORECASE)
_PREFIX = re.compile(r"\^(?P<path>/[\w/-]*)(?:\(?\.\*\)?\$?)?")
_EVENT_STREAM = "text/event-stream"
_LIMITS = (
    ("read_timeout", "between_bytes_timeout", Kind.IDLE),
    ("first_byte_timeout", "first_byte_timeout", Kind.FIRST_BYTE),
)


class Rule(NamedTuple):
    """``set NAME = VALUE`` with the conditions around it, as texts."""

    statement: Statement
    name: str
    value: str
    conditions: tuple[str, ...]


def vcl_time(text: str) -> float | None:
    """``60s``, ``1.5m``, ``500ms``: a unit is required."""
    match = _TIME.fullmatch(text)
    return float(match[1]) * _UNITS[match[2]] if match is not None else None


def read_hops(top: list[Statement], file: DeployFile, carried: Carried, *, complete: bool = True) -> Reading:
    """Every backend of the file, in order; with a part that is not ``complete`` no default is sure."""
    return _Hops(top, file, carried, complete=complete).run()


class _Hops:
    def __init__(self, top: list[Statement], file: DeployFile, carried: Carried, *, complete: bool) -> None:
        self.top, self.file, self.carried, self.complete = top, file, carried, complete
        self.notes: list[Note] = []
        self.rules = [rule for sub in top if sub.name == "sub" for rule in _rules(sub, ())]
        self.members = _members(top)

    def run(self) -> Reading:
        backends = [s for s in self.top if s.name == "backend" and s.block is not None and len(s.words) > 1]
        hops = [self._hop(backend) for backend in backends[:MOST] if _value(backend, ".host") is not None]
        return Reading(tuple(hops), tuple(dict.fromkeys(self.notes)))

    def _hop(self, backend: Statement) -> Hop:
        routes = tuple(self._routes(backend.words[1]))
        return Hop(
            "varnish",
            Role.PROXY,
            f"backend {backend.words[1]}",
            backend.where,
            tuple(self._settings(backend, routes)),
            tuple(self._address(backend)),
            self.carried.known_as,
            routes,
            self.carried.version.tag,
            self.carried.version.where,
            self.file.path,
        )

    def _address(self, backend: Statement) -> Iterator[Target]:
        host, port = _value(backend, ".host") or "", _value(backend, ".port") or "80"
        text = with_default(f"{host}:{port}")[0]
        if is_open(text):
            self.notes.append(Note(backend.where, f"the address in backend {backend.words[1]} is not known here"))
        else:
            yield Target("address", Url(text).address)

    def _routes(self, name: str) -> Iterator[Route]:
        """The paths for which a routine chooses the backend; none where one chooses it for every path."""
        found: list[Route] = []
        for rule in self.rules:
            if rule.name in ("req.backend_hint", "bereq.backend", "req.backend") and name in self._named(rule.value):
                tests = [m for text in rule.conditions for m in _URL_TEST.finditer(text)]
                if not tests:
                    return
                found += [_route(test["how"], test["value"]) for test in tests]
        yield from dict.fromkeys(found)

    def _named(self, value: str) -> set[str]:
        word = value.partition(".")[0].strip()
        return {word, *self.members.get(word, ())}

    def _settings(self, backend: Statement, routes: tuple[Route, ...]) -> Iterator[Setting]:
        yield Setting("protocol", "backend", "http", Origin.EXPLICIT, backend.where)
        for name, key, kind in _LIMITS:
            yield from self._limit(backend, routes, name, key, kind)
        yield from self._switch("buffering", "beresp.do_stream", "false", routes)
        yield from self._switch("compression", "beresp.do_gzip", "true", routes)

    def _limit(
        self, backend: Statement, routes: tuple[Route, ...], name: str, key: str, kind: str
    ) -> Iterator[Setting]:
        """A routine's value, else the backend's own, else the default."""
        rules = [rule for rule in self.rules if rule.name == f"bereq.{key}" and _concerns(rule, routes)]
        own = next((s for s in backend.block or () if s.name == f".{key}"), None)
        if rules:
            statement, text = rules[-1].statement, rules[-1].value
        elif own is not None:
            statement, text = own, "".join(own.words[2:])
        else:
            yield from self._default(backend, name)
            return
        seconds = vcl_time(with_default(text)[0])
        if seconds == 0:  # nothing is set: the program's parameter holds
            yield from self._default(backend, name)
            return
        if seconds is None:
            self.notes.append(Note(statement.where, f"{key} {text[:60]}"))
            return
        overridable = with_default(text)[1]
        yield Setting(name, key, seconds, Origin.EXPLICIT, statement.where, kind, text, overridable)

    def _default(self, backend: Statement, name: str) -> Iterator[Setting]:
        usual = default("varnish", name, backend.where) if self.complete else None
        yield from (usual,) if usual is not None else ()

    def _switch(self, name: str, key: str, value: str, routes: tuple[Route, ...]) -> Iterator[Setting]:
        found = [rule for rule in self.rules if rule.name == key and _concerns(rule, routes)]
        if found and found[-1].value == value:
            on: Any = True
            yield Setting(name, key, on, Origin.EXPLICIT, found[-1].statement.where, written=value)


def _rules(block: Statement, conditions: tuple[str, ...]) -> Iterator[Rule]:
    for statement in block.block or ():
        words = statement.words
        if statement.block is not None:
            yield from _rules(statement, (*conditions, " ".join(words)))
        elif len(words) > 3 and words[0] == "set" and words[2] == "=":
            yield Rule(statement, words[1].lower(), " ".join(words[3:]), conditions)


def _members(top: list[Statement]) -> dict[str, set[str]]:
    """The backends that directors choose from: ``director.add_backend(name)``."""
    found: dict[str, set[str]] = {}
    for sub in top:
        for statement in sub.block or () if sub.name == "sub" else ():
            director, dot, method = statement.name.partition(".")
            if dot and method == "add_backend" and len(statement.words) > 2:
                found.setdefault(director, set()).add(statement.words[2].rstrip(","))
    return found


def _value(backend: Statement, name: str) -> str | None:
    found = next((s for s in backend.block or () if s.name == name and len(s.words) > 2), None)
    return found.words[2].strip('"') if found is not None else None


def _route(how: str, value: str) -> Route:
    match = _PREFIX.fullmatch(value)
    if how == "==":
        return Route("exact", value)
    return Route("prefix", match["path"]) if match is not None else Route("regex", value)


def _concerns(rule: Rule, routes: tuple[Route, ...]) -> bool:
    """Whether a rule's conditions let event streams of these paths through; what cannot be told does not."""
    return all(_lets_through(text, routes) for text in rule.conditions)


def _lets_through(condition: str, routes: tuple[Route, ...]) -> bool:
    tests = [*_TYPE_TEST.finditer(condition), *_URL_TEST.finditer(condition)]
    if len(tests) != 1 or not re.fullmatch(r"if \( [^()&|!]* \)", condition.replace(tests[0]["value"], "")):
        return False
    how, value = tests[0]["how"], tests[0]["value"]
    if "content-type" in condition.lower():
        return value == _EVENT_STREAM if how == "==" else _finds(value, _EVENT_STREAM)
    return bool(routes) and _route(how, value) in routes


def _finds(pattern: str, text: str) -> bool:
    """Whether a pattern of literal alternatives finds a text; other patterns are not tried."""
    plain = pattern.removeprefix("(?i)").replace("\\", "")
    if re.search(r"[\[\]{}*+?]", plain):
        return False
    return any(part.strip("^$()") in text for part in plain.split("|"))
