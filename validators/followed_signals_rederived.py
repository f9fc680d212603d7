"""The plan follows what it says: name by name the verdicts of HSMS, or those of the sell signals and the entry check.

A doubt that a person should look at must not turn into an order between two artifacts.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R14.3"]
SAYS = "is not what the signals that the plan follows say"
OF_BARS = ("session", "close", "volume_average")
OF_HSMS = ("close_average", "momentum", "volume", "foreign_sum")
ASKED = ("code", "open_low", "open_high")


def check(
    followed_signals: dict[str, Any],
    signals: dict[str, Any],
    sell_signals: dict[str, Any],
    entry_check: dict[str, Any],
    next_open: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of each name, the order of the names, and what the signals are based on."""
    strategy: dict[str, Any] = signals["strategy"]
    names = [{**row, **dict.fromkeys(ASKED), "is_entry": False} for row in signals["names"]]
    if next_open["follow"] == "daily":
        strategy = {"strategy": entry_check["followed"]}
        names = _holdings(signals, sell_signals) + _entries(signals, entry_check)
    expected = {
        "follow": next_open["follow"],
        "signal_session": signals["signal_session"],
        "entry_session": entry_check["session"] if next_open["follow"] == "daily" else None,
        "strategy": strategy,
        "universe": signals["universe"],
        "names": names,
    }
    yield from agree(followed_signals, expected, SAYS)


def _holdings(signals: dict[str, Any], sell_signals: dict[str, Any]) -> list[dict[str, Any]]:
    """The holdings as their sell rules see them, then every other name of the universe, of which nothing is wanted."""
    rows = []
    for position in sell_signals["rows"]:
        verdict = "sell" if position["action"] == "SELL" else "review" if position["action"] == "REVIEW" else "none"
        codes = [reason["code"] for reason in position["reasons"]]
        rows.append({**_bar(position, signals), **dict.fromkeys(ASKED), "verdict": verdict, "because": codes})
    held = [position["ticker"] for position in sell_signals["rows"]]
    nothing: dict[str, Any] = {**dict.fromkeys(ASKED), "verdict": "none", "because": []}
    rest = [row for row in signals["names"] if row["ticker"] not in held]
    return rows + [{**_bar(row, signals), **nothing} for row in rest]


def _entries(signals: dict[str, Any], entry_check: dict[str, Any]) -> list[dict[str, Any]]:
    """The candidates of the followed strategy; one that may be entered is a buy between the bounds of its open."""
    rows = []
    for row in entry_check["rows"]:
        if row["strategy"] != entry_check["followed"]:
            continue
        bounds: tuple[int | None, int | None] = (None, None)
        if row["decision"] == "ENTER":
            bounds = (-(-Fraction(row["low"]) // 1), Fraction(row["high"]) // 1)
        rows.append(
            {
                **_bar(row, signals),
                "is_entry": True,
                "verdict": "none" if None in bounds else "buy",
                "because": row["because"],
                "code": row["code"],
                "open_low": bounds[0],
                "open_high": bounds[1],
            }
        )
    return rows


def _bar(row: dict[str, Any], signals: dict[str, Any]) -> dict[str, Any]:
    """What the bar of the name says; a name that is in no universe has none."""
    nothing: dict[str, Any] = {**dict.fromkeys(OF_BARS), "doubt": "no_bar", "doubts": []}
    seen = next((one for one in signals["names"] if one["ticker"] == row["ticker"]), nothing)
    return {
        "ticker": row["ticker"],
        "name": row["name"] or row["ticker"],
        "is_entry": False,
        **{name: seen[name] for name in (*OF_BARS, "doubt", "doubts")},
        **dict.fromkeys(OF_HSMS),
    }
