"""The data-gap roadmap is worked out a second time, day by day, and every state and due date must come out the same.

Consumers take from it whether a file fetched by hand may still be used.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R10.2"]
SAYS = "is not what the spec, the attempts, the imports and the calendar give"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
SAME = ("id", "title", "fields", "why", "other_ways", "owner", "reviews", "no_attempt", "manual")
NO_FEED = ("file", "newest_session", "imported_at", "files", "later", "missed", "first_missed", "next_due", "due_at")
ATTEMPT = ("date", "by", "procedure", "outcome", "status", "says")
DAY = timedelta(days=1)


def check(
    data_gaps_roadmap: dict[str, Any],
    data_gaps_roadmap_spec: dict[str, Any],
    gap_attempts: list[dict[str, Any]],
    manual_log: dict[str, Any],
    trading_calendar: dict[str, Any],
    as_of: str,
) -> Iterator[Judged]:
    """Judges each field of the roadmap."""
    desk = _Desk(trading_calendar, as_of)
    gaps = [
        _gap(row, spec, data_gaps_roadmap_spec["review_red_after_days"], gap_attempts, manual_log["feeds"], desk)
        for row, spec in enumerate(data_gaps_roadmap_spec["gaps"])
    ]
    counts = dict.fromkeys(("attempts", "answered", "reviews_overdue"), 0)
    counts |= {f"feeds_{state}": 0 for state in ("never", "fresh", "amber", "red")} | {"gaps": len(gaps)}
    for gap in gaps:
        counts["attempts"] += len(gap["attempts"])
        counts["answered"] += bool(gap["answered_on"])
        counts["reviews_overdue"] += gap["review"]["overdue_days"] > 0
        if gap["feed"]["state"] != "none":
            counts[f"feeds_{gap['feed']['state']}"] += 1
    expected = {
        "as_of": as_of,
        "day": desk.today.isoformat(),
        "review_red_after_days": data_gaps_roadmap_spec["review_red_after_days"],
        "counts": counts,
        "gaps": gaps,
    }
    yield from agree(data_gaps_roadmap, expected, SAYS)


class _Desk:
    """The instant of the run, and the exchange's days around it."""

    def __init__(self, trading_calendar: dict[str, Any], as_of: str) -> None:
        self.zone, self.at = ZoneInfo(trading_calendar["zone"]), datetime.fromisoformat(as_of)
        self.today = self.at.astimezone(self.zone).date()
        self.days = [date.fromisoformat(day) for day in trading_calendar["sessions"]]
        self.rows = {day: row for row, day in enumerate(self.days)}
        self.last = self.days[-1]
        self.regular = trading_calendar["regular_hours"]
        self.special = {row["session"]: row["open"] for row in trading_calendar["special_sessions"]}

    def opens(self, day: date) -> datetime:
        usual = [row["open"] for row in self.regular if row["from"] <= day.isoformat()][-1]
        clock = self.special.get(day.isoformat(), usual)
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=self.zone)

    def is_due(self, day: date, rhythm: dict[str, Any]) -> bool:
        """A session; and of a weekly file the first one from its weekday on."""
        if day not in self.rows:
            return False
        while rhythm["every"] == "week" and day.weekday() != WEEKDAYS.index(rhythm["weekday"]):
            day -= DAY
            if day in self.rows:
                return False
        return day >= self.days[0]

    def due_after(self, day: date, rhythm: dict[str, Any]) -> Iterator[date]:
        """The due dates from this day on, the day itself among them."""
        while day <= self.last:
            if self.is_due(day, rhythm):
                yield day
            day += DAY


def _gap(
    row: int, spec: dict[str, Any], grace: int, recorded: list[dict[str, Any]], feeds: dict[str, Any], desk: _Desk
) -> dict[str, Any]:
    overdue = (desk.today - date.fromisoformat(spec["next_review_date"])).days
    review = {
        "date": spec["next_review_date"],
        "action": spec["next_review_action"],
        "state": "red" if overdue > max(grace, 0) else "amber" if overdue > 0 else "ahead",
        "days_left": max(0, -overdue),
        "overdue_days": max(0, overdue),
    }
    feed = _feed(spec["manual"], feeds, desk)
    standing = {"none": "without", "never": "without", "fresh": "fed"}.get(feed["state"], feed["state"])
    if standing != "without" and review["state"] == "red":
        standing = "red"
    attempts = [{"record": None, **one} for one in spec["attempts"]]
    attempts += [
        {name: one[name] for name in ATTEMPT}
        | {"record": one["id"], "transcript": one["transcript"]["digest"], "no_transcript": None}
        for one in recorded
        if one["gap"] == spec["id"]
    ]
    answers = {one["date"] for one in attempts if one["outcome"] == "answered"}
    answers -= {day for day in answers for one in spec["reviews"] if one["date"] > day}
    return {name: spec[name] for name in SAME} | {
        "spec_row": row,
        "review": review,
        "feed": feed | {"name": spec["manual"]["feed"]},
        "consumers": [one | {"standing": standing} for one in spec["consumers"]],
        "can_probe": bool(spec["probe"]),
        "attempts": sorted(attempts, key=lambda one: str(one["date"])),
        "answered_on": max(answers, default=None),
    }


def _feed(manual: dict[str, Any], feeds: dict[str, Any], desk: _Desk) -> dict[str, Any]:
    rhythm = manual["cadence"]
    if rhythm is None:
        return dict.fromkeys(NO_FEED) | {"state": "none"}
    came = [one | {"came": datetime.fromisoformat(one["imported_at"])} for one in feeds.get(manual["feed"], [])]
    known = [one for one in came if one["came"] <= desk.at]
    ahead = next((day for day in desk.due_after(desk.today, rhythm) if desk.opens(day) > desk.at), None)
    feed: dict[str, Any] = dict.fromkeys(NO_FEED) | {
        "state": "never",
        "files": len(known),
        "later": len(came) - len(known),
        "missed": 0,
        "next_due": ahead.isoformat() if ahead else None,
        "due_at": desk.opens(ahead).isoformat() if ahead else None,
    }
    if not known:
        return feed
    newest = max(known, key=lambda one: (one["last"], one["came"], one["file"]))
    missed = []
    for day in desk.due_after(date.fromisoformat(newest["last"]), rhythm):
        if desk.opens(day) > desk.at:
            break
        reach = desk.days[max(desk.rows[day] - rhythm["data_lag_sessions"], 0)]
        if reach.isoformat() > newest["last"]:
            missed.append(day.isoformat())
    late = "red" if len(missed) >= rhythm["red_after"] else "amber" if len(missed) >= rhythm["amber_after"] else "fresh"
    return feed | {
        "state": late,
        "file": newest["file"],
        "newest_session": newest["last"],
        "imported_at": newest["came"].isoformat(),
        "missed": len(missed),
        "first_missed": missed[0] if missed else None,
    }
