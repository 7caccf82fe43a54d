"""The command: arguments in, exit code out.

0 nothing found, 1 findings, 2 wrong usage, unusable configuration, missing path or internal error, 130 interrupted.
Nothing heavy is imported before it must: every commit and every keystroke of somebody's editor starts this.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lg_stream_lint.arguments import UsageError, parser
from lg_stream_lint.report import ON_STDOUT_ALONE, Report, coverage, render

if TYPE_CHECKING:
    from lg_stream_lint.config import Config
    from lg_stream_lint.engine import RunResult


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parser().parse_intermixed_args(argv)
    try:
        code, output = _command(options)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 (the last resort: a sentence and a code instead of a traceback)
        return _failed(error, verbose=options.verbose)
    _write(output)
    return code


def _command(options: argparse.Namespace) -> tuple[int, str]:
    """The exit code, and what standard output gets."""
    if options.cut_at is not None and (options.timeline or options.list_rules or options.explain is not None):
        raise UsageError("--cut-at asks for causes, as --why does; leave out the other question")
    if options.explain is not None or options.list_rules:
        from lg_stream_lint import describe

        return 0, describe.explain(options.explain) if options.explain is not None else describe.list_rules()
    if options.timeline:
        return _timeline(options)
    if options.why is not None or options.cut_at is not None:
        return _why(options)
    if options.ending is not None:
        raise UsageError("--clean-end and --reset say how streams end: add --why WORDS or --cut-at SECONDS")
    for name, given in (("--silence", options.silence), ("--length", options.length)):
        if given is not None:
            raise UsageError(f"{name} is a question of --timeline")
    if options.output_format == "svg":
        raise UsageError(
            "--output-format svg is a picture of --timeline; a run has text, concise, json, sarif and github"
        )
    stdin = _stdin_name(options)
    if options.statistics and options.output_format in {"sarif", "github"}:
        raise UsageError(f"--statistics has no {options.output_format} format; use text, concise or json")
    config = _config(options, stdin)
    if options.show_settings:
        from lg_stream_lint import describe

        return 0, describe.show_settings(config)
    return _run(options, config, stdin)


def _timeline(options: argparse.Namespace) -> tuple[int, str]:
    """The time limits on the ways of one repository."""
    from lg_stream_lint import discovery
    from lg_stream_lint.report import timeline as report

    paths = options.paths or ["."]
    if len(paths) > 1 or options.stdin_filename is not None or paths == ["-"]:
        raise UsageError("--timeline takes one PATH, a file or a folder of the repository")
    if options.output_format not in report.FORMATS:
        raise UsageError(f"--timeline has no {options.output_format} format; use {', '.join(report.FORMATS)}")
    if options.statistics:
        raise UsageError("--statistics counts findings, and --timeline has none")
    if discovery.missing(paths):
        raise UsageError(f"{paths[0]}: no such file or folder")
    from lg_stream_lint.deploy.deployment import deployment_of
    from lg_stream_lint.timeline import QUESTIONS, timelines

    path = os.path.abspath(paths[0])
    deployment = deployment_of(path, _config(options, None))
    found = timelines(deployment, options.silence or QUESTIONS, options.length or QUESTIONS, path)
    view = report.View(tuple(found), os.getcwd(), _color(options.color), report.terminal(), options.verbose)
    for error in deployment.errors:
        _complain(f"internal error: {error}. The rest is complete; please report this one.")
    return (2 if deployment.errors else 0), report.render(options.output_format, view)


def _why(options: argparse.Namespace) -> tuple[int, str]:
    """The causes of what people see."""
    from lg_stream_lint import discovery
    from lg_stream_lint.report import why as report

    paths = options.paths or ["."]
    if len(paths) > 1 or options.stdin_filename is not None or paths == ["-"]:
        raise UsageError("--why takes one PATH, a file or a folder of the repository")
    if options.output_format not in report.FORMATS:
        raise UsageError(f"--why has no {options.output_format} format; use {' or '.join(report.FORMATS)}")
    if options.explain is not None or options.list_rules or options.show_settings or options.statistics:
        raise UsageError("--why and --cut-at answer a question of their own; leave out the other options")
    if options.why is not None and not options.why.strip():
        raise UsageError("--why takes the words for what people see, as in --why '504 after 60 s'")
    if discovery.missing(paths):
        raise UsageError(f"{paths[0]}: no such file or folder")
    from lg_stream_lint.why import answer, ask

    asked = ask(options.why or "", options.cut_at, options.ending or "")
    found = answer(asked, os.path.abspath(paths[0]), _config(options, None))
    return 0, report.render(options.output_format, found, os.getcwd())


def _stdin_name(options: argparse.Namespace) -> str | None:
    """The name under which standard input is analysed, or nothing when paths are."""
    if options.paths == ["-"] or (options.stdin_filename is not None and not options.paths):
        return str(options.stdin_filename or "-")
    if options.stdin_filename is not None:
        raise UsageError("--stdin-filename goes with - (standard input) as the only path")
    if "-" in options.paths:
        raise UsageError("- (standard input) must be the only path")
    return None


def _config(options: argparse.Namespace, stdin: str | None) -> Config:
    """The configuration file's settings with the command line's over them."""
    from lg_stream_lint import config, config_file

    directory = os.getcwd()
    start = directory if stdin is None else os.path.dirname(os.path.abspath(stdin))
    settings = config.load(start, isolated=options.isolated, explicit=options.config)
    if settings.source is None:
        settings = config.load(directory, isolated=True)  # the defaults are relative to here, not to the file's folder
    given: dict[str, Any] = {}
    for key in ("select", "ignore", "extend-select", "extend-ignore", "exclude", "extend-exclude", "jobs"):
        value = getattr(options, key.replace("-", "_"))
        if value is not None:
            given[key] = value
    for key in ("pedantic", "force-exclude"):
        if getattr(options, key.replace("-", "_")):
            given[key] = True
    if options.no_gitignore:
        given["respect-gitignore"] = False
    if options.per_file_ignores is not None:
        given["per-file-ignores"] = _per_file(options.per_file_ignores)
    return config_file.override(settings, given, directory=directory) if given else settings


def _per_file(items: list[str]) -> dict[str, list[str]]:
    """``tests/:LGS1,LGS204,docs/:LGS`` taken apart: an item without a colon belongs to the pattern before it."""
    found: dict[str, list[str]] = {}
    codes: list[str] | None = None
    for item in items:
        pattern, colon, code = item.rpartition(":")
        if colon:
            codes = found.setdefault(pattern.strip(), [])
        if codes is None or (colon and not pattern.strip()) or not code.strip():
            raise UsageError(f"--per-file-ignores: {item!r} is not PATTERN:CODES, as in 'tests/:LGS1,LGS204'")
        codes.append(code.strip())
    return found


def _run(options: argparse.Namespace, config: Config, stdin: str | None) -> tuple[int, str]:
    """Analyse and report."""
    from lg_stream_lint import discovery, engine

    paths = options.paths or ["."]
    sources: tuple[tuple[str, bytes], ...] = ()
    if stdin is not None:
        source = sys.stdin.buffer.read()
        path = os.path.abspath(stdin)
        if options.stdin_filename is not None and config.force_exclude and discovery.is_excluded(path, config):
            result = engine.RunResult((), (), engine.Coverage(), (f"{stdin} is excluded",))
        else:
            sources = ((path, source),)
            result = engine.run([], config, stdin=(path, source))
    else:
        missing = discovery.missing(paths)
        if missing:
            raise UsageError("; ".join(f"{path}: no such file or folder" for path in missing))
        result = engine.run(paths, config)
    report = Report(result, os.getcwd(), _color(options.color), options.quiet, options.verbose, sources)
    if options.statistics:
        from lg_stream_lint.report import statistics

        output = statistics.render(report, as_json=options.output_format == "json")
    else:
        output = render(options.output_format, report)
    _say_beside(options, config, report)
    if result.errors:
        return 2, output
    return int(bool(result.findings) and not options.exit_zero), output


def _say_beside(options: argparse.Namespace, config: Config, report: Report) -> None:
    """What standard error gets: errors always, warnings and coverage unless quiet."""
    result: RunResult = report.result
    for error in result.errors:
        _complain(f"internal error: {error}. The other findings are complete; please report this one.")
    if options.quiet:
        return
    if options.verbose:
        print(f"configuration: {config.source or 'none, defaults'}", file=sys.stderr)
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    covered = result.coverage
    if not (covered.files_read or covered.deployment_files or covered.unreadable or covered.too_large):
        print("warning: nothing to analyse", file=sys.stderr)
    if options.output_format in ON_STDOUT_ALONE:
        print(coverage(report), file=sys.stderr)


def _failed(error: Exception, *, verbose: bool) -> int:
    """Say what went wrong: a sentence for what the user can mend, and a request to report it for everything else."""
    from lg_stream_lint.config import ConfigError
    from lg_stream_lint.discovery import MissingPathError

    if isinstance(error, MissingPathError):
        _complain(f"{error}: no such file or folder")
    elif isinstance(error, UsageError | ConfigError):
        _complain(str(error))
    else:
        if verbose:
            import traceback

            traceback.print_exception(error)
        hint = "" if verbose else " (--verbose shows where)"
        _complain(f"internal error: {type(error).__name__}: {error}{hint}. Please report it.")
    return 2


def _complain(text: str) -> None:
    """One line on standard error."""
    print(f"lg-stream-lint: error: {text}", file=sys.stderr)


def _color(wish: str) -> bool:
    """Whether to colour: as asked, else by NO_COLOR and FORCE_COLOR, else on a terminal."""
    if wish != "auto":
        return wish == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _write(output: str) -> None:
    """Print; a reader that has gone away (``| head``) is no error, and neither is a terminal that is not UTF-8."""
    try:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(output)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its exit
