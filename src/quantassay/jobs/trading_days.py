"""The trading days as the calendar's sources have them, for a job that needs them before anything is built."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.market.sessions import Calendar, calendar
from quantassay.harness import code, files, rooms
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy

HOLIDAYS = "quantassay.feeds.holiday_tables"
_OPEN, _DISPUTED, _CLOSED = "o", "d", "."
_HOURS = (
    *("zone", "currency", "first", "last", "sessions"),
    *("regular_hours", "special_sessions", "breaks", "segments"),
)


@dataclass(frozen=True, slots=True)
class TradingDays:
    """The exchange's zone and its sessions; `sure` leaves out the dates on which the calendar's sources disagree."""

    zone: ZoneInfo
    sessions: tuple[date, ...]
    sure: tuple[date, ...]


def holiday_tables() -> Handed:
    """The holiday tables, known by the version of their package and the code that reads them."""
    source = code.module_paths(HOLIDAYS)[-1]
    identity = f"{code.version('holidays')} {files.digest(source)}"
    return Handed(
        "holiday_sources",
        files.sha256(identity.encode()),
        Lazy(f"{HOLIDAYS}:holiday_sources"),
        explain=Lazy("quantassay.jobs.explain:as_said", (f"the tables of holidays {code.version('holidays')}",)),
    )


def trading_days(inputs: Inputs) -> TradingDays:
    """The days of the workspace's own calendar, made of its specs and rulings as they are now, built or not."""
    key = f"trading days {_makings(inputs)}"
    told = inputs.remember(key, Lazy("quantassay.jobs.trading_days:told", (inputs,)))
    first = date.fromisoformat(told["first"])
    states = [(first + timedelta(days=n), state) for n, state in enumerate(told["days"])]
    sessions = tuple(day for day, state in states if state != _CLOSED)
    return TradingDays(ZoneInfo(told["zone"]), sessions, tuple(day for day, state in states if state == _OPEN))


def market_calendar(inputs: Inputs) -> Calendar:
    """The whole calendar with its hours, made of specs and rulings as they are now, built or not."""
    key = f"trading calendar {_makings(inputs)}"
    return calendar(inputs.remember(key, Lazy("quantassay.jobs.trading_days:asked_for", (inputs,))))


def _makings(inputs: Inputs) -> str:
    """The digest of all that the calendar is made of."""
    if "holiday_sources" not in inputs.handed:
        inputs.hand([holiday_tables()])
    unit = inputs.rooms.builders["trading_calendar"]
    makings = [
        unit.digest,
        code.foundation(unit, inputs.remember)[0],
        *(inputs.digest(name) for name in unit.parameters),
    ]
    return files.sha256(" ".join(makings).encode())


def asked_for(inputs: Inputs) -> dict[str, Any]:
    """What the calendar's questions need of its artifact: sessions, hours, disputes, without who voted how."""
    unit = inputs.rooms.builders["trading_calendar"]
    data = rooms.load(unit).build(**{name: inputs.fresh(name) for name in unit.parameters})
    hours = {name: data[name] for name in _HOURS}
    return {**hours, "disputed": [{"date": row["date"]} for row in data["disputed"]]}


def told(inputs: Inputs) -> dict[str, str]:
    """The zone, the first session, and a letter for each day from it on: o for a session, d for a disputed one."""
    unit = inputs.rooms.builders["trading_calendar"]
    data = rooms.load(unit).build(**{name: inputs.fresh(name) for name in unit.parameters})
    disputed = {row["date"] for row in data["disputed"]}
    open_ = {date.fromisoformat(day): _DISPUTED if day in disputed else _OPEN for day in data["sessions"]}
    first, last = min(open_), max(open_)
    days = "".join(open_.get(first + timedelta(days=n), _CLOSED) for n in range((last - first).days + 1))
    return {"zone": data["zone"], "first": first.isoformat(), "days": days}
