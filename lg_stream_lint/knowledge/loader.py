"""The tables at run time: built on first use from the generated module, never from YAML.

``knowledge()`` gives the built-in :class:`Knowledge`; ``knowledge().extend({...})`` a new one with the user's own rows.
Each mapping is built when it is first asked for, once per :class:`Knowledge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from lg_stream_lint.knowledge.rows import (
    UNLIMITED,
    App,
    Blocking,
    BlockingClass,
    Factory,
    LayerDefault,
    Mark,
    Marker,
    Method,
    Model,
    Provider,
    Resource,
    Response,
    Saver,
    ServerOptions,
    Slot,
    StreamArgument,
    StreamMistake,
    StreamMode,
    Symptom,
)

Row = TypeVar("Row", Model, Factory, Saver, Resource, Response, App, Marker, BlockingClass)
Raw = tuple[Any, ...]


class Knowledge:
    """All tables. Mappings are keyed by every import path of a row, unless their documentation says otherwise.

    ``own`` are the paths of the user's rows: the ones that may lead to classes and functions of the project itself.
    """

    def __init__(self, tables: Mapping[str, tuple[Raw, ...]], own: frozenset[str] = frozenset()) -> None:
        self.own = own
        self._tables = tables
        self._built: dict[str, Any] = {}

    def _once(self, name: str, build: Callable[[tuple[Raw, ...]], Any]) -> Any:
        built = self._built.get(name)
        if built is None:
            built = self._built[name] = build(self._tables.get(name.partition(":")[0], ()))
        return built

    @property
    def models(self) -> Mapping[str, Model]:
        """Chat models, completion models, SDK clients and functions that ask a model."""
        result: Mapping[str, Model] = self._once("models", lambda raw: _by_path(map(_model, raw), _with_constructors))
        return result

    @property
    def providers(self) -> Mapping[str, Provider]:
        """What ``init_chat_model`` builds, by provider name (``openai``, ``azure_openai`` …)."""
        result: Mapping[str, Provider] = self._once(
            "providers", lambda raw: {row.name: row for row in map(Provider._make, raw)}
        )
        return result

    def provider_of(self, model_name: str) -> Provider | None:
        """The provider that ``init_chat_model`` takes for a literal model name, or ``None`` when it cannot be told."""
        name, colon, _ = model_name.partition(":")
        known = self.providers.get(name.replace("-", "_")) if colon else None
        if known is not None:
            return known
        lowered = model_name.lower()
        for row in self.providers.values():
            if row.prefixes and lowered.startswith(row.prefixes):
                return row
        return None

    @property
    def graph_factories(self) -> Mapping[str, Factory]:
        """What a call gives: graphs, builders, chains, prompts … Keys include class methods (``X.from_messages``)."""
        result: Mapping[str, Factory] = self._once(
            "graphs",
            lambda raw: _by_path((row for row in map(_factory, raw) if row.form != "type"), _with_constructors),
        )
        return result

    @property
    def types(self) -> Mapping[str, Factory]:
        """What an annotation says: the rows of ``form`` ``class`` and ``type``."""
        result: Mapping[str, Factory] = self._once(
            "graphs:types", lambda raw: _by_path(row for row in map(_factory, raw) if row.form in ("class", "type"))
        )
        return result

    @property
    def methods(self) -> Mapping[str, Mapping[str, Method]]:
        """Role → method name → :class:`Method`."""
        result: Mapping[str, Mapping[str, Method]] = self._once("methods", _methods)
        return result

    def method(self, role: str, name: str) -> Method | None:
        """The method of that name on a value of that role."""
        return self.methods.get(role, {}).get(name)

    @property
    def stream_modes(self) -> Mapping[str, StreamMode]:
        """What ``stream_mode`` may be, by name."""
        result: Mapping[str, StreamMode] = self._once(
            "stream_modes", lambda raw: {row.name: row for row in map(StreamMode._make, raw)}
        )
        return result

    @property
    def stream_arguments(self) -> Mapping[str, StreamArgument]:
        """The keywords that a graph's streaming and invoking methods know in any version, by name."""
        result: Mapping[str, StreamArgument] = self._once(
            "stream_arguments", lambda raw: {row.name: row for row in map(StreamArgument._make, raw)}
        )
        return result

    @property
    def stream_mistakes(self) -> Mapping[tuple[str, str], StreamMistake]:
        """Known mistakes, by kind (``mode``, ``argument``) and what is written."""
        result: Mapping[tuple[str, str], StreamMistake] = self._once(
            "stream_mistakes", lambda raw: {(row.kind, row.written): row for row in map(StreamMistake._make, raw)}
        )
        return result

    @property
    def savers(self) -> Mapping[str, Saver]:
        """Checkpointers."""
        result: Mapping[str, Saver] = self._once("savers", lambda raw: _by_path(map(Saver._make, raw)))
        return result

    @property
    def resources(self) -> Mapping[str, Resource]:
        """What is dead once its block has ended."""
        result: Mapping[str, Resource] = self._once("resources", lambda raw: _by_path(map(Resource._make, raw)))
        return result

    @property
    def responses(self) -> Mapping[str, Response]:
        """Response classes."""
        result: Mapping[str, Response] = self._once("responses", lambda raw: _by_path(map(Response._make, raw)))
        return result

    @property
    def apps(self) -> Mapping[str, App]:
        """Application, router and graph builder classes whose methods register functions."""
        result: Mapping[str, App] = self._once("apps", lambda raw: _by_path(map(_app, raw)))
        return result

    @property
    def symptoms(self) -> tuple[Symptom, ...]:
        """What people see, and the causes worth looking at."""
        result: tuple[Symptom, ...] = self._once("symptoms", lambda raw: tuple(map(Symptom._make, raw)))
        return result

    @property
    def layers(self) -> tuple[LayerDefault, ...]:
        """What servers, proxies and platforms do where nothing is written."""
        result: tuple[LayerDefault, ...] = self._once("layers", lambda raw: tuple(map(LayerDefault._make, raw)))
        return result

    @property
    def servers(self) -> Mapping[str, ServerOptions]:
        """The servers' options, by the server's name."""
        result: Mapping[str, ServerOptions] = self._once(
            "servers", lambda raw: {row.name: row for row in map(_server, raw)}
        )
        return result

    @property
    def markers(self) -> Mapping[str, Marker]:
        """Decorators, functions and base classes that make a function a route, dependency, tool, thread's work …"""
        result: Mapping[str, Marker] = self._once("markers", lambda raw: _by_path(map(_marker, raw)))
        return result

    @property
    def blocking_functions(self) -> Mapping[str, Blocking]:
        """Functions (and class methods, under every path of their class) that block."""
        result: Mapping[str, Blocking] = self._once("blocking:functions", self._blocking_functions)
        return result

    @property
    def blocking_classes(self) -> Mapping[str, BlockingClass]:
        """Classes whose instances block, by path and alias (what an annotation says)."""
        result: Mapping[str, BlockingClass] = self._once(
            "blocking_classes", lambda raw: _by_path(map(_blocking_class, raw))
        )
        return result

    @property
    def blocking_instances(self) -> Mapping[str, BlockingClass]:
        """The same, by everything whose *call* gives an instance: class paths, aliases and constructors."""
        result: Mapping[str, BlockingClass] = self._once(
            "blocking_classes:instances", lambda raw: _by_path(map(_blocking_class, raw), _instances)
        )
        return result

    def leads_to(self, row: BlockingClass, name: str) -> BlockingClass | None:
        """The blocking class to which a method or attribute of an instance leads (``__call__``: calling it)."""
        path = row.derived.get(name) or row.derived.get("*", "")
        return self.blocking_classes.get(path)

    def _blocking_functions(self, _: tuple[Raw, ...]) -> dict[str, Blocking]:
        found: dict[str, Blocking] = {}
        for path, aliases, *rest in self._tables.get("blocking_functions", ()):
            row = Blocking(path, *rest)
            found.update(dict.fromkeys((path, *aliases), row))
        for owner, row_ in self.blocking_classes.items():
            for name in row_.class_methods:
                call = Blocking(f"{row_.path}.{name}", row_.category, row_.instead, None, *row_[-3:])
                found[f"{owner}.{name}"] = call
        return found

    def extend(self, extension: Mapping[str, Any]) -> Knowledge:
        """New tables with the user's own rows; this object stays as it is. See :mod:`.extension` for the form."""
        from lg_stream_lint.knowledge.extension import extended

        tables, own = extended(self._tables, extension)
        return Knowledge(tables, self.own | own)


