"""Caddy: Caddyfiles with their snippets and imports."""

from __future__ import annotations

from lg_stream_lint.deploy.caddy.hops import read_hops
from lg_stream_lint.deploy.caddy.imports import Loader, is_imported
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Note, Reading


def read(file: DeployFile, context: Context) -> Reading:
    """The places of a file (and of what it imports) that pass requests on."""
    template = template_sign(file.text)
    if template is not None:
        offset, kind = template
        return Reading((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
    if "reverse_proxy" not in file.text and "import" not in file.text:
        return Reading()
    if is_imported(file, context):
        return Reading()
    loader = Loader(file, context)
    top = loader.load()
    return read_hops(top, file, carried(file, context, "caddy"), loader.notes)
