"""A review is overdue from the day after its date, and red once nobody has looked for too long."""

from datetime import date, timedelta

import pytest

from quantassay.domain.gaps.due import Feed
from quantassay.domain.gaps.review import consumer_standing, review_of

DUE = date(2026, 9, 30)


@pytest.mark.parametrize(
    ("days", "state", "left", "overdue"),
    [(-10, "ahead", 10, 0), (0, "ahead", 0, 0), (1, "amber", 0, 1), (60, "amber", 0, 60), (61, "red", 0, 61)],
)
def test_a_review_turns_amber_and_then_red(days, state, left, overdue):
    review = review_of(DUE, DUE + timedelta(days), 60)
    assert (review.date, review.state, review.days_left, review.overdue_days) == (DUE, state, left, overdue)


def test_without_grace_a_review_is_red_at_once():
    assert review_of(DUE, DUE + timedelta(1), 0).state == "red"


@pytest.mark.parametrize(
    ("feed", "review", "standing"),
    [
        (Feed.NONE, "red", "without"), (Feed.NEVER, "red", "without"), (Feed.FRESH, "ahead", "fed"),
        (Feed.FRESH, "amber", "fed"), (Feed.FRESH, "red", "red"), (Feed.AMBER, "ahead", "amber"),
        (Feed.AMBER, "red", "red"), (Feed.RED, "ahead", "red"),
    ],
)  # fmt: skip
def test_only_those_who_are_fed_by_hand_turn_red(feed, review, standing):
    assert consumer_standing(feed, review) == standing
