"""Apache: ``httpd.conf``, virtual hosts, ``.htaccess``. Files that one includes are read there, with what holds around them."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.apache.hops import read_hops
from lg_stream_lint.deploy.apache.includes import APACHE
from lg_stream_lint.deploy.apache.tree import whole
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Note, Reading

#: Other programs' files bear the same endings, and documentation quotes Apache's: one without a line like this is none.
_PASS = re.compile(
    r"(?i)(?:^|[\r\n])[ \t]*(?:ProxyPass(?:Match)?[ \t]+\S|RewriteRule[ \t][^\r\n]*\[[^\[\]\r\n]*\bP\b|BalancerMember[ \t]+\S"
    r"|SetHandler[ \t]+[\"']?proxy:)"
)
_INCLUDE = re.compile(r"(?:^|[\r\n])[ \t]*Include(?:Optional)?[ \t]+\S")


def read(file: DeployFile, context: Context) -> Reading:
    """The places of a file that pass requests on."""
    if _PASS.search(file.text) is None and _INCLUDE.search(file.text) is None:
        return Reading()
    template = template_sign(file.text)
    if template is not None:
        offset, kind = template
        return Reading((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
    if APACHE.is_taken_in(file, context):
        return Reading()
    loaded = APACHE.load(file, context)
    container = carried(file, context, "httpd", pieces=loaded.included)
    reading = read_hops(whole(file, loaded.statements), file, container, complete=not loaded.notes)
    return Reading(reading.hops, (*loaded.notes, *reading.notes)) if reading.hops else reading
