"""Positions are what account and holdings file say: each ticker once, with its shares, its price and its details.

A position that is missing is never sold; one of another market is judged by the wrong bars.
"""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R13.1"]
SAYS = "is not what the account and spec/21_holdings.yaml say"
COPIED = ("entry_date", "notes")
EXCHANGES = (".NAS", ".NYS", ".AMS")


def check(
    positions: dict[str, Any],
    account_snapshot: dict[str, Any] | None,
    holdings: dict[str, Any],
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    universe: dict[str, Any],
) -> Iterator[Judged]:
    """Judges every position and every ticker set aside, field by field; what is doubtful is another gate's."""
    desk, names = trading_calendar["currency"], {row["ticker"]: row["name"] for row in universe["names"]}
    bars = {row["ticker"] for row in evaluation_bars["names"]}
    of_file = holdings.get("source", "file") == "file"
    lots = _of_file(holdings) if of_file else _of_account(account_snapshot)
    details, settings = {row["ticker"]: row for row in holdings["holdings"]}, holdings.get("settings", {})
    rows, aside = [], []
    alike = _alike(lots, details)
    for written in sorted((set(lots) | set(details)) - set(alike.values())):
        own = details.get(alike.get(written, written), {})
        shares, price, stated = lots.get(written, (None, None, own.get("entry_currency")))
        traded = _traded(written, stated, settings.get("default_currency"), desk)
        code = _code(shares, traded, desk)
        if code is not None or shares is None:
            place = "file" if of_file or written not in lots else "account"
            noted = _amount(own.get("quantity")) if shares is None else _plain(shares)
            if code == "not_in_account" and noted is not None and Decimal(noted) <= 0:
                code = "inactive"
            told = {"quantity": noted, "currency": traded}
            aside.append({"ticker": written, "code": code, "source": place, **told})
            continue
        ticker = _ticker(written, bars)
        rows.append(
            {
                "ticker": ticker,
                "written": written,
                "name": names.get(ticker),
                "quantity": _plain(shares),
                "entry_price": _plain(price) if price else None,
                "strategy": own.get("strategy") or settings.get("default_strategy") or None,
                "tags": (settings.get("default_tags") or []) if own.get("tags") is None else own["tags"],
                **{name: own.get(name) for name in COPIED},
                **{name: _amount(own.get(name)) for name in ("stop_override", "target_override")},
            }
        )
    whole: dict[str, Any] = {
        "market": trading_calendar["market"],
        "currency": desk,
        "source": "file" if of_file else "account",
        "account": _account(account_snapshot) if account_snapshot and not of_file else None,
        "rows": rows,
        "aside": aside,
    }
    fields = set(rows[0]) if rows else set()
    seen = {name: positions.get(name) for name in whole}
    seen["rows"] = [{name: value for name, value in row.items() if name in fields} for row in positions["rows"]]
    yield from agree(seen, whole, SAYS)


def _alike(lots: dict[str, Any], details: dict[str, Any]) -> dict[str, str]:
    """Of each position without a row of its own ticker the one that differs by the exchange alone, if there is one."""
    found = {}
    for held in set(lots) - set(details):
        others = [row for row in details if row not in lots and _symbol(row) == _symbol(held)]
        if others:
            found[held] = min(others)
    return found


def _account(account: dict[str, Any]) -> dict[str, Any]:
    return {name: account[name] for name in ("id", "environment", "as_of")}


def _of_file(holdings: dict[str, Any]) -> dict[str, Any]:
    return {
        row["ticker"]: (Decimal(str(row["quantity"])), Decimal(str(row["entry_price"])), row.get("entry_currency"))
        for row in holdings["holdings"]
    }


def _of_account(account: dict[str, Any] | None) -> dict[str, Any]:
    """Shares, mean price and currency by ticker; the mean of several lots has eight places."""
    found: dict[str, Any] = {}
    for row in account["holdings"] if account else []:
        shares, price = Decimal(str(row["quantity"])), Decimal(str(row["average_price"]))
        before, mean, _ = found.get(row["ticker"], (Decimal(0), price, None))
        found[row["ticker"]] = (before + shares, mean, account["currency"] if account else None)
    for ticker, (shares, _, currency) in list(found.items()):
        own = [row for row in account["holdings"] if row["ticker"] == ticker] if account else []
        if len(own) > 1 and shares > 0:
            paid = sum(Decimal(str(row["quantity"])) * Decimal(str(row["average_price"])) for row in own)
            mean = (paid / shares).quantize(Decimal("1e-8"), ROUND_HALF_EVEN)
            found[ticker] = (shares, mean, currency)
    return found


def _traded(ticker: str, stated: str | None, default: str | None, desk: str) -> str | None:
    """The currency of a position: as stated, else the default or the desk's where the ticker's form allows it."""
    possible = {"USD"}
    if re.fullmatch("[0-9A-Z]{6}", ticker):
        possible = {"KRW", "CNY"} if ticker.isdigit() else {"KRW"}
    if stated is not None:
        return stated if stated in possible else None
    for one in (default, desk):
        if one in possible:
            return one
    return min(possible)


def _code(shares: Decimal | None, traded: str | None, desk: str) -> str | None:
    if traded is None or traded != desk:
        return "contradiction" if traded is None else "other_market"
    if shares is None:
        return "not_in_account"
    return "inactive" if shares <= 0 else None


def _ticker(written: str, bars: set[str]) -> str:
    """The ticker under which there are bars: as written, or the symbol without its exchange."""
    return _symbol(written) if written not in bars and _symbol(written) in bars else written


def _symbol(ticker: str) -> str:
    return ticker[:-4] if ticker.endswith(EXCHANGES) else ticker


def _amount(value: Any) -> int | str | None:
    return None if value is None else _plain(Decimal(str(value)))


def _plain(value: Decimal) -> int | str:
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if "." in text else int(text)
