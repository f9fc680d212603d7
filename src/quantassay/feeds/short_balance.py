"""Short balances out of the exchange's downloads: all names of a day, the 50 largest, or the days of one name."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from quantassay.feeds import day_checks
from quantassay.feeds.csv_text import capped
from quantassay.feeds.file_kinds import lent_shares, other_kind
from quantassay.feeds.header_map import Column, Table
from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import Ask, Fact, ManualRead
from quantassay.feeds.manual_rows import (
    NAME,
    SESSION,
    SESSIONS,
    TICKER,
    TICKERS,
    Feed,
    Listed,
    Row,
    manual_read,
    read_rows,
)
from quantassay.feeds.raw_files import RawFile

FIELDS = ("balance_shares", "listed_shares", "balance_value", "market_value", "balance_ratio")
_NEEDED = ("balance_shares", "balance_value", "balance_ratio")
_WANTED = "short balances (공매도 순보유잔고)"
_COLUMNS = (
    Column("ticker", TICKER, usual=TICKERS),
    Column("session", SESSION, usual=SESSIONS),
    Column("name", NAME),
    Column(
        "balance_shares",
        "(?:공매도|수량)*(?:순보유)?(?:공매도)?잔고(?:수량|주식수|주수|량)?"
        "|(?:net)?(?:short)?balance(?:shares|quantity|qty|volume)|(?:net)?shortbalance|balqty",
        usual=("공매도순보유잔고수량", "수량공매도순보유잔고수량", "공매도수량순보유잔고수량", "balanceshares"),
    ),
    Column(
        "balance_value",
        "(?:공매도|금액)*(?:순보유)?(?:공매도)?잔고(?:금액|평가액|대금)|(?:net)?(?:short)?balance(?:value|amount|amt)|balamt",
        usual=("공매도순보유잔고금액", "금액공매도순보유잔고금액", "공매도금액순보유잔고금액", "balancevalue"),
    ),
    Column(
        "balance_ratio",
        "(?:공매도)?(?:순보유)?(?:공매도)?잔고(?:비중|비율|율)|(?:상장주식수?)?대비잔고비중"
        "|(?:net)?(?:short)?balanceratio(?:percent|pct)?|balrto",
        usual=("공매도잔고비중", "balanceratio"),
    ),
    Column(
        "listed_shares",
        "(?:수량)?상장주식(?:총)?수(?:량)?|listedshares|sharesoutstanding|listshrs",
        usual=("상장주식수", "수량상장주식수", "listedshares"),
    ),
    Column(
        "market_value",
        "(?:금액)?(?:상장)?시가총액|marketcap(?:italization)?|marketvalue|mktcap",
        usual=("시가총액", "금액시가총액", "marketvalue"),
    ),
    # What stands beside the balance and is none of it: volumes, ranks, the market's name.
    Column(
        "", ".*공매도거래.*|.*공매도(?:수량|금액)?(?:거래량|거래대금).*|.*업틱.*|공매도비중|공매도|매수", kept=False
    ),
    Column("", "순위|번호|no|rank|시장(?:구분)?|market|소속부|표준코드|isin|isucd|비고", kept=False),
)
_SHARE = Column("balance_ratio", "비중|ratio", usual=("비중", "ratio"))
_VALUE = Column("balance_value", "공매도금액")
_UNITS = {
    "balance_ratio": "%",
    "balance_shares": "주",
    "listed_shares": "주",
    "balance_value": "원",
    "market_value": "원",
}
_WHOLE = frozenset(FIELDS) - {"balance_ratio"}
# No share of the exchange has ever cost as much; a list in thousands of shares or won would say so of many.
_DEAREST = 20_000_000
# A ratio that came through a 16-bit float, as some programs keep it, is off by less than this share of itself.
_FLOAT = Decimal("0.0006")


def read_short_balance(file: RawFile, ask: Ask) -> ManualRead:
    """The short balances of a file, as facts. Never raises for what stands in it.

    A zero of a day on which short selling was banned is no value, and its note says so; a balance that stood on is
    one. A ratio is never computed: where the file has none, there is none.
    """
    read = read_rows(file, Feed(_WANTED, _columns, FIELDS, _NEEDED, units=_UNITS, whole=_WHOLE), ask)
    issues = list(read.issues)
    table = read.table
    if table is not None and lent_shares(table.headers):
        issues = [issue for issue in (other_kind(file.name, table.headers, _WANTED),) if issue]
    elif table is not None and read.rows:
        issues += capped(_contradictions(file.name, read.rows))
        issues += _unit(file.name, read.rows)
        prices = {(row.ticker, row.session): price for row in read.rows if (price := _price(row)) is not None}
        issues += day_checks.judge_prices(file.name, prices, ask)
    return _result(file, read, ask, issues)


def _columns(headers: Sequence[str]) -> tuple[Column, ...]:
    """The columns of this header: 비중 alone is that of the balance only where no short volume stands beside it."""
    volume = any(re.search("거래량|거래대금|공매도비중|^공매도$", header) for header in headers)
    balance = any(re.search("잔고|balance", header) for header in headers)
    columns = (*_COLUMNS, _SHARE) if balance and not volume else _COLUMNS
    # Programs that read the site call the balance's value 공매도금액, which elsewhere is the value of a day's sales.
    alone = {"공매도잔고", "상장주식수", "시가총액"} <= set(headers)
    return (*columns, _VALUE) if alone else columns


def _result(file: RawFile, read: Listed, ask: Ask, issues: list[Issue]) -> ManualRead:
    facts, noted = _facts(file.name, read.rows, ask)
    return manual_read(file, read, _layout(read.table) if read.table else "", facts, [*issues, *noted])


def _layout(table: Table) -> str:
    if "session" not in table.columns:
        return "the largest short balances of one day" if "순위" in table.headers else "short balances of one day"
    return "short balances by name and day" if "ticker" in table.columns else "short balances of one name"


def _contradictions(name: str, rows: Sequence[Row]) -> Iterator[Issue]:
    """Numbers of one row that cannot all be right: a value is shares times one close, the ratio is of listed shares."""
    half = _half_digit(rows)
    for row in rows:
        shares, listed = row.values.get("balance_shares"), row.values.get("listed_shares")
        ratio = row.values.get("balance_ratio")
        if shares is not None and listed is not None and shares > listed:
            says = f"has {shares} shares short of {listed} listed for {row.ticker}; are the columns swapped?"
            yield Issue(name, row.line, "ratio_contradicts", f"{says} download it again")
        elif shares is not None and listed and ratio is not None:
            true = shares / listed * 100
            if abs(true - ratio) > half + ratio * _FLOAT:
                says = f"has the ratio {ratio} for {row.ticker}, and {shares} of {listed} shares are {true:.4f} percent"
                yield Issue(name, row.line, "ratio_contradicts", f"{says}; download it again")
        yield from _amounts(name, row)


def _half_digit(rows: Sequence[Row]) -> Decimal:
    """Half of the last digit to which the file rounds its ratios."""
    ratios = [value for row in rows if (value := row.values.get("balance_ratio")) is not None]
    places = max((-int(value.as_tuple().exponent) for value in ratios), default=0)
    return Decimal(5).scaleb(-1 - min(max(places, 0), 2))


def _amounts(name: str, row: Row) -> Iterator[Issue]:
    """Each value must be a whole price times its shares, and both the same price."""
    pairs = (("balance_value", "balance_shares"), ("market_value", "listed_shares"))
    prices = []
    for value_name, shares_name in pairs:
        value, shares = row.values.get(value_name), row.values.get(shares_name)
        if value is None or shares is None:
            continue
        if (not shares) != (not value) or (shares and value % shares):
            says = f"has {value} won for {shares} shares of {row.ticker} ({shares_name}), which is no whole price"
            yield Issue(name, row.line, "amounts_contradict", f"{says}; download it again")
            return
        if shares:
            prices.append(value / shares)
    if len(set(prices)) > 1:
        says = f"has {row.ticker} at {prices[0]} won by its balance and at {prices[1]} won by its market value"
        yield Issue(name, row.line, "amounts_contradict", f"{says}; download it again")


def _price(row: Row) -> Decimal | None:
    """The close that the row's own value and shares give."""
    for value_name, shares_name in (("market_value", "listed_shares"), ("balance_value", "balance_shares")):
        value, shares = row.values.get(value_name), row.values.get(shares_name)
        if value and shares:
            return value / shares
    return None


