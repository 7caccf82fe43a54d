"""Apache's ``Include``. What a machine brings along (``ports.conf``, modules) is not missed, nor is what is optional."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.apache.tree import Directive, parse
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.including import Include, Including, is_pattern

_SHIPPED = re.compile(
    r"(?:.*/)?(?:ports\.conf|(?:mods|conf|modules)-enabled/.*|conf\.modules\.d/.*|options-ssl-apache\.conf"
    r"|extra/(?:proxy-html|httpd-(?!vhosts)[\w-]+)\.conf)"
)
_PIECE = re.compile(r"(?im)^[ \t]*(?:<VirtualHost\b|<Location\b|Proxy(?:Pass|Timeout)\b)")
_WHOLE = re.compile(r"(?im)^[ \t]*(?:LoadModule|ServerRoot|PidFile)\b")


class _Apache(Including[Directive]):
    names = re.compile(r".*(?:apache|httpd|vhost|\.conf).*")
    has_include = re.compile(rb"(?m)^[ \t]*Include(?:Optional)?[ \t]")

    def parse(self, file: DeployFile) -> list[Directive]:
        return parse(file).block or []

    def include_of(self, statement: Directive) -> Include | None:
        if statement.name not in ("include", "includeoptional") or statement.block is not None or not statement.values:
            return None
        path = statement.first + ("*" if statement.first.endswith("/") else "")
        is_missed = statement.name == "include" and not is_pattern(path) and _SHIPPED.fullmatch(path) is None
        return Include(path, is_missed)

    def block_of(self, statement: Directive) -> list[Directive] | None:
        return statement.block

    def with_block(self, statement: Directive, block: list[Directive]) -> Directive:
        return Directive(statement.line, statement.name, statement.values, block)

    def is_piece(self, file: DeployFile) -> bool:
        return _PIECE.search(file.text) is not None and _WHOLE.search(file.text) is None


#: The files of Apache that include each other.
APACHE = _Apache()
