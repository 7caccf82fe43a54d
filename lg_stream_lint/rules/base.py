"""What a rule is: a LibCST visitor with the shared facts at hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import libcst as cst

from lg_stream_lint.finding import Confidence, Fix, Severity
from lg_stream_lint.python.scopes import Function
from lg_stream_lint.python.value import Value, Values

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Where
    from lg_stream_lint.knowledge import Knowledge
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.project import Project
    from lg_stream_lint.rules.registry import RuleInfo
    from lg_stream_lint.versions import Versions


class Place(NamedTuple):
    """A node in a module, with what is to be said about it: a related location before its span is known."""

    module: Module
    node: cst.CSTNode
    message: str


class Elsewhere(NamedTuple):
    """A place in a file around the code, with what is to be said about it."""

    where: Where
    message: str


class Report(NamedTuple):
    """A finding before its span is known."""

    rule: PythonRule
    node: cst.CSTNode
    message: str
    severity: str
    confidence: str
    related: tuple[Place | Elsewhere, ...]
    fix: Fix | None


class PythonRule(cst.CSTVisitor):
    """Base of the Python rules.

    A subclass defines ``visit_Call``, ``leave_FunctionDef`` … as LibCST names them. It is called during the engine's one
    walk over the tree; what it returns is not looked at, and it asks for no LibCST metadata (that costs more than the
    parse). White space, comments and punctuation are not visited. One instance serves one file.

    ``loses_to``: codes whose finding, when it covers the same place, stands instead of this rule's.
    ``place``: groups of words; the file itself must hold one of each group for the rule to have anything to say.
    ``evidence``: the same, but a module of the project that the file imports may hold them. Words that begin with ``@``
    are explained in :mod:`~lg_stream_lint.python.words`. ``in_tests``: whether the rule judges test modules.
    ``place_in_tests``: more of ``place`` that is asked of test modules alone. Of them nothing but findings is wanted; other
    files are also read for their handlers and for what the rules over settings need.
    """

    severity: ClassVar[str] = Severity.WARNING
    fix: ClassVar[str] = "none"
    independent_of_async: ClassVar[bool] = False
    loses_to: ClassVar[tuple[str, ...]] = ()
    place: ClassVar[tuple[tuple[str, ...], ...]] = ()
    evidence: ClassVar[tuple[tuple[str, ...], ...]] = ()
    in_tests: ClassVar[bool] = True
    place_in_tests: ClassVar[tuple[tuple[str, ...], ...]] = ()
    info: ClassVar[RuleInfo]

    def __init__(self, module: Module, reports: list[Report]) -> None:
        super().__init__()
        self.module = module
        self._reports = reports

    # The facts

    @property
    def project(self) -> Project:
        """The project that the file belongs to."""
        return self.module.project

    @property
    def facts(self) -> Facts:
        """The facts that span the project: functions, streams, callers."""
        return self.module.project.facts

    @property
    def tables(self) -> Knowledge:
        """What is known of other people's libraries."""
        return self.module.project.knowledge

    @property
    def versions(self) -> Versions:
        """The versions of dependencies that hold for this file."""
        return self.module.project.versions(self.module.path)

    def values_of(self, node: cst.CSTNode) -> Values:
        """Everything that an expression is known to be able to be."""
        return self.facts.infer.of(node, self.module)

    def value_of(self, node: cst.CSTNode) -> Value | None:
        """The one thing that an expression is known to be; None when nothing or several things are known."""
        values = self.values_of(node)
        return values[0] if len(values) == 1 else None

    def function_of(self, node: cst.CSTNode) -> Function | None:
        """The innermost function whose body holds the node."""
        return self.module.function_at(node)

    def parent_of(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around this one."""
        return self.module.parents.get(node)

    # The result

    def report(
        self,
        node: cst.CSTNode,
        message: str,
        *,
        severity: str | None = None,
        confidence: str = Confidence.HIGH,
        related: Iterable[Place | Elsewhere] = (),
        fix: Fix | None = None,
    ) -> None:
        """Report a finding at a node of this file, in three sentences at most: what is wrong, what is seen, what to do."""
        report = Report(self, node, message, severity or self.severity, confidence, tuple(related), fix)
        self._reports.append(report)
