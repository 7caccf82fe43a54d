"""What the rules over proxies share: which hops they look at, and how a place is written in a message."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lg_stream_lint.deploy.carries import through
from lg_stream_lint.finding import Confidence
from lg_stream_lint.rules.deployment import DeployRule

if TYPE_CHECKING:
    from lg_stream_lint.deploy.code import CodeFacts
    from lg_stream_lint.deploy.settings import Hop, Where
    from lg_stream_lint.deploy.ways import Way


#: Platforms that run a function; one whose code is not found here runs something else.
FUNCTIONS = frozenset({"lambda", "vercel"})


class ProxyRule(DeployRule):
    """Base of the rules that look at the proxies which carry the application's stream."""

    def check_way(self, way: Way) -> None:
        """Look at each proxy of a way that carries a stream."""
        code = self.deployment.code(way)
        for hop in way.proxies:
            carried = through(hop, self.deployment.hops, code, sure=way.sure)
            if carried is not None:
                self.check_hop(hop, way, carried)

    def check_hop(self, hop: Hop, way: Way, code: CodeFacts) -> None:
        """Look at one proxy; ``code`` holds the streams that go through it, none where it is known by its name only."""

    def confidence(self, code: CodeFacts) -> str:
        """High where the stream is known; a name alone gives no more than medium."""
        return Confidence.HIGH if code.streams else Confidence.MEDIUM

    def place(self, where: Where) -> str:
        """A place in a message: the path below the repository, and the row."""
        path = os.path.relpath(where.path, self.deployment.repository)
        return f"{path.replace(os.sep, '/')}:{where.span.row}"
