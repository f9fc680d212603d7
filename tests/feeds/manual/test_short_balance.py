"""Short balances: every layout gives the same values, zeros under a ban are unknown, and what is wrong is named."""

from datetime import date

import pytest

DAY = date(2026, 11, 18)
SERIES = (
    "일자,공매도 수량_거래량_전체,공매도 수량_거래량_업틱룰적용,공매도 수량_순보유잔고수량,"
    "공매도 금액_거래대금_전체,공매도 금액_순보유잔고금액"
)
DAYS = (
    ("2026/11/20", 6, 0, "-", 534000, "-"),
    ("2026/11/19", 763, 0, "-", 63634800, "-"),
    ("2026/11/18", 967, 0, 3002548, 80855100, 246809445600),
    ("2026/11/17", 169, 0, 2676924, 14011100, 224593923600),
)


def series(manual, rows=DAYS, name="data_공매도종합정보_900110.csv", **changes):
    return manual.short(manual.as_csv(SERIES, rows), name, **changes)


def test_the_list_of_a_day_gives_five_facts_a_name(manual):
    read = manual.short(manual.shorts())
    assert (read.loaded, read.issues, read.form) == (True, (), "CSV in CP949")
    assert (read.layout, read.first, read.last) == ("short balances of one day", DAY, DAY)
    values = manual.values(read)
    assert len(values) == len(read.facts) == 5 * len(manual.short_rows)
    assert [
        values["900110", "2026-11-18", field] for field in ("balance_shares", "listed_shares", "balance_ratio")
    ] == [
        "33055",
        "46822295",
        "0.07",
    ]
    assert values["0091A0", "2026-11-18", "balance_value"] == "209236452"
    assert values["90013K", "2026-11-18", "balance_shares"] == "0"
    assert read.names["0091A0"] == "사아"
    assert [fact.row for fact in read.facts[:6]] == [2, 2, 2, 2, 2, 3]
    assert dict(read.mapping)["비중"] == "balance_ratio"
    assert read.preview[1] == ("900110", "가나전자", "33055", "46822295", "134864400", "191034963600", "0.07")


def layouts(manual):
    rows = [manual.short_row(*row) for row in manual.short_rows]
    head = manual.short_head
    thousands = [[*row[:2], *(f"{int(cell):,}" for cell in row[2:6]), row[6] + "%"] for row in rows]
    order = [6, 5, 4, 3, 2, 0, 1]
    numbers = [[row[0], row[1], *(float(cell) for cell in row[2:])] for row in rows]
    old = "종목코드,종목명,공매도순보유잔고수량,상장주식수,공매도순보유잔고금액,시가총액,비중"
    english = "Code,Name,Short Balance Shares,Listed Shares,Short Balance Value,Market Cap,Short Balance Ratio (%)"
    dated = [["2026-11-18", *row] for row in rows]
    return {
        "utf8": manual.as_csv(head, rows, "utf-8"),
        "bom": manual.as_csv(head, rows, "utf-8-sig"),
        "utf16": manual.as_csv(head, rows, "utf-16", "\t", quoted=False),
        "screen": manual.as_csv(head, rows, "utf-8", "\t", quoted=False).replace(b"\n", b"\t \n"),
        "bare": manual.as_csv(head, rows, quoted=False),
        "crlf": manual.as_csv(head, rows).replace(b"\n", b"\r\n"),
        "thousands": manual.as_csv(head.replace("비중", "비중(%)"), thousands),
        "reordered": manual.as_csv(
            ",".join(head.split(",")[i] for i in order), [[row[i] for i in order] for row in rows]
        ),
        "older": manual.as_csv(old, rows),
        "newer": manual.as_csv(old.replace("공매도순보유잔고", "순보유잔고"), rows),
        "short": manual.as_csv(old.replace("공매도순보유잔고", "잔고"), rows),
        "english": manual.as_csv(english, rows),
        "wrapped": manual.as_csv("종목코드,종목명,공매도잔고,상장주식수,공매도금액,시가총액,비중", rows),
        "ranked": manual.as_csv("순위," + old, [[str(i), *row] for i, row in enumerate(rows, 1)]),
        "indexed": manual.as_csv("," + old, [[str(i), *row] for i, row in enumerate(rows)]),
        "dated": manual.as_csv("일자," + old + ",시장구분", [[*row, "코스피"] for row in dated]),
        "titled": "공매도 순보유잔고\n조회일자 : 2026.11.18\n\n".encode("cp949") + manual.as_csv(head, rows),
        "totalled": manual.as_csv(head, [*rows, ["", "합계", "1", "2", "3", "4", "-"]]),
        "twice": manual.as_csv(head, [*rows, rows[0]]),
        "xlsx": manual.as_xlsx([head.split(","), *rows]),
        "numbers": manual.as_xlsx([["공매도"], head.split(","), *numbers]),
        "xls": manual.as_xls([head.split(","), *numbers]),
    }


