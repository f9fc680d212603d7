"""Lists what the desk cannot know by program: what was tried, when it is reviewed, how what is fed by hand stands."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from quantassay.domain.gaps import due
from quantassay.domain.gaps.answers import ANSWERED
from quantassay.domain.gaps.due import Feed, Standing
from quantassay.domain.gaps.review import Review, consumer_standing, review_of
from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar

_GAP = "data_gaps_roadmap_spec:/gaps/{spec_row}"
_FILES = "manual_log:/feeds/{name}"
ORIGINS = {
    "/as_of": ["as_of:"],
    "/day": ["as_of:", "trading_calendar:/zone"],
    "/review_red_after_days": ["data_gaps_roadmap_spec:/review_red_after_days"],
    "/counts/*": ["data_gaps_roadmap_spec:/gaps"],
    "/gaps/*/spec_row": ["data_gaps_roadmap_spec:/gaps"],
    "/gaps/*/review/date": [f"{_GAP}/next_review_date"],
    "/gaps/*/review/days_left": [f"{_GAP}/next_review_date", "as_of:"],
    "/gaps/*/review/overdue_days": [f"{_GAP}/next_review_date", "as_of:"],
    "/gaps/*/reviews/*/date": [f"{_GAP}/reviews"],
    "/gaps/*/attempts/*/date": [f"{_GAP}/attempts", "gap_attempts:/{record}/date"],
    "/gaps/*/attempts/*/status": [f"{_GAP}/attempts", "gap_attempts:/{record}/status"],
    "/gaps/*/answered_on": ["gap_attempts:", f"{_GAP}/reviews"],
    **{
        f"/gaps/*/manual/cadence/{name}": [f"{_GAP}/manual/cadence/{name}"]
        for name in ("data_lag_sessions", "amber_after", "red_after")
    },
    "/gaps/*/feed/files": [_FILES],
    "/gaps/*/feed/later": [_FILES],
    "/gaps/*/feed/newest_session": [_FILES],
    "/gaps/*/feed/imported_at": [_FILES],
    "/gaps/*/feed/missed": [_FILES, f"{_GAP}/manual/cadence", "trading_calendar:/sessions"],
    "/gaps/*/feed/first_missed": [_FILES, f"{_GAP}/manual/cadence", "trading_calendar:/sessions"],
    "/gaps/*/feed/next_due": [f"{_GAP}/manual/cadence", "trading_calendar:/sessions", "as_of:"],
    "/gaps/*/feed/due_at": ["trading_calendar:/special_sessions", "trading_calendar:/regular_hours"],
}
_COPIED = ("id", "title", "fields", "why", "other_ways", "owner", "reviews", "no_attempt", "manual")
_TOLD = ("date", "by", "procedure", "outcome", "status", "says", "transcript", "no_transcript")


def build(
    data_gaps_roadmap_spec: dict[str, Any],
    gap_attempts: list[dict[str, Any]],
    manual_log: dict[str, Any],
    trading_calendar: dict[str, Any],
    as_of: str,
) -> dict[str, Any]:
    """The gaps in the order of the spec, each as it stands at `as_of`."""
    cal, at = sessions.calendar(trading_calendar), sessions.instant(as_of)
    red_after = data_gaps_roadmap_spec["review_red_after_days"]
    gaps = []
    for row, spec in enumerate(data_gaps_roadmap_spec["gaps"]):
        stands = _standing(spec["manual"], manual_log["feeds"], cal, at)
        review = review_of(date.fromisoformat(spec["next_review_date"]), sessions.local_day(cal, at), red_after)
        gaps.append(_gap(row, spec, review, stands, cal) | _tried(spec, gap_attempts))
    return {
        "as_of": as_of,
        "day": sessions.local_day(cal, at).isoformat(),
        "review_red_after_days": red_after,
        "counts": _counts(gaps),
        "gaps": gaps,
    }


def _standing(
    manual: dict[str, Any], feeds: dict[str, list[dict[str, Any]]], cal: Calendar, at: datetime
) -> Standing | None:
    """How the feed stands that takes the gap's place; None where there is none."""
    if manual["cadence"] is None:
        return None
    imports = [
        due.Import(one["file"], sessions.instant(one["imported_at"]), date.fromisoformat(one["last"]))
        for one in feeds.get(manual["feed"], [])
    ]
    return due.standing(cal, due.cadence(manual["cadence"]), imports, at)


def _gap(row: int, spec: dict[str, Any], review: Review, stands: Standing | None, cal: Calendar) -> dict[str, Any]:
    state = stands.state if stands else Feed.NONE
    standing = consumer_standing(state, review.state)
    return {
        **{name: spec[name] for name in _COPIED},
        "spec_row": row,
        "review": {
            "date": review.date.isoformat(),
            "action": spec["next_review_action"],
            "state": review.state,
            "days_left": review.days_left,
            "overdue_days": review.overdue_days,
        },
        "feed": {"name": spec["manual"]["feed"], **_feed(stands, cal)},
        "consumers": [{**one, "standing": standing} for one in spec["consumers"]],
        "can_probe": spec["probe"] is not None,
    }


def _feed(stands: Standing | None, cal: Calendar) -> dict[str, Any]:
    if stands is None:
        empty = ("file", "newest_session", "imported_at", "files", "later", "missed", "first_missed", "next_due")
        return {"state": Feed.NONE, **dict.fromkeys((*empty, "due_at"))}
    newest, ahead = stands.newest, stands.next_due
    return {
        "state": stands.state,
        "file": newest.file if newest else None,
        "newest_session": newest.last.isoformat() if newest else None,
        "imported_at": newest.at.isoformat() if newest else None,
        "files": stands.files,
        "later": stands.later,
        "missed": stands.missed,
        "first_missed": stands.first_missed.isoformat() if stands.first_missed else None,
        "next_due": ahead.isoformat() if ahead else None,
        "due_at": sessions.hours(cal, ahead).open.isoformat() if ahead else None,
    }


def _tried(spec: dict[str, Any], recorded: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The attempts of the spec and those on record, by date, and the day of the last answer since the last review."""
    told = [{"record": None, **{name: one[name] for name in _TOLD}} for one in spec["attempts"]]
    told += [
        {"record": one["id"], **{name: one.get(name) for name in _TOLD}, "transcript": one["transcript"]["digest"]}
        for one in recorded
        if one["gap"] == spec["id"]
    ]
    attempts = sorted(told, key=lambda one: str(one["date"]))
    reviewed = max((one["date"] for one in spec["reviews"]), default="")
    answered = [one["date"] for one in attempts if one["outcome"] == ANSWERED and one["date"] >= reviewed]
    return {"attempts": attempts, "answered_on": answered[-1] if answered else None}


def _counts(gaps: list[dict[str, Any]]) -> dict[str, int]:
    feeds = [gap["feed"]["state"] for gap in gaps]
    reviews = [gap["review"]["state"] for gap in gaps]
    return {
        "gaps": len(gaps),
        "attempts": sum(len(gap["attempts"]) for gap in gaps),
        "answered": sum(gap["answered_on"] is not None for gap in gaps),
        "reviews_overdue": len(reviews) - reviews.count("ahead"),
        **{f"feeds_{state}": feeds.count(state) for state in ("never", "fresh", "amber", "red")},
    }
