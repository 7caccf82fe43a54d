"""Every case of every evidence file, run for real."""

from __future__ import annotations

import os

import pytest

from tests.evidence.cases import Case, all_cases
from tests.evidence.harness import observe
from tests.evidence.libraries import missing
from tests.evidence.outcomes import words


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in all_cases()])
def test_the_fixture_shows_what_its_evidence_says(case: Case) -> None:
    """The fixture runs, and what is seen is what ``evidence.yaml`` promises."""
    if lacking := missing(case):
        reason = f"not installed: {', '.join(lacking)}"
        if os.environ.get("LGS_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    seen = observe(case)
    complaints = case.complaints(seen)
    assert not complaints, (
        f"{'; '.join(complaints)}\nseen: {sorted(words(seen))}\n{seen.text[-500:]}\n{seen.log[-3000:]}"
    )
