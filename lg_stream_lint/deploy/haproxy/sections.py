"""The sections of an HAProxy configuration, and the defaults that each inherits."""

from __future__ import annotations

from collections.abc import Iterator

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.words import Line, lines_of

#: Words that begin a section.
SECTIONS = frozenset(
    {
        *(
            "global",
            "defaults",
            "frontend",
            "backend",
            "listen",
            "peers",
            "userlist",
            "resolvers",
            "mailers",
            "program",
        ),
        *(
            "cache",
            "http-errors",
            "ring",
            "log-forward",
            "fcgi-app",
            "crt-list",
            "crt-store",
            "traces",
            "log-profile",
            "acme",
        ),
    }
)
#: Sections of one file; a generated one with more is cut off.
MOST = 2_000
_DEEPEST = 8


class Section:
    """``kind name [from base]`` and the lines below it; ``defaults`` is the section that it inherits from."""

    def __init__(self, head: Line) -> None:
        self.head = head
        self.kind = head.at(0)
        self.name = head.at(1) if head.at(1) != "from" else ""
        self.lines: list[Line] = []
        self.defaults: Section | None = None

    def own(self, *words: str) -> list[Line]:
        """The section's lines that begin with these words."""
        return [line for line in self.lines if line.texts[: len(words)] == words]

    def find(self, *words: str) -> Line | None:
        """The line that holds: the last one of the section, or else of the defaults that it inherits."""
        section: Section | None = self
        for _ in range(_DEEPEST):
            if section is None:
                return None
            found = section.own(*words)
            if found:
                return found[-1]
            section = section.defaults
        return None


def sections_of(file: DeployFile) -> list[Section]:
    """The sections of a file, in order, each with its defaults."""
    found = list(_sections(file))
    latest: Section | None = None
    named: dict[str, Section] = {}
    for section in found:
        base = _base(section)
        if section.kind == "defaults":
            section.defaults = named.get(base) if base else None
            latest = section
            named[section.name] = section
        elif section.kind in ("frontend", "backend", "listen"):
            section.defaults = named.get(base, latest) if base else latest
    return found


def _sections(file: DeployFile) -> Iterator[Section]:
    current: Section | None = None
    count = 0
    for line in lines_of(file, "any"):
        if line.at(0) in SECTIONS:
            if current is not None:
                yield current
            count += 1
            if count > MOST:
                return
            current = Section(line)
        elif current is not None:
            current.lines.append(line)
    if current is not None:
        yield current


def _base(section: Section) -> str:
    texts = section.head.texts
    return texts[texts.index("from") + 1] if "from" in texts[:-1] else ""
