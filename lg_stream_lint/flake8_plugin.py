"""The same rules behind flake8, under the entry point ``LGS``.

flake8 guards a plugin's constructor but not its ``run``: an exception there ends the user's whole run. So everything
happens in ``run`` under one guard. The file is never opened again: flake8 has its lines already, and it may be standard
input. Suppression and configuration are ours; flake8's own ``noqa``, ``select`` and the like come on top.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from lg_stream_lint import __version__

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence

    from lg_stream_lint.config import Config
    from lg_stream_lint.finding import Finding

_BOM = "\ufeff"
_NOT_HERE = frozenset({"LGS002"})  # flake8 has no unused comments, and other plugins' codes are not ours to judge


class Plugin:
    """What flake8 makes for every file."""

    name = "lg-stream-lint"
    version = __version__
    config: ClassVar[Config | None] = None  # of the process: flake8 sets it before it forks, once per run

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        del tree  # flake8 parses before it asks us; a file that it cannot parse is its own E999
        self.filename = filename
        self.lines = lines

    @staticmethod
    def add_options(manager: Any) -> None:  # flake8's OptionManager: flake8 has no type stubs
        """Our options; they stand in flake8's configuration files too."""
        manager.add_option(
            "--lgs-pedantic",
            action="store_true",
            default=False,
            parse_from_config=True,
            help="show lg-stream-lint's findings of severity info, advice, too",
        )
        manager.add_option(
            "--lgs-config",
            metavar="FILE",
            default="",
            parse_from_config=True,
            normalize_paths=True,
            help="lg-stream-lint's configuration file, instead of the nearest one above the working directory",
        )
        manager.add_option(
            "--lgs-isolated",
            action="store_true",
            default=False,
            parse_from_config=True,
            help="read no configuration of lg-stream-lint's own",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Read the configuration; flake8 reports its error and exits, as for its own."""
        import os

        from lg_stream_lint import config

        try:
            found = config.load(os.getcwd(), isolated=options.lgs_isolated, explicit=options.lgs_config or None)
        except config.ConfigError as error:
            from flake8.exceptions import ExecutionError  # type: ignore[import-untyped, unused-ignore]

            raise ExecutionError(f"lg-stream-lint: {error}") from None
        cls.config = found._replace(pedantic=True) if options.lgs_pedantic else found

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """The findings, with rows from 1 and columns from 0, as flake8 counts them. Never raises."""
        try:
            findings = self._findings()
        except Exception as error:  # noqa: BLE001 (see the module's docstring)
            print(f"lg-stream-lint: {self.filename}: {type(error).__name__}: {error}", file=sys.stderr)
            return
        for finding in findings:
            yield finding.span.row, finding.span.column - 1, _line(finding), type(self)

    def _findings(self) -> list[Finding]:
        """What the command would find in the file."""
        import os

        from lg_stream_lint import deployed, engine
        from lg_stream_lint.config import Config

        config = self.config if self.config is not None else Config()
        path = os.path.abspath(self.filename)
        if _excluded(path, config):
            return []
        source = encode(self.lines)
        result = engine.analyse_source(path, source, config)
        for error in result.errors:
            print(f"lg-stream-lint: internal error: {error}", file=sys.stderr)
        found = [finding for finding in engine.shown(result, source, config) if finding.code not in _NOT_HERE]
        return sorted((*found, *deployed.in_file(path, source, config)), key=lambda finding: finding.sort_key)


def _line(finding: Finding) -> str:
    """Code and message on one line, which is where flake8 looks for them."""
    return " ".join(f"{finding.code} {finding.message}".split())


def encode(lines: Sequence[str]) -> bytes:
    """The bytes of a file that flake8 has decoded: in the encoding that the file declares, or else in UTF-8."""
    from lg_stream_lint.source import declared_encoding

    source = "".join(lines).removeprefix(_BOM)
    plain = source.encode("utf-8", "surrogatepass")
    declared = declared_encoding(plain)
    if declared == "utf-8":
        return plain
    try:
        return source.encode(declared)
    except (UnicodeError, LookupError):
        return plain


def _excluded(path: str, config: Config) -> bool:
    """Whether the project's own ``exclude`` covers the file; what is left out by default is for flake8 to say here."""
    from lg_stream_lint.config import DEFAULT_EXCLUDE
    from lg_stream_lint.discovery import compile_scoped

    chosen = [pattern for pattern in config.excluded if pattern.text not in DEFAULT_EXCLUDE]
    return any(patterns.covers(path) for patterns in compile_scoped(chosen))
