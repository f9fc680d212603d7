"""An order is found again only by positive evidence: one row like it, or holdings that nothing else explains."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.trading.book import Book, Certificate, DayOrders, OrderRow, Position, Totals
from quantassay.domain.trading.evidence import (
    Change,
    Doubt,
    FilledByHoldings,
    Found,
    Nothing,
    Reading,
    Same,
    Several,
    Window,
    look,
    progress,
)
from quantassay.domain.trading.orders import Intent, Key, Order, State

# In UTC, as a job's clock tells it; rows bear the exchange's time.
SENT = datetime(2026, 11, 19, 0, 1, tzinfo=UTC)
DAY = date(2026, 11, 19)
NAME, OTHER = "990010", "990020"
WINDOW = Window(skew=timedelta(minutes=2), late=timedelta(minutes=10), settle=timedelta(minutes=1))
BEFORE = {"held": 5, "sellable": 5, "cash": 1_000_000, "ordered": 100, "filled": 40, "amount": 400_000}


def order(state=State.UNKNOWN, line=0, **changes):
    told = {"ticker": NAME, "side": "buy", "quantity": 10, "limit_price": 1_000, "before": BEFORE}
    told |= {name: changes.pop(name) for name in list(changes) if name in told}
    key = Key("desk", "sha256:" + "ab" * 32, line, 1)
    intent = Intent(key, told.pop("ticker"), told.pop("side"), reference_price=990, certificate={}, **told)
    return replace(Order(intent, state, SENT, SENT, SENT + timedelta(seconds=30)), **changes)


def numbered(state=State.ACK, **changes):
    return order(state, number="0000000007", day="2026-11-19", **changes)


def row(number="7", **changes):
    told = {"ticker": NAME, "side": "buy", "quantity": 10, "price": 1_000, "time": "090101", "filled": 0}
    told |= changes
    told.setdefault("amount", told["filled"] * told["price"])
    told.setdefault("cancelled", 0)
    told.setdefault("rejected", 0)
    told.setdefault("remaining", told["quantity"] - told["filled"] - told["cancelled"] - told["rejected"])
    return OrderRow(number, "00950", told.pop("origin", ""), **told)


def book(held, after=60):
    positions = (Position(NAME, "Name", held, held, Decimal(1_000), 1_000),) if held else ()
    at = SENT + timedelta(seconds=after)
    return Book(at, positions, 0, 0, 0, 1, Certificate("virtual", "host", "V", "a", "k"))


def read(*rows, held=None, ordered=None, filled=40, amount=400_000, after=60):
    """Rows beside the 100 shares that the totals counted before; `ordered` is what they count now."""
    totals = Totals(sum(one.quantity for one in rows) if ordered is None else ordered, filled, amount, 0)
    seen = None if held is None else book(held, after)
    return Reading(DayOrders(DAY, rows, totals, 1), seen, SENT + timedelta(seconds=after))


def found(reading, *others, of=None):
    return look(of or order(), others, reading, WINDOW)


def test_one_new_row_like_it_is_the_order():
    assert found(read(row())) == Found(row())
    assert found(read(row()), of=order(State.SENT)) == Found(row())
    # The broker may list one order twice, with and without zeros, and a cancel of it besides.
    twice = read(row(filled=3), row("007", filled=4), row("8", origin="7"))
    assert found(twice) == Found(row("007", filled=4))
    assert found(read(row(filled=4), row("007", filled=3))) == Found(row(filled=4))


@pytest.mark.parametrize(
    "other",
    [{"ticker": OTHER}, {"side": "sell"}, {"quantity": 11}, {"price": 1_005}, {"time": "085859"}, {"origin": "3"}],
)
def test_a_row_that_differs_in_anything_is_another_order(other):
    assert isinstance(found(read(row(**other))), Nothing)


@pytest.mark.parametrize(("time", "is_it"), [("085900", True), ("091330", True), ("091331", False)])
def test_the_window_allows_for_clocks_and_queues(time, is_it):
    finding = found(read(row(time=time)))
    assert isinstance(finding, Found if is_it else Several)


@pytest.mark.parametrize("time", ["", "      ", "9:01:0", "256199", "+90101", "0901011"])
def test_a_row_like_it_without_a_time_is_for_a_person(time):
    assert "its time" in found(read(row(time=time))).why


def test_two_rows_like_it_are_for_a_person():
    finding = found(read(row("7"), row("8")))
    assert isinstance(finding, Several)
    assert ({one.number for one in finding.rows}, finding.why) == ({"7", "8"}, "orders 7, 8 are all like it")
    # Also where one of them is too late to be likely.
    assert isinstance(found(read(row("7"), row("8", time="140000"))), Several)


def test_a_row_that_another_order_owns_is_not_this_one():
    mine = numbered(line=1)
    assert isinstance(found(read(row()), mine), Nothing)
    assert found(read(row("7"), row("8")), mine) == Found(row("8"))
    # Numbers begin anew each day.
    assert isinstance(found(read(row()), replace(mine, day="2026-11-18")), Found)


@pytest.mark.parametrize(
    ("rival", "is_one"),
    [
        (order(State.REJECTED, line=1, given_up=True), True),
        (order(State.FILLED, line=1, filled=10, estimated=True), True),
        (order(State.UNKNOWN, line=1), True),
        (order(State.REJECTED, line=1), False),
        (order(State.REJECTED, line=1, given_up=True, quantity=9), False),
        (order(State.REJECTED, line=1, given_up=True, sent_at=SENT - timedelta(hours=2), deadline=None), False),
        (order(State.CANCELLED, line=1, sent_at=None), False),
    ],
)
def test_a_row_that_may_be_another_order_without_number_is_for_a_person(rival, is_one):
    assert isinstance(found(read(row()), rival), Several if is_one else Found)


def test_the_orders_of_another_day_prove_nothing():
    reading = read(row())
    reading = replace(reading, day=replace(reading.day, day=date(2026, 11, 20)))
    assert isinstance(found(reading), Nothing)
    # Just before midnight in UTC it is the next day at the exchange.
    early = datetime(2026, 11, 18, 23, 59, tzinfo=UTC)
    at_open = order(sent_at=early, deadline=early + timedelta(seconds=30))
    assert isinstance(found(read(row(time="085930")), of=at_open), Found)


def test_no_row_is_no_proof_of_anything():
    for reading in (read(), read(held=5), read(row(ticker=OTHER), held=5), read(ordered=110, held=5)):
        assert isinstance(found(reading), Nothing)


def test_holdings_that_moved_by_the_whole_order_prove_its_fill_where_rows_are_missing():
    finding = found(read(held=15, ordered=110, filled=50, amount=409_900))
    assert isinstance(finding, FilledByHoldings)
    assert (finding.filled, finding.amount) == (10, 9_900)
    sold = order(side="sell", before={**BEFORE, "held": 10})
    finding = found(read(held=0, ordered=110, filled=50, amount=410_500), of=sold)
    assert (finding.filled, finding.amount) == (10, 10_500)
    # Where the totals count something else as well, or a price that cannot be, the limit stands in for the price.
    other = order(State.FILLED, line=1, ticker=OTHER, number="3", day="2026-11-19", filled=7)
    assert found(read(held=15, ordered=117, filled=57, amount=409_000), other).amount == 10_000
    for amount in (400_000, 410_001, 500_000):
        assert found(read(held=15, ordered=110, filled=50, amount=amount)).amount == 10_000


@pytest.mark.parametrize(
    ("reading", "others", "why"),
    [
        (read(held=14, ordered=110, filled=50), (), "moved by 9 of its 10"),
        (read(held=16, ordered=110, filled=50), (), "moved by 11 of its 10"),
        (read(held=15, ordered=110, filled=49), (), "totals count 9 shares"),
        (read(held=15, ordered=110, filled=51), (), "totals count 11 shares"),
        (read(held=15, ordered=100, filled=40), (), "totals count 0 shares"),
        (read(held=15, ordered=110, filled=50, after=-1), (), "the holdings tell nothing"),
        (read(ordered=110, filled=50), (), "the holdings tell nothing"),
        (read(row(ticker=OTHER, quantity=110), held=15, filled=50), (), "whole without it"),
        (read(row("9", quantity=4, filled=4), held=15, ordered=114, filled=54), (), "order 9, which is not ours"),
        (read(held=15, ordered=110, filled=50), (order(State.FILLED, line=1, filled=4),), "may explain it"),
        (read(held=15, ordered=110, filled=50), (order(State.ACK, line=1),), "may explain it"),
    ],
)
def test_holdings_prove_nothing_while_anything_else_may_explain_them(reading, others, why):
    finding = found(reading, *others)
    assert isinstance(finding, Nothing)
    assert why in finding.why


def test_an_order_of_the_day_before_explains_no_holdings_of_today():
    sent = SENT - timedelta(hours=18)
    yesterday = order(State.FILLED, line=1, filled=4, sent_at=sent, deadline=sent)
    assert isinstance(found(read(held=15, ordered=110, filled=50), yesterday), FilledByHoldings)


def test_without_a_reading_before_the_order_the_holdings_prove_nothing():
    for missing in ("held", "filled"):
        before = {name: value for name, value in BEFORE.items() if name != missing}
        assert isinstance(found(read(held=15, ordered=110, filled=50), of=order(before=before)), Nothing)


def moved(reading, *others, of=None):
    return progress(of or numbered(), others, reading, WINDOW)


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [
        ([row("7", filled=10)], "fill", (10, 10_000, False)),
        ([row("0007", filled=4)], "fill", (4, 4_000, False)),
        ([row("7", filled=4, amount=0)], "fill", (4, 4_000, True)),
        ([row("7", filled=4), row("7", filled=6)], "fill", (6, 6_000, False)),
        ([row("7", cancelled=10, amount=1)], "cancelled", (0, 0, False)),
        ([row("7", filled=4, cancelled=6)], "cancelled", (4, 4_000, False)),
        ([row("7", filled=4, rejected=6)], "cancelled", (4, 4_000, False)),
        # Where the cancel's own row bears the shares, once however often it is listed.
        ([row("7", filled=4, remaining=0), row("9", origin="07", cancelled=6)], "cancelled", (4, 4_000, False)),
        ([row("7", filled=4), *[row("9", origin="7", cancelled=6)] * 2], "cancelled", (4, 4_000, False)),
    ],
)
def test_a_row_tells_what_became_of_its_order(rows, kind, said):
    change = moved(read(*rows))
    assert isinstance(change, Change)
    assert change.kind == kind
    assert tuple(change.body[name] for name in ("filled", "amount", "estimated")) == said


def test_the_exchange_may_refuse_what_the_broker_took():
    change = moved(read(row("7", rejected=10)))
    assert (change.kind, set(change.body)) == ("rejected", {"code", "why"})


@pytest.mark.parametrize(
    ("reading", "of"),
    [
        (read(row("7")), numbered()),
        (read(row("7", filled=4)), numbered(State.PARTIAL, filled=4)),
        (read(row("8", filled=10)), numbered()),
        (read(), numbered()),
        (read(row("7", filled=10)), replace(numbered(), day="2026-11-18")),
        (read(row("", filled=10)), order(State.PARTIAL)),
    ],
)
def test_nothing_new_is_no_change(reading, of):
    assert isinstance(moved(reading, of=of), Same)


@pytest.mark.parametrize(
    ("rows", "of"),
    [
        ([row("7", filled=3)], numbered(State.PARTIAL, filled=4)),
        ([row("7", quantity=11)], numbered()),
        ([row("7", ticker=OTHER)], numbered()),
        ([row("7", filled=8, cancelled=3)], numbered()),
        ([row("7", filled=4, remaining=0)], numbered(State.PARTIAL, filled=4)),
    ],
)
def test_a_row_that_cannot_be_is_for_a_person(rows, of):
    assert isinstance(moved(read(*rows), of=of), Doubt)


def test_an_amount_that_was_inferred_gives_way_to_the_broker_s():
    of = numbered(State.PARTIAL, filled=4, amount=4_000, estimated=True)
    assert moved(read(row("7", filled=4, amount=3_900)), of=of).body == {
        "filled": 4,
        "amount": 3_900,
        "estimated": False,
    }


def test_without_rows_the_holdings_tell_how_much_is_filled():
    change = moved(read(held=9, ordered=110, filled=44, amount=403_900))
    assert (change.kind, change.body) == ("fill", {"filled": 4, "amount": 3_900, "estimated": True})
    again = numbered(State.PARTIAL, filled=4, estimated=True)
    assert isinstance(moved(read(held=9, ordered=110, filled=44), of=again), Same)
    assert moved(read(held=15, ordered=110, filled=50), of=again).body["filled"] == 10
    for reading in (read(held=4, ordered=110), read(held=16, ordered=110, filled=51), read(held=9, ordered=110)):
        assert isinstance(moved(reading), Same)


def test_without_rows_a_cancel_ends_an_order_once_the_holdings_have_settled():
    taken = numbered(cancelling=True, cancel_taken=True, changed_at=SENT + timedelta(seconds=10))
    assert isinstance(moved(read(held=9, ordered=110, filled=44, after=69), of=taken), Same)
    change = moved(read(held=9, ordered=110, filled=44, after=70), of=taken)
    assert (change.kind, change.body["filled"], change.body["estimated"]) == ("cancelled", 4, True)
    # The totals count a fill that the holdings do not show yet.
    assert isinstance(moved(read(held=9, ordered=110, filled=45, after=99), of=taken), Same)
    # A cancel that nobody answered ends nothing.
    asked = replace(taken, cancel_taken=False)
    assert moved(read(held=9, ordered=110, filled=44, after=99), of=asked).kind == "fill"
    assert moved(read(held=15, ordered=110, filled=50, after=99), of=taken).kind == "fill"
    nothing = moved(read(held=5, ordered=110, after=99), of=taken)
    assert (nothing.kind, nothing.body["filled"], nothing.body["estimated"]) == ("cancelled", 0, False)


ROWS = st.lists(
    st.builds(
        row,
        number=st.sampled_from(["1", "2", "03", "3"]),
        ticker=st.sampled_from([NAME, OTHER]),
        quantity=st.integers(10, 11),
        time=st.sampled_from(["", "085000", "090101", "130000"]),
        filled=st.integers(0, 10),
        cancelled=st.integers(0, 2),
        remaining=st.integers(0, 10),
        origin=st.sampled_from(["", "", "1"]),
    ),
    max_size=4,
)
READINGS = st.builds(
    lambda rows, held, ordered, filled: read(*rows, held=held, ordered=ordered, filled=filled),
    ROWS,
    st.none() | st.integers(0, 20),
    st.integers(100, 125),
    st.integers(40, 65),
)


@given(reading=READINGS, state=st.sampled_from([State.SENT, State.UNKNOWN]))
def test_what_is_found_is_like_the_order_and_what_is_filled_is_all_of_it(reading, state):
    finding = found(reading, of=order(state))
    if isinstance(finding, Found):
        one = finding.row
        assert (one.ticker, one.side, one.quantity, one.price, one.origin) == (NAME, "buy", 10, 1_000, "")
        like = {
            r.number.lstrip("0") for r in reading.day.rows if r.ticker == NAME and r.quantity == 10 and not r.origin
        }
        # What is older than the order is none of its rows.
        old = {r.number.lstrip("0") for r in reading.day.rows if r.time == "085000"}
        assert like - old <= {one.number.lstrip("0")}
    elif isinstance(finding, FilledByHoldings):
        assert reading.book.held(NAME) - BEFORE["held"] == finding.filled == 10
        assert reading.day.totals.filled - BEFORE["filled"] == 10


@given(reading=READINGS, filled=st.integers(0, 9), taken=st.booleans())
def test_a_change_never_shrinks_what_is_filled_nor_exceeds_the_order(reading, filled, taken):
    state = State.PARTIAL if filled else State.ACK
    change = moved(reading, of=replace(numbered(state, filled=filled, cancel_taken=taken), number="3"))
    if isinstance(change, Change) and change.kind != "rejected":
        assert filled <= change.body["filled"] <= 10
        assert change.kind == "cancelled" or change.body["filled"] > filled
