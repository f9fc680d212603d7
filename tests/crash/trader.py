"""One process that carries a plan out against the practice server, and may be killed at any step of it."""

import os
import signal
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from quantassay.brokers.kis import KisBroker
from quantassay.errors import AssayError
from quantassay.jobs import execution, lease
from quantassay.jobs.readings import Readings
from quantassay.jobs.trading_desk import Desk, Market, Work
from quantassay.kis import rehearsal
from quantassay.kis.client import Client
from quantassay.kis.connection import Connection
from quantassay.store.journal import Journal
from tests.fakes.execution import RECONCILING, TERMS, buy, sell
from tests.fakes.practice import DAY, at, calendar, rules
from tests.fakes.trading import FakeClock

ACCOUNT = "rehearsal"
PLAN = "sha256:" + "c" * 64
# From one start to the next.
BETWEEN = timedelta(minutes=3)
READ_TIMEOUT_S = 0.12
# The accounts are so small that a plan turns all of one over.
QUICK = replace(
    TERMS,
    limits=replace(TERMS.limits, largest_share=Fraction(1), largest_day_turnover=Fraction(9)),
    fills={"buy": timedelta(seconds=25), "sell": timedelta(seconds=25)},
    confirm=timedelta(seconds=75),
)


@dataclass(frozen=True)
class Scenario:
    """A plan, and the account that it is for."""

    name: str
    cash: int
    held: dict
    orders: list
    prices: dict = field(default_factory=dict)


PRICES = {"990010": 10_000, "990020": 20_000, "990030": 5_000, "990040": 8_000}
SELLS = [sell(1, "990010", 40, 9_500), sell(2, "990020", 30, 19_500)]
BUYS = [buy(3, "990030", 60, 5_150), buy(4, "990040", 50, 8_200)]
# More names than a page of the balance has.
OTHERS = [f"9902{number:02d}" for number in range(20)]
PRICES |= dict.fromkeys(OTHERS, 1_000)
HELD = {"990010": (40, 9_000), "990020": (30, 18_000), **dict.fromkeys(OTHERS, (1, 1_000))}
SCENARIOS = (
    Scenario("next-open", 5_000_000, HELD, SELLS + BUYS, PRICES),
    # The buys cost some 720,000 won, and only the sells bring them.
    Scenario("sell-then-buy", 20_000, HELD, SELLS + BUYS, PRICES),
)


class Points:
    """Counts the points at which a process may die, and dies at one of them."""

    def __init__(self, kill, log):
        self.kill, self.log, self.count = kill, log, 0

    def pass_by(self, name):
        self.count += 1
        if self.log is not None:
            self.log.append(name)
        if self.count == self.kill:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingJournal(Journal):
    """The journal, with a point before and after each line."""

    points = None

    def append(self, at, kind, **more):
        return self._between(f"journal {kind}", lambda: super(DyingJournal, self).append(at, kind, **more))

    def take(self, at, account, owner):
        return self._between("journal lease", lambda: super(DyingJournal, self).take(at, account, owner))

    def intend(self, at, intent, fence):
        return self._between("journal intent", lambda: super(DyingJournal, self).intend(at, intent, fence))

    def send(self, at, order, fence, deadline):
        return self._between("journal sent", lambda: super(DyingJournal, self).send(at, order, fence, deadline))

    def _between(self, name, work):
        self.points.pass_by(f"before {name}")
        done = work()
        self.points.pass_by(f"after {name}")
        return done


class DyingBroker:
    """A broker, with a point before each question or order leaves and one after its answer has come."""

    def __init__(self, broker, points):
        self.broker, self.points = broker, points
        self.certificate = broker.certificate

    def __getattr__(self, name):
        asked = getattr(self.broker, name)

        def ask(*arguments):
            self.points.pass_by(f"before http {name}")
            answer = asked(*arguments)
            self.points.pass_by(f"after http {name}")
            return answer

        return ask


def trade(job):
    """What a child does: carry the plan out, or go on with it, as `assay trade next-open --send` would."""
    names = [] if job.get("log") else None
    points = Points(job.get("kill"), names)
    os.environ["ASSAY_STATE"] = job["state"]
    clock = FakeClock(at("09:01") + job["round"] * BETWEEN)
    connection = Connection(
        "rehearsal", job["url"], rehearsal.APP_KEY, rehearsal.APP_SECRET, rehearsal.ACCOUNT, Path(job["state"]),
        pace_s=0, connect_timeout_s=1, read_timeout_s=READ_TIMEOUT_S, first_wait_s=0.01,
    )  # fmt: skip
    broker = DyingBroker(KisBroker(Client(connection, clock), 600), points)
    scenario = next(one for one in SCENARIOS if one.name == job["scenario"])
    with DyingJournal(Path(job["folder"]) / "journal.sqlite3") as journal:
        journal.points = points
        desk = Desk(Readings(broker), journal, clock, QUICK, Market(calendar(), rules(), "kosdaq"), RECONCILING)
        work = Work(ACCOUNT, PLAN, "sha256:" + "d" * 64, plan(scenario), go_on=job.get("go_on", False))
        try:
            with lease.held(ACCOUNT, broker.certificate, journal, clock) as fence:
                outcome = execution.execute(work, desk, fence)
        except AssayError as error:
            Path(job["folder"], f"said.{job['name']}").write_text(f"{type(error).__name__}: {error}")
            return 2
    if names is not None:
        Path(job["folder"], "points").write_text("\n".join(names))
    return 0 if outcome.ok else 1


def plan(scenario):
    return {
        "plan_id": f"XKRX-{DAY}-{ACCOUNT}-{scenario.name}",
        "account": {"id": ACCOUNT, "environment": "rehearsal", "currency": "KRW", "as_of": at("08:00").isoformat()},
        "market": "XKRX",
        "execution_session": DAY.isoformat(),
        "costs": {"fee_bps": "1.5", "slippage_bps": "10", "sell_tax_bps": "20"},
        "orders": scenario.orders,
        "budget": {"cash_buffer": 0},
    }
