"""Whether a list can be of the day it claims: sessions, publication, age, and the closes that the desk knows."""

import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from quantassay.feeds.cell_values import day
from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import Ask

# What the exchange's site calls a download by itself: the date is that of the download.
_AUTOMATIC = re.compile(r"data_[0-9]{3,5}_[0-9]{8}(?: ?\([0-9]+\))?")
_NAMED_DAY = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})([-_.]?)([01][0-9])\2([0-3][0-9])(?![0-9])")
_NAMED_MONTH = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})[-_.]?(0[1-9]|1[0-2])(?![0-9])")
_TOLD = re.compile(
    r"(?:기준일|조회일|거래일|기준|조회|date|as ?of)[^0-9]{0,6}"
    r"([0-9]{8}|[0-9]{4}[-/.년]\s?[0-9]{1,2}[-/.월]\s?[0-9]{1,2}일?)",
    re.IGNORECASE,
)
# Adjusted and rounded closes may differ by one won from what was paid.
CLOSE_ENOUGH = 1
# Of fewer names a split since would explain a difference as well as a wrong day.
ENOUGH_NAMES = 3
ONE_FACTOR = 1.005
# A name can be halted for months; what the site gives in one file has no hole of years.
LONGEST_GAP_DAYS = 366
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Told:
    """The day of a list and who told it: "--date", "the text above the header", "its name"; or issues."""

    session: date | None
    by: str
    issues: tuple[Issue, ...]


def is_session(ask: Ask, session: date) -> bool | None:
    """Whether the market was open; None on days that the calendar does not cover."""
    if not ask.sessions or not ask.sessions[0] <= session <= ask.sessions[-1]:
        return None
    i = bisect_left(ask.sessions, session)
    return ask.sessions[i] == session


def published_on(ask: Ask, session: date) -> date | None:
    """The day on which the values of a session come out; None where the calendar does not reach so far."""
    i = bisect_left(ask.sessions, session) + int(ask.rules.get("publication_lag_sessions", 0))
    return ask.sessions[i] if i < len(ask.sessions) else None


def newest(ask: Ask) -> date | None:
    """The last session whose values are out today."""
    i = bisect_right(ask.sessions, ask.today) - int(ask.rules.get("publication_lag_sessions", 0))
    return ask.sessions[i - 1] if 0 < i <= len(ask.sessions) else None


def day_of_list(file: str, stem: str, above: Sequence[str], ask: Ask) -> Told:
    """The day of a list that has no dates inside, as far as somebody tells it."""
    inside = {
        found for text in above for match in _TOLD.finditer(text) if isinstance(found := day(match.group(1)), date)
    }
    if len(inside) == 1:
        (told,) = inside
        if ask.session not in (None, told):
            says = f"says {told} above its header, and --date says {ask.session}; give the day that the list is of"
            return Told(None, "", (Issue(file, None, "wrong_day", says),))
        return Told(told, "the text above the header", ())
    named = _named_days(stem)
    if ask.session is not None:
        return Told(ask.session, "--date", tuple(_unused_name(file, named, ask.session)))
    could = _could_be(ask)
    if _AUTOMATIC.fullmatch(stem):
        says = f"is named by the site after the day of the download; give the day of its values with --date{could}"
        return Told(None, "", (Issue(file, None, "no_session", says),))
    if len(named) != 1:
        what = "no day" if not named else f"{len(named)} days"
        says = f"names {what} and has no date inside; give the day of its values with --date{could}"
        return Told(None, "", (Issue(file, None, "no_session", says),))
    return Told(named[0], "its name", ())


def _unused_name(file: str, named: Sequence[date], session: date) -> Iterator[Issue]:
    if named and session not in named:
        says = f"is named after {named[0]}, most often the day of the download; --date {session} rules"
        yield Issue(file, None, "name_date_unused", says)


def _named_days(stem: str) -> list[date]:
    found = (day("-".join(match.group(1, 3, 4))) for match in _NAMED_DAY.finditer(stem))
    return list(dict.fromkeys(value for value in found if isinstance(value, date)))


