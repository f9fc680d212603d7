"""Carry out the plan for the open, or say what would be sent; arm an account; take back all that stands."""

import getpass
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quantassay.brokers.port import Unreadable
from quantassay.domain.market.price_rules import price_rules
from quantassay.domain.market.sessions import calendar, instant, local_day
from quantassay.domain.trading.book import Environment
from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.terms import terms
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.jobs import connect, execution, lease, notices, reconcile, trade_checks, trade_plan, watching
from quantassay.jobs import desk as desks
from quantassay.jobs.clock import RehearsedClock, ShiftedClock, SystemClock
from quantassay.jobs.execution import Outcome
from quantassay.jobs.readings import Readings
from quantassay.jobs.trade_checks import Asked, TradeRefused
from quantassay.jobs.trade_plan import Chosen
from quantassay.jobs.trading_desk import Desk, Market, Work
from quantassay.jobs.watching import Standing
from quantassay.store.journal import Journal, journal_file

# Where a time of one's choice can do no harm.
_REHEARSED = ("sample", "paper", "rehearsal")


class RealTime(AssayError):
    """A time of one's choice for an account whose broker has its own."""

    def __init__(self, account: str, environment: str) -> None:
        super().__init__(
            f"{account} is of the environment {environment}, where the time is what it is; --at is for rehearsals"
        )


class BadTime(AssayError):
    """An instant that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no instant with a zone; write it like 2026-11-19T09:01:00+09:00")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; empty or None is what the workspace says. `at` is an instant in text."""

    plan: Path | None = None
    broker: connect.Kind | None = None
    account: str = ""
    send: bool = False
    go_on: bool = False
    reduce_only: bool = False
    at: str = ""


@dataclass(frozen=True, slots=True)
class Traded:
    """What came of it; `refused` says why nothing may be sent, which a dry run tells beside what would be sent."""

    outcome: Outcome
    refused: tuple[str, ...]
    is_dry: bool

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return self.outcome.ok and not self.refused


def next_open(folder: Path, wish: Wish) -> Traded:
    """Carry out the plan for the next open with `send`; without, do all but the last call, and write nothing.

    Raises TradeRefused, PlanRefused, AccountHeld, what the connection to the broker raises, Unreadable.
    """
    inputs = desks.built(folder)
    account, environment = account_of(inputs, wish.account)
    clock = clock_for(wish.at, account, environment)
    asked = Asked(account, environment, wish.go_on)
    with Journal(journal_file(inputs.workspace.data)) as journal:
        day = local_day(calendar(inputs.value("trading_calendar")), clock.now())
        chosen = trade_plan.chosen(inputs, journal, account, wish.plan, go_on=wish.go_on, day=day)
        trade_checks.before(asked, chosen)
        desk = desk_of(inputs, account, journal, clock, wish.broker)
        work = Work(account, chosen.digest, chosen.record, chosen.data, wish.reduce_only, wish.go_on)
        if not wish.send:
            return _rehearsed(inputs, desk, work, (asked, chosen))
        with lease.held(account, desk.broker.certificate, journal, clock) as fence:
            _raise_first(inputs, desk, asked, chosen)
            outcome = execution.execute(work, desk, fence)
        _notice(inputs, clock.now(), outcome)
        return Traded(outcome, (), is_dry=False)


def _rehearsed(inputs: Inputs, desk: Desk, work: Work, asked: tuple[Asked, Chosen]) -> Traded:
    refused = tuple(str(one) for one in trade_checks.refusals(inputs, desk, *asked))
    return Traded(execution.rehearse(work, desk), refused, is_dry=True)


def _raise_first(inputs: Inputs, desk: Desk, asked: Asked, chosen: Chosen) -> None:
    for one in trade_checks.refusals(inputs, desk, asked, chosen):
        raise one


def account_of(inputs: Inputs, name: str) -> tuple[str, Environment]:
    """An account of spec/20_accounts.yaml, that of the desk where none is named, and its environment."""
    wanted = name or str(inputs.value("account_snapshot")["id"])
    accounts = inputs.value("accounts")["accounts"]
    for one in accounts:
        if one["id"] == wanted:
            return wanted, one["environment"]
    raise connect.NoSuchAccount(wanted, [one["id"] for one in accounts])


