"""Lists of listed companies: both forms, clean words, whole codes, and the day that the list shows."""

from datetime import date

import pytest

from quantassay.feeds.manual_read import ListedCompany

FIRST = ListedCompany("0091A0", "가나전자", "코스닥", date(2026, 1, 30), "전자부품 제조업", 2)


def test_both_forms_give_the_same_companies(manual):
    ten = manual.listing(manual.as_page(manual.listed))
    assert (ten.loaded, ten.issues, ten.form) == (True, (), "HTML table named .xls, EUC-KR")
    assert (ten.layout, ten.names[0]) == ("listed companies, 10 columns", FIRST)
    assert [name.name for name in ten.names] == ["가나전자", "다라 S&T", "마바"]
    assert dict(ten.mapping) == {
        "회사명": "name",
        "시장구분": "market",
        "종목코드": "ticker",
        "업종": "sector",
        "상장일": "listed_on",
        **dict.fromkeys(("주요제품", "결산월", "대표자명", "홈페이지", "지역")),
    }
    nine = manual.listing(manual.as_page(manual.listed, 9))
    assert nine.layout == "listed companies, 9 columns"
    assert [(n.ticker, n.market, n.listed_on) for n in nine.names] == [(n.ticker, None, n.listed_on) for n in ten.names]


def test_other_containers_give_the_same_companies(manual):
    heads = ["회사명", "시장구분", "종목코드", "업종", "주요제품", "상장일", "결산월", "대표자명", "홈페이지", "지역"]
    wanted = manual.listing(manual.as_page(manual.listed)).names
    rows = [list(row) for row in manual.listed]
    for data in (manual.as_csv(",".join(heads), rows), manual.as_xlsx([heads, *rows]), manual.as_xls([heads, *rows])):
        assert manual.listing(data).names == wanted
    dates = [[*row[:5], date.fromisoformat(row[5]), *row[6:]] for row in manual.listed]
    assert manual.listing(manual.as_xlsx([heads, *dates])).names == wanted


@pytest.mark.parametrize(
    ("name", "session", "as_of"),
    [
        ("상장법인목록.xls", None, date(2026, 11, 20)),
        ("상장법인목록_20261102.xls", None, date(2026, 11, 2)),
        ("상장법인목록_2026-10.xls", None, date(2026, 10, 31)),
        ("상장법인목록_2026-11.xls", None, date(2026, 11, 20)),
        ("상장법인목록.xls", date(2026, 11, 13), date(2026, 11, 13)),
        ("상장법인목록_20261102.xls", date(2026, 11, 13), date(2026, 11, 13)),
    ],
)
def test_a_list_shows_the_day_given_or_named_or_that_of_the_import(manual, name, session, as_of):
    read = manual.listing(manual.as_page(manual.listed), name, session=session)
    assert (read.loaded, read.as_of) == (True, as_of)


def listed(manual, column, value, row=0):
    rows = [list(line) for line in manual.listed]
    rows[row][column] = value
    return manual.listing(manual.as_page(rows))


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        (2, "91", "code_zeros_lost"),
        (2, "KR70091A0000", "isin_not_code"),
        (2, "", "bad_ticker"),
        (2, "900120", "ticker_twice"),
        (0, "", "blank_value"),
        (5, "2026-13-01", "date_unreadable"),
        (5, "46052", "date_unreadable"),
        (5, "2026-11-21", "date_out_of_range"),
    ],
)
def test_a_wrong_cell_keeps_the_list_out(manual, column, value, code):
    read = listed(manual, column, value)
    assert [issue.code for issue in read.issues] == [code]
    assert (read.loaded, read.names) == (False, ())


def test_what_a_list_leaves_blank_is_none(manual):
    read = listed(manual, 3, " ")
    assert read.names[0].sector is None
    assert listed(manual, 5, "-").names[0].listed_on is None


def test_the_same_company_twice_is_one_and_a_different_one_is_refused(manual):
    again = manual.listing(manual.as_page([*manual.listed, manual.listed[0]]))
    assert (again.loaded, manual.codes(again), len(again.names)) == (True, ["duplicate_row"], 3)
    other = (*manual.listed[0][:5], "2026-01-29", *manual.listed[0][6:])
    assert manual.codes(manual.listing(manual.as_page([*manual.listed, other]))) == ["ticker_twice"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda m: m.as_page(m.listed, tail=""), "cut_off"),
        (lambda m: m.as_page(m.listed)[:1500], "cut_off"),
        (lambda m: m.as_page([]), "header_only"),
        (lambda m: m.shorts(), "wrong_kind"),
        (lambda m: m.funds(), "wrong_kind"),
        (lambda m: m.as_csv("회사명,종목코드,지역", [["가나", "900110", "서울"]]), "missing_column"),
        (lambda m: m.as_page(m.listed).replace("상장일".encode("euc-kr"), "상장월".encode("euc-kr")), "missing_column"),
        (lambda _: "<html>로그인</html>".encode(), "login_page"),
        (
            lambda m: m.as_page(m.listed).replace("회사명".encode("euc-kr"), "종목코드".encode("euc-kr")),
            "missing_column",
        ),
    ],
)
def test_what_is_no_whole_list_is_refused(manual, data, code):
    read = manual.listing(data(manual))
    assert manual.codes(read, harmful=True) == [code]
    assert (read.loaded, read.names) == (False, ())


def test_two_columns_of_one_kind_are_refused(manual):
    heads = "회사명,종목코드,업종,상장일,단축코드"
    read = manual.listing(manual.as_csv(heads, [["가나", "900110", "업", "2026-01-30", "900120"]]))
    assert manual.codes(read, harmful=True) == ["duplicate_column"]


def test_an_old_list_and_one_of_tomorrow_are_refused(manual):
    page = manual.as_page(manual.listed[1:])
    assert manual.codes(manual.listing(page, "상장법인목록_20261001.xls")) == ["file_too_old"]
    assert manual.codes(manual.listing(page, "상장법인목록_20261121.xls")) == ["date_out_of_range"]


@pytest.mark.parametrize("column", [0, 1, 3])
def test_a_cell_that_is_a_credential_is_refused_and_not_repeated(manual, column):
    key = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
    first, *others = (list(row) for row in manual.listed)
    first[column] = key
    read = manual.listing(manual.as_page([first, *others]))
    assert (read.loaded, [issue.code for issue in read.issues]) == (False, ["credential"])
    assert key not in read.issues[0].says
