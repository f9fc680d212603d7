"""What a fetch of bars is asked for: the market, its sources in order, its sessions; and what is wrong with a wish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.feeds.markets import market_of
from quantassay.harness.inputs import Inputs
from quantassay.jobs import desk
from quantassay.jobs.fetch_sources import Place
from quantassay.jobs.fetched_bars import Settled
from quantassay.jobs.trading_days import TradingDays, trading_days

SPEC = "bar_feeds"
_NEEDED = {SPEC: "spec/33_bar_feeds.yaml", "desk": "spec/10_desk.yaml", "calendars": "spec/11_calendars.yaml"}


class CannotFetch(AssayError):
    """A workspace that has not what a fetch needs."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"this workspace has no {missing}; make another with `assay init DIR` and copy it from there")


class OtherMarket(AssayError):
    """A market that this desk does not trade."""

    def __init__(self, wanted: str, own: str) -> None:
        super().__init__(
            f"this desk trades {own}, so bars of {wanted} are not fetched here; one workspace trades one market"
        )


class NobodyFetches(AssayError):
    """A market for which no source can be asked by a program."""

    def __init__(self, market: str, why: str) -> None:
        super().__init__(f"no program fetches bars of {market}: {why}")


class UnknownSource(AssayError):
    """A source that is not in the order of the market."""

    def __init__(self, wanted: str, market: str, order: Sequence[str]) -> None:
        super().__init__(
            f"{wanted} is no source of {market}; the order in spec/33_bar_feeds.yaml is {', '.join(order)}"
        )


class NoSuchDays(AssayError):
    """Days for which there can be no bars."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; nothing was asked")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be fetched: which market, days, source (of the desk, the latest, in order where not said).

    `again` asks also for what the store has; `replace` lets new values take the place of old ones. `now` is the
    instant of the fetch (aware), the clock's unless given.
    """

    market: str = ""
    first: date | None = None
    last: date | None = None
    source: str = ""
    again: bool = False
    replace: bool = False
    dry_run: bool = False
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A wish in the light of a workspace: its rules of the market, the sources to be asked in order, the sessions."""

    inputs: Inputs
    wish: Wish
    market: str
    rules: Mapping[str, Any]
    order: tuple[str, ...]
    days: TradingDays
    place: Place
    sessions: tuple[date, ...]

    @property
    def settled(self) -> Settled:
        """From when on a bar of a session is finished."""
        return Settled(self.days.zone, time.fromisoformat(self.rules["settled_at"]))


def task(folder: Path, wish: Wish) -> Task:
    """The task that a wish comes to. Raises NoWorkspace, SpecErrors, and every error of this module."""
    inputs = desk.opened(folder)
    for name, where in _NEEDED.items():
        if name not in inputs.sources:
            raise CannotFetch(where)
    own = str(inputs.value("desk")["market"])
    market = wish.market or own
    market_of(market)
    if market != own:
        raise OtherMarket(market, own)
    feeds = inputs.value(SPEC)
    if market not in feeds["markets"]:
        raise NobodyFetches(market, f"{_NEEDED[SPEC]} has no order of sources for it")
    rules, sources = feeds["markets"][market], feeds["sources"]
    order: list[str] = rules["order"]
    if wish.source and wish.source not in order:
        raise UnknownSource(wish.source, market, order)
    if undescribed := [name for name in order if name not in sources]:
        raise NobodyFetches(market, f"{_NEEDED[SPEC]} names {', '.join(undescribed)} and describes no such source")
    order = [wish.source] if wish.source else order
    if "boards" not in rules or all(sources[name]["kind"] == "import" for name in order):
        raise NobodyFetches(market, "; ".join(sources[name]["why"] for name in order if "why" in sources[name]))
    days = trading_days(inputs)
    place = Place(inputs.workspace.data, days.zone, lambda: (wish.now or datetime.now(UTC)).replace(microsecond=0))
    sessions = _sessions(wish, market, rules, days, place.clock().astimezone(days.zone).date())
    return Task(inputs, wish, market, rules, tuple(order), days, place, sessions)


def _sessions(wish: Wish, market: str, rules: Mapping[str, Any], days: TradingDays, today: date) -> tuple[date, ...]:
    """The sessions that are asked for. Raises NoSuchDays."""
    last = wish.last or today
    if last > today:
        why = f"{last} has not come yet at the exchange, where it is {today}"
        raise NoSuchDays(why)
    if wish.first is not None and wish.first > last:
        why = f"--from {wish.first} lies after {last}"
        raise NoSuchDays(why)
    until = [day for day in days.sessions if day <= last]
    if wish.first is None:
        return tuple(until[-rules["look_back_sessions"] :])
    found = tuple(day for day in until if day >= wish.first)
    if not found:
        before = until[-1] if until else "not in the calendar"
        of = f"{last} is no session" if wish.first == last else f"there is no session from {wish.first} to {last}"
        why = f"{of} of {market}; the one before is {before}"
        raise NoSuchDays(why)
    return found
