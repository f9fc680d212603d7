"""Carry out a plan: sells first, buys for the money that is then there, each order once, and every end waited for.

Nothing is remembered here between two steps. What to do next follows from the plan, the journal and the broker, so a
process that was killed anywhere and started again goes on where the orders stand.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading import limits, lines, scaling
from quantassay.domain.trading.book import Side
from quantassay.domain.trading.lines import Line
from quantassay.domain.trading.orders import LIVE, TERMINAL, State
from quantassay.jobs import reconcile, watching
from quantassay.jobs.readings import Sparing
from quantassay.jobs.sending import Tried, judged, place, why_stopped
from quantassay.jobs.trading_desk import Desk, Work

COMPLETE, INCOMPLETE = "complete", "incomplete"
_WORDS = {
    State.FILLED: "filled",
    State.REJECTED: "refused",
    State.CANCELLED: "cancelled",
    State.ACK: "standing",
    State.PARTIAL: "standing",
    State.UNKNOWN: "unknown",
    State.SENT: "unknown",
}


@dataclass(frozen=True, slots=True)
class Told:
    """How a line of the plan stands: `filled`, `left_out`, `cancelled`, `refused`, `standing`, `unknown` or `not_sent`.

    `ordered` and `filled` are shares, `order` is the name in the journal; a dry run says `would_send` and its checks.
    """

    line: Line
    state: str
    ordered: int
    why: str
    checks: tuple[limits.Check, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the line ended as it should: filled, or left out on purpose."""
        return self.state in ("filled", "left_out", "would_send")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: each line, why it stopped before its end (empty where it did not), names in a break.

    `sent` counts the orders that this process sent; `done` says that the plan is finished and will not be begun again.
    """

    work: Work
    told: tuple[Told, ...]
    stopped: str
    breaks: Mapping[str, str]
    sent: int
    done: bool

    @property
    def ok(self) -> bool:
        """Whether every line is filled or was left out on purpose, and nothing is in doubt."""
        return not self.breaks and all(one.is_settled for one in self.told)


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of a run so far: each line that was tried, why no more is known of an order, why no buy followed."""

    tried: Mapping[int, Tried]
    whys: Mapping[str, str]
    stopped: str


def execute(work: Work, desk: Desk, fence: int) -> Outcome:
    """Carry the plan out under a lease of its account, or go on with it.

    Raises Unreadable where the account cannot be read before the first order, Fenced where another process takes the
    account, and what the journal and the reconciliation raise; whatever was sent until then stands in the journal.
    """
    whys = watching.recover(desk, work.account, fence)
    ground = reconcile.Ground(work.account, desk.journal, desk.clock, desk.reconciling, fence)
    first = reconcile.reconcile(ground, Sparing(desk.broker))
    _begin(work, desk, fence)
    before = desk.journal.head()
    tried = _phase(work, desk, fence, "sell")
    whys |= watching.wait(desk, work.account, "sell", fence)
    stopped = next((one.why for one in tried.values() if one.stop), "") or _why_no_buys(work, desk)
    if not stopped and (desk.journal.head() != before or first.unfinished or first.breaks):
        stopped = _why_unpaid(ground, work, desk)
    if not stopped:
        tried |= _phase(work, desk, fence, "buy")
        whys |= watching.wait(desk, work.account, "buy", fence)
    if desk.journal.head() != before:
        _read_again(ground, desk)
    return _end(work, desk, fence, _Came(tried, whys, stopped))


def rehearse(work: Work, desk: Desk) -> Outcome:
    """What `execute` would do first, up to the last call: real inputs, every check, and nothing sent or written.

    Buys are cut down to the money that is there now, whatever the sells may bring. Raises Unreadable.
    """
    ground = reconcile.Ground(work.account, desk.journal, desk.clock, desk.reconciling)
    found = reconcile.looked_at(ground, desk.broker)
    tried: dict[int, Tried] = {}
    for side in ("sell", "buy"):
        todo = _todo(work, desk, side)
        if side == "buy" and work.reduce_only:
            tried |= {line.wish.line: _left_out(line, limits.not_wanted()) for line in todo}
            break
        cash = _budget(work, desk, todo) if side == "buy" else 0
        for line, quantity in _cut(work, desk, todo, cash):
            tried[line.wish.line] = _rehearsed(work, desk, line, quantity, cash)
            if side == "buy" and not tried[line.wish.line].why:
                cash -= limits.cost(quantity, line.wish.limit_price, work.fee_bps)
    told = tuple(_told(line, tried.get(line.wish.line), "") for line in _lines(work, desk))
    return Outcome(work, told, "", found.breaks, 0, done=False)


