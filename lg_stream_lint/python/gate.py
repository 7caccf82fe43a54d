"""Which files are worth parsing: a cheap test of bytes that never drops a file with a finding.

Each rule declares the words without which it has nothing to say (``place``, ``place_in_tests``, ``evidence`` and ``in_tests``,
see :class:`~lg_stream_lint.rules.base.PythonRule`). A file is analysed when some rule's words are all there: those of ``place``
in the file itself, those of ``evidence`` in the file or in any module of the project that it imports, star imports and
re-exports included. Words that begin with ``@`` stand for more than their letters; see :mod:`.words`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.python.words import Words
from lg_stream_lint.roots import root_of

if TYPE_CHECKING:
    from lg_stream_lint.python.project import Project

#: A file with one of these words is about streaming answers: it is reported when it cannot be analysed.
FRAMEWORK_WORDS = (b"langgraph", b"langchain", b"StreamingResponse", b"EventSourceResponse", b"openai", b"anthropic")

_TESTS = f"{os.sep}tests{os.sep}"
_TEST_MODULE = re.compile(r"^(?:test_.*|.*_test|conftest)\.py$")


class Needs(NamedTuple):
    """A rule's words, and whether it has anything to say in test modules."""

    place: tuple[tuple[str, ...], ...]
    evidence: tuple[tuple[str, ...], ...]
    in_tests: bool = True
    place_in_tests: tuple[tuple[str, ...], ...] = ()


def needs(
    place: Sequence[Sequence[str]],
    evidence: Sequence[Sequence[str]],
    *,
    in_tests: bool = True,
    place_in_tests: Sequence[Sequence[str]] = (),
) -> Needs:
    """A rule's declaration."""
    return Needs(tuple(map(tuple, place)), tuple(map(tuple, evidence)), in_tests, tuple(map(tuple, place_in_tests)))


def has_framework_word(source: bytes) -> bool:
    """Whether the file is about streaming answers at all."""
    return any(word in source for word in FRAMEWORK_WORDS)


def is_test_module(path: str) -> bool:
    """Whether pytest would collect the file, or it stands in a folder ``tests`` of its project: nobody is served from it."""
    if _TEST_MODULE.match(os.path.basename(path)) is not None:
        return True
    return _TESTS in path and _TESTS in path.removeprefix(root_of(path))


class Gate:
    """The gate of a project for a set of rules."""

    def __init__(self, project: Project, rules: Sequence[Needs]) -> None:
        self.project = project
        self.rules = rules
        self.words = Words(project)

    def lets_through(self, path: str) -> bool:
        """Whether any rule can have something to say about the file."""
        if self.project.read(path) is None:
            return False
        test = is_test_module(path)
        if not test and self.words.any_own(path):
            return True  # the user's own rows are evidence that no rule's words know of
        return any(
            (rule.in_tests or not test)
            and (not test or all(self.words.any(path, group) for group in rule.place_in_tests))
            and all(self.words.any(path, group) for group in rule.place)
            and all(self.words.any_reached(path, group) for group in rule.evidence)
            for rule in self.rules
        )
