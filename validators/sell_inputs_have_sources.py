"""Every sell input points at a row of a file that was imported, and that row holds the value which is shown.

A figure without its row cannot be checked by anybody, and one that is shown without a source was made up.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from quantassay.findings import Judged, judged

RULES = ["R11.3"]
FIELDS = {
    "short_balance_ratio": "short_balance",
    "premium": "etf_nav",
    "tracking_error": "etf_nav",
    "aum": "etf_nav",
}
SOURCE = ("file", "digest", "row", "version")


def check(
    qualitative_sell_inputs: dict[str, Any], manual_facts: pl.DataFrame, manual_log: dict[str, Any]
) -> Iterator[Judged]:
    """Judges each value: one without a row must be empty, one with a row must be what the row holds."""
    tickers = [str(row.get("ticker")) for row in qualitative_sell_inputs["holdings"]]
    facts = {
        (row["feed"], row["ticker"], row["field"], row["session"].isoformat(), *(row[name] for name in SOURCE)): row
        for row in manual_facts.filter(pl.col("ticker").is_in(tickers)).iter_rows(named=True)
    }
    files = {(feed, one["file"], one["digest"]) for feed, entries in manual_log["feeds"].items() for one in entries}
    for place, feed, key, value in _shown(qualitative_sell_inputs):
        if key is None:
            says = "is shown, and no file and row are named for it"
            yield judged(place, ok=value is None, says=says, actual=value)
            continue
        file, digest = key[-4], key[-3]
        says = f"points at {file}, which was not imported as a file of {feed}"
        yield judged(f"{place}/file", ok=(feed, file, digest) in files, says=says, actual=file)
        row = facts.get(key)
        says = f"points at row {key[-2]} of {file}, where no such value stands"
        yield judged(place, ok=row is not None, says=says, actual=key[-2])
        if row is not None and value is not None:
            says = f"is not what stands in row {key[-2]} of {file}"
            ok = row["value"] == value
            yield judged(f"{place}/value", ok=ok, says=says, expected=row["value"], actual=value)


def _shown(inputs: dict[str, Any]) -> Iterator[tuple[str, str, tuple[Any, ...] | None, Any]]:
    """(where, feed, the key of its fact or None, the value as the row must hold it or None) of each value."""
    for index, row in enumerate(inputs["holdings"]):
        ticker, place = str(row.get("ticker")), f"/holdings/{index}"
        for name, feed in FIELDS.items():
            one = row.get(name) or {}
            pair, session = one.get("worked_out"), one.get("session")
            value = pair.get("asset_value") if pair else one.get("value")
            # A premium that is too old to be shown may have been worked out: the row is then of the net asset value.
            yield f"{place}/{name}", feed, _key(feed, ticker, one.get("field"), session, one), value
            if pair:
                yield f"{place}/{name}/worked_out", feed, _key(feed, ticker, "close", session, pair), pair.get("close")
        change = row.get("short_balance_change") or {}
        session, before = change.get("previous_session"), change.get("previous_value")
        key = _key("short_balance", ticker, "balance_ratio", session, change)
        yield f"{place}/short_balance_change", "short_balance", key, before


def _key(feed: str, ticker: str, field: Any, session: Any, source: dict[str, Any]) -> tuple[Any, ...] | None:
    named = tuple(source.get(name) for name in SOURCE)
    return None if session is None and set(named) == {None} else (feed, ticker, field, session, *named)
