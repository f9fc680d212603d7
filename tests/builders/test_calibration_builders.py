"""Ledger, backlog and approval list: what they say on a small registry, and that two separate ways agree on any."""

import copy
import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantassay.domain.calibration.digest import digest

ROOT = Path(__file__).parents[2]
AS_OF = "2026-11-18T15:45:00+09:00"
EVENTS, OTHERS = "sha256:" + "1" * 64, "sha256:" + "2" * 64
SAMPLE, BACKTEST = "Thirty events were read one by one.", "The backtest of 2024 to 2026 holds."
PRIORS = dict.fromkeys(("signal", "limit", "data"), "EXPERT_PRIOR")
POLICY = {
    "calibrated": {"least_n": 30, "largest_adjusted_p": "0.5"},
    "evidence_days": 365,
    "least_status": {"paper": PRIORS},
}
PLAN = {"plan_id": "XKRX-2026-11-19-desk-hsms1", "account": {"id": "desk", "environment": "paper"}}
STATUSES = ("EXPERT_PRIOR", "PROVISIONAL", "CALIBRATED")


def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / room / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LEDGER, BACKLOG, LIST = (
    unit("builders", f"calibration_{name}") for name in ("change_ledger", "backlog", "approval_list")
)
CHAINED, REDERIVED, LISTED = (
    unit("validators", name) for name in ("change_notes_chained", "backlog_rederived", "approval_list_rederived")
)


def threshold(name, status="EXPERT_PRIOR", **more):
    given_ = {"unit": "ratio", "kind": "signal", "owner": "Desk", "review_on": "2027-02-20"}
    return {"id": f"hsms.{name}", "pointer": f"hsms:/{name}", "status": status, **given_, **more}


def chained(notes):
    """The notes with their ids and each with the digest of the one before."""
    made = []
    for number, note in enumerate(notes, 1):
        previous = digest(made[-1]) if made else None
        made.append({"id": f"C{number:04d}", "author": "Kim Mina", "reason": "Because.", "previous": previous, **note})
    return made


def change(name, status, value, before=None, **more):
    return {"threshold": f"hsms.{name}", "from": before, "to": status, "value": value, **more}


def built(thresholds, notes, studies, values):
    calibration = {
        "thresholds": thresholds,
        "plans": [{"artifact": "next_open_plan", "specs": ["hsms"]}],
        "provisional_review": ["hsms.band"],
    }
    spec_values = {"hsms": values, "calibration": calibration}
    ledger = LEDGER.build(notes, calibration, AS_OF)
    backlog = BACKLOG.build({"studies": studies}, ledger, POLICY, spec_values, PLAN, AS_OF)
    return calibration, spec_values, ledger, backlog


STUDY = {
    "id": "hsms_buy",
    "until": "2026-11-13",
    "direction": "up",
    "n": 30,
    "mean_return": "0.004100",
    "low": "-0.001",
    "high": "0.009",
    "adjusted_p": "0.04",
    "digest": EVENTS,
}
CLAIM = {"made_on": "2026-11-13", "sample_n": 30, "mean_return": "0.0041"}
FIGURES = {"sample_n": 30, "mean_return": "0.0041", "evidence": EVENTS}


@pytest.fixture
def desk():
    notes = chained(
        [
            {"date": "2026-11-10", "changes": [change("ratio", "EXPERT_PRIOR", "1.1")]},
            {
                "date": "2026-11-16",
                "changes": [
                    change("ratio", "CALIBRATED", "1.1", "EXPERT_PRIOR")
                    | {"sample_note": SAMPLE, "backtest_note": BACKTEST, **FIGURES}
                ],
            },
            {"date": "2026-11-19", "changes": [change("band", "PROVISIONAL", 9, sample_note=SAMPLE)]},
        ]
    )
    rows = [threshold("ratio", "CALIBRATED", study="hsms_buy", claim=CLAIM), threshold("band")]
    return [rows, notes, [copy.deepcopy(STUDY)], {"ratio": "1.1", "band": 9}]


def test_the_ledger_tells_every_note_and_which_of_them_count(desk):
    _, _, ledger, _ = built(*desk)
    assert [(note["id"], note["counts"], note["digest"]) for note in ledger["notes"]] == [
        (note["id"], counts, digest(note)) for note, counts in zip(desk[1], (True, True, False), strict=True)
    ]
    assert (ledger["head"], ledger["counted"], ledger["later"]) == (digest(desk[1][-1]), 2, 1)
    assert ledger["never_noted"] == ["hsms.band"]
    assert [
        (one["threshold"], one["value"], one["registered"]) for note in ledger["notes"] for one in note["changes"]
    ] == [
        ("hsms.ratio", "1.1", True),
        ("hsms.ratio", "1.1", True),
        ("hsms.band", "9", True),
    ]


def test_the_ledger_keeps_what_is_said_of_a_threshold_that_is_no_more(desk):
    desk[0] = desk[0][1:]
    _, _, ledger, _ = built(*desk)
    assert ledger["notes"][0]["changes"][0]["registered"] is False


