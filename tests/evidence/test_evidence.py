"""Every case of every evidence file, run for real."""

from __future__ import annotations

import pytest

from tests.evidence.cases import Case, all_cases
from tests.evidence.libraries import missing
from tests.evidence.outcomes import words
from tests.evidence.table import observed
from tests.need import require


@pytest.mark.evidence
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in all_cases()])
def test_the_fixture_shows_what_its_evidence_says(case: Case) -> None:
    lacking = missing(case)
    require(not lacking, f"needs {', '.join(lacking)}")
    seen = observed(case)
    complaints, held = case.complaints(seen), ", ".join(sorted(words(seen)))
    shown = f"seen: {held}\nbody: …{seen.text[-500:]}\nlog: …{seen.log[-3000:]}"
    assert not complaints, f"{'; '.join(complaints)}\n{shown}"
