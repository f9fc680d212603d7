"""Rows of `assay ready` on the outside world: whether the exchange trades today, and how old the data is."""

from datetime import date, datetime
from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar
from quantassay.jobs import imported, market
from quantassay.jobs.ready_scene import Row, Scene, no, ok, warn

AGAIN = "run `assay run`"


def session(scene: Scene) -> Row:
    """Whether today is a session on which nobody disagrees, and whether it can still be traded."""
    cal, day = scene.calendar, scene.day
    if not sessions.is_session(cal, day):
        return no("session", f"{day} is no session of {_market(scene)}; {_next(scene)}", "wait for the next session")
    if day in cal.disputed:
        rule = f"rule on {day} in governance/calendar_overrides.yaml, then {AGAIN}"
        return no("session", f"the calendars disagree on {day}: {_dispute(scene)}", rule)
    hours, told = sessions.hours(cal, day), f"{day} is a session of {_market(scene)} by the calendars"
    match sessions.state(cal, scene.now):
        case sessions.State.PRE_OPEN:
            return ok("session", f"{told}; it opens at {_time(hours.open)}")
        case sessions.State.INTRADAY if not sessions.in_break(cal, scene.now):
            return ok("session", f"{told}, open until {_time(hours.close)}")
        case sessions.State.INTRADAY:
            return warn("session", f"{_market(scene)} makes its break", "wait until it is over")
        case _:
            over = f"the session of {day} ended at {_time(hours.close)}; {_next(scene)}"
            return no("session", over, "wait for the next session")


def _market(scene: Scene) -> str:
    return str(scene.opened.value("desk")["market"])


def _time(instant: datetime) -> str:
    return f"{instant:%H:%M}"


def _next(scene: Scene) -> str:
    following = sessions.next_to_open(scene.calendar, scene.now)
    return f"the next opens on {following} at {_time(sessions.hours(scene.calendar, following).open)}"


def _dispute(scene: Scene) -> str:
    rows = scene.opened.value("trading_calendar")["disputed"]
    row: dict[str, Any] = next(one for one in rows if one["date"] == scene.day.isoformat())
    if "early_by" in row:
        return f"{_names(row['early_by'])} closes it early, others do not"
    return f"closed by {_names(row['closed_by'])}, open by {_names(row['open_by'])}"


def _names(sources: list[str]) -> str:
    return ", ".join(sources) or "none"


def bars(scene: Scene) -> Row:
    """Whether the newest bars are those of the last session that is over."""
    choice = market.chosen(scene.inputs)
    bring = "`assay fetch bars` or `assay import bars`"
    if choice.index is None or choice.index.last is None:
        return no("bars", f"there are no bars of {choice.market}", f"{bring}, then {AGAIN}")
    last, wanted = date.fromisoformat(choice.index.last), sessions.last_complete(scene.calendar, scene.now)
    held = f"{choice.key}: {choice.index.rows:,} bars of {choice.index.tickers:,} names"
    if last > wanted:
        return warn("bars", f"{held}, up to {last}, and the last session that is over is {wanted}", "check the clock")
    behind = _between(scene.calendar, last, wanted)
    if behind:
        late = f"{held}, up to {last}: {_count(behind, 'session')} behind {wanted}"
        return no("bars", late, f"{bring}, then {AGAIN}")
    return ok("bars", f"{held}, up to {last}, the last session that is over")


def universe(scene: Scene) -> Row:
    """Whether the list of names is young enough, where one was imported."""
    listed, _ = imported.universe_import(scene.inputs.workspace.data, market.chosen(scene.inputs).key)
    if listed is None:
        return ok("universe", "no list of names was imported: the names are those of the bars")
    said = f"{len(listed['names']):,} names of {listed['session']}"
    age = _between(
        scene.calendar, date.fromisoformat(listed["session"]), sessions.last_complete(scene.calendar, scene.now)
    )
    if age > scene.limits["oldest_universe_sessions"]:
        most = _count(scene.limits["oldest_universe_sessions"], "session")
        return warn("universe", f"{said}, {_count(age, 'session')} old, more than {most}", "`assay import universe`")
    return ok("universe", said)


def built(scene: Scene) -> Row:
    """Whether the artifacts were made after the last session that is over: only then do they know its bars."""
    made = scene.inputs.state.as_of
    if made is None:
        return no("build", "nothing was built", AGAIN)
    wanted = sessions.last_complete(scene.calendar, scene.now)
    over = sessions.hours(scene.calendar, wanted).close
    if datetime.fromisoformat(made) < over:
        return no("build", f"made for {made}, before the session of {wanted} was over", AGAIN)
    if datetime.fromisoformat(made) > scene.now:
        return no("build", f"made for {made}, which is still to come", f"check the clock, or {AGAIN}")
    return ok("build", f"made for {made}, after the session of {wanted}")


def _between(cal: Calendar, first: date, last: date) -> int:
    """Sessions after the one, up to the other."""
    return sum(day > first for day in sessions.sessions_between(cal, first, last))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
