"""Whether a candidate may be entered at the next open: ENTER, SKIP, or REVIEW by a person, and the code of why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from quantassay.domain.market.sessions import Calendar, hours, session_after, state

ENTER, SKIP, REVIEW = "ENTER", "SKIP", "REVIEW"
INTRADAY = "INTRADAY"
HYBRID, READY, ALIGNED, ADJUSTED = "hybrid", "READY", "aligned", "adjusted"
CLEAR = "clear"
LAST_CLOSE, BEFORE_OPEN, IN_SESSION = "last_close", "quote_before_open", "quote_in_session"
MAX_HOLDINGS, MAX_ENTRIES = "max_active_holdings", "max_new_entries"
UP, DOWN, PLACES = "up", "down", 6


@dataclass(frozen=True, slots=True)
class Rule:
    """The spec `entry`: the age of quotes, what too wide a gap leads to, which qualities pass, the caps in names."""

    before_open: timedelta
    in_session: timedelta
    beyond_guard: str
    qualities: frozenset[str]
    max_holdings: int
    max_entries: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The session to enter in, seen from an instant.

    `signal_close` is the close of the session that signalled. `doubt` is a code that speaks against every candidate.
    """

    at: datetime
    mode: str
    session: date
    opens_at: datetime
    signal_close: datetime
    doubt: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """A price somebody saw: as it was written, when, and in which currency."""

    price: int | str
    taken_at: datetime
    currency: str


@dataclass(frozen=True, slots=True)
class Price:
    """The price that an entry is judged at: as written, what it is, when it was seen; `fault` says why it may not."""

    value: int | str | None
    basis: str | None
    at: datetime | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate of the buy signals. `close` and `trigger` stand on its own prices, `raw_close` is as traded.

    `guard` is the widest gap, a part of one. `doubt` is a code of what is wrong with its data.
    """

    ticker: str
    strategy: str
    raw_close: int | str | None
    close: int | str | None
    is_adjusted: bool
    state: str | None
    quality: str | None
    alignment: str
    guard: str | None
    trigger: int | str | None
    doubt: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What is decided of a candidate; gap a part of one, trigger and band in prices as traded, None where not known."""

    ticker: str
    strategy: str
    decision: str
    code: str
    price: Price
    gap: Fraction | None
    trigger: Fraction | None
    low: Fraction | None
    high: Fraction | None


def rule(spec: Mapping[str, Any]) -> Rule:
    """The rule in the value of 25_entry.yaml."""
    quotes, caps = spec["quotes"], spec["caps"]
    return Rule(
        timedelta(minutes=quotes["before_open_minutes"]),
        timedelta(minutes=quotes["in_session_minutes"]),
        spec["beyond_guard"],
        frozenset(spec["accepted_qualities"]),
        caps["max_active_holdings"],
        caps["max_new_entries"],
    )


def moment(cal: Calendar, signal_session: date, at: datetime) -> Moment:
    """The first session after the signal's that is not over at this instant, and where the instant stands to it.

    Raises NotASession, OutsideCalendar.
    """
    following = session_after(cal, signal_session)
    session = following
    while hours(cal, session).close <= at:
        session = session_after(cal, session)
    opens_at = hours(cal, session).open
    disputed = any(signal_session <= day <= session for day in cal.disputed)
    doubt = "disputed_session" if disputed else "signal_old" if session != following else None
    mode = INTRADAY if opens_at <= at else str(state(cal, at))
    return Moment(at, mode, session, opens_at, hours(cal, signal_session).close, doubt)


def price(now: Moment, quote: Quote | None, last_close: int | str | None, currency: str, chosen: Rule) -> Price:
    """The price to judge by: a quote for this open that is fresh, else the last close while the session is not open.

    A quote from before the close of the signal session was for an earlier open, and counts as none.
    """
    is_open = now.mode == INTRADAY
    if quote is None or quote.taken_at <= now.signal_close:
        if is_open:
            return Price(None, None, None, "no_quote")
        return Price(last_close, LAST_CLOSE, now.signal_close, None if last_close is not None else "no_close")
    oldest = chosen.in_session if is_open else chosen.before_open
    fault = None
    if quote.currency != currency:
        fault = "quote_currency"
    elif quote.taken_at > now.at:
        fault = "quote_ahead"
    elif is_open and quote.taken_at < now.opens_at:
        fault = "quote_before_open"
    elif now.at - quote.taken_at > oldest:
        fault = "quote_old"
    return Price(quote.price, IN_SESSION if is_open else BEFORE_OPEN, quote.taken_at, fault)


