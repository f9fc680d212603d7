"""Net asset value, premium, tracking error and size of funds out of the exchange's downloads."""

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from quantassay.feeds import day_checks
from quantassay.feeds.csv_text import capped
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

FIELDS = ("close", "nav", "premium_percent", "tracking_error_percent", "aum", "index_close", "multiple")
_NEEDED = ("nav", "premium_percent", "tracking_error_percent", "aum")
_CHECKED = (
    *("open", "high", "low", "volume", "turnover", "market_value", "units", "change", "change_rate"),
    *("nav_rate", "index_change", "index_rate"),
)
_SIGNED = frozenset(("premium_percent", "multiple"))
_COLUMNS = (
    Column("ticker", TICKER, usual=TICKERS),
    Column("session", SESSION, usual=SESSIONS),
    Column("name", NAME),
    Column("close", "종가|close|closing(?:price)?|closeprice|tddclsprc|clsprc", usual=("종가", "close")),
    Column(
        "nav",
        "(?:최종)?순자산가치(?:nav)?|(?:최종)?nav|기준가격?(?:nav)?|lstnav|netassetvalue|navper(?:share|unit)",
        usual=("순자산가치nav", "nav"),
    ),
    Column(
        "premium_percent",
        "괴리율|괴리도|premium(?:percent|pct|rate)?|premiumdiscount|navpremium|divrgrt|disparity",
        usual=("괴리율", "premium"),
    ),
    Column(
        "tracking_error_percent",
        "추적오차율?|trackingerror(?:percent|pct|rate)?|traceerrrt",
        usual=("추적오차율", "trackingerror"),
    ),
    Column(
        "aum",
        "순자산총액|순자산|aum|(?:total)?netassets?(?:total)?|invstasstnetassttotamt",
        usual=("순자산총액", "aum"),
    ),
    Column(
        "index_close",
        "기초지수(?:종가|지수)?|indexclose|index|(?:underlying|reference)index|objstkprcidx",
        usual=("기초지수종가", "기초지수지수", "기초지수", "indexclose"),
    ),
    Column("multiple", "추적배수|배수|multiple|leverage|traceydmult", usual=("추적배수", "multiple")),
    Column("open", "시가|open|tddopnprc", kept=False),
    Column("high", "고가|high|tddhgprc", kept=False),
    Column("low", "저가|low|tddlwprc", kept=False),
    Column("volume", "거래량|volume|acctrdvol", kept=False),
    Column("turnover", "거래대금|value|turnover|amount|acctrdval", kept=False),
    Column("market_value", "시가총액|marketcap(?:italization)?|mktcap", kept=False),
    Column("units", "상장좌수|상장주식수|listed(?:units|shares)|sharesoutstanding|listshrs", kept=False),
    Column("change", "대비|전일대비|cmpprevddprc", kept=False),
    Column("change_rate", "등락률|fluctuationrate|flucrt", kept=False),
    Column("nav_rate", "순자산변동률|navchgrt", kept=False),
    Column("index_change", "기초지수대비|cmpprevddidx", kept=False),
    Column("index_rate", "기초지수(?:변동률|등락률)|idxchgrto|(?:idxflucrt|flucrtidx)", kept=False),
    Column("", "기초지수(?:지수)?명|idxindnm|시장(?:구분)?|market|순위|번호|no|표준코드|isin|isucd", kept=False),
)
_UNITS = {
    **dict.fromkeys(("premium_percent", "tracking_error_percent"), "%"),
    **dict.fromkeys(("close", "nav", "aum"), "원"),
    "multiple": "xX배",
}
_CENT = Decimal("0.01")
# No fund of the exchange has traded so far from its value; a NAV beyond is something else.
_FARTHEST = Decimal("1.5")
# No index doubles or halves overnight.
_JUMP = Decimal(2)
# Units are created and taken back overnight: net assets lag behind, by little in most funds and far in none.
_LAGGING = Decimal(2)
_FAR_OFF = Decimal(10)
# A rate is rounded to a hundredth of a percent, and so is what it is computed from.
_RATE_ROUNDING = 0.02
_HALF = Decimal("0.5")


def read_etf_nav(file: RawFile, ask: Ask) -> ManualRead:
    """The values of funds of a file, as facts. Never raises for what stands in it.

    A premium or a tracking error is never computed: where the file has none, there is none.
    """
    feed = Feed(
        "prices of funds with NAV, premium or tracking error", _columns, FIELDS, _NEEDED, _CHECKED, _UNITS, _SIGNED
    )
    read = read_rows(file, feed, ask)
    issues = list(read.issues)
    if read.rows:
        issues += capped(issue for row in read.rows for issue in _row_issues(file.name, row))
        issues += capped(_premiums(file.name, read.rows))
        issues += _swapped(file.name, read)
        closes = {(row.ticker, row.session): close for row in read.rows if (close := row.values.get("close"))}
        issues += day_checks.judge_prices(file.name, closes, ask)
    facts, noted = _facts(file.name, read.rows)
    return manual_read(file, read, _layout(read.table) if read.table else "", facts, [*issues, *noted])


