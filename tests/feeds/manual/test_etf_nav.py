"""Values of funds: every layout gives the same ones, nothing is computed, and numbers that contradict are named."""

import math
from datetime import date

import pytest

DAY = date(2026, 11, 20)
PREMIUM = "일자,종가,순자산가치(NAV),괴리율"
PREMIUMS = (
    ("2026/11/20", "33735", "33784.67", "-0.15"),
    ("2026/11/19", "33345", "33351.27", "-0.02"),
    ("2026/11/18", "32830", "32963.46", "-0.4"),
)
TRACKING = "일자,순자산가치(NAV),순자산변동률,기초지수_지수,기초지수_변동률,추적배수,추적오차율"
PLAIN = "날짜,NAV,시가,고가,저가,종가,거래량,거래대금,기초지수"


def tracking_rows(
    navs=(54693.57, 54304.04, 54215.36, 56602.92, 55447.04), levels=(544.62, 540.81, 540.36, 564.2, 552.66)
):
    """Rates as the exchange gives them: differences of logarithms."""
    days = ("2026/11/20", "2026/11/19", "2026/11/18", "2026/11/17", "2026/11/16")
    rate = lambda values, i: f"{math.log(values[i] / values[i + 1]) * 100:.2f}" if i < 4 else "0.10"  # noqa: E731
    return [
        [day, f"{navs[i]:.2f}", rate(navs, i), f"{levels[i]:.2f}", rate(levels, i), "1.00", "0.65"]
        for i, day in enumerate(days)
    ]


PLAIN_ROWS = (
    ("2026-11-18", "10872.09", "10540", "10880", "10540", "10860", "83993", "907092545", "2249.54"),
    ("2026-11-19", "11025.94", "10895", "11100", "10870", "11025", "446256", "4909304545", "2281.64"),
    ("2026-11-20", "11125.94", "10995", "11200", "10970", "11115", "446256", "4949304545", "2291.64"),
)


def values_of(manual, read, ticker, day="2026-11-20"):
    return {key[2]: value for key, value in manual.values(read).items() if key[:2] == (ticker, day)}


def test_the_list_of_a_day_gives_close_nav_size_and_index(manual):
    read = manual.nav(manual.funds())
    assert (read.loaded, read.issues, read.layout, read.first) == (True, (), "all funds on one day", DAY)
    assert values_of(manual, read, "0090J0") == {
        "close": "10860",
        "nav": "10872.09",
        "aum": "16308135000",
        "index_close": "2249.54",
    }
    assert read.names["0090J0"] == "다라 원자력"
    assert dict(read.mapping)["상장좌수"] is None


def test_one_fund_gives_what_its_layout_has(manual):
    premium = manual.nav(manual.as_csv(PREMIUM, PREMIUMS), "data_ETF괴리율추이_909500.csv")
    assert (premium.loaded, premium.issues, premium.layout) == (True, (), "premium of one fund")
    assert values_of(manual, premium, "909500") == {"close": "33735", "nav": "33784.67", "premium_percent": "-0.15"}
    tracking = manual.nav(manual.as_csv(TRACKING, tracking_rows()), "data_ETF추적오차추이_909500.csv")
    assert (tracking.loaded, tracking.issues, tracking.layout) == (True, (), "tracking error of one fund")
    assert values_of(manual, tracking, "909500") == {
        "nav": "54693.57",
        "index_close": "544.62",
        "multiple": "1.00",
        "tracking_error_percent": "0.65",
    }
    assert (tracking.first, tracking.last) == (date(2026, 11, 16), DAY)
    plain = manual.nav(manual.as_csv(PLAIN, PLAIN_ROWS, "utf-8-sig", quoted=False), "0090J0.csv")
    assert (plain.loaded, plain.issues, plain.layout) == (True, (), "prices and NAV of one fund")
    assert values_of(manual, plain, "0090J0") == {"close": "11115", "nav": "11125.94", "index_close": "2291.64"}
    rows = [manual.fund_row([day], *numbers) for day, numbers in LEVELS.items()]
    trend = manual.nav(manual.as_csv("일자" + manual.nav_head.removeprefix("종목코드,종목명"), rows), "909500.csv")
    assert (trend.loaded, trend.issues, trend.layout) == (True, (), "prices and NAV of one fund")


LEVELS = {
    "2026/11/20": ((33735, 33345), 33784.67, (268.32, 266.1)),
    "2026/11/19": ((33345, 33400), 33351.27, (266.1, 266.0)),
}


def test_a_generic_list_in_english_is_read(manual):
    text = 'ticker,date,close,nav,premium (%),tracking_error,aum\n0090J0,2026-11-20,10860,10872.09,-0.11,0.30,"1,000"\n'
    read = manual.nav(text, "mine.csv")
    assert (read.loaded, read.layout) == (True, "values of funds by name and day")
    assert values_of(manual, read, "0090J0") == {
        "close": "10860",
        "nav": "10872.09",
        "premium_percent": "-0.11",
        "tracking_error_percent": "0.30",
        "aum": "1000",
    }