def test_every_layout_gives_the_same_values(manual):
    wanted = manual.values(manual.short(manual.shorts()))
    for name, data in layouts(manual).items():
        read = manual.short(data)
        assert read.loaded, (name, read.issues)
        assert {key: float(value) for key, value in manual.values(read).items()} == {
            key: float(value) for key, value in wanted.items()
        }, name


def test_what_is_no_harm_is_noted(manual):
    codes = {name: manual.codes(manual.short(data)) for name, data in layouts(manual).items()}
    noted = {name: found for name, found in codes.items() if found}
    assert noted == {"indexed": ["index_column"], "totalled": ["total_line"], "twice": ["duplicate_row"]}
    assert manual.short(layouts(manual)["ranked"]).layout == "the largest short balances of one day"
    assert manual.short(layouts(manual)["dated"]).layout == "short balances by name and day"


def test_one_name_takes_the_balance_and_leaves_the_volume(manual):
    read = series(manual)
    assert read.loaded
    assert read.layout == "short balances of one name"
    assert manual.values(read) == {
        ("900110", "2026-11-18", "balance_shares"): "3002548",
        ("900110", "2026-11-18", "balance_value"): "246809445600",
        ("900110", "2026-11-17", "balance_shares"): "2676924",
        ("900110", "2026-11-17", "balance_value"): "224593923600",
    }
    (issue,) = read.issues
    assert (issue.code, issue.row) == ("unpublished_blank", 2)


def test_a_dash_on_a_day_that_is_out_is_an_unknown_value(manual):
    rows = [("2026/11/18", 6, 0, "-", 534000, "-"), *DAYS[3:]]
    assert manual.values(series(manual, rows))["900110", "2026-11-18", "balance_shares"] == "blank"


def test_a_zero_under_a_ban_is_unknown_and_a_balance_that_stood_on_is_one(manual):
    read = manual.short(manual.shorts(), "shorts_20260910.csv", rules={**manual.rules, "largest_age_days": None})
    values = manual.values(read)
    of = lambda ticker: [values[ticker, "2026-09-10", f] for f in ("balance_shares", "balance_value", "balance_ratio")]  # noqa: E731
    assert of("90013K") == ["banned", "banned", "banned"]
    assert values["90013K", "2026-09-10", "listed_shares"] == "153600"
    assert of("900110") == ["33055", "134864400", "0.07"]
    (issue,) = read.issues
    assert (issue.code, issue.row) == ("banned_zero", 4)
    outside = manual.short(manual.shorts(), "shorts_20260921.csv", rules={**manual.rules, "largest_age_days": None})
    assert manual.values(outside)["90013K", "2026-09-21", "balance_shares"] == "0"


def test_a_small_balance_under_a_ban_keeps_its_rounded_ratio(manual):
    rows = [("900110", "가나", 3, 46822295, 4080)]
    read = manual.short(manual.shorts(rows), "s_20260910.csv", rules={**manual.rules, "largest_age_days": None})
    assert manual.values(read)["900110", "2026-09-10", "balance_ratio"] == "0.00"


def test_a_file_without_a_ratio_gives_none(manual):
    rows = [manual.short_row(*row)[:6] for row in manual.short_rows]
    read = manual.short(manual.as_csv(manual.short_head.removesuffix(",비중"), rows))
    assert read.loaded
    assert {fact.field for fact in read.facts} == {"balance_shares", "listed_shares", "balance_value", "market_value"}


def test_a_ratio_that_came_through_a_small_float_is_taken(manual):
    rows = [[*manual.short_row(*row)[:6], ratio] for row, ratio in zip(manual.short_rows, FLOATS, strict=True)]
    assert manual.short(manual.as_csv(manual.short_head, rows)).loaded


FLOATS = ("0.070007", "0.029999", "0.0", "0.689941", "0.070007", "0.180054")


