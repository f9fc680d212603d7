"""A universe list from a CSV file: the names a desk may trade on one session, in the order of the list."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from quantassay.domain.figures import amount
from quantassay.feeds.csv_text import Header, Sheet, capped, read_sheet, shorten
from quantassay.feeds.issues import Issue
from quantassay.feeds.markets import Market
from quantassay.feeds.raw_files import RawFile
from quantassay.secrecy import kinds

LARGEST = 2**53
LONGEST = 30  # characters; longer digits are no amount of anything
_HEADERS = {
    "ticker": ("ticker", "symbol", "code", "종목코드", "단축코드", "티커"),
    "name": ("name", "종목명"),
    "close": ("close", "종가"),
    "volume": ("volume", "거래량"),
    "turnover": ("tradedvalue", "turnover", "value", "거래대금"),
}
HEADER = Header(
    known={text: column for column, texts in _HEADERS.items() for text in texts},
    required=tuple(_HEADERS),
    unused=frozenset(("시장구분", "소속부", "대비", "등락률", "시가", "고가", "저가", "시가총액", "상장주식수")),
)
_AMOUNT = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]*)?")
_STAMP = re.compile(r"(?:^|[^0-9])([0-9]{8})$")


@dataclass(frozen=True, slots=True)
class ListedName:
    """One line of a universe list: close and turnover in the market's currency, volume in shares.

    An amount that is no whole number is decimal text, in markets whose prices have decimals.
    """

    ticker: str
    name: str
    close: int | str
    volume: int
    turnover: int | str
    row: int


@dataclass(frozen=True, slots=True)
class UniverseRead:
    """The list of one session in the file's order; `session` is None and `names` empty where it must not be used."""

    file: str
    session: date | None
    names: tuple[ListedName, ...]
    issues: tuple[Issue, ...]

    @property
    def loaded(self) -> bool:
        """Whether the list can be used."""
        return self.session is not None


def read_universe(file: RawFile, market: Market, session: date | None = None, latest: date = date.max) -> UniverseRead:
    """Read one universe list. Never raises for what stands in the file.

    `session` is the list's session; where it is None the file's name must end in _YYYYMMDD. No list can be of a day
    after `latest`.
    """
    if file.refusal is not None:
        return UniverseRead(file.name, None, (), (file.refusal,))
    sheet = read_sheet(file.name, file.data, HEADER)
    issues = list(sheet.issues)
    dated = session or _stamp(file.stem)
    if dated is None:
        says = f"is named {shorten(file.stem)}, which tells no session; name it <list>_YYYYMMDD.csv or give --session"
        issues.append(Issue(file.name, None, "no_session", says))
    elif dated > latest:
        issues.append(Issue(file.name, None, "date_out_of_range", f"is of {dated}, a day that has not come yet"))
    names: list[ListedName] = []
    if sheet.columns:
        issues += capped(_collect(sheet, market, names))
    if any(not issue.harmless for issue in issues):
        return UniverseRead(file.name, None, (), tuple(sorted(issues, key=lambda issue: issue.order)))
    return UniverseRead(file.name, dated, tuple(names), tuple(issues))


def _collect(sheet: Sheet, market: Market, names: list[ListedName]) -> Iterator[Issue]:
    """Fill `names`; yield an issue for each row that cannot be one."""
    first: dict[str, int] = {}
    cells = zip(*(sheet.columns[column] for column in _HEADERS), strict=True)
    for line, row in zip(sheet.lines, cells, strict=True):
        ticker, name, *texts = (cell.strip() for cell in row)
        close, turnover = (_amount(text, whole=market.whole_prices) for text in (texts[0], texts[2]))
        volume = _shares(texts[1])
        amounts = (close, volume, turnover)
        if not market.is_ticker(ticker):
            says = f"has the ticker {shorten(ticker)}; are leading zeros lost? {market.key} codes have {market.form}"
            yield Issue(sheet.name, line, "bad_ticker", says)
        elif ticker in first:
            yield Issue(sheet.name, line, "ticker_twice", f"lists {ticker} again after line {first[ticker]}")
        elif not name:
            yield Issue(sheet.name, line, "blank_value", f"has no name for {ticker}")
        elif held := kinds(repr(name)):
            yield Issue(sheet.name, line, "credential", f"holds {held[0]} as the name of {ticker}; take it out")
        elif close is None or volume is None or turnover is None:
            wrong = [f"{column} {shorten(text)}" for column, text in zip(list(_HEADERS)[2:], texts, strict=True)]
            bad = ", ".join(text for text, amount in zip(wrong, amounts, strict=True) if amount is None)
            kind = "whole amount" if market.whole_prices else "amount"
            yield Issue(sheet.name, line, "not_a_number", f"has {bad}, no {kind} from 0 to 2^53")
        elif close == 0:
            yield Issue(sheet.name, line, "zero_price", f"has the close 0 for {ticker}")
        else:
            names.append(ListedName(ticker, name, close, volume, turnover, line))
        first.setdefault(ticker, line)


def _amount(text: str, *, whole: bool) -> int | str | None:
    if _AMOUNT.fullmatch(text) is None or len(text) > LONGEST:
        return None
    value = Decimal(text.replace(",", ""))
    return amount(value) if value <= LARGEST and (value == int(value) or not whole) else None


def _shares(text: str) -> int | None:
    shares = _amount(text, whole=True)
    return shares if isinstance(shares, int) else None


def _stamp(stem: str) -> date | None:
    found = _STAMP.search(stem)
    if found is None:
        return None
    try:
        return datetime.strptime(found.group(1), "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
