"""The files of a repository that a configuration's include means, and the files that may include one.

``/etc/nginx/conf.d/*.conf`` is a path on the machine; in a repository the same folder lies somewhere near the main file, or its
files lie beside it and are copied there. Both are looked for.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead

#: Files of a folder that are looked at.
MOST_FILES = 60
#: Folders above a file in which what it includes, or what includes it, is looked for.
UPWARD = 3

_NEIGHBOURS = ("", "conf.d", "sites-available", "sites-enabled", "templates", "servers", "vhosts", "nginx")
#: Where else the files of a folder on the machine may lie in a repository.
_ALSO = {"sites-enabled": ("sites-available",), "conf.d": ("templates",)}


def find_included(
    path: str, file: DeployFile, context: Context, is_piece: Callable[[DeployFile], bool]
) -> list[DeployFile]:
    """The files of the repository that a path or pattern in a file means.

    Where a pattern's folder is not there, those beside the file that are written as pieces (``is_piece``) and bear such a name.
    """
    return _Finder(file, context).find(path, is_piece)


def possible_owners(
    file: DeployFile, context: Context, names: re.Pattern[str], has_include: re.Pattern[bytes]
) -> Iterator[str]:
    """The files near one that may include it: by their names, and because there is an include in them."""
    folder = file.folder
    for _ in range(UPWARD):
        if not context.holds(os.path.join(folder, "x")):
            return
        for neighbour in _NEIGHBOURS:
            for path in _files(os.path.join(folder, neighbour) if neighbour else folder):
                if path != file.path and names.fullmatch(os.path.basename(path)) and _has(has_include, path, context):
                    yield path
        folder = os.path.dirname(folder)


def _has(has_include: re.Pattern[bytes], path: str, context: Context) -> bool:
    try:
        return has_include.search(context.open(path).source) is not None
    except NotRead:
        return False


def _files(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []
    return [path for name in names[:1000] if os.path.isfile(path := os.path.join(folder, name))][:MOST_FILES]


class _Finder:
    def __init__(self, file: DeployFile, context: Context) -> None:
        self.file, self.context = file, context

    def find(self, path: str, is_piece: Callable[[DeployFile], bool]) -> list[DeployFile]:
        """The files of the repository that an include's path or pattern means."""
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if "$" in path or not parts:
            return []
        is_pattern = any(sign in path for sign in "*?[")
        fewest = 2 if is_pattern else 1  # of `*.conf` alone anything beside the file would be one
        for folder in self._folders():
            for start in range(max(1, len(parts) - fewest + 1)):
                found = self._in(folder, parts[start:])
                if found:
                    return found
        return self._beside(parts, is_piece) if is_pattern else []

    def _folders(self) -> Iterator[str]:
        folder = self.file.folder
        for _ in range(UPWARD):
            if not self.context.holds(os.path.join(folder, "x")):
                return
            yield folder
            folder = os.path.dirname(folder)

    def _in(self, folder: str, parts: list[str]) -> list[DeployFile]:
        *below, name = parts
        if any(sign in part for part in below for sign in "*?["):
            return []
        place = os.path.join(folder, *below)
        if not any(sign in name for sign in "*?["):
            return self._opened([os.path.join(place, name), os.path.join(place, name + ".template")])[:1]
        places = [place]
        if below:
            places += [os.path.join(folder, *below[:-1], other) for other in _ALSO.get(below[-1], ())]
        for each in places:
            names = (name, name + ".template") if each != place else (name,)
            found = [path for path in _files(each) if _is_named(path, names) and path != self.file.path]
            if found:
                return self._opened(found)
        return []

    def _beside(self, parts: list[str], is_piece: Callable[[DeployFile], bool]) -> list[DeployFile]:
        """Pieces that lie beside the main file and are copied where its pattern looks for them."""
        found = [
            path
            for path in _files(self.file.folder)
            if path != self.file.path and _is_named(path, (parts[-1], parts[-1] + ".template"))
        ]
        return [file for file in self._opened(found) if is_piece(file)]

    def _opened(self, paths: list[str]) -> list[DeployFile]:
        found = []
        for path in paths:
            try:
                found.append(self.context.open(path))
            except NotRead:  # noqa: PERF203 - a handful of files
                continue
        return found


def _is_named(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(os.path.basename(path), pattern) for pattern in patterns)
