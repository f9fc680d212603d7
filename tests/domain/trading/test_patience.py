"""When an order is waited for, when it is taken back, and when it is left until the next session."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from quantassay.domain.trading.book import Book, DayOrders, OrderRow, Position, Totals
from quantassay.domain.trading.evidence import Reading
from quantassay.domain.trading.lapsed import lapsed
from quantassay.domain.trading.orders import Intent, Key, Order, State
from quantassay.domain.trading.patience import Step, step
from tests.fakes.execution import OPEN, SEOUL, TERMS

CLOSES = OPEN.replace(hour=15, minute=30)
INTENT = Intent(Key("desk", "p", 1, 1), "990010", "sell", 30, 1_000, 1_000, {"held": 30}, {})
SENT = Order(INTENT, State.SENT, OPEN, sent_at=OPEN, deadline=OPEN + timedelta(seconds=30))
ACK = replace(SENT, state=State.ACK, number="17", branch="1", day="2026-11-19")


def after(seconds):
    return OPEN + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("order", "cancels", "now", "expected"),
    [
        # Fills are waited for, then the rest is taken back.
        (ACK, [], after(119), Step.WAIT),
        (ACK, [], after(120), Step.CANCEL),
        (replace(ACK, state=State.PARTIAL, filled=3), [], after(120), Step.CANCEL),
        # Without a number there is nothing to take back: it is looked for, and then left to a person.
        (SENT, [], after(119), Step.WAIT),
        (SENT, [], after(120), Step.PARK),
        (replace(SENT, state=State.UNKNOWN), [], after(120), Step.PARK),
        # A cancel is waited for, whatever was answered, and sent again only so often.
        (replace(ACK, cancelling=True), [after(120)], after(209), Step.WAIT),
        (ACK, [after(120)], after(209), Step.WAIT),
        (replace(ACK, cancelling=True), [after(120)], after(210), Step.CANCEL),
        (ACK, [after(120), after(210), after(300)], after(389), Step.WAIT),
        (ACK, [after(120), after(210), after(300)], after(390), Step.PARK),
        # After the close once.
        (ACK, [], CLOSES, Step.CANCEL),
        (ACK, [CLOSES - timedelta(seconds=200)], CLOSES, Step.CANCEL),
        (ACK, [CLOSES], CLOSES, Step.PARK),
        (replace(ACK, cancelling=True), [CLOSES], CLOSES + timedelta(seconds=89), Step.WAIT),
        (replace(ACK, cancelling=True), [CLOSES], CLOSES + timedelta(seconds=90), Step.PARK),
        (ACK, [CLOSES], CLOSES + timedelta(hours=5), Step.PARK),
    ],
)
def test_the_next_step(order, cancels, now, expected):
    assert step(order, cancels, now, CLOSES, TERMS) is expected


# Orders of an earlier day.

AT = datetime(2026, 11, 20, 9, 1, tzinfo=SEOUL)
ROW = OrderRow("0017", "1", "", "990010", "sell", 30, 1_000, "090100", 10, 10_000, 20, 0, 0)


def reading(*rows, held=None):
    book = None
    if held is not None:
        position = Position("990010", "One", held, held, 1, 1)
        book = Book(AT, (position,), 0, 0, 0, 1, None)
    return Reading(DayOrders(date(2026, 11, 19), rows, Totals(0, 0, 0, 0), 1), book, AT)


PART = replace(ACK, state=State.PARTIAL, filled=10, amount=10_000)
TODAY = date(2026, 11, 20)


def test_an_order_of_an_earlier_day_is_over_where_its_fills_are_certain():
    body = lapsed(PART, reading(ROW), TODAY)
    assert body == {
        "filled": 10, "amount": 10_000, "estimated": False,
        "why": "it was for 2026-11-19, and 20 of its shares had not filled",
    }  # fmt: skip
    assert lapsed(PART, reading(held=20), TODAY)
    buy = replace(PART, intent=replace(INTENT, side="buy", before={"held": 0}))
    assert lapsed(buy, reading(held=10), TODAY)


@pytest.mark.parametrize(
    ("order", "said", "today"),
    [
        (PART, reading(ROW), date(2026, 11, 19)),  # its session may still go on
        (PART, reading(replace(ROW, filled=11)), TODAY),  # more has filled than is written down
        (PART, reading(), TODAY),  # no row, and the account was not read
        (PART, reading(held=19), TODAY),  # no row, and the holdings say otherwise
        (SENT, reading(held=30), TODAY),  # nobody knows whether it was taken
        (replace(PART, state=State.FILLED), reading(ROW), TODAY),
        (replace(PART, day="2026-11-18"), reading(ROW), TODAY),  # not the day that was read
    ],
)
def test_otherwise_nothing_is_concluded(order, said, today):
    assert lapsed(order, said, today) is None
