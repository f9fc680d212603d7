"""Where a stop stands that follows the peak of the closes at a distance of so many average true ranges."""

import math

import numpy as np

from quantassay.domain.signals.indicators import Floats


def peak(closes: Floats, start: int, at: int) -> int:
    """The row of the highest close of the rows `start` to `at`, both included; of equal ones the first."""
    return start + int(np.argmax(closes[start : at + 1]))


def holding_stop(closes: Floats, ranges: Floats, start: int, at: int, multiple: float) -> float | None:
    """The stop that never falls: the highest of what it was on each row from `start` to `at`.

    On each row it is the peak close so far less `multiple` times the range of that row; rows without a known range set
    none. None where no row sets one.
    """
    own = slice(start, at + 1)
    stops = np.maximum.accumulate(closes[own]) - multiple * ranges[own]
    known = stops[np.isfinite(stops)]
    return float(known.max()) if len(known) else None


def loose_stop(closes: Floats, ranges: Floats, start: int, at: int, multiple: float) -> float | None:
    """The older program's stop: the peak close less `multiple` times the last range, so it falls when that grows."""
    stop = float(np.max(closes[start : at + 1]) - multiple * ranges[at])
    return stop if math.isfinite(stop) else None
