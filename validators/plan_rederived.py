"""The whole plan is worked out a second time, and every order, skipped name and total must come out the same.

An order that nobody can work out again is an order that nobody decided.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R03.1"]
SAYS = "is not what the signals, the account and the limits give"
RATES = ("fee_bps", "slippage_bps", "sell_tax_bps")
LIMITS = ("max_positions", "cash_per_trade", "largest_turnover_share")
EVIDENCE = ("because", "close_average", "momentum", "volume", "volume_average", "foreign_sum")


def check(
    next_open_plan: dict[str, Any],
    signals: dict[str, Any],
    next_session: dict[str, Any],
    account_snapshot: dict[str, Any],
    next_open: dict[str, Any],
    price_rules: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of the plan."""
    held: dict[str, int] = {}
    for row in account_snapshot["holdings"]:
        if row["quantity"]:
            held[row["ticker"]] = held.get(row["ticker"], 0) + row["quantity"]
    draft = _Draft(signals["strategy"]["strategy"], next_session, next_open, price_rules)
    for row in signals["names"]:
        draft.sell(row, held.get(row["ticker"], 0))
    sells = list(draft.orders)
    buffer = _up(Decimal(account_snapshot["cash"]) * Decimal(next_open["limits"]["cash_buffer"]))
    draft.cash = account_snapshot["cash"] - buffer
    draft.places = next_open["limits"]["max_positions"] - len(held)
    if next_open["count_on_sells"]:
        draft.cash += sum(order["value"] - order["fee"] - order["tax"] for order in sells)
        draft.places += len(sells)
    for row in signals["names"]:
        if row["verdict"] == "buy":
            draft.buy(row, is_held=row["ticker"] in held)
    buys = draft.orders[len(sells) :]
    spent = sum(order["value"] + order["fee"] for order in buys)
    expected = {
        **_head(signals, next_session, account_snapshot),
        "orders": draft.orders,
        "skipped": draft.skipped,
        "budget": {
            **{name: next_open["limits"][name] for name in LIMITS},
            "count_on_sells": next_open["count_on_sells"],
            "positions_before": len(held),
            "positions_after": len(held) - len(sells) + len(buys),
            "cash_before": account_snapshot["cash"],
            "cash_buffer": buffer,
            "cash_reserved": spent,
            "cash_after": account_snapshot["cash"] - spent,
        },
    }
    yield from agree(next_open_plan, expected, SAYS)


def _head(signals: dict[str, Any], next_session: dict[str, Any], account_snapshot: dict[str, Any]) -> dict[str, Any]:
    market, session, account = next_session["market"], next_session["session"], account_snapshot["id"]
    verdicts = [(row["ticker"], row["verdict"]) for row in signals["names"]]
    return {
        "plan_id": f"{market}-{session}-{account}-{signals['strategy']['strategy']}",
        "account": {name: account_snapshot[name] for name in ("id", "environment", "currency", "as_of")},
        "market": market,
        "created_at": next_session["as_of"],
        "signal_session": signals["signal_session"],
        "execution_session": session,
        "opens_at": next_session["opens_at"],
        "universe": signals["universe"],
        "strategy": signals["strategy"],
        "costs": {name: next_session[name] for name in RATES},
        "buy_signals": [ticker for ticker, verdict in verdicts if verdict == "buy"],
        "sell_signals": [ticker for ticker, verdict in verdicts if verdict == "sell"],
    }


