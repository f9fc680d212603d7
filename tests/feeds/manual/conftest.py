"""Downloads as the exchange's sites give them, with invented values in the real containers, and a desk to ask with."""

import csv
import hashlib
import io
import struct
from datetime import date, timedelta

import openpyxl
import pytest

from quantassay.feeds.etf_nav import read_etf_nav
from quantassay.feeds.listing import read_listing
from quantassay.feeds.manual_read import Ask
from quantassay.feeds.raw_files import RawFile, printable
from quantassay.feeds.short_balance import read_short_balance

TODAY = date(2026, 11, 20)
HOLIDAYS = {date(2026, 9, 24), date(2026, 9, 25), date(2026, 10, 5), date(2026, 10, 9), date(2026, 12, 25)}
DAYS = tuple(
    day for day in (date(2026, 9, 1) + timedelta(i) for i in range(170)) if day.weekday() < 5 and day not in HOLIDAYS
)
BAN = {"from": "2026-09-07", "to": "2026-09-18", "source": "invented"}
RULES = {"publication_lag_sessions": 2, "largest_age_days": 14, "bans": [BAN]}
NAV_RULES = {"publication_lag_sessions": 0, "largest_age_days": 14}
LISTING_RULES = {"largest_age_days": 31}

SHORT_HEAD = "종목코드,종목명,수량_공매도순보유잔고수량,수량_상장주식수,금액_공매도순보유잔고금액,금액_시가총액,비중"
# ticker, name, balance, listed, close: the rest of a row follows from them.
SHORTS = (
    ("900110", "가나전자", 33055, 46822295, 4080),
    ("900120", "다라홀딩스", 4575, 13247561, 28800),
    ("90013K", "마바2우B", 0, 153600, 20000),
    ("0091A0", "사아", 810994, 116732559, 258),
    ("900150", "자차유통", 68060, 95716791, 6600),
    ("900160", "카타", 596477, 325935246, 5600),
)
NAV_HEAD = (
    "종목코드,종목명,종가,대비,등락률,순자산가치(NAV),시가,고가,저가,거래량,거래대금,시가총액,순자산총액,상장좌수,"
    "기초지수_지수명,기초지수_종가,기초지수_대비,기초지수_등락률"
)


def short_row(ticker, name, balance, listed, close):
    ratio = f"{balance / listed * 100:.2f}"
    return [ticker, name, *map(str, (balance, listed, balance * close, listed * close)), ratio]


def fund_row(first, close, nav, index):
    """One line of a fund: `first` stands before the numbers, `close`, `nav` and `index` with the level before them."""
    (close, before), (index, index_before) = close, index
    units, volume = 1_500_000, 1000
    rate, index_rate = (close / before - 1) * 100, (index / index_before - 1) * 100
    prices = [close - 5, close + 20, close - 30]
    sizes = [volume, volume * close, close * units, round(nav * units)]
    moves = [f"{index:.2f}", f"{index - index_before:.2f}", f"{index_rate:.2f}"]
    numbers = [close, close - before, f"{rate:.2f}", f"{nav:.2f}", *prices, *sizes, units]
    return [*first, *map(str, numbers), "가상 200", *moves]


FUNDS = (
    fund_row(["909500", "가나 200"], (33735, 33345), 33784.67, (268.32, 266.1)),
    fund_row(["909510", "가나 인버스"], (4340, 4380), 4344.07, (2043.75, 2038.25)),
    fund_row(["0090J0", "다라 원자력"], (10860, 10540), 10872.09, (2249.54, 2281.64)),
)
LISTED = (
    ("가나전자", "코스닥", "0091A0", "전자부품 제조업", "회로", "2026-01-30", "12월", "김가", "", "전라남도"),
    (
        "다라 S&T",
        "유가",
        "900120",
        "회사 본부 및 경영 컨설팅 서비스업",
        "지주",
        "1976-06-26",
        "12월",
        "박나",
        "http://x.kr",
        "서울",
    ),
    ("마바", "코넥스", "900990", "소프트웨어 개발 및 공급업", "", "2014-08-11", "3월", "이다", "", "경기도"),
)


def as_csv(head, rows, encoding="cp949", delimiter=",", quoted=True):
    """As the exchange writes it: the header bare, every value in quotes."""
    lines = [head.replace(",", delimiter)]
    lines += [delimiter.join(f'"{cell}"' if quoted else str(cell) for cell in row) for row in rows]
    return ("\n".join(lines) + "\n").encode(encoding)


