"""The three artifacts of the event studies: their gates agree on any market, and nothing later than a claim counts."""

import importlib.util
import json
import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantassay.harness import canonical, schemas

ROOT = Path(__file__).parents[2]
SCHEMA = {
    "ticker": pl.String,
    "session": pl.Date,
    "open": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Int64,
    "foreign_net_buy": pl.Int64,
}
HSMS = {
    "strategy": "hsms2",
    "average_window": 4,
    "sell_band": "0.98",
    "momentum_window": 2,
    "volume_window": 3,
    "volume_multiple": "0.9",
    "foreign_window": 2,
    "foreign_level": -50,
}
SESSIONS = [date(2026, 1, 5) + timedelta(7 * (n // 5) + n % 5) for n in range(45)]
CALENDAR = {"first": "2026-01-01", "sessions": [day.isoformat() for day in SESSIONS]}
CLAIM = SESSIONS[30]


def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / room / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDIES, EVENTS, EVIDENCE = (
    unit("builders", f"calibration_{name}").build for name in ("studies", "events", "evidence")
)
STUDIES_GATE, EVIDENCE_GATE = (unit("validators", f"{name}_rederived").check for name in ("studies", "evidence"))


def study(name, threshold, tried, **changes):
    given_ = {
        "id": name,
        "threshold": f"hsms.{threshold}",
        "event": "hsms_buy",
        "strategy": "hsms1",
        "from": None,
        "to": None,
        "horizon_sessions": 2,
        "direction": "up",
        "tried": tried,
    }
    return {**given_, **changes}


SPEC = {
    "bootstrap": {"resamples": 150, "level": "0.9", "seed": 5, "least_sessions": 4},
    "correction": "holm",
    "studies": [
        study("busy", "volume_multiple", ["0.9", "1.2"]),
        study("mean", "average_window", [2, 4, 80], horizon_sessions=1),
        study("rise", "momentum_window", [1], **{"from": "2026-01-20", "to": "2026-02-20"}),
        study("band", "sell_band", ["0.9", "1"], event="hsms_sell", direction="down"),
        study("both", "sell_band", ["0.97"], event="hsms_sell", direction="down", strategy="hsms2"),
        study("foreign", "foreign_level", [-50, 10], strategy="hsms2"),
        study("longer", "foreign_window", [1, 3], strategy="hsms2"),
    ],
}
CALIBRATION = {"thresholds": [{"id": "hsms.volume_multiple", "pointer": "hsms:/volume_multiple", "study": "busy"}]}
CALIBRATION["thresholds"][0]["claim"] = {"made_on": CLAIM.isoformat()}
CALIBRATION["thresholds"] += [
    {"id": f"hsms.{name}", "pointer": f"hsms:/{name}"} for name in HSMS if name not in ("strategy", "volume_multiple")
]
TRIED = [{"study": "busy", "value": "1.7"}, {"study": "gone", "value": 5}]


def market(seed):
    """Four names that jump about, with halts, holes, odd prices, and foreigners that are known now and then."""
    chance = random.Random(seed)
    rows = []
    for number in range(4):
        price = chance.randint(50, 200)
        for day in SESSIONS:
            price = max(price + chance.randint(-9, 9), 1)
            if chance.random() < 0.04:
                continue
            volume = chance.choice([0, None, *[chance.randint(1, 1000)] * 20])
            close = chance.choice([price + 0.5, None, float("nan"), *[float(price)] * 40])
            opened = float(max(price + chance.randint(-3, 3), 1))
            rows.append((f"90001{number}", day, opened, close, volume, chance.choice([None, -100, 0, 40, 200])))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def decided(bars):
    last = SESSIONS[-1]
    rows = bars.filter(pl.col("session") <= last).group_by("ticker").agg(pl.col("session").max()).sort("ticker")
    return {
        "session": last.isoformat(),
        "names": [{"ticker": ticker, "session": day.isoformat()} for ticker, day in rows.rows()],
    }


def built(bars):
    studies = STUDIES(SPEC, HSMS, CALIBRATION, TRIED)
    events = EVENTS(bars, decided(bars), CALENDAR, studies)
    kept = events.frame.sort(events.key)
    return studies, kept, EVIDENCE(bars, decided(bars), CALENDAR, studies, kept)


def of(found, name):
    return next(one for one in found[2]["studies"] if one["id"] == name)


def same_study(one, other, name):
    events = [found[1].filter(pl.col("study") == name) for found in (one, other)]
    apart = ("adjusted_p", "trials")  # these hang on the other studies too
    plain = [{key: value for key, value in of(found, name).items() if key not in apart} for found in (one, other)]
    return events[0].equals(events[1]) and canonical.dumps(plain[0]) == canonical.dumps(plain[1])


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_the_gates_come_to_the_same_by_another_way(seed):
    bars = market(seed)
    studies, events, evidence = built(bars)
    judged = [
        *STUDIES_GATE(studies, SPEC, HSMS, CALIBRATION, TRIED),
        *EVIDENCE_GATE(evidence, events, bars, decided(bars), CALENDAR, studies),
    ]
    assert len(judged) > 200
    assert [one for one in judged if not one.ok] == []


def test_the_market_of_these_tests_has_everything():
    found = [built(market(seed))[2] for seed in range(6)]
    for reason in ("outside", "late", "unfillable", "overlapping"):
        assert any(one[reason] for evidence in found for one in evidence["studies"])
    assert any(one["p_value"] for evidence in found for one in evidence["studies"])
    assert any(one["n"] and one["id"] == "foreign" for evidence in found for one in evidence["studies"])


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_the_order_of_rows_changes_no_byte(seed):
    bars = market(seed)
    mixed = bars.sample(fraction=1.0, shuffle=True, seed=seed)
    one, other = built(bars), built(mixed)
    assert one[1].equals(other[1])
    assert canonical.dumps(one[2]) == canonical.dumps(other[2])


def poison(bars, how):
    """The bars with everything after the claim made useless, in one of several ways."""
    later = pl.col("session") > CLAIM
    if how == "deleted":
        return bars.filter(~later)
    if how == "doubled":
        return pl.concat([bars, bars.filter(later)])
    if how == "new names":
        return pl.concat([bars, bars.filter(later).with_columns(ticker=pl.lit("999990"))])
    value = {"nan": float("nan"), "null": None, "thousandfold": pl.col("close") * 1000}[how]
    return bars.with_columns(
        *(pl.when(later).then(value).otherwise(pl.col(name)).alias(name) for name in ("open", "close")),
        pl.when(later).then(pl.col("volume") * 1000).otherwise(pl.col("volume")).alias("volume"),
        pl.when(later).then(-1).otherwise(pl.col("foreign_net_buy")).alias("foreign_net_buy"),
    )


@pytest.mark.parametrize("how", ["deleted", "doubled", "new names", "nan", "null", "thousandfold"])
def test_nothing_later_than_the_claim_is_used(how):
    for seed in range(4):
        bars = market(seed)
        before, after = built(bars), built(poison(bars, how))
        assert of(before, "busy")["n"] > 3
        assert of(before, "busy")["until"] == CLAIM.isoformat()
        assert same_study(before, after, "busy")
        # The control: a study without a claim does see the later bars.
        assert not same_study(before, after, "mean")


def test_events_do_not_know_the_bars_after_their_end():
    bars = market(1)
    whole = built(bars)[1].filter(pl.col("study") == "band")
    for day in SESSIONS[10:-1:7]:
        cut = built(bars.filter(pl.col("session") <= day))[1].filter(pl.col("study") == "band")
        assert cut.equals(whole.filter(pl.col("exit") <= day))


def test_a_doubled_bar_inflates_nothing():
    bars = market(2)
    doubled = pl.concat([bars, bars.gather_every(3)])
    one, other = built(bars), built(doubled)
    assert one[1].equals(other[1])
    for name in ("busy", "mean", "rise", "band"):
        plain, more = of(one, name), of(other, name)
        assert more["found"] == plain["found"] + more["duplicates"] > plain["found"]
        assert {**more, "found": 0, "duplicates": 0} == {**plain, "found": 0, "duplicates": 0}


def test_one_bar_less_of_thirty_events_leaves_twenty_nine():
    # One name that jumps up for a day every ten sessions: each jump is a buy, and they stand apart.
    sessions = [SESSIONS[0] + timedelta(7 * (n // 5) + n % 5) for n in range(300)]
    closes = [110.0 if n % 10 == 5 else 100.0 for n in range(300)]
    rows = [("900010", day, 99.0, close, 100, None) for day, close in zip(sessions, closes, strict=True)]
    bars = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    calendar = {"first": "2026-01-01", "sessions": [day.isoformat() for day in sessions]}
    last = {"session": sessions[-1].isoformat(), "names": [{"ticker": "900010", "session": sessions[-1].isoformat()}]}
    studies = STUDIES(SPEC, HSMS, CALIBRATION, TRIED)

    def told(known):
        events = EVENTS(known, last, calendar, studies).frame
        found = EVIDENCE(known, last, calendar, studies, events)
        return events, next(one for one in found["studies"] if one["id"] == "mean")

    events, whole = told(bars)
    spotted = events.filter(pl.col("study") == "mean")
    assert (whole["n"], whole["found"], spotted.height) == (30, 30, 30)
    for column, reason in (("exit", "unfillable"), ("entry", "unfillable")):
        _, less = told(bars.filter(pl.col("session") != spotted[column][17]))
        assert (less["n"], less[reason]) == (29, 1)
        assert less["digest"] != whole["digest"]
    _, less = told(bars.filter(pl.col("session") != spotted["session"][17]))
    assert (less["n"], less["found"]) == (29, 29)


def problems(spec):
    schema = json.loads((ROOT / "spec/schemas/event_studies.schema.json").read_text())
    return [problem.pointer for problem in schemas.validate(schema, spec)]


@pytest.mark.parametrize(
    ("threshold", "tried"),
    [
        ("average_window", ["20"]),
        ("momentum_window", [0]),
        ("foreign_window", [-5]),
        ("volume_window", [2501]),
        ("sell_band", ["1.5"]),
        ("sell_band", [1]),
        ("volume_multiple", ["-1"]),
        ("volume_multiple", [2]),
        ("foreign_level", ["0"]),
        ("foreign_level", [10**13]),
    ],
)
def test_the_spec_takes_no_value_that_its_threshold_cannot_have(threshold, tried):
    right = {**SPEC, "studies": [study("one", threshold, [HSMS[threshold]])]}
    assert problems(right) == []
    assert problems({**SPEC, "studies": [study("one", threshold, tried)]}) == ["/studies/0/tried/0"]


def test_the_artifacts_fit_their_schemas():
    studies, _, evidence = built(market(3))
    for name, data in (("calibration_studies", studies), ("calibration_evidence", evidence)):
        schema = json.loads((ROOT / f"spec/schemas/{name}_v1.schema.json").read_text())
        assert list(schemas.validate(schema, data)) == []
