"""The deciding bar as the older daily-bar report chose it, kept exactly, for comparison only.

Its weak points are part of it: a single bar always decides, an unreadable or future date is taken as it is, Korean
holidays, late opens and US half days are not known, and in Korea a partial bar decides unless its volume is thin.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

LOOKBACK = 5
VOLUME_FLOOR = 1000.0
THIN_RATIO = 0.2
SATURDAY = 5

_KOREA = (ZoneInfo("Asia/Seoul"), time(9, 0), time(15, 30))
_AMERICA = (ZoneInfo("America/New_York"), time(9, 30), time(16, 0))
# Ten full-day closures a year, as that program had them built in; it did not know 2025-01-09.
_AMERICAN_HOLIDAYS = frozenset(
    f"{year}{day}"
    for year, days in {
        "2024": "0101 0115 0219 0329 0527 0619 0704 0902 1128 1225",
        "2025": "0101 0120 0217 0418 0526 0619 0704 0901 1127 1225",
        "2026": "0101 0119 0216 0403 0525 0619 0703 0907 1126 1225",
    }.items()
    for day in days.split()
)


def choose(
    days: Sequence[str | None],
    volumes: Sequence[float | None],
    *,
    currency: str | None,
    provider: str,
    now: datetime,
) -> tuple[int, bool]:
    """The index of the deciding bar, and whether the last bar was dropped; -1 for no bars.

    Args:
        days: the bars' dates, ascending; only YYYYMMDD is understood, anything else counts as not today
        volumes: the bars' volumes, None as 0
        currency: USD means the American rules, everything else the Korean ones
        provider: bars of `pykrx` are always taken as they are
        now: the instant; without a zone it is read as UTC
    """
    last = len(days) - 1
    if last < 1 or provider == "pykrx":
        return last, False
    american = currency == "USD"
    zone, opens, closes = _AMERICA if american else _KOREA
    local = (now if now.tzinfo else now.replace(tzinfo=UTC)).astimezone(zone)
    today = f"{local:%Y%m%d}"
    if not re.fullmatch(r"\d{8}", days[last] or "") or days[last] != today:
        return last, False
    if local.weekday() >= SATURDAY or (american and today in _AMERICAN_HOLIDAYS):
        return last, False
    intraday = opens <= local.time() < closes
    dropped = (intraday or is_thin(volumes)) if american else (intraday and is_thin(volumes))
    return last - dropped, dropped


def is_thin(volumes: Sequence[float | None]) -> bool:
    """Whether the last volume is below a fifth of the mean of up to five before it, where that is above 1,000.

    In floating point, as the old program reckoned.
    """
    numbers = [float(volume or 0) for volume in volumes]
    before = numbers[-LOOKBACK - 1 : -1]
    if not before:
        return False
    mean = sum(before) / len(before)
    return mean > VOLUME_FLOOR and numbers[-1] < mean * THIN_RATIO
