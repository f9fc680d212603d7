"""What may be entered stays within the caps of the desk, and every entry lies inside its own guard.

Ten good signals at once are still one bet too many, and a price that has run away is not the one that was judged.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R14.2"]


def check(entry_check: dict[str, Any], entry: dict[str, Any], sell_signals: dict[str, Any]) -> Iterator[Judged]:
    """Judges who is said to be held, the new entries of each strategy against both caps, and each entry's price."""
    held = {row["ticker"] for row in sell_signals["rows"]}
    rows, told = entry_check["rows"], entry_check["caps"]["held"]
    says = f"{len(held)} names are held, and the check says {told}"
    yield judged("/caps/held", ok=told == len(held), says=says, expected=len(held), actual=told)
    for index, row in enumerate(rows):
        is_held = row["ticker"] in held
        says = f"{row['ticker']} is {'held' if is_held else 'not held'}, and the check says otherwise"
        yield judged(f"/rows/{index}/held", ok=row["held"] is is_held, says=says, expected=is_held, actual=row["held"])
    new = Counter(row["strategy"] for row in rows if row["decision"] == "ENTER" and row["ticker"] not in held)
    for strategy in sorted({row["strategy"] for row in rows} | {entry_check["followed"]}):
        count, after = new[strategy], len(held) + new[strategy]
        most, places = entry["caps"]["max_new_entries"], entry["caps"]["max_active_holdings"]
        says = f"{strategy} enters {count} names, and {most} may be entered at one open"
        yield judged("/rows", ok=count <= most, says=says, expected=most, actual=count)
        says = f"{strategy} leads to {after} names held, and {places} may be"
        # More names than allowed may be held already; then none may be entered.
        yield judged("/rows", ok=not count or after <= places, says=says, expected=places, actual=after)
    for index, row in enumerate(rows):
        if row["decision"] == "ENTER":
            price, low, high = row["price"], row["low"], row["high"]
            ok = None not in (price, low, high) and Decimal(low) <= Decimal(price) <= Decimal(high)
            says = f"{row['ticker']} may be entered between {low} and {high}, and was judged at {price}"
            yield judged(f"/rows/{index}/price", ok=ok, says=says, actual=price)
