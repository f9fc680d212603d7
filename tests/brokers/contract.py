"""What every broker does alike: the tests that each broker's own test class inherits.

A broker's class has a fixture `make` that gives a function: `make(late=..., part=..., broken=...)` is a `Scene` of one
account with CASH won and HOLDS shares of HELD, on a session in which FREE stands at 10,000 won and HELD at 5,000.
"""

from dataclasses import dataclass
from datetime import date, datetime

import pytest

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.book import Accepted, NewOrder, Refused

FREE, HELD, UNKNOWN = "990010", "990020", "990099"
PRICES = {FREE: 10_000, HELD: 5_000}
CASH, HOLDS = 1_000_000, 30
DAY = date(2026, 11, 20)
OPENED = datetime.fromisoformat("2026-11-20T09:01:00+09:00")
CLOSED = datetime.fromisoformat("2026-11-20T15:31:00+09:00")
EARLIER = date(2026, 11, 18)
LOOKS = 8


@dataclass
class Scene:
    """A broker and the wires behind it: `again()` is the same account after a restart, `arrive()` lets late fills come.

    `close()` ends the session.
    """

    broker: object
    clock: object
    environment: str
    again: object
    arrive: object
    close: object

    def buy(self, quantity, price=10_300, ticker=FREE):
        return self.broker.submit(NewOrder(ticker, "buy", quantity, price))

    def sell(self, quantity, price=4_700, ticker=HELD):
        return self.broker.submit(NewOrder(ticker, "sell", quantity, price))

    def row(self, answer):
        """The row of an order that was accepted."""
        number = answer.placed.number.lstrip("0")
        return next(one for one in self.rows() if one.number.lstrip("0") == number)

    def rows(self, day=DAY):
        return self.broker.day_orders(day).rows


