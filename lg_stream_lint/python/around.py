"""What the files around the code mean for a finding in it: who would kill the worker, cut the silence, hold the stream back.

Only ways whose links are all resolved count here: a Python finding is never made worse by a guess.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lg_stream_lint.deploy.carries import carries
from lg_stream_lint.deploy.code import CodeFacts, StreamFact
from lg_stream_lint.deploy.settings import Hop, Kind, Setting, Where
from lg_stream_lint.deploy.workers import Family, family_of
from lg_stream_lint.finding import Span

if TYPE_CHECKING:
    from lg_stream_lint.deploy.ways import Way
    from lg_stream_lint.python.project import Project

#: Servers whose worker is killed when its event loop stands still; the others have no such watchdog (measured).
_WATCHED = "gunicorn"
#: Seconds; a liveness probe that waits longer in all bears what blocks loops in practice (LGS508 is silent then, too).
PATIENT = 60.0


class Limit(NamedTuple):
    """A limit on the way of a stream, with the hop that has it."""

    hop: Hop
    setting: Setting

    @property
    def seconds(self) -> float:
        """The limit."""
        return float(self.setting.value)

    @property
    def fatal_from(self) -> float:
        """Seconds of a standing event loop from which the process may be killed.

        gunicorn's uvicorn worker reports to it every half time-out and its own asgi worker each second (measured: gunicorn
        27.0.1); a liveness probe restarts the container after all its failures, each a period apart.
        """
        if self.setting.name != "liveness":
            return self.seconds if family_of(self.hop.value("worker_class")) == Family.ASGI else self.seconds / 2
        period, failures = self.hop.value("liveness_period") or 10, self.hop.value("liveness_failures") or 3
        return float(period) * (float(failures) - 1) + self.seconds

    @property
    def place(self) -> str:
        """Where it stands, as a reader writes it: ``nginx.conf:14``."""
        where = self.setting.where
        return f"{os.path.basename(where.path)}:{where.span.row}"


def ways_of(project: Project, path: str) -> tuple[Way, ...]:
    """The resolved ways of the application that a file belongs to."""
    return tuple(way for way in project.deployment.ways_of(path) if way.sure)


def watchdogs(project: Project, path: str) -> Iterator[Limit]:
    """What kills the worker (or the container) of a file's application when its event loop stands still."""
    for way in ways_of(project, path):
        for hop in way.hops:
            for setting in hop.settings:
                blocks = setting.kind == Kind.BLOCK and hop.layer == _WATCHED and bool(setting.value)
                probes = setting.name == "liveness" and setting.value is not None
                limit = Limit(hop, setting)
                if blocks or (probes and limit.fatal_from <= PATIENT):
                    yield limit


def killed_by(limit: Limit) -> str:
    """Who ends a blocked process, as a part of a sentence."""
    if limit.setting.name == "liveness":
        return f"the liveness probe ({limit.place}) restarts the container with all of them"
    return f"gunicorn (timeout {limit.seconds:g} s, {limit.place}) kills the worker with all of them"


def shortest_idle_limit(project: Project, path: str, routes: Sequence[str] = ()) -> Limit | None:
    """The shortest limit on silence between a stream and its client; None when no hop of a resolved way has one."""
    found = [
        Limit(hop, setting)
        for _, carrying in _carrying(project, path, routes)
        for hop in carrying
        for setting in hop.limits(Kind.IDLE)
    ]
    return min(found, key=lambda limit: limit.seconds, default=None)


def proxies_buffer(project: Project, path: str, routes: Sequence[str] = ()) -> str:
    """What the proxies in front of a stream do with it.

    ``off``: every way has one that is told not to hold back; ``never``: those in sight do not, by themselves; ``perhaps``: no
    proxy is in sight, or one holds back.
    """
    answers = []
    for way, carrying in _carrying(project, path, routes):
        known = [setting for proxy in carrying if (setting := proxy.get("buffering")) is not None]
        if way.proxies and not carrying:
            continue  # a way to other paths of the application
        if not known or any(setting.value for setting in known):
            return "perhaps"
        answers.append(any(setting.explicit for setting in known))
    if not answers:
        return "perhaps"
    return "off" if all(answers) else "never"


def _carrying(project: Project, path: str, routes: Sequence[str]) -> Iterator[tuple[Way, list[Hop]]]:
    """The resolved ways of a file's application, with those of their proxies that carry a stream of these paths."""
    stream = StreamFact(
        Where(path, Span(1, 1, 1, 1)), tuple(routes), None, None, sse=True, late_headers=False, tools=False
    )
    code = CodeFacts(streams=(stream,), complete=True)
    for way in ways_of(project, path):
        yield way, [proxy for proxy in way.proxies if carries(proxy, project.deployment.hops, code)]
