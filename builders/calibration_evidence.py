"""Says what each threshold was worth on the bars, at the value in force and at every other value tried."""

from typing import Any

import polars as pl

from quantassay.domain.calibration import evidence, studies
from quantassay.domain.calibration.events import tallies

_BARS = "bars:/{ticker}/{session}/close"
_EVENTS = ["calibration_events:/{id}/return_ppm"]
_COUNTS = [_BARS, "evaluation_bars:/names", "trading_calendar:/sessions", "calibration_studies:/studies/{id}/values"]
_TRIAL = [_BARS, "calibration_studies:/studies/{id}/values", "calibration_studies:/bootstrap"]
_LEFT_OUT = ("duplicates", "outside", "late", "unfillable", "overlapping")
ORIGINS = {
    "/level": ["calibration_studies:/bootstrap/level"],
    "/resamples": ["calibration_studies:/bootstrap/resamples"],
    "/seed": ["calibration_studies:/bootstrap/seed"],
    "/least_sessions": ["calibration_studies:/bootstrap/least_sessions"],
    "/trials_total": ["calibration_studies:/trials_total"],
    "/studies/*/horizon_sessions": ["calibration_studies:/studies/{id}/horizon_sessions"],
    "/studies/*/from": ["calibration_studies:/studies/{id}/from", "trading_calendar:/first"],
    "/studies/*/to": ["calibration_studies:/studies/{id}/to", "evaluation_bars:/session"],
    "/studies/*/until": ["calibration_studies:/studies/{id}/made_on", "evaluation_bars:/session"],
    "/studies/*/n": ["calibration_events:/{id}/session"],
    "/studies/*/sessions": ["calibration_events:/{id}/session"],
    "/studies/*/mean_return": _EVENTS,
    "/studies/*/low": [*_EVENTS, "calibration_studies:/bootstrap"],
    "/studies/*/high": [*_EVENTS, "calibration_studies:/bootstrap"],
    "/studies/*/p_value": [*_EVENTS, "calibration_studies:/bootstrap"],
    "/studies/*/adjusted_p": [*_EVENTS, "calibration_studies:/bootstrap", "calibration_studies:/trials_total"],
    "/studies/*/trials/*/value": ["calibration_studies:/studies/{id}/values"],
    "/studies/*/trials/*/adjusted_p": [*_TRIAL, "calibration_studies:/trials_total"],
    **{
        f"/studies/*/{name}": _COUNTS
        for name in ("found", "duplicates", "outside", "late", "unfillable", "overlapping")
    },
    **{f"/studies/*/trials/*/{name}": _TRIAL for name in ("n", "sessions", "mean_return", "low", "high", "p_value")},
}


def build(
    bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    trading_calendar: dict[str, Any],
    calibration_studies: dict[str, Any],
    calibration_events: pl.DataFrame,
) -> dict[str, Any]:
    """One row a study: how many signals, which were left out and why, the mean return, how sure it is, other values."""
    decided = {row["ticker"]: row["session"] for row in evaluation_bars["names"]}
    first, last = trading_calendar["first"], evaluation_bars["session"]
    trials = [trial for _, of in studies.trials(calibration_studies, first, last) for trial in of]
    found = tallies(bars, decided, trading_calendar["sessions"], trials)
    return evidence.evidence(calibration_studies, found, calibration_events, first, last)