class BrokerContract:
    """One account with money and one holding, in a session that runs."""

    @pytest.fixture
    def make(self):
        raise NotImplementedError

    @pytest.fixture
    def scene(self, make):
        return make()

    def test_every_reading_bears_the_certificate(self, scene):
        certificate = scene.broker.certificate
        assert certificate.environment == scene.environment
        assert scene.broker.book().certificate == certificate
        assert scene.again().certificate == certificate

    def test_the_book_is_what_is_held(self, scene):
        book = scene.broker.book()
        assert (book.cash, book.deposit, book.pages) == (CASH, CASH, 1)
        assert [(p.ticker, p.quantity, p.sellable, p.last_price) for p in book.positions] == [
            (HELD, HOLDS, HOLDS, 5_000)
        ]
        assert book.equity == CASH + HOLDS * 5_000
        assert book.at == scene.clock.now()

    def test_a_quote_has_its_limits_and_its_tick(self, scene):
        quote = scene.broker.quote(FREE)
        assert (quote.last, quote.base, quote.tick, quote.halted) == (10_000, 10_000, 10, False)
        assert (quote.lower, quote.upper) == (7_000, 13_000)

    def test_a_name_that_nobody_knows_is_unreadable_and_not_free_of_charge(self, scene):
        with pytest.raises(Unreadable):
            scene.broker.quote(UNKNOWN)

    def test_what_may_be_bought_is_what_the_cash_pays(self, scene):
        found = scene.broker.orderable(FREE, 10_300)
        assert 0 < found.quantity * 10_300 <= found.cash <= CASH

    def test_the_market_is_open_today_and_on_no_other_day(self, scene):
        assert scene.broker.market_state(FREE, DAY).open is True
        assert scene.broker.market_state(FREE, EARLIER).open is False

    def test_a_day_without_orders_has_none(self, scene):
        found = scene.broker.day_orders(DAY)
        assert (found.day, found.rows, found.pages) == (DAY, (), 1)
        assert (found.totals.ordered, found.totals.filled, found.totals.amount, found.totals.costs) == (0, 0, 0, 0)

    def test_a_buy_fills_no_worse_than_its_limit_and_is_paid(self, scene):
        answer = scene.buy(20)
        assert isinstance(answer, Accepted)
        assert answer.placed.day == DAY
        row, totals, book = scene.row(answer), scene.broker.day_orders(DAY).totals, scene.broker.book()
        assert (row.ticker, row.side, row.quantity, row.filled, row.remaining) == (FREE, "buy", 20, 20, 0)
        assert (row.branch, row.origin, row.price) == (answer.placed.branch, "", 10_300)
        assert 20 * 10_000 <= row.amount <= 20 * 10_300
        assert (totals.ordered, totals.filled, totals.amount) == (20, 20, row.amount)
        assert book.held(FREE) == 20
        assert book.cash == CASH - row.amount - totals.costs
        # What was bought is not paid yet: it must never be spent twice.
        assert book.deposit == CASH

    def test_a_sell_of_everything_leaves_no_row(self, scene):
        answer = scene.sell(HOLDS)
        row, totals, book = scene.row(answer), scene.broker.day_orders(DAY).totals, scene.broker.book()
        assert (row.filled, row.remaining) == (HOLDS, 0)
        assert HOLDS * 4_700 <= row.amount <= HOLDS * 5_000
        assert book.positions == ()
        assert book.cash == CASH + row.amount - totals.costs

    def test_an_order_beyond_the_price_rests_and_is_taken_back(self, scene):
        before = scene.broker.orderable(FREE, 9_000)
        answer = scene.buy(20, 9_000)
        resting = scene.row(answer)
        assert (resting.filled, resting.remaining, resting.cancelled) == (0, 20, 0)
        assert scene.broker.orderable(FREE, 9_000).cash <= before.cash - 20 * 9_000
        taken = scene.broker.cancel(answer.placed, FREE)
        assert isinstance(taken, Accepted)
        assert taken.placed.number.lstrip("0") != answer.placed.number.lstrip("0")
        row = scene.row(answer)
        assert (row.filled, row.remaining, row.cancelled) == (0, 0, 20)
        assert scene.row(taken).origin.lstrip("0") == answer.placed.number.lstrip("0")
        assert scene.broker.book().cash == CASH
        assert scene.broker.orderable(FREE, 9_000) == before

    def test_what_is_done_cannot_be_taken_back(self, scene):
        answer = scene.buy(5)
        assert isinstance(scene.broker.cancel(answer.placed, FREE), Refused)
        assert scene.broker.book().held(FREE) == 5
        resting = scene.buy(5, 9_000)
        assert isinstance(scene.broker.cancel(resting.placed, FREE), Accepted)
        assert isinstance(scene.broker.cancel(resting.placed, FREE), Refused)

    def test_a_resting_sell_has_a_claim_on_its_shares(self, scene):
        answer = scene.sell(20, 6_000)
        book = scene.broker.book()
        assert (book.held(HELD), book.sellable(HELD)) == (HOLDS, HOLDS - 20)
        assert isinstance(scene.sell(11), Refused)
        scene.broker.cancel(answer.placed, HELD)
        assert scene.broker.book().sellable(HELD) == HOLDS

    @pytest.mark.parametrize(
        ("ticker", "side", "quantity", "price"),
        [
            (HELD, "sell", HOLDS + 1, 4_700),  # more than is held
            (FREE, "sell", 1, 9_700),  # nothing is held
            (FREE, "buy", 101, 10_000),  # more than the cash
            (FREE, "buy", 1, 13_010),  # above the day's limit
            (HELD, "sell", 1, 3_490),  # below it
            (FREE, "buy", 1, 10_005),  # on no tick
            (UNKNOWN, "buy", 1, 1_000),  # no such name
        ],
    )
    def test_what_the_exchange_would_not_take_is_refused_and_leaves_no_trace(
        self, scene, ticker, side, quantity, price
    ):
        answer = scene.broker.submit(NewOrder(ticker, side, quantity, price))
        assert isinstance(answer, Refused)
        assert answer.code
        assert answer.why
        assert scene.rows() == ()
        assert scene.broker.book().cash == CASH

    def test_two_equal_orders_are_two_orders(self, scene):
        first, second = scene.buy(3), scene.buy(3)
        assert first.placed.number.lstrip("0") != second.placed.number.lstrip("0")
        assert [row.quantity for row in scene.rows()] == [3, 3]
        assert scene.broker.book().held(FREE) == 6

    def test_each_row_adds_up_and_the_day_is_its_own(self, scene):
        scene.buy(4)
        scene.buy(5, 9_000)
        resting = scene.sell(6, 6_000)
        scene.broker.cancel(resting.placed, HELD)
        for row in scene.rows():
            if not row.origin:
                assert row.quantity == row.filled + row.remaining + row.cancelled + row.rejected
        assert scene.broker.day_orders(EARLIER).rows == ()

    def test_the_account_is_the_same_after_a_restart(self, scene):
        scene.buy(4)
        resting = scene.buy(5, 9_000)
        before, rows = scene.broker.book(), scene.rows()
        scene.broker = scene.again()
        assert scene.broker.book() == before
        assert scene.rows() == rows
        assert isinstance(scene.broker.cancel(resting.placed, FREE), Accepted)

    def test_a_late_fill_comes_and_is_seen_by_looking(self, make):
        scene = make(late=(FREE,))
        answer = scene.buy(10)
        assert isinstance(answer, Accepted)
        first = scene.row(answer)
        assert (first.filled, first.remaining) == (0, 10)
        scene.arrive()
        seen = [scene.row(answer).filled for _ in range(LOOKS)]
        assert seen[-1] == 10
        assert seen == sorted(seen)
        assert scene.broker.book().held(FREE) == 10

    def test_a_part_is_filled_and_the_rest_is_taken_back(self, make):
        scene = make(part={FREE: 40})
        answer = scene.buy(60)
        scene.arrive()
        row = [scene.row(answer) for _ in range(LOOKS)][-1]
        assert (row.filled, row.remaining) == (40, 20)
        assert isinstance(scene.broker.cancel(answer.placed, FREE), Accepted)
        row, totals, book = scene.row(answer), scene.broker.day_orders(DAY).totals, scene.broker.book()
        assert (row.filled, row.remaining, row.cancelled) == (40, 0, 20)
        assert book.held(FREE) == 40
        assert book.cash == CASH - row.amount - totals.costs

    def test_an_account_that_cannot_be_read_is_not_an_empty_one(self, make):
        scene = make(broken=True)
        with pytest.raises(Unreadable):
            scene.broker.book()

    def test_nothing_is_taken_after_the_close(self, scene):
        scene.close()
        assert isinstance(scene.buy(1), Refused)
        assert scene.rows() == ()
