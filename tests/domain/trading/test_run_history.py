"""The journal read back: runs with their orders, the readings around them, and events that make no sense told."""

from zoneinfo import ZoneInfo

import pytest

from quantassay.domain.trading import run_history
from quantassay.domain.trading.orders import State
from tests.fakes import journals

SEOUL = ZoneInfo("Asia/Seoul")


def read(name):
    return run_history.read(journals.journal(name)["events"], SEOUL)


def test_a_run_that_is_gone_on_with_is_one_run_with_one_plan():
    (run,) = read("break").runs
    assert [start.body["continued"] for start in run.starts] == [False, True]
    assert len(run.data["orders"]) == 3
    assert [one.order.state for one in run.orders] == [State.FILLED] * 3
    assert run.done.body["outcome"] == "complete"


def test_a_run_is_not_over_once_it_was_gone_on_with():
    events = journals.journal("break")["events"]
    again = next(i for i, one in enumerate(events) if one["body"].get("continued"))
    (run,) = run_history.read(events[: again + 1], SEOUL).runs
    assert run.done is None


def test_what_is_tried_again_is_sent_once():
    (run,) = read("part_filled").runs
    sells = [one for one in run.orders if one.order.intent.side == "sell"]
    assert [one.order.intent.quantity for one in sells] == [30, 12]
    assert run_history.sent_shares(sells) == 30


def test_an_order_that_was_withdrawn_was_never_sent():
    (run,) = read("halt").runs
    first = [one for one in run.orders if one.order.intent.key.attempt == 1 and one.order.intent.key.line == 2]
    assert run_history.sent_shares(first) == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [("clean", None), ("manual_trade", "external"), ("left_open", "open"), ("two_sessions", "estimated")],
)
def test_readings_are_compared_only_where_they_can_be(name, why):
    journal = read(name)
    books = run_history.books_around(journal.runs[-1], journal)
    assert books.why == why


def test_readings_stand_around_all_that_moved():
    journal = read("clean")
    (run,) = journal.runs
    books = run_history.books_around(run, journal)
    moved = [event.seq for one in run.orders for event in one.events]
    assert books.before.seq < min(moved) < max(moved) < books.after.seq


def test_a_run_without_a_reading_after_it_has_nothing_to_compare():
    events = journals.journal("clean")["events"]
    last = max(i for i, one in enumerate(events) if one["kind"] == "fill")
    journal = run_history.read(events[: last + 1], SEOUL)
    assert run_history.books_around(journal.runs[0], journal).why == "no_book"


def test_a_reading_while_another_run_has_an_order_open_compares_nothing():
    events = journals.journal("two_sessions")["events"]
    first = next(i for i, one in enumerate(events) if one["kind"] == "fill")
    # The first fill of the first run is told only after the second run: its order was open all the while.
    late = [*events[:first], *events[first + 1 :], events[first]]
    rows = journals.handed([{name: one[name] for name in ("at", "kind", "account", "order", "body")} for one in late])
    journal = run_history.read(rows["events"], SEOUL)
    assert run_history.books_around(journal.runs[1], journal).why == "open"


def test_what_makes_no_sense_is_told_and_left_out():
    events = journals.journal("clean")["events"]
    fill = next(one for one in events if one["kind"] == "fill")
    lacks = {**fill, "body": {"filled": 30}}
    journal = run_history.read([*events, {**fill, "seq": 98}, {**lacks, "seq": 99, "order": "nobody's"}], SEOUL)
    assert [seq for seq, _ in journal.problems] == [98, 99]
    assert "cannot follow the state FILLED" in journal.problems[0][1]
    assert journal.orders[fill["order"]].order.filled == 30


def test_a_fill_between_two_events_is_the_difference_of_sums():
    journal = read("part_filled")
    one = next(iter(journal.orders.values()))
    first, second = [event.seq for event in one.events if event.kind == "fill"]
    assert run_history.filled_between(one, first, second) == (0, 0)
    assert run_history.filled_between(one, first, second + 1) == (6, 6 * 18_880)
    assert run_history.filled_between(one, 0, second + 1) == (18, 12 * 18_900 + 6 * 18_880)
