"""Our count against an account at KIS, on the practice server of this machine: pages, other people's orders, faults."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from quantassay.brokers.kis import KisBroker
from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.book import NewOrder
from quantassay.jobs import reconcile
from quantassay.kis import rehearsal
from quantassay.kis.client import Client
from quantassay.kis.connection import Connection
from quantassay.sandbox.exchange import Wish
from quantassay.sandbox.faults import ALWAYS, Fault
from quantassay.sandbox.gateway import NO_LIMITS
from quantassay.sandbox.serve import serve
from quantassay.store.journal import Journal
from tests.fakes.practice import at, practice_exchange
from tests.fakes.trading import FakeClock

LIMITS = reconcile.Limits(ZoneInfo("Asia/Seoul"), timedelta(seconds=60), 3, timedelta(seconds=600))
NAMES = [f"{990010 + 10 * i}" for i in range(51)]
PRICES = dict.fromkeys(NAMES, 1000)


@pytest.fixture(scope="module")
def server():
    with serve(practice_exchange(FakeClock(at("10:00")), PRICES), limits=NO_LIMITS) as running:
        yield running


@pytest.fixture
def account(server, tmp_path):
    """`account(count, *faults)`: an account with so many holdings of ten shares, its ground and its broker."""
    opened = []

    def begun(count, *faults):
        clock = FakeClock(at("10:00"))
        held = dict.fromkeys(NAMES[:count], (10, 1000))
        server.reset(practice_exchange(clock, PRICES, holdings=held), faults)
        connection = Connection(
            "rehearsal", server.url, rehearsal.APP_KEY, rehearsal.APP_SECRET, rehearsal.ACCOUNT, tmp_path,
            pace_s=0, connect_timeout_s=2, read_timeout_s=5,
        )  # fmt: skip
        opened.extend([client := Client(connection, clock), journal := Journal(tmp_path / "journal.sqlite3")])
        return reconcile.Ground("rehearsal", journal, clock, LIMITS), KisBroker(client, book_age_s=300)

    yield begun
    for one in opened:
        one.close()


def kinds(outcome):
    return {one.ticker: one.kind.value for one in outcome.names}


@pytest.mark.parametrize("count", [0, 19, 20, 21, 50, 51])
def test_every_page_of_the_holdings_counts(account, count):
    ground, broker = account(count)
    assert reconcile.reconcile(ground, broker).first
    found = reconcile.reconcile(ground, broker)
    assert kinds(found) == dict.fromkeys(NAMES[:count], "agree")
    assert found.book.pages == max(1, -(-count // 20))


@pytest.mark.parametrize("do", ["page_2_fails", "repeated_page", "duplicate_row"])
def test_half_a_book_is_no_book(account, server, do):
    ground, broker = account(21)
    reconcile.reconcile(ground, broker)
    before = ground.journal.head()
    server.reset(server.exchange, [Fault("balance", do, ALWAYS)])
    with pytest.raises(Unreadable):
        reconcile.reconcile(ground, broker)
    assert ground.journal.head() == before
    assert ground.journal.desk().breaks == {}


def test_an_order_placed_by_hand_is_recognised_and_a_name_that_was_sold_leaves_no_break(account, server):
    ground, broker = account(3)
    reconcile.reconcile(ground, broker)
    ground.clock.advance(60)
    for ticker, side, quantity in ((NAMES[0], "sell", 10), (NAMES[1], "sell", 4), (NAMES[5], "buy", 7)):
        server.exchange.submit(rehearsal.ACCOUNT, Wish(ticker, side, quantity, 1000))
    found = reconcile.reconcile(ground, broker)
    assert kinds(found) == dict.fromkeys([NAMES[0], NAMES[1], NAMES[5]], "external") | {NAMES[2]: "agree"}
    assert sorted((one.side, one.quantity) for one in found.externals) == [("buy", 7), ("sell", 4), ("sell", 10)]
    after = reconcile.reconcile(ground, broker)
    assert kinds(after) == dict.fromkeys([NAMES[1], NAMES[2], NAMES[5]], "agree"), "a row of zero shares says nothing"


def test_without_its_rows_the_same_is_a_break(account, server):
    ground, broker = account(3)
    reconcile.reconcile(ground, broker)
    server.reset(server.exchange, [Fault("day_orders", "empty_fills", ALWAYS)])
    server.exchange.submit(rehearsal.ACCOUNT, Wish(NAMES[0], "sell", 10, 1000))
    assert set(reconcile.reconcile(ground, broker).breaks) == {NAMES[0]}


def test_an_order_that_the_journal_does_not_know_is_somebody_else_s_whoever_sent_it(account):
    ground, broker = account(3)
    reconcile.reconcile(ground, broker)
    broker.submit(NewOrder(NAMES[0], "buy", 5, 1000))
    assert kinds(reconcile.reconcile(ground, broker))[NAMES[0]] == "external"
