"""KIS as a broker keeps the contract of all brokers, on the practice server of this machine."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from quantassay.brokers.kis import KisBroker
from quantassay.brokers.port import Unreadable
from quantassay.domain.market.price_rules import price_rules
from quantassay.domain.market.sessions import Calendar
from quantassay.domain.trading.book import NewOrder, NotSent, Placed, Refused, Unknown
from quantassay.kis import rehearsal
from quantassay.kis.client import Client
from quantassay.kis.connection import Connection
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.exchange import Exchange
from quantassay.sandbox.faults import ALWAYS, Fault
from quantassay.sandbox.gateway import NO_LIMITS
from quantassay.sandbox.serve import serve
from quantassay.sandbox.tape import Name, quiet_tape
from tests.brokers.contract import CASH, CLOSED, DAY, FREE, HELD, HOLDS, OPENED, PRICES, BrokerContract, Scene
from tests.fakes.trading import FakeClock

RULES = price_rules(yaml.safe_load((Path(__file__).parents[2] / "spec/19_price_rules.yaml").read_text()))
SESSIONS = tuple(date(2026, 11, day) for day in (16, 17, 18, 19, 20, 23, 24, 25, 26, 27))
CALENDAR = Calendar(
    zone=ZoneInfo("Asia/Seoul"),
    first=SESSIONS[0],
    last=SESSIONS[-1],
    sessions=SESSIONS,
    regular=((SESSIONS[0], time(9), time(15, 30)),),
    special={},
    disputed=frozenset(),
)
NAMES = {Name(ticker, f"Name {ticker}", "kosdaq"): price for ticker, price in PRICES.items()}
BUY = NewOrder(FREE, "buy", 10, 10_300)


def exchange(clock):
    tape = quiet_tape(CALENDAR, RULES, DAY, NAMES, 1_000_000)
    held = Opening(rehearsal.ACCOUNT, CASH, {HELD: (HOLDS, Decimal(4_000))})
    return Exchange(tape, [held], clock)


@pytest.fixture(scope="module")
def server():
    with serve(exchange(FakeClock(OPENED)), limits=NO_LIMITS) as running:
        yield running


@pytest.fixture
def broker(server, tmp_path):
    """Gives `broker(*faults)`: a broker on a fresh exchange where these things go wrong, and its clock."""
    with ExitStack() as opened:

        def begun(*faults, again=None):
            clock = again or FakeClock(OPENED)
            if again is None:
                server.reset(exchange(clock), faults)
            connection = Connection(
                "rehearsal",
                server.url,
                rehearsal.APP_KEY,
                rehearsal.APP_SECRET,
                rehearsal.ACCOUNT,
                tmp_path,
                pace_s=0,
                connect_timeout_s=2,
                read_timeout_s=5,
            )
            client = Client(connection, clock)
            opened.callback(client.close)
            return KisBroker(client, book_age_s=300), clock

        yield begun


class TestKis(BrokerContract):
    @pytest.fixture
    def make(self, broker):
        def made(late=(), part=None, broken=False):
            faults = [Fault("order", "late_fill", ticker=ticker, requests=3) for ticker in late]
            faults += [Fault("order", "partial_fill", ticker=name, shares=n) for name, n in (part or {}).items()]
            if broken:
                faults.append(Fault("balance", "http_500_empty", ALWAYS))
            ours, clock = broker(*faults)
            return Scene(
                ours,
                clock,
                "rehearsal",
                again=lambda: broker(again=clock)[0],
                arrive=lambda: None,
                close=lambda: clock.advance((CLOSED - clock.now()).total_seconds()),
            )

        return made


# (what goes wrong with the order, what the broker answers, how many orders the server has afterwards)
OUTCOMES = [
    ("reset_before", Unknown, 0),
    ("reset_after", Unknown, 1),
    ("http_500_body", Unknown, 0),
    ("http_500_empty", Unknown, 0),
    ("http_500_after", Unknown, 1),
    ("http_500_empty_after", Unknown, 1),
    ("gateway_timeout_before", Unknown, 0),
    ("gateway_timeout_after", Unknown, 1),
    ("broken_body_after", Unknown, 1),
    ("rate_limited", NotSent, 0),
    ("ledger_limited", NotSent, 0),
    ("refused", Refused, 0),
]


@pytest.mark.parametrize(("fault", "answer", "booked"), OUTCOMES)
def test_an_order_is_sent_once_and_its_outcome_is_never_guessed(broker, server, fault, answer, booked):
    ours, clock = broker(Fault("order", fault))
    got = ours.submit(BUY)
    assert isinstance(got, answer)
    assert got.why
    sent = [one for one in server.requests if one.call == "buy"]
    assert len(sent) == 1
    assert len(server.exchange.orders(rehearsal.ACCOUNT)) == booked
    if isinstance(got, NotSent):
        clock.sleep(got.wait_s)
        ours.submit(BUY)
        assert len(server.exchange.orders(rehearsal.ACCOUNT)) == 1


def test_a_token_that_was_taken_back_is_renewed_once_and_the_order_goes_out_once(broker, server):
    ours, clock = broker(Fault("order", "token_revoked"))
    ours.book()
    early = ours.submit(BUY)
    assert isinstance(early, NotSent)  # one token a minute
    clock.sleep(early.wait_s)
    assert ours.submit(BUY).placed.number
    assert len(server.exchange.orders(rehearsal.ACCOUNT)) == 1


def test_a_connection_that_is_no_longer_the_one_it_began_as_sends_nothing(broker, server):
    ours, _ = broker()
    ours._client.certificate = replace(ours.certificate, host="127.0.0.1:1")
    answers = (ours.submit(BUY), ours.cancel(Placed("12873", "00950", DAY), FREE))
    assert [type(one) for one in answers] == [NotSent, NotSent]
    assert "its certificate is not the one it began with" in answers[0].why
    assert [one for one in server.requests if one.call in ("buy", "cancel")] == []


def test_a_server_that_is_not_there_takes_no_order_and_has_no_account(tmp_path):
    clock = FakeClock(OPENED)
    keys = (rehearsal.APP_KEY, rehearsal.APP_SECRET, rehearsal.ACCOUNT)
    waits = {"pace_s": 0, "connect_timeout_s": 1, "read_timeout_s": 1}
    client = Client(Connection("rehearsal", "http://127.0.0.1:9", *keys, tmp_path, **waits), clock)
    ours = KisBroker(client, book_age_s=300)
    answer = ours.submit(BUY)
    assert isinstance(answer, NotSent)
    with pytest.raises(Unreadable):
        ours.book()
    assert ours.market_state(FREE, DAY).open is None
    assert rehearsal.APP_SECRET not in f"{ours!r} {answer!r}"
    client.close()


@pytest.mark.parametrize("held", [0, 1, 19, 20, 21, 40, 41])
def test_every_page_of_the_holdings_is_read_or_none(broker, server, held):
    names = {Name(f"99{n:04}", f"Name {n}", "kosdaq"): 1_000 for n in range(held)}
    lots = {one.ticker: (n + 1, Decimal(900)) for n, one in enumerate(names)}
    ours, clock = broker()
    tape = quiet_tape(CALENDAR, RULES, DAY, names, 1_000_000)
    accounts = [Opening(rehearsal.ACCOUNT, CASH, lots)]
    server.reset(Exchange(tape, accounts, clock))
    book = ours.book()
    assert {one.ticker: one.quantity for one in book.positions} == {ticker: lot[0] for ticker, lot in lots.items()}
    assert book.pages == max(1, -(-held // 20))
    server.reset(Exchange(tape, accounts, clock), [Fault("balance", "page_2_fails", ALWAYS)])
    if held > 20:
        with pytest.raises(Unreadable):
            ours.book()


def test_an_order_book_that_lies_still_is_no_sign_and_one_of_another_day_is_closed(broker, server):
    ours, clock = broker()
    late = FakeClock(OPENED)
    server.exchange.clock = late
    late.advance(-600)
    assert ours.market_state(FREE, DAY).open is None
    late.advance(7 * 3600)
    assert ours.market_state(FREE, DAY).open is False
    assert "in Korea it is 2026-11-20" in ours.market_state(FREE, date(2026, 11, 19)).why
    assert isinstance(clock.now(), datetime)
