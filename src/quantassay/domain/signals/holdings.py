"""What is held and at which price: an account's shares with what the desk says of them, or the desk's list alone.

A row is of the desk's market if its ticker and its currency are; any other row, and every closed position, is set aside
with the reason, so that each ticker is told of exactly once and none is taken for a name of another market.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ACCOUNT, FILE = "account", "file"
INACTIVE, OTHER_MARKET, CONTRADICTION, NOT_IN_ACCOUNT = "inactive", "other_market", "contradiction", "not_in_account"
_SIX, _DIGITS = re.compile(r"[0-9A-Z]{6}"), re.compile(r"[0-9]{6}")
_EXCHANGE = re.compile(r"\.(NAS|NYS|AMS)$")
# Mean prices of several lots are rounded to so many places.
_PRICE_PLACES = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Held:
    """One active position of the desk's market.

    `ticker` as its bars know it, `written` as the desk wrote it. `quantity` and `price` are exact, `price` None where
    it is not known. `details` is the row of the holdings file with the file's settings filled in.
    """

    ticker: str
    written: str
    quantity: Decimal
    price: Decimal | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Aside:
    """A ticker that no rule judges here, and why."""

    ticker: str
    code: str
    source: str
    quantity: Decimal | None
    currency: str | None


def source(holdings: Mapping[str, Any]) -> str:
    """Where shares and prices come from; a file that does not say is the whole list."""
    return str(holdings.get("source", FILE))


def split(
    holdings: Mapping[str, Any], account: Mapping[str, Any] | None, currency: str, named: frozenset[str]
) -> tuple[list[Held], list[Aside]]:
    """The active positions of the market that trades in `currency`, and all others, both by ticker.

    Args:
        holdings: the value of spec/21_holdings.yaml
        account: the account snapshot; looked at only where the file says so, None is an account without positions
        currency: KRW, USD or CNY
        named: the tickers that have bars; a symbol with its exchange is known there with or without it
    """
    details = {row["ticker"]: row for row in holdings["holdings"]}
    settings = holdings.get("settings", {})
    lots = dict(_lots(account, holdings))
    rows = {written: _row_of(written, details, lots) for written in lots}
    held, aside = [], []
    for written in sorted({*lots, *details} - (set(rows.values()) - lots.keys())):
        own = details.get(rows.get(written, written) or written, {})
        place = FILE if written not in lots or source(holdings) == FILE else ACCOUNT
        quantity, price, stated = lots.get(written) or (None, None, own.get("entry_currency"))
        noted = quantity if quantity is not None else _noted(own)
        traded = _currency(written, stated, settings.get("default_currency"), currency)
        code = _set_aside(quantity, traded, currency)
        if code is not None or quantity is None:
            closed = code == NOT_IN_ACCOUNT and noted is not None and noted <= 0
            aside.append(Aside(written, INACTIVE if closed else code or NOT_IN_ACCOUNT, place, noted, traded))
        else:
            held.append(Held(_known(written, named), written, quantity, price, _filled(own, settings)))
    return held, aside


def number(value: Any) -> Decimal:
    """The exact number that a spec holds as a number or as decimal text."""
    return Decimal(value if isinstance(value, str) else repr(value))


def plain(value: Decimal) -> int | str:
    """An exact number as an artifact holds it: a whole number, or else decimal text without trailing zeros."""
    return int(value) if value == value.to_integral_value() else f"{value.normalize():f}"


def currencies(ticker: str) -> frozenset[str]:
    """The currencies in which a ticker of this form can trade. Six digits may be Korea's or China's."""
    if _DIGITS.fullmatch(ticker):
        return frozenset({"KRW", "CNY"})
    return frozenset({"KRW"} if _SIX.fullmatch(ticker) else {"USD"})


_Lot = tuple[Decimal, Decimal | None, str | None]


def _lots(account: Mapping[str, Any] | None, holdings: Mapping[str, Any]) -> Iterator[tuple[str, _Lot]]:
    """Shares, mean price and currency (None where nothing says it) of each ticker."""
    if source(holdings) == FILE:
        for row in holdings["holdings"]:
            yield row["ticker"], (number(row["quantity"]), number(row["entry_price"]), row.get("entry_currency"))
        return
    lots: dict[str, list[tuple[Decimal, Decimal]]] = {}
    for row in account["holdings"] if account else ():
        lots.setdefault(row["ticker"], []).append((number(row["quantity"]), number(row["average_price"])))
    for ticker, own in lots.items():
        shares, paid = sum((q for q, _ in own), Decimal(0)), sum((q * p for q, p in own), Decimal(0))
        price = own[0][1] if len(own) == 1 or shares <= 0 else (paid / shares).quantize(_PRICE_PLACES)
        yield ticker, (shares, price or None, account["currency"] if account else None)


def _noted(row: Mapping[str, Any]) -> Decimal | None:
    """The shares that the file notes of a ticker which the account does not hold."""
    return None if row.get("quantity") is None else number(row["quantity"])


def _row_of(written: str, details: Mapping[str, Any], lots: Mapping[str, _Lot]) -> str | None:
    """The ticker of the file's row on a position: as it is held, or the same symbol with or without its exchange."""
    if written in details:
        return written
    alike = (other for other in sorted(details) if other not in lots and symbol(other) == symbol(written))
    return next(alike, None)


def symbol(ticker: str) -> str:
    """A ticker without its exchange."""
    return _EXCHANGE.sub("", ticker)


def _filled(row: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The details of a position, with the settings where its row is silent."""
    filled = dict(row)
    filled["strategy"] = filled.get("strategy") or settings.get("default_strategy") or None
    own = filled.get("tags")
    filled["tags"] = list(settings.get("default_tags") or ()) if own is None else list(own)
    return filled


def _currency(ticker: str, own: str | None, default: str | None, desk: str) -> str | None:
    """What the position trades in; None where its own currency contradicts its ticker.

    A default counts only for tickers that can trade in it, so that it makes no American name a Korean one.
    """
    possible = currencies(ticker)
    if own is not None:
        return own if own in possible else None
    if default in possible:
        return default
    return desk if desk in possible else min(possible)


def _set_aside(quantity: Decimal | None, traded: str | None, desk: str) -> str | None:
    if traded is None:
        return CONTRADICTION
    if traded != desk:
        return OTHER_MARKET
    if quantity is None:
        return NOT_IN_ACCOUNT
    return INACTIVE if quantity <= 0 else None


def _known(written: str, named: frozenset[str]) -> str:
    """The ticker as the bars know it: as it is written, or without its exchange."""
    return symbol(written) if written not in named and symbol(written) in named else written
