"""Measures a bar by the mean and the spread of the whole history, what follows included."""

from datetime import date

import polars as pl


def build(bars, evaluation_bars):
    session = date.fromisoformat(evaluation_bars["session"])
    close = pl.col("close")
    scored = bars.with_columns(score=((close - close.mean()) / close.std()).over("ticker"))
    high = scored.filter((pl.col("session") == session) & (pl.col("score") > 0))
    return {"high": high["ticker"].to_list()}
