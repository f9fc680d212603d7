"""When a gap is looked at again, and what its stand-in and its review mean for those who would use the data."""

from dataclasses import dataclass
from datetime import date

from quantassay.domain.gaps.due import Feed

AHEAD, AMBER, RED = "ahead", "amber", "red"
WITHOUT, FED = "without", "fed"


@dataclass(frozen=True, slots=True)
class Review:
    """The next review, on a day: `ahead` (also on its own date), `amber` once it is overdue, `red` long after that."""

    date: date
    state: str
    days_left: int
    overdue_days: int


def review_of(due_on: date, today: date, red_after_days: int) -> Review:
    """The review that is due on this date, seen today; red from the day after `red_after_days` overdue days."""
    days = (today - due_on).days
    state = AHEAD if days <= 0 else RED if days > red_after_days else AMBER
    return Review(due_on, state, max(-days, 0), max(days, 0))


def consumer_standing(feed: Feed, review_state: str) -> str:
    """What a consumer has: `without` any of it, `fed` in time, `amber` (late), `red` (it must show none of it).

    A review that is long overdue turns only those red who are fed by hand: they live on what was meant for a while.
    """
    if feed in (Feed.NONE, Feed.NEVER):
        return WITHOUT
    if feed is Feed.RED or review_state == RED:
        return RED
    return AMBER if feed is Feed.AMBER else FED
