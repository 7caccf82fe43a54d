"""The example in docs/timeline.md: its files, and what the command says of them.

``python -m tests.timeline_example`` writes the output on the page, and the picture beside it, anew.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.fronts import command
from tests.projects import ROOT

EXAMPLE = ROOT / "docs" / "timeline.md"
PICTURE = ROOT / "docs" / "timeline.svg"
#: The forms that are quoted on the page, and the fences that they stand in.
FORMS = {"text": "text"}

_FILE = re.compile(r'^```\w* title="(?P<path>[^"]+)"\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)


def files_of(page: str) -> dict[str, str]:
    """The files that the page shows, by their paths."""
    return {block["path"]: block["text"] for block in _FILE.finditer(page)}


def said(files: Mapping[str, str], root: Path, form: str) -> str:
    """What the command prints about the files, which are written to an empty folder first."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    answer = command("--timeline", "--isolated", "--color", "never", "--output-format", form, at=root)
    assert answer.code == 0, answer.err
    return answer.out


def main() -> None:
    """Write the outputs."""
    page = EXAMPLE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for form, fence in FORMS.items():
            block = f"```{fence}\n{said(files_of(page), root, form)}```"
            page = re.sub(
                rf"^```{fence}\n.*?^```$", lambda _, block=block: block, page, count=1, flags=re.DOTALL | re.MULTILINE
            )
        EXAMPLE.write_text(page, "utf-8")
        PICTURE.write_text(said(files_of(page), root, "svg"), "utf-8")


if __name__ == "__main__":
    main()