def test_the_backlog_tells_what_holds_and_names_the_plans_of_what_does_not(desk):
    _, _, _, backlog = built(*desk)
    first, second = backlog["thresholds"]
    assert (first["effective"], first["why"], first["plans"], first["note"]) == ("CALIBRATED", [], [], "C0002")
    assert (first["recomputed"]["study"], first["recomputed"]["n"], first["verdict"]) == ("hsms_buy", 30, "supported")
    assert (second["value"], second["note"], second["recomputed"], second["claim"]) == ("9", None, None, None)
    desk[2][0].update(n=29, digest=OTHERS)
    _, _, _, backlog = built(*desk)
    first = backlog["thresholds"][0]
    assert (first["effective"], first["plans"]) == ("PROVISIONAL", [PLAN["plan_id"]])
    assert first["why"] == [
        "more is claimed than the bars give",
        "the events are no longer those of its change note",
        "the bars give too few events",
    ]
    assert (backlog["overclaimed_count"], backlog["demoted_count"]) == (1, 1)
    assert backlog["effective"] == {"EXPERT_PRIOR": 1, "PROVISIONAL": 1, "CALIBRATED": 0}
    assert backlog["specs"] == [{"spec": "hsms", "thresholds": 2}]
    assert backlog["plan"] == {"id": PLAN["plan_id"], "environment": "paper", **PRIORS}


def test_the_list_holds_what_is_provisional_and_what_a_review_is_asked_for(desk):
    desk[0][0]["status"] = "PROVISIONAL"
    desk[0].append(threshold("gap"))
    calibration, _, _, backlog = built(*desk)
    made = LIST.build(backlog, calibration)
    assert [(row["id"], row["source"], row["asks"]) for row in made["rows"]] == [
        ("hsms.ratio", "PROVISIONAL", "CALIBRATED"),
        ("hsms.band", "EXPERT_PRIOR", "PROVISIONAL"),
    ]
    assert made["left_out"] == {"EXPERT_PRIOR": 1, "PROVISIONAL": 0, "CALIBRATED": 0}
    shown = {name: value for name, value in made["rows"][0].items() if name != "digest"}
    assert made["rows"][0]["digest"] == digest(shown)
    assert (shown["sample_note"], shown["backtest_note"], shown["claim"]) == (SAMPLE, BACKTEST, CLAIM)
    desk[0][0]["owner"] = "Somebody else"
    calibration, _, _, backlog = built(*desk)
    assert LIST.build(backlog, calibration)["rows"][0]["digest"] != made["rows"][0]["digest"]


VALUES = st.sampled_from(["1.1", "1.10", "1.2"])
CLAIMS = st.none() | st.fixed_dictionaries(
    {
        "made_on": st.sampled_from(["2025-11-18", "2025-11-17", "2026-11-13", "2026-11-17", "2026-11-20"]),
        "sample_n": st.sampled_from([29, 30, 31]),
        "mean_return": st.sampled_from(["0.0041", "0.00410", "0.0042", "-0.0041"]),
    }
)
CHANGES = st.fixed_dictionaries(
    {
        "to": st.sampled_from(STATUSES),
        "value": VALUES,
        "date": st.sampled_from(["2026-11-10", "2026-11-16", "2026-11-19"]),
    },
    optional={
        "sample_note": st.just(SAMPLE),
        "backtest_note": st.just(BACKTEST),
        "sample_n": st.sampled_from([30, 31]),
        "mean_return": st.sampled_from(["0.0041", "0.0040"]),
        "evidence": st.sampled_from([EVENTS, OTHERS]),
    },
)
STUDIES = st.none() | st.builds(
    lambda **more: {**STUDY, **more},
    n=st.sampled_from([0, 29, 30, 31]),
    mean_return=st.sampled_from(["0.004100", "0.004149", "0.004151", "-0.004100", None]),
    direction=st.sampled_from(["up", "down"]),
    adjusted_p=st.sampled_from(["0.04", "0.5", "0.500001", None]),
)
REVIEWS = st.sampled_from(["2026-11-17", "2026-11-18", "2027-02-20"])


@settings(max_examples=400)
@given(st.sampled_from(STATUSES), CLAIMS, st.lists(CHANGES, max_size=4), STUDIES, VALUES | st.none(), REVIEWS)
def test_the_gates_work_out_the_same_in_another_way(status, claim, told, study, value, review):
    row = threshold("ratio", status, study="hsms_buy", review_on=review) | ({"claim": claim} if claim else {})
    notes = []
    for one in sorted(told, key=lambda change_: change_["date"]):
        said = {name: member for name, member in one.items() if name != "date"}
        notes.append({"date": one["date"], "changes": [{"threshold": "hsms.ratio", "from": None, **said}]})
    values = {} if value is None else {"ratio": value}
    calibration, spec_values, ledger, backlog = built([row], chained(notes), [study] if study else [], values)
    judged = [
        *REDERIVED.check(backlog, ledger, {"studies": [study] if study else []}, POLICY, spec_values, AS_OF),
        *LISTED.check(LIST.build(backlog, calibration), backlog, calibration),
    ]
    assert [(one.pointer, one.expected, one.actual) for one in judged if not one.ok] == []
    whole = [one for one in CHAINED.check(ledger, chained(notes), calibration, AS_OF) if one.artifact is None]
    assert [one.pointer for one in whole if not one.ok] == []
