"""`assay reconcile`: once, over and over, or to accept a break; what a person must know of goes out as a notice."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quantassay.brokers.port import Broker, Unreadable
from quantassay.jobs import connect, desk, halt, notices, reconcile, trade
from quantassay.jobs.reconcile import Ground, Outcome
from quantassay.store.journal import Journal, journal_file


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the account (empty: the desk's), the kind of broker (None: its own), an instant's text."""

    account: str = ""
    kind: connect.Kind | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An account that is held against its broker: the ground, the broker, and where notices are left."""

    ground: Ground
    broker: Broker
    data: Path


@contextlib.contextmanager
def opened(folder: Path, wish: Wish) -> Iterator[Place]:
    """The account of a workspace with its broker and its journal, which is made where there is none.

    Raises NoSuchAccount, RealTime, BadTime, and what `connect.broker` raises: before the journal is made.
    """
    inputs = desk.built(folder)
    account, environment = trade.account_of(inputs, wish.account)
    clock = trade.clock_for(wish.at, account, environment)
    broker = connect.broker(inputs, account, clock, wish.kind)
    limits, data = reconcile.limits(inputs), inputs.workspace.data
    with Journal(journal_file(data)) as journal:
        yield Place(Ground(account, journal, clock, limits), broker, data)


def once(place: Place) -> Outcome:
    """Reconcile now. Raises as `reconcile.reconcile` does."""
    found = reconcile.reconcile(place.ground, place.broker)
    _tell(place, found)
    return found


def accepted(place: Place, ticker: str, why: str, by: str = "") -> Outcome:
    """Accept the break of a name, by whoever is logged in unless told.

    Raises NoReason, NoActor, and as `reconcile.accept` does.
    """
    return reconcile.accept(place.ground, place.broker, ticker, halt.actor(by), halt.said(why, "--why"))


def watched(place: Place, every_s: float) -> Iterator[Outcome | Unreadable]:
    """Reconcile again and again; a reading that failed is told in its place, and nothing is concluded from it.

    Never ends by itself. Raises as `reconcile.reconcile` does for everything but a failed reading.
    """
    while True:
        try:
            found = reconcile.reconcile(place.ground, place.broker, sparing=True)
        except Unreadable as error:
            _alarm(place, f"{place.ground.account} cannot be read", str(error), "unreadable")
            yield error
        else:
            _tell(place, found)
            yield found
        place.ground.clock.sleep(every_s)


def _tell(place: Place, found: Outcome) -> None:
    for ticker in found.new:
        subject = f"{ticker} of {found.account} is locked"
        _alarm(place, subject, f"{found.breaks[ticker]}; see `assay reconcile`", f"break {ticker}")


def _alarm(place: Place, subject: str, text: str, key: str) -> None:
    now = place.ground.clock.now()
    notices.put(place.data, now, notices.ALARM, subject, text, f"reconcile {place.ground.account} {key}")
