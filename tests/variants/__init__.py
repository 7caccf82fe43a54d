"""The same program written another way: what is found must not depend on it.

Each function takes a :class:`~tests.projects.Project` and gives the rewritten one, or ``None`` where nothing can be
rewritten. The marks are comments and move with their lines: a rewritten project says itself what is expected of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.projects import Project
from tests.variants import imports, modules

Rewrite = Callable[[Project], "Project | None"]


def crlf(project: Project) -> Project | None:
    """Line ends as Windows writes them."""
    return project.with_files(
        {path: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path, content in project.files.items()}
    )


def byte_order_mark(project: Project) -> Project | None:
    """A byte order mark before every Python file that has something in it."""
    return project.with_files(
        {**project.files, **{path: b"\xef\xbb\xbf" + content for path, content in project.python.items() if content}}
    )


SAME_FINDINGS: Mapping[str, Rewrite] = {
    "aliased imports": imports.aliased,
    "module attributes": imports.attributes,
    "from imports": imports.from_imports,
    "imports over several lines": imports.over_several_lines,
    "CRLF": crlf,
    "byte order mark": byte_order_mark,
    "in a package": modules.in_a_package,
    "split": modules.split,
    "split in a package": modules.split_in_a_package,
    "split and re-exported": modules.split_and_re_exported,
    "split with a star": modules.split_with_a_star,
}
