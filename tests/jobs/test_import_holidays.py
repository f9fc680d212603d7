"""`assay import holidays`: what the calendar does not know becomes governed overrides, and everything else is told."""

import json
from datetime import date

import pytest

from quantassay.harness import canonical
from quantassay.jobs import desk as desks
from quantassay.jobs.trading_days import trading_days

OVERRIDES = "governance/calendar_overrides.yaml"
# One row of each kind that the older program and the broker's service are known to write.
LIST = {
    "20250109": {"note": "National Day of Mourning", "is_open": False},
    "20241225": {"note": "Christmas", "is_open": 0},
    "20261120": {"note": "", "is_open": True},
    "20270105": {"note": 'Day of "mourning": #1', "is_open": "N"},
    "2027-07-06": "Storm",
    "20261126": {"note": "open after all", "is_open": "Y"},
    "20270106": {"note": "", "is_open": False},
    "20270301": {"note": "AMEX", "is_open": False},
    "20270302": {"note": "a note", "is_open": "maybe"},
    "20270303": {"natn_eng_abrv_cd": "JP", "note": "Dolls' Day", "is_open": False},
    "20290302": {"note": "a note", "is_open": False},
    "20270230": {"note": "a note", "is_open": False},
    "20270401": {},
    "20270402": 7,
}
NEW = [
    ("2026-11-26", "open", "open after all"),
    ("2027-01-05", "closed", 'Day of "mourning": #1'),
    ("2027-07-06", "closed", "Storm"),
]
IGNORED = {
    "20270106": "is said to be closed without a note, so nobody knows why",
    "20270301": "the note 'AMEX' names an exchange and no event",
    "20270302": "'maybe' says neither open nor closed",
    "20270303": "is of JP, not of XNYS",
    "20290302": "lies outside the calendar, 2000-01-03 to 2027-12-31",
    "20270230": "is no date",
    "20270401": "says neither that the exchange is open nor why it is closed",
    "20270402": "holds neither a note nor an object",
}


@pytest.fixture
def taken(new_desk):
    """Import a list and give what the command said, as JSON where it ended with a report."""

    def take(value, *options, name="holidays_us.json", code=0):
        path = new_desk.write(f"data/{name}", value if isinstance(value, str | bytes) else json.dumps(value))
        said = new_desk.run("import", "holidays", path, *(options or ("--market", "XNYS")), "--format", "json")
        assert said.code == code, said.err or said.out
        return json.loads(said.out) if said.out else said.err

    return take


def rows(new_desk):
    return desks.opened(new_desk.root).value("calendar_overrides")["overrides"]


def test_each_row_becomes_what_it_is_worth(new_desk, taken):
    before = (new_desk.root / OVERRIDES).read_bytes()
    told = taken(LIST)
    assert [(row["date"], row["state"], row["name"]) for row in told["written"]] == NEW
    assert (told["rows"], told["known"]) == (len(LIST), 3)
    assert {row["row"]: row["says"] for row in told["ignored"]} == IGNORED
    after = (new_desk.root / OVERRIDES).read_bytes()
    assert after.startswith(before), "everything that stood there stays, comments and all"
    assert rows(new_desk)[-3:] == told["written"]
    assert {row["source"] for row in told["written"]} == {f"holidays_us.json: {name}" for _, _, name in NEW}
    assert {row["market"] for row in told["written"]} == {"XNYS"}
    assert new_desk.run("specs", "check").code == 0


def test_the_same_list_again_changes_nothing(new_desk, taken):
    taken(LIST)
    before = (new_desk.root / OVERRIDES).read_bytes()
    told = taken(LIST)
    assert (told["written"], told["known"], told["refused"]) == ([], 6, [])
    assert (new_desk.root / OVERRIDES).read_bytes() == before


def test_the_new_rows_rule_in_the_calendar_of_their_market_alone(new_desk, taken, edit):
    taken({"20261118": {"note": "Storm", "is_open": False}})
    assert date(2026, 11, 18) in trading_days(desks.opened(new_desk.root)).sessions
    edit(new_desk, "spec/10_desk.yaml", "\nmarket: XKRX\n", "\nmarket: XNYS\n")
    assert date(2026, 11, 18) not in trading_days(desks.opened(new_desk.root)).sessions
    assert new_desk.run("build", "trading_calendar").code == 0
    built = canonical.read(new_desk.root / "Temp/trading_calendar_v1.json")["data"]
    assert {"date": "2026-11-18", "name": "Storm", "sources": ["override"]} in built["closed"]


def test_a_row_against_an_override_is_refused_in_a_sentence(new_desk, taken):
    before = (new_desk.root / OVERRIDES).read_bytes()
    value = {"20260603": {"note": "open", "is_open": True}, "20260717": {"note": "Constitution Day", "is_open": False}}
    told = taken(value, "--market", "XKRX", name="holidays_kr.json", code=1)
    assert told["known"] == 1
    assert told["refused"] == [
        {
            "row": "20260603",
            "says": "is said to be open, and governance/calendar_overrides.yaml says closed (Local Election Day; "
            "exchange_calendars #574, QuantLib #2685); correct the one that is wrong",
        }
    ]
    assert (new_desk.root / OVERRIDES).read_bytes() == before