def _columns(headers: Sequence[str]) -> tuple[Column, ...]:
    """These do not depend on what stands beside them."""
    del headers
    return _COLUMNS


def _layout(table: Table) -> str:
    if "session" not in table.columns:
        return "all funds on one day"
    if "ticker" in table.columns:
        return "values of funds by name and day"
    if "tracking_error_percent" in table.columns:
        return "tracking error of one fund"
    return "premium of one fund" if "premium_percent" in table.columns else "prices and NAV of one fund"


def _row_issues(name: str, row: Row) -> Iterator[Issue]:
    """What one row alone shows to be wrong."""
    value = row.values.get
    close, nav, multiple = value("close"), value("nav"), value("multiple")
    if nav is not None and nav <= 0:
        yield Issue(name, row.line, "nav_not_positive", f"has the NAV {nav} for {row.ticker}; download it again")
        return
    if close is not None and close == 0:
        yield Issue(name, row.line, "zero_price", f"has the close 0 for {row.ticker}; download it again")
        return
    if close is not None and nav is not None and not nav / _FARTHEST < close < nav * _FARTHEST:
        says = (
            f"has the close {close} beside the NAV {nav} for {row.ticker}; are the columns swapped? download it again"
        )
        yield Issue(name, row.line, "columns_swapped", says)
    if multiple is not None and (not multiple or multiple % _HALF):
        says = f"has the multiple {multiple} for {row.ticker}, which no fund has; download it again"
        yield Issue(name, row.line, "columns_swapped", says)
    aum, units = value("aum"), value("units")
    if aum and units and nav and not nav * units / _FAR_OFF < aum < nav * units * _FAR_OFF:
        says = f"has net assets of {aum} for {units} units of {row.ticker} at {nav}; download it again"
        yield Issue(name, row.line, "amounts_contradict", says)
    yield from _price_issues(name, row)


def _price_issues(name: str, row: Row) -> Iterator[Issue]:
    """Prices are whole won, between low and high; the market value is the close times the units."""
    value = row.values.get
    for text in ("close", "open", "high", "low"):
        price = value(text)
        if price is not None and price % 1:
            says = f"has the {text} {price} for {row.ticker}, no whole won; are the columns swapped? download it again"
            yield Issue(name, row.line, "columns_swapped", says)
    close, low, high = value("close"), value("low"), value("high")
    # A day without a trade has a close, and zeros for the rest.
    if close is not None and low and high and not low <= close <= high:
        says = f"has the close {close} outside {low} to {high} for {row.ticker}; download it again"
        yield Issue(name, row.line, "outside_range", says)
    units, market = value("units"), value("market_value")
    if close is not None and units and market and close * units != market:
        says = f"has {market} won for {units} units of {row.ticker} at {close}, which is {close * units}"
        yield Issue(name, row.line, "amounts_contradict", f"{says}; download it again")


def _premiums(name: str, rows: Sequence[Row]) -> Iterator[Issue]:
    """A premium is the close over the NAV, less one, in percent, to the digits that the file writes."""
    written = [value for row in rows if (value := row.values.get("premium_percent")) is not None]
    places = max((-int(value.as_tuple().exponent) for value in written), default=0)
    half = Decimal(5).scaleb(-1 - min(max(places, 0), 2))
    for row in rows:
        close, nav = row.values.get("close"), row.values.get("nav")
        premium = row.values.get("premium_percent")
        if close is None or not nav or premium is None:
            continue
        true = (close / nav - 1) * 100
        # The NAV itself is rounded to a hundredth of a won.
        if abs(true - premium) > half + _CENT / nav * 100:
            says = f"has the premium {premium} for {row.ticker}, and {close} over {nav} is {true:.4f} percent"
            yield Issue(name, row.line, "premium_contradicts", f"{says}; download it again")


