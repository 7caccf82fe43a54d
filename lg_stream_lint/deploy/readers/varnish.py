"""Varnish: VCL files."""

from __future__ import annotations

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Note, Reading
from lg_stream_lint.deploy.varnish.hops import read_hops
from lg_stream_lint.deploy.varnish.includes import VARNISH


def read(file: DeployFile, context: Context) -> Reading:
    """The backends of a file and of those that it includes; a file that another one includes is read there."""
    if "backend" not in file.text and "include" not in file.text:
        return Reading()
    template = template_sign(file.text)
    if template is not None:
        offset, kind = template
        return Reading((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
    if VARNISH.is_taken_in(file, context):
        return Reading()
    loaded = VARNISH.load(file, context)
    container = carried(file, context, "varnish", pieces=loaded.included)
    reading = read_hops(loaded.statements, file, container, complete=not loaded.notes)
    return Reading(reading.hops, (*loaded.notes, *reading.notes))
