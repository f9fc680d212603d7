"""Which day and which name a list is of: told, not guessed; wrong ones refused with the day or name that fits."""

from datetime import date

import pytest

D18, D17, D13 = date(2026, 11, 18), date(2026, 11, 17), date(2026, 11, 13)


def only(read):
    (issue,) = [issue for issue in read.issues if not issue.harmless]
    assert not read.loaded
    return issue


@pytest.mark.parametrize(
    "name",
    ["s_20261118.csv", "s_2026-11-18.csv", "공매도 2026.11.18 KOSPI.csv", "20261118.csv", "data_잔고_20261118 (1).csv"],
)
def test_a_name_can_tell_the_day(manual, name):
    read = manual.short(manual.shorts(), name)
    assert (read.loaded, read.first) == (True, D18)


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("list.csv", "no_session", "names no day"),
        ("s_20261117_20261118.csv", "no_session", "names 2 days"),
        ("data_1234_20261118.csv", "no_session", "day of the download"),
        ("data_1234_20261118 (1).csv", "no_session", "day of the download"),
        ("s_20261399.csv", "no_session", "names no day"),
        ("s_20261120.csv", "not_published", "come out on 2026-11-24"),
        ("s_20261119.csv", "not_published", "come out on 2026-11-23"),
        ("s_20261115.csv", "not_a_session", "a Sunday"),
        ("s_20261009.csv", "not_a_session", "a Friday"),
        ("s_20261201.csv", "date_out_of_range", "has not come yet"),
        ("s_20261105.csv", "file_too_old", "--historic"),
    ],
)
def test_a_day_that_cannot_be_is_refused_with_the_one_that_could(manual, name, code, word):
    issue = only(manual.short(manual.shorts(), name))
    assert issue.code == code
    assert word in issue.says
    if code != "file_too_old":
        assert "2026-11-18" in issue.says
        assert "--date" in issue.says


def test_the_day_that_is_given_rules_and_the_name_is_noted(manual):
    read = manual.short(manual.shorts(), "data_1234_20261120.csv", session=D17)
    assert (read.loaded, read.first, manual.codes(read)) == (True, D17, ["name_date_unused"])
    assert manual.codes(manual.short(manual.shorts(), "data_1234_20261117.csv", session=D17)) == []


def test_the_text_above_the_header_tells_the_day_and_must_not_be_contradicted(manual):
    data = "기준일: 2026년 11월 17일\n".encode("cp949") + manual.shorts()
    assert manual.short(data, "data_1234_20261120.csv").first == D17
    assert manual.short(data, session=D17).loaded
    assert only(manual.short(data, session=D18)).code == "wrong_day"


def test_age_is_counted_from_the_last_day_and_can_be_waived(manual):
    historic = {**manual.rules, "largest_age_days": None}
    assert manual.short(manual.shorts(), "s_20261106.csv").loaded
    assert manual.short(manual.shorts(), "s_20261023.csv", rules=historic).loaded


def test_days_beyond_the_calendar_are_not_judged_by_it(manual):
    historic = {**manual.rules, "largest_age_days": None}
    assert manual.short(manual.shorts(), "s_20191224.csv", rules=historic).loaded
    assert manual.short(manual.shorts(), "s_20261118.csv", sessions=()).loaded


HEADS = "순위,종목코드,종목명,공매도순보유잔고수량,상장주식수,공매도순보유잔고금액,시가총액,비중"


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("top50_20261115.csv", "market_closed", "a Sunday, was no session"),
        ("top50_20261009.csv", "market_closed", "nothing to import"),
        ("top50_20261118.csv", "header_only", "download it again"),
        ("top50_20261119.csv", "not_published", "until then"),
        ("top50.csv", "header_only", "--date"),
    ],
)
def test_a_header_without_rows_is_a_holiday_or_a_failed_export(manual, name, code, word):
    issue = only(manual.short(manual.as_csv(HEADS, []), name))
    assert issue.code == code
    assert word in issue.says


def test_an_empty_answer_is_a_holiday_or_a_failed_export(manual):
    assert only(manual.short('{"OutBlock_1":[]}', "a.json", session=date(2026, 11, 15))).code == "market_closed"
    assert only(manual.short("[]", "a.json", session=D18)).code == "empty_answer"