def entry(one: Candidate, at: Price, doubt: str | None, chosen: Rule) -> Entry:
    """What is decided of this candidate at this price, caps aside: the first rung of the ladder that holds."""
    raw, guard = _positive(one.raw_close), _guard(one.guard)
    seen = None if at.fault is not None else _positive(at.value)
    gap = None if seen is None or raw is None else seen / raw - 1
    trigger = _trigger(one, raw)
    is_hybrid = one.strategy == HYBRID
    doubt = doubt or one.doubt
    rungs = (
        (doubt is not None, REVIEW, doubt),
        (guard is None, REVIEW, "no_guard"),
        (at.fault is not None, REVIEW, at.fault),
        (gap is None, REVIEW, "no_close"),
        (guard is not None and gap is not None and abs(gap) > guard, chosen.beyond_guard, "gap_beyond_guard"),
        (trigger is None and (one.trigger is not None or (is_hybrid and one.state == READY)), REVIEW, "bad_trigger"),
        (is_hybrid and one.state != READY, REVIEW, "not_ready"),
        (is_hybrid and trigger is not None and seen is not None and seen < trigger, SKIP, "below_trigger"),
        (is_hybrid and one.alignment != ALIGNED, REVIEW, "risk_not_aligned"),
        (is_hybrid and one.quality not in chosen.qualities, REVIEW, "quality"),
    )
    decision, code = next(((what, why or CLEAR) for holds, what, why in rungs if holds), (ENTER, CLEAR))
    low, high = _band(raw, guard, trigger)
    return Entry(one.ticker, one.strategy, decision, code, at, gap, trigger, low, high)


def capped(entries: Sequence[Entry], held: Collection[str], chosen: Rule) -> list[Entry]:
    """The entries in their order; beyond the caps they are skipped, each strategy as if it alone were followed.

    A name that is held already is no new entry: it needs no room, and no cap speaks against it.
    """
    entered: dict[str, int] = {}
    decided = []
    for one in entries:
        if one.decision != ENTER or one.ticker in held:
            decided.append(one)
            continue
        before = entered.get(one.strategy, 0)
        if len(held) + before >= chosen.max_holdings:
            decided.append(replace(one, decision=SKIP, code=MAX_HOLDINGS))
        elif before >= chosen.max_entries:
            decided.append(replace(one, decision=SKIP, code=MAX_ENTRIES))
        else:
            decided.append(one)
            entered[one.strategy] = before + 1
    return decided


def text(value: Fraction | None, inward: str = "") -> str | None:
    """The number as decimal text with PLACES places: rounded half to even, or UP or DOWN so that no bound widens."""
    if value is None:
        return None
    scaled = value * 10**PLACES
    units = ceil(scaled) if inward == UP else floor(scaled) if inward == DOWN else round(scaled)
    return f"{Decimal(units).scaleb(-PLACES):f}"


def _positive(value: int | str | None) -> Fraction | None:
    if value is None:
        return None
    number = Fraction(value)
    return number if number > 0 else None


def _guard(value: str | None) -> Fraction | None:
    if value is None:
        return None
    number = Fraction(value)
    return number if number >= 0 else None


def _trigger(one: Candidate, raw: Fraction | None) -> Fraction | None:
    """The trigger in prices as traded; None where there is none, or where it cannot be brought to them."""
    trigger, close = _positive(one.trigger), _positive(one.close)
    if trigger is None or not one.is_adjusted:
        return trigger
    return None if raw is None or close is None else trigger * raw / close


def _band(
    raw: Fraction | None, guard: Fraction | None, trigger: Fraction | None
) -> tuple[Fraction | None, Fraction | None]:
    """The prices that the session may open at for the entry to hold: inside the guard, and not below the trigger."""
    if raw is None or guard is None:
        return None, None
    low = max(raw * (1 - guard), Fraction(0))
    return (low if trigger is None else max(low, trigger)), raw * (1 + guard)
