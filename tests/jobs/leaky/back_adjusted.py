"""Divides old prices by a factor that only the latest price gives."""

from datetime import date

import polars as pl


def build(bars, evaluation_bars):
    session = date.fromisoformat(evaluation_bars["session"])
    adjusted = bars.with_columns(price=(pl.col("close") / pl.col("close").last() > 1).over("ticker"))
    return {"dear": adjusted.filter(pl.col("session") == session)["price"].to_list()}
