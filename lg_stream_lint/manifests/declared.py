"""``pyproject.toml`` and ``Pipfile``: what a project asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lg_stream_lint.manifests.requirement_files import requirement
from lg_stream_lint.manifests.text import Entry, normalise, parse_toml, pinned, row_of, table


def pyproject(path: str, text: str) -> Iterator[Entry]:
    """``pyproject.toml``: PEP 621, dependency groups, Poetry, and the lists of uv and PDM."""
    document = parse_toml(path, text)
    project, tool = table(document, "project"), table(document, "tool")
    lists = [project.get("dependencies"), *table(project, "optional-dependencies").values()]
    lists += table(document, "dependency-groups").values()
    lists += [
        table(tool, "uv").get(key) for key in ("override-dependencies", "constraint-dependencies", "dev-dependencies")
    ]
    lists += table(tool, "pdm", "dev-dependencies").values()
    for names in lists:
        for written in names if isinstance(names, list) else ():
            entry = requirement(path, 1, written) if isinstance(written, str) else None
            if entry is not None:
                yield entry._replace(row=row_of(text, rf"[\"']{re.escape(written)}[\"']"))
    tables = [("tool.poetry.dependencies", table(tool, "poetry", "dependencies"))]
    tables.append(("tool.poetry.dev-dependencies", table(tool, "poetry", "dev-dependencies")))
    for group in table(tool, "poetry", "group"):
        tables.append(
            (f"tool.poetry.group.{group}.dependencies", table(tool, "poetry", "group", group, "dependencies"))
        )
    for header, names in tables:
        yield from _named(path, text, header, names, poetry_specifier)


def pipfile(path: str, text: str) -> Iterator[Entry]:
    """``Pipfile``: TOML with the tables ``packages`` and ``dev-packages``."""
    document = parse_toml(path, text)
    for header in ("packages", "dev-packages"):
        yield from _named(
            path,
            text,
            header,
            table(document, header),
            lambda written: written.replace("*", "", 1).strip() if written.strip() == "*" else written,
        )


def _named(path: str, text: str, header: str, names: dict[str, Any], convert: Callable[[str], str]) -> Iterator[Entry]:
    """The entries of a table whose keys are names and whose values say the versions."""
    for name, value in names.items():
        if name == "python":
            continue
        alternatives = value if isinstance(value, list) else [value]
        specifiers = []
        for alternative in alternatives:
            written = alternative.get("version") if isinstance(alternative, dict) else alternative
            specifiers.append(convert(written) if isinstance(written, str) else "")
        specifier = "" if "" in specifiers else " || ".join(dict.fromkeys(specifiers))
        start = row_of(text, rf"^\s*\[{re.escape(header)}\]")
        row = row_of(text, rf"^\s*(\[{re.escape(header)}\.)?[\"']?{re.escape(name)}[\"']?\s*[=\].]", after=start)
        yield pinned(normalise(name), specifier, path, row)


def poetry_specifier(written: str) -> str:
    """Poetry's own notation (``^1.2``, ``~1.2``, ``1.2.*``, ``1.2.3``) as PEP 440."""
    alternatives = []
    for alternative in written.split("||"):
        parts = re.split(r"\s*,\s*|(?<=[\w*])\s+(?=[<>=!~^])", alternative.strip())
        converted = [_poetry_part(part) for part in parts if part.strip()]
        alternatives.append(",".join(part for part in converted if part))
    return "" if "" in alternatives else " || ".join(alternatives)


def _poetry_part(part: str) -> str:
    part = part.strip()
    match = re.fullmatch(r"(\^|~(?!=))\s*(v?)(\d+(?:\.\d+)*)(.*)", part)
    if match is None:
        if part == "*":
            return ""
        return f"=={part}" if re.match(r"v?\d", part) else part
    operator, _, numbers, rest = match.groups()
    release = [int(number) for number in numbers.split(".")]
    if operator == "~":
        place = min(len(release) - 1, 1)
    else:
        place = next((index for index, number in enumerate(release) if number), len(release) - 1)
    upper = [*release[:place], release[place] + 1]
    return f">={numbers}{rest},<{'.'.join(map(str, upper))}"