def test_a_premium_is_never_computed(manual):
    read = manual.nav(manual.funds())
    assert {fact.field for fact in read.facts} == {"close", "nav", "aum", "index_close"}


def test_numbers_of_a_workbook_are_the_same_numbers(manual):
    rows = [[row[0], row[1], *(_number(cell) for cell in row[2:])] for row in manual.fund_rows]
    wanted = manual.values(manual.nav(manual.funds()))
    read = manual.nav(manual.as_xlsx([manual.nav_head.split(","), *rows]))
    assert read.loaded
    assert {key: float(value) for key, value in manual.values(read).items()} == {
        key: float(value) for key, value in wanted.items()
    }


def _number(cell):
    try:
        return float(cell)
    except ValueError:
        return cell


def changed(manual, row, column, value):
    rows = [list(line) for line in manual.fund_rows]
    rows[row][manual.nav_head.split(",").index(column)] = value
    return manual.funds(rows)


def test_what_is_not_known_is_null(manual):
    read = manual.nav(changed(manual, 0, "기초지수_종가", "-"))
    assert values_of(manual, read, "909500")["index_close"] == "blank"
    read = manual.nav(changed(manual, 0, "순자산총액", "0"))
    assert (read.loaded, manual.codes(read)) == (True, ["aum_unpublished"])
    assert values_of(manual, read, "909500")["aum"] == "blank"


def test_a_fund_without_a_trade_has_a_close(manual):
    rows = [list(line) for line in manual.fund_rows]
    for column in ("시가", "고가", "저가", "거래량", "거래대금"):
        rows[0][manual.nav_head.split(",").index(column)] = "0"
    assert manual.nav(manual.funds(rows)).issues == ()


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("순자산가치(NAV)", "0", "nav_not_positive"),
        ("순자산가치(NAV)", "-33784.67", "negative_number"),
        ("순자산가치(NAV)", "3378.67", "columns_swapped"),
        ("순자산가치(NAV)", "22000.00", "columns_swapped"),
        ("순자산가치(NAV)", "51000.00", "columns_swapped"),
        ("종가", "0", "zero_price"),
        ("종가", "33736", "amounts_contradict"),
        ("종가", "33735.5", "columns_swapped"),
        ("종가", "33935", "outside_range"),
        ("시가", "33730.17", "columns_swapped"),
        ("시가총액", "50602500001", "amounts_contradict"),
        ("상장좌수", "1500001", "amounts_contradict"),
        ("순자산총액", "5067700", "amounts_contradict"),
        ("기초지수_종가", "368.32", "step_contradicts"),
        ("등락률", "1.27", "step_contradicts"),
        ("종목코드", "9500", "code_zeros_lost"),
        ("종목코드", "909510", "ticker_twice"),
        ("순자산총액", "5.06E+10", "not_a_number"),
    ],
)
def test_a_wrong_cell_keeps_the_file_out_and_is_named_by_line(manual, column, value, code):
    read = manual.nav(changed(manual, 0, column, value))
    harmful = [issue for issue in read.issues if not issue.harmless]
    assert code in {issue.code for issue in harmful}
    assert {issue.row for issue in harmful} <= {2, 3}
    assert (read.loaded, read.facts) == (False, ())


def test_sizes_that_most_rows_contradict_are_of_another_column(manual):
    rows = [list(line) for line in manual.fund_rows]
    place = manual.nav_head.split(",").index("순자산총액")
    for row in rows[:1]:
        row[place] = str(int(row[place]) * 3)
    assert manual.nav(manual.funds(rows)).loaded
    rows[1][place] = str(int(rows[1][place]) * 3)
    (issue,) = manual.nav(manual.funds(rows)).issues
    assert (issue.code, "2 of 3 rows" in issue.says) == ("columns_swapped", True)


PAIRS = ("종가 순자산가치(NAV)", "순자산가치(NAV) 시가", "종가 거래량", "순자산총액 거래대금", "순자산총액 상장좌수")


@pytest.mark.parametrize("pair", [*PAIRS, "기초지수_종가 기초지수_대비", "기초지수_종가 종가", "시가총액 순자산총액"])
def test_swapped_columns_are_noticed(manual, pair):
    one, other = (manual.nav_head.split(",").index(column) for column in pair.split())
    rows = [list(line) for line in manual.fund_rows]
    for row in rows:
        row[one], row[other] = row[other], row[one]
    assert not manual.nav(manual.funds(rows)).loaded


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (1, 3), (2, 3)])
def test_swapped_columns_of_a_premium_are_noticed(manual, pair):
    rows = [list(line) for line in PREMIUMS]
    for row in rows:
        row[pair[0]], row[pair[1]] = row[pair[1]], row[pair[0]]
    assert not manual.nav(manual.as_csv(PREMIUM, rows), "909500.csv").loaded


