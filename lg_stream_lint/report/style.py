"""Colours, and text that is safe to print: source code may hold anything, control sequences included."""

from __future__ import annotations

_COLORS = {"error": "1;31", "warning": "1;33", "info": "1;36"}


class Style:
    """Wraps words in colours, or leaves them alone."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def _wrap(self, codes: str, text: str) -> str:
        return f"\033[{codes}m{text}\033[0m" if self.color and text else text

    def severity(self, severity: str, text: str) -> str:
        """A word in the colour of a severity."""
        return self._wrap(_COLORS[severity], text)

    def colored(self, codes: str, text: str) -> str:
        """A text in a colour of the terminal, by its numbers."""
        return self._wrap(codes, text)

    def bold(self, text: str) -> str:
        """A heading or a path."""
        return self._wrap("1", text)

    def frame(self, text: str) -> str:
        """The lines around the code."""
        return self._wrap("1;34", text)


def printable(text: str) -> str:
    """A text without tabs and control characters."""
    text = text.replace("\t", "    ")
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def width(text: str) -> int:
    """How many cells of a terminal a printable text takes: most East Asian characters take two, marks none."""
    if text.isascii():
        return len(text)
    import unicodedata

    cells = 0
    for character in text:
        if not unicodedata.combining(character):
            cells += 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
    return cells


def shortened(text: str, most: int) -> str:
    """A printable text in so many cells, without its middle: both ends of a path say something."""
    if width(text) <= most:
        return text
    tail = most * 2 // 3  # the end says more
    return f"{text[: most - tail - 1]}…{text[-tail:]}"
