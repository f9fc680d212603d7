"""Our account against the broker's: what is agreed, recognised, left open, and what stays a break."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.trading import reconcile as judged
from quantassay.domain.trading.book import Book, Certificate, DayOrders, OrderRow, Position, Totals
from quantassay.domain.trading.orders import Event, Key
from quantassay.domain.trading.reconcile import Kind

AT = datetime.fromisoformat("2026-11-19T10:00:00+09:00")
DAY = date(2026, 11, 19)
SOON = timedelta(seconds=60)
CERTIFICATE = Certificate("rehearsal", "127.0.0.1:18080", "V", "aaaaaaaaaaaa", "bbbbbbbbbbbb")
A, B = "990010", "990020"


class Scene:
    """A journal and a broker, without either: what was written, what is held, and which orders the broker shows."""

    def __init__(self, **held):
        self.at, self.events, self.rows, self.line = AT, [], [], 0
        self.held = {ticker.removeprefix("_"): shares for ticker, shares in held.items()}
        self.write("book", **judged.book_body(self.book()))

    def write(self, kind, order="", **body):
        self.events.append(Event(len(self.events) + 1, self.at, kind, "desk", order, body))

    def book(self, *zero):
        shares = {**dict.fromkeys(zero, 0), **self.held}
        positions = tuple(Position(one, one, shares[one], shares[one], Decimal("10.5"), 11) for one in shares)
        return Book(self.at, positions, 1_000, 1_000, 2_000, 1, CERTIFICATE)

    def move(self, ticker, shares):
        """The broker counts so many shares more, and shows no order for them."""
        self.held[ticker] = self.held.get(ticker, 0) + shares
        if not self.held[ticker]:
            del self.held[ticker]

    def row(self, ticker, side, quantity, filled, **other):
        number, time = f"{len(self.rows) + 1:04d}", f"{len(self.rows):06d}"
        one = OrderRow(number, "b", "", ticker, side, quantity, 10, time, filled, filled * 10, quantity - filled, 0, 0)
        self.rows.append(replace(one, **other))
        return self.rows[-1].number

    def manual(self, ticker, side, quantity):
        self.row(ticker, side, quantity, quantity)
        self.move(ticker, quantity if side == "buy" else -quantity)

    def ours(self, ticker, side, quantity, filled, until="fill", told=True):
        """An order of ours, filled so far at the broker; the journal knows of the fill where it was `told`."""
        self.line += 1
        key = Key("desk", "sha256:" + "c" * 64, self.line, 1)
        body = {"plan": key.plan, "line": key.line, "attempt": 1, "ticker": ticker, "side": side, "quantity": quantity}
        self.write("intent", key.order, **body, limit_price=10, reference_price=10, before={}, certificate={})
        self.write("sent", key.order, deadline=self.at.isoformat())
        number = self.row(ticker, side, quantity, filled)
        self.move(ticker, filled if side == "buy" else -filled)
        if until == "unknown":
            self.write("unknown", key.order, why="no answer")
        elif until == "given up":
            self.write("not_placed", key.order, why="it is not there", by="kim")
        else:
            self.write("ack", key.order, number="000" + number, branch="b", day=DAY.isoformat())
            if told and filled:
                self.write("fill", key.order, filled=filled, amount=filled * 10, estimated=False)
            if until == "cancelled":
                self.write("cancelled", key.order, filled=filled, amount=filled * 10, estimated=False)
        return key.order

    def known(self):
        return judged.known(self.events)

    def day_orders(self):
        return DayOrders(DAY, tuple(self.rows), Totals(0, 0, 0, 0), 1)

    def names(self, *zero, show=True):
        days = [self.day_orders()] if show else []
        return {one.ticker: one for one in judged.reconcile(self.known(), self.book(*zero), days, SOON)}

    def settle(self, show=True):
        """What the job does with what was found: write it down, so that the next reading begins with it."""
        names = self.names(show=show)
        for one in names.values():
            for found in one.externals:
                self.write("external", **found.body())
            if one.kind is Kind.BREAK:
                self.write("break", ticker=one.ticker, ours=one.ours, theirs=one.theirs, why=one.why)
        self.write("book", **judged.book_body(self.book()))
        return names

    def accept(self, ticker):
        self.write("break_cleared", ticker=ticker, by="kim", why="a split", adopted=self.held.get(ticker, 0))

    def later(self, seconds=3600):
        self.at += timedelta(seconds=seconds)


def kinds(names):
    return {ticker: one.kind.value for ticker, one in names.items()}


@pytest.fixture
def scene():
    return Scene(_990010=100)


def test_what_was_read_first_is_where_we_begin_and_our_fills_are_added(scene):
    assert kinds(scene.names()) == {A: "agree"}
    scene.ours(A, "sell", 100, 100)
    scene.ours(B, "buy", 7, 7)
    scene.later()
    assert scene.known().held == {B: 7}
    assert kinds(scene.names()) == {B: "agree"}


def test_a_break_stays_one_however_often_the_account_is_read(scene):
    scene.move(A, -40)
    for _ in range(3):
        scene.later()
        found = scene.settle()[A]
        assert (found.kind, found.ours, found.theirs) == (Kind.BREAK, 100, 60)
    assert "we count 100, the broker 60, and no order that the broker shows explains it" in found.why
    assert scene.known().breaks[A].theirs == 60
    scene.move(A, 40)
    assert kinds(scene.names()) == {A: "agree"}


def test_a_name_that_only_we_count_and_one_that_only_the_broker_counts_are_breaks(scene):
    scene.move(A, -100)
    scene.move(B, 3)
    assert {one: (name.kind, name.ours, name.theirs) for one, name in scene.names().items()} == {
        A: (Kind.BREAK, 100, 0),
        B: (Kind.BREAK, 0, 3),
    }


def test_a_row_of_zero_shares_says_nothing(scene):
    assert kinds(scene.names(B)) == {A: "agree"}


def test_trades_of_others_are_recognised_where_the_broker_shows_them(scene):
    scene.manual(A, "sell", 30)
    scene.manual(A, "buy", 5)
    found = scene.names()[A]
    assert (found.kind, [one.body() for one in found.externals]) == (
        Kind.EXTERNAL,
        [
            {"ticker": A, "side": "sell", "quantity": 30, "amount": 300, "number": "1", "day": "2026-11-19"},
            {"ticker": A, "side": "buy", "quantity": 5, "amount": 50, "number": "2", "day": "2026-11-19"},
        ],
    )
    assert kinds(scene.names(show=False)) == {A: "break"}
    scene.settle()
    assert scene.known().held == {A: 75}
    assert kinds(scene.names()) == {A: "agree"}


def test_of_an_order_that_goes_on_filling_only_what_is_new_is_added(scene):
    number = scene.row(A, "buy", 50, 20)
    scene.move(A, 20)
    scene.settle()
    scene.rows.clear()
    scene.row(A, "buy", 50, 50, number=number)
    scene.move(A, 30)
    assert scene.settle()[A].externals[0].quantity == 50
    assert scene.known().held == {A: 150}
    assert scene.known().externals["2026-11-19", "1"].quantity == 50


def test_a_purchase_and_its_sale_by_others_are_recognised_although_the_count_is_the_same(scene):
    scene.manual(A, "buy", 5)
    scene.manual(A, "sell", 5)
    assert kinds(scene.settle()) == {A: "external"}
    assert kinds(scene.names()) == {A: "agree"}


def test_what_the_broker_shows_must_explain_all_of_it(scene):
    scene.manual(A, "buy", 5)
    scene.move(A, 1)
    found = scene.names()[A]
    assert found.kind is Kind.BREAK
    assert "traded by somebody else: buy 5 (order 1 of 2026-11-19), which does not explain it" in found.why


def test_a_row_listed_twice_or_of_a_cancel_is_no_second_trade(scene):
    number = scene.row(A, "buy", 5, 5)
    scene.rows.append(scene.rows[0])
    scene.row(A, "buy", 5, 5, origin=number)
    scene.move(A, 5)
    assert [one.quantity for one in scene.names()[A].externals] == [5]
    scene.move(A, 5)
    assert kinds(scene.names()) == {A: "break"}


@pytest.mark.parametrize("filled", [0, 1, 29, 30])
def test_an_order_of_ours_that_stands_is_no_break_whatever_of_it_is_filled(scene, filled):
    scene.ours(B, "buy", 30, filled, told=False)
    scene.ours(A, "sell", 30, filled, until="unknown")
    scene.later()
    assert set(kinds(scene.names()).values()) <= {"agree", "ours_unfinished"}
    assert scene.names() == scene.settle()


def test_an_order_of_ours_explains_no_more_than_itself(scene):
    scene.ours(B, "buy", 30, 30, told=False)
    scene.move(B, 1)
    assert kinds(scene.names())[B] == "break"
    scene.move(B, -32)
    assert kinds(scene.names())[B] == "break"


def test_a_fill_may_take_a_while_to_show_and_no_longer(scene):
    scene.ours(B, "buy", 10, 10)
    scene.held.pop(B)
    assert kinds(scene.names())[B] == "ours_unfinished"
    scene.later(60)
    assert kinds(scene.names())[B] == "ours_unfinished"
    scene.later(1)
    assert kinds(scene.names())[B] == "break"


def test_nothing_is_recognised_while_an_order_of_ours_is_open_for_the_name(scene):
    order = scene.ours(B, "buy", 30, 10, told=False)
    scene.manual(B, "buy", 10)
    scene.later()
    assert kinds(scene.settle())[B] == "ours_unfinished"
    scene.write("cancelled", order, filled=10, amount=100, estimated=False)
    scene.later()
    assert scene.settle()[B].externals[0].quantity == 10
    assert scene.known().held[B] == 20


def test_an_order_of_ours_and_a_trade_of_others_may_explain_it_together(scene):
    scene.ours(B, "buy", 30, 10, told=False)
    scene.manual(B, "buy", 30)
    assert kinds(scene.names())[B] == "ours_unfinished"
    scene.move(B, 21)
    assert kinds(scene.names())[B] == "break"


def test_a_manual_trade_of_just_the_difference_waits_for_an_order_of_ours_that_is_open(scene):
    scene.ours(B, "buy", 30, 0)
    scene.manual(B, "buy", 10)
    found = scene.names()[B]
    assert (found.kind, found.externals) == (Kind.OURS_UNFINISHED, ())


def test_a_row_that_may_be_our_own_order_is_nobody_else_s(scene):
    scene.ours(B, "buy", 30, 30, until="unknown")
    assert kinds(scene.names())[B] == "ours_unfinished"
    given_up = Scene()
    given_up.ours(B, "buy", 30, 30, until="given up")
    given_up.later()
    assert kinds(given_up.names()) == {B: "break"}


def test_a_split_is_a_break_that_a_person_accepts(scene):
    scene.move(A, 400)
    scene.settle()
    scene.accept(A)
    assert (scene.known().held, scene.known().breaks) == ({A: 500}, {})
    scene.manual(A, "sell", 100)
    assert kinds(scene.settle()) == {A: "external"}
    assert scene.known().held == {A: 400}


def test_a_book_is_of_the_account_that_the_journal_knows(scene):
    book, opened = scene.book(), scene.known().opened
    assert judged.same_account(opened, book)
    for other in (Certificate("virtual", "", "V", "aaaaaaaaaaaa", ""), Certificate("rehearsal", "", "V", "other", "")):
        assert not judged.same_account(opened, Book(AT, (), 0, 0, 0, 1, other))
    renewed = Certificate("rehearsal", "elsewhere", "V", "aaaaaaaaaaaa", "another key")
    assert judged.same_account(opened, Book(AT, (), 0, 0, 0, 1, renewed))


def test_a_book_with_a_name_twice_is_told(scene):
    book = scene.book()
    assert judged.twice(book) is None
    assert judged.twice(Book(AT, book.positions * 2, 0, 0, 0, 1, CERTIFICATE)) == A


def test_the_body_of_a_book_is_whole_numbers_and_text(scene):
    assert judged.book_body(scene.book()) == {
        "at": "2026-11-19T10:00:00+09:00",
        "cash": 1_000,
        "deposit": 1_000,
        "equity": 2_000,
        "pages": 1,
        "positions": [
            {"ticker": A, "name": A, "quantity": 100, "sellable": 100, "average_price": "10.5", "last_price": 11}
        ],
        "certificate": {
            "environment": "rehearsal",
            "host": "127.0.0.1:18080",
            "transactions": "V",
            "account": "aaaaaaaaaaaa",
            "key": "bbbbbbbbbbbb",
        },
    }


# Laws.

SHARES = st.integers(1, 50)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ours", "partly", "manual", "moved", "read"]),
        st.sampled_from([A, B]),
        st.sampled_from(["buy", "sell"]),
        SHARES,
    ),
    max_size=12,
)


@given(STEPS)
def test_nothing_is_lost_or_made(steps):
    """Whatever happens: what we count is what the broker counts, or the name is a break by just what was moved."""
    scene, moved = Scene(_990010=1000, _990020=1000), {A: 0, B: 0}
    for what, ticker, side, shares in steps:
        if what == "ours":
            scene.ours(ticker, side, shares, shares)
        elif what == "partly":
            scene.ours(ticker, side, shares * 2, shares, until="cancelled")
        elif what == "manual":
            scene.manual(ticker, side, shares)
        elif what == "moved":
            scene.move(ticker, shares)
            moved[ticker] += shares
        scene.later()
        if what == "read":
            scene.settle()
    names = scene.settle()
    for ticker in (A, B):
        gap = scene.held[ticker] - scene.known().held[ticker]
        assert gap == names[ticker].theirs - scene.known().held[ticker]
        if not moved[ticker]:
            assert gap == 0
            assert names[ticker].kind in (Kind.AGREE, Kind.EXTERNAL)
        assert (gap == 0) == (names[ticker].kind is not Kind.BREAK)


@given(STEPS.filter(lambda steps: any(what == "moved" for what, *_ in steps)))
def test_what_no_row_explains_is_a_break_until_a_person_accepts_it(steps):
    scene, moved = Scene(_990010=1000, _990020=1000), set()
    for what, ticker, _side, shares in steps:
        if what == "moved":
            scene.move(ticker, shares)
            moved.add(ticker)
        scene.later()
        scene.settle()
    assert {ticker for ticker, kind in kinds(scene.names()).items() if kind == "break"} == moved
    for ticker in moved:
        scene.accept(ticker)
    assert set(kinds(scene.settle()).values()) == {"agree"}
    assert scene.known().held == scene.held
