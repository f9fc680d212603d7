"""KIS clients that nobody here wrote, unmodified but for the address, drive the practice server."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import kis_trader
import pykis
import pykis.kis
import pytest
from kis_trader._internal import _endpoints

from quantassay.domain.market.sessions import Calendar
from quantassay.jobs.clock import SystemClock
from quantassay.kis.rehearsal import ACCOUNT, APP_KEY, APP_SECRET
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.exchange import Exchange
from quantassay.sandbox.gateway import NO_LIMITS, REAL_KEY, REAL_SECRET
from quantassay.sandbox.serve import serve
from quantassay.sandbox.tape import Name, quiet_tape
from tests.fakes.practice import COSTS, rules
from tests.fakes.trading import FakeClock

SEOUL = ZoneInfo("Asia/Seoul")
NAMES = {Name(f"99{n:04d}", f"Name {n}", "kosdaq"): 10_000 for n in range(30)}


def today():
    """These clients look at their own clock, so that the practice market trades on whatever day it is."""
    return datetime.now(SEOUL).date()


@pytest.fixture
def market():
    day = today()
    days = tuple(day + timedelta(days=n) for n in range(-10, 11))
    hours = ((days[0], time(9), time(15, 30)),)
    calendar = Calendar(SEOUL, days[0], days[-1], days, hours, {}, frozenset())
    held = {name.ticker: (10, Decimal(9_000)) for name in list(NAMES)[:25]}
    tape = quiet_tape(calendar, rules(), day, NAMES, 1_000_000)
    clock = FakeClock(datetime.combine(day, time(10), tzinfo=SEOUL))
    exchange = Exchange(tape, [Opening(ACCOUNT, 100_000_000, held)], clock, costs=COSTS)
    with serve(exchange, limits=NO_LIMITS, wall=SystemClock()) as server:
        yield server


def check_books(market):
    """Three bought, four sold, one taken back: the same for every client."""
    market.exchange.clock.instant += timedelta(seconds=1)
    positions = market.exchange.positions(ACCOUNT)
    assert (positions["990001"], positions["990002"], positions["990003"]) == (13, 6, 10)
    orders = market.exchange.orders(ACCOUNT)
    assert [(one.side, one.filled, one.cancelled, one.change) for one in orders] == [
        ("buy", 3, 0, ""),
        ("sell", 4, 0, ""),
        ("buy", 0, 5, ""),
        ("buy", 0, 0, "cancel"),
    ]
    failed = [one for one in market.requests if one.outcome.split()[0] != "200"]
    assert failed == []


def test_python_kis_trades_on_it(market, monkeypatch):
    monkeypatch.setattr(pykis.kis, "REAL_DOMAIN", market.url)
    monkeypatch.setattr(pykis.kis, "VIRTUAL_DOMAIN", market.url)
    monkeypatch.setattr(pykis.kis, "VIRTUAL_API_REQUEST_PER_SECOND", 100)
    told = {"id": "practice", "account": ACCOUNT}
    real = pykis.KisAuth(**told, appkey=REAL_KEY, secretkey=REAL_SECRET, virtual=False)
    virtual = pykis.KisAuth(**told, appkey=APP_KEY, secretkey=APP_SECRET, virtual=True)
    kis = pykis.PyKis(real, virtual, keep_token=False, use_websocket=False)
    stock, account = kis.stock("990001"), kis.account()
    assert (stock.name, stock.quote().price, stock.quote().high_limit) == ("Name 1", 10_000, 13_000)
    book = stock.orderbook()
    assert (book.ask_price.price, book.bid_price.price, len(book.asks)) == (10_010, 10_000, 10)
    balance = account.balance(country="KR")
    assert len(balance.stocks) == 25
    assert (balance.stocks[24].symbol, balance.stocks[24].qty) == ("990024", 10)
    assert account.orderable_amount("KRX", "990001", price=10_000).qty == 9_998
    account.buy("KRX", "990001", price=10_000, qty=3)
    account.sell("KRX", "990002", price=10_000, qty=4)
    resting = account.buy("KRX", "990003", price=9_000, qty=5)
    account.cancel(resting)
    listed = account.daily_orders(today(), country="KR").orders
    told = [(one.symbol, one.type, one.qty, one.executed_qty) for one in listed if one.price]
    assert told == [("990002", "sell", 4, 4), ("990001", "buy", 3, 3)]
    assert [bar.close for bar in stock.chart("30d").bars] == [10_000, 10_000]
    check_books(market)
    kis.close()


def test_kis_trader_trades_on_it(market, monkeypatch, tmp_path):
    monkeypatch.setitem(_endpoints._BASE_URL_BY_ENVIRONMENT, "paper", market.url)
    told = {"account": ACCOUNT, "environment": "paper", "token_cache_dir": tmp_path, "throttle": False}
    with kis_trader.KISClient(app_key=APP_KEY, app_secret=APP_SECRET, **told) as kis:
        stock, account = kis.domestic.stock("990001"), kis.account.domestic
        assert stock.quote().current_price == 10_000
        book = stock.order_book()
        assert (book.asks[0].price, book.bids[0].price, len(book.bids)) == (10_010, 10_000, 10)
        bars = stock.bars("1d", start=today() - timedelta(days=30), end=today())
        assert [bar.close for bar in bars] == [10_000, 10_000]
        assert len(account.positions()) == 25
        assert account.balance().settlement_cash_d2 == 100_000_000
        assert stock.buyable(limit_price=10_000).cash_buyable_quantity == 9_998
        stock.buy(quantity=3, limit_price=10_000, client_order_id="first")
        kis.domestic.stock("990002").sell(quantity=4, limit_price=10_000)
        kis.domestic.stock("990003").buy(quantity=5, limit_price=9_000, client_order_id="third")
        report = kis.orders.reconcile("first", refresh=True)
        assert (report.filled_quantity, report.average_price) == (3, 10_000)
        kis.orders.cancel("third")
        day = f"{today():%Y%m%d}"
        history = account.order_history(start=day, end=day)
        assert history.total_filled_quantity == 7
        with pytest.raises(kis_trader.errors.OrderRejectedError, match="주문가능금액"):
            stock.buy(quantity=100_000, limit_price=10_000)
    check_books(market)
