"""`spec_values` holds every spec by name; it is known by what the specs say, and each number by its line."""

import pickle

import pytest

from quantassay.harness.inputs import Inputs
from quantassay.harness.pointers import PointerNotFound
from quantassay.harness.workspace import find
from quantassay.jobs import settings


def handed(toy):
    (one,) = settings.handed(Inputs(find(toy.root)))
    return one


@pytest.fixture
def specs(toy):
    toy.write("spec/10_limits.yaml", "# The lot.\nlot: 10\nsteps:\n  - {from: 0, tick: '0.5'}\n")
    toy.write("spec/20_plan.yaml", "days: 5\n")
    toy.builder("plan", "spec_values", "return spec_values")
    return toy


def test_every_spec_stands_there_by_the_name_that_units_read_it_by(specs):
    values = handed(specs).load()
    assert values["limits"] == {"lot": 10, "steps": [{"from": 0, "tick": "0.5"}]}
    # The artifact has the name, so the spec is read by another.
    assert values["plan_spec"] == {"days": 5}
    assert set(values) == {"limits", "plan_spec"}


def test_it_is_known_by_what_the_specs_say(specs):
    before = handed(specs).digest
    specs.write("spec/10_limits.yaml", "lot: 10   # shares\nsteps: [{tick: '0.5', from: 0}]\n")
    assert handed(specs).digest == before
    specs.write("spec/10_limits.yaml", "lot: 11\n")
    other = handed(specs).digest
    assert other != before
    specs.write("spec/30_more.yaml", "a: 1\n")
    assert handed(specs).digest not in (before, other)


def test_a_spec_that_changes_meanwhile_is_noticed_and_a_comment_is_not(specs):
    one = handed(specs)
    assert one.recheck() == one.digest
    specs.write("spec/20_plan.yaml", "days: 5   # trading days\n")
    assert one.recheck() == one.digest
    specs.write("spec/20_plan.yaml", "days: 6\n")
    assert one.recheck() != one.digest


def test_a_number_is_explained_by_its_line(specs):
    one = handed(specs)
    assert one.explain("/limits/lot") == ["spec/10_limits.yaml:2:6 10"]
    assert one.explain("/limits:~1steps~10~1tick") == ["spec/10_limits.yaml:4:21 0.5"]
    assert one.explain("/limits/steps") == ["spec/10_limits.yaml:4:3"]
    assert one.explain("/nothing/at") == ["spec/ holds no nothing"]
    assert one.explain("") == ["spec/: 2 specs"]
    with pytest.raises(PointerNotFound):
        one.explain("/limits/lost")


def test_it_can_be_sent_to_a_worker(specs):
    one = pickle.loads(pickle.dumps(handed(specs)))
    assert (one.load()["limits"]["lot"], one.recheck()) == (10, one.digest)


def test_a_desk_hands_it_in(new_desk):
    new_desk.run("build", "calibration_backlog")
    inputs = new_desk.made("calibration_backlog")["provenance"]["inputs"]
    assert [one["kind"] for one in inputs if one["name"] == "spec_values"] == ["handed"]
    told = new_desk.run("explain", "calibration_backlog#/thresholds/0/value").out
    assert "spec/11_calendars.yaml:" in told
