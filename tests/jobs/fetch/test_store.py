"""What was fetched is kept before all else, stored in one step, and tells when the past has changed."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from quantassay.harness import canonical, lock
from quantassay.jobs import call_budget, fetched_answers, fetched_bars
from quantassay.jobs.import_market import explain_bar, import_bars

MONDAY, TUESDAY, WEDNESDAY = (date(2025, 6, day) for day in (16, 17, 18))
NEXT_MORNING = datetime(2025, 6, 18, 0, 30, tzinfo=UTC)  # 09:30 on Wednesday in Seoul


def stored_hours(desk):
    return set(desk.stored()["taken_at"])


def test_two_calls_bring_a_session(desk, api):
    report = desk.fetch()
    assert [(str(day), board, source) for day, board, source in report.asked] == [
        ("2025-06-17", "KOSDAQ", "krx_openapi"), ("2025-06-17", "KOSPI", "krx_openapi"),
    ]  # fmt: skip
    assert (report.missing, report.passed_over, report.stored.new, len(api.seen)) == ((), (), 9, 2)
    held = desk.stored()
    assert set(held["ticker"]) == {
        "005930", "000660", "0126Z0", "068270", "207940", "005935", "247540", "196170", "950130",
    }  # fmt: skip
    assert held["taken_at"].unique().to_list() == [NEXT_MORNING]
    assert held["session"].unique().to_list() == [TUESDAY]
    assert held.filter(pl.col("ticker") == "950130")["volume"].item() == 5_000_000_000
    assert {source.split("/")[0] for source in held["source"]} == {"krx_openapi"}


def test_the_answer_is_kept_with_what_was_asked_and_when(desk, api):
    desk.fetch()
    [entry] = [one for one in desk.log()["files"] if "KOSPI" in one["file"]]
    path = desk.root / "data/fetches" / entry["file"]
    assert json.loads(path.read_bytes())["OutBlock_1"][0]["ISU_CD"] == "005930"
    note = canonical.read(path.with_suffix(fetched_answers.NOTE))
    assert note["digest"] == entry["digest"] == canonical.sha256(path.read_bytes())
    right = {"source": "krx_openapi", "prices": "raw", "market": "XKRX", "board": "KOSPI", "session": "2025-06-17"}
    assert entry["fetch"] | right | {"instead_of": []} == entry["fetch"]
    assert entry["fetch"]["request"]["url"] == f"{api.root}/svc/apis/sto/stk_bydd_trd"
    assert entry["fetch"]["taken_at"] == NEXT_MORNING.isoformat()
    assert (entry["rows"], entry["loaded"], entry["ticker"]) == (6, True, None)
    lines = explain_bar(desk.root / "data", "XKRX", "/000660/2025-06-17/close")
    assert lines[0] == "close = 577000"
    assert lines[2] == f"{entry['file']} line 2 (file {entry['digest'][:19]})"
    everything = b"".join(p.read_bytes() for p in (desk.root / "data").rglob("*") if p.is_file())
    assert desk.key.encode() not in everything


def test_what_is_there_is_not_asked_for_again(desk, api):
    desk.fetch()
    report = desk.fetch()
    assert (report.asked, report.stored.changed, len(api.seen)) == ((), False, 2)
    report = desk.fetch(first=MONDAY)
    assert [(str(day), board) for day, board, _ in report.asked] == [("2025-06-16", "KOSDAQ"), ("2025-06-16", "KOSPI")]
    assert desk.stored()["session"].unique().sort().to_list() == [MONDAY, TUESDAY]


def test_a_changed_past_is_told_and_replaced_only_when_it_is_said(desk, api):
    desk.fetch()
    before = desk.stored()

    def revised(rows):
        rows[0]["TDD_CLSPRC"] = rows[0]["TDD_HGPRC"]
        return rows

    api.change = revised
    later = NEXT_MORNING + timedelta(hours=1)
    report = desk.fetch(again=True, now=later)
    assert desk.stored().equals(before)
    assert {issue.code for issue in report.differing} == {"bar_differs"}
    said = next(issue.says for issue in report.differing if "KOSPI" in issue.file)
    assert "first 005930 2025-06-17 (close 105300, now 105800); the old ones stay" in said
    assert "bar_differs" in {issue["code"] for issue in desk.log()["issues"]}
    report = desk.fetch(again=True, replace=True, now=later + timedelta(hours=1))
    assert (report.stored.replaced, report.differing) == (2, ())
    assert desk.stored().filter(pl.col("ticker") == "005930")["close"].item() == 105800
    codes = {issue["code"] for issue in desk.log()["issues"]}
    assert "superseded" in codes
    assert "bar_differs" not in codes


def test_bars_that_a_person_imported_stay_and_keep_their_foreign_figures(desk, api, tmp_path):
    source = tmp_path / "005930.csv"
    source.write_text("date,open,high,low,close,volume,외국인\n20250617,104200,105800,103900,105300,17204311,1234\n")
    import_bars(desk.root / "data", source, "XKRX")
    report = desk.fetch()
    mine = desk.stored().filter(pl.col("ticker") == "005930")
    assert (mine["source"].item(), mine["foreign_net_buy"].item(), report.differing) == ("005930.csv", 1234, ())
    api.change = lambda rows: [{**rows[0], "TDD_OPNPRC": "104,300"}, *rows[1:]]
    desk.fetch(again=True, replace=True, now=NEXT_MORNING + timedelta(hours=1))
    mine = desk.stored().filter(pl.col("ticker") == "005930")
    assert (mine["open"].item(), mine["foreign_net_buy"].item()) == (104300, 1234)
    # The file again says nothing new, so what was fetched since stays.
    assert not import_bars(desk.root / "data", source, "XKRX").changed


def test_bars_of_a_session_that_was_not_over_are_asked_for_again_and_give_way(desk):
    desk.change('out: {days_after: 0, at: "18:00"}', 'out: {days_after: 0, at: "09:00"}')
    desk.pykrx("good")
    during = datetime(2025, 6, 17, 2, 0, tzinfo=UTC)
    report = desk.fetch(now=during)
    assert {source for _, _, source in report.asked} == {"pykrx"}
    # Nothing says that they are complete but the hour, by which the session rule leaves them out.
    assert stored_hours(desk) == {during}
    # An answer from earlier in the session brings nothing to a later one.
    report = desk.fetch(now=during - timedelta(hours=1))
    assert (report.bars, report.stored.finished, stored_hours(desk)) == (7, 0, {during})
    report = desk.fetch()
    assert {source for _, _, source in report.asked} == {"krx_openapi"}
    # Of the names of the first, all came again, and with them one that it had left out.
    assert (report.stored.finished, report.stored.new, report.differing) == (7, 2, ())
    assert stored_hours(desk) == {NEXT_MORNING}
    # An answer from within the session brings nothing to a finished day.
    desk.fetch(source="pykrx", again=True, now=during + timedelta(hours=1))
    assert stored_hours(desk) == {NEXT_MORNING}


def test_bars_of_pykrx_pass_the_session_rule_like_any_other(desk):
    desk.change('out: {days_after: 0, at: "18:00"}', 'out: {days_after: 0, at: "09:00"}')
    desk.pykrx("good")
    desk.fetch(first=MONDAY, now=datetime(2025, 6, 17, 2, 0, tzinfo=UTC))
    said = desk.run("build", "evaluation_bars", "--as-of", "2025-06-17T19:00:00+09:00")
    assert said.code == 0, said.out + said.err
    names = json.loads((desk.root / "Temp/evaluation_bars_v1.json").read_bytes())["data"]["names"]
    # The session is over by now, and its bars were taken before it was.
    assert {one["session"] for one in names} == {"2025-06-16"}
    assert sum(one["dropped"] for one in names) == 7


def test_a_name_whose_row_does_harm_has_no_bar_and_waits_in_quarantine(desk, api):
    api.change = lambda rows: [{**rows[0], "TDD_CLSPRC": "-"}, *rows[1:]]
    report = desk.fetch()
    assert [(issue.code, issue.file.partition("#")[2]) for issue in report.refused] == [
        ("blank_value", "247540"), ("blank_value", "005930"),
    ]  # fmt: skip
    assert "005930" not in set(desk.stored()["ticker"])
    assert {one["ticker"] for one in desk.log()["files"] if not one["loaded"]} == {"005930", "247540"}
    assert len(list((desk.root / "data/imports/quarantine").glob("*.reason.json"))) == 2
    # Once the source has mended it, nothing is left to say.
    api.change = lambda rows: rows
    report = desk.fetch(again=True, now=NEXT_MORNING + timedelta(hours=1))
    assert report.stored.new == 2
    assert [one for one in desk.log()["files"] if not one["loaded"]] == []


def test_a_board_of_which_only_a_piece_came_is_refused_whole(desk):
    desk.change("KOSPI: {least_names: 2}", "KOSPI: {least_names: 600}")
    report = desk.fetch()
    assert [(one.board, one.waits) for one in report.missing] == [("KOSPI", False)]
    assert any("has 7 names where at least 600 must be: a piece of the board" in one.says for one in report.passed_over)
    assert set(desk.stored()["ticker"]) == {"247540", "196170", "950130"}
    assert [name for name in desk.answers() if "KOSPI" in name] == []


def test_a_run_that_died_between_answer_and_store_is_completed_by_the_next(desk, api, monkeypatch):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetched_bars, "store", die)
        with pytest.raises(KeyboardInterrupt):
            desk.fetch()
    assert (desk.stored().height, len(api.seen)) == (0, 2)
    # What has no note yet was never told to have come.
    desk.write("data/fetches/krx_openapi/XKRX_KOSPI_20250616_20250617T000000Z_00000000.json", "{")
    report = desk.fetch()
    assert (report.taken_up, report.asked, report.stored.new, len(api.seen)) == (2, (), 9, 2)
    # The whole store can be made again of the kept answers.
    held = desk.stored()
    shutil.rmtree(desk.root / "data/bars/XKRX")
    assert desk.fetch().taken_up == 2
    assert desk.stored().equals(held)
    assert len(api.seen) == 2


def test_a_fetch_that_is_stopped_stores_what_has_come(desk, api, monkeypatch):
    count = call_budget.take

    def stop(*arguments):
        if len(api.seen) == 2:
            raise KeyboardInterrupt
        return count(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(call_budget, "take", stop)
        with pytest.raises(KeyboardInterrupt):
            desk.fetch(first=MONDAY)
    assert desk.stored()["session"].unique().to_list() == [MONDAY]
    assert desk.fetch(first=MONDAY).stored.new == 9
    assert len(api.seen) == 4


def test_an_answer_that_was_edited_is_not_stored(desk, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fetched_bars, "store", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            desk.fetch()
    path = desk.root / "data/fetches/krx_openapi" / next(one for one in desk.answers() if "KOSPI" in one)
    path.write_bytes(path.read_bytes().replace(b"105,300", b"105,301"))
    with pytest.raises(fetched_answers.AnswerChanged, match="was changed after it was fetched"):
        desk.fetch()


def test_answers_of_a_source_that_was_refused_since_are_not_stored(desk, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fetched_bars, "store", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            desk.fetch()
    (desk.root / "governance/approvals/A002_krx_openapi_key.yaml").unlink()
    report = desk.fetch()
    assert (report.taken_up, desk.stored().height) == (0, 0)
    assert any(
        "answers of krx_openapi that were kept are not stored: no approval" in one.says for one in report.passed_over
    )


def test_one_fetch_at_a_time(desk, api):
    with lock.held(desk.root / "data/locks/fetch.lock"), pytest.raises(lock.Busy):
        desk.fetch()
    assert api.seen == []
