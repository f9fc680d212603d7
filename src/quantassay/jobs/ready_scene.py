"""What the page "may I trade today?" looks at: each thing opened once, and a fault kept, so that it is met once too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from quantassay.brokers.port import Broker
from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar
from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.desk_state import DeskState
from quantassay.domain.trading.orders import Order
from quantassay.harness import ledger, plan_loader
from quantassay.harness.inputs import Inputs
from quantassay.harness.plan_loader import LoadedPlan, Trust
from quantassay.jobs import connect, desk, reconcile
from quantassay.jobs import gate as gates
from quantassay.jobs.trade_plan import INVENTED
from quantassay.store.bars_index import SAMPLE
from quantassay.store.journal import Journal, journal_file

PLAN = "next_open_plan"
T = TypeVar("T")


class State(StrEnum):
    """`ok`: well. `warn`: nothing that forbids trading, and not well or not known. `no`: not today, or not yet."""

    OK = "ok"
    WARN = "warn"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that trading today depends on: its state, one sentence, and what to do where it is not well."""

    name: str
    state: State
    says: str
    do: str = ""


def ok(name: str, says: str) -> Row:
    """A row that is well."""
    return Row(name, State.OK, says)


def warn(name: str, says: str, do: str) -> Row:
    """A row that somebody should look at."""
    return Row(name, State.WARN, says, do)


def no(name: str, says: str, do: str) -> Row:
    """A row that forbids trading."""
    return Row(name, State.NO, says, do)


class Scene:
    """What the rows look at. `offline`: the broker is not asked; a `broker` that is given is asked in place of its own.

    Each member raises what opening it raised, however often it is asked for.
    """

    def __init__(self, folder: Path, clock: Clock, *, offline: bool = False, broker: Broker | None = None) -> None:
        self.offline, self.clock, self._folder, self._broker = offline, clock, folder, broker
        self._kept: dict[str, tuple[Any, Exception | None]] = {}
        self.now: datetime = clock.now()

    @property
    def opened(self) -> Inputs:
        """The workspace without what a job hands in: all that can be told where one of those is broken."""
        return self._once("opened", lambda: desk.opened(self._folder))

    @property
    def inputs(self) -> Inputs:
        """The workspace as it was last built."""
        return self._once("inputs", lambda: desk.built(self._folder))

    @property
    def data(self) -> Path:
        """Where the desk keeps its state."""
        return self.opened.workspace.data

    @property
    def limits(self) -> Mapping[str, Any]:
        """What spec/38_readiness.yaml says."""
        return dict(self.opened.value("readiness"))

    @property
    def calendar(self) -> Calendar:
        """The calendar of the desk's market as it was last built."""
        return self._once("calendar", lambda: sessions.calendar(self.opened.value("trading_calendar")))

    @property
    def day(self) -> date:
        """Today, at the exchange."""
        return sessions.local_day(self.calendar, self.now)

    @property
    def account(self) -> Mapping[str, Any]:
        """The account that plans are built on."""
        return dict(self.inputs.value("account_snapshot"))

    @property
    def account_id(self) -> str:
        """What the account is called."""
        return str(self.account["id"])

    @property
    def journal(self) -> Journal | None:
        """The journal; None where nothing was ever written to one, so that looking makes no file."""
        return self._once("journal", self._opened)

    def _opened(self) -> Journal | None:
        path = journal_file(self.data)
        return Journal(path) if path.exists() else None

    @property
    def desk(self) -> DeskState:
        """What the journal says of the desk."""
        return self._once("desk", lambda: self.journal.desk() if self.journal else DeskState())

    @property
    def orders(self) -> Mapping[str, Order]:
        """Our orders of the account."""
        return self._once("orders", lambda: self.journal.orders(self.account_id) if self.journal else {})

    @property
    def broker(self) -> Broker:
        """The account's broker; nothing is sent by having it."""
        return self._once("broker", lambda: self._broker or connect.broker(self.inputs, self.account_id, self.clock))

    @property
    def outcome(self) -> reconcile.Outcome | None:
        """Our account against the broker's, read now; None where there is no journal to hold it against."""
        return self._once("outcome", self._looked)

    def _looked(self) -> reconcile.Outcome | None:
        if self.journal is None:
            self.broker.book()
            return None
        ground = reconcile.Ground(self.account_id, self.journal, self.clock, reconcile.limits(self.inputs))
        return reconcile.looked_at(ground, self.broker)

    @property
    def plan(self) -> LoadedPlan:
        """The plan that a run of `assay trade` would carry out. Raises PlanRefused."""
        return self._once("plan", self._loaded)

    def _loaded(self) -> LoadedPlan:
        inputs = self.inputs
        last = ledger.last(self.data / gates.LEDGER)
        trust = Trust(last.record if last else None)
        marks = (SAMPLE,) if self.account["environment"] in INVENTED else ()
        return plan_loader.load(inputs.artifact_path(PLAN), PLAN, trust, marks)

    def close(self) -> None:
        """Let go of the journal."""
        journal, _ = self._kept.get("journal", (None, None))
        if journal is not None:
            journal.close()

    def _once(self, name: str, work: Callable[[], T]) -> T:
        if name not in self._kept:
            try:
                self._kept[name] = (work(), None)
            except Exception as error:  # noqa: BLE001 - kept and raised again for each row that needs it
                self._kept[name] = (None, error)
        value, fault = self._kept[name]
        if fault is not None:
            raise fault
        found: T = value
        return found
