"""Smooths with a window that reaches to both sides."""

from datetime import date

import polars as pl


def build(bars, evaluation_bars):
    session = date.fromisoformat(evaluation_bars["session"])
    smooth = bars.with_columns(mean=pl.col("close").rolling_mean(5, center=True, min_samples=1).over("ticker"))
    above = smooth.filter(pl.col("session") == session).select(pl.col("close") > pl.col("mean"))
    return {"above": above.to_series().to_list()}
