"""The sell rules beside the older program's answers on real bars: the same without corrections, explained with them."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EVERY = 15


@pytest.fixture(scope="module")
def compared(shared):
    """A share of the answers; benchmarks/oracles.py compares all of them."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import oracle_sell  # noqa: PLC0415
    import oracles  # noqa: PLC0415

    sys.path.remove(str(ROOT / "benchmarks"))
    oracle = json.loads((shared / "oracles/sell.json").read_text(encoding="utf-8"))
    oracle["cases"] = oracle["cases"][::EVERY]
    return oracle_sell, oracle_sell.compare(oracle, oracles.bars_of(shared / "data/kosdaq_daily"))


def test_without_corrections_every_answer_is_the_older_program_s(compared):
    _, found = compared
    assert found.rows > 1200
    assert found.differing == []


def test_every_answer_that_a_correction_changes_says_which(compared):
    module, found = compared
    assert found.unexplained == []
    assert found.corrected_same + sum(found.explained.values()) == found.rows
    named = {one for why in found.explained for one in why.partition(": ")[2].replace(" + ", " / ").split(" / ")}
    assert named <= set(found.sentences)
    assert {"trail_holds", "profit_protection", "hard_stop_band", "stop_override", "time_in_sessions"} <= named
    assert set(found.sentences) == {*module.sell_generic.CORRECTIONS, *module.sell_hybrid.CORRECTIONS}