def test_a_list_of_dashes_is_a_holiday_and_never_zeros(manual):
    rows = [[row[0], row[1], "-", "-", "-", "-", "-"] for row in manual.short_rows]
    data = manual.as_csv(manual.short_head, rows)
    assert only(manual.short(data, "s_20261115.csv")).code == "market_closed"
    assert only(manual.short(data, "s_20261118.csv")).code == "no_values"


def test_sizes_alone_do_not_make_a_list_of_balances(manual):
    rows = [
        [*row[:2], "-", row[3], "-", row[5], "-"] for row in (manual.short_row(*line) for line in manual.short_rows)
    ]
    assert only(manual.short(manual.as_csv(manual.short_head, rows), "s_20261118.csv")).code == "no_values"
    head = "일자,공매도잔고,상장주식수,공매도금액,시가총액,비중"
    series = [["2026-11-19", "-", "1000", "-", "5000", "-"], ["2026-11-18", "10", "1000", "50", "5000", "1.00"]]
    read = manual.short(manual.as_csv(head, series), "900110.csv")
    assert (read.loaded, read.first, manual.codes(read)) == (True, D18, ["unpublished_blank"])


def test_a_series_without_rows_says_to_download_it_again(manual):
    issue = only(manual.short(manual.as_csv("일자,공매도잔고,상장주식수", []), "900110_20261115.csv"))
    assert (issue.code, "download it again" in issue.says) == ("header_only", True)


def closes(manual, moved=0, names=3, day=D18):
    return {(row[0], day): float(row[4] + moved) for row in manual.short_rows[:names]}


def test_a_list_has_the_closes_of_its_day(manual):
    assert manual.short(manual.shorts(), closes=closes(manual)).issues == ()
    assert manual.short(manual.shorts(), closes=closes(manual, moved=1)).loaded


def test_a_list_of_another_day_is_refused_and_its_day_is_named(manual):
    known = {**closes(manual, moved=100), **closes(manual, day=D17), **closes(manual, moved=50, day=D13)}
    issue = only(manual.short(manual.shorts(), closes=known))
    assert issue.code == "wrong_day"
    assert "has the prices of 2026-11-17" in issue.says
    assert "--date 2026-11-17" in issue.says
    assert manual.short(manual.shorts(), closes=known, session=D17).loaded


def test_a_list_that_fits_no_day_is_refused_where_enough_names_say_so(manual):
    assert only(manual.short(manual.shorts(), closes=closes(manual, moved=100))).code == "wrong_day"
    read = manual.short(manual.shorts(), closes=closes(manual, moved=100, names=2))
    assert (read.loaded, manual.codes(read)) == (True, ["close_differs"])


def test_a_split_of_one_name_is_noted_beside_those_that_fit(manual):
    known = {**closes(manual), ("900110", D18): 408.0}
    read = manual.short(manual.shorts(), closes=known)
    assert (read.loaded, manual.codes(read)) == (True, ["close_differs"])
    assert "900110" in read.issues[0].says


def test_rows_with_dates_of_their_own_have_the_closes_of_each_day(manual):
    rows = [[day, *manual.short_row(*row)] for day in ("2026-11-17", "2026-11-18") for row in manual.short_rows]
    data = manual.as_csv("일자," + manual.short_head, rows)
    known = {**closes(manual), **closes(manual, day=D17)}
    assert manual.short(data, closes=known).loaded
    assert only(manual.short(data, closes={**known, **closes(manual, moved=50)})).code == "wrong_day"


def test_a_day_whose_values_come_out_beyond_the_calendar_is_not_out(manual):
    sessions = tuple(day for day in manual.days if day <= date(2026, 11, 19))
    issue = only(manual.short(manual.shorts(), "s_20261118.csv", sessions=sessions))
    assert (issue.code, "are not out yet" in issue.says) == ("not_published", True)


def test_dashes_on_closed_days_are_passed_over(manual):
    rows = [["2026-11-15", "-", "-"], ["2026-11-13", "10", "1000"]]
    read = manual.short(manual.as_csv(SERIES, rows), "900110.csv")
    assert (read.loaded, read.last, manual.codes(read)) == (True, D13, ["unpublished_blank"])


SERIES = "일자,공매도잔고,공매도잔고금액"
PRICES = (1000, 1010, 1025, 990)


def one_name(manual, name="900110.csv", factor=1, **changes):
    days = [day for day in manual.days if day <= D18][-4:]
    rows = [[day.isoformat(), "10", str(10 * price)] for day, price in zip(days, PRICES, strict=True)]
    known = {("900110", day): price * factor for day, price in zip(days, PRICES, strict=True)}
    return manual.short(manual.as_csv(SERIES, rows), name, **{"closes": known, **changes})