class _Draft:
    """The orders as they come up, with what cash and places are left for buys."""

    def __init__(
        self, strategy: str, next_session: dict[str, Any], next_open: dict[str, Any], price_rules: dict[str, Any]
    ) -> None:
        self.strategy = strategy
        self.rates = [Decimal(next_session[name]) / 10_000 for name in RATES]
        self.next_open = next_open
        kind, day = price_rules["kinds"][next_session["price_kind"]], next_session["session"]
        self.ticks = _in_force(price_rules["ticks"][kind["ticks"]], day)["rows"]
        self.percent = _in_force(price_rules["limits"][kind["limits"]], day)["percent"]
        self.orders: list[dict[str, Any]] = []
        self.skipped: list[dict[str, Any]] = []
        self.cash = self.places = 0

    def sell(self, row: dict[str, Any], quantity: int) -> None:
        """Sell the whole holding where the verdict says so; a held name in doubt is put aside whatever it says."""
        if not quantity:
            if row["verdict"] == "sell":
                self._skip(row, "sell", "not_held")
        elif row["doubt"] or row["verdict"] == "no_data" or row["close"] is None:
            self._skip(row, "sell", row["doubt"] or "no_data")
        elif row["verdict"] == "sell":
            least = max(_up(row["close"] * (1 - Decimal(self.next_open["collar"]["sell"]))), 1)
            while least % self._tick(least):
                least += 1
            self.orders.append(self._order(row, "sell", quantity, least))

    def buy(self, row: dict[str, Any], *, is_held: bool) -> None:
        """Buy unless something speaks against it; the first reason counts."""
        limits, quantity = self.next_open["limits"], self.next_open["quantity"]
        if is_held:
            return self._skip(row, "buy", "already_held")
        if row["doubt"] or row["close"] is None or row["volume_average"] is None:
            return self._skip(row, "buy", row["doubt"] or "no_data")
        most = _down(row["close"] * (1 + Decimal(self.next_open["collar"]["buy"])))
        while most % self._tick(most):
            most -= 1
        number = quantity["fixed"] if quantity["mode"] == "fixed" else max(1, limits["cash_per_trade"] // most)
        order = self._order(row, "buy", number, most)
        largest = _down(Decimal(row["volume_average"]) * Decimal(limits["largest_turnover_share"]))
        cost = order["value"] + order["fee"]
        if order["value"] > limits["cash_per_trade"]:
            return self._skip(row, "buy", "order_value", order["value"], limits["cash_per_trade"])
        if order["quantity"] > largest:
            return self._skip(row, "buy", "turnover_share", order["quantity"], largest)
        if self.places < 1:
            return self._skip(row, "buy", "max_positions", 1, self.places)
        if cost > self.cash:
            return self._skip(row, "buy", "cash", cost, self.cash)
        self.orders.append(order)
        self.places -= 1
        self.cash -= cost
        return None

    def _order(self, row: dict[str, Any], side: str, quantity: int, price: int) -> dict[str, Any]:
        close = row["close"]
        width = close * self.percent // 100
        width -= width % self._tick(close)
        low, high = close - width, close + width
        while low % self._tick(low):
            low += 1
        while high % self._tick(high):
            high -= 1
        price = sorted((low, price, high))[1]
        fee, slippage, tax = self.rates
        return {
            "line": len(self.orders) + 1,
            "ticker": row["ticker"],
            "name": row["name"],
            "side": side,
            "quantity": quantity,
            "reference_close": close,
            "limit_low": low,
            "limit_high": high,
            "limit_price": price,
            "value": quantity * price,
            "fee": _up(quantity * price * fee),
            "tax": _up(quantity * price * tax) if side == "sell" else 0,
            "slippage": _up(quantity * close * slippage),
            "reason": {"rule": f"{self.strategy} {side}", **{name: row[name] for name in EVIDENCE}},
        }

    def _skip(
        self, row: dict[str, Any], side: str, code: str, wanted: int | None = None, allowed: int | None = None
    ) -> None:
        doubts = row["doubts"] if row["doubt"] == code else []
        name = {"ticker": row["ticker"], "name": row["name"], "side": side}
        self.skipped.append({**name, "code": code, "doubts": doubts, "wanted": wanted, "allowed": allowed})

    def _tick(self, price: int) -> int:
        return int(next(row["tick"] for row in self.ticks if "below" not in row or price < row["below"]))


def _in_force(tables: list[dict[str, Any]], day: str) -> dict[str, Any]:
    return max((table for table in tables if table["from"] <= day), key=lambda table: str(table["from"]))


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))


def _down(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_FLOOR))
