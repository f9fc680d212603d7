"""The real downloads through the command: the right values, the right day of use, and the wrong kind turned away."""

import re
from datetime import date

import pytest

from quantassay.cli import run
from quantassay.jobs.imported_by_hand import listing_import, manual_log
from quantassay.jobs.manual_explain import fact, listing_line
from quantassay.store import manual_facts, manual_index

SHORTS = "data_공매도순보유잔고_전종목_KOSPI_20210127.csv"


@pytest.fixture
def imports(desk, shared, capsys):
    """Import a real file with the command; its exit code and what it says."""

    def do(command, file, *arguments):
        path = shared / "data" / file
        code = run(["-C", str(desk.root), "import", command, str(path), *arguments])
        return code, capsys.readouterr().out

    return do


def known(desk, *key):
    feed, ticker, day, field = key
    frame = manual_facts.read(desk.data).filter(feed=feed, ticker=ticker, session=date.fromisoformat(day), field=field)
    (one,) = frame.to_dicts()
    return one


def test_the_short_balances_of_a_day(desk, imports):
    code, out = imports("short-balance", f"krx_manual_csv/{SHORTS}", "--historic")
    assert (code, "919 rows, 4595 values: 4595 new, 0 corrected" in out) == (0, True)
    one = known(desk, "short_balance", "095570", "2021-01-27", "balance_shares")
    assert (one["value"], one["available_from"], one["row"], one["version"]) == ("33055", date(2021, 1, 29), 2, 1)
    assert known(desk, "short_balance", "095570", "2021-01-27", "balance_ratio")["value"] == "0.07"
    zero = known(desk, "short_balance", "001460", "2021-01-27", "balance_shares")
    assert (zero["value"], zero["note"]) == (None, "banned")
    lines = fact(desk.data, "/short_balance/095570/2021-01-27/balance_shares")
    assert lines[-1] == "row 2: 095570 | AJ네트웍스 | 33055 | 46822295 | 134864400 | 191034963600 | 0.07"
    before = desk.state()
    code, out = imports("short-balance", f"krx_manual_csv/{SHORTS}", "--historic")
    assert (code, "nothing changed" in out, desk.state() == before) == (0, True, True)


def test_an_old_file_is_refused_with_the_way_to_take_it(desk, imports):
    code, out = imports("short-balance", f"krx_manual_csv/{SHORTS}")
    assert code == 1
    assert re.search(r"file_too_old: .*--historic", out)
    assert not desk.store.exists()


def test_every_value_of_the_file_is_in_the_store(desk, imports, shared):
    imports("short-balance", f"krx_manual_csv/{SHORTS}", "--historic")
    lines = (shared / "data/krx_manual_csv" / SHORTS).read_text(encoding="cp949").splitlines()
    fields = ("balance_shares", "listed_shares", "balance_value", "market_value", "balance_ratio")
    frame = manual_facts.read(desk.data)
    stored = {(one["ticker"], one["field"]): one for one in frame.iter_rows(named=True)}
    assert frame.height == len(stored) == 5 * (len(lines) - 1)
    for number, line in enumerate(lines[1:], 2):
        ticker, _, *values = re.findall(r'"(.*?)"', line)
        for field, value in zip(fields, values, strict=True):
            one = stored[ticker, field]
            assert one["row"] == number
            is_zero = float(value) == 0 and field in ("balance_shares", "balance_value", "balance_ratio")
            assert one["value"] == value or (is_zero and one["note"] == "banned"), (line, field)


def test_a_series_of_one_name(desk, imports):
    assert (
        imports("short-balance", "krx_manual_csv/data_공매도종합정보_005930_20210104_20210108.csv", "--historic")[0]
        == 0
    )
    one = known(desk, "short_balance", "005930", "2021-01-08", "balance_shares")
    assert (one["value"], one["available_from"]) == ("2319328", date(2021, 1, 12))


def test_the_net_asset_values(desk, imports):
    for name in (
        "ETF개별종목시세추이_069500_20200101_20200531",
        "ETF괴리율추이_069500",
        "ETF전종목시세_20210325",
        "ETF추적오차추이_102110",
    ):
        code, out = imports("etf-nav", f"krx_manual_csv/data_{name}.csv", "--historic")
        assert code == 0, out
    values = {
        ("069500", "2020-05-29", "nav"): "26877.98",
        ("069500", "2020-05-29", "aum"): "5260021146651",
        ("069500", "2024-11-25", "premium_percent"): "-0.15",
        ("152100", "2021-03-25", "nav"): "41887.33",
        ("102110", "2025-11-25", "tracking_error_percent"): "0.65",
    }
    for key, value in values.items():
        one = known(desk, "etf_nav", *key)
        assert (one["value"], one["available_from"]) == (value, one["session"]), key
    assert len(manual_log(desk.data)["feeds"]["etf_nav"]) == 4


def test_a_folder_of_everything_keeps_what_belongs_to_the_feed(imports):
    code, out = imports("short-balance", "krx_manual_csv", "--historic")
    assert code == 1
    assert out.startswith("8 files read: 2 loaded with 4605 values, 6 quarantined")
    assert "market_closed: " in out
    assert "assay import etf-nav FILE" in out


def test_a_header_without_rows_on_a_sunday_is_a_closed_market(imports):
    code, out = imports("short-balance", "krx_manual_csv/data_공매도잔고상위50_휴일_빈파일_20200105.csv", "--historic")
    assert (code, "2020-01-05, a Sunday, was no session" in out) == (1, True)


@pytest.mark.parametrize(("month", "count"), [("2020-03", 2280), ("2026-02", 2767)])
def test_the_lists_of_companies_with_nine_and_ten_columns(desk, imports, month, count):
    code, out = imports("listing", f"kind_xls/상장법인목록_{month}.xls", "--historic")
    assert code == 0, out
    listed = listing_import(desk.data)
    assert len(listed["names"]) == count
    assert listed["as_of"].startswith(month)
    assert {one["market"] is None for one in listed["names"]} == {month == "2020-03"}
    if month == "2026-02":
        assert listed["names"][0]["ticker"] == "0001A0"
        assert "덕양에너젠 | 코스닥 | 0001A0" in listing_line(desk.data, "/names/0001A0")[1]


def test_the_newer_list_counts_whichever_is_imported_last(desk, imports):
    for month in ("2026-02", "2020-03"):
        imports("listing", f"kind_xls/상장법인목록_{month}.xls", "--historic")
    assert listing_import(desk.data)["as_of"].startswith("2026-02")
    assert len(manual_index.read_index(desk.data).lists) == 2
