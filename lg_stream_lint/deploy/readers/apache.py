"""Apache: ``httpd.conf``, virtual hosts, ``.htaccess``. Files that one includes are read by themselves."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.apache.hops import read_hops
from lg_stream_lint.deploy.apache.tree import parse
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Note, Reading

#: Other programs' files bear the same endings, and documentation quotes Apache's: one without a line like this is none.
_PASS = re.compile(
    r"(?i)(?:^|[\r\n])[ \t]*(?:ProxyPass(?:Match)?[ \t]+\S|RewriteRule[ \t][^\r\n]*\[[^\[\]\r\n]*\bP\b|BalancerMember[ \t]+\S"
    r"|SetHandler[ \t]+[\"']?proxy:)"
)


def read(file: DeployFile, context: Context) -> Reading:
    """The places of a file that pass requests on."""
    if _PASS.search(file.text) is None:
        return Reading()
    template = template_sign(file.text)
    if template is not None:
        offset, kind = template
        return Reading((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
    return read_hops(parse(file), file, carried(file, context, "httpd"))