def _unit(name: str, rows: Sequence[Row]) -> Iterator[Issue]:
    """Amounts in thousands, which the site can be set to and the file does not say."""
    dear = [row for row in rows if (price := _price(row)) is not None and price > _DEAREST]
    if dear:
        says = f"has {dear[0].ticker} at more than {_DEAREST:,} won: shares in thousands; choose 주 and 원 at the site"
        yield Issue(name, dear[0].line, "unit_other", f"{says} and download it again")


def _facts(name: str, rows: Sequence[Row], ask: Ask) -> tuple[list[Fact], list[Issue]]:
    bans = [
        (date.fromisoformat(str(ban["from"])), date.fromisoformat(str(ban["to"]))) for ban in ask.rules.get("bans", ())
    ]
    facts: list[Fact] = []
    banned: list[Row] = []
    for row in rows:
        inside = any(first <= row.session <= last for first, last in bans)
        none_stood = inside and not any(row.values.get(text) for text in ("balance_shares", "balance_value"))
        for text in FIELDS:
            if text not in row.values:
                continue
            value = row.values[text]
            note = "" if value is not None else "blank"
            if none_stood and value == 0 and text.startswith("balance_"):
                value, note = None, "banned"
                banned.append(row)
            facts.append(Fact(row.ticker, row.session, text, value, note, row.line))
    if not banned:
        return facts, []
    names = len({(row.ticker, row.session) for row in banned})
    says = f"has zeros for {names} names on days when short selling was banned; kept as unknown, not as zero"
    return facts, [Issue(name, banned[0].line, "banned_zero", says)]
