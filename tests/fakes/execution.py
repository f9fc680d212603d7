"""A plan, a desk and a session around an in-memory broker: all that the executor needs, in one call.

rig = Rig(tmp_path, [buy(1, "990010", 10, 1000)], cash=1_000_000, prices={"990010": 990})
outcome = rig.run()                  # one process, from its lease to its end
rig.broker.say("submit", ...)        # what the broker does wrong
"""

from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from quantassay.domain.market.price_rules import PriceRules
from quantassay.domain.market.sessions import Calendar
from quantassay.domain.trading.evidence import Window
from quantassay.domain.trading.terms import Limits, Terms
from quantassay.jobs import execution, lease, reconcile
from quantassay.jobs.readings import Readings
from quantassay.jobs.trading_desk import Desk, Market, Work
from quantassay.store.journal import Journal
from tests.fakes.trading import FakeClock, MemoryBroker

SEOUL = ZoneInfo("Asia/Seoul")
DAY = date(2026, 11, 19)
OPEN = datetime(2026, 11, 19, 9, 1, tzinfo=SEOUL)
CALENDAR = Calendar(
    zone=SEOUL,
    first=date(2026, 11, 1),
    last=date(2026, 11, 30),
    sessions=tuple(date(2026, 11, day) for day in (16, 17, 18, 19, 20, 23)),
    regular=((date(2020, 1, 1), time(9), time(15, 30)),),
    special={},
    disputed=frozenset(),
)
TICKS = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500), (None, 1_000))
RULES = PriceRules({"kosdaq": ("t", "l")}, {"t": ((date(2023, 1, 25), TICKS),)}, {"l": ((date(2015, 6, 15), 30),)})
TERMS = Terms(
    limits=Limits(
        largest_order=20_000_000,
        largest_share=Fraction(1, 2),
        largest_day_turnover=Fraction(2),
        most_day_orders=60,
        collar={"buy": Fraction("0.05"), "sell": Fraction("0.15")},
    ),
    fills={"buy": timedelta(seconds=120), "sell": timedelta(seconds=120)},
    confirm=timedelta(seconds=90),
    poll=timedelta(seconds=1),
    answer=timedelta(seconds=30),
    begin_after_open=timedelta(),
    send_again=2,
    cancel_again=3,
    looking=Window(),
)
RECONCILING = reconcile.Limits(SEOUL, timedelta(seconds=60), 10, timedelta(seconds=600))


def row(line, ticker, side, quantity, price, **more):
    """An order of a plan, as its artifact has it."""
    bounds = {"limit_low": price * 7 // 10, "limit_high": price * 13 // 10, "open_low": None, "open_high": None}
    said = {"line": line, "ticker": ticker, "name": f"Name {ticker}", "side": side, "quantity": quantity}
    return {**said, "limit_price": price, "reference_close": price, **bounds, **more}


def buy(line, ticker, quantity, price, **more):
    return row(line, ticker, "buy", quantity, price, **more)


def sell(line, ticker, quantity, price, **more):
    return row(line, ticker, "sell", quantity, price, **more)


class Killed(RuntimeError):
    """The process is gone."""


# Two sells and two buys, and what is held of the names that are sold.
PLAN = (
    sell(1, "990020", 30, 2_000),
    sell(2, "990030", 5, 10_000),
    buy(3, "990010", 10, 1_000),
    buy(4, "990040", 3, 500),
)
HELD = {"990020": 30, "990030": 5}
ALL = sorted((one["ticker"], one["side"], one["quantity"]) for one in PLAN)


def states(outcome):
    """How each line of the plan stands, by its number."""
    return {one.line.wish.line: one.state for one in outcome.told}


def placed(rig):
    """What the broker was sent, in the form of ALL."""
    return sorted((one.ticker, one.side, one.quantity) for one in rig.broker.orders())


class Rig:
    """One account, one plan, one journal on disk, and as many processes, one after the other, as a test wants."""

    def __init__(self, folder, orders, *, terms=TERMS, start=OPEN, plan="sha256:" + "a" * 64, **broker):
        self.folder, self.terms, self.plan, self.calendar = folder, terms, plan, CALENDAR
        prices = {one["ticker"]: one["limit_price"] for one in orders}
        self.clock = FakeClock(start)
        self.broker = MemoryBroker(self.clock, **{"cash": 100_000_000, "prices": prices, **broker})
        self.data = {
            "plan_id": "XKRX-2026-11-19-desk-hsms2",
            "account": {"id": "desk", "environment": "rehearsal", "currency": "KRW", "as_of": start.isoformat()},
            "market": "XKRX",
            "execution_session": DAY.isoformat(),
            "costs": {"fee_bps": "14.7", "slippage_bps": "10", "sell_tax_bps": "20"},
            "orders": orders,
            "budget": {"cash_buffer": 0},
        }
        self.append("armed", "desk", by="Kim Mina", why="the rig is for sending")

    def journal(self):
        return Journal(self.folder / "journal.sqlite3")

    def desk(self, journal):
        market = Market(self.calendar, RULES, "kosdaq")
        return Desk(Readings(self.broker), journal, self.clock, self.terms, market, RECONCILING)

    def work(self, **more):
        return Work("desk", self.plan, "sha256:" + "b" * 64, self.data, **more)

    def run(self, journal=None, **more):
        """What one process makes of the plan; `journal` may be one that breaks."""
        with journal or self.journal() as kept:
            desk = self.desk(kept)
            with lease.held("desk", self.broker.certificate, kept, self.clock) as fence:
                return execution.execute(self.work(**more), desk, fence)

    def rehearse(self, **more):
        with self.journal() as journal:
            return execution.rehearse(self.work(**more), self.desk(journal))

    def append(self, kind, account="", **body):
        with self.journal() as journal:
            journal.append(self.clock.now(), kind, account=account, body=body)

    def events(self):
        with self.journal() as journal:
            return journal.events()

    def kinds(self):
        """The events' kinds in order, without leases, books and the arming at the beginning."""
        return [one.kind for one in self.events() if one.kind not in ("lease", "book", "armed")]

    def orders(self):
        with self.journal() as journal:
            return journal.orders("desk")