def _model(raw: Raw) -> Model:
    row = Model._make(raw)
    default = row.default_timeout
    return row._replace(
        default_timeout=UNLIMITED if default == "none" else default,  # type: ignore[comparison-overlap]
        slots={slot[0]: Slot._make(slot) for slot in raw[8]},
        ineffective=dict(raw[9]),
    )


def _factory(raw: Raw) -> Factory:
    return Factory._make(raw)._replace(overrides=dict(raw[6]))


def _app(raw: Raw) -> App:
    return App._make(raw)._replace(
        decorators=dict(raw[4]),
        calls={name: Mark._make(mark) for name, mark in raw[5]},
        constructor_calls=dict(raw[6]),
    )


def _server(raw: Raw) -> ServerOptions:
    name, options, switches, words, *rest = raw
    return ServerOptions(name, dict(options), frozenset(switches), dict(words), *rest)


def _marker(raw: Raw) -> Marker:
    return Marker._make(raw)._replace(mark=Mark._make(raw[4]), methods=dict(raw[5]))


def _blocking_class(raw: Raw) -> BlockingClass:
    return BlockingClass._make(raw)._replace(derived=dict(raw[8]))


def _methods(raw: tuple[Raw, ...]) -> dict[str, dict[str, Method]]:
    found: dict[str, dict[str, Method]] = {}
    for row in map(Method._make, raw):
        for role in row.roles:
            found.setdefault(role, {})[row.name] = row
    return found


def _instances(row: BlockingClass) -> Iterable[str]:
    own = [f"{path}.{name}" for path in (row.path, *row.aliases) for name in row.class_methods]
    return (*row.constructors, *own)


def _with_constructors(row: Model | Factory) -> Iterable[str]:
    return [f"{path}.{name}" for path in (row.path, *row.aliases) for name in row.constructors]


def _by_path(rows: Iterable[Row], more: Callable[[Row], Iterable[str]] | None = None) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        found[row.path] = row
        for alias in row.aliases:
            found[alias] = row
        if more is not None:
            for path in more(row):
                found.setdefault(path, row)
    return found


_builtin: Knowledge | None = None


def knowledge() -> Knowledge:
    """The built-in tables, made once per process."""
    global _builtin
    if _builtin is None:
        from lg_stream_lint.knowledge._tables import TABLES

        _builtin = Knowledge(TABLES)
    return _builtin
