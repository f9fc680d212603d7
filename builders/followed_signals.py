"""Says which signals the plan follows: the verdict for each name, from HSMS or from the daily sell and entry checks."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

_HSMS = ("because", "close_average", "momentum", "volume", "foreign_sum")
_BARS = ("session", "close", "volume_average", "doubt", "doubts")
_NAME = "signals:/names/{ticker}"
# Most names are neither held nor candidates, so the lists stand for their rows.
_OTHERS = ["sell_signals:/rows", "entry_check:/rows"]
ORIGINS = {
    "/signal_session": ["signals:/signal_session"],
    "/entry_session": ["entry_check:/session"],
    "/strategy/**": ["signals:/strategy"],
    "/universe/**": ["signals:/universe"],
    "/names/*/ticker": [f"{_NAME}/ticker", *_OTHERS],
    "/names/*/name": [f"{_NAME}/name", *_OTHERS],
    "/names/*/verdict": [f"{_NAME}/verdict", *_OTHERS],
    "/names/*/because/*": [f"{_NAME}/because", *_OTHERS],
    "/names/*/code": ["entry_check:/rows"],
    "/names/*/open_low": ["entry_check:/rows/{ticker}/low"],
    "/names/*/open_high": ["entry_check:/rows/{ticker}/high"],
    **{f"/names/*/{field}": [f"{_NAME}/{field}"] for field in (*_HSMS[1:], *_BARS[:-1])},
    "/names/*/doubts/*": [f"{_NAME}/doubts"],
}
_VERDICTS = {"SELL": "sell", "REVIEW": "review", "HOLD": "none"}


def build(
    signals: dict[str, Any], sell_signals: dict[str, Any], entry_check: dict[str, Any], next_open: dict[str, Any]
) -> dict[str, Any]:
    """One row a name in universe order; with the daily signals the holdings first, then the rest, then the entries.

    An entry is a row of its own, because a name may be held and be a candidate at once.
    """
    daily = next_open["follow"] == "daily"
    names = _daily(signals, sell_signals, entry_check) if daily else map(_hsms, signals["names"])
    return {
        "follow": next_open["follow"],
        "signal_session": signals["signal_session"],
        "entry_session": entry_check["session"] if daily else None,
        "strategy": {"strategy": entry_check["followed"]} if daily else signals["strategy"],
        "universe": signals["universe"],
        "names": list(names),
    }


def _hsms(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "is_entry": False, "code": None, "open_low": None, "open_high": None}


def _daily(
    signals: Mapping[str, Any], sell_signals: Mapping[str, Any], entry_check: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    bars = {row["ticker"]: row for row in signals["names"]}
    held = {row["ticker"] for row in sell_signals["rows"]}
    for row in sell_signals["rows"]:
        codes = [reason["code"] for reason in row["reasons"]]
        yield {**_named(row, bars), "verdict": _VERDICTS[row["action"]], "because": codes}
    for row in signals["names"]:
        if row["ticker"] not in held:
            yield {**_named(row, bars), "verdict": "none", "because": []}
    for row in entry_check["rows"]:
        if row["strategy"] == entry_check["followed"]:
            yield {**_named(row, bars), **_entered(row)}


def _named(row: Mapping[str, Any], bars: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The name with what its bar says; of a name outside the universe nothing is known, which is a doubt."""
    known = bars.get(row["ticker"], {"doubt": "no_bar", "doubts": []})
    told = {field: known.get(field) for field in _BARS}
    nothing = dict.fromkeys((*_HSMS, "code", "open_low", "open_high"))
    return {"ticker": row["ticker"], "name": row["name"] or row["ticker"], "is_entry": False, **nothing, **told}


def _entered(row: Mapping[str, Any]) -> dict[str, Any]:
    enters = row["decision"] == "ENTER"
    return {
        "is_entry": True,
        "verdict": "buy" if enters else "none",
        "because": row["because"],
        "code": row["code"],
        "open_low": _won(row["low"], ROUND_CEILING) if enters else None,
        "open_high": _won(row["high"], ROUND_FLOOR) if enters else None,
    }


def _won(price: str | None, inward: str) -> int | None:
    """A bound in whole won, never outside the bound itself."""
    return None if price is None else int(Decimal(price).to_integral_value(inward))
