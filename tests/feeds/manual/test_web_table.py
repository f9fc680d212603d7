"""Pages as the exchange's sites give them: merged cells, nested white space, pages that end too soon."""

import pytest

from quantassay.feeds.table_rows import Unreadable
from quantassay.feeds.web_table import read_page


def rows_of(text):
    return read_page(text)[0].rows


def test_cells_lose_their_dress_and_keep_their_words():
    text = "<table><col width='20%' /><tr><td>\n\n\t코스닥\n</td><td>S&T&amp;C <b>x</b><br/>y</td></tr></table>"
    assert rows_of(text) == (("코스닥", "S&T&C xy"),)


def test_merged_headers_are_spread_over_what_they_cover():
    text = """<table>
    <tr><th rowspan="2">종목코드</th><th colspan="2">수량</th><th rowspan=2>비중</th></tr>
    <tr><th>순보유잔고수량</th><th>상장주식수</th></tr>
    <tr><td>900110</td><td>5</td><td>100</td><td>5.00</td></tr></table>"""
    assert rows_of(text)[:2] == (
        ("종목코드", "수량", "수량", "비중"),
        ("종목코드", "순보유잔고수량", "상장주식수", "비중"),
    )


@pytest.mark.parametrize("span", ["0", "-1", "9999999", "x", "", "٣"])
def test_a_span_that_is_none_is_one(span):
    assert len(rows_of(f'<table><tr><td colspan="{span}">a</td></tr></table>')[0]) == 1


def test_a_wide_span_is_bounded():
    assert len(rows_of('<table><tr><td colspan="99999">a</td></tr></table>')[0]) == 64


def test_tables_inside_tables_are_tables_of_their_own():
    text = "<table><tr><td>a</td><td><table><tr><td>b</td></tr></table></td></tr></table>"
    assert [table.rows for table in read_page(text)] == [(("a", "b"),), (("b",),)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<html><table><tr><td>1</td></tr>", "cut_off"),
        ("<html><body><table><tr><td>1</td></tr></table>", "cut_off"),
        ("<html><table></table></html>", "login_page"),
        ("<html><form>비밀번호</form></html>", "login_page"),
        ("<", "login_page"),
    ],
)
def test_a_page_without_a_whole_table_is_refused(text, code):
    made = read_page(text)
    assert isinstance(made, Unreadable)
    assert made.code == code


def test_nothing_outside_the_page_is_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("900110")
    entity = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><table><tr><td>&x;</td></tr></table>'
    assert "900110" not in str(read_page(entity))
    deep = "<table><tr><td>" + "<b>" * 5000 + "1" + "</b>" * 5000 + "</td></tr></table>"
    assert read_page(deep)
