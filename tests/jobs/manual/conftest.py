"""A desk, and files such as people download for it, with values that nobody ever had."""

import shutil
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest

from quantassay.jobs.init import init
from quantassay.jobs.manual_imports import Options, run

# Friday morning at the exchange.
NOW = datetime(2026, 11, 20, 0, 5, 30, 250, tzinfo=UTC)
SHORT_HEAD = "종목코드,종목명,수량_공매도순보유잔고수량,수량_상장주식수,금액_공매도순보유잔고금액,금액_시가총액,비중"
LISTED, CLOSE = 1_000_000, 5_000


def short_row(ticker, shares, name="Example", close=CLOSE):
    """A row of a list of short balances that agrees with itself."""
    ratio = (Decimal(shares) * 100 / LISTED).quantize(Decimal("0.01"), ROUND_HALF_UP)
    cells = (ticker, name, shares, LISTED, shares * close, LISTED * close, ratio)
    return ",".join(f'"{cell}"' for cell in cells)


class Desk:
    """A desk as `assay init` leaves it, and a folder of downloads beside it."""

    def __init__(self, root):
        self.root, self.data, self.downloads = root, root / "data", root.parent / "downloads"
        self.downloads.mkdir()
        self.store = self.data / "imports" / "manual"

    def put(self, name, text, encoding="cp949"):
        path = self.downloads / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    def shorts(self, day="20261116", name="잔고_KOSPI_{}.csv", **shares):
        """A list of short balances, ticker by ticker (`t900010=5`)."""
        rows = [short_row(ticker.removeprefix("t"), count) for ticker, count in shares.items()]
        return self.put(name.format(day), "\r\n".join([SHORT_HEAD, *rows]) + "\r\n")

    def navs(self, ticker="900190", name="괴리율추이_{}.csv", **navs):
        """A series of premiums of one fund: `d20261118="10000.50"`."""
        rows = []
        for day, nav in sorted(navs.items(), reverse=True):
            premium = ((Decimal(10_000) - Decimal(nav)) * 100 / Decimal(nav)).quantize(Decimal("0.01"), ROUND_HALF_UP)
            rows.append(f'"{day[1:5]}/{day[5:7]}/{day[7:]}","10000","{nav}","{premium}"')
        return self.put(name.format(ticker), "\r\n".join(["일자,종가,순자산가치(NAV),괴리율", *rows]) + "\r\n")

    def companies(self, *rows, name="companies.xls"):
        """A list of companies as its site makes it: a web page that is called .xls; a row is (name, code, sector)."""
        heads = ("회사명", "종목코드", "업종", "주요제품", "상장일", "결산월", "대표자명", "홈페이지", "지역")
        lines = "".join(
            f"<tr><td>{name}</td><td>{code}</td><td>{sector}</td><td>parts</td><td>2019-05-02</td><td>12월</td>"
            f"<td>Kim</td><td></td><td>Seoul</td></tr>\n"
            for name, code, sector in rows
        )
        table = f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>\n{lines}</table>"
        return self.put(name, f"<html><head><title>상장법인목록</title></head><body>{table}</body></html>", "euc-kr")

    def imports(self, feed, source, **options):
        return run(self.root, feed, source, Options(**{"now": NOW, **options}))

    def state(self):
        """Every file of the store with its bytes."""
        return {path: path.read_bytes() for path in self.store.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def made(tmp_path_factory):

    folder = tmp_path_factory.mktemp("made") / "desk"
    init(folder)
    return folder


@pytest.fixture
def desk(made, tmp_path):
    shutil.copytree(made, tmp_path / "desk")
    return Desk(tmp_path / "desk")
