"""What is known of a holding beside its bars: how much of it is sold short, and what a fund's share is really worth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from itertools import takewhile
from typing import Any

from quantassay.domain.gaps import due
from quantassay.domain.gaps.due import Cadence
from quantassay.domain.gaps.review import RED
from quantassay.domain.manual.known import BANNED, Decision, Fact, Seen
from quantassay.domain.market.sessions import Calendar, hours, sessions_between
from quantassay.errors import AssayError

SHORT, FUND = "short_balance", "etf_nav"
# No percentage and no sum of won comes near so many digits, so nothing is rounded but a premium that we work out.
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
_HUNDREDTH = Decimal("0.01")


class State(StrEnum):
    """Whether a value may be used, and if not, why not."""

    KNOWN = "known"
    STALE = "stale"
    BANNED = "banned"
    BLANK = "blank"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class NoGap(AssayError):
    """A feed by hand that no gap of the roadmap speaks of."""

    def __init__(self, feed: str, artifact: str) -> None:
        super().__init__(
            f"no gap in spec/16_data_gaps_roadmap.yaml has the feed {feed} and the consumer {artifact}, so nobody says "
            "when its values are too old; add one"
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap of the roadmap that a feed stands in for, and how that feed stands for those who use it.

    A value of a session before `oldest` is as old as a feed that is red, even where the feed brought other names since.
    """

    id: str
    standing: str
    oldest: date | None = None

    def is_too_old(self, fact: Fact) -> bool:
        """Whether this gap keeps the fact from being used."""
        return self.standing == RED or (self.oldest is not None and fact.session < self.oldest)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value as a decision sees it. `fact` is the row that it stands in, also where its value may not be used.

    `pair` is the close of a premium that was worked out from close and net asset value; None where a file gives it.
    """

    state: State
    value: str | None = None
    fact: Fact | None = None
    gap: str | None = None
    pair: Fact | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """How far a balance moved against the last earlier one, and how many sessions lie between the two."""

    state: State
    value: str | None = None
    previous: Fact | None = None
    sessions: int | None = None
    gap: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What a holding is: stock, etf or unknown; `because` says what tells so."""

    name: str
    because: str


def gap_of(roadmap: Mapping[str, Any], feed: str, artifact: str, cal: Calendar, made: Decision) -> Gap:
    """The gap in the data of a data_gaps_roadmap artifact that the feed stands in for. Raises NoGap."""
    for gap in roadmap["gaps"]:
        standing = next((one["standing"] for one in gap["consumers"] if one["artifact"] == artifact), None)
        if gap["manual"]["feed"] == feed and standing is not None:
            rhythm = gap["manual"]["cadence"]
            return Gap(gap["id"], standing, rhythm and oldest_usable(cal, due.cadence(rhythm), made))
    raise NoGap(feed, artifact)


def oldest_usable(cal: Calendar, rhythm: Cadence, made: Decision) -> date | None:
    """The oldest session whose value may be used: that which the file had to reach on the due date that makes it red.

    None where so many due dates have not passed yet.
    """
    dates = due.due_dates(cal.sessions, rhythm, cal.sessions[0])
    over = list(takewhile(lambda day: hours(cal, day).open <= made.at, dates))
    return due.wanted(cal.sessions, rhythm, over[-rhythm.red_after]) if len(over) >= rhythm.red_after else None


def kind(*, listed: bool, is_fund: bool) -> Kind:
    """A holding on the list of companies is a stock, one with facts of a fund an etf; both or neither is no answer."""
    if listed and is_fund:
        return Kind("unknown", "contradiction")
    if listed or is_fund:
        return Kind("stock", "listing") if listed else Kind("etf", "etf_nav")
    return Kind("unknown", "nothing")


def reading(facts: Sequence[Fact], gap: Gap) -> Reading:
    """The latest of these facts (the latest first), or why it may not be used."""
    return _usable(facts[0], facts[0].value, None, gap) if facts else Reading(State.UNKNOWN, gap=gap.id)


def short_change(facts: Sequence[Fact], now: Reading, cal: Calendar, gap: Gap) -> Change:
    """The change of a balance ratio, in percentage points, from the last earlier ratio that is a number."""
    if now.state is not State.KNOWN or now.value is None or now.fact is None:
        return Change(now.state, gap=now.gap)
    previous = next((fact for fact in facts[1:] if fact.value is not None), None)
    if previous is None or previous.value is None:
        return Change(State.UNKNOWN, gap=gap.id)
    moved = _EXACT.subtract(Decimal(now.value), Decimal(previous.value))
    between = len(sessions_between(cal, previous.session, now.fact.session)) - 1
    return Change(State.KNOWN, f"{moved:f}", previous, between)


def premium(seen: Seen, ticker: str, gap: Gap) -> Reading:
    """How far the close lies above the net asset value, in percent, on the latest session that tells.

    As a file gives it; where none does, (close - nav) / nav of the same session, in hundredths of a percent.
    """
    given, navs, closes = (
        {fact.session: fact for fact in seen.get((FUND, ticker, field), ())}
        for field in ("premium_percent", "nav", "close")
    )
    worked_out = {day: _premium(closes[day], navs[day]) for day in navs.keys() & closes.keys()}
    days = given.keys() | {day for day, value in worked_out.items() if value is not None}
    if not days:
        return Reading(State.UNKNOWN, gap=gap.id)
    day = max(days)
    if day in given and (given[day].value is not None or worked_out.get(day) is None):
        return _usable(given[day], given[day].value, None, gap)
    return _usable(navs[day], worked_out[day], closes[day], gap)


def readings(seen: Seen, ticker: str, held: Kind, gap: Gap) -> Iterator[tuple[str, Reading]]:
    """Premium, tracking error and assets of a fund; a stock has none, and of what may be either they are unknown."""
    fields = {"tracking_error": "tracking_error_percent", "aum": "aum"}
    if held.name == "etf":
        yield "premium", premium(seen, ticker, gap)
        for name, field in fields.items():
            yield name, reading(seen.get((FUND, ticker, field), ()), gap)
        return
    for name in ("premium", *fields):
        stock = held.name == "stock"
        yield name, Reading(State.NOT_APPLICABLE) if stock else Reading(State.UNKNOWN, gap=gap.id)


def is_fund(seen: Seen, ticker: str) -> bool:
    """Whether any file of net asset values speaks of this name."""
    return any(feed == FUND and of == ticker for feed, of, _ in seen)


def _usable(fact: Fact, value: str | None, pair: Fact | None, gap: Gap) -> Reading:
    if gap.is_too_old(fact):
        return Reading(State.STALE, None, fact, gap.id, pair)
    if value is None:
        return Reading(State.BANNED if fact.note == BANNED else State.BLANK, None, fact, gap.id)
    return Reading(State.KNOWN, value, fact, None, pair)


def _premium(close: Fact, nav: Fact) -> str | None:
    if close.value is None or nav.value is None or Decimal(nav.value) <= 0:
        return None
    above = _EXACT.subtract(Decimal(close.value), Decimal(nav.value))
    percent = _EXACT.divide(_EXACT.multiply(above, Decimal(100)), Decimal(nav.value))
    return f"{percent.quantize(_HUNDREDTH, ROUND_HALF_EVEN, _EXACT) + 0:f}"
