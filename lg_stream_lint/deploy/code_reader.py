"""Gathers what the deployment rules need to know of the code, from the same facts that the Python rules use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.deploy.code import CodeFacts, FileFacts

if TYPE_CHECKING:
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.deploy.ways import App


def code_facts(deployment: Deployment, app: App | None, known: dict[str, FileFacts]) -> CodeFacts:
    """The facts of an application's files; those of the repository's only application where ``app`` is None."""
    del deployment, app, known
    return CodeFacts()


def belongs(deployment: Deployment, app: App | None, path: str) -> bool:
    """Whether a Python file belongs to an application."""
    del deployment
    return app is not None and app.path == path
