"""What a downloaded file is decides how it is read, and what it is not is named."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from quantassay.feeds.issues import HARMFUL, HARMLESS
from quantassay.feeds.raw_files import read_file
from quantassay.feeds.table_file import LARGEST_BYTES, read_tables

HEAD = ["종목코드", "종목명", "비중"]
ROW = ["900110", "가나전자", "0.07"]
TEXT = "종목코드,종목명,비중\n900110,가나전자,0.07\n"


def known(cells):
    count = sum(cell.strip() in HEAD for cell in cells)
    return count if count > 1 else 0


def read(manual, data, name="list.csv"):
    return read_tables(manual.raw(name, data), known)


def refusal(made):
    assert made.tables == ()
    (issue,) = made.issues
    return issue.code


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (TEXT.encode("cp949"), "CSV in CP949"),
        (TEXT.encode(), "CSV in UTF-8"),
        (TEXT.encode("utf-8-sig"), "CSV in UTF-8 with BOM"),
        (TEXT.encode("utf-16"), "CSV in UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "CSV in UTF-16"),
        (TEXT.replace(",", "\t").encode(), "text with tabs in UTF-8"),
        (TEXT.replace(",", ";").encode("cp949"), "text with semicolons in CP949"),
        (TEXT.replace("\n", "\r\n").encode("cp949"), "CSV in CP949"),
        (TEXT.replace("\n", "\r").encode(), "CSV in UTF-8"),
    ],
)
def test_the_bytes_of_a_text_say_how_to_read_it(manual, data, form):
    for name in ("list.csv", "list.xls", "list.pdf", "list"):
        made = read(manual, data, name)
        assert (made.form, made.issues) == (form, ())
        assert made.tables[0].rows == (tuple(HEAD), tuple(ROW))
        assert made.tables[0].lines == (1, 2)


def test_quotes_and_titles_keep_the_lines_of_the_file(manual):
    text = "공매도 현황\n\n" + ",".join(HEAD) + "\n" + '"900110","가나, 전자","0.07"\n'
    table = read(manual, text.encode("cp949")).tables[0]
    assert table.rows[-1] == ("900110", "가나, 전자", "0.07")
    assert table.lines == (1, 2, 3, 4)


def test_a_page_and_workbooks_are_read_whatever_their_names_say(manual):
    page = f"<html><table><tr><th>{'</th><th>'.join(HEAD)}</th></tr><tr><td>{'</td><td>'.join(ROW)}</td></table></html>"
    forms = {
        "HTML table named .xls, EUC-KR": page.encode("euc-kr"),
        "HTML table named .xls, UTF-8": page.encode(),
        "Excel workbook (.xlsx)": manual.as_xlsx([HEAD, ROW]),
        "Excel 97 workbook (.xls)": manual.as_xls([HEAD, ROW]),
    }
    for form, data in forms.items():
        made = read(manual, data, "list.xls")
        assert (made.form, made.tables[0].rows) == (form, (tuple(HEAD), tuple(ROW)))


def archive(*names):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as packed:
        for name in names:
            packed.writestr(name, TEXT)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"", "empty_file", "download it again"),
        (b" \r\n\t\n", "empty_file", "download it again"),
        (b"%PDF-1.7\n", "not_text", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "not_text", "an image"),
        (gzip.compress(TEXT.encode()), "not_text", "a gzip archive"),
        (archive("list.csv"), "not_text", "unpack it"),
        (archive("word/document.xml"), "not_text", "a Word document"),
        (archive("xl/workbook.bin"), "not_text", ".xlsb"),
        (b"PK\x03\x04broken", "cut_off", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not_text", "damaged or protected"),
        (TEXT.encode("utf-16-le"), "not_text", "neither"),
        (TEXT.encode().replace(b"0.07", b"0.\x0007"), "not_text", "control character"),
        (b"\xff\xfe\x00", "not_text", "neither"),
        (b"LOGOUT", "login_page", "log in"),
        (b'{"block1":[],"CURRENT_DATETIME":"2026.11.20 AM 09:00:00"}', "empty_answer", "without a row"),
        (b"[]", "empty_answer", "without a row"),
        (json.dumps({"OutBlock_1": [{"ISU_CD": "900110"}]}).encode(), "site_answer", "JSON"),
        (b'{"OutBlock_1":[{"ISU_CD":', "site_answer", "cut off"),
        (b"[" * 100_000, "site_answer", "JSON"),
        ("<html><body>로그인이 필요합니다</body></html>".encode(), "login_page", "log in"),
        (b"<!DOCTYPE html><html><body>503</body></html>", "login_page", "without a table"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "not_a_table",
            "2003",
        ),
        (TEXT.encode().decode("latin-1").encode(), "mojibake", "download it again"),
        (TEXT.encode("cp949").decode("latin-1").encode(), "mojibake", "latin-1"),
        (TEXT.encode("cp949").decode("utf-8", "replace").encode(), "mojibake", "download it again"),
        (TEXT.replace("가나", "가\ufffd").encode(), "mojibake", "line 2"),
        ((TEXT + '"900120,x,1\n').encode(), "not_a_table", "cut off"),
        ((TEXT + "900120,x,").encode(), "cut_off", "without its last value"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_is_named_for_what_it_is(manual, data, code, word):
    made = read(manual, data)
    assert refusal(made) == code
    assert word in made.issues[0].says


def test_a_file_larger_than_any_list_is_not_read(manual):
    assert refusal(read(manual, bytes(LARGEST_BYTES + 1))) == "too_large"
    assert refusal(read(manual, TEXT.encode() + b"\n" * 600_000)) == "too_large"
    assert refusal(read(manual, TEXT.encode() + b"," * 2_100_000)) == "too_large"
    assert refusal(read(manual, b"<table>" + b"<td>" * 500_000 + b"</table>")) == "too_large"
    spread = b"<table>" + b"<tr><td colspan=64 rowspan=64>" * 8_000 + b"</table>"
    assert refusal(read(manual, spread)) == "login_page"


def test_a_file_that_could_not_be_opened_says_what_the_system_said(tmp_path):
    assert refusal(read_tables(read_file(tmp_path / "gone.csv"), known)) == "unreadable"


def test_a_last_value_that_could_be_cut_is_pointed_at(manual):
    (issue,) = read(manual, TEXT.rstrip("\n").encode()).issues
    assert (issue.code, issue.row, issue.harmless) == ("line_unended", 2, True)
    assert "'0.07'" in issue.says
    assert read(manual, TEXT.replace("0.07\n", '"0.07"').encode()).issues == ()


def test_every_code_stands_in_the_docs_with_its_sentence():
    page = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text(encoding="utf-8")
    missing = [f"| `{code}` | {says} |" for code, says in {**HARMFUL, **HARMLESS}.items()]
    assert [row for row in missing if row not in page] == []
