"""VCL's ``include``."""

from __future__ import annotations

import re

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.including import Include, Including
from lg_stream_lint.deploy.varnish.tree import Statement, parse


class _Varnish(Including[Statement]):
    names = re.compile(r".*\.vcl")
    has_include = re.compile(rb"(?:^|[\s;{}])include\s")

    def parse(self, file: DeployFile) -> list[Statement]:
        return parse(file)

    def include_of(self, statement: Statement) -> Include | None:
        if statement.name != "include" or statement.block is not None or len(statement.words) < 2:
            return None
        return Include(statement.words[-1].strip('"'), is_missed=True)

    def block_of(self, statement: Statement) -> list[Statement] | None:
        return statement.block

    def with_block(self, statement: Statement, block: list[Statement]) -> Statement:
        return Statement(statement.file, statement.words, statement.start, statement.end, block)

    def is_piece(self, file: DeployFile) -> bool:
        return self.names.fullmatch(file.name) is not None


#: The files of Varnish that include each other.
VARNISH = _Varnish()
