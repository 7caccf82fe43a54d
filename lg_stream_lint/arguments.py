"""The command's options, and what is wrong with a call."""

from __future__ import annotations

import argparse

from lg_stream_lint import __version__
from lg_stream_lint.report import FORMATS


class UsageError(Exception):
    """The command was called wrongly: one sentence that says how."""


def parser() -> argparse.ArgumentParser:
    """The options; their names are those of ruff and flake8 where these agree."""
    made = argparse.ArgumentParser(
        prog="lg-stream-lint",
        usage="%(prog)s [options] [PATH ...]",
        description="Finds why a LangGraph stream is cut off, held back or faked, before production does.",
        epilog="Exit code: 0 nothing found, 1 findings, 2 wrong usage, unusable configuration or internal error.",
        allow_abbrev=False,
    )
    made.add_argument("paths", nargs="*", metavar="PATH", help="files or folders; - is standard input (default: .)")
    made.add_argument("--version", action="version", version=f"lg-stream-lint {__version__}")
    made.add_argument("--stdin-filename", metavar="FILE", help="the name of what standard input holds")

    rules = made.add_argument_group("rules", "CODES are codes or prefixes, separated by commas; the longest decides")
    for name, text in (
        ("select", "only these (default: LGS, all)"),
        ("ignore", "not these"),
        ("extend-select", "these too"),
        ("extend-ignore", "nor these"),
    ):
        rules.add_argument(f"--{name}", action="extend", type=_split, metavar="CODES", help=text)
    rules.add_argument(
        "--per-file-ignores",
        action="extend",
        type=_split,
        metavar="PATTERN:CODES",
        help="not these in files that match, as in 'tests/:LGS1,LGS204'",
    )
    rules.add_argument("--pedantic", action="store_true", help="show findings of severity info, advice, too")

    files = made.add_argument_group("files", "PATTERNS are written as in .gitignore, separated by commas")
    files.add_argument("--exclude", action="extend", type=_split, metavar="PATTERNS", help="instead of the default")
    files.add_argument("--extend-exclude", action="extend", type=_split, metavar="PATTERNS", help="leave out these too")
    files.add_argument("--force-exclude", action="store_true", help="leave out even files that are named")
    files.add_argument("--no-gitignore", action="store_true", help="read what git ignores")

    settings = made.add_argument_group("configuration").add_mutually_exclusive_group()
    settings.add_argument("--config", metavar="FILE", help="read this file instead of the nearest one")
    settings.add_argument("--isolated", action="store_true", help="read no configuration file")

    output = made.add_argument_group("output")
    choices = (*FORMATS, "svg")
    output.add_argument("--output-format", choices=choices, default="text", help="default: text; svg with --timeline")
    output.add_argument("--statistics", action="store_true", help="how often each code was found, instead of where")
    output.add_argument("--exit-zero", action="store_true", help="exit with 0 instead of 1")
    output.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    words = output.add_mutually_exclusive_group()
    words.add_argument("-q", "--quiet", action="store_true", help="findings and errors only")
    words.add_argument("-v", "--verbose", action="store_true", help="all that was not read or followed")
    output.add_argument("-j", "--jobs", type=_count, metavar="N", help="processes (default: 0, as fits)")

    instead = made.add_argument_group("instead of a run").add_mutually_exclusive_group()
    instead.add_argument("--explain", metavar="CODE", help="print the documentation of a rule")
    instead.add_argument("--list-rules", action="store_true", help="print the rules")
    instead.add_argument("--show-settings", action="store_true", help="print the settings and where they come from")
    instead.add_argument(
        "--timeline", action="store_true", help="print every time limit on the stream's way, and who cuts"
    )

    instead.add_argument(
        "--why", metavar="WORDS", help="what people see, as in '504 after 60 s': its causes, checked here"
    )

    symptom = made.add_argument_group("symptoms", "with --why, or --cut-at alone")
    symptom.add_argument("--cut-at", type=_seconds, metavar="N", help="streams end after N seconds")
    ending = symptom.add_mutually_exclusive_group()
    ending.add_argument("--clean-end", dest="ending", action="store_const", const="clean", help="they end properly")
    ending.add_argument("--reset", dest="ending", action="store_const", const="reset", help="the connection breaks off")

    asked = made.add_argument_group("questions of --timeline", "may be repeated (default: 30, 60, 120 and 300)")
    asked.add_argument(
        "--silence", action="append", type=_seconds, metavar="N", help="N seconds before the first token"
    )
    asked.add_argument("--length", action="append", type=_seconds, metavar="N", help="N seconds of flowing tokens")
    return made


def _split(text: str) -> list[str]:
    """The items of a list in an argument."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _count(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("must be a whole number, 0 for as many as fit")
    return int(text)


def _seconds(text: str) -> float:
    """A length of time."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e9:
        raise argparse.ArgumentTypeError("must be a number of seconds, above 0")
    return value
