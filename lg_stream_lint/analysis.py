"""One file: gate, parse, one walk for all rules, findings with their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import libcst as cst

from lg_stream_lint.finding import Confidence, Finding, Related, Severity, Span
from lg_stream_lint.python.gate import Gate, Needs, has_framework_word, is_test_module, needs
from lg_stream_lint.python.parsing import NotAnalysed
from lg_stream_lint.python.syntax import drive
from lg_stream_lint.rules import registry
from lg_stream_lint.rules.base import Elsewhere, Place, PythonRule, Report

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import FileFacts
    from lg_stream_lint.python.module import Module
    from lg_stream_lint.python.project import Project


class FileResult(NamedTuple):
    """What one file gave: findings before suppression and selection, in order, and what was seen on the way.

    ``errors`` has one line for each rule that failed inside. ``handlers`` and ``streaming`` count functions that answer
    requests and those of them that stream; ``not_followed`` lists the streams whose generator is not known. ``facts`` is what
    the rules over settings need to know of the file.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    errors: tuple[str, ...] = ()
    analysed: bool = False
    unreadable: str = ""
    handlers: int = 0
    streaming: int = 0
    not_followed: tuple[str, ...] = ()
    facts: FileFacts | None = None


_classes: list[type[PythonRule]] | None = None
_gates: dict[int, tuple[Project, Gate]] = {}


def rule_classes() -> list[type[PythonRule]]:
    """The Python rules, imported once per process, in the order of their codes."""
    global _classes
    if _classes is None:
        loaded = [registry.load(info) for info in registry.rules().values()]
        _classes = [cls for cls in loaded if cls is not None]
    return _classes


def gate_of(project: Project) -> Gate:
    """The project's gate, derived from what the rules declare."""
    known = _gates.get(id(project))
    if known is None or known[0] is not project:
        declared: list[Needs] = [
            needs(cls.place, cls.evidence, in_tests=cls.in_tests, place_in_tests=cls.place_in_tests)
            for cls in rule_classes()
        ]
        known = _gates[id(project)] = (project, Gate(project, declared))
    return known[1]


def _classes_for_facts() -> list[type[PythonRule]]:
    """The rules whose findings are facts for the rules over settings, and those that they lose to."""
    from lg_stream_lint.python.summary import NEEDED

    wanted = [cls for cls in rule_classes() if cls.info.code in NEEDED]
    codes = {code for cls in wanted for code in (cls.info.code, *cls.loses_to)}
    return [cls for cls in rule_classes() if cls.info.code in codes]


def analyse(
    path: str,
    source: bytes,
    project: Project,
    *,
    explicit: bool = False,
    gated: bool = True,
    facts_only: bool = False,
) -> FileResult:
    """Analyse one file of a project. Never raises for what the file holds.

    ``explicit`` files (named by the user) are reported when they cannot be analysed, whatever is in them. ``facts_only``: the
    findings do not matter, only the facts, which need few of the rules.
    """
    if project.sources.get(path) is not source:
        on_disk = project.read(path)
        if on_disk != source:
            project.override(path, source)
    reported = explicit or has_framework_word(source)
    if gated and not gate_of(project).lets_through(path):
        error = unreadable(source) if reported else None
        return FileResult(path, (_not_analysed(path, error),), unreadable=error.reason) if error else FileResult(path)
    try:
        module = project.load(path, source)
    except NotAnalysed as error:
        return FileResult(path, (_not_analysed(path, error),) if reported else (), unreadable=error.reason)
    return _run_rules(module, _classes_for_facts() if facts_only else rule_classes())


def unreadable(source: bytes) -> NotAnalysed | None:
    """Why a file that no rule has anything to say about cannot be analysed; None when it can.

    The interpreter's own parser answers first: it takes a tenth of the time. Only what it refuses is given to LibCST, which
    knows newer syntax and has the last word.
    """
    from lg_stream_lint.python.parsing import parse
    from lg_stream_lint.syntax_tree import tree_of

    try:
        tree_of(source)
    except Exception:  # noqa: BLE001 - its reasons do not matter, LibCST's do
        try:
            parse(source)
        except NotAnalysed as error:
            return error
    return None


def not_opened(path: str, reason: str) -> FileResult:
    """The result for a file that the user named and that cannot be opened."""
    return FileResult(path, (_not_analysed(path, NotAnalysed(f"cannot be read ({reason})")),), unreadable=reason)


def _not_analysed(path: str, error: NotAnalysed) -> Finding:
    info = registry.rules()["LGS001"]
    message = f"File not analysed: {error.reason}. Nothing in it was checked; repair it, or exclude it."
    span = Span(error.row, 1, error.row, 1)
    return Finding("LGS001", info.name, Severity.WARNING, Confidence.HIGH, message, path, span, (error.row,))


def _run_rules(module: Module, classes: Sequence[type[PythonRule]]) -> FileResult:
    reports: list[Report] = []
    errors: list[str] = []
    failed: set[PythonRule] = set()
    visits: dict[type[cst.CSTNode], list[Callable[[Any], Any]]] = {}
    leaves: dict[type[cst.CSTNode], list[Callable[[Any], Any]]] = {}
    test = is_test_module(module.path)
    for cls in classes:
        if test and not cls.in_tests:
            continue
        rule = cls(module, reports)
        for kind, name, leaving in methods_of(cls):
            table = leaves if leaving else visits
            table.setdefault(kind, []).append(_guarded(rule, getattr(rule, name), failed, errors))
    drive(module.tree, visits, leaves)
    findings = _findings(module, reports)
    handlers, streaming, not_followed = _coverage(module, errors)
    facts = _facts(module, findings, errors)
    return FileResult(
        module.path,
        findings,
        tuple(errors),
        analysed=True,
        handlers=handlers,
        streaming=streaming,
        not_followed=not_followed,
        facts=facts,
    )