def clock_for(at: str, account: str, environment: Environment) -> Clock:
    """The real clock, or one that begins at an instant. Raises RealTime, BadTime."""
    if not at:
        return SystemClock()
    if environment not in _REHEARSED:
        raise RealTime(account, environment)
    try:
        start = instant(at)
    except ValueError:
        raise BadTime(at) from None
    return ShiftedClock(start) if environment == "rehearsal" else RehearsedClock(start)


def desk_of(inputs: Inputs, account: str, journal: Journal, clock: Clock, kind: connect.Kind | None = None) -> Desk:
    """With what orders of this account are carried out. Raises what the connection to the broker raises."""
    return Desk(
        broker=Readings(connect.broker(inputs, account, clock, kind)),
        journal=journal,
        clock=clock,
        terms=terms(inputs.value("trading")),
        market=Market(
            calendar=calendar(inputs.value("trading_calendar")),
            rules=price_rules(inputs.value("price_rules")),
            kind=str(inputs.value("next_session")["price_kind"]),
        ),
        reconciling=reconcile.limits(inputs),
    )


def arm(folder: Path, account: str, why: str, by: str = "") -> str:
    """Write down that orders may be sent for an account; who said so. Raises NoSuchAccount."""
    return _say(folder, account, ("armed", why, by))


def disarm(folder: Path, account: str, why: str, by: str = "") -> str:
    """Write down that no orders may be sent for an account any more; who said so. Raises NoSuchAccount, NotArmed."""
    return _say(folder, account, ("disarmed", why, by))


def _say(folder: Path, account: str, what: tuple[str, str, str]) -> str:
    kind, why, by = what
    inputs = desks.built(folder)
    account, _ = account_of(inputs, account)
    by = by or getpass.getuser()
    with Journal(journal_file(inputs.workspace.data)) as journal:
        if kind == "disarmed" and account not in journal.desk().armed:
            raise trade_checks.NotArmed(account)
        journal.append(SystemClock().now(), kind, account=account, body={"by": by, "why": why})
    return by


def cancel_all(folder: Path, wish: Wish) -> tuple[Standing, ...]:
    """Take back every order of ours that stands for an account with `send`; without, only say which those are.

    Allowed while the desk is halted. Raises AccountHeld, Unreadable, what the connection to the broker raises.
    """
    inputs = desks.built(folder)
    account, environment = account_of(inputs, wish.account)
    clock = clock_for(wish.at, account, environment)
    with Journal(journal_file(inputs.workspace.data)) as journal:
        desk = desk_of(inputs, account, journal, clock, wish.broker)
        if not wish.send:
            return watching.standing(desk, account)
        with lease.held(account, desk.broker.certificate, journal, clock) as fence:
            return watching.cancel_all(desk, account, fence)


def _notice(inputs: Inputs, at: datetime, outcome: Outcome) -> None:
    """Tell whoever is to be told; a notice never stops trading."""
    account, plan = outcome.work.account, str(outcome.work.data["plan_id"])
    states = [one.state for one in outcome.told]
    counts = ", ".join(f"{states.count(state)} {state.replace('_', ' ')}" for state in dict.fromkeys(states))
    open_lines = [
        f"{one.line.wish.ticker} {one.line.wish.side}: {one.why}" for one in outcome.told if not one.is_settled
    ]
    text = "\n".join([f"{plan}: {counts or 'nothing to do'}", *open_lines, *filter(None, [outcome.stopped])])
    subject = f"{account}: {'traded as planned' if outcome.ok else 'trading needs a look'}"
    notices.put(inputs.workspace.data, at, notices.REPORT if outcome.ok else notices.ALARM, subject, text)


__all__ = ["TradeRefused", "Traded", "Unreadable", "Wish", "arm", "cancel_all", "disarm", "next_open"]
