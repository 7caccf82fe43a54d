"""Platforms' own files: Render, Railway, Fly, App Engine, Vercel, LangGraph, Heroku, Nixpacks, DigitalOcean, Databricks."""

from __future__ import annotations

import re
from collections.abc import Callable

from lg_stream_lint.deploy.clouds import hosted, platforms
from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Reading
from lg_stream_lint.deploy.toml_marks import toml_root
from lg_stream_lint.deploy.yaml_marks import Node, documents

_Reader = Callable[[DeployFile, Node, Found, Context], None]

_READERS: tuple[tuple[str, _Reader], ...] = (
    (r"render\.ya?ml", platforms.render),
    (r"railway\.(?:json|toml)", platforms.railway),
    (r"fly(?:\.\w+)?\.toml", platforms.fly),
    (r"heroku\.yml", platforms.heroku),
    (r"app\.json", platforms.heroku_app),
    (r"nixpacks\.toml", platforms.nixpacks),
    (r"app\.ya?ml", hosted.app),
    (r"(?:vercel|now)\.json", hosted.vercel),
    (r"langgraph\.json", hosted.langgraph),
)


def read(file: DeployFile, context: Context) -> Reading:
    """The hops of a platform's file."""
    found = Found()
    reader = next((reader for pattern, reader in _READERS if re.fullmatch(pattern, file.name)), None)
    if reader is None:
        return Reading()
    if file.name.endswith(".toml"):
        reader(file, toml_root(file), found, context)
    else:
        read_documents = documents(file, context)
        for root in read_documents.roots:
            reader(file, root, found, context)
        found.notes += read_documents.notes
    return found.reading()
