"""The paper broker keeps the contract of all brokers, forgets nothing, and lets nothing happen before its time."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from quantassay.brokers.paper import PaperBroker
from quantassay.brokers.port import Unreadable
from quantassay.domain.market.price_rules import price_rules
from quantassay.domain.market.sessions import Hours
from quantassay.domain.planning.costs import Costs
from quantassay.domain.trading.book import Accepted, Certificate, NewOrder, NotSent, Refused
from quantassay.domain.trading.paper_account import Holding, PaperAccount
from quantassay.domain.trading.paper_fills import Opening, Terms
from quantassay.store.paper_book import PaperBook
from tests.brokers.contract import CASH, CLOSED, DAY, EARLIER, FREE, HELD, HOLDS, OPENED, PRICES, BrokerContract, Scene
from tests.fakes.trading import FakeClock

SPEC = Path(__file__).parents[2] / "spec"
RULES = price_rules(yaml.safe_load((SPEC / "19_price_rules.yaml").read_text()))
SEOUL = ZoneInfo("Asia/Seoul")
CERTIFICATE = Certificate("paper", "paper", "", "cccccccccccc", "")
NEXT = DAY + timedelta(days=3)


@dataclass
class Bars:
    """A market of flat bars: `prices` at which names open, `unknown` ones whose session has no price yet."""

    prices: dict = field(default_factory=lambda: dict(PRICES))
    unknown: set = field(default_factory=set)
    volumes: dict = field(default_factory=dict)
    fault: Exception | None = None

    def opening(self, ticker, day):
        if self.fault:
            raise self.fault
        if ticker in self.unknown or ticker not in self.prices:
            return None
        price = self.prices[ticker]
        return Opening(ticker, day, price, price, price, self.volumes.get(ticker, 1_000_000), price)

    def base(self, ticker, day):
        return self.prices.get(ticker) if day >= EARLIER else None

    def name(self, ticker):
        return f"Name {ticker}"

    def hours(self, day):
        if day.weekday() > 4:
            return None
        opens, closes = time(9), time(15, 30)
        return Hours(datetime.combine(day, opens, SEOUL), datetime.combine(day, closes, SEOUL))

    def today(self, at):
        return at.astimezone(SEOUL).date()

    def is_settled(self, traded, day):
        return (day - traded).days >= 2

    def terms(self, day):
        return Terms(RULES, "kosdaq", day, Costs("15", "10", "20"), Fraction("0.05"))


def paper(tmp_path, bars=None, clock=None):
    opening = PaperAccount(CASH, {HELD: Holding(HOLDS, 4_000)})
    kept = PaperBook(tmp_path / "paper.sqlite3")
    return PaperBroker(CERTIFICATE, "desk", opening, kept, bars or Bars(), clock or FakeClock(OPENED))


class TestPaper(BrokerContract):
    @pytest.fixture
    def make(self, tmp_path):
        def made(late=(), part=None, broken=False):
            bars, clock = Bars(unknown=set(late)), FakeClock(OPENED)
            bars.volumes = {ticker: shares * 20 for ticker, shares in (part or {}).items()}
            if broken:
                (tmp_path / "paper.sqlite3").write_bytes(b"no database at all, but a text")
            return Scene(
                paper(tmp_path, bars, clock),
                clock,
                "paper",
                again=lambda: paper(tmp_path, bars, clock),
                arrive=bars.unknown.clear,
                close=lambda: clock.advance((CLOSED - clock.now()).total_seconds()),
            )

        return made


def test_no_price_of_a_session_is_told_before_it_opens(tmp_path):
    early = FakeClock(datetime.combine(DAY, time(8, 59, 59), SEOUL))
    broker = paper(tmp_path, clock=early)
    with pytest.raises(Unreadable, match="no price of 2026-11-20 is known"):
        broker.quote(FREE)
    assert broker.submit(NewOrder(FREE, "buy", 1, 10_000)).code == "paper_before_open"
    early.advance(1)
    assert broker.quote(FREE).last == 10_000
    assert isinstance(broker.submit(NewOrder(FREE, "buy", 1, 10_000)), Accepted)


def test_no_order_is_taken_on_a_day_without_a_session(tmp_path):
    saturday = FakeClock(OPENED + timedelta(days=1))
    broker = paper(tmp_path, clock=saturday)
    assert broker.market_state(FREE, saturday.now().date()).open is False
    assert broker.submit(NewOrder(FREE, "buy", 1, 10_000)).code == "paper_no_session"


def test_what_is_not_filled_by_the_close_lapses(tmp_path):
    clock = FakeClock(OPENED)
    broker = paper(tmp_path, clock=clock)
    broker.submit(NewOrder(FREE, "buy", 10, 9_000))
    clock.advance(7 * 3600)
    (row,) = broker.day_orders(DAY).rows
    assert (row.filled, row.remaining, row.cancelled) == (0, 0, 10)
    assert broker.orderable(FREE, 9_000).cash == CASH


def test_an_order_whose_session_gets_its_price_only_in_the_evening_fills_as_at_the_open(tmp_path):
    bars, clock = Bars(unknown={FREE}), FakeClock(OPENED)
    broker = paper(tmp_path, bars, clock)
    broker.submit(NewOrder(FREE, "buy", 10, 10_300))
    clock.advance(7 * 3600)
    assert broker.day_orders(DAY).rows[0].remaining == 10
    bars.unknown.clear()
    assert broker.day_orders(DAY).rows[0].filled == 10


def test_an_order_whose_session_never_gets_a_price_lapses_with_the_next_day(tmp_path):
    bars, clock = Bars(unknown={FREE}), FakeClock(OPENED)
    broker = paper(tmp_path, bars, clock)
    broker.submit(NewOrder(FREE, "buy", 10, 10_300))
    clock.advance(24 * 3600)
    assert broker.day_orders(DAY).rows[0].cancelled == 10


def test_what_was_filled_stays_whatever_the_bars_say_later(tmp_path):
    bars, clock = Bars(), FakeClock(OPENED)
    broker = paper(tmp_path, bars, clock)
    broker.submit(NewOrder(FREE, "buy", 10, 10_300))
    before = broker.day_orders(DAY)
    bars.prices = {FREE: 12_000, HELD: 5_000}
    assert paper(tmp_path, bars, clock).day_orders(DAY) == before
    assert paper(tmp_path, bars, clock).book().equity > CASH


def test_two_accounts_on_the_same_orders_are_the_same_to_the_last_won(tmp_path):
    books = []
    for name in ("one", "two"):
        broker = paper(tmp_path / name)
        for order in (
            NewOrder(HELD, "sell", 13, 4_700),
            NewOrder(FREE, "buy", 7, 10_300),
            NewOrder(FREE, "buy", 2, 9_000),
        ):
            broker.submit(order)
        books.append((broker.book(), broker.day_orders(DAY)))
    assert books[0] == books[1]


def test_an_account_begins_with_its_first_order_and_then_keeps_what_it_began_with(tmp_path):
    broker = paper(tmp_path)
    broker.book()
    assert isinstance(broker.submit(NewOrder(FREE, "buy", 1, 13_010)), Refused)
    other = replace(broker, opening=PaperAccount(500_000, {}))
    assert (other.book().cash, other.book().positions) == (500_000, ())
    broker.submit(NewOrder(FREE, "buy", 1, 10_300))
    assert other.book() == broker.book()


def test_the_money_of_a_trade_moves_when_it_is_settled(tmp_path):
    clock = FakeClock(OPENED)
    broker = paper(tmp_path, clock=clock)
    broker.submit(NewOrder(FREE, "buy", 10, 10_300))
    book = broker.book()
    assert book.deposit == CASH > book.cash
    clock.advance(3 * 24 * 3600)
    assert broker.book().deposit == broker.book().cash == book.cash


def test_the_volume_is_shared_by_all_orders_of_the_session(tmp_path):
    bars = Bars(volumes={FREE: 1_000})
    broker = paper(tmp_path, bars)
    for quantity in (30, 30, 30):
        broker.submit(NewOrder(FREE, "buy", quantity, 10_300))
    assert [row.filled for row in broker.day_orders(DAY).rows] == [30, 20, 0]


def test_an_order_that_got_a_part_at_the_open_gets_no_more_of_that_session(tmp_path):
    bars = Bars(volumes={FREE: 800})
    broker = paper(tmp_path, bars)
    broker.submit(NewOrder(FREE, "buy", 60, 10_300))
    bars.volumes[FREE] = 1_000_000
    broker.submit(NewOrder(FREE, "buy", 5, 10_300))
    assert [(row.filled, row.remaining) for row in broker.day_orders(DAY).rows] == [(40, 20), (5, 0)]


def test_a_halted_name_is_quoted_as_halted_and_refused(tmp_path):
    broker = paper(tmp_path, Bars(volumes={FREE: 0}))
    assert broker.quote(FREE).halted
    assert broker.submit(NewOrder(FREE, "buy", 1, 10_000)).code == "paper_halted"


def test_a_holding_without_bars_makes_the_account_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="the price of 990020"):
        paper(tmp_path, Bars(prices={FREE: 10_000})).book()


def test_an_order_that_the_desk_cannot_judge_was_certainly_not_sent(tmp_path):
    bars = Bars()
    broker = paper(tmp_path, bars)
    broker.book()
    bars.fault = Unreadable("bars", "the file is damaged")
    answer = broker.submit(NewOrder(FREE, "buy", 1, 10_000))
    assert isinstance(answer, NotSent)
    assert "damaged" in answer.why
    bars.fault = None
    assert broker.day_orders(DAY).rows == ()


def test_an_order_of_another_day_or_name_is_not_taken_back(tmp_path):
    clock = FakeClock(OPENED)
    broker = paper(tmp_path, clock=clock)
    placed = broker.submit(NewOrder(FREE, "buy", 10, 9_000)).placed
    assert broker.cancel(placed, HELD).code == "paper_unknown"
    wrong = type(placed)(placed.number, placed.branch, EARLIER)
    assert broker.cancel(wrong, FREE).code == "paper_unknown"
    assert isinstance(broker.cancel(type(placed)("no number", "", date(2026, 11, 20)), FREE), Refused)
    assert broker.day_orders(DAY).rows[0].remaining == 10
