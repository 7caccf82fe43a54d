"""Varnish: VCL files."""

from __future__ import annotations

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Note, Reading
from lg_stream_lint.deploy.varnish.hops import read_hops
from lg_stream_lint.deploy.varnish.tree import parse


def read(file: DeployFile, context: Context) -> Reading:
    """The backends of a file; files that one includes are read by themselves."""
    if "backend" not in file.text:
        return Reading()
    template = template_sign(file.text)
    if template is not None:
        offset, kind = template
        return Reading((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
    return read_hops(parse(file), file, carried(file, context, "varnish"))
