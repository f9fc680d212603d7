"""Finds for each name the last bar that is complete, so that no unfinished day decides."""

from typing import Any

import polars as pl

from quantassay.domain.market import evaluation
from quantassay.domain.market.sessions import calendar, instant, local_day

ORIGINS = {
    "/day": ["as_of:"],
    "/session": ["as_of:", "trading_calendar:/sessions", "evaluation_bar:/grace_minutes"],
    "/names/*/session": ["bars:/{ticker}/{session}/close", "trading_calendar:/sessions"],
    "/names/*/bars": ["bars:/{ticker}/{session}/close"],
    "/names/*/dropped": ["bars:/{ticker}/{session}/close", "as_of:"],
    "/names/*/unfinished": ["bars:/{ticker}/{session}/close", "evaluation_bar:/grace_minutes"],
}


def build(
    bars: pl.DataFrame, trading_calendar: dict[str, Any], evaluation_bar: dict[str, Any], as_of: str
) -> dict[str, Any]:
    """One row a ticker by the policy of the spec, as of the instant `as_of`."""
    cal, at, rule = calendar(trading_calendar), instant(as_of), evaluation.rule(evaluation_bar)
    chosen = evaluation.evaluate(bars, cal, at, rule)
    return {
        "policy": rule.policy,
        "day": local_day(cal, at).isoformat(),
        "session": evaluation.last_session(cal, at, rule),
        "names": chosen.with_columns(pl.col("session").dt.to_string("iso")).to_dicts(),
    }
