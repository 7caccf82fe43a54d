"""The words everything else speaks: findings, where they stand, how bad they are, and how to mend them.

Named tuples rather than frozen dataclasses: a run that finds nothing still imports this module, and ``dataclasses``
alone costs more than a bare interpreter's start-up (see the table in docs/speed.md).
"""

from __future__ import annotations

from typing import NamedTuple

DOCS = "https://lg-stream-lint.readthedocs.io/en/latest/rules"


def is_about_settings(code: str) -> bool:
    """Whether a rule looks at deployment settings (LGS5 to LGS7) rather than at Python."""
    return code.startswith(("LGS5", "LGS6", "LGS7"))


class Severity:
    """How bad it is: plain strings, ordered by :data:`RANK`."""

    ERROR = "error"  # the stream breaks
    WARNING = "warning"  # it breaks in production, under load, or for somebody
    INFO = "info"  # advice, shown with --pedantic


RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Confidence:
    """How sure the rule is: ``high`` when resolved, ``medium`` when judged by name or by an assumed version."""

    HIGH = "high"
    MEDIUM = "medium"


class Span(NamedTuple):
    """A place in a file: rows and columns are 1-based, columns count code points, the end is exclusive."""

    row: int
    column: int
    end_row: int
    end_column: int


class Related(NamedTuple):
    """Another place that belongs to a finding; ``path`` is absolute."""

    path: str
    span: Span
    message: str


class Edit(NamedTuple):
    """Replace what stands at ``span`` by ``content``."""

    span: Span
    content: str


class Fix(NamedTuple):
    """A repair: ``applicability`` is ``safe`` (behaviour and comments kept) or ``unsafe`` (offered only on request)."""

    applicability: str
    message: str
    edits: tuple[Edit, ...]


class Finding(NamedTuple):
    """One problem at one place.

    ``path`` is absolute. ``lines`` are the physical lines on which a ``noqa`` comment silences this finding: the first and
    the last line of the statement (or of the compound statement's header) and the reported line.
    """

    code: str
    name: str
    severity: str
    confidence: str
    message: str
    path: str
    span: Span
    lines: tuple[int, ...]
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    @property
    def url(self) -> str:
        """The address of the rule's page."""
        return f"{DOCS}/{self.code}/"

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Reports list findings by file, place and code, whatever the number of processes."""
        return (self.path, self.span.row, self.span.column, self.code, self.message)
