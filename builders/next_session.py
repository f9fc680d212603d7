"""Says for which session orders can still be given, when it opens, and what trading in it costs."""

from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.planning.costs import costs_on

ORIGINS = {
    "/as_of": ["as_of:"],
    "/market": ["trading_calendar:/market"],
    "/session": ["as_of:", "trading_calendar:/sessions"],
    "/opens_at": ["trading_calendar:/special_sessions", "trading_calendar:/regular_hours"],
    "/price_kind": ["quality_limits:/price_kind"],
    "/fee_bps": ["costs:/fee_bps"],
    "/slippage_bps": ["costs:/slippage_bps"],
    "/sell_tax_bps": ["costs:/sell_tax"],
}


def build(
    as_of: str, trading_calendar: dict[str, Any], costs: dict[str, Any], quality_limits: dict[str, Any]
) -> dict[str, Any]:
    """The first session that opens after `as_of`, with the rates in force on it and the kind of paper traded.

    A market without a kind has no rules for prices, so no orders are made for it, and it has no rates either.
    """
    cal = sessions.calendar(trading_calendar)
    session = sessions.next_to_open(cal, sessions.instant(as_of))
    kind = quality_limits["price_kind"].get(trading_calendar["market"])
    rates = None if kind is None else costs_on(costs, session)
    return {
        "as_of": as_of,
        "market": trading_calendar["market"],
        "session": session.isoformat(),
        "opens_at": sessions.hours(cal, session).open.isoformat(),
        "price_kind": kind,
        "fee_bps": None if rates is None else rates.fee_bps,
        "slippage_bps": None if rates is None else rates.slippage_bps,
        "sell_tax_bps": None if rates is None else rates.sell_tax_bps,
    }
