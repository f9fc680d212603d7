"""The broker in memory, which other tests trade with, keeps the contract of all brokers and does as scripted."""

from datetime import timedelta

import pytest

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.book import Accepted, NewOrder, Refused, Unknown
from tests.brokers.contract import CASH, DAY, FREE, HELD, HOLDS, OPENED, PRICES, BrokerContract, Scene
from tests.fakes.trading import FakeClock, MemoryBroker

BUY = NewOrder(FREE, "buy", 10, 10_300)


def memory(**more):
    return MemoryBroker(FakeClock(OPENED), cash=CASH, prices=PRICES, held={HELD: HOLDS}, fee_bps=15, **more)


class TestMemory(BrokerContract):
    @pytest.fixture
    def make(self):
        def made(late=(), part=None, broken=False):
            broker = memory()
            for ticker in late:
                broker.fills(ticker, 0, 0, 10)
            for ticker, shares in (part or {}).items():
                broker.fills(ticker, shares)
            if broken:
                broker.fail("book")
            return Scene(
                broker,
                broker.clock,
                "rehearsal",
                again=lambda: broker,
                arrive=lambda: None,
                close=lambda: setattr(broker, "open", False),
            )

        return made


def test_an_unknown_answer_hides_an_order_that_shows_later():
    broker = memory()
    broker.say("submit", Unknown("no answer"), taken=True, shown_after=2)
    assert isinstance(broker.submit(BUY), Unknown)
    seen = [(len(found.rows), found.totals.ordered) for found in (broker.day_orders(DAY) for _ in range(4))]
    assert seen == [(0, 0), (0, 0), (1, 10), (1, 10)]
    assert broker.book().held(FREE) == 10


def test_an_unknown_answer_can_also_mean_that_nothing_was_taken():
    broker = memory()
    broker.say("submit", Unknown("no answer"))
    assert isinstance(broker.submit(BUY), Unknown)
    assert broker.day_orders(DAY).rows == ()


def test_rows_can_be_missing_while_the_totals_are_right_and_holdings_lag():
    broker = memory(hide_rows=True, lag=1)
    broker.submit(BUY)
    found = broker.day_orders(DAY)
    assert (found.rows, found.totals.filled) == ((), 10)
    assert [broker.book().held(FREE) for _ in range(2)] == [0, 10]


def test_an_accepted_order_can_be_rejected_by_the_exchange():
    broker = memory()
    broker.reject_later(FREE)
    assert isinstance(broker.submit(BUY), Accepted)
    (row,) = broker.day_orders(DAY).rows
    assert (row.rejected, row.remaining) == (10, 0)


def test_readings_fail_as_often_as_they_are_told_to_and_calls_are_counted():
    broker = memory()
    broker.fail("book", times=2)
    for _ in range(2):
        with pytest.raises(Unreadable):
            broker.book()
    assert broker.book().cash == CASH
    assert [name for name, _ in broker.calls] == ["book"] * 3


def test_somebody_elses_trade_has_a_number_of_its_own():
    broker = memory()
    broker.external(HELD, "sell", 5, 5_000)
    assert broker.book().held(HELD) == HOLDS - 5
    assert [row.ticker for row in broker.day_orders(DAY).rows] == [HELD]


def test_a_watcher_may_crash_the_program_before_and_after_a_call():
    broker = memory()

    def watch(moment, name):
        if (moment, name) == ("after", "submit"):
            raise KeyboardInterrupt

    broker.watch = watch
    with pytest.raises(KeyboardInterrupt):
        broker.submit(BUY)
    assert [one.filled for one in broker.orders()] == [10]


def test_a_halted_name_is_refused():
    broker = memory(halted={FREE})
    assert broker.quote(FREE).halted
    assert isinstance(broker.submit(BUY), Refused)


def test_the_clock_goes_only_when_it_is_told_to_and_does_what_is_due():
    clock, done = FakeClock(OPENED), []
    clock.at(OPENED + timedelta(seconds=5), lambda: done.append(clock.now()))
    clock.sleep(3)
    assert done == []
    clock.sleep(3)
    clock.sleep(0)
    assert (done, clock.slept, clock.now()) == ([OPENED + timedelta(seconds=5)], [3, 3], OPENED + timedelta(seconds=6))
