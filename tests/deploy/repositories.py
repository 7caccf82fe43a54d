"""Small repositories for the readers' tests."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path

from lg_stream_lint.deploy.files import Context
from lg_stream_lint.deploy.links import leads
from lg_stream_lint.deploy.settings import Hop, Reading, Role


def written(folder: Path, files: dict[str, str | bytes]) -> Context:
    """A repository with these files; texts are dedented."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).lstrip("\n").encode())
    return Context(str(folder), listed=sorted(str(folder / path) for path in files if not path.endswith(".py")))


def reading(reader: str, folder: Path, files: dict[str, str | bytes], name: str = "") -> Reading:
    """What a reader finds in one file (the first, unless named) of a repository."""
    context = written(folder, files)
    module = importlib.import_module(f"lg_stream_lint.deploy.readers.{reader}")
    found: Reading = module.read(context.open(str(folder / (name or next(iter(files))))), context)
    return found


def by_name(found: Reading, role: str) -> dict[str, Hop]:
    """The hops of a role by their names."""
    return {hop.name: hop for hop in found.hops if hop.role == role}


def hosts(found: Reading) -> dict[str, Hop]:
    """The hosts by their names."""
    return by_name(found, Role.HOST)


def proxies(found: Reading) -> dict[str, Hop]:
    """The proxies by their names."""
    return by_name(found, Role.PROXY)


def linked(found: Reading) -> set[tuple[str, str]]:
    """Which hop leads to which, by their names."""
    return {(o.name, i.name) for o in found.hops for i in found.hops if o is not i and leads(o, i)}


def values(hop: Hop) -> dict[str, object]:
    """A hop's settings."""
    return {setting.name: setting.value for setting in hop.settings}