def with_cell(manual, row, column, value):
    rows = [manual.short_row(*line) for line in manual.short_rows]
    rows[row][column] = value
    return manual.as_csv(manual.short_head, rows)


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [
        (0, 0, "900120", "ticker_twice"),
        (1, 0, "5930", "code_zeros_lost"),
        (1, 0, "KR7900120003", "isin_not_code"),
        (1, 0, "", "blank_value"),
        (1, 0, "마바", "bad_ticker"),
        (0, 2, "33O55", "not_a_number"),
        (0, 2, "-33055", "negative_number"),
        (0, 2, "33055.5", "volume_not_whole"),
        (0, 2, "33056", "amounts_contradict"),
        (0, 2, "0", "amounts_contradict"),
        (0, 3, "46822296", "amounts_contradict"),
        (0, 3, "0", "ratio_contradicts"),
        (0, 4, "134864401", "amounts_contradict"),
        (0, 4, "134897455", "amounts_contradict"),
        (0, 5, "191034963601", "amounts_contradict"),
        (0, 6, "0.08", "ratio_contradicts"),
        (0, 6, "0.7", "ratio_contradicts"),
        (0, 6, "0,07", "not_a_number"),
        (5, 6, "18.3", "ratio_contradicts"),
    ],
)
def test_a_wrong_cell_keeps_the_file_out_and_is_named_by_line(manual, row, column, value, code):
    read = manual.short(with_cell(manual, row, column, value))
    harmful = [issue for issue in read.issues if not issue.harmless]
    assert code in {issue.code for issue in harmful}
    assert {issue.row for issue in harmful} <= {row + 2, 3}
    assert (read.loaded, read.facts) == (False, ())


@pytest.mark.parametrize("pair", [(2, 3), (2, 4), (4, 5), (3, 5), (2, 6), (4, 6), (0, 1)])
def test_swapped_columns_are_noticed(manual, pair):
    one, other = pair
    rows = [manual.short_row(*line) for line in manual.short_rows]
    for row in rows:
        row[one], row[other] = row[other], row[one]
    assert not manual.short(manual.as_csv(manual.short_head, rows)).loaded


@pytest.mark.parametrize(
    ("shares", "money"),
    [(1000, 1), (1, 1000), (1, 1_000_000)],
)
def test_amounts_in_thousands_are_noticed(manual, shares, money):
    rows = []
    for row in (manual.short_row(*line) for line in manual.short_rows):
        counts = [str(round(int(row[i]) / (shares if i in (2, 3) else money))) for i in range(2, 6)]
        rows.append([*row[:2], *counts, row[6]])
    read = manual.short(manual.as_csv(manual.short_head, rows))
    assert {"unit_other", "amounts_contradict"} & set(manual.codes(read, harmful=True))


def test_a_list_in_thousands_of_shares_is_noticed_by_its_prices(manual):
    rows = [("900110", "가나", 33000, 46822000, 4080), ("900120", "다라", 4000, 13247000, 28800)]
    cells = [manual.short_row(*row) for row in rows]
    cells = [[*row[:2], row[2][:-3], row[3][:-3], row[4], row[5], row[6]] for row in cells]
    read = manual.short(manual.as_csv(manual.short_head, cells))
    assert manual.codes(read, harmful=True) == ["unit_other"]


@pytest.mark.parametrize(
    ("head", "code", "word"),
    [
        ("종목코드,종목명,수량_공매도거래량_전체,수량_거래량,수량_비중", "wrong_kind", "VOLUME"),
        ("종목코드,종목명,종가,순자산가치(NAV),시가총액", "wrong_kind", "assay import etf-nav"),
        ("일자,종가,순자산가치(NAV),괴리율", "wrong_kind", "premium"),
        ("일자,순자산가치(NAV),추적배수,추적오차율", "wrong_kind", "tracking error"),
        ("회사명,종목코드,업종,상장일", "wrong_kind", "assay import listing"),
        ("일자,시가,고가,저가,종가,거래량", "wrong_kind", "assay import bars"),
        ("일자,종목명,대차체결수량,상환수량,잔고수량,잔고금액", "wrong_kind", "lent"),
        ("종목명,공매도순보유잔고수량,상장주식수", "missing_column", "종목코드"),
        ("이름,가격,금리", "not_a_table", "begins with"),
    ],
)
def test_a_list_of_another_kind_is_named_for_what_it_is(manual, head, code, word):
    row = ["900110" if "코드" in name else "2026/11/18" if name == "일자" else "1" for name in head.split(",")]
    read = manual.short(manual.as_csv(head, [row]))
    assert manual.codes(read, harmful=True) == [code]
    assert word in read.issues[0].says


def test_two_columns_for_the_balance_are_named(manual):
    head = manual.short_head.replace("비중", "순보유잔고수량")
    read = manual.short(manual.as_csv(head, [manual.short_row(*row) for row in manual.short_rows]))
    assert "duplicate_column" in manual.codes(read, harmful=True)
    assert read.facts == ()
