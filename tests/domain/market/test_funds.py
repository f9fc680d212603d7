"""Funds are told from shares by their names: brands are found, and ordinary names with such words inside are not."""

import csv
import html
import re
from pathlib import Path

import pytest
import yaml

from quantassay.domain.market.funds import fund_names, is_fund

ROOT = Path(__file__).parents[3]
SPEC = yaml.safe_load((ROOT / "spec/26_daily_bars.yaml").read_text(encoding="utf-8"))["funds"]
FUNDS = {
    "XKRX": [
        "KODEX 200",
        "KODEX 코스닥150레버리지",
        "TIGER 미국S&P500",
        "ACE KRX금현물",
        "SOL 조선TOP3플러스",
        "RISE 200",
        "PLUS 고배당주",
        "HANARO Fn K-반도체",
        "KoAct 바이오헬스케어액티브",
        "1Q 머니마켓액티브",
        "마이티 코스피100",
        "삼성 인버스 2X WTI원유 선물 ETN",
        "미래에셋 레버리지 원유선물혼합 ETN(H)",
        "신한 천연가스 선물",
        "kodex 인버스",
    ],
    "XNYS": [
        "iShares Russell 2000 ETF",
        "SPDR S&P 500 ETF Trust",
        "Vanguard Total Stock Market Index Fund",
        "ProShares UltraPro QQQ",
        "Direxion Daily Semiconductor Bull 3X Shares",
        "Invesco QQQ Trust",
        "VanEck Gold Miners ETF",
        "Global X Uranium Fund",
        "WisdomTree Emerging Markets High Dividend Fund",
        "MicroSectors FANG+ 3X Leveraged ETN",
        "Some Issuer 1.5X Long Something",
    ],
}
SHARES = {
    "XKRX": [
        "타이거일렉",
        "에이스테크",
        "솔브레인",
        "삼성전자",
        "미래에셋증권",
        "키움증권",
        "KB금융",
        "NH투자증권",
        "신한지주",
        "BNK금융지주",
        "KG ETS",
        "에코프로",
        "파워로직스",
        "플러스글로벌",
        "한국ACE",
        "LS ELECTRIC",
        "TIGERBIO",
    ],
    "XNYS": [
        "Bullish",
        "Bull Horn Holdings",
        "Build-A-Bear Workshop",
        "Ultra Clean Holdings",
        "Bear Creek Mining",
        "Invesco Ltd",
        "WisdomTree Inc",
        "Global Xpress",
        "First Trust Bancorp",
        "Fidelity National Financial",
        "KODEX Industries",
        "Tiger Brokers",
        "Netflix",
    ],
}


def pairs(names):
    return [(market, name) for market, those in names.items() for name in those]


@pytest.mark.parametrize(("market", "name"), pairs(FUNDS))
def test_a_fund_is_told_by_its_name(market, name):
    assert is_fund(name, fund_names(SPEC, market))


@pytest.mark.parametrize(("market", "name"), pairs(SHARES))
def test_a_share_with_such_a_word_inside_is_none(market, name):
    assert not is_fund(name, fund_names(SPEC, market))


def test_a_market_without_brands_knows_the_words_all_the_same():
    known = fund_names({**SPEC, "brands": {}}, "XLON")
    assert is_fund("Some ETF", known)
    assert not is_fund("KODEX 200", known)
    assert not is_fund("", known)


def test_no_listed_company_is_taken_for_a_fund(shared):
    """The names of all companies that the exchange lists, none of which is a fund."""
    known = fund_names(SPEC, "XKRX")
    names = set()
    for path in sorted((shared / "data/kind_xls").glob("*.xls")):
        for row in re.findall(r"<tr.*?</tr>", path.read_bytes().decode("cp949"), re.DOTALL):
            cells = [
                html.unescape(re.sub(r"<.*?>", "", cell)).strip() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)
            ]
            names.update(cells[:1])
    assert len(names) > 1000
    assert sorted(name for name in names if is_fund(name, known)) == []


def test_every_fund_of_the_exchange_is_found(shared):
    """The names of all funds that traded on a day of 2021."""
    (path,) = (shared / "data/krx_manual_csv").glob("*20210325.csv")
    header, *rows = csv.reader(path.read_bytes().decode("cp949").splitlines())
    names = [row[header.index("종목명")] for row in rows]
    assert len(names) > 400
    assert [name for name in names if not is_fund(name, fund_names(SPEC, "XKRX"))] == []
