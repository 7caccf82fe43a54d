"""What the timeline predicts of real chains, against what happens in them: the layer and the second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from lg_stream_lint.timeline import Cut
from tests.evidence.chain_cases import CHAINS
from tests.evidence.chains import DEPLOY, Chain, Seen, lacks, observe, prediction, write
from tests.need import require

#: Seconds between what is predicted and what is seen, on a busy machine.
TOLERANCE = 0.6
#: Runs of a chain whose second is off: noise does not repeat.
ATTEMPTS = 3
AT_ONCE = 4
PORTS = {"app": 18000, "inner": 18001, "middle": 18002, "outer": 18003}

pytestmark = [pytest.mark.evidence, pytest.mark.xdist_group("chains")]
every = pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.name)


def predicted(chain: Chain, root: Path) -> Cut:
    """What the command says about the chain's files."""
    write(chain, root, PORTS)
    return prediction(chain, root)


@pytest.fixture(scope="module")
def observed(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[Seen]]]:
    """All chains that are asked for, a few at once: most of their time is silence."""
    asked = {
        item.callspec.params["chain"].name
        for item in request.session.items
        if isinstance(item, pytest.Function) and "observed" in item.fixturenames
    }
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {chain.name: pool.submit(observe, chain) for chain in CHAINS if chain.name in asked and not lacks(chain)}
    pool.shutdown(cancel_futures=True)


@every
def test_the_prediction_is_what_is_meant(chain: Chain, root: Path) -> None:
    cut = predicted(chain, root)
    assert (None if cut.at is None else (cut.at, cut.by)) == chain.expected


@every
def test_the_prediction_comes_true(chain: Chain, root: Path, observed: Mapping[str, Future[Seen]]) -> None:
    missing = lacks(chain)
    require(not missing, f"needs {', '.join(missing)}")
    cut = predicted(chain, root)
    seen = observed[chain.name].result()
    for _ in range(ATTEMPTS - 1):
        if in_time(cut, seen):
            break
        seen = observe(chain)
    shown = f"{cut}\n{seen.at} by {set(seen.by)}, status {seen.status}\n{seen.logs}"
    assert in_time(cut, seen), shown
    assert seen.by == ({cut.by} if cut.by else set()), shown
    if cut.layer is not None and cut.by != "model":
        assert seen.files == {Path(cut.layer.where.path).name}, shown
    if chain.question != DEPLOY and cut.by not in (None, "model"):
        assert str(seen.status) == cut.seen.partition(",")[0], shown


def in_time(cut: Cut, seen: Seen) -> bool:
    """Whether the second is the predicted one."""
    if cut.at is None or seen.at is None:
        return cut.at is None and seen.at is None
    return abs(seen.at - cut.at) <= TOLERANCE
