"""Look at what became of the orders that have not ended, take back those whose time is up, and wait for their ends.

What a look proves is written down at once. What it does not prove stays as it is: an order that was not found is not
an order that was not placed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from quantassay.brokers.port import Unreadable
from quantassay.domain.market import sessions
from quantassay.domain.trading import evidence, lapsed, lines, patience
from quantassay.domain.trading.book import Accepted, Answer, NotSent, Placed, Refused, Side
from quantassay.domain.trading.evidence import Change, Found, Reading, Same, Several, Window
from quantassay.domain.trading.orders import LIVE, Order, State
from quantassay.domain.trading.patience import Step
from quantassay.jobs.trading_desk import Desk


@dataclass(frozen=True, slots=True)
class Standing:
    """An order of ours that has not ended, and why it is not known more of it."""

    name: str
    order: Order
    why: str


def recover(desk: Desk, account: str, fence: int) -> dict[str, str]:
    """Take up what another process left: what was not sent is taken back, what may have been is looked for.

    Says by order what is not known. Raises Unreadable: nothing may be sent before the orders that stand were seen.
    """
    for name, order in desk.journal.orders(account).items():
        if order.state is State.INTENT:
            body = {"why": "the process that wrote it ended before it was sent"}
            desk.journal.append(desk.clock.now(), "withdrawn", account=account, order=name, body=body, fence=fence)
    return look(desk, account, fence)


def look(desk: Desk, account: str, fence: int) -> dict[str, str]:
    """Read the orders of each day of which some have not ended, and write down what is proven of them.

    Says by order why no more is known of it. The account is read too where the list of orders lacks one of them.
    Raises Unreadable.
    """
    whys: dict[str, str] = {}
    for day in sorted({_day(desk, order) for order in lines.live(desk.journal.orders(account)).values()}):
        reading = Reading(desk.broker.day_orders(day), None, desk.clock.now())
        mine = [name for name, one in lines.live(desk.journal.orders(account)).items() if _day(desk, one) == day]
        missing = [name for name in mine if not _is_listed(desk, account, name, reading)]
        if missing:
            reading = replace(reading, book=desk.broker.book(), at=desk.clock.now())
        for name in mine:
            if why := _judge(desk, (account, name, fence), reading):
                whys[name] = why
    return whys


def wait(desk: Desk, account: str, side: Side, fence: int) -> dict[str, str]:
    """Wait until every order of a side has ended or nothing more can be done for it; take back what takes too long.

    Says by order why no more is known of it. A reading that fails is tried again while there is time.
    """
    whys: dict[str, str] = {}
    polled: datetime | None = None
    while steps := _steps(desk, account, side):
        for name in [name for name, one in steps.items() if one is Step.CANCEL]:
            _cancel(desk, account, name, fence)
        if all(one is Step.PARK for one in steps.values()):
            break
        if polled is not None:
            desk.clock.sleep((polled + desk.terms.poll - desk.clock.now()) / timedelta(seconds=1))
        polled = desk.clock.now()
        try:
            whys = look(desk, account, fence)
        except Unreadable as error:
            whys = dict.fromkeys(steps, str(error))
    return whys


def standing(desk: Desk, account: str, whys: Mapping[str, str] | None = None) -> tuple[Standing, ...]:
    """The orders of an account that have not ended, as the journal has them."""
    whys = whys or {}
    live = lines.live(desk.journal.orders(account))
    return tuple(Standing(name, order, whys.get(name, order.why)) for name, order in live.items())


def cancel_all(desk: Desk, account: str, fence: int) -> tuple[Standing, ...]:
    """Take back every order that stands; those that have not ended even so. Raises Unreadable, Fenced."""
    whys = recover(desk, account, fence)
    at_once = replace(desk, terms=replace(desk.terms, fills={"buy": timedelta(), "sell": timedelta()}))
    for side in ("sell", "buy"):
        whys |= wait(at_once, account, side, fence)
    return standing(desk, account, whys)


def _steps(desk: Desk, account: str, side: Side) -> dict[str, Step]:
    """What comes next for each order of a side that has not ended."""
    live = lines.live(desk.journal.orders(account), side)
    now, today = desk.clock.now(), desk.day()
    cancels: dict[str, list[datetime]] = {name: [] for name in live}
    if live:
        for event in desk.journal.events(account, kinds=("cancel_sent",)):
            if event.order in cancels:
                cancels[event.order].append(event.at)
    steps = {}
    for name, order in live.items():
        day = _day(desk, order)
        closes = sessions.hours(desk.market.calendar, day).close
        # The orders of an earlier day are over, even where nobody can say how much of them has filled.
        steps[name] = patience.step(order, cancels[name], now, closes, desk.terms) if day >= today else Step.PARK
    return steps


def _day(desk: Desk, order: Order) -> date:
    """The exchange's day of an order that was sent."""
    if order.day:
        return date.fromisoformat(order.day)
    return sessions.local_day(desk.market.calendar, order.sent_at or order.changed_at)


