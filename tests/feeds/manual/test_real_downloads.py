"""The real downloads: what each is, and values of it compared one by one."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from quantassay.feeds.etf_nav import read_etf_nav
from quantassay.feeds.listing import read_listing
from quantassay.feeds.raw_files import read_file
from quantassay.feeds.short_balance import read_short_balance

TODAY = date(2026, 11, 20)
SHORT_RULES = {
    "publication_lag_sessions": 2,
    "largest_age_days": None,
    "bans": [{"from": "2020-03-16", "to": "2021-05-02"}, {"from": "2023-11-06", "to": "2025-03-30"}],
}
NAV_RULES = {"publication_lag_sessions": 0, "largest_age_days": None}


@pytest.fixture(scope="module")
def days(shared):
    lines = (shared / "data/calendars/xkrx_trading_days_from_ks11_1999_2026-03-20.csv").read_text().split()
    return tuple(date.fromisoformat(line) for line in lines[1:])


@pytest.fixture
def read(manual, shared, days):
    def read(reader, file, rules, **changes):
        ask = manual.ask(rules, sessions=days, today=TODAY, **changes)
        return reader(read_file(shared / "data" / file), ask)

    return read


def fact(made, ticker, day, field):
    (found,) = [f for f in made.facts if (f.ticker, f.session, f.field) == (ticker, date.fromisoformat(day), field)]
    return found


def test_the_short_balances_of_a_day(read):
    made = read(read_short_balance, "krx_manual_csv/data_공매도순보유잔고_전종목_KOSPI_20210127.csv", SHORT_RULES)
    assert (made.loaded, made.form, made.layout) == (True, "CSV in CP949", "short balances of one day")
    assert (made.first, made.last, len(made.names), len(made.facts)) == (*[date(2021, 1, 27)] * 2, 919, 919 * 5)
    of = lambda ticker, field: fact(made, ticker, "2021-01-27", field)  # noqa: E731
    assert str(of("095570", "balance_shares").value) == "33055"
    assert str(of("095570", "listed_shares").value) == "46822295"
    assert str(of("095570", "balance_value").value) == "134864400"
    assert str(of("095570", "market_value").value) == "191034963600"
    assert str(of("095570", "balance_ratio").value) == "0.07"
    assert of("095570", "balance_ratio").row == 2
    assert str(of("003280", "balance_ratio").value) == "0.69"
    assert of("003280", "balance_ratio").row == 920
    # Nobody held a balance of 001460 then, in the middle of a ban.
    assert (of("001460", "balance_shares").value, of("001460", "balance_shares").note) == (None, "banned")
    assert str(of("001460", "listed_shares").value) == "624615"
    assert Counter(f.note for f in made.facts) == {"": 919 * 5 - 350 * 3, "banned": 350 * 3}
    assert [(issue.code, issue.row) for issue in made.issues] == [("banned_zero", 7)]
    assert {"00088K", "00104K"} <= set(made.names)


def test_the_short_balances_of_one_name(read):
    made = read(read_short_balance, "krx_manual_csv/data_공매도종합정보_005930_20210104_20210108.csv", SHORT_RULES)
    assert (made.loaded, made.issues, made.layout) == (True, (), "short balances of one name")
    shares = {f.session.day: int(f.value) for f in made.facts if f.field == "balance_shares"}
    assert shares == {8: 2319328, 7: 2447030, 6: 3002548, 5: 2676924, 4: 2722585}
    assert fact(made, "005930", "2021-01-04", "balance_value").value == Decimal(225974555000)
    assert fact(made, "005930", "2021-01-04", "balance_value").row == 6
    closes = {("005930", date(2021, 1, day)): price for day, price in ((8, 88800.0), (7, 82900.0), (6, 82200.0))}
    again = read(
        read_short_balance,
        "krx_manual_csv/data_공매도종합정보_005930_20210104_20210108.csv",
        SHORT_RULES,
        closes=closes,
    )
    assert again.facts == made.facts


def test_what_the_short_import_refuses(read):
    holiday = read(read_short_balance, "krx_manual_csv/data_공매도잔고상위50_휴일_빈파일_20200105.csv", SHORT_RULES)
    assert [issue.code for issue in holiday.issues] == ["market_closed"]
    volume = read(read_short_balance, "krx_manual_csv/data_공매도거래_전종목_KOSPI_20210125.csv", SHORT_RULES)
    assert "VOLUME" in volume.issues[0].says
    strict = {**SHORT_RULES, "largest_age_days": 14}
    old = read(read_short_balance, "krx_manual_csv/data_공매도순보유잔고_전종목_KOSPI_20210127.csv", strict)
    assert [issue.code for issue in old.issues if not issue.harmless] == ["file_too_old"]


def test_the_funds_of_a_day(read):
    made = read(read_etf_nav, "krx_manual_csv/data_ETF전종목시세_20210325.csv", NAV_RULES)
    assert (made.loaded, made.issues, len(made.names), made.layout) == (True, (), 467, "all funds on one day")
    values = {f.field: str(f.value) for f in made.facts if f.ticker == "152100"}
    assert values == {"close": "41835", "nav": "41887.33", "aum": "772821298061", "index_close": "408.53"}
    assert fact(made, "278420", "2021-03-25", "index_close").note == "blank"
    assert made.names["152100"] == "ARIRANG 200"


@pytest.mark.parametrize(
    ("file", "rows", "ticker", "day", "values"),
    [
        (
            "krx_manual_csv/data_ETF개별종목시세추이_069500_20200101_20200531.csv",
            101,
            "069500",
            "2020-05-29",
            {"close": "26775", "nav": "26877.98", "aum": "5260021146651", "index_close": "268.32"},
        ),
        (
            "krx_manual_csv/data_ETF괴리율추이_069500.csv",
            22,
            "069500",
            "2024-11-18",
            {"close": "32830", "nav": "32963.46", "premium_percent": "-0.4"},
        ),
        (
            "krx_manual_csv/data_ETF추적오차추이_102110.csv",
            22,
            "102110",
            "2025-11-24",
            {"nav": "54304.04", "index_close": "540.81", "multiple": "1.00", "tracking_error_percent": "0.65"},
        ),
        (
            "kr_etf_nav/0000J0.csv",
            319,
            "0000J0",
            "2025-01-02",
            {"close": "10860", "nav": "10872.09", "index_close": "2249.54"},
        ),
    ],
)
def test_the_days_of_one_fund(read, file, rows, ticker, day, values):
    made = read(read_etf_nav, file, NAV_RULES)
    assert (made.loaded, made.issues) == (True, ())
    assert len(made.facts) == rows * len(values)
    assert {f.field: str(f.value) for f in made.facts if (f.ticker, f.session.isoformat()) == (ticker, day)} == values


def test_every_series_of_a_fund_loads_whole(read, shared):
    for path in sorted((shared / "data/kr_etf_nav").glob("*.csv")):
        made = read(read_etf_nav, f"kr_etf_nav/{path.name}", NAV_RULES)
        assert (made.loaded, made.issues, len(made.facts)) == (True, (), 319 * 3)


def test_the_lists_of_companies(read):
    old = read(read_listing, "kind_xls/상장법인목록_2020-03.xls", {"largest_age_days": None})
    assert (old.loaded, old.issues, len(old.names), old.as_of) == (True, (), 2280, date(2020, 3, 31))
    assert (old.form, old.layout) == ("HTML table named .xls, EUC-KR", "listed companies, 9 columns")
    first = old.names[0]
    assert (first.ticker, first.name, first.market, first.row) == ("001250", "GS글로벌", None, 2)
    assert (first.listed_on, first.sector) == (date(1976, 6, 26), "상품 종합 도매업")
    assert old.names[-1].ticker == "226610"
    new = read(read_listing, "kind_xls/상장법인목록_2026-02.xls", {"largest_age_days": None})
    assert (new.loaded, new.issues, len(new.names), new.as_of) == (True, (), 2767, date(2026, 2, 28))
    assert Counter(name.market for name in new.names) == {"코스닥": 1817, "유가": 840, "코넥스": 110}
    assert (new.names[0].ticker, new.names[0].name) == ("0001A0", "덕양에너젠")
    assert sum(not name.ticker.isdigit() for name in new.names) == 35
    assert "S&K폴리텍" in {name.name for name in new.names}


def test_each_download_is_named_by_every_other_import(read, shared):
    files = [
        f"{folder}/{path.name}"
        for folder in ("krx_manual_csv", "kind_xls")
        for path in (shared / "data" / folder).iterdir()
    ]
    for reader, rules in ((read_short_balance, SHORT_RULES), (read_etf_nav, NAV_RULES), (read_listing, NAV_RULES)):
        loaded = 0
        for file in files:
            made = read(reader, file, rules)
            codes = {issue.code for issue in made.issues if not issue.harmless}
            loaded += made.loaded
            assert made.loaded or codes in ({"wrong_kind"}, {"market_closed"}), (file, made.issues)
        assert loaded == (4 if reader is read_etf_nav else 2)