# Not (1, 3): NAV and index move alike, and nothing beside them says which is which.
@pytest.mark.parametrize("pair", [(1, 2), (2, 3), (3, 4), (1, 6), (5, 6), (3, 5), (4, 6)])
def test_swapped_columns_of_a_tracking_error_are_noticed(manual, pair):
    rows = tracking_rows()
    for row in rows:
        row[pair[0]], row[pair[1]] = row[pair[1]], row[pair[0]]
    assert not manual.nav(manual.as_csv(TRACKING, rows), "909500.csv").loaded


@pytest.mark.parametrize("pair", [(1, 5), (1, 2), (1, 8), (5, 6), (5, 8), (7, 8), (6, 8), (3, 5)])
def test_swapped_columns_of_a_plain_series_are_noticed(manual, pair):
    rows = [list(line) for line in PLAIN_ROWS]
    for row in rows:
        row[pair[0]], row[pair[1]] = row[pair[1]], row[pair[0]]
    assert not manual.nav(manual.as_csv(PLAIN, rows), "0090J0.csv").loaded


@pytest.mark.parametrize(
    ("row", "value", "loaded"),
    [(1, "-0.0188", True), (1, "-0.02", True), (1, "-0.03", False), (1, "0.02", False), (2, "-0.41", False)],
)
def test_a_premium_must_be_that_of_close_and_nav(manual, row, value, loaded):
    rows = [list(line) for line in PREMIUMS]
    rows[row][3] = value
    read = manual.nav(manual.as_csv(PREMIUM, rows), "909500.csv")
    assert read.loaded is loaded
    assert loaded or [(i.code, i.row) for i in read.issues] == [("premium_contradicts", row + 2)]


def test_a_changed_level_inside_a_tracking_error_is_noticed_and_a_distribution_is_not(manual):
    rows = tracking_rows()
    rows[2][1] = "54115.36"
    (issue,) = manual.nav(manual.as_csv(TRACKING, rows), "909500.csv").issues
    assert (issue.code, issue.row) == ("step_contradicts", 4)
    paid = tracking_rows(navs=(54693.57, 54304.04, 54215.36, 57602.92, 56447.04))
    for row, before in zip(paid, tracking_rows(), strict=True):
        row[2] = before[2]
    assert manual.nav(manual.as_csv(TRACKING, paid), "909500.csv").loaded


def test_an_index_that_doubles_overnight_is_named(manual):
    rows = [list(line) for line in PLAIN_ROWS]
    rows[1][8] = "22816.4"
    read = manual.nav(manual.as_csv(PLAIN, rows), "0090J0.csv")
    assert {(issue.code, issue.row) for issue in read.issues} == {("step_contradicts", 3), ("step_contradicts", 4)}


def test_todays_values_may_come_today_and_tomorrows_may_not(manual):
    assert manual.nav(manual.funds(), "funds_20261120.csv").loaded
    assert manual.codes(manual.nav(manual.funds(), "funds_20261123.csv")) == ["date_out_of_range"]


def test_a_list_of_another_day_is_refused_by_the_closes(manual):
    known = {(row[0], date(2026, 11, 19)): float(row[2]) for row in manual.fund_rows}
    known |= {(row[0], DAY): float(row[2]) + 100 for row in manual.fund_rows}
    read = manual.nav(manual.funds(), closes=known)
    assert manual.codes(read) == ["wrong_day"]
    assert "2026-11-19" in read.issues[0].says
    own = {("909500", date(2026, 11, day)): float(row[1]) for day, row in zip((20, 19, 18), PREMIUMS, strict=True)}
    other = {("0090J0", day): 100.0 + day.day for _, day in own}
    mixed = manual.nav(manual.as_csv(PREMIUM, PREMIUMS), "0090J0.csv", closes={**own, **other})
    assert manual.codes(mixed) == ["wrong_ticker"]


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ("종목코드,종목명,수량_공매도순보유잔고수량,수량_상장주식수", "assay import short-balance"),
        ("종목코드,종목명,수량_공매도거래량_전체,수량_거래량", "VOLUME"),
        ("일자,시가,고가,저가,종가,거래량", "assay import bars"),
        ("종목코드,종목명,종가,거래량,거래대금", "assay import universe"),
        ("회사명,종목코드,업종,상장일", "assay import listing"),
        ("종목코드,구성종목명,종가,시가총액", "holdings"),
        ("종목코드,종목명,종가,지표가치(IV),거래량", "notes"),
    ],
)
def test_a_list_of_another_kind_is_named_for_what_it_is(manual, head, word):
    row = ["900110" if "코드" in name else "2026/11/18" if name == "일자" else "1" for name in head.split(",")]
    (issue,) = [issue for issue in manual.nav(manual.as_csv(head, [row])).issues if not issue.harmless]
    assert issue.code == "wrong_kind"
    assert word in issue.says