def _rehearsed(work: Work, desk: Desk, line: Line, quantity: int, cash: int) -> Tried:
    if quantity == 0:
        return _left_out(line, limits.unpaid(line.wish.quantity, cash))
    return judged(desk, work, replace(line.wish, quantity=quantity), cash)


def _begin(work: Work, desk: Desk, fence: int) -> None:
    """Write down that the plan is begun, with all of it, or that it is gone on with."""
    begun = desk.journal.desk().runs.get((work.account, work.plan))
    body = {
        "plan": work.plan,
        "plan_id": work.data["plan_id"],
        "session": work.data["execution_session"],
        "record": work.record,
        "data": {} if begun else dict(work.data),
        "certificate": {name: str(value) for name, value in asdict(desk.broker.certificate).items()},
        "continued": begun is not None,
        "reduce_only": work.reduce_only,
    }
    desk.journal.append(desk.clock.now(), "run_started", account=work.account, body=body, fence=fence)


def _lines(work: Work, desk: Desk) -> tuple[Line, ...]:
    return lines.lines(work.wishes, work.account, work.plan, desk.journal.orders(work.account))


def _todo(work: Work, desk: Desk, side: Side) -> list[Line]:
    """The lines of a side for which an order may be made now."""
    mine = [line for line in _lines(work, desk) if line.wish.side == side]
    return [line for line in mine if lines.next_attempt(line, go_on=work.go_on) is not None]


def _phase(work: Work, desk: Desk, fence: int, side: Side) -> dict[int, Tried]:
    """Try every line of one side that is to be sent, until something stops all of them."""
    todo, tried = _todo(work, desk, side), {}
    if side == "buy" and work.reduce_only:
        return {line.wish.line: _left_out(line, limits.not_wanted()) for line in todo}
    if stopped := why_stopped(desk, work.account, side) if todo else "":
        return {line.wish.line: Tried(line.wish, why=stopped, stop=True) for line in todo}
    try:
        cash = _budget(work, desk, todo) if side == "buy" else 0
    except Unreadable as error:
        return {line.wish.line: Tried(line.wish, why=str(error)) for line in todo}
    for line, quantity in _cut(work, desk, todo, cash):
        one = _tried(work, desk, (line, quantity), (fence, cash))
        tried[line.wish.line] = one
        if side == "buy" and one.order:
            cash -= limits.cost(quantity, line.wish.limit_price, work.fee_bps)
        if one.stop:
            break
    return tried


def _tried(work: Work, desk: Desk, what: tuple[Line, int], lease: tuple[int, int]) -> Tried:
    line, quantity = what
    if quantity == 0:
        return _left_out(line, limits.unpaid(line.wish.quantity, lease[1]))
    attempt = lines.next_attempt(line, go_on=work.go_on) or 1
    return place(desk, work, replace(line.wish, quantity=quantity), attempt, lease)


def _left_out(line: Line, check: limits.Check) -> Tried:
    return Tried(line.wish, why=f"{check.rule} {check.says}", checks=(check,))


def _budget(work: Work, desk: Desk, todo: Sequence[Line]) -> int:
    """What the buys may cost, nothing lent, and without what the plan keeps back. Raises Unreadable."""
    if not todo:
        return 0
    first = todo[0].wish
    free = desk.broker.orderable(first.ticker, first.limit_price).cash
    return min(free, desk.newest_book().cash) - int(work.data["budget"]["cash_buffer"])


def _cut(work: Work, desk: Desk, todo: Sequence[Line], cash: int) -> list[tuple[Line, int]]:
    """Each line with the shares to order: of buys those that the money pays for, names that are locked left aside."""
    most = {line.wish.line: lines.most(line) for line in todo}
    locked = desk.journal.desk().locked(work.account, desk.journal.orders(work.account))
    buys = [line for line in todo if line.wish.side == "buy" and line.wish.ticker not in locked]
    planned = [scaling.Buy(line.wish.ticker, most[line.wish.line], line.wish.limit_price) for line in buys]
    cut = scaling.adjust_buy_quantities(planned, cash, work.fee_bps)
    most |= {line.wish.line: quantity for line, quantity in zip(buys, cut, strict=True)}
    return [(line, most[line.wish.line]) for line in todo]


