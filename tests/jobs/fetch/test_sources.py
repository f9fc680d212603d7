"""The sources of bars are asked in their order, each only where it may be, and each failure is on record."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from quantassay.feeds.day_answers import NoAnswer
from quantassay.harness import lock
from quantassay.jobs import call_budget
from quantassay.jobs.fetch_wish import NobodyFetches, NoSuchDays, OtherMarket, UnknownSource

MONDAY, TUESDAY, WEDNESDAY = (date(2025, 6, day) for day in (16, 17, 18))
NEXT_MORNING = datetime(2025, 6, 18, 0, 30, tzinfo=UTC)  # 09:30 on Wednesday in Seoul


def why(report):
    return [(one.source, one.why) for one in report.passed_over]


def test_without_days_the_latest_sessions_are_looked_at_and_today_may_wait(desk):
    desk.change("look_back_sessions: 10", "look_back_sessions: 2")
    report = desk.fetch(first=None, last=None)
    assert report.sessions == (TUESDAY, WEDNESDAY)
    assert [(one.session, one.waits) for one in report.missing] == [(WEDNESDAY, True), (WEDNESDAY, True)]
    assert ("krx_openapi", "not_out") in why(report)
    assert "krx_openapi has the figures of 2025-06-18 from 2025-06-19 08:00 on" in [
        one.says for one in report.passed_over
    ]  # fmt: skip


def test_days_on_which_nothing_can_be_are_named_and_nobody_is_asked(desk, api):
    for wish, says in (
        (
            {"first": date(2025, 6, 15), "last": date(2025, 6, 15)},
            "2025-06-15 is no session of XKRX; the one before is ",
        ),
        ({"first": date(2025, 6, 14), "last": date(2025, 6, 15)}, "no session from 2025-06-14 to 2025-06-15"),
        ({"last": date(2025, 6, 19)}, "2025-06-19 has not come yet at the exchange, where it is 2025-06-18"),
        ({"first": WEDNESDAY}, "--from 2025-06-18 lies after 2025-06-17"),
    ):
        with pytest.raises(NoSuchDays, match=says):
            desk.fetch(**wish)
    with pytest.raises(OtherMarket, match="this desk trades XKRX"):
        desk.fetch(market="XNYS")
    with pytest.raises(UnknownSource, match=r"the order in spec/33_bar_feeds\.yaml is krx_openapi, kis, pykrx, csv"):
        desk.fetch(source="yahoo")
    with pytest.raises(NobodyFetches, match="a person imports them with `assay import bars DIR"):
        desk.fetch(source="csv")
    assert api.seen == []


def test_an_empty_answer_for_a_session_is_no_holiday(desk, api):
    api.modes = ["empty"]
    report = desk.fetch()
    assert [one.waits for one in report.missing] == [False, False]
    assert {(one.source, one.why, one.board) for one in report.passed_over if one.session} == {
        ("krx_openapi", "no_rows", "KOSPI"), ("krx_openapi", "no_rows", "KOSDAQ"),
    }  # fmt: skip
    assert desk.stored().is_empty()
    assert desk.answers() == []


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("401", "wrong_key"), ("403", "wrong_key"), ("429", "busy"), ("500", "busy"), ("slow", "too_slow"),
        ("cut_json", "bad_answer"), ("html", "bad_answer"), ("many", "bad_answer"), ("cut", "bad_answer"),
    ],
)  # fmt: skip
def test_each_failure_lets_the_next_source_answer_and_is_recorded(desk, api, mode, kind):
    api.modes = [mode]
    desk.pykrx("good")
    report = desk.fetch()
    assert {source for _, _, source in report.asked} == {"pykrx"}
    assert ("krx_openapi", kind) in why(report)
    entry = next(one for one in desk.log()["files"] if one["file"].startswith("pykrx/XKRX_KOSPI"))
    assert [(one["source"], one["why"]) for one in entry["fetch"]["instead_of"]] == [
        ("krx_openapi", kind), ("kis", "not_allowed"),
    ]  # fmt: skip
    assert entry["fetch"]["prices"] == "raw"
    aside = list((desk.root / "data/imports/quarantine").glob("*.reason.json"))
    assert bool(aside) == (mode in ("cut_json", "html", "many"))


def test_one_board_may_fall_back_alone(desk, api):
    api.modes = ["kosdaq:401"]
    desk.pykrx("good")
    report = desk.fetch(first=MONDAY)
    assert {(board, source) for _, board, source in report.asked} == {("KOSPI", "krx_openapi"), ("KOSDAQ", "pykrx")}
    # The board that was refused is asked for once in a run.
    assert [path for path, *_ in api.seen].count("/svc/apis/sto/ksq_bydd_trd") == 1


def test_a_policy_without_a_reason_ends_there(desk, api):
    desk.change('"busy", "too_slow", "bad_answer"]', '"busy", "too_slow"]')
    api.modes = ["html"]
    desk.pykrx("good")
    report = desk.fetch()
    assert {source for _, _, source in report.asked} == {""}
    assert {one.source for one in report.passed_over} == {"krx_openapi"}
    assert len(report.missing) == 2


def test_a_source_that_is_named_is_asked_alone(desk, api):
    desk.pykrx("good")
    report = desk.fetch(source="pykrx")
    assert ({source for _, _, source in report.asked}, api.seen) == ({"pykrx"}, [])


@pytest.mark.parametrize("lost", ["source", "credential", "approval", "expired", "key"])
def test_what_is_not_allowed_is_not_asked(desk, api, monkeypatch, lost):
    says = {
        "source": "governance/data_sources.yaml refuses krx_openapi",
        "credential": "governance/credentials.yaml refuses krx_openapi_key",
        "approval": "no approval of the data source krx_openapi is in force; `assay approve data_source:krx_openapi`",
        "expired": "no approval of the data source krx_openapi is in force (A001:",
        "key": "krx_openapi is not asked: AUTH_KEY is not set; put the key into this environment variable",
    }[lost]
    if lost in ("source", "credential"):
        file = {"source": "data_sources", "credential": "credentials"}[lost]
        shutil.copy(Path(__file__).parents[3] / f"governance/{file}.yaml", desk.root / f"governance/{file}.yaml")
    elif lost == "key":
        monkeypatch.delenv("AUTH_KEY")
    else:
        (desk.root / "governance/approvals/A001_krx_openapi.yaml").unlink()
        if lost == "expired":
            desk.approve(date(2025, 4, 1))
    report = desk.fetch()
    assert says in next(one.says for one in report.passed_over if one.source == "krx_openapi")
    assert (api.seen, len(report.missing)) == ([], 2)
    assert not call_budget.place(desk.root / "data").exists()


def test_calls_are_counted_before_they_are_made_and_stop_at_the_budget(desk, api):
    data, key = desk.root / "data", desk.key
    desk.change("calls_per_day: 10000", "calls_per_day: 3")
    api.modes = ["429"]
    # Each of the questions that are put while the service is busy is a call.
    report = desk.fetch()
    assert (len(api.seen), call_budget.used(data, "krx_openapi", key, WEDNESDAY)) == (3, 3)
    said = "krx_openapi is not asked: all 3 calls of 2025-06-18 were made with this key"
    assert any(one.says.startswith(said) for one in report.passed_over)
    assert key not in call_budget.place(data).read_text()
    # At midnight in Seoul, and for another key, the count begins anew.
    api.modes = ["rows"]
    assert desk.fetch(now=datetime(2025, 6, 18, 15, 0, tzinfo=UTC)).missing == ()
    assert call_budget.used(data, "krx_openapi", key, date(2025, 6, 19)) == 2
    assert call_budget.used(data, "krx_openapi", "another key", date(2025, 6, 19)) == 0


def test_a_count_that_cannot_be_read_stops_everything(desk, api):
    for text in ("{", "[]", '{"krx_openapi": {"a": {"2025-06-18": -1}}}', '{"krx_openapi": 5}'):
        desk.write("data/fetches/calls.json", text)
        with pytest.raises(call_budget.CountUnreadable, match="nobody knows how many calls are left today"):
            desk.fetch()
    assert api.seen == []


def test_old_counts_are_dropped_and_no_call_is_lost_to_two_at_once(tmp_path):
    for _ in range(3):
        call_budget.take(tmp_path, "a", "key", date(2025, 1, 1), 5)
    assert call_budget.take(tmp_path, "a", "key", date(2025, 3, 1), 5) == 1
    assert call_budget.used(tmp_path, "a", "key", date(2025, 1, 1)) == 0
    with lock.held(tmp_path / "locks" / "calls.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(call_budget, "WAIT_S", 0.1)
        with pytest.raises(lock.Busy):
            call_budget.take(tmp_path, "a", "key", date(2025, 3, 1), 5)


@pytest.mark.parametrize(
    ("mode", "kind", "bad"),
    [("wraps", "amounts_contradict", {"005930", "000660"}), ("prints", "", set())],
)
def test_traps_of_pykrx_keep_names_out(desk, mode, kind, bad):
    desk.pykrx(mode)
    report = desk.fetch(source="pykrx")
    kospi = {"005930", "000660", "0126Z0", "068270", "005935"}
    assert kospi - set(desk.stored()["ticker"]) == bad
    assert {issue.code for issue in report.refused if "KOSPI" in issue.file} <= {kind, "negative_number"}
    chatter = list((desk.root / "data/fetches/chatter").glob("pykrx_*.txt"))
    assert bool(chatter) == (mode == "prints")
    # Its zeros of the name that nobody knows anything of are no bar.
    assert "900140" not in set(desk.stored()["ticker"])


@pytest.mark.parametrize(("mode", "kind"), [("all_zero", "no_rows"), ("empty", "no_rows"), ("refused", "crashed")])
def test_zeros_everywhere_are_no_session(desk, mode, kind):
    desk.pykrx(mode)
    report = desk.fetch(source="pykrx")
    assert {one for _, one in why(report)} == {kind}
    assert (desk.stored().height, desk.answers()) == (0, [])


def test_calls_that_are_made_at_once_are_all_counted(tmp_path):
    def take(_):
        return call_budget.take(tmp_path, "krx_openapi", "key", TUESDAY, 40)

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(take, range(40)))
    assert sorted(numbers) == list(range(1, 41))
    with pytest.raises(NoAnswer, match="all 40 calls of 2025-06-17 were made with this key"):
        take(41)