def day_in_name(stem: str, today: date) -> date | None:
    """The one day in a file's name, or the last day of the one month, this month's being today; else None."""
    named = _named_days(stem)
    months = {match.group(1, 2) for match in _NAMED_MONTH.finditer(stem)}
    if named or len(months) != 1:
        return named[0] if len(named) == 1 else None
    ((year, month),) = months
    last = date(int(year), int(month), monthrange(int(year), int(month))[1])
    return today if (last.year, last.month) == (today.year, today.month) else last


def _could_be(ask: Ask) -> str:
    last = newest(ask)
    return f"; the newest it can be of is {last}" if last else ""


def judge_list_day(file: str, told: Told, ask: Ask) -> Issue | None:
    """Why a list cannot be of the day it is said to be of."""
    session = told.session
    if session is None:
        return None
    by_name = " (its name may be the day of the download)" if told.by == "its name" else ""
    fix = f"give the day of its values with --date{_could_be(ask)}"
    if session > ask.today:
        return Issue(file, None, "date_out_of_range", f"would be of {session}, which has not come yet{by_name}; {fix}")
    if is_session(ask, session) is False:
        says = f"would be of {session}, a {session:%A} without a session{by_name}; {fix}"
        return Issue(file, None, "not_a_session", says)
    return unpublished(file, None, session, ask, f"{by_name}; {fix}") or too_old(file, session, ask)


def unpublished(file: str, row: int | None, session: date, ask: Ask, after: str = "") -> Issue | None:
    """Why no values of this session can be out yet."""
    if is_session(ask, session) is None:
        return None
    out = published_on(ask, session)
    if out is not None and out <= ask.today:
        return None
    when = f"come out on {out}" if out else "are not out yet"
    says = f"has values of {session}, which {when}, after today ({ask.today})"
    return Issue(file, row, "not_published", says + (after or "; check the dates and download it again"))


def too_old(file: str, last: date, ask: Ask) -> Issue | None:
    """Why the file is too old to be what the desk is waiting for."""
    largest = ask.rules.get("largest_age_days")
    age = (ask.today - last).days
    if largest is None or age <= int(largest):
        return None
    says = f"ends on {last}, {age} days before today ({ask.today}), and at most {largest} are allowed"
    return Issue(file, None, "file_too_old", f"{says}; download a new one, or import it with --historic")


def judge_row_days(file: str, days: Sequence[date], lines: Sequence[int], ask: Ask) -> Iterator[Issue]:
    """The dates inside a series that cannot be: days to come, days without a session, an order that goes to and fro."""
    for session, line in zip(days, lines, strict=True):
        if session > ask.today:
            says = f"has the date {session}, which has not come yet; download it again"
            yield Issue(file, line, "date_out_of_range", says)
        elif is_session(ask, session) is False:
            says = f"has values of {session}, a {session:%A} without a session; download it again"
            yield Issue(file, line, "not_a_session", says)


def out_of_order(file: str, days: Sequence[date], lines: Sequence[int]) -> Iterator[Issue]:
    """A date that stands where it does not belong in a series that runs up or down."""
    steps = [(later > earlier) - (later < earlier) for earlier, later in pairwise(days)]
    way = 1 if steps.count(1) >= steps.count(-1) else -1
    for i, step in enumerate(steps):
        if abs((days[i + 1] - days[i]).days) > LONGEST_GAP_DAYS:
            says = f"has {days[i + 1]} after {days[i]}, more than a year apart; download it again"
            yield Issue(file, lines[i + 1], "rows_out_of_order", says)
        elif step == -way:
            says = f"has {days[i + 1]} after {days[i]}, against the order of the other dates; download it again"
            yield Issue(file, lines[i + 1], "rows_out_of_order", says)