def _facts(module: Module, findings: Sequence[Finding], errors: list[str]) -> FileFacts | None:
    """What the rules over settings need to know of the file."""
    from lg_stream_lint.python.summary import file_facts

    try:
        return file_facts(module, findings)
    except Exception as error:  # noqa: BLE001 - the other half of the run is no reason to lose the findings
        errors.append(f"summary failed in {module.path}: {type(error).__name__}: {error}")
        return None


def _guarded(
    rule: PythonRule, call: Callable[[Any], Any], failed: set[PythonRule], errors: list[str]
) -> Callable[[Any], Any]:
    """A rule that fails says so once for the file and is not asked again; the other rules go on."""

    def visit(node: Any) -> None:
        if rule in failed:
            return
        try:
            call(node)
        except Exception as error:  # noqa: BLE001 - whatever a rule does wrong, the run goes on
            failed.add(rule)
            errors.append(f"{rule.info.code} failed in {rule.module.path}: {type(error).__name__}: {error}")

    return visit


_methods: dict[type[PythonRule], list[tuple[type[cst.CSTNode], str, bool]]] = {}


def methods_of(cls: type[PythonRule]) -> list[tuple[type[cst.CSTNode], str, bool]]:
    """The node classes that a rule asked for, with the method's name and whether it is called on leaving."""
    known = _methods.get(cls)
    if known is None:
        known = []
        for name in dir(cls):
            prefix, _, kind = name.partition("_")
            node = getattr(cst, kind, None) if prefix in ("visit", "leave") else None
            if node is not None and getattr(cls, name) is not getattr(cst.CSTVisitor, name, None):
                known.append((node, name, prefix == "leave"))
        _methods[cls] = known
    return known


def _findings(module: Module, reports: Sequence[Report]) -> tuple[Finding, ...]:
    found: dict[tuple[str, Span], tuple[Finding, PythonRule]] = {}
    for report in reports:
        span = module.span(report.node)
        info = report.rule.info
        finding = Finding(
            info.code,
            info.name,
            report.severity,
            report.confidence,
            report.message,
            module.path,
            span,
            suppressing_lines(module, report.node, span),
            tuple(map(_related, report.related)),
            report.fix,
        )
        found.setdefault((info.code, span), (finding, report.rule))
    kept = [
        finding
        for finding, rule in found.values()
        if not any(other.code in rule.loses_to and _covers(other.span, finding.span) for other, _ in found.values())
    ]
    return tuple(sorted(kept, key=lambda finding: finding.sort_key))


def _related(place: Place | Elsewhere) -> Related:
    if isinstance(place, Place):
        return Related(place.module.path, place.module.span(place.node), place.message)
    return Related(place.where.path, place.where.span, place.message)


def _covers(winner: Span, loser: Span) -> bool:
    """Whether two findings are about one cause: the same line, or the loser's place inside the winner's."""
    inside = (winner.row, winner.column) <= (loser.row, loser.column) and (loser.end_row, loser.end_column) <= (
        winner.end_row,
        winner.end_column,
    )
    return inside or winner.row == loser.row


def suppressing_lines(module: Module, node: cst.CSTNode, span: Span) -> tuple[int, ...]:
    """The physical lines on which a comment silences a finding: the statement's first and last, and the reported one."""
    statement = module.statement_at(node)
    whole = module.span(statement)
    last = whole.end_row
    if isinstance(statement, cst.BaseCompoundStatement):
        last = _header_end(module, statement, whole.row)
    return tuple(sorted({whole.row, last, span.row}))


def _header_end(module: Module, statement: cst.BaseCompoundStatement, first: int) -> int:
    """The line on which a compound statement's header ends: the last one with code before its body's first statement."""
    body = statement.body
    if not isinstance(body, cst.IndentedBlock) or not body.body:
        return module.span(body).row if isinstance(body, cst.BaseSuite) else first
    lines = module.lines
    row = module.span(body.body[0]).row - 1
    while row > first and (not lines[row - 1].strip() or lines[row - 1].lstrip().startswith("#")):
        row -= 1
    return max(row, first)


def _coverage(module: Module, errors: list[str]) -> tuple[int, int, tuple[str, ...]]:
    """How many handlers the file has, how many stream, and which streams lead to a generator that is not known."""
    if is_test_module(module.path):
        return 0, 0, ()
    try:
        facts = module.project.facts
        handlers = [f for f in module.functions if facts.functions.is_handler(f)]
        streaming = set()
        unknown = []
        for stream in facts.streams.of(module):
            function = stream.handler or (module.function_at(stream.call) if stream.call is not None else None)
            if function is not None:
                streaming.add(function)
            if stream.content is not None and not facts.infer.of(stream.content, module):
                row = module.span(stream.call).row if stream.call is not None else 1
                unknown.append(f"{module.path}:{row}")
        return len(handlers), len(streaming), tuple(unknown)
    except Exception as error:  # noqa: BLE001 - the count is no reason to lose the findings
        errors.append(f"coverage failed in {module.path}: {type(error).__name__}: {error}")
        return 0, 0, ()
