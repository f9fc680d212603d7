"""Writes down for every complete bar what each HSMS rule said on it, from the first bar on."""

from typing import Any

import polars as pl

from quantassay.domain.signals import hsms as rules
from quantassay.domain.table import Table

ORIGINS = {"/*/session": ["bars:/{ticker}/{session}/close"]}


def build(bars: pl.DataFrame, evaluation_bars: dict[str, Any], hsms: dict[str, Any]) -> Table:
    """One row a bar up to the deciding one: `ticker`, `session`, `hsms1`, `hsms2` (buy, sell, none, no_data)."""
    decided = pl.DataFrame(
        [(row["ticker"], row["session"]) for row in evaluation_bars["names"]],
        schema={"ticker": pl.String, "last": pl.String},
        orient="row",
    ).with_columns(pl.col("last").str.to_date())
    dated = bars.join(decided, on="ticker", how="left", maintain_order="left")
    known = dated.filter(pl.col("session") <= pl.col("last"))
    return Table(rules.verdicts(known, rules.parameters(hsms)), key=("ticker", "session"))
