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
    followed_signals: dict[str, Any],
    next_session: dict[str, Any],
    account_snapshot: dict[str, Any],
    next_open: dict[str, Any],
    price_rules: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of the plan."""
    held: dict[str, int] = {}
    for row in account_snapshot["holdings"]:
        if _up(Decimal(row["quantity"])):
            held[row["ticker"]] = held.get(row["ticker"], 0) + _up(Decimal(row["quantity"]))
    cash, limits = account_snapshot["cash"], next_open["limits"]
    traded = next_session["price_kind"] is not None and account_snapshot["currency"] == "KRW"
    draft = _Draft(_rules(followed_signals), next_session, next_open, price_rules if traded else {})
    names = [
        _in_time(row, followed_signals["entry_session"], next_session["session"]) for row in followed_signals["names"]
    ]
    buffer = _up(Decimal(cash) * Decimal(limits["cash_buffer"])) if traded else 0
    if traded:
        _fill(draft, names, held, cash - buffer)
    else:
        for row in names:
            draft.refuse(row)
    buys = [order for order in draft.orders if order["side"] == "buy"]
    spent = sum(order["value"] + order["fee"] for order in buys)
    expected = {
        **_head(followed_signals, next_session, account_snapshot),
        "orders": draft.orders,
        "skipped": draft.skipped,
        "budget": {
            **{name: limits[name] for name in LIMITS},
            "count_on_sells": next_open["count_on_sells"],
            "positions_before": len(held),
            "positions_after": len(held) - (len(draft.orders) - len(buys)) + len(buys),
            "cash_before": cash,
            "cash_buffer": buffer,
            "cash_reserved": spent,
            "cash_after": cash - spent if buys else cash,
        },
    }
    yield from agree(next_open_plan, expected, SAYS)


def _in_time(row: dict[str, Any], checked_for: str | None, session: str) -> dict[str, Any]:
    """The row; an entry that was checked for a session that the plan is not for is none."""
    if not row["is_entry"] or row["verdict"] != "buy" or checked_for == session:
        return row
    return {**row, "verdict": "none", "code": "entry_session_past"}


def _rules(followed: dict[str, Any]) -> dict[str, str]:
    strategy = followed["strategy"]["strategy"]
    seller = "daily" if followed["follow"] == "daily" else strategy
    return {"buy": f"{strategy} buy", "sell": f"{seller} sell"}


def _fill(draft: "_Draft", names: list[dict[str, Any]], held: dict[str, int], cash: int) -> None:
    """The sells, then the buys with the cash and the places that are left."""
    next_open = draft.next_open
    for row in names:
        if not row["is_entry"]:
            draft.sell(row, held.get(row["ticker"], 0))
    draft.cash, draft.places = cash, next_open["limits"]["max_positions"] - len(held)
    if next_open["count_on_sells"]:
        draft.cash += sum(order["value"] - order["fee"] - order["tax"] for order in draft.orders)
        draft.places += len(draft.orders)
    for row in names:
        if row["verdict"] == "buy" or row["is_entry"]:
            draft.buy(row, is_held=row["ticker"] in held)


def _head(followed: dict[str, Any], next_session: dict[str, Any], account_snapshot: dict[str, Any]) -> dict[str, Any]:
    market, session, account = next_session["market"], next_session["session"], account_snapshot["id"]
    verdicts = [(row["ticker"], row["verdict"]) for row in followed["names"]]
    return {
        "plan_id": f"{market}-{session}-{account}-{followed['strategy']['strategy']}",
        "account": {name: account_snapshot[name] for name in ("id", "environment", "currency", "as_of")},
        "market": market,
        "created_at": next_session["as_of"],
        "signal_session": followed["signal_session"],
        "execution_session": session,
        "opens_at": next_session["opens_at"],
        "follow": followed["follow"],
        "universe": followed["universe"],
        "strategy": followed["strategy"],
        "costs": {name: next_session[name] for name in RATES},
        "buy_signals": [ticker for ticker, verdict in verdicts if verdict == "buy"],
        "sell_signals": [ticker for ticker, verdict in verdicts if verdict == "sell"],
    }


class _Draft:
    """The orders as they come up, with what cash and places are left for buys."""

    def __init__(
        self,
        rules: dict[str, str],
        next_session: dict[str, Any],
        next_open: dict[str, Any],
        price_rules: dict[str, Any],
    ) -> None:
        self.rules = rules
        self.next_open = next_open
        self.orders: list[dict[str, Any]] = []
        self.skipped: list[dict[str, Any]] = []
        self.cash = self.places = 0
        if not price_rules:
            return
        self.rates = [Decimal(next_session[name]) / 10_000 for name in RATES]
        kind, day = price_rules["kinds"][next_session["price_kind"]], next_session["session"]
        self.ticks = _in_force(price_rules["ticks"][kind["ticks"]], day)["rows"]
        self.percent = _in_force(price_rules["limits"][kind["limits"]], day)["percent"]

    def refuse(self, row: dict[str, Any]) -> None:
        """Put every signal aside: nobody has rules for the prices or the money of this market."""
        if row["is_entry"]:
            self._skip(row, "buy", "market_not_traded" if row["verdict"] == "buy" else row["code"])
        elif row["verdict"] == "review":
            self._skip(row, "sell", "sell_review")
        elif row["verdict"] in ("buy", "sell"):
            self._skip(row, row["verdict"], "market_not_traded")

    def sell(self, row: dict[str, Any], quantity: int) -> None:
        """Sell the whole holding where the verdict says so; a held name in doubt is put aside whatever it says."""
        if not quantity:
            if row["verdict"] in ("sell", "review"):
                self._skip(row, "sell", "not_held")
        elif row["doubt"] or row["verdict"] == "no_data" or row["close"] is None:
            self._skip(row, "sell", row["doubt"] or "no_data")
        elif row["verdict"] == "review":
            self._skip(row, "sell", "sell_review")
        elif row["verdict"] == "sell":
            least = max(_up(row["close"] * (1 - Decimal(self.next_open["collar"]["sell"]))), 1)
            while least % self._tick(least):
                least += 1
            self.orders.append(self._order(row, "sell", quantity, least))

    def buy(self, row: dict[str, Any], *, is_held: bool) -> None:
        """Buy unless something speaks against it; the first reason counts."""
        limits, quantity = self.next_open["limits"], self.next_open["quantity"]
        if row["verdict"] != "buy" or is_held:
            return self._skip(row, "buy", "already_held" if row["verdict"] == "buy" else row["code"])
        if row["doubt"] or row["close"] is None or row["volume_average"] is None:
            return self._skip(row, "buy", row["doubt"] or "no_data")
        most = _down(row["close"] * (1 + Decimal(self.next_open["collar"]["buy"])))
        most = min(most, row["open_high"] or most)
        while most % self._tick(most):
            most -= 1
        number = quantity["fixed"] if quantity["mode"] == "fixed" else max(1, limits["cash_per_trade"] // most)
        order = self._order(row, "buy", number, most)
        largest = _down(Decimal(row["volume_average"]) * Decimal(limits["largest_turnover_share"]))
        cost = order["value"] + order["fee"]
        order["open_low"], order["open_high"] = row["open_low"], row["open_high"]
        if (row["open_low"] or 0) > order["limit_price"]:
            return self._skip(row, "buy", "band_beyond_limit", row["open_low"], order["limit_price"])
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
            "open_low": None,
            "open_high": None,
            "value": quantity * price,
            "fee": _up(quantity * price * fee),
            "tax": _up(quantity * price * tax) if side == "sell" else 0,
            "slippage": _up(quantity * close * slippage),
            "reason": {"rule": self.rules[side], **{name: row[name] for name in EVIDENCE}},
        }

    def _skip(
        self, row: dict[str, Any], side: str, code: str, wanted: int | None = None, allowed: int | None = None
    ) -> None:
        doubts = row["doubts"] if row["doubt"] == code else []
        if code == "sell_review":
            doubts = row["because"]
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
