"""Runs the chains and writes what was predicted and seen into docs/timeline.md: ``python -m tests.evidence.chain_table``."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.evidence.chain_cases import CHAINS
from tests.evidence.chains import Chain, Seen, envoy, lacks, observe, prediction, write
from tests.evidence.libraries import installed
from tests.projects import ROOT

PAGE = ROOT / "docs" / "timeline.md"
_TABLE = re.compile(r"(?<=<!-- chains -->\n).*?(?=<!-- end -->)", re.DOTALL)
_PORTS = {"app": 18000, "inner": 18001, "middle": 18002, "outer": 18003}
_ASKED = {"silence": "a silence of {:g} s", "length": "an answer of {:g} s", "deploy": "a deploy"}


def row(chain: Chain, seen: Seen) -> str:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        write(chain, folder, _PORTS)
        cut = prediction(chain, folder)
    expected = "nothing" if cut.at is None else f"{cut.by}, {cut.at:g} s"
    status = f"; {seen.status}" if seen.status != 200 else ""
    found = "whole" if seen.at is None else f"{', '.join(sorted(seen.by))}, {seen.at:.2f} s{status}"
    return f"| {chain.name} | {_ASKED[chain.question].format(chain.seconds)} | {expected} | {found} |"


def versions() -> str:
    """What ran."""
    names = [name for name in ("uvicorn", "gunicorn", "hypercorn") if name in installed().versions]
    found = [f"{name} {installed().versions[name]}" for name in names]
    for name, command in (
        ("nginx", ["nginx", "-v"]),
        ("haproxy", ["haproxy", "-v"]),
        ("envoy", [str(envoy()), "--version"]),
    ):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        number = re.search(r"\d+\.\d+\.\d+", run.stdout + run.stderr)
        found.append(f"{name} {number[0]}" if number else name)
    return f"Run in {time.strftime('%B %Y')}: {', '.join(found)}."


def main() -> int:
    """Run all of them, and write the table."""
    lacking = sorted({name for chain in CHAINS for name in lacks(chain)})
    if lacking:
        print(f"needs {', '.join(lacking)}", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(3) as pool:
        rows = list(pool.map(lambda chain: row(chain, observe(chain)), CHAINS))
    head = "| chain | asked | predicted | seen |\n|---|---|---|---|\n"
    table = head + "".join(f"{text}\n" for text in rows) + f"\n{versions()}\n"
    PAGE.write_text(_TABLE.sub(lambda _: table, PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
