from datetime import date
from pathlib import Path

import pytest

from quantassay.findings import Finding
from quantassay.harness import canonical, rulebook, schemas, waivers

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 18)
RULES = rulebook.parse(
    {"id": id_, "statement": "s", "why": "w", "enforced_by": ["caps"], "severity": "error", "waivable": waivable}
    for id_, waivable in (("R03.5", True), ("R03.3", False))
)


def waiver(**changes):
    written = {
        "id": "W001",
        "rule": "R03.5",
        "artifact": "next_open_plan",
        "pointer": "/orders/*/value",
        "reason": "The merger closes on Friday.",
        "approver": "Kim Mina",
        "expires": "2026-11-30",
    }
    return {**written, **changes}


def finding(pointer="/orders/3/value", rule="R03.5", gate="caps", artifact="next_open_plan"):
    return Finding(rule, gate, "error", artifact, pointer, "too large")


def ruled(findings, given, today=TODAY, beyond=()):
    return waivers.rule_on(findings, waivers.parse(given), RULES, today, frozenset(beyond))


def verdicts(ruling):
    return [(one.pointer, one.ok, one.says) for one in waivers.judge(ruling.states, RULES)]


def test_a_waiver_takes_its_findings_out_and_says_how_long_it_holds():
    kept = finding("/orders/3/price")
    ruling = ruled([finding(), kept, finding("/orders/9/value")], [waiver()])
    assert ruling.active == (kept,)
    assert [one.finding.pointer for one in ruling.waived] == ["/orders/3/value", "/orders/9/value"]
    assert {one.waiver.approver for one in ruling.waived} == {"Kim Mina"}
    (state,) = ruling.states
    assert (state.state, state.days_left, state.findings) == ("active", 12, 2)
    assert verdicts(ruling) == [("/W001", True, "")]


@pytest.mark.parametrize(
    "other",
    [
        finding("/orders/3/value/0"),
        finding("/orders/3"),
        finding(rule="R03.3"),
        finding(artifact="signals"),
    ],
)
def test_a_waiver_covers_nothing_else(other):
    ruling = ruled([other], [waiver()])
    assert ruling.active == (other,)
    assert not ruling.waived
    assert ruling.states[0].state == "unused"


def test_a_waiver_for_one_gate_leaves_the_others():
    ruling = ruled([finding(gate="caps"), finding(gate="caps_again")], [waiver(gate="caps")])
    assert [one.gate for one in ruling.active] == ["caps_again"]


def test_a_pattern_with_two_stars_covers_any_depth():
    ruling = ruled([finding("/orders/3/value/0/x"), finding("/cash")], [waiver(pointer="/orders/**")])
    assert [one.pointer for one in ruling.active] == ["/cash"]


def test_a_waiver_holds_through_its_last_day_and_not_a_day_longer():
    last = ruled([finding()], [waiver()], date(2026, 11, 30))
    assert (last.states[0].state, last.states[0].days_left, last.active) == ("active", 0, ())
    after = ruled([finding()], [waiver()], date(2026, 12, 1))
    assert (after.states[0].state, after.states[0].days_left) == ("expired", -1)
    assert after.active == (finding(),)
    assert not after.waived
    assert verdicts(after) == [("/W001", False, "expired on 2026-11-30; 1 finding is back")]


def test_an_unused_waiver_is_a_finding():
    ruling = ruled([], [waiver()])
    ((pointer, ok, says),) = verdicts(ruling)
    assert (pointer, ok) == ("/W001", False)
    assert says == "covers no finding: nothing at next_open_plan/orders/*/value breaks R03.5 any more"


def test_a_rule_that_nobody_may_waive_stays():
    ruling = ruled([finding(rule="R03.3")], [waiver(rule="R03.3")])
    assert len(ruling.active) == 1
    assert ruling.states[0].state == "refused"
    assert verdicts(ruling) == [("/W001", False, "waives R03.3, which nobody may waive")]


def test_a_waiver_of_an_unknown_rule_is_refused():
    ruling = ruled([finding(rule="R99.1")], [waiver(rule="R99.1")])
    assert len(ruling.active) == 1
    assert verdicts(ruling) == [("/W001", False, "waives R99.1, which governance/rules does not know")]


def test_findings_beyond_waiving_stay_and_do_not_use_a_waiver():
    whole = finding("")
    ruling = ruled([whole], [waiver(pointer="/**")], beyond=[whole])
    assert ruling.active == (whole,)
    assert ruling.states[0].state == "unused"


def test_two_waivers_of_one_finding_are_both_used_and_the_first_takes_it():
    ruling = ruled([finding()], [waiver(id="W002", pointer="/orders/3/value"), waiver(id="W001")])
    assert [one.state for one in ruling.states] == ["active", "active"]
    assert [one.waiver.id for one in ruling.waived] == ["W001"]


def test_waived_findings_stand_in_the_order_of_the_findings():
    given = [waiver(id="W001", pointer="/orders/9/value"), waiver(id="W002", pointer="/orders/3/value")]
    ruling = ruled([finding("/orders/3/value"), finding("/orders/9/value")], given)
    assert [(one.finding.pointer, one.waiver.id) for one in ruling.waived] == [
        ("/orders/3/value", "W002"),
        ("/orders/9/value", "W001"),
    ]


def test_an_expired_waiver_tells_how_many_findings_are_back():
    for findings, says in (
        ([], "0 findings are back"),
        ([finding(), finding("/orders/4/value")], "2 findings are back"),
    ):
        ruling = ruled(findings, [waiver()], date(2026, 12, 1))
        assert verdicts(ruling) == [("/W001", False, f"expired on 2026-11-30; {says}")]


def test_an_expired_waiver_does_not_hide_one_in_force():
    ruling = ruled([finding()], [waiver(id="W001", expires="2026-11-01"), waiver(id="W002")])
    assert not ruling.active
    assert [one.state for one in ruling.states] == ["expired", "active"]


def test_a_waiver_that_stands_twice_is_refused():
    with pytest.raises(waivers.DuplicateWaiver, match="W001 stands twice"):
        waivers.parse([waiver(), waiver(expires="2026-12-31")])


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "because"},
        {"approver": ""},
        {"expires": "2026-02-30"},
        {"expires": "next week"},
        {"pointer": "orders"},
        {"owner": "x"},
    ],
)
def test_the_schema_refuses_a_bad_waiver(change):
    schema = canonical.read(ROOT / "spec/schemas/waiver.schema.json")
    assert not schemas.validate(schema, waiver())
    assert schemas.validate(schema, waiver(**change))


@pytest.mark.parametrize("missing", ["reason", "approver", "expires", "pointer", "artifact", "rule"])
def test_the_schema_wants_all_of_a_waiver(missing):
    schema = canonical.read(ROOT / "spec/schemas/waiver.schema.json")
    assert schemas.validate(schema, {key: value for key, value in waiver().items() if key != missing})
