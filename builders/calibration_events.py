"""Lists the events of every study at the value in force: each bought and sold when that could have been done."""

from typing import Any

import polars as pl

from quantassay.domain.calibration import evidence
from quantassay.domain.calibration.events import market
from quantassay.domain.table import Table

_DAYS = ["bars:/{ticker}/{session}/close", "trading_calendar:/sessions"]
ORIGINS = {
    "/*/session": ["bars:/{ticker}/{session}/close", "calibration_studies:/studies/{study}/threshold"],
    "/*/entry": _DAYS,
    "/*/exit": [*_DAYS, "calibration_studies:/studies/{study}/horizon_sessions"],
    "/*/entry_price": ["bars:/{ticker}/{entry}/open"],
    "/*/exit_price": ["bars:/{ticker}/{exit}/close"],
    "/*/return_ppm": ["bars:/{ticker}/{entry}/open", "bars:/{ticker}/{exit}/close"],
}


def build(
    bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    trading_calendar: dict[str, Any],
    calibration_studies: dict[str, Any],
) -> Table:
    """One row an event: `study`, `ticker`, `session` of the signal, `entry`, `exit`, prices in won, `return_ppm`."""
    decided = {row["ticker"]: row["session"] for row in evaluation_bars["names"]}
    ready = market(bars, decided, trading_calendar["sessions"])
    found = evidence.events(ready, calibration_studies, trading_calendar["first"], evaluation_bars["session"])
    return Table(found, key=("study", "ticker", "session"))
