"""Every ticker that is held stands once in the sell signals: as a position with an action, or set aside with a reason.

A position that a report passes over is one that nobody thinks of selling.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R13.1"]


def check(
    sell_signals: dict[str, Any], account_snapshot: dict[str, Any] | None, holdings: dict[str, Any]
) -> Iterator[Judged]:
    """Judges every ticker of the account and of the holdings file, and every row beyond them."""
    of_file = holdings.get("source", "file") == "file"
    lots = holdings["holdings"] if of_file else account_snapshot["holdings"] if account_snapshot else []
    shares: dict[str, Decimal] = {}
    for lot in lots:
        shares[lot["ticker"]] = shares.get(lot["ticker"], Decimal(0)) + Decimal(str(lot["quantity"]))
    listed = {row["ticker"] for row in holdings["holdings"]}
    named = {*shares, *listed}
    for ticker in set(shares) - listed:
        # A row of TMO.NYS tells of TMO, where the account calls it so.
        alike = sorted(one for one in listed - set(shares) if _symbol(one) == _symbol(ticker))
        named -= set(alike[:1])
    rows, aside = sell_signals["rows"], sell_signals["appendix"]
    told = Counter([*(row["written"] for row in rows), *(row["ticker"] for row in aside)])
    for ticker in sorted({*named, *told}):
        says = f"{ticker} stands {told[ticker]} times in the sell signals"
        yield judged("/rows", ok=told[ticker] == (ticker in named), says=says, expected=int(ticker in named))
    for index, row in enumerate(rows):
        held = shares.get(row["written"], Decimal(0))
        says = f"{row['written']} is judged, and no shares of it are held"
        yield judged(f"/rows/{index}/quantity", ok=held > 0 and Decimal(str(row["quantity"])) == held, says=says)
    for index, row in enumerate(aside):
        waits = shares.get(row["ticker"], Decimal(0)) > 0 and row["code"] in ("inactive", "not_in_account")
        says = f"{row['ticker']} is set aside as {row['code']}, and shares of it are held"
        yield judged(f"/appendix/{index}/code", ok=not waits, says=says, actual=row["code"])


def _symbol(ticker: str) -> str:
    return ticker.removesuffix(".NAS").removesuffix(".NYS").removesuffix(".AMS")
