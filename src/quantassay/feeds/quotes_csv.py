"""Quotes from a CSV file: for each name a price that somebody saw, when, in which currency, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from quantassay.feeds.csv_text import Header, Sheet, capped, read_sheet, shorten
from quantassay.feeds.issues import Issue
from quantassay.feeds.markets import Market
from quantassay.feeds.raw_files import RawFile
from quantassay.secrecy import kinds

LARGEST = 2**53
LONGEST = 30  # characters; longer digits are no price of anything
_NEEDED = ("ticker", "price", "taken_at", "currency")
_HEADERS = {
    "ticker": ("ticker", "symbol", "code", "종목코드", "단축코드", "티커"),
    "price": ("price", "last", "expected", "현재가", "예상체결가", "예상가"),
    "taken_at": ("takenat", "time", "timestamp", "시각", "조회시각"),
    "currency": ("currency", "통화"),
    "source": ("source", "출처"),
}
HEADER = Header(
    known={text: column for column, texts in _HEADERS.items() for text in texts},
    required=_NEEDED,
    unused=frozenset(("name", "종목명")),
)
_WHOLE = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.0*)?")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
# A day and a time of day; what reads like less is no instant, whatever a lenient reader makes of it.
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")


@dataclass(frozen=True, slots=True)
class QuotedName:
    """One line of a file of quotes: the price exactly as an integer or decimal text, and when it was seen (aware)."""

    ticker: str
    price: int | str
    taken_at: datetime
    source: str
    row: int


@dataclass(frozen=True, slots=True)
class QuotesRead:
    """The quotes in the file's order; `quotes` is empty where the file must not be used."""

    file: str
    digest: str
    quotes: tuple[QuotedName, ...]
    issues: tuple[Issue, ...]

    @property
    def loaded(self) -> bool:
        """Whether the quotes can be used."""
        return all(issue.harmless for issue in self.issues)


def read_quotes(file: RawFile, market: Market, now: datetime | None = None) -> QuotesRead:
    """Read one file of quotes, whole or not at all. Never raises for what stands in the file.

    Every row needs a price above zero in the market's currency and the instant, with its zone, at which it was seen; no
    price can be seen after `now` (aware).
    """
    if file.refusal is not None:
        return QuotesRead(file.name, file.digest, (), (file.refusal,))
    sheet = read_sheet(file.name, file.data, HEADER)
    issues = list(sheet.issues)
    quotes: list[QuotedName] = []
    if sheet.columns:
        issues += capped(_collect(sheet, market, now, quotes))
    issues.sort(key=lambda issue: issue.order)
    good = all(issue.harmless for issue in issues)
    return QuotesRead(file.name, file.digest, tuple(quotes) if good else (), tuple(issues))


def _collect(sheet: Sheet, market: Market, now: datetime | None, quotes: list[QuotedName]) -> Iterator[Issue]:
    """Fill `quotes`; yield an issue for each row that cannot be one."""
    first: dict[str, int] = {}
    sources = sheet.columns.get("source", [""] * len(sheet.lines))
    cells = zip(*(sheet.columns[column] for column in _NEEDED), sources, strict=True)
    for line, row in zip(sheet.lines, cells, strict=True):
        ticker, price_text, time_text, currency, source = (cell.strip() for cell in row)
        price, seen = _price(price_text, market), _instant(time_text)
        fault = (
            _of_name(ticker, market, first)
            or _of_price(ticker, price_text, price, currency, market)
            or _of_time(ticker, time_text, seen, now)
        )
        if fault is None and (held := kinds(repr(source))):
            fault = "credential", f"holds {held[0]} as the source of {ticker}; take it out"
        if fault is not None:
            yield Issue(sheet.name, line, *fault)
        elif price is not None and seen is not None:
            quotes.append(QuotedName(ticker, price, seen, source, line))
        first.setdefault(ticker, line)


def _of_name(ticker: str, market: Market, first: dict[str, int]) -> tuple[str, str] | None:
    if not market.is_ticker(ticker):
        says = f"has the ticker {shorten(ticker)}; are leading zeros lost? {market.key} codes have {market.form}"
        return "bad_ticker", says
    if ticker in first:
        return "ticker_twice", f"quotes {ticker} again after line {first[ticker]}; keep the one that counts"
    return None


def _of_price(
    ticker: str, written: str, price: int | str | None, currency: str, market: Market
) -> tuple[str, str] | None:
    if not written:
        return "blank_value", f"has no price for {ticker}"
    if price is None:
        kind = "whole amount" if market.whole_prices else "plain number"
        return "not_a_number", f"has the price {shorten(written)} for {ticker}, no {kind} up to 2^53"
    if Decimal(price) == 0:
        return "zero_price", f"has the price 0 for {ticker}; leave the name out where there is no quote"
    if currency != market.currency:
        said = shorten(currency) if currency else "no currency"
        return "currency_other", f"quotes {ticker} in {said}, and prices of {market.key} are in {market.currency}"
    return None


def _of_time(ticker: str, written: str, seen: datetime | None, now: datetime | None) -> tuple[str, str] | None:
    form = "write it like 2026-11-19T08:50:00+09:00"
    if not written:
        return "blank_value", f"does not say when {ticker} was quoted; {form}"
    if seen is None:
        return "time_unreadable", f"has the time {shorten(written)} for {ticker}, no instant with a zone; {form}"
    if now is not None and seen > now:
        return "time_not_come", f"quotes {ticker} at {written}, which has not come yet; correct the time or its zone"
    return None


def _price(written: str, market: Market) -> int | str | None:
    """The price exactly: an integer, or decimal text without zeros at its end."""
    if len(written) > LONGEST:
        return None
    if market.whole_prices:
        if _WHOLE.fullmatch(written) is None:
            return None
        amount = int(written.partition(".")[0].replace(",", ""))
        return amount if amount <= LARGEST else None
    if _DECIMAL.fullmatch(written) is None or Decimal(written) > LARGEST:
        return None
    number = Decimal(written)
    return int(number) if number == int(number) else f"{number.normalize():f}"


def _instant(written: str) -> datetime | None:
    if _INSTANT.fullmatch(written) is None:
        return None
    try:
        seen = datetime.fromisoformat(written)
    except ValueError:
        return None
    return None if seen.tzinfo is None else seen.replace(microsecond=0)
