"""Turns the signals into the orders for the next open, within the account's cash and the desk's limits."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from quantassay.domain.market.price_rules import price_rules as rules_of
from quantassay.domain.planning import next_open as planning
from quantassay.domain.planning.costs import Costs
from quantassay.domain.planning.sizing import sizing

_REASON = ("because", "close_average", "momentum", "volume", "volume_average", "foreign_sum")
_CLOSE = ["signals:/names/{ticker}/close"]
_PRICE = [*_CLOSE, "next_open:/collar", "price_rules:/ticks", "price_rules:/limits"]
_QUANTITY = [*_PRICE, "next_open:/quantity", "next_open:/limits/cash_per_trade", "account_snapshot:/holdings"]
ORIGINS = {
    "/plan_id": ["next_session:/market", "next_session:/session", "account_snapshot:/id", "signals:/strategy/strategy"],
    "/market": ["next_session:/market"],
    "/created_at": ["next_session:/as_of"],
    "/signal_session": ["signals:/signal_session"],
    "/execution_session": ["next_session:/session"],
    "/opens_at": ["next_session:/opens_at"],
    "/account/*": ["account_snapshot:"],
    "/universe/**": ["signals:/universe"],
    "/strategy/**": ["signals:/strategy"],
    "/costs/*": ["next_session:"],
    "/buy_signals/*": ["signals:/names"],
    "/sell_signals/*": ["signals:/names"],
    "/orders/*/line": ["signals:/names"],
    "/orders/*/ticker": ["signals:/names/{ticker}/ticker"],
    "/orders/*/name": ["signals:/names/{ticker}/name"],
    "/orders/*/side": ["signals:/names/{ticker}/verdict"],
    "/orders/*/quantity": _QUANTITY,
    "/orders/*/reference_close": _CLOSE,
    "/orders/*/limit_low": [*_CLOSE, "price_rules:/limits", "price_rules:/ticks"],
    "/orders/*/limit_high": [*_CLOSE, "price_rules:/limits", "price_rules:/ticks"],
    "/orders/*/limit_price": _PRICE,
    "/orders/*/value": _QUANTITY,
    "/orders/*/fee": [*_QUANTITY, "next_session:/fee_bps"],
    "/orders/*/tax": [*_QUANTITY, "next_session:/sell_tax_bps"],
    "/orders/*/slippage": [*_QUANTITY, "next_session:/slippage_bps"],
    "/orders/*/reason/rule": ["signals:/strategy/strategy", "signals:/names/{ticker}/verdict"],
    **{f"/orders/*/reason/{name}/**": [f"signals:/names/{{ticker}}/{name}"] for name in _REASON},
    "/skipped/*/ticker": ["signals:/names/{ticker}/ticker"],
    "/skipped/*/name": ["signals:/names/{ticker}/name"],
    "/skipped/*/side": ["signals:/names/{ticker}/verdict", "account_snapshot:/holdings"],
    "/skipped/*/code": ["signals:/names/{ticker}/doubt", "account_snapshot:/holdings", "next_open:/limits"],
    "/skipped/*/doubts/*": ["signals:/names/{ticker}/doubts"],
    "/skipped/*/wanted": _QUANTITY,
    "/skipped/*/allowed": ["next_open:/limits", "account_snapshot:/cash", "signals:/names/{ticker}/volume_average"],
    "/budget/max_positions": ["next_open:/limits/max_positions"],
    "/budget/cash_per_trade": ["next_open:/limits/cash_per_trade"],
    "/budget/largest_turnover_share": ["next_open:/limits/largest_turnover_share"],
    "/budget/positions_before": ["account_snapshot:/holdings"],
    "/budget/positions_after": ["account_snapshot:/holdings", "signals:/names"],
    "/budget/cash_before": ["account_snapshot:/cash"],
    "/budget/cash_buffer": ["account_snapshot:/cash", "next_open:/limits/cash_buffer"],
    "/budget/cash_reserved": ["signals:/names", *_QUANTITY, "next_session:/fee_bps"],
    "/budget/cash_after": ["account_snapshot:/cash", "signals:/names", *_QUANTITY],
}


def build(
    signals: dict[str, Any],
    next_session: dict[str, Any],
    account_snapshot: dict[str, Any],
    next_open: dict[str, Any],
    price_rules: dict[str, Any],
) -> dict[str, Any]:
    """The plan; sells come before buys, each in universe order."""
    names = {row["ticker"]: row for row in signals["names"]}
    account = planning.Account(account_snapshot["cash"], _holdings(account_snapshot))
    market = planning.Market(
        rules_of(price_rules),
        next_session["price_kind"],
        date.fromisoformat(next_session["session"]),
        Costs(next_session["fee_bps"], next_session["slippage_bps"], next_session["sell_tax_bps"]),
    )
    plan = planning.plan([_candidate(row) for row in signals["names"]], account, sizing(next_open), market)
    strategy = signals["strategy"]["strategy"]
    parts = (next_session["market"], next_session["session"], account_snapshot["id"], strategy)
    return {
        "plan_id": "-".join(parts),
        "account": {key: account_snapshot[key] for key in ("id", "environment", "currency", "as_of")},
        "market": next_session["market"],
        "created_at": next_session["as_of"],
        "signal_session": signals["signal_session"],
        "execution_session": next_session["session"],
        "opens_at": next_session["opens_at"],
        "universe": signals["universe"],
        "strategy": signals["strategy"],
        "costs": {key: next_session[key] for key in ("fee_bps", "slippage_bps", "sell_tax_bps")},
        "buy_signals": [ticker for ticker, row in names.items() if row["verdict"] == planning.BUY],
        "sell_signals": [ticker for ticker, row in names.items() if row["verdict"] == planning.SELL],
        "orders": [_order(line, order, names[order.ticker], strategy) for line, order in enumerate(plan.orders, 1)],
        "skipped": [_skipped(one, names[one.ticker]) for one in plan.skipped],
        "budget": _budget(plan, account, next_open),
    }


def _holdings(account_snapshot: Mapping[str, Any]) -> dict[str, int]:
    """Shares by ticker; a name that stands twice, bought in two lots, is one holding."""
    held: dict[str, int] = {}
    for row in account_snapshot["holdings"]:
        held[row["ticker"]] = held.get(row["ticker"], 0) + row["quantity"]
    return held


def _candidate(row: Mapping[str, Any]) -> planning.Candidate:
    volume = row["volume_average"]
    return planning.Candidate(
        row["ticker"], row["verdict"], row["close"], None if volume is None else Fraction(volume), row["doubt"]
    )


def _order(line: int, order: planning.Order, row: Mapping[str, Any], strategy: str) -> dict[str, Any]:
    return {
        "line": line,
        "ticker": order.ticker,
        "name": row["name"],
        "side": order.side,
        "quantity": order.quantity,
        "reference_close": order.reference_close,
        "limit_low": order.band.lower,
        "limit_high": order.band.upper,
        "limit_price": order.limit_price,
        "value": order.value,
        "fee": order.fee,
        "tax": order.tax,
        "slippage": order.slippage,
        "reason": {"rule": f"{strategy} {order.side}", **{key: row[key] for key in _REASON}},
    }


def _skipped(one: planning.Skipped, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ticker": one.ticker,
        "name": row["name"],
        "side": one.side,
        "code": one.code,
        "doubts": row["doubts"] if one.code == row["doubt"] else [],
        "wanted": one.wanted,
        "allowed": one.allowed,
    }


def _budget(plan: planning.Plan, account: planning.Account, next_open: Mapping[str, Any]) -> dict[str, Any]:
    limits = next_open["limits"]
    return {
        "max_positions": limits["max_positions"],
        "positions_before": sum(quantity > 0 for quantity in account.holdings.values()),
        "positions_after": plan.positions_after,
        "cash_per_trade": limits["cash_per_trade"],
        "largest_turnover_share": limits["largest_turnover_share"],
        "count_on_sells": next_open["count_on_sells"],
        "cash_before": account.cash,
        "cash_buffer": plan.cash_buffer,
        "cash_reserved": plan.cash_reserved,
        "cash_after": account.cash - plan.cash_reserved,
    }