def test_an_override_of_another_market_contradicts_nothing(taken):
    told = taken({"20260603": {"note": "open", "is_open": True}})
    assert (told["known"], told["refused"]) == (1, [])


def test_a_list_that_contradicts_itself_is_refused(taken):
    value = {"20270105": {"note": "Storm", "is_open": False}, "2027-01-05": {"note": "no storm", "is_open": True}}
    told = taken(value, code=1)
    assert [row["row"] for row in told["refused"]] == ["20270105", "2027-01-05"]
    assert told["written"] == []


def test_a_dispute_is_settled_by_a_row_with_a_note(new_desk, taken):
    told = taken({"20270503": {"note": "Labour Day, moved", "is_open": False}}, "--market", "XKRX")
    assert [row["date"] for row in told["written"]] == ["2027-05-03"]
    assert date(2027, 5, 3) not in trading_days(desks.opened(new_desk.root)).sessions


def test_rows_of_the_broker_s_service_open_nothing_and_settle_nothing(taken):
    answer = {
        "rt_cd": "0",
        "output": [
            {"TRD_DT": "20270105", "natn_eng_abrv_cd": "US", "base_event": "Storm"},
            {"trd_dt": "20261225", "tr_natn_cd": "840", "open_yn": "Y", "base_event": "Christmas"},
            {"trd_dt": "20270106", "tr_natn_cd": "156", "base_event": "Storm"},
            {"trd_dt": "20270107", "tr_natn_cd": "840"},
            {"acpl_sttl_dt": "20270108", "tr_natn_cd": "840", "base_event": "Settlement"},
            {"trd_dt": "20270108", "open_yn": "N", "evnt_nm": "아멕스"},
            7,
        ],
    }
    told = taken(answer)
    assert [(row["date"], row["name"]) for row in told["written"]] == [("2027-01-05", "Storm")]
    assert [(row["row"], row["says"]) for row in told["ignored"]] == [
        ("20261225", "a row that a service sent opens no day that the calendar has closed"),
        ("20270106", "is of 156, not of XNYS"),
        ("20270107", "says neither that the exchange is open nor why it is closed"),
        ("row 5", "has no trading day, only days of settlement"),
        ("20270108", "the note '아멕스' names an exchange and no event"),
        ("row 7", "is no object"),
    ]


def test_without_a_file_the_older_program_s_own_is_taken(new_desk, edit):
    edit(new_desk, "spec/10_desk.yaml", "\nmarket: XKRX\n", "\nmarket: XNYS\n")
    before = rows(new_desk)
    said = new_desk.run("import", "holidays")
    assert said.code == 2
    assert "data/holidays_us.json is no file; write `assay import holidays FILE --market XNYS`" in said.err
    new_desk.write("data/holidays_us.json", json.dumps(LIST))
    said = new_desk.run("import", "holidays", "-n")
    assert "14 rows read for XNYS: 3 new, 3 known already, 8 ignored, 0 refused" in said.out
    assert "nothing was written; import without --dry-run" in said.out
    assert rows(new_desk) == before
    assert "next: assay run" in new_desk.run("import", "holidays", "--market", "XNAS").out


def test_a_bad_file_is_one_sentence(new_desk, taken):
    before = (new_desk.root / OVERRIDES).read_bytes()
    told = taken("not json", code=2)
    assert told.startswith("assay: holidays_us.json is no JSON; give a file like ")
    assert told.count("\n") == 1
    assert (new_desk.root / OVERRIDES).read_bytes() == before


def test_an_unknown_market_is_one_sentence(taken):
    told = taken(LIST, "--market", "XTKS", code=2)
    assert "spec/11_calendars.yaml has no market 'XTKS'; it has XKRX, XNAS, XNYS, XSHE, XSHG" in told


def test_an_empty_or_an_odd_override_file(new_desk, taken):
    head = "# mine\n"
    new_desk.write(OVERRIDES, f"{head}overrides: []\n")
    taken({"20270105": "Storm"})
    text = (new_desk.root / OVERRIDES).read_text(encoding="utf-8")
    assert text.startswith(f'{head}overrides:\n  - {{market: "XNYS", date: "2027-01-05", state: "closed"')
    row = '{market: "XKRX", date: "2026-11-18", state: "closed", name: "Storm", source: "a", noted_on: "2026-11-18"}'
    new_desk.write(OVERRIDES, f"overrides: [{row}]\n")
    told = taken({"20270105": "Storm"}, code=2)
    assert "cannot be added to by program" in told
    assert 'write these rows by hand: - {market: "XNYS", date: "2027-01-05"' in told
    assert (new_desk.root / OVERRIDES).read_text() == f"overrides: [{row}]\n"
