"""The front ends, each as one function that says what it found in a folder.

The code, the row and the column must be the same from all of them; only the words around them differ. ``advice`` is the code
of a rule whose advice is asked for beside what is shown anyway.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lg_stream_lint.deploy.kinds import is_candidate
from tests.projects import Place


class Found(NamedTuple):
    """A finding as every front end can tell it; the file is relative to the folder that was read."""

    file: str
    row: int
    column: int
    code: str

    @property
    def place(self) -> Place:
        """What a mark can say of it."""
        return Place(self.file, self.row, self.code)


class Answer(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> list[dict[str, Any]]:
        """The report of a run with ``--output-format json``."""
        found: list[dict[str, Any]] = json.loads(self.out)
        return found


SCRIPT = str(Path(sys.executable).parent / "lg-stream-lint")
Front = Callable[..., list[Found]]


@contextlib.contextmanager
def working_directory(path: Path) -> Iterator[None]:
    """``contextlib.chdir`` of Python 3.11."""
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


def command(*arguments: str, at: Path, given: bytes = b"") -> Answer:
    """The command, in this process."""
    from lg_stream_lint.cli import main

    out, err, given_in = _stream(), _stream(), io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    stdin, sys.stdin = sys.stdin, given_in
    try:
        with working_directory(at), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(list(arguments))
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 1
    finally:
        sys.stdin = stdin
    return Answer(code or 0, _written(out), _written(err))


def _stream() -> io.TextIOWrapper:
    """Standard output as the command knows it: text with bytes below."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def process(*arguments: str, at: Path, given: bytes = b"", program: Sequence[str] = (), **options: Any) -> Answer:
    """The command as a user starts it, in a process of its own."""
    started = subprocess.run(
        [*(program or (SCRIPT,)), *arguments],
        cwd=at,
        input=given,
        capture_output=True,
        check=False,
        timeout=600,
        **options,
    )
    return Answer(started.returncode, started.stdout.decode(), started.stderr.decode())


def by_engine(root: Path, advice: str = "") -> list[Found]:
    """The engine itself."""
    from lg_stream_lint.config import load
    from lg_stream_lint.engine import run

    found: set[Found] = set()
    with working_directory(root):
        config = load(str(root), isolated=True)
        for asked in (config, *([config._replace(pedantic=True, select=(advice,))] if advice else [])):
            result = run(["."], asked)
            assert result.errors == ()
            found |= {
                Found(_relative(finding.path, root), finding.span.row, finding.span.column, finding.code)
                for finding in result.findings
            }
    return sorted(found)


def _relative(path: str, root: Path) -> str:
    return os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/")


def from_report(report: Sequence[dict[str, Any]]) -> list[Found]:
    """What a JSON report holds."""
    return sorted(
        Found(entry["filename"], entry["location"]["row"], entry["location"]["column"], entry["code"])
        for entry in report
    )


def _runs(advice: str, pedantic: str = "--pedantic") -> list[tuple[str, ...]]:
    """The options of each run that it takes to see everything."""
    return [(), (pedantic, f"--select={advice}")] if advice else [()]


def by_command(root: Path, advice: str = "") -> list[Found]:
    """``lg-stream-lint .``"""
    found: set[Found] = set()
    for options in _runs(advice):
        answer = command("--isolated", "--output-format", "json", *options, ".", at=root)
        assert answer.code in {0, 1}, answer.err
        found.update(from_report(answer.report))
    return sorted(found)


def by_standard_input(root: Path, advice: str = "") -> list[Found]:
    """``lg-stream-lint - --stdin-filename …`` for each file."""
    found: set[Found] = set()
    for path in sorted(root.rglob("*")):
        if not path.is_file() or not (path.suffix == ".py" or is_candidate(str(path))):
            continue
        name = path.relative_to(root).as_posix()
        for options in _runs(advice):
            given = ("--isolated", "--output-format", "json", "--stdin-filename", name, *options)
            answer = command(*given, "-", at=root, given=path.read_bytes())
            assert answer.code in {0, 1}, answer.err
            found.update(from_report(answer.report))
    return sorted(found)


FLAKE8_LINE = re.compile(r"^(?:\./)?(?P<file>.+?):(?P<row>\d+):(?P<column>\d+):(?P<code>\w+)$", re.MULTILINE)


def by_flake8(root: Path, advice: str = "") -> list[Found]:
    """flake8 with the plugin, in this process."""
    from flake8.main.application import Application

    found: set[Found] = set()
    for options in _runs(advice, "--lgs-pedantic"):
        out = _stream()
        given = ["--isolated", "--jobs=1", "--format=%(path)s:%(row)d:%(col)d:%(code)s", *(options or ["--select=LGS"])]
        with working_directory(root), contextlib.redirect_stdout(out):
            Application().run([*given, "."])
        found |= {
            Found(line["file"], int(line["row"]), int(line["column"]), line["code"])
            for line in FLAKE8_LINE.finditer(_written(out))
        }
    return sorted(found)