def _swapped(name: str, read: Listed) -> Iterator[Issue]:
    """Columns whose numbers do not fit what stands beside them in most rows: the wrong column under a header."""
    tests: dict[str, Callable[[Row], bool | None]] = {
        "aum": _aum_fits,
        "close": lambda row: _rate_fits(row, "close", "change", "change_rate"),
        "index_close": lambda row: _rate_fits(row, "index_close", "index_change", "index_rate"),
        "volume": _turnover_fits,
    }
    for text, test in tests.items():
        judged = [(row, fits) for row in read.rows if (fits := test(row)) is not None]
        wrong = [row for row, fits in judged if not fits]
        if 2 * len(wrong) > len(judged):
            yield _most(name, text, len(wrong), len(judged))
        elif text in ("close", "index_close"):
            yield from capped(_step(name, row, text) for row in wrong)
    if read.session is None and len({row.ticker for row in read.rows}) == 1:
        ordered = sorted(read.rows, key=lambda row: row.session)
        yield from capped(_wrong_steps(name, ordered, "nav", "nav_rate"))
        yield from capped(_wrong_steps(name, ordered, "index_close", "index_rate"))
        yield from capped(_jumps(name, ordered))


def _most(name: str, text: str, wrong: int, judged: int) -> Issue:
    says = f"has numbers under {text} that do not fit the columns beside it, in {wrong} of {judged} rows"
    return Issue(name, None, "columns_swapped", f"{says}; are columns swapped, or in thousands? download it again")


def _step(name: str, row: Row, text: str) -> Issue:
    says = f"has {row.values[text]} under {text} for {row.ticker}, which the change beside it does not give"
    return Issue(name, row.line, "step_contradicts", f"{says}; download it again")


def _aum_fits(row: Row) -> bool | None:
    aum, nav, units = (row.values.get(text) for text in ("aum", "nav", "units"))
    if not aum or not nav or not units:
        return None
    return nav * units / _LAGGING < aum < nav * units * _LAGGING


def _rate_fits(row: Row, level: str, change: str, rate: str) -> bool | None:
    """The change over the level before it is the rate; some exports leave out the sign of the change."""
    now, by, percent = (row.values.get(text) for text in (level, change, rate))
    if not now or by is None or percent is None:
        return None
    step = abs(by) if percent >= 0 else -abs(by)
    return now != step and abs(step / (now - step) * 100 - percent) <= _RATE_ROUNDING


def _turnover_fits(row: Row) -> bool | None:
    """The mean price paid lies near the day's range; trades outside the session may move it a little."""
    volume, turnover, low, high = (row.values.get(text) for text in ("volume", "turnover", "low", "high"))
    if not volume or turnover is None or not low or not high:
        return None
    return low * Decimal("0.97") <= turnover / volume <= high * Decimal("1.03")


def _wrong_steps(name: str, rows: Sequence[Row], level: str, rate: str) -> Iterator[Issue]:
    """Where a level moves otherwise than the rate beside it says: in most rows, or into a row and out of it again.

    The exchange gives these rates as differences of logarithms; a distribution moves one step, never two.
    """
    judged: list[tuple[Row, bool]] = []
    for before, after in pairwise(rows):
        old, new, percent = before.values.get(level), after.values.get(level), after.values.get(rate)
        if old and new and old > 0 and new > 0 and percent is not None:
            both = (math.log(new / old) * 100, float(new / old - 1) * 100)
            judged.append((after, any(abs(true - float(percent)) <= _RATE_ROUNDING for true in both)))
    wrong = [row for row, fits in judged if not fits]
    if 2 * len(wrong) > len(judged):
        yield _most(name, level, len(wrong), len(judged))
        return
    for (row, into), (_, out) in pairwise(judged):
        if not into and not out:
            yield _step(name, row, level)


def _jumps(name: str, rows: Sequence[Row]) -> Iterator[Issue]:
    """An index does not double or halve overnight."""
    known = [row for row in rows if row.values.get("index_close")]
    for before, after in pairwise(known):
        old, new = before.values["index_close"], after.values["index_close"]
        if old and new and not old / _JUMP < new < old * _JUMP:
            says = f"has the index at {new} after {old} on {before.session} for {after.ticker}"
            yield Issue(name, after.line, "step_contradicts", f"{says}; download it again")


def _facts(name: str, rows: Sequence[Row]) -> tuple[list[Fact], list[Issue]]:
    facts: list[Fact] = []
    uncounted: list[Row] = []
    for row in rows:
        for text in FIELDS:
            if text not in row.values:
                continue
            value = row.values[text]
            if text == "aum" and value == 0:
                value = None
                uncounted.append(row)
            facts.append(Fact(row.ticker, row.session, text, value, "" if value is not None else "blank", row.line))
    if not uncounted:
        return facts, []
    says = f"has net assets of 0 for {len(uncounted)} funds: not counted yet; kept as unknown"
    return facts, [Issue(name, uncounted[0].line, "aum_unpublished", says)]
