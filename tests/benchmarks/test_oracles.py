"""Our rules beside the recorded answers of the older programs: none differs, or a correction explains why."""

import importlib
import sys
from collections import Counter
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def oracles():
    """The comparison program and its kinds, as they are when somebody runs it."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("oracles"), importlib.import_module("oracle_kinds")
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize(("subject", "least"), [("indicators", 11_000), ("eval_index", 290), ("ema_cross", 4_900)])
def test_every_answer_is_the_same_or_explained(shared, oracles, subject, least):
    program, _ = oracles
    (found,) = program.compared(shared / "oracles", shared / "data/kosdaq_daily", [subject])
    told = found.comparison
    assert told.rows >= least
    assert told.same_as_older == told.rows, told.differing[:3]
    assert told.unexplained == []
    assert told.corrected_same + sum(told.explained.values()) == told.rows
    assert {
        name for cause in told.explained for name in cause.replace(" + ", " / ").split(" / ")
    } <= told.sentences.keys()


def test_a_wrong_answer_is_seen(shared, oracles):
    program, _ = oracles
    module = program.modules(["indicators"])["indicators"]
    bars = program.bars_of(shared / "data/kosdaq_daily")
    row = {"i": 0, "date": "20250102", "ema10": 150800.0002}
    found = module.compare({"symbols": {"000250": {"n": 234, "rows": [row]}}}, bars)
    assert (found.rows, found.same_as_older, len(found.unexplained)) == (1, 0, 1)
    assert program.failed(found)


def test_a_cause_is_each_that_does_alone_or_the_fewest_together(oracles):
    _, kinds = oracles
    ids = ("a", "b", "c")
    assert kinds.cause(lambda on: "b" in on, ids) == "b"
    assert kinds.cause(lambda on: bool(on & {"c", "a"}), ids) == "a / c"
    assert kinds.cause(lambda on: {"a", "c"} <= on, ids) == "a + c"
    assert kinds.cause(lambda on: on >= set(ids), ids) == "a + b + c"
    assert kinds.cause(lambda _: False, ids) is None


def test_the_page_tells_every_subject_and_correction(oracles):
    program, kinds = oracles
    some = kinds.Comparison(4, 4, 3, Counter(a=1), [], {"a": "Because."}, [])
    page = program.page([program.Compared("one", Path("one.json"), some, 0.1)])
    assert "| one | 4 | 4 | 3 | 1 | 0 |" in page
    assert "- `a`: Because." in page
