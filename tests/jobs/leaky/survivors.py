"""Chooses its names by the turnover of the last day of the file."""

from datetime import date

import polars as pl


def build(bars, evaluation_bars):
    last = bars.filter(pl.col("session") == pl.col("session").max()).with_columns(
        turnover=pl.col("close") * pl.col("volume")
    )
    chosen = last.sort("turnover", "ticker", descending=[True, False]).head(5)["ticker"].to_list()
    session = date.fromisoformat(evaluation_bars["session"])
    return {"names": sorted(set(chosen) & set(bars.filter(pl.col("session") == session)["ticker"]))}