def judge_prices(file: str, prices: Mapping[tuple[str, date], Decimal], ask: Ask) -> Iterator[Issue]:
    """Whether a file's own prices, by ticker and session, are the closes that the desk knows."""
    by_day: dict[date, dict[str, Decimal]] = {}
    for (ticker, session), price in prices.items():
        by_day.setdefault(session, {})[ticker] = price
    tickers = {ticker for ticker, _ in prices}
    if len(tickers) == 1 and len(by_day) > 1:
        yield from judge_series_closes(file, min(tickers), {s: min(found.values()) for s, found in by_day.items()}, ask)
        return
    for session, found in by_day.items():
        yield from judge_closes(file, found, session, ask)


def judge_closes(file: str, prices: Mapping[str, Decimal], session: date, ask: Ask) -> Iterator[Issue]:
    """Whether a list's own prices are the closes that the desk knows of its day; else the day that they fit."""
    known = {ticker: ask.closes[ticker, session] for ticker in prices if (ticker, session) in ask.closes}
    wrong = [ticker for ticker, close in known.items() if not _same(prices[ticker], close)]
    if not wrong:
        return
    if 2 * len(wrong) <= len(known):
        yield _differ(file, wrong, len(known), session)
        return
    fits = Counter(s for (t, s), close in ask.closes.items() if t in prices and _same(prices[t], close))
    met = Counter(s for (t, s) in ask.closes if t in prices)
    best = max((s for s in fits if 2 * fits[s] > met[s]), key=lambda s: (fits[s], s), default=None)
    count = f"{len(wrong)} of the {len(known)} closes known of {session} are others"
    if best is not None:
        says = (
            f"has the prices of {best}: {count}; give --date {best} if it is of that day, or download {session} again"
        )
        yield Issue(file, None, "wrong_day", says)
    elif len(known) >= ENOUGH_NAMES:
        says = f"has other prices than {session}: {count}; download the list of {session} again"
        yield Issue(file, None, "wrong_day", says)
    else:
        yield _differ(file, wrong, len(known), session)


def judge_series_closes(file: str, ticker: str, prices: Mapping[date, Decimal], ask: Ask) -> Iterator[Issue]:
    """Whether the prices inside a series are those of its name; else whose they are."""
    known = {s: ask.closes[ticker, s] for s in prices if (ticker, s) in ask.closes}
    wrong = [s for s, close in known.items() if not _same(prices[s], close)]
    if not wrong or 2 * len(wrong) <= len(known):
        return
    fits = Counter(t for (t, s), close in ask.closes.items() if s in prices and _same(prices[s], close))
    met = Counter(t for (t, s) in ask.closes if s in prices)
    whose = sorted(
        t for t in fits if t != ticker and 2 * fits[t] > met[t] and fits[t] >= min(ENOUGH_NAMES, len(prices))
    )
    count = f"{len(wrong)} of the {len(known)} closes known of {ticker} are others"
    if _adjusted([float(prices[s]) / close for s, close in known.items() if close]):
        says = f"has other prices than the desk's closes of {ticker}, all by the same factor, as after a split"
        yield Issue(file, None, "close_differs", says)
        return
    if whose:
        says = f"has the prices of {whose[0]}: {count}; name the right code with --ticker, or download {ticker}"
        yield Issue(file, None, "wrong_ticker", says)
    elif len(known) >= ENOUGH_NAMES:
        says = f"has other prices than {ticker}: {count}; name the right code with --ticker, or download {ticker} again"
        yield Issue(file, None, "wrong_ticker", says)


def _differ(file: str, wrong: Sequence[str], known: int, session: date) -> Issue:
    names = ", ".join(sorted(wrong)[:_SHOWN])
    says = f"has another price than the desk's close of {session} for {names} ({len(wrong)} of {known} known)"
    return Issue(file, None, "close_differs", says)


def _adjusted(factors: Sequence[float]) -> bool:
    """Whether all prices differ by one factor, which the closes of another name would not."""
    return len(factors) >= ENOUGH_NAMES and max(factors) <= min(factors) * ONE_FACTOR


def _same(price: Decimal, close: float) -> bool:
    return abs(float(price) - close) <= CLOSE_ENOUGH
