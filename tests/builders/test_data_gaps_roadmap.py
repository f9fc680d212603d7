"""The roadmap fits its schema, says where its numbers come from, and tells at every instant what was known by then."""

import importlib.util
import json
from pathlib import Path

import pytest
import yaml

from quantassay.harness import canonical, origins, schemas

ROOT = Path(__file__).parents[2]
CALENDAR = {
    "market": "XKRX",
    "zone": "Asia/Seoul",
    "currency": "KRW",
    "breaks": [],
    "segments": [],
    "first": "2026-11-02",
    "last": "2026-11-30",
    "regular_hours": [{"from": "2016-08-01", "open": "09:00", "close": "15:30"}],
    "sessions": [f"2026-11-{day:02}" for day in (*range(2, 7), *range(9, 14), *range(16, 21), *range(23, 28), 30)],
    "special_sessions": [{"session": "2026-11-19", "open": "10:00", "close": "16:30", "kind": "exam_day"}],
    "disputed": [],
}
EMPTY = {"short_balance": [], "etf_nav": [], "listing": []}
ATTEMPT = {
    "id": "P0001",
    "gap": "S5",
    "date": "2026-11-20",
    "at": "2026-11-20T01:00:00+00:00",
    "by": "assay probe",
    "procedure": "posted to https://example.org/, without a login: short balance",
    "login": False,
    "outcome": "login_required",
    "status": 400,
    "says": 'short balance: HTTP 400 with the body "LOGOUT", as recorded',
    "answers": [{"request": "short balance", "outcome": "login_required", "status": 400, "rows": None, "says": "x"}],
    "transcript": {"file": "P0001_S5_20261120T010000Z.json", "digest": f"sha256:{'a' * 64}", "bytes": 9},
    "previous": None,
}


def unit():
    spec = importlib.util.spec_from_file_location("roadmap", ROOT / "builders/data_gaps_roadmap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped():
    return yaml.safe_load((ROOT / "spec/16_data_gaps_roadmap.yaml").read_text(encoding="utf-8"))


def schema(stem):
    return json.loads((ROOT / f"spec/schemas/{stem}.schema.json").read_text(encoding="utf-8"))


def imported(file, at, last):
    return {"file": file, "imported_at": at, "first": last, "last": last}


def roadmap(as_of="2026-11-18T15:45:00+09:00", attempts=(), **feeds):
    return unit().build(shipped(), list(attempts), {"feeds": EMPTY | feeds}, CALENDAR, as_of)


def gap(made, name):
    return next(one for one in made["gaps"] if one["id"] == name)


WEEKLY = [
    imported("a.csv", "2026-11-06T23:00:00+00:00", "2026-11-04"),
    imported("b.csv", "2026-11-16T02:00:00+00:00", "2026-11-11"),
]


def test_the_shipped_roadmap_has_the_gaps_that_were_asked_for():
    made = roadmap()
    assert schemas.validate(schema("data_gaps_roadmap"), shipped()) == []
    assert {"S1", "S2", "S3", "S4", "S5"} <= {one["id"] for one in made["gaps"]}
    assert {field["name"] for field in gap(made, "S4")["fields"]} == {"nav", "inav", "premium", "tracking_error", "aum"}
    assert "short_balance_ratio" in {field["name"] for field in gap(made, "S5")["fields"]}
    told = gap(made, "S5")["attempts"]
    assert [(one["date"], one["status"], one["transcript"]) for one in told] == [("2026-06-22", 400, None)]
    assert all(one["no_transcript"] for one in told)
    assert gap(made, "S5")["manual"]["cadence"] == {
        "every": "week", "weekday": "Monday", "data_lag_sessions": 3, "amber_after": 1, "red_after": 2,
    }  # fmt: skip
    assert (made["counts"]["reviews_overdue"], made["counts"]["feeds_never"]) == (0, 2)


@pytest.mark.parametrize("feeds", [{}, {"short_balance": WEEKLY}])
def test_it_fits_its_schema_and_every_number_has_an_origin(feeds):
    module, made = unit(), roadmap(attempts=[ATTEMPT], **feeds)
    assert schemas.validate(schema("gap_attempt"), ATTEMPT) == []
    assert schemas.validate(schema("data_gaps_roadmap_v1"), made) == []
    assert canonical.dumps(made) == canonical.dumps(roadmap(attempts=[ATTEMPT], **feeds))
    inputs = [name for name in module.build.__annotations__ if name != "return"]
    rows = origins.coverage("data_gaps_roadmap", made, module.ORIGINS, inputs)
    assert rows
    assert [row for row in rows if row["bare"] or row["unknown"]] == []


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2026-11-06T15:00:00+09:00", ("never", None, 0, 2, 0, "without")),
        ("2026-11-07T09:00:00+09:00", ("fresh", "a.csv", 1, 1, 0, "fed")),
        ("2026-11-16T08:59:00+09:00", ("fresh", "a.csv", 1, 1, 0, "fed")),
        ("2026-11-16T09:00:00+09:00", ("amber", "a.csv", 1, 1, 1, "amber")),
        ("2026-11-16T11:00:00+09:00", ("fresh", "b.csv", 2, 0, 0, "fed")),
        ("2026-11-23T09:00:00+09:00", ("amber", "b.csv", 2, 0, 1, "amber")),
        ("2026-11-30T09:00:00+09:00", ("red", "b.csv", 2, 0, 2, "red")),
    ],
)
def test_a_feed_stands_as_it_did_at_the_instant(as_of, expected):
    one = gap(roadmap(as_of, short_balance=WEEKLY), "S5")
    told = [one["feed"][name] for name in ("state", "file", "files", "later", "missed")]
    assert [(*told, consumer["standing"]) for consumer in one["consumers"]] == [expected]


def test_what_is_due_next_is_due_at_the_open_of_its_session():
    made = roadmap("2026-11-18T15:45:00+09:00")
    assert gap(made, "S4")["feed"]["due_at"] == "2026-11-19T10:00:00+09:00"
    assert gap(made, "S5")["feed"]["due_at"] == "2026-11-23T09:00:00+09:00"
    assert gap(made, "S1")["feed"] == {
        "state": "none",
        "name": "none",
        **dict.fromkeys(set(gap(made, "S1")["feed"]) - {"state", "name"}),
    }


def test_an_answer_counts_until_a_review_follows_it():
    answered = ATTEMPT | {"outcome": "answered"}
    late = ATTEMPT | {"id": "P0002", "outcome": "timed_out", "date": "2026-11-21"}
    made = roadmap(attempts=[answered, late])
    assert (gap(made, "S5")["answered_on"], made["counts"]["answered"]) == ("2026-11-20", 1)
    assert [one["record"] for one in gap(made, "S5")["attempts"]] == [None, "P0001", "P0002"]
    early = ATTEMPT | {"date": "2026-01-05"}
    assert [one["record"] for one in gap(roadmap(attempts=[late, early]), "S5")["attempts"]] == ["P0001", None, "P0002"]
    before = roadmap(attempts=[answered | {"date": "2026-11-19"}])
    assert (gap(before, "S5")["answered_on"], before["counts"]["answered"]) == (None, 0)
