"""One fixture by hand: ``python -m tests.evidence.run fixtures/LGS401/bad_raw_generator.py`` says what was seen."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.evidence.cases import Case, read
from tests.evidence.harness import observe, python
from tests.evidence.libraries import missing
from tests.evidence.observation import Observation
from tests.evidence.outcomes import words

LOG_LINES = 6


def describe(seen: Observation) -> str:
    """An observation in a few lines."""
    lines = [f"  seen    {', '.join(sorted(words(seen)))}"]
    if seen.status is not None:
        kind = seen.header("content-type") or "no content-type"
        times = f"headers at {seen.headers_at:.2f} s, {seen.ending} at {seen.ended_at:.2f} s"
        lines.append(f"  status  {seen.status}, {kind}, {times}")
    if seen.pieces:
        lines.append(f"  body    {len(seen.pieces)} pieces from {seen.first_at:.2f} to {seen.last_at:.2f} s")
        lines.append(f"          {seen.text[:70]!r} … {seen.text[-70:]!r}")
    if seen.worst_probe is not None:
        lines.append(f"  others  waited {seen.worst_probe:.2f} s at most, {len(seen.probes)} probes")
    for call in seen.model_calls:
        lines.append(f"  model   {call.tokens_sent} tokens, {call.ended}{'' if call.streamed else ', not streamed'}")
    last = [line for line in seen.log.splitlines() if line.strip() and "/__health" not in line][-LOG_LINES:]
    return "\n".join(lines + [f"  log     {line}" for line in last])


def chosen(arguments: list[str]) -> list[Case]:
    """The cases of the fixtures named; one without an evidence entry is run with the defaults."""
    cases: list[Case] = []
    for argument in arguments:
        path = Path(argument).resolve()
        evidence = (path if (path / "evidence.yaml").exists() else path.parent) / "evidence.yaml"
        known = read(evidence) if evidence.exists() else []
        if path not in (evidence, evidence.parent):
            app = "main:app" if path.is_dir() else f"{path.stem}:app"
            default = Case(path.parent.name, path, "no evidence entry", (), app=app)
            known = [case for case in known if case.path == path] or [default]
        cases += known
    return cases


def main(arguments: list[str]) -> int:
    """Run them, print what was seen; 1 when something is not as promised."""
    if not arguments:
        print(__doc__)
        return 2
    failed = 0
    for case in chosen(arguments):
        print(case.id, flush=True)
        if lacking := missing(case):
            print(f"  {python()} lacks {', '.join(lacking)}; LGS_EVIDENCE_PYTHON names another interpreter")
            failed = 1
            continue
        seen = observe(case)
        print(describe(seen), flush=True)
        for complaint in case.complaints(seen):
            failed = 1
            print(f"  WRONG   {complaint}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
