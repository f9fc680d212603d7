"""What the journal says of the desk beside its orders: kill switch, armed accounts, runs, breaks, readings, leases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from quantassay.domain.trading.book import Side
from quantassay.domain.trading.orders import ORDER_KINDS, BadHistory, Event, Order, State

Level = Literal["all", "buys"]
DESK_KINDS = frozenset(
    {
        "lease",
        "halt",
        "resume",
        "armed",
        "disarmed",
        "run_started",
        "run_done",
        "book",
        "break",
        "break_cleared",
        "external",
        "clearing",
    }
)
# These are about the whole desk; every other event is about one account.
_OF_THE_DESK = frozenset({"halt", "resume"})


@dataclass(frozen=True, slots=True)
class Halt:
    """The kill switch, thrown: at level `all` nothing is sent, at level `buys` no buy."""

    at: datetime
    by: str
    why: str
    level: Level

    def stops(self, side: Side) -> bool:
        """Whether no order of this side may be sent."""
        return self.level == "all" or side == "buy"


@dataclass(frozen=True, slots=True)
class Armed:
    """A person said that orders may be sent for this account."""

    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Run:
    """A plan that was begun for an account: `body` is that of its newest start, `data` the plan itself.

    `outcome` is empty while it is unfinished; `starts` counts how often it was begun or continued.
    """

    account: str
    plan: str
    session: str
    started_at: datetime
    data: Mapping[str, Any]
    body: Mapping[str, Any]
    starts: int = 1
    outcome: str = ""
    ended_at: datetime | None = None

    @property
    def is_unfinished(self) -> bool:
        """Whether it was begun, or continued, and not ended since."""
        return not self.outcome


@dataclass(frozen=True, slots=True)
class Break:
    """A name of which we and the broker count different shares."""

    ticker: str
    ours: int
    theirs: int
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may send orders for an account: the newest token, and who took it."""

    fence: int
    owner: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeskState:
    """How the desk stands after its events.

    `runs` by account and digest of the plan, `breaks` by account and ticker, the rest by account; `books` are the
    newest `book` events.
    """

    halt: Halt | None = None
    armed: Mapping[str, Armed] = field(default_factory=dict)
    runs: Mapping[tuple[str, str], Run] = field(default_factory=dict)
    breaks: Mapping[tuple[str, str], Break] = field(default_factory=dict)
    books: Mapping[str, Event] = field(default_factory=dict)
    leases: Mapping[str, Lease] = field(default_factory=dict)

    def fence(self, account: str) -> int:
        """The newest token of the account, 0 where nobody ever took one."""
        lease = self.leases.get(account)
        return lease.fence if lease else 0

    def locked(self, account: str, orders: Mapping[str, Order]) -> dict[str, str]:
        """The names of the account that nothing may be sent for, each with the reason."""
        found: dict[str, str] = {}
        for name, order in orders.items():
            ticker = order.intent.ticker
            if order.intent.key.account == account and order.state in (State.UNKNOWN, State.SENT):
                found[ticker] = f"nobody knows yet whether its order {name} was taken; `assay orders show {name}`"
        for (owner, ticker), one in self.breaks.items():
            if owner == account:
                found.setdefault(ticker, f"we count {one.ours} shares and the broker {one.theirs}; `assay reconcile`")
        return found

    def unfinished(self, account: str) -> list[Run]:
        """The runs of the account that were begun and have not ended, oldest first."""
        return [run for run in self.runs.values() if run.account == account and run.is_unfinished]


def fold(events: Iterable[Event]) -> DeskState:
    """The state after all of these. Raises BadHistory."""
    state = DeskState()
    for event in events:
        state = after(state, event)
    return state


def after(state: DeskState, event: Event) -> DeskState:
    """The state once this event has happened; an order's event changes nothing here. Raises BadHistory."""
    if event.kind in ORDER_KINDS:
        return state
    if event.kind not in DESK_KINDS:
        raise BadHistory(event, "is of a kind that the journal does not know")
    if event.order or bool(event.account) == (event.kind in _OF_THE_DESK):
        raise BadHistory(event, "is about another thing than its kind is about")
    match event.kind:
        case "halt":
            return replace(state, halt=_halted(state.halt, event))
        case "resume":
            return replace(state, halt=None)
        case "lease":
            return replace(state, leases={**state.leases, event.account: _taken(state, event)})
        case "run_started" | "run_done":
            run = _begun(state, event) if event.kind == "run_started" else _ended(state, event)
            return replace(state, runs={**state.runs, (run.account, run.plan): run})
        case _:
            return _of_account(state, event)


def _of_account(state: DeskState, event: Event) -> DeskState:
    account, body = event.account, event.body
    match event.kind:
        case "armed":
            return replace(state, armed={**state.armed, account: Armed(event.at, body["by"], body["why"])})
        case "disarmed":
            return replace(state, armed={name: one for name, one in state.armed.items() if name != account})
        case "book":
            return replace(state, books={**state.books, account: event})
        case "break":
            one = Break(body["ticker"], body["ours"], body["theirs"], body["why"], event.at)
            return replace(state, breaks={**state.breaks, (account, one.ticker): one})
        case "break_cleared":
            gone = (account, body["ticker"])
            return replace(state, breaks={name: one for name, one in state.breaks.items() if name != gone})
        case _:
            return state


def _halted(halt: Halt | None, event: Event) -> Halt:
    """A later halt takes the place of the one before, but never weakens it: only a resume does."""
    body = event.body
    if halt is not None and halt.level == "all" and body["level"] == "buys":
        return halt
    return Halt(event.at, body["by"], body["why"], body["level"])


def _taken(state: DeskState, event: Event) -> Lease:
    fence, newest = event.body["fence"], state.fence(event.account)
    if fence != newest + 1:
        raise BadHistory(event, f"has the token {fence} after {newest}")
    return Lease(fence, event.body["owner"], event.at)


def _begun(state: DeskState, event: Event) -> Run:
    body = event.body
    before = state.runs.get((event.account, body["plan"]))
    if before is not None and not body["continued"]:
        raise BadHistory(event, "begins a plan that was begun already, and does not continue it")
    starts, data = (before.starts, before.data) if before else (0, {})
    return Run(event.account, body["plan"], body["session"], event.at, body["data"] or data, body, starts + 1)


def _ended(state: DeskState, event: Event) -> Run:
    before = state.runs.get((event.account, event.body["plan"]))
    if before is None or not before.is_unfinished:
        raise BadHistory(event, "ends a plan that is not being carried out")
    return replace(before, outcome=event.body["outcome"], ended_at=event.at)