def _window(desk: Desk) -> Window:
    return replace(desk.terms.looking, zone=desk.market.calendar.zone)


def _is_listed(desk: Desk, account: str, name: str, reading: Reading) -> bool:
    """Whether the list of orders alone says how the order stands."""
    orders = desk.journal.orders(account)
    order = orders[name]
    if order.number:
        number = evidence.bare(order.number)
        return any(evidence.bare(row.number) == number and not row.origin for row in reading.day.rows)
    others = [one for other, one in orders.items() if other != name]
    return isinstance(evidence.look(order, others, reading, _window(desk)), Found | Several)


def _judge(desk: Desk, what: tuple[str, str, int], reading: Reading) -> str:
    """Write down what the reading proves of one order; why it proves no more, empty where that is not in doubt."""
    account, name, fence = what
    order = desk.journal.orders(account)[name]
    why = ""
    if order.state in (State.SENT, State.UNKNOWN):
        why = _found(desk, what, reading)
        order = desk.journal.orders(account)[name]
    if order.number and order.state in LIVE:
        others = [one for other, one in desk.journal.orders(account).items() if other != name]
        said = evidence.progress(order, others, reading, _window(desk))
        if isinstance(said, Change):
            _append(desk, what, said.kind, dict(said.body))
        else:
            why = said.why if not isinstance(said, Same) else ""
        order = desk.journal.orders(account)[name]
        if body := lapsed.lapsed(order, reading, desk.day()):
            desk.journal.append(desk.clock.now(), "cancelled", account=account, order=name, body=body, fence=fence)
    return why


def _found(desk: Desk, what: tuple[str, str, int], reading: Reading) -> str:
    """Look for an order of which nobody knows whether it was taken; why it was not found, empty where it was."""
    account, name, _ = what
    orders = desk.journal.orders(account)
    order = orders[name]
    others = [one for other, one in orders.items() if other != name]
    said = evidence.look(order, others, reading, _window(desk))
    if isinstance(said, Found):
        row = said.row
        body = {"number": row.number, "branch": row.branch, "day": reading.day.day.isoformat(), "why": ""}
        _append(desk, what, "found", body)
        return ""
    if isinstance(said, evidence.FilledByHoldings):
        filled = {"filled": said.filled, "amount": said.amount, "estimated": True, "why": said.why}
        _append(desk, what, "fill", filled)
        return ""
    if order.state is State.SENT:
        _append(desk, what, "unknown", {"why": f"its answer was lost with the process that sent it; {said.why}"})
    return said.why


def _append(desk: Desk, what: tuple[str, str, int], kind: str, body: Mapping[str, object]) -> None:
    account, name, fence = what
    desk.journal.append(desk.clock.now(), kind, account=account, order=name, body=body, fence=fence)


def _cancel(desk: Desk, account: str, name: str, fence: int) -> None:
    """Send a cancel, and write down before that it is sent. Where its answer is lost, the order itself will tell."""
    order = desk.journal.orders(account)[name]
    _append(desk, (account, name, fence), "cancel_sent", {})
    placed = Placed(order.number, order.branch, date.fromisoformat(order.day))
    answer = desk.broker.cancel(placed, order.intent.ticker)
    for _ in range(desk.terms.send_again):
        if not isinstance(answer, NotSent):
            break
        desk.clock.sleep(answer.wait_s)
        answer = desk.broker.cancel(placed, order.intent.ticker)
    if body := _said(answer):
        desk.journal.append(desk.clock.now(), "cancel_answer", account=account, order=name, body=body)


def _said(answer: Answer) -> dict[str, object]:
    """The body of the event that says what was answered to a cancel; empty where nobody knows."""
    if isinstance(answer, Accepted):
        return {"taken": True, "number": answer.placed.number}
    if isinstance(answer, Refused | NotSent):
        return {"taken": False, "code": answer.code, "why": answer.why}
    return {}