def _standing(work: Work, desk: Desk, side: Side) -> list[str]:
    """The names of this plan's orders of a side that have not ended."""
    mine = [line for line in _lines(work, desk) if line.wish.side == side and line.order is not None]
    return [line.name for line in mine if line.order is not None and line.order.state in LIVE]


def _why_no_buys(work: Work, desk: Desk) -> str:
    """Why no buy may follow now, empty where all sells have ended."""
    standing = _standing(work, desk, "sell")
    if not standing:
        return ""
    return f"no buy is sent before every sell has ended, and these have not: {', '.join(standing)}"


def _why_unpaid(ground: reconcile.Ground, work: Work, desk: Desk) -> str:
    """Read the account again, until it shows our fills; why the buys may not be cut to the money that it shows.

    The money of a sell may show later than its fill, and a buy that is cut down for it would stay so.
    """
    try:
        seen = reconcile.reconcile(ground, Sparing(desk.broker), desk.terms.looking.settle.total_seconds())
        odd = sorted({*seen.breaks, *seen.unfinished})
        todo = _todo(work, desk, "buy") if odd else []
        wanted = sum(limits.cost(lines.most(line), line.wish.limit_price, work.fee_bps) for line in todo)
        if wanted <= _budget(work, desk, todo):
            return ""
    except Unreadable as error:
        return str(error)
    return (
        f"the account does not show {', '.join(odd)} as our orders left it, so no buy is cut to the money that it "
        "shows; run this again, and see `assay reconcile`"
    )


def _read_again(ground: reconcile.Ground, desk: Desk) -> None:
    """Read and reconcile the account at the end of a run; what cannot be read now is read by the next."""
    with contextlib.suppress(Unreadable):
        reconcile.reconcile(ground, Sparing(desk.broker))


def _end(work: Work, desk: Desk, fence: int, came: _Came) -> Outcome:
    """How every line stands, and the plan written down as finished where nothing of it can be done any more."""
    tried = came.tried
    stopped = came.stopped or next((one.why for one in tried.values() if one.stop), "")
    told = tuple(
        _told(line, tried.get(line.wish.line), came.whys.get(line.name, stopped)) for line in _lines(work, desk)
    )
    breaks = {one.ticker: one.why for (owner, _), one in desk.journal.desk().breaks.items() if owner == work.account}
    sent = sum(bool(one.order) for one in tried.values())
    outcome = Outcome(work, told, stopped, breaks, sent, done=_is_over(desk, told))
    if outcome.done:
        body = {
            "plan": work.plan,
            "outcome": COMPLETE if all(one.is_settled for one in told) else INCOMPLETE,
            "lines": [
                {"line": one.line.wish.line, "state": one.state, "ordered": one.ordered, "why": one.why} for one in told
            ],
        }
        desk.journal.append(desk.clock.now(), "run_done", account=work.account, body=body, fence=fence)
    return outcome


def _is_over(desk: Desk, told: Sequence[Told]) -> bool:
    """Whether nothing more can be done: each line has ended, or the session has and no order stands."""
    if any(one.state in ("standing", "unknown") for one in told):
        return False
    return bool(desk.has_closed()) or not any(one.state == "not_sent" for one in told)


def _told(line: Line, tried: Tried | None, otherwise: str) -> Told:
    """How a line stands by its newest order, and where there is none, by what was said when it was tried."""
    order, checks = line.order, tried.checks if tried else ()
    if order is not None and not lines.was_never_sent(order):
        why = "" if order.state is State.FILLED else order.why if order.state in TERMINAL else otherwise or order.why
        return Told(line, _WORDS[order.state], order.intent.quantity, why, checks)
    if tried is not None and not tried.why:
        return Told(line, "would_send", tried.wish.quantity, "", checks)
    if tried is not None and tried.is_deliberate:
        return Told(line, "left_out", 0, tried.why, checks)
    why = tried.why if tried else otherwise or (order.why if order is not None else "")
    return Told(line, "not_sent", 0, why, checks)
