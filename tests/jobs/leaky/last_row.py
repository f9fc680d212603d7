"""Takes the last bar of the file for the last bar of the session."""

import polars as pl


def build(bars, evaluation_bars):
    last = bars.group_by("ticker", maintain_order=True).agg(pl.col("close").last().cast(pl.String))
    return {"day": evaluation_bars["session"], "names": last.to_dicts()}
