"""The executor on the practice server of this machine: more orders than fit on a page, and all of the allowed pace."""

from datetime import timedelta
from decimal import Decimal

import pytest

from quantassay.brokers.kis import KisBroker
from quantassay.kis import rehearsal
from quantassay.kis.client import Client
from quantassay.kis.connection import Connection
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.exchange import Exchange
from quantassay.sandbox.faults import Fault
from quantassay.sandbox.serve import serve
from quantassay.sandbox.tape import Name, quiet_tape
from tests.fakes.execution import CALENDAR, DAY, RULES, Rig, buy, sell

SOLD = [f"99{number:04}" for number in range(100, 121)]
BOUGHT = [f"99{number:04}" for number in range(200, 221)]
PRICE, PACE_S = 10_000, 1.05


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))


@pytest.fixture
def rig(tmp_path):
    """A plan of 21 sells and 21 buys at one a second, on a clock that only goes when somebody waits."""
    orders = [sell(line, ticker, 5, PRICE) for line, ticker in enumerate(SOLD, 1)]
    orders += [buy(line, ticker, 3, PRICE) for line, ticker in enumerate(BOUGHT, 30)]
    rig = Rig(tmp_path, orders)
    names = {Name(ticker, f"Name {ticker}", "kosdaq"): PRICE for ticker in (*SOLD, *BOUGHT)}
    tape = quiet_tape(CALENDAR, RULES, DAY, names, 1_000_000)
    held = Opening(rehearsal.ACCOUNT, 1_000_000, {ticker: (5, Decimal(9_000)) for ticker in SOLD})
    rig.exchange = Exchange(tape, [held], rig.clock)
    return rig


def connected(rig, server):
    connection = Connection(
        "rehearsal",
        server.url,
        rehearsal.APP_KEY,
        rehearsal.APP_SECRET,
        rehearsal.ACCOUNT,
        rig.folder,
        pace_s=PACE_S,
        connect_timeout_s=2,
        read_timeout_s=5,
    )
    client = Client(connection, rig.clock)
    rig.broker = KisBroker(client, book_age_s=300)
    return client


def test_every_order_once_and_at_least_nine_tenths_of_the_pace_and_never_more_than_it(rig):
    with serve(rig.exchange) as server:
        client = connected(rig, server)
        outcome = rig.run()
        again = rig.run(go_on=True)
        client.close()
        asked = server.requests
    assert outcome.ok, [one for one in outcome.told if not one.is_settled]
    assert again.sent == 0
    posts = [one.call for one in asked if one.call in ("buy", "sell")]
    assert (posts.count("sell"), posts.count("buy")) == (21, 21)
    assert posts == sorted(posts, reverse=True)
    assert not [one for one in asked if "EGW" in one.outcome]
    times = [one.at for one in asked if one.call != "token"]
    taken = (times[-1] - times[0]) / timedelta(seconds=1)
    assert 0.9 * taken <= len(times) - 1 <= taken


def test_orders_whose_answers_are_lost_are_found_over_pages_and_sent_once(rig):
    lost = {"reset_after": 3, "http_500_after": 20, "gateway_timeout_after": 40}
    faults = [Fault("order", do, ((nth, nth),)) for do, nth in lost.items()]
    with serve(rig.exchange, faults=faults) as server:
        client = connected(rig, server)
        outcome = rig.run()
        client.close()
        posts = [one.call for one in server.requests if one.call in ("buy", "sell")]
    assert outcome.ok, [one for one in outcome.told if not one.is_settled]
    assert len(posts) == 42
    assert rig.kinds().count("found") == 3
