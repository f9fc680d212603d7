"""Builders that know the future are found, by at least one future at one cut, and one that does not is not."""

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from quantassay import cli
from quantassay.domain.market.other_futures import other_futures, some_names
from quantassay.harness import graph, rooms
from quantassay.harness.build import Request
from quantassay.harness.graph import BadInput
from quantassay.jobs import desk as desks
from quantassay.jobs import look_ahead

LEAKY = Path(__file__).parent / "leaky"
LEAKS = sorted(path.stem for path in LEAKY.glob("*.py") if path.stem != "honest")


def assay(folder, *arguments):
    assert cli.run(["-C", str(folder), "-q", *arguments]) == 0


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """The trials of the honest and the leaky builders on the sample desk."""
    root = tmp_path_factory.mktemp("leaky") / "desk"
    assay(root.parent, "init", "desk")
    assay(root, "build")
    shutil.copytree(LEAKY, root / "builders", ignore=shutil.ignore_patterns("__pycache__"))
    marker, spec = root / "spec/00_workspace.yaml", root / "spec/34_look_ahead.yaml"
    marker.write_text(marker.read_text().replace("own: false", "own: true"))
    names = ", ".join(f'"{name}"' for name in ("honest", *LEAKS))
    spec.write_text(
        f'artifacts: [{names}]\nsessions_back: [0, 3, 40]\nfutures: ["deleted", "shuffled", "poisoned"]\nnames: 40\n'
    )
    inputs = desks.built(root)
    return inputs, look_ahead.trials(inputs)


def found(trials, name):
    return [row for row in trials["trials"] if row["artifact"] == name and row["expected"] != row["actual"]]


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_found(tried, leak):
    rows = found(tried[1], leak)
    assert rows
    assert all(row["differs"] for row in rows)


def test_there_are_at_least_five_leaks_and_every_future_finds_some(tried):
    assert len(LEAKS) >= 5
    futures = {row["future"] for leak in LEAKS for row in found(tried[1], leak)}
    assert futures == {"deleted", "shuffled", "poisoned"}


def test_an_honest_builder_is_left_in_peace(tried):
    rows = [row for row in tried[1]["trials"] if row["artifact"] == "honest"]
    assert len(rows) == 3 * len(tried[1]["cuts"]) == 9
    assert not found(tried[1], "honest")


def test_the_cuts_lie_at_ends_of_sessions(tried):
    assert [cut["session"] for cut in tried[1]["cuts"]] == ["2026-11-18", "2026-11-13", "2026-09-17"]
    assert tried[1]["cuts"][1]["as_of"] == "2026-11-13T15:41:00+09:00"


def test_the_gate_names_the_artifact_the_session_and_the_future(tried):
    inputs, trials = tried
    gate = rooms.load(inputs.rooms.validators["no_look_ahead"])
    wrong = [one for one in gate.check(trials, inputs.value("look_ahead")) if not one.ok]
    assert {one.says.split()[0] for one in wrong} == set(LEAKS)
    assert any("last_row as of the end of 2026-11-13" in one.says and "deleted" in one.says for one in wrong)


def test_no_builder_may_read_the_trials(tmp_path):
    root = tmp_path / "desk"
    assay(tmp_path, "init", "desk")
    marker = root / "spec/00_workspace.yaml"
    marker.write_text(marker.read_text().replace("own: false", "own: true"))
    (root / "builders").mkdir(exist_ok=True)
    (root / "builders/knowing.py").write_text('"""Knows."""\n\n\ndef build(look_ahead_trials):\n    return {}\n')
    inputs, _ = desks.prepared(desks.opened(root), Request())
    with pytest.raises(BadInput, match="knowing reads 'look_ahead_trials'"):
        graph.order(inputs, ["knowing"])


def frame():
    days = [date(2026, 11, day) for day in (16, 17, 18, 19)]
    rows = [(name, day, 10.0 * n + day.day, 5) for n, name in enumerate("AB", 1) for day in days]
    closes = pl.DataFrame(rows, schema=["ticker", "session", "close", "volume"], orient="row")
    return closes.with_columns(open=pl.col("close"), high=pl.col("close"), low=pl.col("close"))


def test_other_futures_leave_the_past_alone_and_change_all_of_the_future():
    bars, last = frame(), date(2026, 11, 17)
    past = bars.filter(pl.col("session") <= last)
    for kind, other in other_futures(bars, last):
        assert_frame_equal(other.filter(pl.col("session") <= last), past)
        later = other.filter(pl.col("session") > last)
        assert later.height == (0 if kind == "deleted" else 4)
        if later.height:
            assert later.select("ticker", "session").equals(
                bars.filter(pl.col("session") > last).select("ticker", "session")
            )
            same = later["close"] == bars.filter(pl.col("session") > last)["close"]
            assert not same.fill_null(value=False).any()


def test_some_names_are_spread_evenly_and_hold_the_wanted_ones():
    names = [f"{n:02}" for n in range(30)]
    assert some_names(names, 5, {"29", "xx"}) == ["00", "07", "14", "21", "29"]
    assert some_names(names[:3], 5, set()) == names[:3]
    assert some_names([], 5, {"a"}) == []
