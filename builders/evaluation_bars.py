"""Finds for each name the last bar that is complete, so that no unfinished day decides."""

from typing import Any

import polars as pl

from quantassay.domain.market import bar_evidence, bar_faults, evaluation
from quantassay.domain.market.sessions import calendar, instant, local_day

ORIGINS = {
    "/day": ["as_of:"],
    "/session": ["as_of:", "trading_calendar:/sessions", "evaluation_bar:/grace_minutes"],
    "/names/*/session": ["bars:/{ticker}/{session}/close", "trading_calendar:/sessions"],
    "/names/*/index": ["bars:/{ticker}/{session}/close"],
    "/names/*/evidence/*": ["bars:/{ticker}/{session}/volume", "as_of:", "trading_calendar:/sessions"],
    "/names/*/evidence/over_at": ["trading_calendar:/special_sessions", "evaluation_bar:/grace_minutes"],
    "/names/*/sources/*/*": ["bars:/{ticker}/{first}/close"],
    "/names/*/bars": ["bars:/{ticker}/{session}/close"],
    "/names/*/dropped": ["bars:/{ticker}/{session}/close", "as_of:"],
    "/names/*/unfinished": ["bars:/{ticker}/{session}/close", "evaluation_bar:/grace_minutes"],
}


def build(
    bars: pl.DataFrame, trading_calendar: dict[str, Any], evaluation_bar: dict[str, Any], as_of: str
) -> dict[str, Any]:
    """One row a ticker by the policy of the spec, as of the instant `as_of`, with what the choice rests on."""
    cal, at, rule = calendar(trading_calendar), instant(as_of), evaluation.rule(evaluation_bar)
    known = bar_faults.in_order(bars)
    chosen = evaluation.evaluate(known, cal, at, rule)
    evidence, sources = bar_evidence.of_last_bars(known, cal, at, rule), bar_evidence.mixed_sources(known)
    return {
        "policy": rule.policy,
        "day": local_day(cal, at).isoformat(),
        "session": evaluation.last_session(cal, at, rule),
        "names": [
            {
                **row,
                "index": row["bars"] - 1 if row["session"] else None,
                "policy": rule.policy,
                "evidence": evidence[row["ticker"]],
                "sources": sources.get(row["ticker"], []),
            }
            for row in chosen.with_columns(pl.col("session").dt.to_string("iso")).to_dicts()
        ],
    }
