"""A short balance of zero from days on which nobody might sell short is never shown as a zero, nor compared with.

Such a zero says that short selling was banned and not that nobody wanted to sell: a change from it is no signal.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R11.4"]


def check(qualitative_sell_inputs: dict[str, Any], manual_feeds: dict[str, Any]) -> Iterator[Judged]:
    """Judges each ratio and the earlier one that it is compared with."""
    bans = manual_feeds["feeds"]["short_balance"]["bans"]
    for index, row in enumerate(qualitative_sell_inputs["holdings"]):
        ratio, change = row.get("short_balance_ratio") or {}, row.get("short_balance_change") or {}
        for name, session, value in (
            ("short_balance_ratio/value", ratio.get("session"), ratio.get("value")),
            ("short_balance_change/previous_value", change.get("previous_session"), change.get("previous_value")),
        ):
            ban = next((ban for ban in bans if ban["from"] <= str(session) <= ban["to"]), None)
            says = f"is a zero of {session}, when short selling was banned: {ban['source'] if ban else ''}"
            yield judged(f"/holdings/{index}/{name}", ok=ban is None or not _is_zero(value), says=says, actual=value)


def _is_zero(value: Any) -> bool:
    try:
        return value is not None and Decimal(value) == 0
    except InvalidOperation:
        return False
