"""HAProxy: ``haproxy.cfg`` and pieces of it."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.haproxy.hops import read_hops
from lg_stream_lint.deploy.haproxy.sections import sections_of
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Note, Reading

#: Other programs' files bear the same ending: one without both of these lines is none of HAProxy's.
_SECTION = re.compile(r"(?:^|[\r\n])[ \t]*(?:backend|listen)[ \t]+[^\s=:]+[ \t]*(?:[\r\n]|$|#|from[ \t]|\S+:\d)")
_SERVER = re.compile(r"(?:^|[\r\n])[ \t]*server(?:-template)?[ \t]+[^\s=]+[ \t]+[^\s=]")


def read(file: DeployFile, context: Context) -> Reading:
    """The ways through a configuration."""
    if _SECTION.search(file.text) is None or _SERVER.search(file.text) is None:
        return Reading()
    template = template_sign(file.text)
    if template is not None:
        offset, kind = template
        return Reading((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
    return read_hops(sections_of(file), file, carried(file, context, "haproxy"))
