"""What to do about an order that has not ended: wait for it, take it back, or leave it be until the next session."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from quantassay.domain.trading.orders import Order
from quantassay.domain.trading.terms import Terms


class Step(StrEnum):
    """What comes next for an order."""

    WAIT = "wait"
    CANCEL = "cancel"
    PARK = "park"


def step(order: Order, cancels: Sequence[datetime], now: datetime, closes: datetime, terms: Terms) -> Step:
    """The next step for an order at the broker, or perhaps there.

    `cancels` are the instants at which a cancel was sent for it, oldest first; `closes` is the end of its session. An
    order without a number cannot be taken back: it is looked for until its answer is long overdue. After the close a
    cancel is sent once, and never again: the order has lapsed by the next session.
    """
    sent = order.sent_at or order.changed_at
    if not order.number:
        return Step.WAIT if now < (order.deadline or sent) + terms.confirm else Step.PARK
    if not cancels:
        in_time = now < closes and now < sent + terms.fills[order.intent.side]
        return Step.WAIT if in_time else Step.CANCEL
    last = cancels[-1]
    # A cancel that was refused in the session mostly comes too late: the fill will show.
    if now < last + terms.confirm and (order.cancelling or last < closes):
        return Step.WAIT
    if now >= closes:
        return Step.PARK if last >= closes else Step.CANCEL
    return Step.CANCEL if len(cancels) < terms.cancel_again else Step.PARK
