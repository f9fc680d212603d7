"""What a study asks: its values, its window, its claim."""

from datetime import date
from fractions import Fraction

import pytest

from quantassay.domain.calibration.studies import at, fits, in_force, settled, trials, windows
from quantassay.domain.signals.hsms import parameters

HSMS = {
    "strategy": "hsms2",
    "average_window": 20,
    "sell_band": "0.99",
    "momentum_window": 5,
    "volume_window": 20,
    "volume_multiple": "1.1",
    "foreign_window": 5,
    "foreign_level": 0,
}
BOOTSTRAP = {"resamples": 200, "level": "0.95", "seed": 1, "least_sessions": 2}
STUDY = {
    "id": "buys",
    "threshold": "hsms.volume_multiple",
    "event": "hsms_buy",
    "strategy": "hsms1",
    "from": None,
    "to": None,
    "horizon_sessions": 5,
    "direction": "up",
    "tried": ["1.5", "1.10", "1.0"],
}
SPEC = {"bootstrap": BOOTSTRAP, "correction": "holm", "studies": [STUDY]}


def asked(study=STUDY, thresholds=(), tried=(), hsms=HSMS):
    spec = {**SPEC, "studies": [study]}
    return settled(spec, hsms, {"thresholds": list(thresholds)}, list(tried))


def values(found):
    return [(one["value"], one["source"]) for one in found["studies"][0]["values"]]


def test_the_value_in_force_is_always_tried_and_a_value_counts_once_however_it_is_written():
    found = asked()
    assert values(found) == [("1.0", "declared"), ("1.1", "in_force"), ("1.5", "declared")]
    assert found["trials_total"] == 3
    assert in_force(found["studies"][0]) == 1


def test_a_value_in_force_that_nobody_declared_is_tried_too():
    found = asked(hsms={**HSMS, "volume_multiple": "1.25"})
    assert values(found) == [("1.0", "declared"), ("1.10", "declared"), ("1.25", "in_force"), ("1.5", "declared")]


def test_what_a_sweep_looked_at_counts():
    tried = [{"study": "buys", "value": "1.30"}, {"study": "buys", "value": "1.5"}, {"study": "gone", "value": 3}]
    found = asked(tried=tried)
    assert ("1.30", "looked_at") in values(found)
    assert ("1.5", "declared") in values(found)
    assert found["elsewhere"] == [{"study": "gone", "value": 3}]
    assert found["trials_total"] == 5


def test_a_value_of_another_kind_counts_and_is_not_run():
    found = asked(tried=[{"study": "buys", "value": 20}])
    assert found["elsewhere"] == [{"study": "buys", "value": 20}]
    assert found["trials_total"] == 4


@pytest.mark.parametrize(
    ("parameter", "value", "does"),
    [
        ("sell_band", "0.9", True),
        ("sell_band", 1, False),
        ("average_window", 1, True),
        ("average_window", 0, False),
        ("average_window", "20", False),
        ("foreign_level", -5, True),
        ("foreign_level", "5", False),
    ],
)
def test_what_fits_a_parameter(parameter, value, does):
    assert fits(parameter, value) is does


def test_the_parameters_are_those_in_force_without_the_choice_of_strategy():
    rules = asked()["rules"]
    assert rules == {name: value for name, value in HSMS.items() if name != "strategy"}


def test_the_earliest_claim_that_rests_on_the_study_counts():
    thresholds = [
        {"id": "a", "study": "buys", "claim": {"made_on": "2026-11-13"}},
        {"id": "b", "study": "buys", "claim": {"made_on": "2026-10-30"}},
        {"id": "c", "study": "others", "claim": {"made_on": "2020-01-02"}},
        {"id": "d", "study": "buys"},
        {"id": "e"},
    ]
    assert asked(thresholds=thresholds)["studies"][0]["made_on"] == "2026-10-30"
    assert asked()["studies"][0]["made_on"] is None


@pytest.mark.parametrize(
    ("given", "settled_to"),
    [
        ((None, None, None), ("1999-01-04", "2026-11-18", "2026-11-18")),
        (("2026-01-02", "2026-06-30", None), ("2026-01-02", "2026-06-30", "2026-11-18")),
        ((None, None, "2026-11-13"), ("1999-01-04", "2026-11-13", "2026-11-13")),
        ((None, "2026-11-16", "2026-11-13"), ("1999-01-04", "2026-11-13", "2026-11-13")),
        ((None, None, "2030-01-02"), ("1999-01-04", "2026-11-18", "2026-11-18")),
        (("1990-01-03", "2030-12-30", None), ("1999-01-04", "2026-11-18", "2026-11-18")),
    ],
)
def test_windows_end_with_the_claim_and_with_what_is_known(given, settled_to):
    study = dict(zip(("from", "to", "made_on"), given, strict=True))
    window = windows(study, "1999-01-04", "2026-11-18")
    assert (window["from"], window["to"], window["until"]) == settled_to


def test_a_trial_changes_one_parameter():
    found = asked()
    [(study, of)] = trials(found, "1999-01-04", "2026-11-18")
    rules = parameters(HSMS)
    assert study is found["studies"][0]
    assert [one.rules.volume_multiple for one in of] == [Fraction(1), Fraction("1.1"), Fraction("1.5")]
    assert of[1].rules == rules
    assert at(rules, "average_window", 60).average_window == 60
    first = of[0]
    assert (first.verdict, first.strategy, first.horizon) == ("buy", "hsms1", 5)
    assert (first.first, first.last, first.until) == (date(1999, 1, 4), date(2026, 11, 18), date(2026, 11, 18))
