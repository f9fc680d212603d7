"""The plan is for the next session that opens, and its signals are of the session right before it.

Yesterday's plan sent today trades on signals that the market has already seen.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.findings import Judged, judged

RULES = ["R03.8"]


def check(
    next_open_plan: dict[str, Any],
    next_session: dict[str, Any],
    trading_calendar: dict[str, Any],
    as_of: str,
    next_open: dict[str, Any],
) -> Iterator[Judged]:
    """Judges the session that the plan is for, its open, the moment of the plan, and the age of its signals."""
    moment = datetime.fromisoformat(as_of)
    session, opens_at = _next(trading_calendar, moment)
    expected = {
        "as_of": as_of,
        "market": trading_calendar["market"],
        "session": session,
        "opens_at": opens_at,
    }
    for name, want in expected.items():
        says = f"{name} is not what the calendar gives at {as_of}"
        used = next_session.get(name)
        yield judged(f"/{name}", ok=used == want, says=says, expected=want, actual=used, artifact="next_session")
    target, signal = next_open_plan["execution_session"], next_open_plan["signal_session"]
    says = f"the plan is for {target}, and the next session to open is {session}"
    yield judged("/execution_session", ok=target == session, says=says, expected=session, actual=target)
    says = f"the plan says that it was made at another moment than {as_of}"
    made = next_open_plan["created_at"]
    yield judged("/created_at", ok=made == as_of, says=says, expected=as_of, actual=made)
    yield _age(trading_calendar["sessions"], signal, session, next_open["limits"]["max_signal_age_sessions"])


def _age(sessions: list[str], signal: str, session: str, most: int) -> Judged:
    """How many sessions lie between signal and execution, the latter counted; a signal on no session is refused."""
    at = bisect_left(sessions, signal)
    known = at < len(sessions) and sessions[at] == signal
    age = bisect_left(sessions, session) - at
    if not known:
        return judged("/signal_session", ok=False, says=f"{signal} is no session", actual=signal)
    says = f"signals of {signal} are {age} sessions old on {session}, at most {most} are allowed; wait for newer bars"
    return judged("/signal_session", ok=1 <= age <= most, says=says, expected=most, actual=age)


def _next(calendar: dict[str, Any], moment: datetime) -> tuple[str, str]:
    """The first session whose open lies after the moment, and that open."""
    zone = ZoneInfo(calendar["zone"])
    special = {row["session"]: row["open"] for row in calendar["special_sessions"]}
    yesterday = (moment.astimezone(zone).date() - timedelta(1)).isoformat()
    for session in calendar["sessions"][bisect_left(calendar["sessions"], yesterday) :]:
        regular = [row["open"] for row in calendar["regular_hours"] if row["from"] <= session][-1]
        clock = time.fromisoformat(special.get(session, regular))
        opens = datetime.combine(date.fromisoformat(session), clock, tzinfo=zone)
        if opens > moment:
            return session, opens.isoformat()
    return "", ""
