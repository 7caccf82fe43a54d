"""Files that become an nginx configuration only when a template engine has filled them in."""

from __future__ import annotations

import re

_SIGNS = (
    (re.compile(r"\{%-?\s*\w|\{\{-?\s*[\w.$(\"'][^{}\r\n]*\}\}"), "a template (Jinja, Go)"),
    (re.compile(r"<%[=#-]?[\s\w@]"), "a template (ERB)"),
)
_COMMENT = re.compile(r"(?m)^[ \t]*#[^\r\n]*")


def template_sign(text: str) -> tuple[int, str] | None:
    """The offset and the kind of the first sign of a template engine outside comments; None for a plain file.

    ``${VAR}`` is no such sign: nginx's own variables look like it, and where it is envsubst's, its file still is nginx's.
    """
    if "{{" not in text and "{%" not in text and "<%" not in text:
        return None
    plain = _COMMENT.sub(lambda match: " " * len(match[0]), text)
    for pattern, kind in _SIGNS:
        match = pattern.search(plain)
        if match is not None:
            return match.start(), kind
    return None
