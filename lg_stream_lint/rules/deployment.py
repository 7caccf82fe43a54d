"""What a rule over settings is: it looks at the hops and ways of a repository, and never at a file's format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from lg_stream_lint.finding import Confidence, Fix, Severity

if TYPE_CHECKING:
    from lg_stream_lint.deploy.deployment import Deployment
    from lg_stream_lint.deploy.settings import Hop, Where
    from lg_stream_lint.deploy.ways import Way
    from lg_stream_lint.rules.registry import RuleInfo


class Nearby(NamedTuple):
    """Another place that belongs to a finding."""

    where: Where
    message: str


class DeployReport(NamedTuple):
    """A finding of a deployment rule, before it is put in order. ``hop`` is what it is about, where that is one."""

    rule: DeployRule
    where: Where
    message: str
    severity: str
    confidence: str
    related: tuple[Nearby, ...]
    fix: Fix | None
    hop: Hop | None


class DeployRule:
    """Base of the rules over settings; :meth:`check` is called once for a repository.

    ``name``: the rule's, where its file cannot be called so. ``about``: the names of the settings that it judges; where a
    project has none of them it has nothing to say, and ``--why`` calls its cause not visible. ``loses_to``: codes whose
    finding on the same row stands instead.
    """

    name: ClassVar[str] = ""
    severity: ClassVar[str] = Severity.WARNING
    fix: ClassVar[str] = "none"
    loses_to: ClassVar[tuple[str, ...]] = ()
    about: ClassVar[tuple[str, ...]] = ()
    info: ClassVar[RuleInfo]

    def __init__(self, deployment: Deployment, reports: list[DeployReport]) -> None:
        self.deployment = deployment
        self._reports = reports

    def check(self) -> None:
        """Look at the deployment, and report. The default looks at each way in turn."""
        for way in self.ways():
            self.check_way(way)

    def check_way(self, way: Way) -> None:
        """Look at one way."""

    def ways(self) -> Iterator[Way]:
        """The ways of the repository."""
        yield from self.deployment.ways

    def report(
        self,
        where: Where,
        message: str,
        *,
        way: Way | None = None,
        hop: Hop | None = None,
        severity: str | None = None,
        confidence: str = Confidence.HIGH,
        related: Iterable[Nearby] = (),
        fix: Fix | None = None,
    ) -> None:
        """Report a finding, in three sentences at most: what is wrong, what is seen, what to do.

        On a ``way`` whose links are not all resolved the message says so, the confidence is medium, and an error becomes a
        warning. The same finding from several ways is one.
        """
        severity = severity or self.severity
        if way is not None and not way.is_sure_of(hop):
            message = f"{message.removesuffix('.')} ({_assumed(way)})."
            confidence = Confidence.MEDIUM
            severity = Severity.WARNING if severity == Severity.ERROR else severity
        self._reports.append(DeployReport(self, where, message, severity, confidence, tuple(related), fix, hop))


def _assumed(way: Way) -> str:
    """What is taken for granted on a way that is not resolved to its end."""
    if way.app is None:
        return "which application this leads to is not known"
    return f"that this leads to {way.app.target} is assumed"
