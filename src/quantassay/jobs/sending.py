"""Send the order of one line, once: its price, every limit, the line in the journal, the order, the answer.

What was written and not answered is never sent again from here: whoever comes next looks for it.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading import limits
from quantassay.domain.trading.book import Accepted, Answer, NewOrder, NotSent, Refused, Side
from quantassay.domain.trading.legality import StillOpen
from quantassay.domain.trading.limits import Check, Wish
from quantassay.domain.trading.orders import Intent, Key
from quantassay.jobs.trading_desk import Desk, Work
from quantassay.store.journal import Halted, Locked


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a line: the order that was sent and its quantity, or why it was not and which limits said so.

    `stop` says that nothing more of this side may be sent.
    """

    wish: Wish
    order: str = ""
    why: str = ""
    checks: tuple[Check, ...] = ()
    stop: bool = False

    @property
    def is_deliberate(self) -> bool:
        """Whether it was left out as the plan, or whoever started it, says."""
        broken = limits.refused(self.checks)
        return bool(broken) and all(one.rule in limits.DELIBERATE for one in broken)


def judged(desk: Desk, work: Work, wish: Wish, cash: int) -> Tried:
    """The order held against every limit with the price of this moment; `why` is empty where it may be sent."""
    try:
        quote = desk.broker.quote(wish.ticker)
    except Unreadable as error:
        return Tried(wish, why=str(error))
    checks = desk.checks(wish, desk.edge(work, wish, quote, cash))
    broken = limits.refused(checks)
    return Tried(wish, why="; ".join(f"{one.rule} {one.says}" for one in broken), checks=checks)


def why_stopped(desk: Desk, account: str, side: Side) -> str:
    """Why nothing of this side may be sent now: kill switch, not armed, or calendar; empty where it may."""
    state = desk.journal.desk()
    halt = state.halt
    if account not in state.armed:
        return f"nobody says any more that orders may be sent for {account}; `assay trade arm {account} --why TEXT`"
    if halt is not None and halt.stops(side):
        return f"the desk was halted by {halt.by}: {halt.why.rstrip('.')}; `assay resume` lets it go on"
    return desk.why_closed()


def place(desk: Desk, work: Work, wish: Wish, attempt: int, lease: tuple[int, int]) -> Tried:
    """Send the order of a line; `lease` is the fence, and the cash that a buy may cost.

    Raises Fenced where another process has taken the account, and what the journal raises: nothing is sent then.
    """
    fence, cash = lease
    if why := why_stopped(desk, work.account, wish.side):
        return Tried(wish, why=why, stop=True)
    tried = judged(desk, work, wish, cash)
    if tried.why:
        return tried
    intent = Intent(
        key=Key(work.account, work.plan, wish.line, attempt),
        ticker=wish.ticker,
        side=wish.side,
        quantity=wish.quantity,
        limit_price=wish.limit_price,
        reference_price=wish.reference_price,
        before=_before(desk, wish),
        certificate={name: str(value) for name, value in asdict(desk.broker.certificate).items()},
    )
    try:
        desk.journal.intend(desk.clock.now(), intent, fence)
    except StillOpen as error:
        return replace(tried, why=str(error))
    return _send(desk, tried, intent, fence)


def _before(desk: Desk, wish: Wish) -> dict[str, int]:
    """What the broker said last before the order, for finding it again."""
    book, totals = desk.newest_book(), desk.broker.of(desk.day()).totals
    return {
        "held": book.held(wish.ticker),
        "sellable": book.sellable(wish.ticker),
        "cash": book.cash,
        "ordered": totals.ordered,
        "filled": totals.filled,
        "amount": totals.amount,
    }


def _send(desk: Desk, tried: Tried, intent: Intent, fence: int) -> Tried:
    """Send what stands in the journal; again only after an answer which says that nothing was processed."""
    wish, name = tried.wish, intent.key.order
    new = NewOrder(wish.ticker, wish.side, wish.quantity, wish.limit_price)
    why = ""
    for _ in range(desk.terms.send_again + 1):
        if why := why_stopped(desk, intent.key.account, wish.side):
            return _withdrawn(desk, tried, intent, fence, why)
        now = desk.clock.now()
        try:
            desk.journal.send(now, name, fence, now + desk.terms.answer)
        except (Halted, Locked, StillOpen) as error:
            return _withdrawn(desk, tried, intent, fence, str(error))
        answer = desk.broker.submit(new)
        answered(desk, intent.key.account, name, answer)
        if isinstance(answer, Refused):
            return _after_refusal(desk, tried, name, answer)
        if not isinstance(answer, NotSent):
            return Tried(wish, order=name, checks=tried.checks)
        why = f"{answer.why} ({answer.code})"
        desk.clock.sleep(answer.wait_s)
    return _withdrawn(desk, tried, intent, fence, f"it could not be sent in {desk.terms.send_again + 1} tries: {why}")


def answered(desk: Desk, account: str, name: str, answer: Answer) -> None:
    """Write the answer to an order down: whoever holds the account now, this is what the broker said."""
    kind, body = _said(answer)
    desk.journal.append(desk.clock.now(), kind, account=account, order=name, body=body)


def _said(answer: Answer) -> tuple[str, dict[str, Any]]:
    if isinstance(answer, Accepted):
        placed = answer.placed
        body = {"number": placed.number, "branch": placed.branch, "day": placed.day.isoformat(), "at": answer.at}
        return "ack", body
    if isinstance(answer, Refused):
        return "rejected", {"code": answer.code, "why": answer.why}
    if isinstance(answer, NotSent):
        return "not_sent", {"code": answer.code, "why": answer.why}
    return "unknown", {"why": answer.why}


def _withdrawn(desk: Desk, tried: Tried, intent: Intent, fence: int, why: str) -> Tried:
    """Take back what was written and certainly not sent, so that it can be made anew."""
    account, name = intent.key.account, intent.key.order
    desk.journal.append(desk.clock.now(), "withdrawn", account=account, order=name, body={"why": why}, fence=fence)
    return Tried(tried.wish, why=why, checks=tried.checks, stop=bool(why_stopped(desk, account, tried.wish.side)))


def _after_refusal(desk: Desk, tried: Tried, name: str, answer: Refused) -> Tried:
    """The broker may refuse because it is closed, whatever the calendar says: then no other order is spent on it."""
    state = desk.broker.market_state(tried.wish.ticker, desk.day())
    told = f"the broker refused it: {answer.why} ({answer.code})"
    if state.open is False:
        return Tried(tried.wish, order=name, why=f"{told}; {state.why}", checks=tried.checks, stop=True)
    return Tried(tried.wish, order=name, why=told, checks=tried.checks)
