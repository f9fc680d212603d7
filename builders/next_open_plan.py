"""Turns the signals into the orders for the next open, within the account's cash and the desk's limits."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

from quantassay.domain.market.price_rules import price_rules as rules_of
from quantassay.domain.planning import next_open as planning
from quantassay.domain.planning.costs import Costs
from quantassay.domain.planning.sizing import sizing

WON, DAILY, LATE = "KRW", "daily", "entry_session_past"
_REASON = ("because", "close_average", "momentum", "volume", "volume_average", "foreign_sum")
_CLOSE = ["followed_signals:/names/{ticker}/close"]
_PRICE = [*_CLOSE, "next_open:/collar", "price_rules:/ticks", "price_rules:/limits"]
_QUANTITY = [*_PRICE, "next_open:/quantity", "next_open:/limits/cash_per_trade", "account_snapshot:/holdings"]
ORIGINS = {
    "/plan_id": [
        "next_session:/market",
        "next_session:/session",
        "account_snapshot:/id",
        "followed_signals:/strategy/strategy",
    ],
    "/market": ["next_session:/market"],
    "/created_at": ["next_session:/as_of"],
    "/signal_session": ["followed_signals:/signal_session"],
    "/execution_session": ["next_session:/session"],
    "/opens_at": ["next_session:/opens_at"],
    "/account/*": ["account_snapshot:"],
    "/universe/**": ["followed_signals:/universe"],
    "/strategy/**": ["followed_signals:/strategy"],
    "/costs/*": ["next_session:"],
    "/buy_signals/*": ["followed_signals:/names"],
    "/sell_signals/*": ["followed_signals:/names"],
    "/orders/*/line": ["followed_signals:/names"],
    "/orders/*/ticker": ["followed_signals:/names/{ticker}/ticker"],
    "/orders/*/name": ["followed_signals:/names/{ticker}/name"],
    "/orders/*/side": ["followed_signals:/names/{ticker}/verdict"],
    "/orders/*/quantity": _QUANTITY,
    "/orders/*/reference_close": _CLOSE,
    "/orders/*/limit_low": [*_CLOSE, "price_rules:/limits", "price_rules:/ticks"],
    "/orders/*/limit_high": [*_CLOSE, "price_rules:/limits", "price_rules:/ticks"],
    "/orders/*/limit_price": _PRICE,
    "/orders/*/open_low": ["followed_signals:/names/{ticker}/open_low"],
    "/orders/*/open_high": ["followed_signals:/names/{ticker}/open_high"],
    "/orders/*/value": _QUANTITY,
    "/orders/*/fee": [*_QUANTITY, "next_session:/fee_bps"],
    "/orders/*/tax": [*_QUANTITY, "next_session:/sell_tax_bps"],
    "/orders/*/slippage": [*_QUANTITY, "next_session:/slippage_bps"],
    "/orders/*/reason/rule": ["followed_signals:/strategy/strategy", "followed_signals:/names/{ticker}/verdict"],
    **{f"/orders/*/reason/{name}/**": [f"followed_signals:/names/{{ticker}}/{name}"] for name in _REASON},
    "/skipped/*/ticker": ["followed_signals:/names/{ticker}/ticker"],
    "/skipped/*/name": ["followed_signals:/names/{ticker}/name"],
    "/skipped/*/side": ["followed_signals:/names/{ticker}/verdict", "account_snapshot:/holdings"],
    "/skipped/*/code": [
        "followed_signals:/names/{ticker}/doubt",
        "followed_signals:/names/{ticker}/code",
        "followed_signals:/entry_session",
        "account_snapshot:/holdings",
        "next_open:/limits",
    ],
    "/skipped/*/doubts/*": ["followed_signals:/names/{ticker}/doubts", "followed_signals:/names/{ticker}/because"],
    "/skipped/*/wanted": _QUANTITY,
    "/skipped/*/allowed": [
        "next_open:/limits",
        "account_snapshot:/cash",
        "followed_signals:/names/{ticker}/volume_average",
    ],
    "/budget/max_positions": ["next_open:/limits/max_positions"],
    "/budget/cash_per_trade": ["next_open:/limits/cash_per_trade"],
    "/budget/largest_turnover_share": ["next_open:/limits/largest_turnover_share"],
    "/budget/positions_before": ["account_snapshot:/holdings"],
    "/budget/positions_after": ["account_snapshot:/holdings", "followed_signals:/names"],
    "/budget/cash_before": ["account_snapshot:/cash"],
    "/budget/cash_buffer": ["account_snapshot:/cash", "next_open:/limits/cash_buffer"],
    "/budget/cash_reserved": ["followed_signals:/names", *_QUANTITY, "next_session:/fee_bps"],
    "/budget/cash_after": ["account_snapshot:/cash", "followed_signals:/names", *_QUANTITY],
}


def build(
    followed_signals: dict[str, Any],
    next_session: dict[str, Any],
    account_snapshot: dict[str, Any],
    next_open: dict[str, Any],
    price_rules: dict[str, Any],
) -> dict[str, Any]:
    """The plan; sells come before buys, each in the order of the signals.

    In a market without price rules, or for an account in other money than won, no order is made: each signal says so.
    """
    rows = followed_signals["names"]
    names = {(row["ticker"], row["is_entry"]): row for row in rows}
    account = planning.Account(account_snapshot["cash"], _holdings(account_snapshot))
    # In session the entry check is for the session that runs, and a plan is for one that can still be caught.
    late = followed_signals["entry_session"] not in (None, next_session["session"])
    candidates = [_candidate(row, late=late) for row in rows]
    if next_session["price_kind"] is None or account_snapshot["currency"] != WON:
        plan = planning.untraded(candidates, account)
    else:
        plan = planning.plan(candidates, account, sizing(next_open), _market(next_session, price_rules))
    strategy = followed_signals["strategy"]["strategy"]
    parts = (next_session["market"], next_session["session"], account_snapshot["id"], strategy)
    return {
        "plan_id": "-".join(parts),
        "account": {key: account_snapshot[key] for key in ("id", "environment", "currency", "as_of")},
        "market": next_session["market"],
        "created_at": next_session["as_of"],
        "signal_session": followed_signals["signal_session"],
        "execution_session": next_session["session"],
        "opens_at": next_session["opens_at"],
        "follow": followed_signals["follow"],
        "universe": followed_signals["universe"],
        "strategy": followed_signals["strategy"],
        "costs": {key: next_session[key] for key in ("fee_bps", "slippage_bps", "sell_tax_bps")},
        "buy_signals": [row["ticker"] for row in rows if row["verdict"] == planning.BUY],
        "sell_signals": [row["ticker"] for row in rows if row["verdict"] == planning.SELL],
        "orders": [
            _order(line, order, _of(names, order), _rule(followed_signals, order))
            for line, order in enumerate(plan.orders, 1)
        ],
        "skipped": [_skipped(one, _of(names, one)) for one in plan.skipped],
        "budget": _budget(plan, account, next_open),
    }


def _market(next_session: Mapping[str, Any], price_rules: Mapping[str, Any]) -> planning.Market:
    costs = Costs(next_session["fee_bps"], next_session["slippage_bps"], next_session["sell_tax_bps"])
    day = date.fromisoformat(next_session["session"])
    return planning.Market(rules_of(price_rules), next_session["price_kind"], day, costs)


def _of(
    names: Mapping[tuple[str, bool], Mapping[str, Any]], one: planning.Order | planning.Skipped
) -> Mapping[str, Any]:
    """The row behind an order or a skipped name: of a buy the entry, where entries have rows of their own."""
    return names.get((one.ticker, one.side == planning.BUY)) or names[one.ticker, False]


def _holdings(account_snapshot: Mapping[str, Any]) -> dict[str, int]:
    """Whole shares by ticker; a name that stands twice, bought in two lots, is one holding.

    A fraction of a share, as abroad, is held but cannot be planned with: it counts as one.
    """
    held: dict[str, int] = {}
    for row in account_snapshot["holdings"]:
        held[row["ticker"]] = held.get(row["ticker"], 0) + ceil(Fraction(row["quantity"]))
    return held


def _candidate(row: Mapping[str, Any], *, late: bool) -> planning.Candidate:
    volume, refused = row["volume_average"], None
    if row["is_entry"]:
        refused = row["code"] if row["verdict"] != planning.BUY else LATE if late else None
    return planning.Candidate(
        row["ticker"],
        row["verdict"],
        row["close"],
        None if volume is None else Fraction(volume),
        row["doubt"],
        is_entry=row["is_entry"],
        refused=refused,
        open_low=row["open_low"],
        open_high=row["open_high"],
    )


def _rule(followed_signals: Mapping[str, Any], order: planning.Order) -> str:
    """What decided the order: the strategy, but for a sell of the daily signals, which have sell rules of their own."""
    daily = followed_signals["follow"] == DAILY and order.side == planning.SELL
    return f"{DAILY if daily else followed_signals['strategy']['strategy']} {order.side}"


def _order(line: int, order: planning.Order, row: Mapping[str, Any], rule: str) -> dict[str, Any]:
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
        "open_low": order.open_low,
        "open_high": order.open_high,
        "value": order.value,
        "fee": order.fee,
        "tax": order.tax,
        "slippage": order.slippage,
        "reason": {"rule": rule, **{key: row[key] for key in _REASON}},
    }


def _skipped(one: planning.Skipped, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ticker": one.ticker,
        "name": row["name"],
        "side": one.side,
        "code": one.code,
        "doubts": _doubts(one, row),
        "wanted": one.wanted,
        "allowed": one.allowed,
    }


def _doubts(one: planning.Skipped, row: Mapping[str, Any]) -> list[str]:
    """What stands behind the code: why a holding is to be looked at, or what is wrong with the bars of a name."""
    if one.code == planning.REVIEWED:
        return list(row["because"])
    return list(row["doubts"]) if one.code == row["doubt"] else []


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
        "cash_after": account.cash - plan.cash_reserved if plan.cash_reserved else account.cash,
    }