def test_a_series_has_the_closes_of_its_name(manual):
    assert one_name(manual).issues == ()
    read = one_name(manual, "900120.csv", closes={("900120", day): 500.0 + day.day for day in manual.days})
    assert only(read).code == "wrong_ticker"


def test_a_series_of_another_name_is_refused_and_the_name_is_told(manual):
    known = {("900120", day): 500.0 + day.day for day in manual.days}
    known |= {("900110", day): float(price) for day, price in zip(manual.days[manual.days.index(D18) - 3 :], PRICES)}  # noqa: B905
    issue = only(one_name(manual, "900120.csv", closes=known))
    assert issue.code == "wrong_ticker"
    assert "has the prices of 900110" in issue.says


def test_closes_adjusted_for_a_split_are_told_from_another_name(manual):
    read = one_name(manual, factor=0.2)
    assert (read.loaded, manual.codes(read)) == (True, ["close_differs"])


@pytest.mark.parametrize(
    ("name", "ticker", "whose"),
    [
        ("data_공매도종합정보_005930_20260901.csv", None, "005930"),
        ("0001A0.csv", None, "0001A0"),
        ("900110_2611.csv", None, "900110"),
        ("010130.csv", None, "010130"),
        ("261118_005930.csv", None, "005930"),
        ("list.csv", "005930", "005930"),
        ("list_005930.csv", "005930", "005930"),
    ],
)
def test_a_series_is_of_the_code_in_its_name_or_of_the_one_given(manual, name, ticker, whose):
    read = one_name(manual, name, ticker=ticker, closes={})
    assert read.loaded, read.issues
    assert {fact.ticker for fact in read.facts} == {whose}


@pytest.mark.parametrize(
    ("name", "ticker", "code"),
    [
        ("list.csv", None, "no_ticker"),
        ("005930_000660.csv", None, "no_ticker"),
        ("261118.csv", None, "no_ticker"),
        ("nav_202611.csv", None, "no_ticker"),
        ("005930.csv", "000660", "ticker_mismatch"),
        ("list.csv", "5930", "code_zeros_lost"),
    ],
)
def test_a_series_whose_name_is_in_doubt_is_refused(manual, name, ticker, code):
    issue = only(one_name(manual, name, ticker=ticker, closes={}))
    assert issue.code == code
    assert "--ticker" in issue.says


def test_options_that_the_rows_make_needless_are_noted(manual):
    assert manual.codes(manual.short(manual.shorts(), ticker="900110")) == ["option_unused"]
    assert manual.codes(one_name(manual, session=D18)) == ["option_unused"]


@pytest.mark.parametrize(
    ("days", "code"),
    [
        (["2026-11-18", "2026-11-17", "2026-11-15", "2026-11-13"], "not_a_session"),
        (["2026-11-18", "2026-11-17", "2026-12-16", "2026-11-13"], "date_out_of_range"),
        (["2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16"], "not_published"),
        (["2026-11-13", "2026-11-16", "2026-11-11", "2026-11-18"], "rows_out_of_order"),
        (["2026-11-18", "2026-11-17", "2026-11-16", "2020-11-13"], "rows_out_of_order"),
        (["2026-10-30", "2026-10-29", "2026-10-28", "2026-10-27"], "file_too_old"),
        (["2026-11-18", "2026-11-17", "2026-11-17", "2026-11-13"], "date_conflict"),
    ],
)
def test_a_date_that_cannot_stand_in_a_series_is_named(manual, days, code):
    rows = [[day, "10", str(10 * price)] for day, price in zip(days, PRICES, strict=True)]
    read = manual.short(manual.as_csv(SERIES, rows), "900110.csv")
    assert code in manual.codes(read, harmful=True)
    assert (read.first.isoformat(), read.last.isoformat()) == (min(days), max(days))
    assert not read.loaded


@pytest.mark.parametrize("way", [1, -1])
def test_a_series_may_run_up_or_down(manual, way):
    days = [day for day in manual.days if day <= D18][-4:][::way]
    rows = [[day.isoformat(), "10", str(10 * price)] for day, price in zip(days, PRICES, strict=True)]
    assert manual.short(manual.as_csv(SERIES, rows), "900110.csv").issues == ()
