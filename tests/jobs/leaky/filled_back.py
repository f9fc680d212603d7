"""Fills what is not known yet with what is known later."""

from datetime import date

import polars as pl


def build(bars, evaluation_bars):
    session = date.fromisoformat(evaluation_bars["session"])
    filled = bars.with_columns(pl.col("foreign_net_buy").fill_null(strategy="backward").over("ticker"))
    return {"bought": filled.filter(pl.col("session") == session)["foreign_net_buy"].to_list()}
