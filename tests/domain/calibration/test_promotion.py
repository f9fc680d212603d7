"""What a threshold is worth: each thing that is wanting takes the status down, and none of them is believed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.calibration import promotion
from quantassay.domain.calibration.notes import Change
from quantassay.domain.calibration.registry import RANK, STATUSES, Claim, Threshold

DIGEST = "sha256:" + "1" * 64
ASKED = promotion.Terms(30, Decimal(1), 365, date(2026, 11, 18))
CLAIM = Claim("2026-11-13", 30, "0.0041")
STUDY = {"n": 30, "mean_return": "0.004100", "direction": "up", "adjusted_p": "0.04", "digest": DIGEST}
SAMPLE, BACKTEST = "Thirty events were read one by one.", "The backtest of 2024 to 2026 holds."


def threshold(status="CALIBRATED", claim=CLAIM, study="hsms_buy", review_on="2027-02-20"):
    return Threshold(
        "hsms.volume_multiple", "hsms", "/volume_multiple", "ratio", "signal", "Desk", status, study, review_on, claim
    )


def change(status, note="C0002", **more):
    given = {"date": "2026-11-16", "threshold": "hsms.volume_multiple", "before": None, "value": "1.1"}
    return Change(note, **{**given, "status": status, **more})


FIGURES = {"sample_n": 30, "mean_return": "0.0041", "evidence": DIGEST}
PRIOR = change("EXPERT_PRIOR", "C0001")
PROVISIONAL = change("PROVISIONAL", sample_note=SAMPLE)
CALIBRATED = change("CALIBRATED", "C0003", backtest_note=BACKTEST, **FIGURES)
TOLD = [PRIOR, PROVISIONAL, CALIBRATED]


def stands(given, value="1.1", told=TOLD, study=STUDY, asked=ASKED):
    found = promotion.standing(given, value, told, study, asked)
    return found.status, found.why


def test_what_is_noted_and_borne_out_holds():
    assert stands(threshold()) == ("CALIBRATED", ())
    assert stands(threshold("PROVISIONAL"), told=[PRIOR, PROVISIONAL]) == ("PROVISIONAL", ())
    assert stands(threshold("EXPERT_PRIOR", None), told=[], study=None) == ("EXPERT_PRIOR", ())


def test_one_note_may_do_both_steps():
    both = replace(CALIBRATED, sample_note=SAMPLE)
    assert stands(threshold(), told=[both]) == ("CALIBRATED", ())


@pytest.mark.parametrize(
    ("why", "study"),
    [
        (("overclaimed", "evidence_changed", "too_few"), {**STUDY, "n": 29, "digest": "sha256:" + "2" * 64}),
        (("overclaimed",), {**STUDY, "mean_return": "0.004049"}),
        (("overclaimed", "too_few"), {**STUDY, "n": 29}),
        (("evidence_changed",), {**STUDY, "digest": "sha256:" + "2" * 64}),
        (("unverifiable", "evidence_changed"), None),
        (("unverifiable", "too_few"), {**STUDY, "n": 0, "mean_return": None}),
    ],
)
def test_evidence_that_goes_takes_one_step(why, study):
    assert stands(threshold(), study=study) == ("PROVISIONAL", why)


def test_thirty_events_are_enough_and_twenty_nine_are_not():
    few = replace(CLAIM, sample_n=29)
    told = [PRIOR, PROVISIONAL, replace(CALIBRATED, sample_n=29)]
    assert stands(threshold(claim=few), told=told, study={**STUDY, "n": 29}) == ("PROVISIONAL", ("too_few",))
    assert stands(threshold(claim=few), told=told, study={**STUDY, "n": 30}) == ("CALIBRATED", ())


@pytest.mark.parametrize(
    ("largest", "adjusted_p", "status"),
    [
        ("1", None, "CALIBRATED"),
        ("1", "1.000000", "CALIBRATED"),
        ("0.05", "0.05", "CALIBRATED"),
        ("0.05", "0.050001", "PROVISIONAL"),
        ("0.05", None, "PROVISIONAL"),
    ],
)
def test_luck_counts_where_governance_asks(largest, adjusted_p, status):
    asked = replace(ASKED, largest_adjusted_p=Decimal(largest))
    found = stands(threshold(), study={**STUDY, "adjusted_p": adjusted_p}, asked=asked)
    assert found == (status, () if status == "CALIBRATED" else ("not_significant",))


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2027, 11, 13), ()),
        (date(2027, 11, 14), ("expired",)),
        (date(2026, 11, 16), ()),
    ],
)
def test_evidence_expires_the_day_after_its_last(day, why):
    asked = replace(ASKED, day=day)
    assert stands(threshold(), asked=asked) == ("PROVISIONAL" if why else "CALIBRATED", why)


def test_a_claim_made_after_its_note_or_after_the_run_counts_for_nothing():
    late = replace(CLAIM, made_on="2026-11-17")
    assert stands(threshold(claim=late)) == ("PROVISIONAL", ("claimed_later",))
    later = replace(CLAIM, made_on="2026-11-19")
    assert stands(threshold("PROVISIONAL", later), told=[PROVISIONAL]) == ("EXPERT_PRIOR", ("claimed_later",))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], ("EXPERT_PRIOR", ("no_note",))),
        ([PRIOR], ("EXPERT_PRIOR", ("no_note",))),
        ([PROVISIONAL, PRIOR], ("EXPERT_PRIOR", ("no_note",))),
        ([PRIOR, PROVISIONAL], ("PROVISIONAL", ("no_note",))),
        ([PRIOR, CALIBRATED], ("EXPERT_PRIOR", ("no_sample_note",))),
        ([PROVISIONAL, PRIOR, CALIBRATED], ("EXPERT_PRIOR", ("no_sample_note",))),
        ([PROVISIONAL, replace(CALIBRATED, backtest_note=None)], ("PROVISIONAL", ("no_backtest_note",))),
        ([PROVISIONAL, replace(CALIBRATED, sample_n=29)], ("PROVISIONAL", ("other_figures",))),
        ([PROVISIONAL, replace(CALIBRATED, mean_return="0.0042")], ("PROVISIONAL", ("other_figures",))),
        ([PROVISIONAL, replace(CALIBRATED, evidence=None)], ("PROVISIONAL", ("evidence_changed",))),
        ([replace(PROVISIONAL, value="1.2"), CALIBRATED], ("EXPERT_PRIOR", ("no_sample_note",))),
    ],
)
def test_what_the_notes_lack_is_named(told, expected):
    assert stands(threshold(), told=told) == expected


def test_a_note_of_a_later_day_counts_for_nothing():
    told = [PRIOR, PROVISIONAL, replace(CALIBRATED, date="2026-11-19")]
    assert stands(threshold(), told=told) == ("PROVISIONAL", ("no_note",))


@pytest.mark.parametrize("value", ["1.2", "11", None])
def test_another_value_takes_everything(value):
    assert stands(threshold(), value=value) == ("EXPERT_PRIOR", ("value_changed",))


def test_a_value_counts_and_not_how_it_is_written():
    assert stands(threshold(), value="1.10") == ("CALIBRATED", ())


def test_calibrated_without_a_claim_is_provisional():
    assert stands(threshold(claim=None)) == ("PROVISIONAL", ("no_claim",))


def test_a_provisional_note_without_figures_asks_for_none():
    assert stands(threshold("PROVISIONAL", None, None), told=[PROVISIONAL], study=None) == ("PROVISIONAL", ())
    claimed = threshold("PROVISIONAL")
    assert stands(claimed, told=[PROVISIONAL], study={**STUDY, "n": 31}) == ("PROVISIONAL", ())
    assert stands(claimed, told=[PROVISIONAL], study={**STUDY, "n": 29}) == ("EXPERT_PRIOR", ("overclaimed",))


def test_a_provisional_note_with_figures_is_held_to_them():
    bound = replace(PROVISIONAL, **FIGURES)
    assert stands(threshold("PROVISIONAL"), told=[bound]) == ("PROVISIONAL", ())
    assert stands(threshold("PROVISIONAL", None), told=[bound]) == ("EXPERT_PRIOR", ("other_figures",))
    other = {**STUDY, "digest": "sha256:" + "2" * 64}
    assert stands(threshold("PROVISIONAL"), told=[bound], study=other) == ("EXPERT_PRIOR", ("evidence_changed",))


@pytest.mark.parametrize(
    ("claimed", "found", "direction", "verdict"),
    [
        ((30, "0.0041"), (30, "0.004100"), "up", "supported"),
        ((30, "0.0041"), (30, "0.004149"), "up", "supported"),
        ((30, "0.0041"), (30, "0.004049"), "up", "overclaimed"),
        ((30, "0.00410"), (30, "0.004094"), "up", "overclaimed"),
        ((30, "0.0041"), (30, "0.004151"), "up", "underclaimed"),
        ((45, "0.0041"), (29, "0.004100"), "up", "overclaimed"),
        ((29, "0.0041"), (45, "0.004100"), "up", "underclaimed"),
        ((29, "0.0041"), (45, "0.001000"), "up", "overclaimed"),
        ((30, "-0.0041"), (30, "-0.004100"), "down", "supported"),
        ((30, "-0.0041"), (30, "-0.003000"), "down", "overclaimed"),
        ((30, "-0.0041"), (30, "-0.005000"), "down", "underclaimed"),
        ((30, "0.1"), (0, None), "up", "unverifiable"),
    ],
)
def test_a_claim_is_held_against_what_was_found_again(claimed, found, direction, verdict):
    study = {"n": found[0], "mean_return": found[1], "direction": direction}
    assert promotion.verdict(Claim("2026-11-13", *claimed), study) == verdict


def test_without_a_study_a_claim_cannot_be_worked_out_and_without_a_claim_there_is_nothing_to_say():
    assert promotion.verdict(CLAIM, None) == "unverifiable"
    assert promotion.verdict(None, STUDY) == "none"


@pytest.mark.parametrize(
    ("given", "value", "told", "study", "step"),
    [
        (threshold("EXPERT_PRIOR", None), "1.1", [PRIOR], STUDY, "study"),
        (threshold("EXPERT_PRIOR", None), "1.1", [PRIOR], {**STUDY, "n": 0}, "wait"),
        (threshold("EXPERT_PRIOR", None), "1.1", [PRIOR], None, "wait"),
        (threshold("EXPERT_PRIOR", None), "1.2", [PRIOR], None, "record"),
        (threshold("EXPERT_PRIOR", None), "1.1", [], None, "record"),
        (threshold("EXPERT_PRIOR", None), "1.1", [PRIOR, PROVISIONAL], None, "record"),
        (threshold("EXPERT_PRIOR", None, review_on="2026-11-17"), "1.1", [PRIOR], STUDY, "review"),
        (threshold("EXPERT_PRIOR", None, review_on="2026-11-18"), "1.1", [PRIOR], STUDY, "study"),
        (threshold("EXPERT_PRIOR"), "1.1", [PRIOR], {**STUDY, "n": 29}, "correct_claim"),
        (threshold("EXPERT_PRIOR"), "1.1", [PRIOR], None, "drop_claim"),
        (threshold("PROVISIONAL", None), "1.1", [PRIOR, PROVISIONAL], STUDY, "claim"),
        (threshold("PROVISIONAL", None, None), "1.1", [PRIOR, PROVISIONAL], None, "wait"),
        (threshold("PROVISIONAL"), "1.1", [PRIOR, PROVISIONAL], STUDY, "backtest"),
        (threshold("PROVISIONAL"), "1.1", [PRIOR], STUDY, "step_down"),
        (threshold(), "1.1", TOLD, STUDY, "wait"),
        (threshold(), "1.2", TOLD, STUDY, "restore_value"),
        (threshold(), "1.1", [PRIOR, PROVISIONAL], STUDY, "step_down"),
        (threshold(), "1.1", TOLD, {**STUDY, "digest": "sha256:" + "2" * 64}, "renew"),
    ],
)
def test_the_next_step_is_told(given, value, told, study, step):
    found = promotion.examine(given, value, told, study, ASKED)
    assert found.next == step
    assert promotion.NEXT[step].endswith(".")


def test_everything_that_is_known_comes_together():
    found = promotion.examine(threshold(review_on="2026-11-17"), "1.1", TOLD, {**STUDY, "n": 29}, ASKED)
    assert found == promotion.Examined("PROVISIONAL", ("overclaimed", "too_few"), "overclaimed", True, "correct_claim")
    assert set(found.why) <= set(promotion.WHY)


def test_the_terms_are_those_of_governance():
    policy = {"calibrated": {"least_n": 30, "largest_adjusted_p": "0.05"}, "evidence_days": 90, "least_status": {}}
    assert promotion.terms(policy, "2026-11-18") == promotion.Terms(30, Decimal("0.05"), 90, date(2026, 11, 18))


STATUS = st.sampled_from(STATUSES)
CHANGES = st.builds(
    change,
    STATUS,
    date=st.sampled_from(["2026-11-10", "2026-11-19"]),
    value=st.sampled_from(["1.1", "1.2"]),
    sample_note=st.sampled_from([None, SAMPLE]),
    backtest_note=st.sampled_from([None, BACKTEST]),
    sample_n=st.sampled_from([None, 30]),
    mean_return=st.sampled_from([None, "0.0041"]),
    evidence=st.sampled_from([None, DIGEST]),
)


@given(STATUS, st.sampled_from([None, CLAIM]), st.lists(CHANGES, max_size=4), st.sampled_from([None, STUDY]))
def test_no_status_is_above_what_is_claimed_and_what_falls_says_why(status, claim, told, study):
    found = promotion.standing(threshold(status, claim), "1.1", told, study, ASKED)
    assert RANK[found.status] <= RANK[status]
    assert bool(found.why) == (found.status != status)


@given(st.lists(CHANGES, max_size=4), st.sampled_from([None, CLAIM]))
def test_calibrated_always_has_its_notes_its_claim_and_its_events(told, claim):
    found = promotion.standing(threshold("CALIBRATED", claim), "1.1", told, STUDY, ASKED)
    if found.status == "CALIBRATED":
        counted = [one for one in told if one.date <= "2026-11-18"]
        assert claim is not None
        assert counted[-1].status == "CALIBRATED"
        assert counted[-1].evidence == DIGEST
        assert any(one.sample_note for one in counted)
        assert any(one.backtest_note for one in counted)
