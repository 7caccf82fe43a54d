"""nginx: configurations, their pieces (``conf.d/*.conf``, snippets), and templates that ``envsubst`` fills in.

A file that another one includes is read there, with what holds around it; alone it gives nothing. Templates of other engines
are a note.
"""

from __future__ import annotations

import re

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.carriers import Carrier, carriers_of
from lg_stream_lint.deploy.nginx.hops import PASSES, read_hops
from lg_stream_lint.deploy.nginx.includes import NGINX
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.nginx.tree import Directive
from lg_stream_lint.deploy.nginx.version import version_for
from lg_stream_lint.deploy.proxies.including import BadSyntax
from lg_stream_lint.deploy.settings import Note, Reading

#: Other programs' files bear the same endings: one without a line like this is none of nginx's.
_PASS = re.compile(rf"(?m)(?:^|[\s;{{}}])(?:{'|'.join(PASSES)})[ \t]+[^\s=;]")
_INCLUDE = re.compile(r"(?:^|[\s;{}])include[ \t]")


def read(file: DeployFile, context: Context, container: Carrier | None = None) -> Reading:
    """The places of a file (and of what it includes) that pass requests on; ``container``: where it is known what it lies in."""
    if _PASS.search(file.text) is None and _INCLUDE.search(file.text) is None:
        return Reading()
    template = template_sign(file.text)
    if template is not None:
        offset, kind = template
        return Reading((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
    try:
        loaded = NGINX.load(file, context)
    except BadSyntax as error:
        if _PASS.search(file.text) is None:
            return Reading()
        return Reading((), (Note(file.at(error.offset, error.offset), f"not nginx's syntax: {error}"),))
    top = Directive(file, [], len(file.text), loaded.statements)
    if not any(top.named("http")) and NGINX.is_taken_in(file, context):
        return Reading()
    files = [file, *(context.open(path) for path in sorted(loaded.included))]
    carriers = [container] if container is not None else carriers_of(files, context)
    reading = read_hops(top, file, version_for(file, carriers, context), carriers)
    return Reading(reading.hops, tuple(dict.fromkeys((*loaded.notes, *reading.notes))))
