"""An order of an earlier session is over: it was for that day, and what had not filled of it went with the day."""

from datetime import date
from typing import Any

from quantassay.domain.trading.evidence import Reading, bare
from quantassay.domain.trading.orders import LIVE, Order


def lapsed(order: Order, reading: Reading, today: date) -> dict[str, Any] | None:
    """The body of the event that ends an order of an earlier day; None where what had filled of it is not certain.

    Certain is what its row says, or holdings that have moved by just what is known to be filled.
    """
    if order.state not in LIVE or not order.number or reading.day.day.isoformat() != order.day:
        return None
    if reading.day.day >= today:
        return None
    rows = [row for row in reading.day.rows if bare(row.number) == bare(order.number) and not row.origin]
    known = all(row.filled == order.filled for row in rows) if rows else _moved(order, reading) == order.filled
    if not known:
        return None
    why = f"it was for {order.day}, and {order.remaining} of its shares had not filled"
    return {"filled": order.filled, "amount": order.amount, "estimated": order.estimated, "why": why}


def _moved(order: Order, reading: Reading) -> int | None:
    before = order.intent.before.get("held")
    if reading.book is None or before is None:
        return None
    moved = reading.book.held(order.intent.ticker) - before
    return moved if order.intent.side == "buy" else -moved
