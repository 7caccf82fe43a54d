"""nginx's ``include``. What nginx brings along itself (``mime.types``) is not missed."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.nginx.tree import Directive, parse
from lg_stream_lint.deploy.proxies.including import BadSyntax, Include, Including, is_pattern

_IN_HTTP = frozenset({"server", "upstream", "map", "log_format", "limit_req_zone", "proxy_cache_path"})
_SHIPPED = re.compile(
    r"(?:.*/)?(?:mime\.types|(?:fastcgi|uwsgi|scgi|proxy)_params|fastcgi\.conf|koi-\w+|win-utf|options-ssl-nginx\.conf"
    r"|modules-enabled/.*|snippets/(?:fastcgi-php|snakeoil)\.conf|cloudflare.*|.*ssl.*)"
)


class _Nginx(Including[Directive]):
    names = re.compile(r".*(?:nginx|\.conf|\.vhost)(?:\.\w+)*")
    has_include = re.compile(rb"(?:^|[\s;{}])include[ \t]")

    def parse(self, file: DeployFile) -> list[Directive]:
        return parse(file).block or []

    def include_of(self, statement: Directive) -> Include | None:
        if statement.name != "include" or statement.block is not None or len(statement.values) != 1:
            return None
        path = statement.first
        return Include(path, not is_pattern(path) and _SHIPPED.fullmatch(path) is None)

    def block_of(self, statement: Directive) -> list[Directive] | None:
        return statement.block

    def with_block(self, statement: Directive, block: list[Directive]) -> Directive:
        copy = Directive(statement.file, [], statement.end, block)
        copy.name, copy.values, copy.start = statement.name, statement.values, statement.start
        return copy

    def is_piece(self, file: DeployFile) -> bool:
        try:
            names = {directive.name for directive in self.parse(file)}
        except BadSyntax:
            return False
        return bool(names & _IN_HTTP) and "http" not in names


#: The files of nginx that include each other.
NGINX = _Nginx()
