"""What the evidence says of few events, of none, and of one event less."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from quantassay.domain.calibration import digest as canonical
from quantassay.domain.calibration.events import REASONS, Tally
from quantassay.domain.calibration.evidence import EVENTS, digest, evidence, measured

FIRST, LAST = "2026-01-02", "2026-11-18"


def asked(values=(("1.1", "in_force"),), elsewhere=0, least=2):
    study = {
        "id": "buys",
        "threshold": "hsms.volume_multiple",
        "event": "hsms_buy",
        "strategy": "hsms1",
        "direction": "up",
        "horizon_sessions": 1,
        "from": None,
        "to": None,
        "made_on": None,
        "values": [{"value": value, "source": source} for value, source in values],
    }
    return {
        "bootstrap": {"resamples": 200, "level": "0.95", "seed": 1, "least_sessions": least},
        "correction": "holm",
        "trials_total": len(values) + elsewhere,
        "studies": [study],
    }


def tallied(days):
    sums, sizes = (np.array([of[at] for of in days], np.int64) for at in (0, 1))
    return Tally(int(sizes.sum()) + 1, {**dict.fromkeys(REASONS, 0), "late": 1}, np.arange(len(days)), sums, sizes)


def rows(returns):
    day = date(2026, 1, 5).toordinal()
    events = [
        ("buys", "900010", *(date.fromordinal(day + 7 * n + k) for k in range(3)), 10_000, 10_000, ppm)
        for n, ppm in enumerate(returns)
    ]
    return pl.DataFrame(events, schema=EVENTS, orient="row")


def figures(days, least=2):
    [study] = measured(asked(least=least), [tallied(days)], FIRST, LAST)
    return study["trials"][0]


def test_of_no_event_nothing_is_known():
    one = figures([])
    assert (one["n"], one["sessions"]) == (0, 0)
    assert [one[name] for name in ("mean_return", "low", "high", "p_value", "adjusted_p")] == [None] * 5


def test_one_event_has_a_return_and_no_certainty():
    one = figures([(1234, 1)])
    assert (one["n"], one["mean_return"]) == (1, "0.001234")
    assert [one[name] for name in ("low", "high", "p_value", "adjusted_p")] == [None] * 4


def test_many_events_of_one_day_give_no_certainty_either():
    one = figures([(90_000, 30)])
    assert (one["n"], one["sessions"], one["mean_return"], one["p_value"]) == (30, 1, "0.003000", None)


def test_a_steady_effect_is_certain_and_tries_make_it_less_so():
    days = [(1000, 1)] * 5
    [study] = measured(asked(), [tallied(days)], FIRST, LAST)
    [one] = study["trials"]
    assert (one["low"], one["high"], one["p_value"], one["adjusted_p"]) == (
        "0.001000",
        "0.001000",
        "0.004975",
        "0.004975",
    )
    [study] = measured(asked(elsewhere=9), [tallied(days)], FIRST, LAST)
    assert study["trials"][0]["adjusted_p"] == "0.049751"


def test_all_values_of_all_studies_are_corrected_together():
    spec = asked((("1.0", "declared"), ("1.1", "in_force")))
    spec["studies"].append({**spec["studies"][0], "id": "others"})
    spec["trials_total"] = 4
    steady, none = tallied([(1000, 1)] * 5), tallied([(-1000, 1)] * 5)
    told = measured(spec, [steady, none, none, steady], FIRST, LAST)
    adjusted = [trial["adjusted_p"] for study in told for trial in study["trials"]]
    assert adjusted == ["0.019900", "1.000000", "1.000000", "0.019900"]


@pytest.mark.parametrize("gone", [0, 13, 29])
def test_one_event_less_is_one_less_in_n_and_another_digest(gone):
    kept = rows(range(1, 31))
    counted = tallied([(1, 1)] * 30)
    [whole] = evidence(asked(), [counted], kept, FIRST, LAST)["studies"]
    fewer = pl.concat([kept.head(gone), kept.slice(gone + 1)])
    [less] = evidence(asked(), [counted], fewer, FIRST, LAST)["studies"]
    assert (whole["n"], less["n"]) == (30, 29)
    assert whole["trials"][0]["n"] == 30
    assert whole["digest"] != less["digest"]
    assert less["mean_return"] == f"0.{(2 * (465 - gone - 1) + 29) // 58:06}"


def test_the_value_in_force_has_the_figures_of_the_events():
    spec = asked((("1.0", "declared"), ("1.1", "in_force")))
    [study] = evidence(spec, [tallied([(7, 1)] * 3), tallied([(1, 1)] * 9)], rows([5, 6]), FIRST, LAST)["studies"]
    assert [trial["n"] for trial in study["trials"]] == [3, 2]
    assert (study["n"], study["sessions"], study["mean_return"]) == (2, 2, "0.000006")
    assert (study["found"], study["late"]) == (10, 1)


def test_the_digest_is_that_of_the_rows_whatever_their_order():
    kept = rows([1, -2, 3])
    plain = [
        [ticker, str(session), str(entry), str(leave), *numbers]
        for _, ticker, session, entry, leave, *numbers in kept.rows()
    ]
    assert digest(kept) == canonical.digest(plain)
    assert digest(kept.reverse()) == digest(kept)
    assert digest(kept.clear()) == canonical.digest([])
