"""What a command stands in: the file, the place, the environment, the folder that it runs in, and what it is known as."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Target, Where

_ON_A_DESK = re.compile(
    r"(?i)(?:^|[/._-])(?:dev|devel|development|devcontainer|local|tests?|testing|override|debug|examples?|samples?|demo)(?:[/._-]|$)"
)
_NO_FILES: Mapping[str, DeployFile] = MappingProxyType({})
_NOTHING: Mapping[str, Variable] = MappingProxyType({})


class Stands:
    """The kinds of files that carry commands, as far as rules tell them apart."""

    IMAGE = "image"  # a Dockerfile's CMD or ENTRYPOINT
    UNIT = "unit"  # systemd, supervisor: what a machine starts at boot
    MANIFEST = "manifest"  # Kubernetes, ECS, a platform's file, a Procfile: what production runs
    COMPOSE = "compose"  # production or somebody's desk
    SCRIPT = "script"  # a shell script, Makefile, package.json or Python file that nothing is known to run


class Word(NamedTuple):
    """One word of a command with its place; ``overridable``: a part of it is a variable's default (``${X:-4}``)."""

    text: str
    where: Where
    overridable: bool = False


class Variable(NamedTuple):
    """An environment variable that the file sets, where, and whether its value is only a default (``${X:-4}``)."""

    value: str
    where: Where
    overridable: bool = False


class Carrier(NamedTuple):
    """What carries a command.

    * ``context``: access to other files (a ``gunicorn.conf.py``, a ``start.sh`` that the command runs).
    * ``where``: the command's place; what has no place of its own in it (a default) stands here.
    * ``stands``: one of :class:`Stands`.
    * ``env``: the variables that the file sets for the command, by name.
    * ``bases``: absolute folders of the repository that may be the one that the command runs in, the likeliest first.
    * ``known_as``: what others call it: ``Target("file", Dockerfile)``, ``Target("unit", …)``. The port is added.
    * ``shell``: empty when the words go to the system as they are (exec form, systemd); else the shell that gets the
      text: ``/bin/sh``, ``bash``. A command that is a ``str`` is split as a shell does in either case.
    * ``image``: the base image, which tells what ``/bin/sh`` is; empty where not known or not in a container.
    * ``written``: files that the image's own build writes (``RUN echo … > /start.sh``), by their path in the image.
    * ``at``: the place of two offsets in a command that is a ``str`` (``file.at`` shifted); None when all is ``where``.
    """

    context: Context
    where: Where
    stands: str = Stands.SCRIPT
    env: Mapping[str, Variable] = _NOTHING
    bases: tuple[str, ...] = ()
    known_as: tuple[Target, ...] = ()
    shell: str = ""
    image: str = ""
    at: Callable[[int, int], Where] | None = None
    written: Mapping[str, DeployFile] = _NO_FILES

    @property
    def is_on_a_desk(self) -> bool:
        """Whether the file's path says that it is for development or tests."""
        return _ON_A_DESK.search(os.path.relpath(self.where.path, self.context.repository)) is not None

    @property
    def runs_in_production(self) -> bool:
        """Whether the command is what production runs: not one from somebody's desk, by the kind and name of its file."""
        return self.stands in (Stands.IMAGE, Stands.UNIT, Stands.MANIFEST) and not self.is_on_a_desk


def shifted(file: DeployFile, start: int) -> Callable[[int, int], Where]:
    """The places of a text that begins at an offset of a file, for :attr:`Carrier.at`."""
    return lambda begin, end: file.at(max(start + begin, 0), max(start + end, 0))
