"""Headers drift: other words, other order, titles above, totals below. Each doubt is named, nothing is guessed."""

import pytest

from quantassay.feeds.header_map import Column, find_table, fold, headers_of, judge, scale
from quantassay.feeds.issues import Issue
from quantassay.feeds.table_file import read_tables

COLUMNS = (
    Column("ticker", "종목코드|code", usual=("종목코드",)),
    Column("balance", "(?:수량|공매도)*순보유잔고수량|balance", usual=("순보유잔고수량",)),
    Column("ratio", "비중|ratio", usual=("비중",)),
    Column("listed", "상장주식수", kept=False),
    Column("", "종목명|순위", kept=False),
)
HEAD = "종목코드,종목명,순보유잔고수량,비중"
ROWS = "900110,가나,1,0.07\n900120,다라,2,0.03\n"


def find(manual, text):
    return find_table(read_tables(manual.raw("list.csv", text), judge(COLUMNS)), COLUMNS)


def codes(table):
    return [issue.code for issue in table.issues]


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("순자산가치(NAV)", "순자산가치nav"),
        ("수량_공매도 순보유잔고 수량", "수량공매도순보유잔고수량"),
        ("비중(%)", "비중"),
        ("순보유잔고수량 [주]", "순보유잔고수량"),
        ("시가총액(백만원)", "시가총액"),
        ("시가총액(단위: 원)", "시가총액"),
        ("Balance / Shares", "balanceshares"),
        ("\uff2e\uff21\uff36\uff08원\uff09", "nav"),
        ("", ""),
    ],
)
def test_a_header_is_looked_up_without_its_dress(header, key):
    assert fold(header) == key


def test_a_unit_that_multiplies_is_told_apart():
    assert [scale(text) for text in ("시가총액(백만원)", "시가총액(원)", "잔고 (천주)", "NAV")] == [
        "백만원",
        "",
        "천주",
        "",
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n{ROWS}",
        f"공매도 순보유잔고\n조회일자 : 2026/11/18\n\n{HEAD}\n{ROWS}",
        "비중,순보유잔고수량,종목명,종목코드\n0.07,1,가나,900110\n0.03,2,다라,900120\n",
        f"{HEAD}\n{ROWS}합계,,3,0.10\n",
        f"{HEAD}\n{ROWS},합 계,3,-\n\n※ 자료: 한국거래소,,,\n",
        f"{HEAD}\n900110,가나,1,0.07\n{HEAD}\n900120,다라,2,0.03\n",
        " 공매도 순보유잔고_수량 , 종목코드 , 비 중(%) \n1,900110,0.07\n2,900120,0.03\n",
        f",{HEAD}\n0,900110,가나,1,0.07\n1,900120,다라,2,0.03\n",
        f"{HEAD}\t\n{ROWS}".replace(",", "\t").replace("07\n", "07\t \n"),
        "종목코드,종목명,수량,,비중\n,,순보유잔고수량,상장주식수,\n900110,가나,1,9,0.07\n900120,다라,2,9,0.03\n",
    ],
)
def test_the_same_columns_come_out_of_every_layout(manual, text):
    table = find(manual, text)
    found = [table.columns[field] for field in ("ticker", "balance", "ratio")]
    assert found == [("900110", "900120"), ("1", "2"), ("0.07", "0.03")]
    assert table.rows == 2
    assert all(issue.harmless for issue in table.issues)
    lines = text.split("\n")
    assert [cell in lines[line - 1] for cell, line in zip(found[0], table.lines, strict=True)] == [True, True]


def test_what_is_passed_over_is_told(manual):
    text = f",{HEAD},새열\n0,900110,가나,1,0.07,x\n\n,{HEAD},새열\n,합계,,1,,\n* 잠정치\n"
    table = find(manual, text)
    assert codes(table) == ["column_ignored", "index_column", "blank_line", "header_again", "total_line", "note_line"]
    assert table.mapping == (
        ("", None),
        ("종목코드", "ticker"),
        ("종목명", None),
        ("순보유잔고수량", "balance"),
        ("비중", "ratio"),
        ("새열", None),
    )
    assert table.preview == (("", *HEAD.split(","), "새열"), ("0", "900110", "가나", "1", "0.07", "x"))


@pytest.mark.parametrize(
    ("head", "code", "word"),
    [
        ("종목코드,순보유잔고수량,수량_순보유잔고수량,비중", "duplicate_column", "balance"),
        ("종목코드,종목명,순보환잔고수량,비중", "header_unknown", "순보환잔고수량"),
        ("종목코드,종목명,순보유잔고수량,비주", "header_unknown", "비주"),
        ("종목코드,종목명,순보유 총잔고 수량,비중", "header_unknown", "순보유 총잔고"),
        ("종목코드,종목명,순보유잔고수량(천주),비중", "unit_other", "천주"),
        ("종목코드,종목명,순보유잔고수량,鑒鱔", "header_unknown", "damaged"),
    ],
)
def test_a_header_in_doubt_is_refused_with_its_name(manual, head, code, word):
    table = find(manual, f"{head}\n{ROWS}")
    (issue,) = [issue for issue in table.issues if not issue.harmless]
    assert (issue.code, issue.row) == (code, 1)
    assert word in issue.says


def test_a_new_column_that_is_like_none_is_passed_over(manual):
    for head in ("새것", "대비", "순위표", "비고란"):
        assert codes(find(manual, f"종목코드,{head},순보유잔고수량\n900110,가나,1\n")) == ["column_ignored"]


def test_a_column_that_only_checks_may_have_any_unit(manual):
    table = find(manual, "종목코드,순보유잔고수량,상장주식수(천주),비중\n900110,1,2,0.07\n")
    assert "listed" not in table.columns
    assert table.issues == ()


@pytest.mark.parametrize("row", ["900120,다라,2", "900120,다라,2,0.03,9", "900120"])
def test_a_row_of_another_width_is_refused(manual, row):
    (issue,) = find(manual, f"{HEAD}\n900110,가나,1,0.07\n{row}\n").issues
    assert (issue.code, issue.row) == ("columns_wrong", 3)


def test_a_file_without_such_a_header_shows_how_it_begins(manual):
    issue = find(manual, "안녕하세요\n비중\n1,2\n")
    assert isinstance(issue, Issue)
    assert issue.code == "not_a_table"
    assert "안녕하세요" in issue.says


def test_two_sheets_that_could_be_meant_are_refused_and_a_better_one_is_taken(manual):
    rows = [HEAD.split(","), ["900110", "가나", 1, 0.07]]
    twice = read_tables(manual.raw("a.xlsx", manual.as_xlsx(rows, rows)), judge(COLUMNS))
    assert find_table(twice, COLUMNS).code == "several_tables"
    notes = [["종목코드", "비중"], ["x", "y"]]
    one = read_tables(manual.raw("a.xlsx", manual.as_xlsx(notes, rows)), judge(COLUMNS))
    assert find_table(one, COLUMNS).columns["ticker"] == ("900110",)


def test_a_line_far_too_wide_is_no_header(manual):
    assert find(manual, HEAD + ",비중" * 500 + "\n").code == "not_a_table"


def test_the_first_rows_tell_the_kind(manual):
    made = read_tables(manual.raw("a.csv", "제목\n회사명,종목코드\n가나,900110\n"), judge(COLUMNS))
    assert headers_of(made)[:3] == ("제목", "회사명", "종목코드")
