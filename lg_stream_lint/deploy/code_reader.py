"""Gathers what the deployment rules need to know of the code, from the same facts that the Python rules use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.code import CodeFacts, FileFacts

if TYPE_CHECKING:
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.deploy.ways import App


def code_facts(deployment: Deployment, app: App | None, known: dict[str, FileFacts]) -> CodeFacts:
    """The facts of an application's files; those of the whole repository where its application is not known.

    Files that the run has not analysed (a hook is given only what changed) are analysed here.
    """
    files = files_of(deployment, app)
    found = [fact for path in files if (fact := _facts(path, deployment, known)) is not None]
    return CodeFacts(
        streams=tuple(stream for fact in found for stream in fact.streams),
        models=tuple(model for fact in found for model in fact.models),
        blocking=tuple(block for fact in found for block in fact.blocking),
        memory_savers=tuple(where for fact in found for where in fact.memory_savers),
        mangum=tuple(where for fact in found for where in fact.mangum),
        at_shutdown=tuple(where for fact in found for where in fact.at_shutdown),
        deadlines=tuple(limit for fact in found for limit in fact.deadlines),
        interface=_interface(app, deployment),
        complete=app is not None,
    )


def files_of(deployment: Deployment, app: App | None) -> list[str]:
    """The Python files of an application: its module and what that imports.

    One that is not known has every file, or none where commands of the repository start others: theirs are not its own.
    """
    if app is not None:
        closure = _closure(app, deployment)
        return [path for path in deployment.inventory.python if path in closure]
    return list(deployment.inventory.python) if all(way.app is None for way in deployment.ways) else []


def belongs(deployment: Deployment, app: App | None, path: str) -> bool:
    """Whether a Python file belongs to an application. To one that is not known belong all files, if it is the only one."""
    if app is None:
        return all(way.app is None for way in deployment.ways)
    return path in _closure(app, deployment)


def _closure(app: App, deployment: Deployment) -> frozenset[str]:
    from lg_stream_lint.python.project import project_of

    return project_of(app.path, deployment.tables).import_graph.closure(app.path)


def _facts(path: str, deployment: Deployment, known: dict[str, FileFacts]) -> FileFacts | None:
    if path in known:
        return known[path]
    from lg_stream_lint.analysis import analyse
    from lg_stream_lint.deploy.files import NotRead
    from lg_stream_lint.python.project import project_of

    try:
        source = deployment.context.open(path).source
    except NotRead:
        return None
    facts = analyse(path, source, project_of(path, deployment.tables), facts_only=True).facts
    known[path] = facts if facts is not None else FileFacts(path)
    return known[path]


def _interface(app: App | None, deployment: Deployment) -> str:
    if app is None:
        return ""
    from lg_stream_lint.python.project import project_of
    from lg_stream_lint.python.summary import interface

    module = project_of(app.path, deployment.tables).module(app.path)
    return interface(module, app.attribute) if module is not None else ""
