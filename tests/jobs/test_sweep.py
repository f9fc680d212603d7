"""Values that somebody looked at are kept once, counted from then on, and never lost by a damaged file."""

import json

import pytest

from quantassay.errors import AssayError
from quantassay.harness import canonical
from quantassay.jobs import desk as desks
from quantassay.jobs import sweep, sweep_market
from quantassay.jobs.executors import Place
from quantassay.jobs.gate import OutOfDate

STUDY = "hsms_buy_volume_multiple"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def test_nobody_has_looked_at_anything_yet(data):
    assert sweep.read(data) == []


def test_values_are_kept_once_and_in_order(data):
    assert sweep.keep(data, "b", ["1.5", "1.2"]) == ["1.5", "1.2"]
    assert sweep.keep(data, "a", [7]) == [7]
    assert sweep.keep(data, "b", ["1.20", "1.3"]) == ["1.3"]
    kept = [("a", 7), ("b", "1.2"), ("b", "1.3"), ("b", "1.5")]
    assert [(one["study"], one["value"]) for one in sweep.read(data)] == kept
    before = sweep.place(data).read_bytes()
    assert sweep.keep(data, "b", ["1.5", "1.3"]) == []
    assert sweep.place(data).read_bytes() == before


def test_the_order_of_looking_changes_no_byte(data, tmp_path):
    sweep.keep(data, "a", [3])
    sweep.keep(data, "a", [1, 2])
    other = tmp_path / "other"
    sweep.keep(other, "a", [2, 3, 1])
    assert sweep.place(data).read_bytes() == sweep.place(other).read_bytes()


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"study": "a"}',
        '{"study": "a", "value": 1.5}',
        '{"study": "a", "value": true}',
        '{"study": "a", "value": "1e3"}',
        '{"study": "a", "value": "1."}',
        '{"study": 1, "value": 1}',
        '{"study": "a", "value": 1, "at": 2}',
        "",
    ],
)
def test_a_line_that_no_sweep_wrote_is_named(data, line):
    sweep.keep(data, "a", [1])
    path = sweep.place(data)
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(sweep.TriedDamaged, match=r"tried\.jsonl:2 is no value that a sweep has kept"):
        sweep.read(data)


def test_what_is_handed_is_known_by_its_content(desk):
    inputs = desks.built(desk.root)
    before = inputs.handed["values_tried"]
    assert before.load() == []
    sweep.keep(inputs.workspace.data, STUDY, ["1.7"])
    assert before.recheck() != before.digest
    after = desks.built(desk.root).handed["values_tried"]
    assert after.digest == before.recheck()
    assert after.load() == [{"study": STUDY, "value": "1.7"}]
    assert after.explain("") == ["1 values looked at with `assay calibration sweep`", f"{STUDY} at 1.7"]


def test_a_sweep_shows_what_the_build_found(desk):
    swept = sweep_market.run(desk.root, [], [], None)
    evidence = desk.made("calibration_evidence")["data"]
    assert swept.new == ()
    assert swept.result["trials_total"] == evidence["trials_total"]
    assert swept.result["marks"] == ["SAMPLE"]
    for one, other in zip(swept.result["studies"], evidence["studies"], strict=True):
        assert [{k: trial[k] for k in other["trials"][0]} for trial in one["trials"]] == other["trials"]
        current = next(trial for trial in one["trials"] if trial["current"])
        assert all(current[name] == other[name] for name in current if name in other)


def test_the_same_bytes_in_one_process_and_in_two(desk):
    one, two = (sweep_market.run(desk.root, [STUDY], [], Place(jobs)).result for jobs in (1, 2))
    assert canonical.dumps(one) == canonical.dumps(two)
    assert [study["id"] for study in one["studies"]] == [STUDY]


def test_a_value_that_was_looked_at_counts_in_the_next_build(desk):
    before = desk.made("calibration_evidence")["data"]
    swept = sweep_market.run(desk.root, [STUDY], ["1.20", "1.1", "1.3", "1.2"], None)
    assert swept.new == ("1.2",)
    assert swept.result["trials_total"] == before["trials_total"] + 1
    assert sweep.read(desk.root / "data") == [{"study": STUDY, "value": "1.2"}]
    again = sweep_market.run(desk.root, [STUDY], ["1.2"], None)
    assert again.new == ()
    assert again.result == swept.result
    assert desk.run("build", "calibration_evidence").code == 0
    after = desk.made("calibration_evidence")["data"]
    assert after["trials_total"] == before["trials_total"] + 1
    for one, other in zip(before["studies"], after["studies"], strict=True):
        assert (one["n"], one["p_value"], one["digest"]) == (other["n"], other["p_value"], other["digest"])
        assert float(one["adjusted_p"]) <= float(other["adjusted_p"])
    assert any(
        one["adjusted_p"] != other["adjusted_p"] for one, other in zip(before["studies"], after["studies"], strict=True)
    )


@pytest.mark.parametrize(
    ("studies", "values", "says"),
    [
        (["hsms_sell_bend"], [], "did you mean 'hsms_sell_band'"),
        (["zzz"], [], "there are hsms_buy_volume_multiple, "),
        ([], ["1"], "no study is named"),
        ([STUDY, "hsms_sell_band"], ["1"], "2 studies are named"),
        ([STUDY], ["one"], "write a plain number"),
        ([STUDY], ["1e3"], "write a plain number"),
        ([STUDY], ["nan"], "write a plain number"),
        ([STUDY], ["1_1"], "write a plain number"),
        ([STUDY], [""], "write a plain number"),
        ([STUDY], ["-1"], "a multiple of the mean below 100"),
        (["hsms_sell_band"], ["1.01"], "a part of the mean, above 0 and at most 1"),
        (["hsms_buy_volume_window"], ["2.5"], "only whole numbers can be"),
        (["hsms_buy_volume_window"], ["0"], "whole bars, at least one"),
        (["hsms_buy_foreign_level"], ["99999999999999"], "at most 1000000000000"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_and_not_kept(desk, studies, values, says):
    with pytest.raises(AssayError) as refused:
        sweep_market.run(desk.root, studies, values, None)
    assert says in str(refused.value)
    assert not sweep.place(desk.root / "data").exists()


def test_values_beyond_any_bar_are_events_of_none(desk):
    swept = sweep_market.run(desk.root, ["hsms_buy_average_window"], ["1000000000000"], None)
    [study] = swept.result["studies"]
    last = study["trials"][-1]
    assert (last["value"], last["n"], last["mean_return"], last["adjusted_p"]) == (10**12, 0, None, None)
    assert desk.run("run").code == 0


def test_a_sweep_refuses_what_is_out_of_date(desk, edit):
    edit(desk, "spec/12_evaluation_bar.yaml", "grace_minutes: 10", "grace_minutes: 11")
    with pytest.raises(OutOfDate, match="evaluation_bars is out of date"):
        sweep_market.run(desk.root, [], [], None)


def test_a_desk_that_was_never_built_is_told_to_build(new_desk):
    done = new_desk.run("calibration", "sweep")
    assert done.code == 1
    assert "run `assay build`" in done.err


def test_the_result_is_json(desk, tmp_path):
    out = tmp_path / "sweep.json"
    done = desk.run("calibration", "sweep", "hsms_sell_band", "--out", out)
    assert done.code == 0
    assert out.read_bytes() == canonical.dumps(json.loads(out.read_bytes()))
    assert [study["id"] for study in json.loads(out.read_bytes())["studies"]] == ["hsms_sell_band"]