def as_xlsx(*sheets):
    """A workbook of these sheets: lists of rows of any cells."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def as_xls(rows):
    """An Excel 97 workbook: one sheet of text and number cells, in the smallest container that holds it."""
    record = lambda kind, body: struct.pack("<HH", kind, len(body)) + body  # noqa: E731
    begin = lambda kind: record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0))  # noqa: E731
    cells = b""
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            place = struct.pack("<HHH", y, x, 0)
            if isinstance(cell, str):
                text = cell.encode("utf-16-le")
                cells += record(0x204, place + struct.pack("<HB", len(cell), 1) + text)
            else:
                cells += record(0x203, place + struct.pack("<d", cell))
    sheet = begin(0x10) + cells + record(0x0A, b"")
    name = b"\x06\x00Sheet1"
    length = len(begin(5)) + 4 + 6 + len(name) + 4
    top = begin(5) + record(0x85, struct.pack("<IH", length, 0) + name) + record(0x0A, b"")
    return _compound(top + sheet)


def _compound(stream):
    """The stream named Workbook alone in a compound file: header, one table of sectors, the directory, the stream."""
    size = max(len(stream), 4096)
    body = stream.ljust(-(-size // 512) * 512, b"\0")
    sectors = len(body) // 512
    table = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + sectors), 0xFFFFFFFE]
    table += [0xFFFFFFFF] * (128 - len(table))
    entry = lambda name, kind, child, start, length: (  # noqa: E731
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBB", 2 * len(name) + 2, kind, 1)
        + struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
        + bytes(36)
        + struct.pack("<IQ", start, length)
    )
    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, size)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<I", 0) + b"\xff" * (4 * 108)
    return head + struct.pack("<128I", *table) + folder.ljust(512, b"\0") + body


def as_page(rows, columns=10, tail="</table>\n</body>\n</html>"):
    """The disclosure site's list: blank lines before the page, col tags, white space nested in the market's cell."""
    heads = ["회사명", "시장구분", "종목코드", "업종", "주요제품", "상장일", "결산월", "대표자명", "홈페이지", "지역"]
    left = [i for i in range(10) if columns == 10 or i != 1]
    text = '\n\n\n<html xmlns="http://www.w3.org/1999/xhtml">\n<head>\n<meta http-equiv="Content-Type" '
    text += 'content="text/html; charset=euc-kr" />\n<title>상장법인목록(EXCEL)</title>\n</head>\n<body>\n'
    text += '\t<table cellpadding="0" border="1">\n\t<col width="20%" />\n\t<col width="10%" />\n\t<tr>\n'
    text += "".join(f'\t\t<th bgcolor="#66FF99" >{heads[i]}</th>\n' for i in left) + "\t</tr>\n\t\n\t\t\n"
    for row in rows:
        cells = [f"\n\t\t\t\n\t\t\t\t\t{row[i]}\n\t\t\t\t\t\n\t\t" if i in (1, 8) else row[i] for i in left]
        text += "\t<tr>\n" + "".join(f'\t\t<td style="x">{cell}</td>\n' for cell in cells) + "\t</tr>\n\t\t\t\n"
    return (text + "\t" + tail).encode("euc-kr")


class Manual:
    """Reads contents by the names of files, on a desk with a calendar and rules of its own."""

    today, days, rules, nav_rules = TODAY, DAYS, RULES, NAV_RULES

    def raw(self, name, data):
        data = data.encode() if isinstance(data, str) else data
        stem = name.rpartition(".")[0]
        return RawFile(printable(name), printable(stem), data, "sha256:" + hashlib.sha256(data).hexdigest())

    def ask(self, rules=RULES, **changes):
        given = {"ticker": None, "session": None, "today": TODAY, "sessions": DAYS, "rules": rules, "closes": {}}
        return Ask(**{**given, **changes})

    def short(self, data, name="shorts_20261118.csv", **changes):
        return read_short_balance(self.raw(name, data), self.ask(**changes))

    def nav(self, data, name="funds_20261120.csv", **changes):
        return read_etf_nav(self.raw(name, data), self.ask(**{"rules": NAV_RULES, **changes}))

    def listing(self, data, name="상장법인목록.xls", **changes):
        return read_listing(self.raw(name, data), self.ask(**{"rules": LISTING_RULES, **changes}))

    def shorts(self, rows=SHORTS, head=SHORT_HEAD, **form):
        return as_csv(head, [short_row(*row) for row in rows], **form)

    def funds(self, rows=FUNDS, head=NAV_HEAD, **form):
        return as_csv(head, rows, **form)

    def rows(self, data):
        """The rows of a CSV of these, to be changed and written again."""
        encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "cp949"
        return list(csv.reader(io.StringIO(data.decode(encoding))))

    as_csv = staticmethod(as_csv)
    as_xlsx = staticmethod(as_xlsx)
    as_xls = staticmethod(as_xls)
    as_page = staticmethod(as_page)
    short_row = staticmethod(short_row)
    fund_row = staticmethod(fund_row)
    short_head, nav_head, listed, short_rows, fund_rows = SHORT_HEAD, NAV_HEAD, LISTED, SHORTS, FUNDS

    @staticmethod
    def codes(read, harmful=None):
        return [issue.code for issue in read.issues if harmful is None or issue.harmless is not harmful]

    @staticmethod
    def values(read):
        """{(ticker, day, field): text of the value, or the note where there is none}."""
        return {
            (fact.ticker, fact.session.isoformat(), fact.field): fact.note if fact.value is None else str(fact.value)
            for fact in read.facts
        }


@pytest.fixture(scope="session")
def manual():
    return Manual()
